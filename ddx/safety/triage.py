"""Five-level triage: how soon this patient has to be attended, by rules alone.

The levels carry the names and colours of the Manchester Triage System (Mackway-Jones K et al.
Emergency Triage, 3rd ed. 2014). Ours is a summary of rules, not that scale: no presentational
chart is walked, and each reason names the publication it stands on. How a reason gets its level:

1  a sign that the Interagency Integrated Triage Tool calls red, ETAT an emergency sign, ESI a
   level-1 condition, the dengue guideline severe or the diarrhoea manual plan C (`IMMEDIATE`).
2  any other urgent red flag; NEWS2 of 7 or more (emergency response); a disease of severity 1
   that cannot be set aside.
3  NEWS2 of 5 or 6, or 3 points in one sign; yellow, priority, amber and danger-zone signs; a red
   flag that is not urgent; a disease of severity 2 that cannot be set aside.
4  none of these. 5: none of these, and every vital sign of the age was measured and is normal.

NEWS2 speaks from 16 years and not in pregnancy; below that age the tables of
`ddx.safety.paediatric` do, and from 12 years, where NEWS2 does not speak, the tool's high-risk
vital signs. A model can raise the level to 2 at most and never lowers it. What nobody measured
can only lower the urgency, so the signs missing are named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from ddx.domain.case import Case
from ddx.domain.differential import Candidate
from ddx.safety import news2
from ddx.safety.dengue import WHO_DENGUE
from ddx.safety.emergency import IITT
from ddx.safety.flags import Flags, news2_applies
from ddx.safety.paediatric import CHILD_BELOW_YEARS, ESI, WHO_DIARRHOEA

SCALE: Final = (
    "Names and colours: Mackway-Jones K et al. Emergency Triage, 3rd ed. 2014 (Manchester). "
    "Levels: a summary of rules of ours, each with its own source"
)


class Level(IntEnum):
    """Urgency, 1 first. Manchester: red, orange, yellow, green, blue."""

    IMMEDIATE = 1
    VERY_URGENT = 2
    URGENT = 3
    STANDARD = 4
    NON_URGENT = 5


IMMEDIATE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "airway.stridor": IITT,
        "oxygen.below_90": ESI,
        "child.low_blood_pressure": ESI,
        "meningitis.stiff_neck_and_fever": IITT,
        "anaphylaxis.after_allergen": ESI,
        "pregnancy.severe_hypertension": IITT,
        "pregnancy.convulsion": IITT,
        "emergency.breathing": IITT,
        "emergency.shock": IITT,
        "emergency.coma": IITT,
        "emergency.heart_rate": IITT,
        "emergency.brain_signs": IITT,
        "emergency.snake_bite": IITT,
        "emergency.purpura_and_altered": ESI,
        "emergency.low_glucose_and_altered": ESI,
        "pregnancy.danger_sign": IITT,
        "dehydration.severe": WHO_DIARRHOEA,
        "dengue.shock": WHO_DENGUE,
        "dengue.fluid_with_distress": WHO_DENGUE,
        "dengue.severe_bleeding": WHO_DENGUE,
        "dengue.impaired_consciousness": WHO_DENGUE,
    }
)
"""Red flags that put a patient at level 1, each with the publication that says "at once"."""

URGENT_THOUGH_FLAGGED: Final = frozenset({"dengue.warning_sign"})
"""Urgent red flags at level 3: observation in hospital, not within minutes (WHO 2009, group B)."""

BY_SEVERITY: Final[Mapping[int, Level]] = MappingProxyType({1: Level.VERY_URGENT, 2: Level.URGENT})
SEVERITY_SOURCE: Final = "Severity of the disease, 1 (most severe) to 5, in the active bundle"

MEASURED_IN_ADULTS: Final = (
    "respiratory_rate_bpm",
    "spo2_percent",
    "systolic_mmhg",
    "heart_rate_bpm",
    "alert",
    "temperature_c",
)
MEASURED_IN_CHILDREN: Final = (
    "respiratory_rate_bpm",
    "spo2_percent",
    "heart_rate_bpm",
    "alert",
    "temperature_c",
)
"""Vital signs without which nobody is called non-urgent (a child's pressure is often not taken)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One ground of a level.

    code: message id (`ddx.safety.messages`). evidence: findings, vital signs or diseases.
    """

    code: str
    level: Level
    evidence: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """How soon to attend. reasons: most urgent first; none at levels 4 and 5.

    missing: vital signs of the age that were not measured; the level may be too calm then.
    source: what the levels follow; every reason has its own.
    """

    level: Level
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    source: str = SCALE


def triage(case: Case, flags: Flags, not_excluded: Iterable[Candidate] = ()) -> Triage:
    """Return the level of `case` and every reason for level 3 or above.

    flags: of the same case. not_excluded: candidates that cannot be set aside (a conformal set);
    theirs is the severity counted. Without them the level rests on rules and measurements alone.
    """
    reasons = sorted(
        (*_by_rule(flags), *_by_news2(flags), *_by_disease(not_excluded)),
        key=lambda reason: reason.level,
    )
    missing = _missing(case)
    if reasons:
        level = reasons[0].level
    else:
        level = Level.STANDARD if missing or not _unremarkable(case) else Level.NON_URGENT
    return Triage(level=level, reasons=tuple(reasons), missing=missing)


def _by_rule(flags: Flags) -> Iterable[Reason]:
    for flag in flags.by_rule:
        code = flag.rule.code
        yield Reason(
            code=code,
            level=_level_of(code, urgent=flag.rule.urgent),
            evidence=flag.evidence,
            source=IMMEDIATE.get(code, flag.rule.source),
        )


def _level_of(code: str, *, urgent: bool) -> Level:
    if code in IMMEDIATE:
        return Level.IMMEDIATE
    if urgent and code not in URGENT_THOUGH_FLAGGED:
        return Level.VERY_URGENT
    return Level.URGENT


def _by_news2(flags: Flags) -> Iterable[Reason]:
    told = flags.news2
    if told is not None:
        emergency = told.code == "news2.emergency"
        yield Reason(
            code=told.code,
            level=Level.VERY_URGENT if emergency else Level.URGENT,
            evidence=told.evidence,
            source=news2.SOURCE,
        )


def _by_disease(not_excluded: Iterable[Candidate]) -> Iterable[Reason]:
    """Yield one reason per severity that raises the level, with its diseases by rank."""
    ranked = sorted(not_excluded, key=lambda candidate: candidate.rank)
    for severity, level in BY_SEVERITY.items():
        diseases = tuple(c.disease for c in ranked if c.severity == severity)
        if diseases:
            yield Reason(
                code=f"triage.severity_{severity}",
                level=level,
                evidence=diseases,
                source=SEVERITY_SOURCE,
            )


def _missing(case: Case) -> tuple[str, ...]:
    years = case.age_years
    is_child = years is not None and years < CHILD_BELOW_YEARS
    signs = MEASURED_IN_CHILDREN if is_child else MEASURED_IN_ADULTS
    return tuple(sign for sign in signs if getattr(case.vitals, sign) is None)


def _unremarkable(case: Case) -> bool:
    """Whether the measurements themselves are normal: NEWS2 of 0, or a child without fever.

    A child's rates out of range are reasons already. An age nobody knows is never normal.
    """
    if news2_applies(case):
        return news2.news2(case.vitals).total == 0
    years, temperature = case.age_years, case.vitals.temperature_c
    return years is not None and temperature is not None and 36.0 <= temperature < 38.0
