"""Which questions still make sense for this patient: not answered yet, possible, fitting.

Nothing here looks at probabilities. A question that is left out is one whose answer the case
already holds, by itself or through what its findings imply, or that nobody could answer: the case
holds one of its findings as UNKNOWN. The models ignore such a finding; asking again is useless.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.features.encode import FeatureRow
from ddx.inquiry.bank import Item, QuestionBank
from ddx.inquiry.effort import Equipment, Means

FOLLOW_UPS: Final[Mapping[FindingId, tuple[str, ...]]] = MappingProxyType(
    {
        FindingId("VF:pain"): (
            "pain.site",
            "pain.radiation",
            "pain.character",
            "VF:pain.intensity",
            "VF:pain.precision",
            "VF:pain.onset-speed",
        ),
        FindingId("VF:skin-lesion"): (
            "skin.site",
            "skin.colour",
            "VF:skin-lesion.raised",
            "VF:skin-lesion.pain-intensity",
            "VF:skin-lesion.itch-intensity",
            "VF:skin-lesion.larger-1-cm",
            "HP:0040189",
        ),
        FindingId("HP:0000969"): ("swelling.site",),
    }
)
"""A question and those that only make sense when its answer is yes (DDXPlus `code_question`)."""

ALSO_DENIED_BY: Final[Mapping[FindingId, tuple[FindingId, ...]]] = MappingProxyType(
    {FindingId("VF:skin-lesion"): (FindingId("HP:0000988"),)}  # skin rash
)
"""Findings whose no leaves the follow-ups of a gate pointless until the gate itself is a yes: who
has no rash may have an ulcer, but is first asked whether there is any lesion, then where."""

_OF_WOMEN: Final = frozenset(
    FindingId(f)
    for f in (
        "VF:context.pregnant",
        "VF:history.early-menarche",
        "VF:history.breastfed-over-nine-months",
        "HP:0000132",  # menorrhagia
        "HP:0034269",  # vaginal discharge
    )
)
_OF_FERTILE_AGE: Final = frozenset({FindingId("VF:context.pregnant"), FindingId("HP:0000132")})
PUBERTY_YEARS, MENOPAUSE_YEARS = 10.0, 60.0
"""Generous bounds of the ages at which these questions make sense (estimate)."""
_OF_GROWN_LIFE: Final = frozenset(
    FindingId(f)
    for f in (
        "VF:habit.alcohol-excess",
        "VF:habit.intravenous-drugs",
        "VF:habit.smoker",
        "VF:habit.stimulant-drugs",
        "VF:history.former-smoker",
        "VF:history.sexually-transmitted-infection",
        "VF:exposure.hiv-positive-partner",
        "VF:exposure.unprotected-sex",
        "VF:occupation.agriculture",
        "VF:occupation.construction",
        "VF:occupation.mining",
    )
)
"""Not asked before PUBERTY_YEARS."""
_OF_SOME: Final = _OF_WOMEN | _OF_GROWN_LIFE


def askable(
    case: Case, row: FeatureRow, bank: QuestionBank, equipment: Equipment
) -> tuple[Item, ...]:
    """Return the questions worth considering, in the order of the bank."""
    settled = _settled_by_gates(case, bank)
    excluded = frozenset(f.id for f in case.excluded)
    unanswered = frozenset(f.id for f in case.findings if f.presence is Presence.UNKNOWN)
    touched = frozenset[str]().union(*(bank.under.get(f, ()) for f in excluded))
    asked = row.asked.tolist()
    possible = {means for means in Means if equipment.can(means)}
    return tuple(
        item
        for item in bank.items
        if item.subject not in settled
        and item.means in possible
        and not _answered(item, excluded, asked)
        and unanswered.isdisjoint(item.findings)
        and fits(item.findings[0], case)
        and not (item.subject in touched and _ruled_out(item, excluded))
    )


def _answered(item: Item, excluded: frozenset[FindingId], asked: Sequence[bool]) -> bool:
    """Return whether the case holds the answer: for a choice, only once a value was denied.

    A value that is merely present ("pain in the chest") does not say that there is no other.
    """
    if not item.is_choice:
        return asked[item.columns[0]]
    return not excluded.isdisjoint(item.findings)


def _settled_by_gates(case: Case, bank: QuestionBank) -> set[str]:
    """Return what FOLLOW_UPS settle: all follow-ups of a no, and the gate of any yes."""
    present = frozenset(f.id for f in case.present)
    has = {item.subject for item in bank.items if not present.isdisjoint(item.findings)}
    settled: set[str] = set()
    excluded = frozenset(f.id for f in case.excluded)
    for gate, follow_ups in FOLLOW_UPS.items():
        denials = (gate, *ALSO_DENIED_BY.get(gate, ()))
        if gate not in present and not excluded.isdisjoint(denials):
            settled.update(follow_ups)
        elif not has.isdisjoint(follow_ups):
            settled.add(gate)
    return settled


def fits(finding: FindingId, case: Case) -> bool:
    """Return whether it makes sense to ask this patient, by sex and age; unknown fits all."""
    if finding not in _OF_SOME:
        return True
    if finding in _OF_WOMEN and case.sex is Sex.MALE:
        return False
    years = case.age_years
    if years is None:
        return True
    if years < PUBERTY_YEARS:
        return False
    return finding not in _OF_FERTILE_AGE or years < MENOPAUSE_YEARS


def _ruled_out(item: Item, excluded: frozenset[FindingId]) -> bool:
    """Return whether findings that were excluded exclude every value of the question too."""
    return all(not excluded.isdisjoint(kinds) for kinds in item.kinds)
