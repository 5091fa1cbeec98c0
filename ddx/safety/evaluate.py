"""The red flags of a case: the rule table, and NEWS2 for adults."""

from typing import Final

from ddx.domain.case import Case
from ddx.domain.differential import Alert
from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.safety.facts import Facts
from ddx.safety.news2 import EMERGENCY_FROM, MIN_AGE_YEARS, RED, SOURCE, URGENT_FROM, news2
from ddx.safety.rules import RULES
from ddx.terminology.catalogue import Catalogue

PREGNANT: Final = FindingId("VF:context.pregnant")


def evaluate(case: Case, catalogue: Catalogue) -> tuple[Alert, ...]:
    """Return every alert of `case`, urgent ones first, in the order of the rule table.

    Independent of any model: the same case gives the same alerts whatever the bundle learned.
    """
    facts = Facts.of(case, catalogue)
    alerts = [
        Alert(code=rule.code, urgent=rule.urgent, evidence=evidence, source=rule.source)
        for rule in RULES
        if (evidence := rule.condition(facts)) is not None
    ]
    return tuple(sorted((*_news2(case), *alerts), key=lambda alert: not alert.urgent))


def _news2(case: Case) -> tuple[Alert, ...]:
    """Return the NEWS2 alert of an adult, if any; signs not measured can only raise it."""
    years = case.age_years
    if years is None or years < MIN_AGE_YEARS or case.presence_of(PREGNANT) is Presence.PRESENT:
        return ()
    score = news2(case.vitals)
    if score.total >= EMERGENCY_FROM:
        return (Alert(code="news2.emergency", urgent=True, evidence=score.scoring, source=SOURCE),)
    if score.total >= URGENT_FROM:
        return (Alert(code="news2.urgent", urgent=True, evidence=score.scoring, source=SOURCE),)
    red = tuple(sign for sign, points in score.points.items() if points == RED)
    if red:
        return (Alert(code="news2.single_red", urgent=False, evidence=red, source=SOURCE),)
    return ()
