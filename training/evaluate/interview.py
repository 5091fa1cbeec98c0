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
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.features.encode import PRESENT, UNKNOWN
from ddx.inquiry.effort import COST
from ddx.inquiry.inquirer import Question
from ddx.inquiry.stop import SETTLED_GAIN_BITS, reason_to_stop
from training.evaluate.common import (
    SEVERE,
    Estimate,
    Figure,
    bootstrapped,
    calibration_error,
    macro_f1,
    mean,
)
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.orders import Adaptive, Choice, Order, RandomOrder, Tree
from training.evaluate.panel import NOTHING, Known, Panel, Visits
from training.fit.sample import Sample
from training.sources.ddxplus import DataSetMalformedError
from training.sources.ddxplus_ranked import read_ranked

Shares = NDArray[np.float64]
Progress = Callable[[str], None]

RESAMPLES: Final = 2000
SEED: Final = 20_261
ORDERS: Final = ("adaptive", "tree", "random")

TEN: Final = 10
"""Questions of the bar on severe disease."""

TOLD: Final = (0, 1, 2, 3, 5, 8, 10, 12, 15, 20)
"""Numbers of questions the table shows."""


UNRANKED: Final = -2
"""In place of a disease where nobody ranked."""

RARE: Final = -1
"""In place of the position of a disease that is none of the common model's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What came of many interviews.

    told: int8 (questions + 1, n, n_findings), presence as told after so many questions.
    first, confidence: (n, questions + 1), position of the first disease, rare ones competing, and
    its probability. truth: int64 (n,). stopped: int64 (n,), questions asked when the stop rule
    said to stop (all, if it never did). severe: bool (n,), the disease is of severity 1 or 2.
    """

    told: NDArray[np.int8]
    first: NDArray[np.int64]
    confidence: Shares
    truth: NDArray[np.int64]
    stopped: NDArray[np.int64]
    severe: NDArray[np.bool_]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the disease ranked first after so many questions, bool (n, questions + 1)."""
        right: NDArray[np.bool_] = self.first == self.truth[:, np.newaxis]
        return right

    @property
    def right_when_stopped(self) -> NDArray[np.bool_]:
        """Whether the disease ranked first when the stop rule said to stop, bool (n,)."""
        return self.right[np.arange(len(self.stopped)), self.stopped]

    @property
    def ranked_after(self) -> tuple[int, ...]:
        """Numbers of questions after which the visits were ranked."""
        return tuple(np.flatnonzero((self.first != UNRANKED).all(axis=0)).tolist())


def interview(
    panel: Panel,
    visits: Visits,
    order: Order,
    questions: int,
    progress: Progress,
    *,
    ranked: Container[int] | None = None,
    answered: bool = False,
) -> Trace:
    """Return what comes of asking each patient `questions` questions in `order`.

    answered: put only questions that the record of the patient answers. By default the others are
    put as well, in vain.
    ranked: numbers of questions after which the whole engine ranks, None for all. The stop rule is
    applied where it ranks; most of the time goes into ranking.
    """
    n = len(visits)
    told = np.full((questions + 1, n, len(panel.findings)), UNKNOWN, dtype=np.int8)
    told[0, np.arange(n), visits.opening] = PRESENT
    closed = panel.unfit(visits)
    if answered:
        closed |= panel.silent(visits)
    first = np.full((n, questions + 1), UNRANKED, dtype=np.int64)
    confidence, stopped = np.zeros(first.shape), np.full(n, questions, dtype=np.int64)
    for asked in range(questions + 1):
        known = panel.known(visits, told[asked], closed)
        ranks = ranked is None or asked in ranked
        if ranks:
            first[:, asked], confidence[:, asked] = firsts(panel, known)
        if asked == questions:
            break
        choice = order.choose(known)
        if ranks:
            stopped[(stopped == questions) & _stops(panel, known, choice)] = asked
        told[asked + 1] = told[asked]
        _answer(panel, visits, choice, told[asked + 1], closed)
        progress(f"question {asked + 1} of {questions} put to {n:,} patients")
    severity = [panel.engine.catalogue.disease_severity(d) for d in panel.engine.common.diseases]
    severe = np.array([grade in SEVERE for grade in severity])
    return Trace(
        told=told,
        first=first,
        confidence=confidence,
        truth=visits.truth,
        stopped=stopped,
        severe=severe[visits.truth],
    )


def firsts(panel: Panel, known: Known) -> tuple[NDArray[np.int64], Shares]:
    """Return the first disease of each visit, RARE for one of the rare world, and how probable."""
    engine, n = panel.engine, len(known.rows)
    first, confidence = np.full(n, RARE, dtype=np.int64), np.zeros(n)
    for i in range(n):
        case = panel.case(known.table, i)
        answers = engine.answers(case, panel.read(known.rows, i))
        both = engine.meta.aggregate(answers)
        common, rare = both.common.max(initial=0.0), both.rare.max(initial=0.0)
        if common >= rare:
            first[i] = both.common.argmax()
        confidence[i] = max(common, rare)
    return first, confidence


def _stops(panel: Panel, known: Known, choice: Choice) -> NDArray[np.bool_]:
    """Return which visits the stop rule ends before the next question.

    The differential is looked at only where the rule would: a question still worth asking goes on.
    """
    ended: NDArray[np.bool_] = choice.item == NOTHING
    for i in np.flatnonzero(choice.gain_bits < SETTLED_GAIN_BITS):
        if not ended[i]:
            differential = panel.engine.diagnose(panel.case(known.table, int(i)))
            ended[i] = reason_to_stop(differential, (_proposed(panel, choice, int(i)),)) is not None
    return ended


def _proposed(panel: Panel, choice: Choice, i: int) -> Question:
    """Return the question of one visit as far as the stop rule reads it."""
    item = panel.bank.items[choice.item[i]]
    return Question(
        subject=item.subject,
        findings=item.findings,
        gain_bits=float(choice.gain_bits[i]),
        worth=float("nan"),
        chance=float("nan"),
        means=item.means,
        cost=COST[item.means],
    )


def _answer(
    panel: Panel,
    visits: Visits,
    choice: Choice,
    told: NDArray[np.int8],
    closed: NDArray[np.bool_],
) -> None:
    """Add, in place, what the record answers to one question each; it is not put again."""
    for k in np.unique(choice.item[choice.item != NOTHING]):
        here, members = np.flatnonzero(choice.item == k), panel.members[k]
        at = np.ix_(here, members)
        told[at] = np.where(told[at] == UNKNOWN, visits.record.presence[at], told[at])
        closed[here, k] = True


def share(values: NDArray[np.generic]) -> Estimate:
    """Return the mean of one value per patient with its 95 % bootstrap interval.

    A resample of yes or no holds a binomial number of yes, so those are drawn at once.
    """
    rng, n = np.random.default_rng(SEED), len(values)
    if values.dtype == np.bool_:
        shares = rng.binomial(n, values.mean(), RESAMPLES) / n
        return Estimate(float(values.mean()), *np.percentile(shares, [2.5, 97.5]).tolist())
    means = rng.multinomial(n, np.full(n, 1.0 / n), RESAMPLES) @ values.astype(np.float64) / n
    return Estimate(float(values.mean()), *np.percentile(means, [2.5, 97.5]).tolist())


def table(traces: dict[str, Trace]) -> str:
    """Return top-1 after each number of questions all ranked after, and of severe disease."""
    shown = [n for n in TOLD if all(n in trace.ranked_after for trace in traces.values())]
    lines = [f"{'top-1 after':<12}" + "".join(f"{name:>28}" for name in traces)]
    for n in shown:
        cells = (str(share(trace.right[:, n])) for trace in traces.values())
        lines.append(f"{n:<12}" + "".join(f"{cell:>28}" for cell in cells))
    if next(iter(traces.values())).severe.any():
        n = max(n for n in shown if n <= TEN)
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


def to_json(traces: Mapping[str, Trace]) -> dict[str, dict[str, Any]]:
    """Return the figures as a model card holds them; the stop rule's where all was ranked."""
    return {name: _figures(trace) for name, trace in traces.items()}


