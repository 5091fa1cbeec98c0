"""The rare benchmark: likelihood ratio and learned ranking side by side, with baselines.

Every learned figure is cross-fitted: the model that ranks a case was fitted without any case of
its disease, and no paper of a test set is in the training rows (`training.fit.rare_learned`).
Protocols are those of `training.evaluate.rare`; all methods see the same merged index, the same
case and the same profile. Positions are over all diseases: what is not among the retrieved
candidates keeps its first-stage position.

    python -m training.evaluate.rare_learned --data FOLDER [--every N] [--out FILE]
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import HPO_TERMS
from ddx.domain.case import Case
from ddx.features.rare_evidence import gather
from ddx.features.rare_query import read_case
from ddx.inference.rare_learned import RareCalibration
from training.evaluate import rare_cost
from training.evaluate.rare import MISSED, Protocol, RecallLine, recall_line
from training.evaluate.rare_baselines import SimilarityBaseline, of_evidence
from training.evaluate.rare_report import Cost, MethodLine, Report, Worth, markdown
from training.fit.rare_learned import (
    CrossFit,
    TrainingRows,
    evidence_of,
    fit_calibration,
    fit_ranker,
    learned_members,
    margins_of,
    training_rows,
)
from training.fit.rare_rows import CaseRows, RareWorkbench, rows_of_case, stand_ins_of
from training.fit.rare_variants import Variant, vary
from training.sources.hpo import read_ontology
from training.sources.phenopackets import LabelledCase, read_phenobrain, read_phenopackets
from training.vocabulary import vocabulary_members

UNCHANGED: Final = Variant()

PUBLISHED, CLEAN, NEW, PHENOBRAIN = "4,917", "clean", "clean, any disease", "PhenoBrain"

_TIE: Final = 1e-6
"""Similarities closer than this are equal: they are sums of float32."""

NOISY: Final = Variant(vague=0.3, unrelated=2)
"""The robustness line: 30 % of findings replaced by a parent, two unrelated ones added."""

VARIANTS: Final = {
    "all findings": UNCHANGED,
    "no exclusions": Variant(exclusions=False),
    "10 findings": Variant(limit=10),
    "5 findings": Variant(limit=5),
    "3 findings": Variant(limit=3),
    "3 findings, no exclusions": Variant(limit=3, exclusions=False),
    "30 % vaguer + 2 unrelated": NOISY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSet:
    """Cases ranked under one protocol and one variant. whole: shown with the baselines."""

    name: str
    protocol: Protocol
    cases: tuple[LabelledCase, ...]
    variant: str = "all findings"
    whole: bool = False


def benchmark_sets(bench: RareWorkbench, folder: Path, every: int) -> tuple[BenchmarkSet, ...]:
    """Return every set of the benchmark.

    every: keep one case of the 4,917 set in so many. Variants use one in eight of these and one
    in two of the others.
    """
    packets = read_phenopackets(folder)
    published = tuple(c for c in packets if c.published)[::every]
    new = tuple(c for c in packets if c.clean)
    clean = tuple(c for c in new if bench.main_codes(c.truths))
    brain = read_phenobrain(folder)
    plain, removed = Protocol.AS_PUBLISHED, Protocol.SOLE_SOURCE_REMOVED
    bases = (
        (PUBLISHED, plain, published),
        (PUBLISHED, Protocol.PAPER_REMOVED, published),
        (PUBLISHED, removed, published),
        (CLEAN, plain, clean),
        (NEW, plain, new),
        (PHENOBRAIN, plain, brain),
    )
    varied = (
        (PUBLISHED, plain, published[::8]),
        (PUBLISHED, removed, published[::8]),
        (CLEAN, plain, clean[::2]),
        (PHENOBRAIN, plain, brain[::2]),
    )
    whole = (BenchmarkSet(name=n, protocol=p, cases=c, whole=True) for n, p, c in bases)
    return (*whole, *(part for n, p, c in varied for part in _variants(n, p, c)))


def _variants(
    name: str, protocol: Protocol, cases: tuple[LabelledCase, ...]
) -> Iterator[BenchmarkSet]:
    """Yield the set under every variant that changes it, and unchanged to compare with."""
    has_exclusions = any(c.case.excluded for c in cases)
    for label, variant in VARIANTS.items():
        if variant.exclusions or has_exclusions:
            yield BenchmarkSet(name=name, protocol=protocol, cases=cases, variant=label)


def rows_of_set(bench: RareWorkbench, chosen: BenchmarkSet) -> list[CaseRows]:
    """Return the rows of every case; changes are seeded by case, the same for every method."""
    return [
        rows_of_case(bench, labelled, chosen.protocol, change)
        for labelled, change in _changes(bench, chosen)
    ]


def learned_positions(
    cases: Sequence[CaseRows], margins: Sequence[NDArray[np.float64]]
) -> NDArray[np.int64]:
    """Return the position of the diagnosis: learned among candidates, first-stage beyond."""
    found = []
    for case, scores in zip(cases, margins, strict=True):
        if not case.right.any():
            found.append(case.first_stage or MISSED)
            continue
        order = np.argsort(-scores, kind="stable")
        found.append(int(np.flatnonzero(case.right[order])[0]) + 1)
    return np.array(found, dtype=np.int64)


def first_stage_positions(cases: Sequence[CaseRows]) -> NDArray[np.int64]:
    """Return the position of the diagnosis by likelihood ratio."""
    return np.array([c.first_stage or MISSED for c in cases], dtype=np.int64)


def baseline_positions(
    bench: RareWorkbench, baseline: SimilarityBaseline, chosen: BenchmarkSet
) -> dict[str, NDArray[np.int64]]:
    """Return positions by similarity over every disease, ties by disease id."""
    found: dict[str, list[int]] = {"Phenomizer-style": [], "Resnik best-match average": []}
    for labelled, change in _changes(bench, chosen):
        query = read_case(change(labelled.case), bench.fit.index.ontology)
        similarities = baseline.similarities(query)
        stand_ins = stand_ins_of(bench, labelled, chosen.protocol)
        if stand_ins:
            replaced = np.array(sorted(stand_ins), dtype=np.int32)
            own = of_evidence(gather(bench.tables, query, replaced, stand_ins))
            similarities = similarities.of(own, replaced.astype(np.int64))
        right = [bench.fit.index.number_of(d) for d in bench.main_codes(labelled.truths)]
        both = (similarities.phenomizer, similarities.best_match_average)
        for scores, positions in zip(both, found.values(), strict=True):
            positions.append(min((_position(scores, n) for n in right), default=MISSED))
    return {name: np.array(p, dtype=np.int64) for name, p in found.items()}


def _position(scores: NDArray[np.float64], number: int) -> int:
    better = scores > scores[number] + _TIE
    tied = np.abs(scores - scores[number]) <= _TIE
    return int(better.sum() + tied[:number].sum()) + 1


def _changes(
    bench: RareWorkbench, chosen: BenchmarkSet
) -> Iterator[tuple[LabelledCase, Callable[[Case], Case]]]:
    """Yield every case with the change it undergoes, seeded by its position."""
    graph, pool = bench.fit.index.ontology, bench.everyday_terms()
    for number, labelled in enumerate(chosen.cases):
        changed = vary(
            labelled.case, VARIANTS[chosen.variant], graph, pool, np.random.default_rng(number)
        )
        yield labelled, partial(_always, changed)


def _always(changed: Case, _: Case) -> Case:
    return changed


def benchmark(
    bench: RareWorkbench,
    rows: TrainingRows,
    sets: Sequence[BenchmarkSet],
    say: Callable[[str], None],
) -> tuple[tuple[MethodLine, ...], tuple[Worth, ...]]:
    """Return the lines of every set, and what the probabilities of the whole ones are worth.

    The calibration is fitted on cross-fitted training cases.
    """
    groups = {bench.main_codes(c.truths) for chosen in sets for c in chosen.cases}
    folds = CrossFit.of(rows, groups)
    say("models fitted")
    calibration = fit_calibration(rows, folds.margins(rows.cases))
    baseline = SimilarityBaseline(bench.tables)
    lines: list[MethodLine] = []
    worth: list[Worth] = []
    for chosen in sets:
        cases = rows_of_set(bench, chosen)
        margins = folds.margins(cases)
        methods = baseline_positions(bench, baseline, chosen) if chosen.whole else {}
        methods |= {
            "likelihood ratio": first_stage_positions(cases),
            "learned": learned_positions(cases, margins),
        }
        for method, positions in methods.items():
            line = recall_line(chosen.name, chosen.protocol, chosen.cases, positions)
            lines.append(
                MethodLine(method=method, variant=chosen.variant, whole=chosen.whole, line=line)
            )
        if chosen.whole:
            worth.append(_worth(chosen, cases, margins, calibration))
        say(f"{chosen.name}, {chosen.protocol}, {chosen.variant}: {len(cases)} cases")
    return tuple(lines), tuple(worth)


def _worth(
    chosen: BenchmarkSet,
    cases: Sequence[CaseRows],
    margins: Sequence[NDArray[np.float64]],
    calibration: RareCalibration,
) -> Worth:
    """Return what the probabilities of one set claim and what came true, in fifths."""
    answers = [
        calibration.probabilities(own, evidence_of(case))
        for case, own in zip(cases, margins, strict=True)
    ]
    claimed = np.array([p[:-1].max(initial=0) for p in answers])
    hit = learned_positions(cases, margins) == 1
    none = np.array([p[-1] for p in answers])
    lost = np.array([not c.right.any() for c in cases])
    return Worth(
        name=chosen.name,
        protocol=chosen.protocol,
        top=_fifths(claimed, hit),
        none=_fifths(none, lost),
    )


def _fifths(
    claimed: NDArray[np.float64], true: NDArray[np.bool_]
) -> tuple[tuple[float, float], ...]:
    """Return (mean claimed, share true) of each fifth of the cases, least claimed first."""
    parts = np.array_split(np.argsort(claimed, kind="stable"), 5)
    return tuple((float(claimed[f].mean()), float(true[f].mean())) for f in parts if len(f))


def learned_lines(bench: RareWorkbench, folds: CrossFit, folder: Path) -> tuple[RecallLine, ...]:
    """Return the learned line of every whole set: what a model card shows."""
    lines = []
    for chosen in benchmark_sets(bench, folder, 1):
        if chosen.whole:
            cases = rows_of_set(bench, chosen)
            positions = learned_positions(cases, folds.margins(cases))
            name = f"learned: {chosen.name}"
            lines.append(recall_line(name, chosen.protocol, chosen.cases, positions))
    return tuple(lines)


def device_cost(bench: RareWorkbench, rows: TrainingRows, cases: Sequence[LabelledCase]) -> Cost:
    """Return size, time and memory of the model that would ship, and pyhpo beside it."""
    booster = fit_ranker(rows)
    calibration = fit_calibration(rows, margins_of(booster, rows.cases))  # for cost, not worth
    learned = learned_members(bench, booster, calibration, rows.cases[:100])
    members = bench.fit.members() | learned
    stage = rare_cost.stage_of(bench, members, calibration)
    ten = rare_cost.cases_of_ten(bench, cases, 310)
    vocabulary = {HPO_TERMS: vocabulary_members(read_ontology())[HPO_TERMS]}
    return Cost(
        sizes=rare_cost.sizes(members),
        latency=rare_cost.latency(bench, stage, ten),
        resident_mb=rare_cost.resident_mb(members | vocabulary),
        peer=rare_cost.beside_pyhpo(bench, stage, ten[:20]),
    )


def main() -> None:
    """Run the benchmark, print its report and, when asked, write it."""
    default = os.environ.get("VEREDA_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description="The rare benchmark, learned and baselines.")
    parser.add_argument("--data", type=Path, default=Path(default), help="clinical data sets")
    parser.add_argument(
        "--every", type=int, default=1, help="keep one case of the 4,917 in so many"
    )
    parser.add_argument("--out", type=Path, help="write the report to this file")
    arguments = parser.parse_args()
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {what}", flush=True)

    bench = RareWorkbench.build(arguments.data)
    packets = read_phenopackets(arguments.data)
    rows = training_rows(bench, packets)
    say(f"{len(rows.cases)} training cases")
    cost = device_cost(bench, rows, [c for c in packets if c.published])
    say("device measured")
    sets = benchmark_sets(bench, arguments.data, arguments.every)
    lines, worth = benchmark(bench, rows, sets, say)
    report = Report(
        lines=lines,
        worth=worth,
        cost=cost,
        matched=[c.published for c in packets if c.published],
        minutes=(time.monotonic() - started) / 60,
        every=arguments.every,
    )
    text = markdown(report)
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
