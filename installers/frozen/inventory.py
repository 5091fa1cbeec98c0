"""Whose work is inside the frozen application: distributions, Debian libraries, Python itself."""

import json
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

COLLECTED: Final = "collected.json"
OURS: Final = "vereda"


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One third party. kind: `pypi`, `deb` or `generic`. texts: files with its licence."""

    name: str
    version: str
    kind: str
    licence: str = ""
    texts: tuple[Path, ...] = ()

    @property
    def purl(self) -> str:
        """The package URL. Source: ECMA-427."""
        group = "debian/" if self.kind == "deb" else ""
        return f"pkg:{self.kind}/{group}{self.name}@{self.version.replace('+', '%2B')}"


def write_collected(path: Path, sources: Iterable[str]) -> None:
    """Keep the files PyInstaller took; called by `build.spec`."""
    path.write_text(json.dumps(sorted({s for s in sources if s})), encoding="utf-8")


def inventory(collected: Path) -> tuple[Part, ...]:
    """Return every third party that has a file in the application, sorted by name."""
    sources = [Path(s) for s in json.loads(collected.read_text(encoding="utf-8"))]
    owner = _owners()
    found = {owner[p] for p in map(_real, sources) if p in owner}
    parts = {_of_distribution(d) for d in found}
    parts |= _debian(p for p in sources if p.is_relative_to("/usr") or p.is_relative_to("/lib"))
    parts.add(_python())
    return tuple(sorted(parts))


def _real(path: Path) -> str:
    return str(path.parent.resolve() / path.name)


def _owners() -> dict[str, Distribution]:
    owners: dict[str, Distribution] = {}
    for distribution in distributions():
        if distribution.name == OURS:
            continue
        for file in distribution.files or ():
            owners[_real(Path(str(distribution.locate_file(file))))] = distribution
    return owners


def of_metadata(distribution: Distribution) -> str:
    """Return the licence a distribution declares: an SPDX expression where it has one."""
    about = distribution.metadata
    stated = about["License-Expression"] or about["License"] or ""
    if stated and "\n" not in stated and len(stated) < 80:
        return stated
    classified = [
        c.rpartition(" :: ")[2]
        for c in about.get_all("Classifier") or ()
        if c.startswith("License :: ")
    ]
    return " AND ".join(classified)


def _of_distribution(distribution: Distribution) -> Part:
    words = ("licen", "copying", "notice", "authors")
    texts = [
        Path(str(distribution.locate_file(f)))
        for f in distribution.files or ()
        if ".dist-info" in f.parts[0] and any(w in f.name.lower() for w in words)
    ]
    return Part(
        distribution.name.lower(),
        distribution.version,
        "pypi",
        of_metadata(distribution),
        tuple(sorted(texts)),
    )


def _debian(paths: Iterable[Path]) -> set[Part]:
    query = shutil.which("dpkg-query")
    if query is None:
        return set()
    names, seen = set(), set(paths)
    for path in sorted({*seen, *(p.resolve() for p in seen)}):
        asked = subprocess.run(
            [query, "-S", str(path)], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            names.add(asked.stdout.split(": ")[0])
    return {_of_package(query, name) for name in names}


def _of_package(query: str, name: str) -> Part:
    shown = subprocess.run(
        [query, "-W", "-f=${Package} ${Version}", name], capture_output=True, text=True, check=True
    )
    package, version = shown.stdout.split()
    text = Path("/usr/share/doc") / package / "copyright"
    return Part(package, version, "deb", "", (text,) if text.is_file() else ())


def _python() -> Part:
    import sysconfig  # noqa: PLC0415

    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    return Part(
        "python", platform.python_version(), "generic", "PSF-2.0", (text,) if text.is_file() else ()
    )
