"""The step of a release that interviews: conformal sets, orders of questions, and for whom.

The sets are calibrated on calibration patients and measured on test patients, as the interviews
are; the questions are those of the engine being released. For the bundle that ships:

    python -m training.pipelines.visits
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ddx.domain.case import DAYS_PER_YEAR
from ddx.engine import Engine
from ddx.errors import DdxError
from ddx.inference.conformal import ConformalSets
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
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.interview import TOLD, interview, last_figures, orders_of, to_json, visits_of
from training.evaluate.naive_bayes import demography_columns
from training.evaluate.panel import Panel
from training.fit.endemic import Purpose, simulated
from training.fit.sample import SPLIT_SEED, Indices, Sample, Split
from training.pipelines.visits_card import visits_markdown
from training.sources.endemic import endemic_knowledge

QUESTIONS: Final = 10
"""Questions of an interview: the bars are held to ten."""

AFTER: Final = f"interview_{QUESTIONS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many patients take part.

    calibrated: asked at once to calibrate. calibrated_interviews: interviewed to calibrate.
    measured_interviews: interviewed to measure coverage and gaps, ranked by the common model
    alone. ranked: interviewed in every order and ranked by the whole engine.
    simulated_calibrated, simulated_measured: endemic patients per disease. A coverage of 0.90 is
    known within 0.8 points (95 %) from 5,000, and within 1.0 from 3,450.
    """

    calibrated: int = 5000
    calibrated_interviews: int = 2500
    measured_interviews: int = 5000
    ranked: int = 500
    simulated_calibrated: int = 300
    simulated_measured: int = 150


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
    engine: Engine,
    everyone: Sample,
    split: Split,
    *,
    say: Callable[[str], None],
    sizes: Sizes | None = None,
) -> VisitFigures:
    """Return the sets of the engine's common model and what its interviews come to.

    everyone, split: all DDXPlus patients, and who was held out of the fit. Diseases of the model
    beyond theirs are the endemic ones, whose patients are simulated.
    """
    sizes = sizes or Sizes()
    panel, rng = Panel(engine), np.random.default_rng(SPLIT_SEED + 3)
    theirs = int(everyone.truth.max()) + 1
    sets = calibrated_sets(engine, everyone, split, panel=panel, rng=rng, sizes=sizes)
    say(f"conformal sets of {len(sets.bands)} bands calibrated")
    lines: list[Coverage] = []
    gaps: dict[str, object] = {}
    test = _held_out(engine, everyone, split.test, Purpose.MEASURING, sizes.simulated_measured)
    most = sizes.measured_interviews
    for visit in visits_under(test, panel, rng, interviews=most, wanted=REPORTED):
        found = covered(engine.common, sets, visit)
        lines += found
        say(f"{visit.protocol}: sets cover {found[0].bare}")
        if visit.protocol == AFTER:
            gaps = _gaps(engine, visit, theirs)
    some = everyone.take(rng.permutation(split.test)[: sizes.ranked])
    train = np.bincount(everyone.truth[split.train], minlength=len(engine.common.diseases)) + 0.5
    return VisitFigures(
        sets=sets,
        coverage=tuple(lines),
        interviews=_interviews(panel, some, train / train.sum(), rng, say),
        fairness=gaps,
    )


def calibrated_sets(
    engine: Engine,
    everyone: Sample,
    split: Split,
    *,
    sizes: Sizes,
    panel: Panel | None = None,
    rng: np.random.Generator | None = None,
) -> ConformalSets:
    """Return the sets of the engine's common model, calibrated on calibration patients."""
    rng = rng or np.random.default_rng(SPLIT_SEED + 3)
    calibration = _held_out(
        engine,
        everyone,
        rng.permutation(split.calibration)[: sizes.calibrated],
        Purpose.CALIBRATION,
        sizes.simulated_calibrated,
    )
    return fitted(
        engine.common,
        visits_under(
            calibration, panel or Panel(engine), rng, interviews=sizes.calibrated_interviews
        ),
        groups_of(len(engine.common.diseases), int(everyone.truth.max()) + 1),
    )


def _held_out(
    engine: Engine, everyone: Sample, rows: Indices, purpose: Purpose, each: int
) -> Patients:
    """Return the patients at `rows`, and `each` simulated ones of every endemic disease."""
    theirs = int(everyone.truth.max()) + 1
    endemic = len(engine.common.diseases) > theirs
    drawn = simulated(endemic_knowledge(), each, theirs, purpose) if endemic else None
    return Patients(ddxplus=everyone.take(rows), endemic=drawn)


def _gaps(engine: Engine, visit: Visit, theirs: int) -> dict[str, object]:
    """Return recall by sex and age of the DDXPlus patients after the interview."""
    ours = visit.truth < theirs
    rows, truth = visit.rows[ours], visit.truth[ours]
    right = engine.common.probabilities_of(rows).argmax(axis=1) == truth
    age, sex = demography_columns(engine.common.schema)
    return fairness(right, truth, rows[:, sex] == 1.0, rows[:, age] * DAYS_PER_YEAR).to_json()


def _interviews(
    panel: Panel,
    patients: Sample,
    prior: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return what each order comes to on the same patients."""
    visits, traces = visits_of(patients, panel, rng), {}
    for name, order in orders_of(panel, prior).items():
        ranked = None if name == "adaptive" else TOLD
        traces[name] = interview(panel, visits, order, QUESTIONS, _silent, ranked=ranked)
        top1 = last_figures(traces[name])["top1"]["value"]
        say(f"{name} order: top-1 {top1:.4f} after {QUESTIONS} questions")
    return to_json(traces)


def _silent(_line: str) -> None:
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the bundle that ships and print its part of the card; 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    try:
        held = HeldOut.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    ours = Sizes()
    sizes = Sizes(
        calibrated=round(ours.calibrated * asked.share),
        calibrated_interviews=round(ours.calibrated_interviews * asked.share),
        measured_interviews=round(ours.measured_interviews * asked.share),
        ranked=round(ours.ranked * asked.share),
        simulated_calibrated=max(10, round(ours.simulated_calibrated * asked.share)),
        simulated_measured=max(10, round(ours.simulated_measured * asked.share)),
    )
    found = measure_visits(held.engine, held.everyone, held.split, say=_say, sizes=sizes)
    print(f"\nbundle {held.engine.version}\n{visits_markdown(found.to_json())}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found.to_json(), indent=1), encoding="utf-8")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.pipelines.visits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--share", type=float, default=1.0, help="of the patients of a release")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
