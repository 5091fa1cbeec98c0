"""The rules of a case that hold, looked at once: what alerts tell and triage levels rest on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ddx.domain.case import Case
from ddx.domain.differential import Alert
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.safety import news2
from ddx.safety.dengue import DENGUE_RULES
from ddx.safety.emergency import EMERGENCY_RULES
from ddx.safety.facts import Evidence, Facts, Rule
from ddx.safety.paediatric import PAEDIATRIC_RULES
from ddx.safety.rules import RULES
from ddx.terminology.catalogue import Catalogue

FURTHER_RULES: Final = (*EMERGENCY_RULES, *DENGUE_RULES, *PAEDIATRIC_RULES)
"""Rules that only triage needs, beside those of `ddx.safety.rules`."""

ALL_RULES: Final = (*RULES, *FURTHER_RULES)

PREGNANT: Final = FindingId("VF:context.pregnant")


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that holds, and what it rests on."""

    rule: Rule
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Everything the rules say of one case.

    by_rule: in the order of the tables. news2: what the score of an adult calls for, if anything;
    signs not measured can only raise it.
    """

    by_rule: tuple[Flag, ...]
    news2: news2.Response | None

    @classmethod
    def of(cls, case: Case, catalogue: Catalogue, rules: Iterable[Rule] = ALL_RULES) -> "Flags":
        """Return the flags of `case`; independent of any model."""
        facts = Facts.of(case, catalogue)
        found = ((rule, rule.condition(facts)) for rule in rules)
        return cls(
            by_rule=tuple(Flag(rule, evidence) for rule, evidence in found if evidence is not None),
            news2=news2.news2(case.vitals).response if news2_applies(case) else None,
        )

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All of it as alerts: urgent ones first, NEWS2 before rules, rules as in their tables."""
        alerts = [
            Alert(
                code=flag.rule.code,
                urgent=flag.rule.urgent,
                evidence=flag.evidence,
                source=flag.rule.source,
            )
            for flag in self.by_rule
        ]
        if (told := self.news2) is not None:
            scored = Alert(
                code=told.code, urgent=told.urgent, evidence=told.evidence, source=news2.SOURCE
            )
            alerts.insert(0, scored)
        return tuple(sorted(alerts, key=lambda alert: not alert.urgent))


def news2_applies(case: Case) -> bool:
    """Whether NEWS2 is valid for the patient: 16 years or older and not pregnant."""
    years = case.age_years
    if years is None or years < news2.MIN_AGE_YEARS:
        return False
    return case.presence_of(PREGNANT) is not Presence.PRESENT
