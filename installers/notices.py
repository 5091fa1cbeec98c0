"""Third-party notices: who made what is inside, under which terms, with the texts."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Final

from installers.frozen.inventory import Part

RULE: Final = "=" * 78
QT: Final = ("pyside6-essentials", "pyside6_essentials", "shiboken6")
COMMON: Final = Path("/usr/share/common-licenses")
LGPL_TEXTS: Final = ("LGPL-3", "GPL-3")
"""The LGPL 3 adds permissions to the GPL 3: both texts must travel (LGPL 3, section 4b)."""


def notices(parts: Iterable[Part]) -> str:
    """Return one text: the statement about Qt, then each part with its licence texts."""
    known = tuple(parts)
    pieces = [files("installers").joinpath("notices_head.txt").read_text(encoding="utf-8")]
    pieces += [_of_part(part) for part in known]
    pieces += [_section(name, (COMMON / name)) for name in LGPL_TEXTS if (COMMON / name).is_file()]
    return "\n".join(pieces)


def _of_part(part: Part) -> str:
    head = f"{RULE}\n{part.name} {part.version}"
    if part.licence:
        head += f"\nLicence: {part.licence}"
    if part.name in QT:
        head += "\nUsed under the LGPL-3.0; see the statement at the beginning."
    texts = [_text(path) for path in part.texts]
    return "\n".join([head, RULE, *texts])


def _section(name: str, path: Path) -> str:
    return "\n".join([RULE, f"Text of {name}", RULE, _text(path)])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").rstrip() + "\n"
