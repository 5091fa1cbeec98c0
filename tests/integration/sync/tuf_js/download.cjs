// Downloads one channel's release with tuf-js and prints path -> SHA-256 of what it got, as JSON.
// node download.cjs <base address> <folder with root.json> <folder for targets> <channel>
const crypto = require("node:crypto");
const fs = require("node:fs");
const { Updater } = require("tuf-js");

async function main([base, metadataDir, targetDir, channel]) {
  const updater = new Updater({
    metadataDir,
    targetDir,
    metadataBaseUrl: `${base}/metadata`,
    targetBaseUrl: `${base}/targets`,
    config: { fetchRetries: 0 },
  });
  await updater.refresh();
  const got = {};
  const fetched = async (path) => {
    const target = await updater.getTargetInfo(path);
    if (!target) throw new Error(`no target ${path}`);
    const content = fs.readFileSync(await updater.downloadTarget(target));
    got[path] = crypto.createHash("sha256").update(content).digest("hex");
    return content;
  };
  const { release } = JSON.parse(await fetched(`channels/${channel}.json`));
  const manifest = JSON.parse(await fetched(`${release.version}/manifest.json`));
  for (const member of manifest.members) await fetched(`${release.version}/${member.name}.zst`);
  process.stdout.write(JSON.stringify(got));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exit(1);
});
