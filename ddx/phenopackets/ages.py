"""Ages as phenopackets write them: ISO 8601 durations, dates and times, here in whole days."""

import re
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil
from typing import Final

from ddx.intake.limits import MAX_AGE_YEARS

DAYS_PER_MONTH: Final = Fraction(48700, 1600)
"""A twelfth of the Julian year of `ddx.domain.case`: 30.4375 days."""

_PART = r"(?:(\d+(?:[.,]\d+)?){unit})?"
_DURATION: Final = re.compile(
    "P" + "".join(_PART.format(unit=unit) for unit in "YMWD") + r"(?:T(?:\d+(?:[.,]\d+)?[HMS])+)?"
)
_LOOSE: Final = re.compile(
    r"\s*P?\s*(\d+(?:[.,]\d+)?)\s*(y|yr|years?|m|mo|months?|w|weeks?|d|days?|a|años?|mes(?:es)?)?\s*",
    re.IGNORECASE,
)


def days_of(duration: str) -> int | None:
    """Return an ISO 8601 duration such as `P3Y6M` in whole days; None when it is none.

    Years and months round up: whoever is 18 years old has lived 18 years. Hours count for nothing.
    """
    match = _DURATION.fullmatch(duration.strip())
    if match is None or duration.strip() == "P":
        return None
    years, months, weeks, days = (_number(part) for part in match.groups())
    return ceil((12 * years + months) * DAYS_PER_MONTH) + int(7 * weeks + days)


def duration_of(days: int) -> str:
    """Return whole days as the duration that `days_of` reads back: `P3Y6M2D`, `P0D` at birth."""
    months = int(days / DAYS_PER_MONTH)
    years, odd_months = divmod(months, 12)
    odd_days = days - ceil(months * DAYS_PER_MONTH)
    parts = ((years, "Y"), (odd_months, "M"), (odd_days, "D"))
    return "P" + ("".join(f"{n}{unit}" for n, unit in parts if n) or "0D")


def meant_by(text: str) -> str:
    """Return the duration a loosely written age likely means ("3 years" is `P3Y`), or ""."""
    match = _LOOSE.fullmatch(text)
    if match is None:
        return ""
    unit = (match[2] or "y")[0].upper().replace("A", "Y")
    return f"P{match[1].replace(',', '.')}{unit}"


def days_between(birth: str, then: str) -> int | None:
    """Return the days from one RFC 3339 time to another; None when either is unreadable."""
    first, last = _moment(birth), _moment(then)
    return None if first is None or last is None else (last.date() - first.date()).days


def too_high(days: int) -> bool:
    """Return whether nobody documented lived that long."""
    return days > MAX_AGE_YEARS * 12 * DAYS_PER_MONTH


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(part: str | None) -> Fraction:
    return Fraction(part.replace(",", ".")) if part else Fraction(0)