def _figures(trace: Trace) -> dict[str, Any]:
    top1 = {str(n): share(trace.right[:, n]).to_json() for n in trace.ranked_after}
    figures = {"patients": len(trace.truth), "top1": top1, "last": last_figures(trace)}
    if len(trace.ranked_after) == trace.right.shape[1]:
        figures["questions_when_stopped"] = share(trace.stopped).to_json()
        figures["top1_when_stopped"] = share(trace.right_when_stopped).to_json()
    return figures


def last_figures(trace: Trace) -> dict[str, Any]:
    """Return top-1, macro F1, ECE and severe recall after the last question, with intervals.

    A rare disease ranked first counts as one more that nobody has.
    """
    said, right, truth = trace.first[:, -1], trace.right[:, -1], trace.truth
    width = int(max(said.max(), truth.max())) + 2
    said = np.where(said == RARE, width - 1, said)
    figures: dict[str, Figure] = {
        "top1": lambda i: float(right[i].mean()),
        "macro_f1": lambda i: macro_f1(said[i], truth[i], width),
        "ece": lambda i: calibration_error(trace.confidence[i, -1], right[i]),
    }
    if trace.severe.any():
        figures["severe_recall"] = lambda i: mean(right[i][trace.severe[i]])
    found = bootstrapped(figures, len(truth), RESAMPLES // 4)
    return {name: estimate.to_json() for name, estimate in found.items()}


def orders_of(panel: Panel, prior: Shares, names: Sequence[str] = ORDERS) -> dict[str, Order]:
    """Return the orders to compare. prior: share of each disease among training patients."""
    made: dict[str, Order] = {
        "adaptive": Adaptive(panel),
        "tree": Tree(panel, prior),
        "random": RandomOrder(np.random.default_rng(SEED)),
    }
    return {name: made[name] for name in names}


def main(argv: Sequence[str] | None = None) -> int:
    """Interview held-out patients and print the table; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    rng = np.random.default_rng(asked.seed)
    try:
        held_out = HeldOut.read(asked.data)
        panel = held_out.panel()
        visits = _chosen(asked, held_out, panel, rng)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    source = "published, real opening" if asked.published else asked.rows
    traces: dict[str, Trace] = {}
    for name, order in orders_of(panel, held_out.prior, asked.orders).items():
        print(name, flush=True)
        traces[name] = interview(panel, visits, order, asked.interview, _say)
    version = held_out.engine.version
    print(f"\nbundle {version}, {len(visits):,} patients ({source})\n{table(traces)}")
    if "adaptive" in traces:
        print(stop_line(traces["adaptive"]))
    if asked.json is not None:
        asked.json.write_text(json.dumps(to_json(traces), indent=1), encoding="utf-8")
    return 0


def _chosen(
    asked: argparse.Namespace, held_out: HeldOut, panel: Panel, rng: np.random.Generator
) -> Visits:
    if asked.published:
        visits = published_visits(asked.data, held_out, panel)
        return visits.take(rng.permutation(len(visits))[: asked.patients])
    some = held_out.some(getattr(held_out.split, asked.rows), asked.patients, rng)
    return visits_of(some, panel, rng)


def visits_of(patients: Sample, panel: Panel, rng: np.random.Generator) -> Visits:
    """Return DDXPlus patients, each opening with one of its symptoms drawn evenly."""
    record = patients.answers.table(patients.vocabulary.findings)
    return panel.visits(record, patients.truth, rng)


def published_visits(data: Path, held_out: HeldOut, panel: Panel) -> Visits:
    """Return the official validation rows with the evidence they really opened with."""
    vocabulary, diseases = held_out.everyone.vocabulary, panel.engine.common.diseases
    opened = [(v, vocabulary.read(v.opening)) for v in read_ranked(data)]
    kept = [(v, vocabulary.findings[at[0]]) for v, at in opened if at is not None]
    known = [(v, finding) for v, finding in kept if finding in panel.findings]
    sample = Sample.of(
        tuple(v.patient for v, _ in known), vocabulary, diseases, held_out.everyone.ontology
    )
    visits = visits_of(sample, panel, np.random.default_rng(SEED))
    if len(visits) != len(known):
        raise DataSetMalformedError("a published row has no finding the model reads")
    opening = np.array([panel.findings.index(finding) for _, finding in known])
    return replace(visits, opening=opening)


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
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
