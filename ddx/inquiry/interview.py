"""A visit played from a record: part of what is known first, the rest only when it is asked for.

Pure: the record, the questions and the ranks come from outside. What the record does not hold
nobody can answer; such a question is marked UNKNOWN and not put again.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ddx.domain.case import Case, VitalSigns
from ddx.domain.differential import Differential
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.inquiry.inquirer import Question
from ddx.inquiry.stop import StopReason, propose
from ddx.terminology.catalogue import FindingKind, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One patient to interview. record: what can be answered. opening: the complaint, if any."""

    record: Case
    opening: FindingId | None

    @property
    def opened(self) -> Case:
        """What is known before the first question: age, sex and the complaint."""
        said = tuple(f for f in self.record.findings if f.id == self.opening)
        return replace(self.record, findings=said, vitals=VitalSigns())

    def answered(self, case: Case, findings: Sequence[FindingId]) -> Case:
        """Return `case` with the record's answer to one question added."""
        told = {f.id: f for f in self.record.findings}
        known = {f.id for f in case.findings}
        answers = tuple(
            told.get(f, Finding(id=f, presence=Presence.UNKNOWN))
            for f in findings
            if f not in known
        )
        return replace(case, findings=(*case.findings, *answers))


@dataclass(frozen=True, slots=True)
class Choice:
    """One question. findings: what its answer settles. proposed: by the inquirer, if asked."""

    findings: tuple[FindingId, ...]
    proposed: tuple[Question, ...] = ()


Choose = Callable[[Case], Choice | None]
"""Returns the next question of a visit; None when nothing that makes sense is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A visit after `asked` questions. stop: why the stop rule would ask no more, or None."""

    case: Case
    asked: int
    stop: StopReason | None = None


def interview(
    visit: Visit, choose: Choose, diagnose: Callable[[Case], Differential], questions: int
) -> Iterator[Moment]:
    """Yield the visit as it opens and after each of at most `questions` questions.

    It goes on past the stop rule until nothing is left to ask; who follows the rule leaves at the
    first moment with a `stop`. diagnose: called only where the rule depends on the list.
    """
    case = visit.opened
    for asked in range(questions + 1):
        last = asked == questions
        choice = None if last else choose(case)
        yield Moment(case=case, asked=asked, stop=None if last else _stop(choice, case, diagnose))
        if choice is None:
            return
        case = visit.answered(case, choice.findings)


def _stop(
    choice: Choice | None, case: Case, diagnose: Callable[[Case], Differential]
) -> StopReason | None:
    if choice is None:
        return StopReason.NOTHING_LEFT
    return propose(choice.proposed, lambda: diagnose(case)).stop if choice.proposed else None


def may_open(term: Term) -> bool:
    """Whether a visit may open with a finding: a symptom answered yes or no, as in DDXPlus."""
    return term.kind is FindingKind.BINARY and not term.antecedent


def draw_opening(
    record: Case, opens: Callable[[FindingId], bool], rng: np.random.Generator
) -> FindingId | None:
    """Return a present finding that opens a visit, drawn evenly; any when none does, or None."""
    present = [f.id for f in record.present]
    openings = [finding for finding in present if opens(finding)] or present
    return openings[int(rng.integers(len(openings)))] if openings else None


def partial(case: Case, keep: Collection[FindingId]) -> Case:
    """Return `case` with only the findings in `keep` asked; everything else is unknown."""
    return replace(case, findings=tuple(f for f in case.findings if f.id in keep))


def with_budget(case: Case, *, present: int, excluded: int, rng: np.random.Generator) -> Case:
    """Return `case` with at most so many present and excluded findings, drawn evenly."""
    kept: set[FindingId] = set()
    for findings, limit in ((case.present, present), (case.excluded, excluded)):
        drawn = rng.permutation(len(findings))[:limit]
        kept.update(findings[i].id for i in drawn)
    return partial(case, kept)


def rng_of(seed: int, case_id: str) -> np.random.Generator:
    """Return the draws of one case: they depend on its id and the seed, not on its neighbours."""
    digest = hashlib.sha256(f"{seed}\n{case_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest))
