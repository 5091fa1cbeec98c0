"""The tree of the package and its control data."""

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from installers.icons.render import PNG_SIZES, SOURCE, png

HERE: Final = Path(__file__).parent
LIBRARY: Final = Path("usr/lib/vereda")
DOC: Final = Path("usr/share/doc/vereda")
CONFIGURATION: Final = Path("etc/vereda/policy.toml")
DEPENDS: Final = (
    "libc6 (>= 2.36)",
    "libegl1",
    "libgl1",
    "libfontconfig1",
    "fontconfig-config",
    "fonts-dejavu-core",
)
"""What the frozen application loads and PyInstaller leaves to the system: C library and graphics.

libc6: the one of the building system, Debian 12; an older one misses symbols.
"""
RECOMMENDS: Final = ("gnome-keyring | kwalletmanager", "systemd", "cups-client")
LICENCE_HEAD: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Vereda
Comment: The licences of everything inside are in THIRD-PARTY-NOTICES.txt beside this file.

Files: *
Copyright: The Vereda authors
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
"""


def lay_out(application: Path, root: Path, tree: Path, version: str) -> None:
    """Write the package's files under `tree`, which must not exist.

    application: the frozen folder. root: of the repository.
    """
    shutil.copytree(application, tree / LIBRARY, symlinks=True)
    _put(tree / "usr/share/applications/vereda.desktop", (HERE / "vereda.desktop").read_bytes())
    _put(
        tree / "usr/lib/systemd/user/vereda-sync.service",
        (HERE / "vereda-sync.service").read_bytes(),
    )
    _put(tree / CONFIGURATION, (HERE / "policy.toml").read_bytes())
    (tree / "etc/vereda/users").mkdir()
    icons = tree / "usr/share/icons/hicolor"
    _put(icons / "scalable/apps/vereda.svg", SOURCE.read_bytes())
    for size in PNG_SIZES:
        _put(icons / f"{size}x{size}/apps/vereda.png", png(size))
    _documents(root, tree)
    (tree / "usr/bin").mkdir(parents=True)
    for name in ("vereda", "vereda-sync"):  # one program; the name it is called by decides
        (tree / "usr/bin" / name).symlink_to("../lib/vereda/vereda")
    _control(tree, version)


def _documents(root: Path, tree: Path) -> None:
    _put(tree / DOC / "copyright", LICENCE_HEAD.encode())
    for name in ("THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"):
        (tree / DOC / name).symlink_to(f"../../../lib/vereda/{name}")
    changes = (root / "CHANGELOG.md").read_bytes()
    _put(tree / DOC / "CHANGELOG.md.gz", gzip.compress(changes, mtime=0))
    _put(tree / DOC / "it.md", (root / "docs/guide/it.md").read_bytes())


def _control(tree: Path, version: str) -> None:
    size_kib = sum(p.lstat().st_size for p in _files(tree)) // 1024 + 1
    fields = {
        "Package": "vereda",
        "Version": version,
        "Architecture": "amd64",
        "Maintainer": "The Vereda authors <vereda@example.org>",
        "Installed-Size": str(size_kib),
        "Depends": ", ".join(DEPENDS),
        "Recommends": ", ".join(RECOMMENDS),
        "Section": "science",
        "Priority": "optional",
        "Description": "offline differential diagnosis for rural clinics\n"
        " Ranks common and rare diseases with reasons, keeps an encrypted clinic, and\n"
        " exchanges pseudonymised records and signed models with a cloud when there is\n"
        " a link. Decision support: a clinician decides.",
    }
    control = "".join(f"{key}: {value}\n" for key, value in fields.items())
    _put(tree / "DEBIAN/control", control.encode())
    _put(tree / "DEBIAN/conffiles", f"/{CONFIGURATION}\n".encode())
    _put(tree / "DEBIAN/postrm", (HERE / "postrm").read_bytes(), 0o755)
    sums = [  # dpkg asks for MD5: against a damaged disk, not an attacker
        f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(tree)}\n"
        for p in _files(tree)
        if not p.is_symlink()
    ]
    _put(tree / "DEBIAN/md5sums", "".join(sums).encode())


def _files(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.rglob("*")):
        if "DEBIAN" not in path.relative_to(tree).parts and (path.is_symlink() or path.is_file()):
            yield path


def _is_program(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100) and ".so" not in path.name


def _put(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def pack(tree: Path, package: Path, epoch: int, *, level: int | None = 6) -> None:
    """Write `package` from `tree`; two trees with the same content give the same bytes.

    epoch: Unix seconds every file is stamped with. level: of xz, 0 to 9; None
    does not compress.
    """
    for path in [*tree.rglob("*"), tree]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    package.parent.mkdir(parents=True, exist_ok=True)
    # One thread: xz cuts its blocks by the number of them, and the bytes would differ.
    how = ["-Znone"] if level is None else ["-Zxz", f"-z{level}", "--threads-max=1"]
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", *how, "--build", str(tree), str(package)],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
    )
