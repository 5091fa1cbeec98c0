"""How soon a visit names the disease: an opening complaint, then one question after another.

A patient opens with one symptom; every question is answered from the record; the engine a device
runs ranks after each answer. Three orders answer for the same patients in the same run:

adaptive  `ddx.inquiry`, as the clinician sees it
tree      one greedy decision tree on the training frequencies, blind to age, sex and complaint
random    any question that still makes sense

    python -m training.evaluate.interview --patients 1000 --interview 15
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.errors import DdxError
from ddx.inquiry import interview as played
from ddx.inquiry.inquirer import Inquirer
from model_bundles.embedded import open_embedded_bundle
from training import knowledge
from training.evaluate.asking import Script
from training.evaluate.common import SEVERE, Estimate
from training.evaluate.held_out import DATA
from training.evaluate.orders import Adaptive, Order, Questions, RandomOrder, Tree
from training.fit.common import split_patients
from training.sources.ddxplus import Patient, Vocabulary, case_of, read_patients
from training.sources.ddxplus_ranked import read_ranked

Shares = NDArray[np.float64]
Progress = Callable[[str], None]

RESAMPLES: Final = 2000
SEED: Final = 20_261
TOLD: Final = (0, 1, 2, 3, 5, 8, 10, 12, 15, 20)
"""Numbers of questions the table shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(played.Visit):
    """One patient to interview, whose disease is known."""

    disease: DiseaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What came of many interviews.

    right: bool (n, questions + 1), whether the disease ranked first after so many questions.
    confidence: float64, same shape, probability of the first disease.
    stopped: int64 (n,), questions asked when the stop rule said to stop (all, if it never did).
    severe: bool (n,), the disease is of severity 1 or 2.
    """

    right: NDArray[np.bool_]
    confidence: Shares
    stopped: NDArray[np.int64]
    severe: NDArray[np.bool_]

    @property
    def right_when_stopped(self) -> NDArray[np.bool_]:
        """Whether the disease ranked first when the stop rule said to stop, bool (n,)."""
        return self.right[np.arange(len(self.stopped)), self.stopped]


def visits_of(
    patients: Sequence[Patient], vocabulary: Vocabulary, script: Script, rng: np.random.Generator
) -> Iterator[Visit]:
    """Yield the patients, each opening with one of its symptoms drawn evenly."""
    for patient in patients:
        record = case_of(patient, vocabulary)
        opening = played.draw_opening(record, script.openings.__contains__, rng)
        if opening is not None:
            yield Visit(
                record=record,
                opening=opening,
                disease=vocabulary.disease_of_condition[patient.condition],
            )


def published_visits(data: Path, vocabulary: Vocabulary) -> Iterator[Visit]:
    """Yield the official validation rows with the evidence they really opened with."""
    for opened in read_ranked(data):
        opening = vocabulary.read(opened.opening)
        if opening is not None:
            yield Visit(
                record=case_of(opened.patient, vocabulary),
                opening=vocabulary.findings[opening[0]],
                disease=vocabulary.disease_of_condition[opened.patient.condition],
            )


def interview(
    engine: Engine, visits: Sequence[Visit], order: Order, questions: int, progress: Progress
) -> Trace:
    """Return what comes of asking each patient `questions` questions in `order`."""
    right = np.zeros((len(visits), questions + 1), dtype=bool)
    confidence = np.zeros(right.shape)
    stopped = np.full(len(visits), questions, dtype=np.int64)
    for i, visit in enumerate(visits):
        stopped[i] = _one(engine, visit, order, right[i], confidence[i])
        if (i + 1) % 250 == 0:
            progress(f"{i + 1:,} of {len(visits):,} patients interviewed")
    severity = [engine.catalogue.disease_severity(visit.disease) for visit in visits]
    return Trace(
        right=right,
        confidence=confidence,
        stopped=stopped,
        severe=np.array([grade in SEVERE for grade in severity]),
    )


def _one(
    engine: Engine, visit: Visit, order: Order, right: NDArray[np.bool_], confidence: Shares
) -> int:
    """Fill the row of one visit; return how many questions the stop rule allowed."""
    stopped = len(right) - 1
    diagnose = lru_cache(maxsize=1)(engine.diagnose)
    for moment in played.interview(visit, order.choose, diagnose, stopped):
        first, asked = diagnose(moment.case).candidates[0], moment.asked
        right[asked:], confidence[asked:] = first.disease == visit.disease, first.probability
        if moment.stop is not None:
            stopped = min(stopped, asked)
    return stopped


def share(values: NDArray[np.generic]) -> Estimate:
    """Return the mean of one value per patient with its 95 % bootstrap interval."""
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(len(values), np.full(len(values), 1.0 / len(values)), RESAMPLES)
    means = counts @ values.astype(np.float64) / len(values)
    return Estimate(float(values.mean()), *np.percentile(means, [2.5, 97.5]).tolist())


def table(traces: dict[str, Trace]) -> str:
    """Return top-1 after each number of questions, and with the stop rule, per order."""
    first = next(iter(traces.values()))
    shown = [n for n in TOLD if n < first.right.shape[1]]
    lines = [f"{'top-1 after':<12}" + "".join(f"{name:>28}" for name in traces)]
    for n in shown:
        cells = (str(share(trace.right[:, n])) for trace in traces.values())
        lines.append(f"{n:<12}" + "".join(f"{cell:>28}" for cell in cells))
    if first.severe.any():
        n = min(10, first.right.shape[1] - 1)
        cells = (str(share(t.right[t.severe, n])) for t in traces.values())
        lines.append(f"{f'severe, {n}':<12}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)


def stop_line(trace: Trace) -> str:
    """Return how the stop rule fares: questions asked and top-1 when it stops."""
    quartiles = np.percentile(trace.stopped, [25, 50, 75]).astype(int).tolist()
    return (
        f"stop rule: {share(trace.stopped)} questions on average (quartiles {quartiles}), "
        f"top-1 {share(trace.right_when_stopped)}"
    )


def to_json(traces: dict[str, Trace]) -> dict[str, object]:
    """Return the figures as a model card holds them."""
    return {
        name: {
            "top1": [share(trace.right[:, n]).to_json() for n in range(trace.right.shape[1])],
            "questions_when_stopped": share(trace.stopped).to_json(),
            "top1_when_stopped": share(trace.right_when_stopped).to_json(),
        }
        for name, trace in traces.items()
    }


def orders_of(
    engine: Engine, inquirer: Inquirer, prior: Shares, names: Sequence[str]
) -> dict[str, Order]:
    """Return the orders to compare. prior: share of each disease among training patients."""
    questions = Questions(inquirer.bank, engine)
    made: dict[str, Order] = {
        "adaptive": Adaptive(inquirer),
        "tree": Tree(questions, prior),
        "random": RandomOrder(questions, np.random.default_rng(SEED)),
    }
    return {name: made[name] for name in names}


def main(argv: Sequence[str] | None = None) -> int:
    """Interview held-out patients and print the table; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
    bundle = open_embedded_bundle()
    engine = Engine.from_artifacts(bundle)
    inquirer = Inquirer.from_artifacts(bundle, engine.catalogue, engine.common)
    rng = np.random.default_rng(asked.seed)
    try:
        patients = read_patients(asked.data)
        split = split_patients(patients)
        visits = _chosen(asked, patients, getattr(split, asked.rows), vocabulary, rng)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    prior = _prior([patients[i] for i in split.train], vocabulary, engine.common.diseases)
    source = "published, real opening" if asked.published else asked.rows
    traces: dict[str, Trace] = {}
    for name, order in orders_of(engine, inquirer, prior, asked.orders).items():
        print(name, flush=True)
        traces[name] = interview(engine, visits, order, asked.interview, _say)
    print(f"\nbundle {bundle.version}, {len(visits):,} patients ({source})\n{table(traces)}")
    if "adaptive" in traces:
        print(stop_line(traces["adaptive"]))
    if asked.json is not None:
        asked.json.write_text(json.dumps(to_json(traces), indent=1), encoding="utf-8")
    return 0


