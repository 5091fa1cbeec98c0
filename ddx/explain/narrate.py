"""An explanation in plain sentences, as "Sube: fiebre de 4 días. Baja: no hay tos." is one.

`narrate` decides what is said (values: message ids, subjects, sizes) and `say` puts one sentence
into words, so a screen may lay sentences out as it likes. One sentence per finding, whatever the
number of columns it moved; the "no" answers of one question are one sentence; what nobody asked
is one sentence. Sizes are shares of everything said, so they add up to 1 before anything is cut.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final, Self

from ddx.domain.case import DAYS_PER_YEAR, Case
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.explain.phrases import LEADS, OF_PATIENTS, RARE, SEX, VERB_LED, WHAT, WHY_NOT
from ddx.explain.why_not import Answer, Outcome, WhyNot
from ddx.terminology.catalogue import Catalogue, FindingKind, Language

SHOWN_PER_SIDE: Final = 6
STRONG_FROM: Final = 0.20
CLEAR_FROM: Final = 0.05
"""Bounds of the words for strength: a fifth and a twentieth of all that moved the margin. Set for
reading (a handful of strong reasons at most can exist), not fitted to anything."""

BALANCED_BELOW: Final = 0.20
"""What was not asked is called balanced when it moves the margin by less than this share of the
sum of its parts."""

AGE: Final = "age"
SEX_SUBJECT: Final = "sex"


class Direction(StrEnum):
    """What a reason does to the candidate."""

    RAISES = "raises"
    LOWERS = "lowers"
    BALANCED = "balanced"


class Strength(IntEnum):
    """How much, as a word."""

    SLIGHT = 1
    CLEAR = 2
    STRONG = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence.

    code: message id of what is said (keys of `phrases.WHAT`). subject: a finding id, "age",
    "sex", or None for what was not asked and for the rest of a side.
    share: part, 0..1, of everything that moved the margin. values: what the template needs.
    frequency: share of described patients with the finding, where a profile states it.
    """

    code: str
    direction: Direction
    strength: Strength
    share: float
    subject: str | None = None
    values: Mapping[str, str | float] = field(default_factory=dict)
    frequency: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One thing to be said: the contributions it joins, the heaviest first. weight: their sum."""

    parts: tuple[Contribution, ...]
    weight: float

    @classmethod
    def of(cls, contributions: Iterable[Contribution]) -> Self:
        parts = tuple(contributions)
        if len(parts) > 1:
            parts = tuple(sorted(parts, key=lambda c: -abs(c.weight)))
        return cls(parts=parts, weight=sum(part.weight for part in parts))

    @property
    def subject(self) -> str:
        return self.parts[0].subject


@dataclass(frozen=True, slots=True)
class _Told:
    """What the case tells of what is said: age, sex, and its findings present by id."""

    case: Case
    present: Mapping[str, Finding]


def narrate(explanation: Explanation, case: Case, catalogue: Catalogue) -> tuple[Sentence, ...]:
    """Return what raises the candidate, what lowers it, and what was not asked, in that order.

    Strongest first, six per side and the rest of the side as one sentence. Days since onset,
    grades and the age come from `case`.
    """
    known = _grouped(explanation.contributions, catalogue)
    told = _Told(case, {finding.id: finding for finding in case.present})
    unasked = [c for c in explanation.contributions if c.presence is Presence.UNKNOWN]
    total = sum(abs(item.weight) for item in known) + abs(sum(c.weight for c in unasked))
    return (
        *_side(known, told, catalogue, total, Direction.RAISES),
        *_side(known, told, catalogue, total, Direction.LOWERS),
        *_unasked(unasked, total),
    )


ABOUT_SEVERAL: Final = frozenset({"excluded_and_other", "excluded_and_others"})
"""Codes of sentences that join several answers."""


def say(sentence: Sentence, catalogue: Catalogue, language: Language = Language.ES) -> str:
    """Return one sentence in words."""
    lead = LEADS[sentence.direction][sentence.strength][language]
    values = dict(sentence.values)
    if "sex" in values:
        values["sex"] = SEX[str(values["sex"])][language]
    code = sentence.code
    if sentence.subject is not None and sentence.subject in RARE:
        return f"{lead}: {RARE[sentence.subject][language]}."
    if sentence.subject is not None and sentence.subject not in (AGE, SEX_SUBJECT):
        values["finding"] = label_within(sentence.subject, catalogue, language)
        if code == "excluded" and str(values["finding"]).split()[0] in VERB_LED:
            code = "excluded_told"
    return f"{lead}: {WHAT[code][language].format(**values)}{_of_patients(sentence, language)}."


def _of_patients(sentence: Sentence, language: Language) -> str:
    """Return how many described patients have the finding, where a profile states it.

    Nothing for a sentence about several answers at once: the figure would be of one of them.
    """
    if sentence.frequency is None or sentence.code in ABOUT_SEVERAL:
        return ""
    percent = f"{100 * sentence.frequency:.0f}"
    return f" ({OF_PATIENTS[language].format(percent=percent)})"


def tell(
    explanation: Explanation, case: Case, catalogue: Catalogue, language: Language = Language.ES
) -> str:
    """Return the whole explanation as running text."""
    sentences = narrate(explanation, case, catalogue)
    return " ".join(say(sentence, catalogue, language) for sentence in sentences)


def say_why_not(told: WhyNot, catalogue: Catalogue, language: Language = Language.ES) -> str:
    """Return what would bring a disease to the top three, or that nothing found would."""
    code = told.outcome.value
    if told.outcome in (Outcome.NOT_ENOUGH, Outcome.STOPPED) and not told.changes:
        code = f"{code}_at_all"
    rank = told.after.rank
    place = WHY_NOT["place" if rank is not None else "off_list"][language].format(rank=rank)
    return WHY_NOT[code][language].format(
        disease=catalogue.disease_label(told.disease, language),
        changes=", ".join(_change(answer, catalogue, language) for answer in told.changes),
        place=place,
    )


def strength_of(share: float) -> Strength:
    """Return the word for a share of everything that moved the margin."""
    if share >= STRONG_FROM:
        return Strength.STRONG
    return Strength.CLEAR if share >= CLEAR_FROM else Strength.SLIGHT


def _grouped(contributions: Iterable[Contribution], catalogue: Catalogue) -> list[_Item]:
    """Join what was asked by finding, and by question where the answer is no; heaviest first."""
    groups: dict[str, list[Contribution]] = {}
    for contribution in contributions:
        if contribution.presence is not Presence.UNKNOWN:
            groups.setdefault(_group(contribution, catalogue), []).append(contribution)
    return sorted(map(_Item.of, groups.values()), key=lambda item: -abs(item.weight))


def _group(contribution: Contribution, catalogue: Catalogue) -> str:
    subject = FindingId(contribution.subject)
    if contribution.presence is Presence.EXCLUDED and subject in catalogue:
        term = catalogue.term(subject)
        if term.kind is FindingKind.CHOICE and term.group:
            return f"no {term.group}"
    return subject


def _side(
    items: list[_Item], told: _Told, catalogue: Catalogue, total: float, direction: Direction
) -> Iterable[Sentence]:
    sign = 1 if direction is Direction.RAISES else -1
    side = [item for item in items if item.weight * sign > 0]
    for item in side[:SHOWN_PER_SIDE]:
        code, values = _what(item, told, catalogue)
        yield _sentence(
            code,
            item.weight,
            total,
            subject=item.subject,
            values=values,
            frequency=item.parts[0].frequency,
        )
    rest = side[SHOWN_PER_SIDE:]
    if rest:
        weight = sum(item.weight for item in rest)
        code = "others" if len(rest) > 1 else "other"
        yield _sentence(code, weight, total, values={"count": len(rest)})


def _unasked(unasked: list[Contribution], total: float) -> Iterable[Sentence]:
    net = sum(c.weight for c in unasked)
    gross = sum(abs(c.weight) for c in unasked)
    if not gross:
        return
    if abs(net) < BALANCED_BELOW * gross:
        balanced = _sentence("unasked_balanced", net, total)
        yield replace(balanced, direction=Direction.BALANCED)
    else:
        yield _sentence("unasked", net, total)


def _sentence(
    code: str,
    weight: float,
    total: float,
    *,
    subject: str | None = None,
    values: dict[str, str | float] | None = None,
    frequency: float | None = None,
) -> Sentence:
    share = abs(weight) / total if total else 0.0
    return Sentence(
        code=code,
        direction=Direction.RAISES if weight > 0 else Direction.LOWERS,
        strength=strength_of(share),
        share=share,
        subject=subject,
        values=MappingProxyType(values or {}),
        frequency=frequency,
    )


def _what(item: _Item, told: _Told, catalogue: Catalogue) -> tuple[str, dict[str, str | float]]:
    """Return the message id of one item and the values its template needs."""
    if item.subject == AGE:
        return _age(told.case)
    if item.subject == SEX_SUBJECT:
        return "sex", {"sex": told.case.sex.value}
    if item.parts[0].presence is Presence.EXCLUDED:
        return _excluded(item, catalogue)
    return _present(told.present.get(item.subject))


def _present(found: Finding | None) -> tuple[str, dict[str, str | float]]:
    """Say what is present with its grade, else with its days; neither when only implied."""
    if found is not None and found.grade is not None:
        return "graded", {"grade": f"{found.grade:g}"}
    if found is not None and found.onset_days is not None:
        return _since(found.onset_days), {"days": found.onset_days}
    return "present", {}


def _since(days: int) -> str:
    return {0: "present_today", 1: "present_one_day"}.get(days, "present_days")


def _excluded(item: _Item, catalogue: Catalogue) -> tuple[str, dict[str, str | float]]:
    subject = FindingId(item.subject)
    others = len(item.parts) - 1
    if others:
        return ("excluded_and_other" if others == 1 else "excluded_and_others"), {"count": others}
    told = subject in catalogue and catalogue.term(subject).antecedent
    return ("excluded_told" if told else "excluded"), {}


def _age(case: Case) -> tuple[str, dict[str, str | float]]:
    """Say the age in the unit clinicians use at that age: days, months or years."""
    days = case.age_days
    if days is None:
        return "age", {}
    if days < 60:
        return "age_days", {"age": days}
    if days < 2 * DAYS_PER_YEAR:
        return "age_months", {"age": int(days / (DAYS_PER_YEAR / 12))}
    return "age_years", {"age": int(days / DAYS_PER_YEAR)}


def _change(answer: Answer, catalogue: Catalogue, language: Language) -> str:
    what = "change_present" if answer.presence is Presence.PRESENT else "change_excluded"
    finding = label_within(answer.finding, catalogue, language)
    return WHY_NOT[what][language].format(finding=finding)


def label_within(subject: str, catalogue: Catalogue, language: Language) -> str:
    """Return the label as it reads inside a sentence; an id the catalogue lacks stands as it is."""
    if subject not in catalogue:
        return subject
    label = catalogue.label(FindingId(subject), language)
    is_acronym = len(label) > 1 and label[1].isupper()
    return label if is_acronym else label[:1].lower() + label[1:]
