"""UCUM units in the protocol's letters: a code on the wire has no brackets, blanks or percent."""

import re
from typing import Final

_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+/-]{0,127}")
_ANNOTATION: Final = re.compile(r"[\[\]{}]")


def unit_code(ucum: str) -> str | None:
    """Return `mm[Hg]` as `mmHg`, `[degF]` as `degF`, `%` as `percent`, `/min` as `per-min`.

    None where no code can be made of it: such a value has no unit to go by.
    """
    text = _ANNOTATION.sub("", ucum.strip()).replace("%", "percent")
    if text.startswith("/"):
        text = f"per-{text[1:]}"
    return text if _SHAPE.fullmatch(text) else None
