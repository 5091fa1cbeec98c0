"""Everything wrong or doubtful about a draft, at once; and the way from a draft to a case."""

from collections.abc import Iterable

from ddx.domain.case import Case
from ddx.domain.finding import Finding
from ddx.domain.identifiers import FindingId
from ddx.intake import findings, reading, vitals
from ddx.intake.draft import AgeUnit, Draft
from ddx.intake.issues import CaseIssue, DraftRefusedError, Level
from ddx.intake.limits import MAX_AGE_YEARS
from ddx.intake.reading import DAYS_PER_UNIT, age_in_days
from ddx.terminology.catalogue import Catalogue

__all__ = ["CaseIssue", "DraftRefusedError", "Level", "admit", "check"]


def check(draft: Draft, catalogue: Catalogue) -> tuple[CaseIssue, ...]:
    """Return every issue of `draft`: age, then findings in order of entry, then vital signs.

    Codes and params are listed in `ddx.intake.issues`.
    """
    days = _age_days(draft)
    return (
        *_age_issues(draft),
        *findings.issues(draft.findings, catalogue, days),
        *vitals.issues(draft.vitals, days),
    )


def admit(draft: Draft, catalogue: Catalogue) -> Case:
    """Return the case `draft` describes; codes replaced by HPO are brought up to date.

    Raises:
        DraftRefusedError: `check` finds at least one error; it carries all issues.
    """
    issues = check(draft, catalogue)
    if any(issue.level is Level.ERROR for issue in issues):
        raise DraftRefusedError(issues)
    return Case(
        age_days=_age_days(draft),
        sex=draft.sex,
        findings=tuple(
            Finding(
                id=catalogue.resolve(FindingId(line.id)),
                presence=line.presence,
                grade=line.grade,
                onset_days=line.onset_days,
                severity=line.severity,
            )
            for line in draft.findings
        ),
        vitals=vitals.read(draft.vitals),
    )


def _age_days(draft: Draft) -> int | None:
    """Return the age in days; None when it is missing or cannot be right."""
    if any(issue.level is Level.ERROR for issue in _age_issues(draft)):
        return None
    value = reading.number(draft.age_text)
    return None if value is None else age_in_days(value, draft.age_unit)


def _age_issues(draft: Draft) -> Iterable[CaseIssue]:
    text = draft.age_text.strip()
    if not text:
        yield CaseIssue(Level.WARNING, "age", "age.missing")
        return
    value = reading.number(text)
    if value is None:
        yield CaseIssue(Level.ERROR, "age", "age.not_a_number", {"text": text})
    elif value < 0:
        yield CaseIssue(Level.ERROR, "age", "age.negative", {"text": text}, text.lstrip("-"))
    elif value * DAYS_PER_UNIT[draft.age_unit] > MAX_AGE_YEARS * DAYS_PER_UNIT[AgeUnit.YEARS]:
        params = {"text": text, "limit_years": str(MAX_AGE_YEARS)}
        yield CaseIssue(Level.ERROR, "age", "age.too_high", params)
