"""Which questions still make sense for this patient: not answered yet, possible, fitting.

Nothing here looks at probabilities. A question that is left out is one whose answer the case
already holds, by itself or through what its findings imply, or that nobody could answer: the case
holds one of its findings as UNKNOWN. The models ignore such a finding; asking again is useless.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.features.encode import FeatureRow
from ddx.inquiry.bank import Item, QuestionBank
from ddx.inquiry.effort import Equipment

Places = NDArray[np.intp]

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


def askable(case: Case, row: FeatureRow, bank: QuestionBank, equipment: Equipment) -> Places:
    """Return the questions worth considering, by their place in `bank.items`, ascending."""
    excluded = frozenset(f.id for f in case.excluded)
    left = bank.possible(equipment)
    left &= bank.is_choice | ~row.asked[bank.first_column]
    closed = _settled_by_gates(case, bank)
    closed.update(_answered_or_unanswerable(case, bank))
    closed.update(at for at in bank.under_any(excluded) if _ruled_out(bank.items[at], excluded))
    closed.update(
        at for f in _OF_SOME if (at := bank.opened_by.get(f)) is not None and not fits(f, case)
    )
    left[list(closed)] = False
    places: Places = np.flatnonzero(left)
    return places


def _answered_or_unanswerable(case: Case, bank: QuestionBank) -> Iterator[int]:
    """Yield the places of choices with a value denied, and of what nobody could answer.

    A value that is merely present ("pain in the chest") does not say that there is no other.
    """
    for finding in case.findings:
        at = bank.place_of.get(finding.id)
        if at is None or finding.presence is Presence.PRESENT:
            continue
        if finding.presence is Presence.UNKNOWN or bank.items[at].is_choice:
            yield at


def _settled_by_gates(case: Case, bank: QuestionBank) -> set[int]:
    """Return what FOLLOW_UPS settle: all follow-ups of a no, and the gate of any yes."""
    present = frozenset(f.id for f in case.present)
    excluded = frozenset(f.id for f in case.excluded)
    has = {bank.items[at].subject for f in present if (at := bank.place_of.get(f)) is not None}
    settled: set[str] = set()
    for gate, follow_ups in FOLLOW_UPS.items():
        denials = (gate, *ALSO_DENIED_BY.get(gate, ()))
        if gate not in present and not excluded.isdisjoint(denials):
            settled.update(follow_ups)
        elif not has.isdisjoint(follow_ups):
            settled.add(gate)
    return {bank.place[subject] for subject in settled if subject in bank.place}


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
