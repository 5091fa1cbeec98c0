"""Findings as entered: known, stated once, graded where asked, and not against one another."""

import math
from collections.abc import Iterator, Sequence

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.intake.draft import DraftFinding
from ddx.intake.issues import CaseIssue, Level
from ddx.intake.limits import MAX_GRADE
from ddx.intake.suggest import nearest_finding
from ddx.terminology.catalogue import Catalogue, FindingKind


def issues(
    lines: Sequence[DraftFinding], catalogue: Catalogue, age_days: int | None
) -> Iterator[CaseIssue]:
    """Yield what is wrong or doubtful about the findings of a draft."""
    for line in lines:
        if line.id not in catalogue:
            yield CaseIssue(
                Level.ERROR,
                line.id,
                "finding.unknown_code",
                {"finding": line.id},
                nearest_finding(line.id, catalogue),
            )
            continue
        yield from _grade_issues(line, catalogue)
        yield from _onset_issues(line, age_days)
    known = [line for line in lines if line.id in catalogue]
    yield from _repeated(known, catalogue)
    yield from _against_one_another(known, catalogue)
    yield from _none(lines)


def _grade_issues(line: DraftFinding, catalogue: Catalogue) -> Iterator[CaseIssue]:
    graded = catalogue.term(FindingId(line.id)).kind is FindingKind.GRADED
    if line.grade is None:
        if graded and line.presence is Presence.PRESENT:
            yield CaseIssue(Level.WARNING, line.id, "finding.grade_missing", {"finding": line.id})
        return
    params = {"finding": line.id, "grade": f"{line.grade:g}"}
    if not graded:
        yield CaseIssue(Level.ERROR, line.id, "finding.grade_not_expected", params)
    elif not (math.isfinite(line.grade) and 0 <= line.grade <= MAX_GRADE):
        yield CaseIssue(Level.ERROR, line.id, "finding.grade_out_of_range", params)


def _onset_issues(line: DraftFinding, age_days: int | None) -> Iterator[CaseIssue]:
    if line.onset_days is None:
        return
    params = {"finding": line.id, "days": str(line.onset_days)}
    if line.onset_days < 0:
        yield CaseIssue(Level.ERROR, line.id, "finding.onset_negative", params)
    elif age_days is not None and line.onset_days > age_days:
        yield CaseIssue(Level.WARNING, line.id, "finding.onset_before_birth", params)


def _repeated(lines: Sequence[DraftFinding], catalogue: Catalogue) -> Iterator[CaseIssue]:
    """Yield one issue per finding that is stated more than once, under any of its ids."""
    stated: dict[FindingId, list[DraftFinding]] = {}
    for line in lines:
        stated.setdefault(catalogue.resolve(FindingId(line.id)), []).append(line)
    for finding, same in stated.items():
        presences = {line.presence for line in same}
        if len(same) == 1:
            continue
        clash = {Presence.PRESENT, Presence.EXCLUDED} <= presences
        code = "finding.contradiction" if clash else "finding.repeated"
        yield CaseIssue(Level.ERROR, finding, code, {"finding": finding})


def _against_one_another(
    lines: Sequence[DraftFinding], catalogue: Catalogue
) -> Iterator[CaseIssue]:
    """Yield an issue where a special case is present and a general one of it excluded.

    An error where HPO says that one is a kind of the other; a warning where only our own
    finding implies the excluded term.
    """
    ids = {presence: _ids(lines, catalogue, presence) for presence in Presence}
    excluded = set(ids[Presence.EXCLUDED])
    for finding in ids[Presence.PRESENT]:
        if finding in catalogue.ontology:
            for kind in catalogue.ontology.ancestors(finding):
                if kind in excluded:
                    params = {"present": finding, "excluded": kind}
                    yield CaseIssue(Level.ERROR, kind, "finding.excluded_kind", params)
        implied = catalogue.implied.get(finding)
        if implied in excluded and not _is_zero(finding, lines):
            params = {"present": finding, "excluded": implied}
            yield CaseIssue(Level.WARNING, implied, "finding.excluded_implied", params)


def _ids(
    lines: Sequence[DraftFinding], catalogue: Catalogue, presence: Presence
) -> tuple[FindingId, ...]:
    ids = (catalogue.resolve(FindingId(line.id)) for line in lines if line.presence is presence)
    return tuple(dict.fromkeys(ids))


def _is_zero(finding: FindingId, lines: Sequence[DraftFinding]) -> bool:
    return any(line.id == finding and line.grade == 0 for line in lines)


def _none(lines: Sequence[DraftFinding]) -> Iterator[CaseIssue]:
    presences = {line.presence for line in lines}
    if not presences & {Presence.PRESENT, Presence.EXCLUDED}:
        yield CaseIssue(Level.ERROR, "findings", "findings.none")
    elif Presence.PRESENT not in presences:
        yield CaseIssue(Level.WARNING, "findings", "findings.none_present")