def _chosen(
    asked: argparse.Namespace,
    patients: Sequence[Patient],
    rows: NDArray[np.int64],
    vocabulary: Vocabulary,
    rng: np.random.Generator,
) -> list[Visit]:
    if asked.published:
        visits = list(published_visits(asked.data, vocabulary))
        return [visits[i] for i in rng.permutation(len(visits))[: asked.patients]]
    drawn = [patients[i] for i in rng.permutation(rows)[: asked.patients]]
    return list(
        visits_of(drawn, vocabulary, Script.of(vocabulary.findings, knowledge.findings()), rng)
    )


def _prior(
    patients: Sequence[Patient], vocabulary: Vocabulary, diseases: Sequence[DiseaseId]
) -> Shares:
    """Return the share of each disease among the patients, half a patient added to each."""
    number = {disease: i for i, disease in enumerate(diseases)}
    own = [number[vocabulary.disease_of_condition[patient.condition]] for patient in patients]
    counts = np.bincount(own, minlength=len(diseases)) + 0.5
    return counts / counts.sum()


def _say(line: str) -> None:
    print("  " + line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.interview",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--interview", type=int, default=15, metavar="N", help="questions at most")
    parser.add_argument("--rows", choices=("test", "calibration"), default="test")
    parser.add_argument(
        "--published", action="store_true", help="official validation rows, real opening complaint"
    )
    names = ("adaptive", "tree", "random")
    parser.add_argument("--orders", nargs="+", choices=names, default=names)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
