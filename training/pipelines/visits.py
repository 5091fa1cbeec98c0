"""The step of a release that interviews: conformal sets, orders of questions, and for whom.

The sets are calibrated on calibration patients and measured on test patients, as the interviews
are; the questions are those of the engine being released.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ddx.domain.case import DAYS_PER_YEAR
from ddx.engine import Engine
from ddx.inference.conformal import ConformalSets
from ddx.inquiry.inquirer import Inquirer
from training.evaluate.conformal import (
    REPORTED,
    Coverage,
    Patients,
    Visit,
    covered,
    fitted,
    groups_of,
    visits_under,
)
from training.evaluate.fairness import fairness
from training.evaluate.interview import TOLD, interview, last_figures, orders_of, to_json, visits_of
from training.evaluate.naive_bayes import demography_columns
from training.evaluate.panel import Panel
from training.fit.common import CommonFit
from training.fit.endemic import Purpose, simulated
from training.fit.sample import SPLIT_SEED, Indices
from training.sources.endemic import endemic_knowledge

QUESTIONS: Final = 10
"""Questions of an interview: the bars are held to ten."""

CALIBRATED_PATIENTS: Final = 5000
CALIBRATED_INTERVIEWS: Final = 2500
MEASURED_INTERVIEWS: Final = 5000
"""DDXPlus patients interviewed to measure coverage and gaps, ranked by the common model alone."""

RANKED_INTERVIEWS: Final = 1000
"""Test patients interviewed in every order and ranked by the whole engine."""

SIMULATED: Final = 100
"""Endemic patients per disease."""

AFTER: Final = f"interview_{QUESTIONS}"


@dataclass(frozen=True, kw_only=True)
class VisitFigures:
    """What the step found. sets: the bundle member. interviews, fairness: as the card has them."""

    sets: ConformalSets
    coverage: tuple[Coverage, ...]
    interviews: dict[str, Any]
    fairness: dict[str, object]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as the model card writes them."""
        return {
            "conformal": [line.to_json() for line in self.coverage],
            "interviews": self.interviews,
            "fairness_after_interview": self.fairness,
        }


def measure_visits(
    engine: Engine, inquirer: Inquirer, fit: CommonFit, *, say: Callable[[str], None]
) -> VisitFigures:
    """Return the sets of the engine's common model and what its interviews come to."""
    panel, rng = Panel(engine, inquirer), np.random.default_rng(SPLIT_SEED + 3)
    corrected = int(fit.sample.truth.max()) + 1
    calibration = _patients(fit, fit.split.calibration, Purpose.CALIBRATION, rng)
    held = rng.permutation(len(calibration.ddxplus.truth))[:CALIBRATED_PATIENTS]
    calibration = Patients(ddxplus=calibration.ddxplus.take(held), endemic=calibration.endemic)
    sets = fitted(
        engine.common,
        visits_under(calibration, panel, rng, interviews=CALIBRATED_INTERVIEWS),
        groups_of(len(fit.diseases), corrected),
    )
    say(f"conformal sets of {len(sets.bands)} bands calibrated")
    test = _patients(fit, fit.split.test, Purpose.MEASURING, rng)
    lines: list[Coverage] = []
    gaps: dict[str, object] = {}
    for visit in visits_under(test, panel, rng, interviews=MEASURED_INTERVIEWS, wanted=REPORTED):
        found = covered(engine.common, sets, visit)
        lines += found
        say(f"{visit.protocol}: sets cover {found[0].bare}")
        if visit.protocol == AFTER:
            gaps = _gaps(engine, visit, corrected)
    return VisitFigures(
        sets=sets,
        coverage=tuple(lines),
        interviews=_interviews(panel, fit, rng, say),
        fairness=gaps,
    )


def _patients(
    fit: CommonFit, rows: Indices, purpose: Purpose, rng: np.random.Generator
) -> Patients:
    """Return held-out patients in an order drawn, and simulated ones of the endemic diseases."""
    corrected = int(fit.sample.truth.max()) + 1
    endemic = None
    if fit.endemic is not None:
        endemic = simulated(endemic_knowledge(), SIMULATED, corrected, purpose)
    return Patients(ddxplus=fit.sample.take(rng.permutation(rows)), endemic=endemic)


def _gaps(engine: Engine, visit: Visit, corrected: int) -> dict[str, object]:
    """Return recall by sex and age of the DDXPlus patients after the interview."""
    ours = visit.truth < corrected
    rows, truth = visit.rows[ours], visit.truth[ours]
    right = engine.common.probabilities_of(rows).argmax(axis=1) == truth
    age, sex = demography_columns(engine.common.schema)
    return fairness(right, truth, rows[:, sex] == 1.0, rows[:, age] * DAYS_PER_YEAR).to_json()


def _interviews(
    panel: Panel, fit: CommonFit, rng: np.random.Generator, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return what each order comes to on the same test patients."""
    some = fit.sample.take(rng.permutation(fit.split.test)[:RANKED_INTERVIEWS])
    visits = visits_of(some, panel, rng)
    counts = np.bincount(fit.sample.truth[fit.split.train], minlength=len(fit.diseases)) + 0.5
    traces = {}
    for name, order in orders_of(panel, counts / counts.sum()).items():
        ranked = None if name == "adaptive" else TOLD
        traces[name] = interview(panel, visits, order, QUESTIONS, _silent, ranked=ranked)
        say(f"{name} questions: {last_figures(traces[name])}")
    return to_json(traces)


def _silent(_line: str) -> None:
    pass
