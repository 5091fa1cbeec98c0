"""A case as a shorter visit would have left it: a budget of findings, or an interview.

The answers come from the case itself, so any set of fully described patients measures how well
little is enough. Vital signs are left out with the rest.
"""

from dataclasses import dataclass, replace

from ddx.domain.case import Case, VitalSigns
from ddx.domain.identifiers import FindingId
from ddx.engine import Engine
from ddx.inquiry.effort import Equipment
from ddx.inquiry.interview import (
    Choice,
    Visit,
    draw_opening,
    interview,
    may_open,
    rng_of,
    with_budget,
)
from ddx.inquiry.stop import StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played of each case.

    present: most present findings kept; None keeps the case as it is. excluded: most excluded
    findings kept beside them. questions: most questions of an interview; None plays none.
    """

    present: int | None = None
    excluded: int = 0
    questions: int | None = None
    seed: int = 1
    equipment: Equipment


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What is known in the end. asked: questions put, in order, each by what it settles."""

    case: Case
    opening: FindingId | None = None
    asked: tuple[tuple[FindingId, ...], ...] = ()
    stop: StopReason | None = None


def play(case: Case, case_id: str, opening: FindingId | None, engine: Engine, plan: Play) -> Played:
    """Return `case` as `plan` leaves it; the draws depend on its id and the seed only.

    opening: the complaint; one present finding is drawn where there is none.
    """
    rng = rng_of(plan.seed, case_id)
    if plan.present is not None:
        kept = with_budget(case, present=plan.present, excluded=plan.excluded, rng=rng)
        return Played(case=replace(kept, vitals=VitalSigns()))
    if plan.questions is None:
        return Played(case=case)
    if opening is None:
        opening = draw_opening(case, lambda f: may_open(engine.catalogue.term(f)), rng)
    return _interviewed(Visit(record=case, opening=opening), plan.questions, engine, plan.equipment)


def _interviewed(visit: Visit, questions: int, engine: Engine, equipment: Equipment) -> Played:
    """Ask as the window would, until the stop rule or the limit ends it."""
    asked: list[tuple[FindingId, ...]] = []

    def choose(case: Case) -> Choice | None:
        proposed = engine.inquirer.next_questions(case, equipment, 1)
        if proposed:
            asked.append(proposed[0].findings)
        return Choice(proposed[0].findings, proposed) if proposed else None

    moments = interview(visit, choose, engine.diagnose, questions)
    end = next(moments)
    while end.stop is None and (following := next(moments, None)) is not None:
        end = following
    return Played(
        case=end.case, opening=visit.opening, asked=tuple(asked[: end.asked]), stop=end.stop
    )
