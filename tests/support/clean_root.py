"""A Debian of its own, with what the package declares it needs and nothing else."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "clinica"


def mirror() -> tuple[str, str]:
    """Return address and release this machine's own apt uses; written nowhere."""
    asked = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI) $(CODENAME) $(COMPONENT)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in asked.stdout.splitlines():
        address, codename, component = line.split()
        if component == "main" and "-" not in codename:
            return address, codename
    raise AssertionError("apt knows no main archive")


def root_with(folder: Path, needed: list[str], kept: Path) -> "CleanRoot":
    """Return a minimal Debian in `folder` with the closure of `needed` and one account.

    kept: folder where one is kept for the next time, by what it holds.
    """
    digest = hashlib.sha256(" ".join(needed).encode()).hexdigest()[:12]
    master = kept / f"debian-{digest}"
    if not master.is_dir():
        making = kept / f"making-{os.getpid()}"
        _build_root(making, needed)
        making.rename(master)
    subprocess.run(["cp", "--archive", "--reflink=auto", master, folder], check=True)
    return CleanRoot(folder)


def _build_root(folder: Path, needed: list[str]) -> None:
    folder.mkdir(parents=True)
    address, codename = mirror()
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(needed)}"]
    command += [codename, str(folder), address]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    shutil.rmtree(folder / "var/cache/apt/archives", ignore_errors=True)
    subprocess.run(["chroot", folder, "useradd", "--create-home", ACCOUNT], check=True)


@dataclass(frozen=True)
class CleanRoot:
    """A root where commands run without a network, in namespaces of their own."""

    folder: Path

    def run(self, *command, account="root", stdin=None, **variables):
        """Run a command inside; return what it said."""
        home = "/root" if account == "root" else f"/home/{account}"
        surroundings = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "LANG": "C.UTF-8",
            "USER": account,
            "LOGNAME": account,
            "QT_QPA_PLATFORM": "offscreen",
            "DEBIAN_FRONTEND": "noninteractive",
            **variables,
        }
        alone = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child"]
        mounted = (
            'mount -t proc proc "$0/proc" && cd "$0" && exec chroot --userspec="$1" . "${@:2}"'
        )
        inside = ["env", "-C", home, *map(str, command)]
        return subprocess.run(
            [*alone, "bash", "-c", mounted, str(self.folder), account, *inside],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            env=surroundings,
            check=False,
        )

    def put(self, file: Path) -> str:
        """Copy a file in; return its path inside."""
        shutil.copy(file, self.folder / "tmp" / file.name)
        return f"/tmp/{file.name}"

    def at(self, path: str) -> Path:
        """Return where a path inside lies outside."""
        return self.folder / path.lstrip("/")


def may_change_root() -> bool:
    """Whether this process may make and enter another root."""
    return os.geteuid() == 0
