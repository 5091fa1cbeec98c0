"""Which column of a line list states which finding: the rows of `line_lists.tsv`."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId, finding_id

_LIMIT = re.compile(r"(<|>=|>)(\d+(?:\.\d+)?)")
_LIMITS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {"<": float.__lt__, ">": float.__gt__, ">=": float.__ge__}
)


class Cohort(StrEnum):
    """A line list with findings."""

    FOZ = "foz"
    VIETNAM = "vietnam"
    INDONESIA = "indonesia"
    MANILA = "manila"
    THAILAND = "thailand"
    MALAYSIA = "malaysia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One row of the table.

    finding: None when `target` is a vital sign, taken as the cell states it.
    limit: a comparison (`<`, 4.0) in place of words. adult_only: from 16 years of age.
    """

    cohort: Cohort
    column: str
    target: str
    finding: FindingId | None
    present: frozenset[str]
    excluded: frozenset[str]
    limit: tuple[str, float] | None
    adult_only: bool

    def presence(self, cell: object) -> Presence:
        """Return what a cell says; a value that is in neither list says nothing."""
        if self.limit is not None:
            if not isinstance(cell, float):
                return Presence.UNKNOWN
            holds = _LIMITS[self.limit[0]](cell, self.limit[1])
            return Presence.PRESENT if holds else Presence.EXCLUDED
        text = _text(cell)
        if text in self.present:
            return Presence.PRESENT
        return Presence.EXCLUDED if text in self.excluded else Presence.UNKNOWN


def _text(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole and isinstance(cell, float) else str(cell).strip()


def readings() -> Iterator[Reading]:
    """Yield every reading of every cohort, in file order. Raises KeyError or ValueError."""
    table = files("training.knowledge").joinpath("endemic", "line_lists.tsv")
    lines = table.read_text(encoding="utf-8").splitlines()
    for raw in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        limit = _LIMIT.fullmatch(raw["present"])
        yield Reading(
            cohort=Cohort(raw["cohort"]),
            column=raw["column"],
            target=raw["target"],
            finding=finding_id(raw["target"]) if ":" in raw["target"] else None,
            present=frozenset(raw["present"].split("|")),
            excluded=frozenset(raw["excluded"].split("|")) - {""},
            limit=(limit[1], float(limit[2])) if limit else None,
            adult_only=raw["only"] == "adult",
        )
