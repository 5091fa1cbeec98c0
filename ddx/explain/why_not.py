"""Why a named disease does not stand higher: the fewest answers that would bring it to the top.

A greedy search over the findings typical of the disease that nobody asked about. Each step tries
every one left as "present" (findings typical of its rivals as "excluded") and keeps the answer
that lifts the disease most; what turns out not to be needed is taken back. One answer that
suffices is always found among those tried; two or three are the fewest met on the way, not
proven to be the fewest there are. When nothing of it suffices, the result says so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId

TOP: Final = 3
MAX_CHANGES: Final = 3
MAX_CALLS: Final = 60
"""Diagnoses one search may cost: 60 x 15 ms, under a second on the slowest device we aim at."""

MAX_CANDIDATES: Final = 18
"""Answers tried per step: 1 + 18 + 17 + 16 diagnoses and 3 to take back stay within MAX_CALLS."""

MIDDLE_GRADE: Final = 5.0
"""Stands in for the answer to a graded question: the middle of 0..10 (estimate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a disease stands. rank: None when off the list, with probability 0 then."""

    rank: int | None
    probability: float

    @property
    def on_top(self) -> bool:
        """Whether the disease is among the first three."""
        return self.rank is not None and self.rank <= TOP

    @property
    def height(self) -> tuple[float, float]:
        """Sort key: the better the standing, the higher."""
        return (float("-inf") if self.rank is None else -float(self.rank), self.probability)


RankOf = Callable[[Case, DiseaseId], Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer nobody gave yet. graded: asked on 0..10."""

    finding: FindingId
    presence: Presence
    graded: bool = False


class Outcome(StrEnum):
    """How the search ended."""

    ALREADY = "already"
    REACHED = "reached"
    NOT_ENOUGH = "not_enough"
    NOTHING_TO_ASK = "nothing_to_ask"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """What would bring a disease among the first three.

    changes: the answers that do (REACHED), else the best ones found, which do not; none when
    nothing lifts it. after: where the disease stands with them. calls: diagnoses made.
    STOPPED: calls or time ran out first, so a set may exist that was not tried.
    """

    disease: DiseaseId
    outcome: Outcome
    before: Standing
    after: Standing
    changes: tuple[Answer, ...]
    calls: int


def why_not(
    case: Case,
    disease: DiseaseId,
    answers: Iterable[Answer],
    rank_of: RankOf,
    *,
    max_calls: int = MAX_CALLS,
    may_go_on: Callable[[], bool] = lambda: True,
) -> WhyNot:
    """Return the fewest of `answers`, at most three, found to bring `disease` to the top three.

    answers: in order of preference (`open_answers`); those the case already gives are passed
    over, and only the first 18 are tried. may_go_on: asked before each diagnosis; the caller's
    clock. Deterministic for a deterministic `rank_of`.
    """
    search = _Search(case, disease, rank_of, max_calls, may_go_on)
    before = search.standing(())
    left = _unasked(case, answers)
    if before.on_top or not left:
        outcome = Outcome.ALREADY if before.on_top else Outcome.NOTHING_TO_ASK
        return search.result(outcome, before, (), before)
    changes, after = search.climb(left, before)
    if not after.on_top:
        outcome = Outcome.STOPPED if search.stopped else Outcome.NOT_ENOUGH
        return search.result(outcome, before, changes, after)
    return search.result(Outcome.REACHED, before, *search.prune(changes, after))


def open_answers(
    explanation: Explanation,
    rivals: Sequence[Explanation] = (),
    graded: Callable[[FindingId], bool] = lambda _: False,
) -> tuple[Answer, ...]:
    """Return what to try: typical findings present, then findings typical of rivals excluded.

    explanation: of the disease asked about. rivals: of the diseases above it, best first.
    graded: whether a finding is asked on 0..10.
    """
    own = explanation.expected
    theirs = dict.fromkeys(f for rival in rivals for f in rival.expected if f not in own)
    return (
        *(Answer(finding=f, presence=Presence.PRESENT, graded=graded(f)) for f in own),
        *(Answer(finding=f, presence=Presence.EXCLUDED, graded=graded(f)) for f in theirs),
    )


def standing_in(differential: Differential, disease: DiseaseId) -> Standing:
    """Return where `disease` stands on a differential; off the list when it was cut away."""
    found = next((c for c in differential.candidates if c.disease == disease), None)
    if found is None:
        return Standing(rank=None, probability=0.0)
    return Standing(rank=found.rank, probability=found.probability)


def answered(case: Case, answers: Iterable[Answer]) -> Case:
    """Return `case` with `answers` added; a finding marked unknown takes its answer."""
    given = {answer.finding: _finding(answer) for answer in answers}
    kept = (f for f in case.findings if f.id not in given)
    return replace(case, findings=(*kept, *given.values()))


@dataclass(slots=True)
class _Search:
    """One search: what it may still cost, and what it has cost."""

    case: Case
    disease: DiseaseId
    rank_of: RankOf
    max_calls: int
    may_go_on: Callable[[], bool]
    calls: int = 0
    stopped: bool = False

    def standing(self, changes: tuple[Answer, ...]) -> Standing:
        self.calls += 1
        return self.rank_of(answered(self.case, changes), self.disease)

    def climb(self, left: list[Answer], start: Standing) -> tuple[tuple[Answer, ...], Standing]:
        """Add the best answer up to three times; stop at the top, or when none lifts."""
        changes: tuple[Answer, ...] = ()
        best = start
        while len(changes) < MAX_CHANGES and not best.on_top:
            step = self._best_step(changes, left, best)
            if step is None and best.rank is None and left and not self.stopped:
                step = (left[0], best)  # off the list nothing shows the way: the most typical one
            if step is None:
                break
            answer, best = step
            changes = (*changes, answer)
            left = [other for other in left if other is not answer]
        return changes if best.height > start.height else (), best

    def prune(
        self, changes: tuple[Answer, ...], after: Standing
    ) -> tuple[tuple[Answer, ...], Standing]:
        """Take back, oldest first, every answer without which the disease stays on top."""
        for answer in changes:
            fewer = tuple(other for other in changes if other is not answer)
            if not fewer or not self._may_call():
                break
            standing = self.standing(fewer)
            if standing.on_top:
                changes, after = fewer, standing
        return changes, after

    def result(
        self,
        outcome: Outcome,
        before: Standing,
        changes: tuple[Answer, ...],
        after: Standing,
    ) -> WhyNot:
        return WhyNot(
            disease=self.disease,
            outcome=outcome,
            before=before,
            after=after,
            changes=changes,
            calls=self.calls,
        )

    def _best_step(
        self, changes: tuple[Answer, ...], left: list[Answer], best: Standing
    ) -> tuple[Answer, Standing] | None:
        """Return the answer that lifts the disease most above `best`, the first among equals."""
        step: tuple[Answer, Standing] | None = None
        for answer in left:
            if not self._may_call():
                self.stopped = True
                break
            standing = self.standing((*changes, answer))
            if standing.height > best.height:
                step, best = (answer, standing), standing
        return step

    def _may_call(self) -> bool:
        return self.calls < self.max_calls and self.may_go_on()


def _unasked(case: Case, answers: Iterable[Answer]) -> list[Answer]:
    open_ones = [a for a in answers if case.presence_of(a.finding) is Presence.UNKNOWN]
    return open_ones[:MAX_CANDIDATES]


def _finding(answer: Answer) -> Finding:
    scaled = answer.graded and answer.presence is Presence.PRESENT
    return Finding(
        id=answer.finding,
        presence=answer.presence,
        grade=MIDDLE_GRADE if scaled else None,
    )
