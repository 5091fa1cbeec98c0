r"""The folder the MSI installs when it is made without Windows: CPython, wheels, our code.

    python\          the embeddable CPython and its search path
    lib\             wheels, and our rooms
    vereda.exe       launchers: they start python\python.exe on one module
    veredaw.exe
    vereda-sync.exe
A release on Windows installs the frozen folder instead; the tables are the same.
"""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Final

from installers.frozen.allowed import CLINIC, NOT_INSTALLED, OUR_ROOMS, QT_MODULES, WINDOWS_ONLY
from installers.frozen.contents import DATA, belongs, our_metadata
from installers.frozen.inventory import Part, of_metadata
from installers.windows.wheels import PYTHON_INSIDE, fetch_python, fetch_wheels, unpack

SEARCH_PATH: Final = "python313.zip\r\n.\r\n..\\lib\r\n"
"""python313._pth: nothing of the user's or of another Python comes in."""
PYTHON_UNUSED: Final = frozenset({"sqlite3.dll", "_sqlite3.pyd", "winsound.pyd", "python.cat"})
QT_LIBRARIES: Final = ("Qt6Core", "Qt6Gui", "Qt6Widgets", "Qt6PrintSupport", "pyside6.abi3")
QT_PLUGINS: Final = (
    "platforms/qwindows",
    "platforms/qoffscreen",
    "platforms/qminimal",
    "styles/qmodernwindowsstyle",
    "imageformats/qjpeg",
    "imageformats/qico",
)
RUNTIME: Final = re.compile(r"PySide6/(msvcp140\w*|vcruntime140\w*|concrt140)\.dll$")
_LAUNCHER: Final = "#!<launcher_dir>\\python\\{python}\r\n"
LAUNCHERS: Final = {
    "vereda.exe": ("t64.exe", "python.exe", "desktop.app"),
    "veredaw.exe": ("w64.exe", "pythonw.exe", "desktop.app"),
    "vereda-sync.exe": ("t64.exe", "python.exe", "sync_service.client.__main__"),
}
"""Program -> stub, interpreter, module with `main`."""


def make_payload(root: Path, downloads: Path, target: Path) -> tuple[Part, ...]:
    """Write the folder `target`, which must not exist; return the third parties inside.

    Raises:
        UntrustedDownloadError: a download is not what the lock names.
    """
    parts = [embedded_python(downloads, target / "python")]
    for wheel in fetch_wheels(root, downloads):
        part = _wheel(wheel, target / "lib")
        if part is not None:
            parts.append(part)
    our_rooms(root, target / "lib")
    if not _compile(target / "lib"):
        sys.stdout.write("modules are not compiled (no python3.13 here): each start is slower\n")
    for name, (stub, python, module) in LAUNCHERS.items():
        (target / name).write_bytes(launcher(stub, python, module))
    return tuple(sorted(parts))


def embedded_python(downloads: Path, target: Path) -> Part:
    """Write the embeddable CPython to `target`. Raises UntrustedDownloadError."""
    with zipfile.ZipFile(io.BytesIO(fetch_python(downloads))) as archive:
        for name in archive.namelist():
            inside = name.removeprefix(PYTHON_INSIDE)
            if inside and inside not in PYTHON_UNUSED:
                unpack(archive, name, target)
    for path in (target / PYTHON_INSIDE).iterdir():
        path.rename(target / path.name)
    (target / PYTHON_INSIDE).rmdir()
    (target / "python313._pth").write_text(SEARCH_PATH, newline="")
    return Part("python", "3.13.2", "generic", "PSF-2.0", (target / "LICENSE.txt",))


def _wheel(wheel: Path, target: Path) -> Part | None:
    """Unpack what belongs of one wheel; None when no room may import anything of it."""
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/")]
        if not {_top(n) for n in names} & (CLINIC | WINDOWS_ONLY):
            return None
        for name in names:
            if _wanted(name):
                unpack(archive, name, target)
        info = next(n.split("/")[0] for n in names if n.endswith(".dist-info/METADATA"))
    return _part(target / info)


def _part(info: Path) -> Part:
    distribution = PathDistribution(info)
    words = ("licen", "copying", "notice")
    texts = tuple(
        path
        for path in sorted(info.rglob("*"))
        if path.is_file() and any(word in path.name.lower() for word in words)
    )
    name = distribution.name.lower()
    return Part(name, distribution.version, "pypi", of_metadata(distribution), texts)


def _top(name: str) -> str:
    return name.split("/", maxsplit=1)[0].split(".", maxsplit=1)[0]


def _wanted(name: str) -> bool:
    if "/__pycache__/" in name:
        return False  # of another Python
    if name.startswith("PySide6/"):
        return _wanted_of_qt(name)
    if ".dist-info/" in name:
        return belongs(name)
    unused = re.search(r"(^|/)tests?/|\.(pyi|h|pxd|c|lib|a|typed)$|\.data/", name)
    return belongs(name) and not unused


def _wanted_of_qt(name: str) -> bool:
    inside = name.removeprefix("PySide6/")
    if inside.endswith(".py") and "/" not in inside:
        return True
    if inside.startswith("support/") or RUNTIME.search(name):
        return not inside.endswith(".pyi")
    if inside.startswith("translations/"):
        return inside in ("translations/qtbase_es.qm", "translations/qtbase_en.qm")
    if inside.startswith("plugins/"):
        return inside.removeprefix("plugins/").removesuffix(".dll") in QT_PLUGINS
    stem = inside.removesuffix(".dll").removesuffix(".pyd")
    return "/" not in inside and (stem in QT_LIBRARIES or stem in QT_MODULES)


def our_rooms(root: Path, target: Path) -> None:
    """Write our modules, the files they read and our metadata under `target`."""
    for room in OUR_ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            module = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
            if not f"{module}.".startswith(tuple(f"{n}." for n in NOT_INSTALLED)):
                _copy(path, target / path.relative_to(root))
    for folder, pattern in DATA:
        for path in sorted((root / folder).glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                _copy(path, target / path.relative_to(root))
    for file, folder in our_metadata(root, target):
        if Path(file).parent != target / folder:
            _copy(Path(file), target / folder / Path(file).name)


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _compile(folder: Path) -> bool:
    """Compile the modules where a CPython 3.13 is at hand; return whether one was.

    The target folder is not writable for users: without this each start would compile anew.
    """
    python = shutil.which("python3.13")
    if python is None:
        return False
    command = [python, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(folder), str(folder)], check=False, capture_output=True
    )
    return done.returncode == 0


def launcher(stub: str, python: str, module: str) -> bytes:
    """Return a program that runs `main` of `module`: a stub, its first line, a small archive.

    Source: distlib, "simple launcher"; the stubs are those pip makes its scripts from.
    """
    from pip._vendor import distlib  # noqa: PLC0415 -- pip brings the stubs

    program = (Path(distlib.__file__).parent / stub).read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        entry = zipfile.ZipInfo("__main__.py", (1980, 1, 1, 0, 0, 0))
        opened.writestr(entry, f"import sys\nfrom {module} import main\nsys.exit(main())\n")
    return program + _LAUNCHER.format(python=python).encode() + archive.getvalue()
