"""What a safety rule may ask of a case, and the small conditions that rules are made of.

A condition answers None when it does not hold, else the evidence it rests on: finding ids and
field names of VitalSigns (nothing, for age and sex). What was not asked or measured never holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from ddx.domain.case import Case
from ddx.domain.finding import Finding, Severity
from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue

Evidence = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A case as rules read it.

    kinds: every kind of finding that is present -> the findings of the case that show it, by
    the HPO graph and by what our own findings imply (antecedents imply nothing of today).
    present: the findings of the case that are present, picked out once for all rules.
    """

    case: Case
    kinds: Mapping[FindingId, Evidence]
    present: tuple[Finding, ...]

    @classmethod
    def of(cls, case: Case, catalogue: Catalogue) -> Self:
        """Return the facts of `case`; findings unknown to the catalogue show nothing."""
        kinds: dict[FindingId, Evidence] = {}
        present = case.present
        for finding in present:
            shows = finding.grade != 0 and finding.id in catalogue
            for kind in catalogue.kinds(finding.id) if shows else ():
                kinds[kind] = (*kinds.get(kind, ()), finding.id)
        return cls(case, kinds, present)


Condition = Callable[[Facts], Evidence | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One red flag. urgent: act before reading the differential."""

    code: str
    urgent: bool
    source: str
    condition: Condition


def finding(*kinds: str) -> Condition:
    """Hold when any of `kinds`, or a special case of one, is present."""
    named = tuple(map(FindingId, kinds))

    def holds(facts: Facts) -> Evidence | None:
        if facts.kinds.keys().isdisjoint(named):
            return None
        shown = (item for kind in named for item in facts.kinds.get(kind, ()))
        return tuple(dict.fromkeys(shown)) or None

    return holds


def seen(*kinds: str) -> Condition:
    """Hold as `finding` does, and for a finding the catalogue does not know, by its very id.

    A device may run a vocabulary older than a rule; what the clinician stated still counts.
    """
    known, named = finding(*kinds), frozenset(kinds)

    def holds(facts: Facts) -> Evidence | None:
        stated = [f.id for f in facts.present if f.id in named and f.grade != 0]
        shown = known(facts)
        return tuple(dict.fromkeys((*(shown or ()), *stated))) if stated else shown

    return holds


def marked_severe(*kinds: str) -> Condition:
    """Hold when a finding that shows one of `kinds` was marked severe by the clinician."""
    shows = seen(*kinds)

    def holds(facts: Facts) -> Evidence | None:
        shown = shows(facts)
        if shown is None:
            return None
        severe = {f.id for f in facts.present if f.severity is Severity.SEVERE}
        return tuple(item for item in shown if item in severe) or None

    return holds


def graded_at_least(graded: str, bound: float) -> Condition:
    """Hold when the graded finding is present with `bound` or more, on its scale of 0..10."""

    def holds(facts: Facts) -> Evidence | None:
        found = next((f for f in facts.present if f.id == graded), None)
        enough = found is not None and found.grade is not None and found.grade >= bound
        return (graded,) if enough else None

    return holds


def below(sign: str, bound: float) -> Condition:
    """Hold when the vital sign was measured and lies under `bound`."""
    return _measured(sign, lambda value: value < bound)


def at_least(sign: str, bound: float) -> Condition:
    """Hold when the vital sign was measured and is `bound` or more."""
    return _measured(sign, lambda value: value >= bound)


def at_most(sign: str, bound: float) -> Condition:
    """Hold when the vital sign was measured and is `bound` or less."""
    return _measured(sign, lambda value: value <= bound)


def above(sign: str, bound: float) -> Condition:
    """Hold when the vital sign was measured and exceeds `bound`."""
    return _measured(sign, lambda value: value > bound)


def not_alert(facts: Facts) -> Evidence | None:
    """Hold when the patient was seen not to be alert."""
    return ("alert",) if facts.case.vitals.alert is False else None


def age_days(low: float, high: float = float("inf")) -> Condition:
    """Hold when the age is known, `low` days or more and under `high` days."""

    def holds(facts: Facts) -> Evidence | None:
        age = facts.case.age_days
        return () if age is not None and low <= age < high else None

    return holds


def age_years(low: float, high: float = float("inf")) -> Condition:
    """Hold when the age is known, `low` years or more and under `high` years."""

    def holds(facts: Facts) -> Evidence | None:
        age = facts.case.age_years
        return () if age is not None and low <= age < high else None

    return holds


def all_of(*conditions: Condition) -> Condition:
    """Hold when every condition does; the evidence of all."""

    def holds(facts: Facts) -> Evidence | None:
        found: Evidence = ()
        for condition in conditions:
            evidence = condition(facts)
            if evidence is None:
                return None
            found = (*found, *evidence)
        return tuple(dict.fromkeys(found))

    return holds


def any_of(*conditions: Condition) -> Condition:
    """Hold when at least one condition does; the evidence of those that do."""
    return at_least_of(1, *conditions)


def at_least_of(count: int, *conditions: Condition) -> Condition:
    """Hold when `count` of the conditions or more do; the evidence of those that do."""

    def holds(facts: Facts) -> Evidence | None:
        found = [e for condition in conditions if (e := condition(facts)) is not None]
        if len(found) < count:
            return None
        return tuple(dict.fromkeys(item for evidence in found for item in evidence))

    return holds


def _measured(sign: str, test: Callable[[float], bool]) -> Condition:
    def holds(facts: Facts) -> Evidence | None:
        value = getattr(facts.case.vitals, sign)
        return (sign,) if value is not None and test(value) else None

    return holds
