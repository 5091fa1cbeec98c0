"""`python -m installers.frozen`: make the one-folder application `dist/vereda`.

Runs PyInstaller over `build.spec` with the clock of the last commit, removes debugging symbols,
adds the bill of materials and the notices, and prints what came out.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from installers.bill import bill_of_materials
from installers.clock import build_clock
from installers.frozen.inventory import COLLECTED, inventory
from installers.frozen.strip import forget_builder, strip_symbols
from installers.notices import notices
from installers.version import version

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "dist" / "vereda"
WORK = ROOT / "build" / "freeze"
MIB = 1 << 20


def main() -> int:
    """Freeze; return PyInstaller's exit code."""
    done = freeze(APPLICATION.parent, WORK)
    if done == 0:
        size = sum(p.lstat().st_size for p in APPLICATION.rglob("*") if p.is_file())
        sys.stdout.write(f"{APPLICATION.relative_to(ROOT)}: {size / MIB:.0f} MiB unpacked\n")
    return done


def freeze(target: Path, work: Path) -> int:
    """Make `vereda` under `target`; return PyInstaller's exit code.

    work: PyInstaller's folder for what it makes on the way; emptied first.
    """
    epoch = build_clock(ROOT)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean"]
    command += ["--log-level", "ERROR", "--workpath", str(work), "--distpath", str(target)]
    surroundings = {
        **os.environ,
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",  # the order of sets reaches the compiled modules
        "PYTHONPATH": str(ROOT),
        "PYINSTALLER_CONFIG_DIR": str(work.parent / "pyinstaller"),
    }
    code = subprocess.run(
        [*command, "build.spec"], cwd=ROOT, env=surroundings, check=False
    ).returncode
    if code == 0:
        _finish(target / "vereda", work, epoch)
    return code


def _finish(application: Path, work: Path, epoch: int) -> None:
    if os.name == "posix":
        (application / "vereda-sync").symlink_to("vereda")
        strip_symbols(application)
        forget_builder(application)
    parts = inventory(work / "build" / COLLECTED)
    bill = bill_of_materials("vereda", version(ROOT), parts, epoch)
    (application / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    (application / "THIRD-PARTY-NOTICES.txt").write_text(notices(parts), encoding="utf-8")
    (application / "LICENSE.txt").write_bytes((ROOT / "LICENSE").read_bytes())
    for path in [application, *application.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main())
