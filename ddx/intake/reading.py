"""What was typed, as numbers: decimal comma or point, never a guess."""

import math
import re
from typing import Final

from ddx.domain.case import DAYS_PER_YEAR
from ddx.intake.draft import AgeUnit

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_YES: Final = frozenset({"true", "yes", "sí", "si", "1"})
_NO: Final = frozenset({"false", "no", "0"})

DAYS_PER_UNIT: Final = {
    AgeUnit.YEARS: DAYS_PER_YEAR,
    AgeUnit.MONTHS: DAYS_PER_YEAR / 12,
    AgeUnit.DAYS: 1.0,
}


def number(text: str) -> float | None:
    """Return the number `text` states with a decimal comma or point; None when it states none.

    Thousands separators are not read: "1,234" is 1.234, "1,234.5" is no number.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    return float(stripped.replace(",", "."))


def yes_or_no(text: str) -> bool | None:
    """Return the answer `text` states in Spanish or English; None when it states none."""
    word = text.strip().casefold()
    return True if word in _YES else False if word in _NO else None


def age_in_days(value: float, unit: AgeUnit) -> int:
    """Return an age in whole days, rounded up: whoever is 18 years old has lived 18 years."""
    return math.ceil(value * DAYS_PER_UNIT[unit])
