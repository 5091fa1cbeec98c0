"""The rare benchmark: likelihood ratio and learned ranking side by side, with baselines.

Every learned figure is cross-fitted: the model that ranks a case was fitted without any case of
its disease, and no paper of a test set is in the training rows (`training.fit.rare_learned`).
Protocols are those of `training.evaluate.rare`; all methods see the same merged index, the same
case and the same profile. Positions are over all diseases: what is not among the retrieved
candidates keeps its first-stage position.

    python -m training.evaluate.rare_learned --data FOLDER [--every N] [--out FILE] [--cache FOLDER]

Models, device cost and the answers of every set are written to the cache as they end; a run that
was interrupted goes on from there. The cache is of one state of the code and of the data.
"""

import argparse
import hashlib
import io
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

import ddx
import training
from ddx.domain.artifacts import HPO_TERMS
from ddx.domain.case import Case
from ddx.domain.identifiers import FindingId
from ddx.features.rare_evidence import gather
from ddx.features.rare_query import read_case
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import RARE_CALIBRATION, RareCalibration
from ddx.once import once
from training.evaluate import rare_cost
from training.evaluate.rare import MISSED, Protocol, RecallLine, recall_line
from training.evaluate.rare_baselines import SimilarityBaseline, of_evidence
from training.evaluate.rare_cost import Latency, PeerCost
from training.evaluate.rare_kept import kept_lines
from training.evaluate.rare_report import (
    NOISY_LABEL,
    UNCHANGED_LABEL,
    Cost,
    MethodLine,
    NoiseLoss,
    Report,
    Worth,
    markdown,
)
from training.fit.rare_learned import (
    FOLDS,
    UNKNOWN_SHARE,
    CrossFit,
    LearnedFit,
    claims_of,
    fit_learned,
)
from training.fit.rare_rows import CaseRows, RareWorkbench, rows_of_case, stand_ins_of
from training.fit.rare_variants import Variant, vary
from training.sources import phenopackets
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
    UNCHANGED_LABEL: UNCHANGED,
    "no exclusions": Variant(exclusions=False),
    "10 findings": Variant(limit=10),
    "5 findings": Variant(limit=5),
    "3 findings": Variant(limit=3),
    "3 findings, no exclusions": Variant(limit=3, exclusions=False),
    NOISY_LABEL: NOISY,
}

METHODS: Final = {
    "phenomizer": "Phenomizer-style",
    "best_match_average": "Resnik best-match average",
    "ratio": "likelihood ratio",
    "learned": "learned",
}
BASELINES: Final = ("phenomizer", "best_match_average")

ANSWER: Final = np.dtype(
    [
        *((method, np.int64) for method in METHODS),
        *((claim, np.float64) for claim in ("first", "none", "first_hidden", "none_hidden")),
        ("retrieved", np.bool_),
    ]
)
"""What is kept of one case: by method the position of the diagnosis (MISSED: not in the index; 0:
not asked), what was claimed of the first place and of "none fits", the same with the diagnosis
taken out of the candidates, and whether it was among them."""

BATCH: Final = 100  # cases whose rows are held at once: 8 MB
RESAMPLES: Final = 1000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSet:
    """Cases ranked under one protocol and one variant. whole: every case of the set."""

    name: str
    protocol: Protocol
    cases: tuple[LabelledCase, ...]
    variant: str = UNCHANGED_LABEL
    whole: bool = False


def benchmark_sets(bench: RareWorkbench, folder: Path, every: int) -> tuple[BenchmarkSet, ...]:
    """Return every set of the benchmark.

    every: keep one case of the 4,917 set in so many. The robustness line has every case;
    other variants use one in eight of the 4,917 and one in two of the others.
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
    sturdy = (
        (PUBLISHED, plain, published),
        (PUBLISHED, removed, published),
        (CLEAN, plain, clean),
        (PHENOBRAIN, plain, brain),
    )
    steps = (8, 8, 2, 2)
    return (
        *(BenchmarkSet(name=n, protocol=p, cases=c, whole=True) for n, p, c in bases),
        *(
            BenchmarkSet(name=n, protocol=p, cases=c, variant=NOISY_LABEL, whole=True)
            for n, p, c in sturdy
        ),
        *(
            part
            for (n, p, c), step in zip(sturdy, steps, strict=True)
            for part in _variants(n, p, c[::step])
        ),
    )


def _variants(
    name: str, protocol: Protocol, cases: tuple[LabelledCase, ...]
) -> Iterator[BenchmarkSet]:
    """Yield the set under every variant that changes it, and unchanged to compare with."""
    has_exclusions = any(c.case.excluded for c in cases)
    for label, variant in VARIANTS.items():
        if variant is not NOISY and (variant.exclusions or has_exclusions):
            yield BenchmarkSet(name=name, protocol=protocol, cases=cases, variant=label)


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


def _position(scores: NDArray[np.float64], number: int) -> int:
    better = scores > scores[number] + _TIE
    tied = np.abs(scores - scores[number]) <= _TIE
    return int(better.sum() + tied[:number].sum()) + 1


class Examiner:
    """Asks every method about cases; what it was told of a case is not asked again.

    A case is the same for every method: what a variant does to it is seeded by its name.
    Where a protocol takes nothing from the profile of the diagnosis, the answer is that of the
    annotations as published.
    """

    def __init__(
        self,
        bench: RareWorkbench,
        folds: CrossFit,
        calibration: RareCalibration,
        *,
        baselines: bool = True,
    ) -> None:
        self._bench, self._folds, self._calibration = bench, folds, calibration
        self._similarity = SimilarityBaseline(bench.tables) if baselines else None
        self._known: dict[tuple[str, str, Protocol], np.void] = {}

    @once
    def _everyday(self) -> list[FindingId]:
        return self._bench.everyday_terms()

    def answers(self, chosen: BenchmarkSet) -> NDArray[np.void]:
        """Return one ANSWER per case of the set, in its order."""
        keys = [self._key(chosen, labelled) for labelled in chosen.cases]
        open_ = {k: c for k, c in zip(keys, chosen.cases, strict=True) if k not in self._known}
        todo = list(open_.items())
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            found = self._ask([labelled for _, labelled in batch], chosen)
            self._known.update(zip((key for key, _ in batch), found, strict=True))
        return np.array([self._known[key] for key in keys], dtype=ANSWER)

    def _key(self, chosen: BenchmarkSet, labelled: LabelledCase) -> tuple[str, str, Protocol]:
        changed = stand_ins_of(self._bench, labelled, chosen.protocol)
        protocol = chosen.protocol if changed else Protocol.AS_PUBLISHED
        return labelled.id, chosen.variant, protocol

    def _ask(self, cases: Sequence[LabelledCase], chosen: BenchmarkSet) -> NDArray[np.void]:
        changed = [replace(c, case=self._changed(c, chosen.variant)) for c in cases]
        rows = [rows_of_case(self._bench, c, chosen.protocol) for c in changed]
        margins = self._folds.margins(rows)
        found = np.zeros(len(cases), dtype=ANSWER)
        found["ratio"], found["learned"] = (
            first_stage_positions(rows),
            learned_positions(rows, margins),
        )
        found["retrieved"] = [row.right.any() for row in rows]
        for hidden, suffix in ((False, ""), (True, "_hidden")):
            first, none = claims_of(self._calibration, rows, margins, hidden=hidden)
            found[f"first{suffix}"], found[f"none{suffix}"] = first, none
        if self._similarity is not None and VARIANTS[chosen.variant] is UNCHANGED:
            positions = [self._similar(c, chosen.protocol) for c in changed]
            found["phenomizer"], found["best_match_average"] = zip(*positions, strict=True)
        return found

    def _changed(self, labelled: LabelledCase, variant: str) -> Case:
        rng = np.random.default_rng(zlib.crc32(labelled.id.encode()))
        graph = self._bench.fit.index.ontology
        return vary(labelled.case, VARIANTS[variant], graph, self._everyday, rng)

    def _similar(self, labelled: LabelledCase, protocol: Protocol) -> tuple[int, int]:
        """Return the positions by similarity over every disease, ties by disease id."""
        bench, similarity = self._bench, self._similarity
        assert similarity is not None  # noqa: S101 -- asked only where it is
        query = read_case(labelled.case, bench.fit.index.ontology)
        similarities = similarity.similarities(query)
        if stand_ins := stand_ins_of(bench, labelled, protocol):
            replaced = np.array(sorted(stand_ins), dtype=np.int32)
            own = of_evidence(gather(bench.tables, query, replaced, stand_ins))
            similarities = similarities.of(own, replaced.astype(np.int64))
        right = [bench.fit.index.number_of(d) for d in bench.main_codes(labelled.truths)]
        one_way, both = (
            min((_position(scores, n) for n in right), default=MISSED)
            for scores in (similarities.phenomizer, similarities.best_match_average)
        )
        return one_way, both


@dataclass(frozen=True, slots=True)
class Answered:
    """A set and what was answered: ANSWER per case."""

    chosen: BenchmarkSet
    answers: NDArray[np.void]

    def lines(self) -> Iterator[MethodLine]:
        """Yield the recall of every method that was asked."""
        chosen = self.chosen
        for method, name in METHODS.items():
            positions = self.answers[method]
            if positions.any() and (chosen.whole or method not in BASELINES):
                line = recall_line(chosen.name, chosen.protocol, chosen.cases, positions)
                whole = chosen.whole and chosen.variant == UNCHANGED_LABEL
                yield MethodLine(method=name, variant=chosen.variant, whole=whole, line=line)

    def worth(self) -> Iterator[Worth]:
        """Yield what the probabilities claim and what came true.

        First as the set is, then with UNKNOWN_SHARE of its weight moved to the same cases with
        their disease undescribed.
        """
        asked, known = self.answers, np.ones(len(self.answers))
        plain = (asked["first"], asked["learned"] == 1, asked["none"], ~asked["retrieved"])
        never, always = np.zeros(len(asked), dtype=bool), np.ones(len(asked), dtype=bool)
        hidden = (asked["first_hidden"], never, asked["none_hidden"], always)
        yield _worth(self.chosen, "as it is", plain, known)
        mixed = [np.concatenate(pair) for pair in zip(plain, hidden, strict=True)]
        weights = np.concatenate([known * (1 - UNKNOWN_SHARE), known * UNKNOWN_SHARE])
        yield _worth(self.chosen, f"{UNKNOWN_SHARE:.0%} undescribed", mixed, weights)


def _worth(
    chosen: BenchmarkSet,
    mix: str,
    claims: Sequence[NDArray[Any]],
    weights: NDArray[np.float64],
) -> Worth:
    first, right, none, lost = claims
    return Worth(
        name=chosen.name,
        protocol=chosen.protocol,
        mix=mix,
        top=bins(first, right, weights),
        none=bins(none, lost, weights),
    )


def bins(
    claimed: NDArray[np.float64],
    true: NDArray[np.bool_],
    weights: NDArray[np.float64],
    count: int = 10,
) -> tuple[tuple[float, float], ...]:
    """Return (mean claimed, share true) of `count` parts of equal weight, least claimed first."""
    order = np.argsort(claimed, kind="stable")
    passed = np.cumsum(weights[order]) - weights[order] / 2
    part = np.minimum((passed / weights.sum() * count).astype(int), count - 1)
    return tuple(
        (
            float(np.average(claimed[order][part == p], weights=weights[order][part == p])),
            float(np.average(true[order][part == p], weights=weights[order][part == p])),
        )
        for p in range(count)
        if (part == p).any()
    )


def noise_losses(answered: Sequence[Answered]) -> tuple[NoiseLoss, ...]:
    """Return what noise costs every method of each set, with the interval of the difference."""
    calm = {
        (a.chosen.name, a.chosen.protocol): a
        for a in answered
        if a.chosen.whole and a.chosen.variant == UNCHANGED_LABEL
    }
    return tuple(
        _noise_loss(calm[a.chosen.name, a.chosen.protocol], a, method)
        for a in answered
        if a.chosen.variant == NOISY_LABEL
        for method in METHODS
        if method not in BASELINES
    )


def _noise_loss(calm: Answered, noisy: Answered, method: str) -> NoiseLoss:
    before, after = (a.answers[method] <= 10 for a in (calm, noisy))
    _, paper = np.unique([c.pmid or c.id for c in calm.chosen.cases], return_inverse=True)
    sums = np.zeros((int(paper.max()) + 1, 2))
    np.add.at(sums, paper, np.column_stack([before.astype(float) - after, np.ones(len(after))]))
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES) @ sums
    low, high = np.percentile(draws[:, 0] / draws[:, 1], [2.5, 97.5])
    return NoiseLoss(
        name=calm.chosen.name,
        protocol=calm.chosen.protocol,
        method=METHODS[method],
        cases=len(after),
        before=float(before.mean()),
        after=float(after.mean()),
        low=float(low),
        high=float(high),
    )


def learned_lines(bench: RareWorkbench, fit: LearnedFit, folder: Path) -> tuple[RecallLine, ...]:
    """Return the learned line of every whole, unchanged set: what a model card shows."""
    examiner = Examiner(bench, fit.folds, fit.calibration, baselines=False)
    lines = []
    for chosen in benchmark_sets(bench, folder, 1):
        if chosen.whole and chosen.variant == UNCHANGED_LABEL:
            positions = examiner.answers(chosen)["learned"]
            name = f"learned: {chosen.name}"
            lines.append(recall_line(name, chosen.protocol, chosen.cases, positions))
    return tuple(lines)


def save_fit(fit: LearnedFit, folder: Path) -> None:
    """Write what `load_fit` reads."""
    for at, booster in enumerate(fit.folds.boosters):
        booster.save_model(folder / f"fold-{at}.ubj")
    for name, raw in fit.members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _write(folder / name, raw)
    _write(folder / "members.json", json.dumps(sorted(fit.members)).encode())  # last: all is there


def load_fit(folder: Path) -> LearnedFit | None:
    """Return what was saved; None where nothing was, or not all of it."""
    if not (folder / "members.json").exists():
        return None
    names = json.loads((folder / "members.json").read_bytes())
    members = {name: (folder / name).read_bytes() for name in names}
    boosters = [xgboost.Booster(model_file=folder / f"fold-{at}.ubj") for at in range(FOLDS)]
    calibration = RareCalibration.from_json(members[RARE_CALIBRATION])
    return LearnedFit(members, CrossFit(tuple(boosters)), calibration)


def device_cost(bench: RareWorkbench, fit: LearnedFit, cases: Sequence[LabelledCase]) -> Cost:
    """Return size, time and memory of the model that would ship, and pyhpo beside it."""
    members = bench.fit.members() | dict(fit.members)
    device = replace(bench, ranker=RareRanker(bench.fit.index))  # remembers nothing
    stage = rare_cost.stage_of(device, members, fit.calibration)
    ten = rare_cost.cases_of_ten(device, cases, 310)
    vocabulary = {HPO_TERMS: vocabulary_members(read_ontology())[HPO_TERMS]}
    return Cost(
        sizes=rare_cost.sizes(members),
        latency=rare_cost.latency(device, stage, ten),
        resident_mb=rare_cost.resident_mb(members | vocabulary),
        peer=rare_cost.beside_pyhpo(device, stage, ten[:20]),
    )


def _cost_from(text: str) -> Cost:
    kept = json.loads(text)
    return Cost(
        sizes={name: (raw, packed) for name, (raw, packed) in kept["sizes"].items()},
        latency=Latency(**kept["latency"]),
        resident_mb=tuple(kept["resident_mb"]),
        peer=PeerCost(**kept["peer"]),
    )


def state_of(folder: Path, every: int) -> str:
    """Return what names one state of code and data: the cache of another one is not read."""
    core, fitting = Path(ddx.__file__).parent, Path(training.__file__).parent
    folders = (core / "features", core / "inference", fitting / "fit", fitting / "evaluate")
    sources = [
        path
        for parent in folders
        for path in sorted(parent.glob("rare*.py"))
        if path.name != "rare_report.py"
    ]
    digest = hashlib.sha256(str(every).encode())
    for path in sources:
        digest.update(path.name.encode() + path.read_bytes())
    for name in (phenopackets.PHENOPACKETS, phenopackets.PHENOBRAIN, phenopackets.PUBLISHED_SET):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:16]


def run(folder: Path, cache: Path, every: int, say: Say) -> Report:
    """Measure everything that the cache does not hold yet."""
    started = time.monotonic()
    cache.mkdir(parents=True, exist_ok=True)
    bench, packets = RareWorkbench.build(folder), read_phenopackets(folder)
    published = [c for c in packets if c.published]
    fit = load_fit(cache)
    resumed = fit is not None
    if fit is None:
        fit = fit_learned(bench, folder, say)
        save_fit(fit, cache)
    say("models fitted")
    cost_file = cache / "cost.json"
    if not cost_file.exists():
        _write(cost_file, json.dumps(asdict(device_cost(bench, fit, published))).encode())
    say("device measured")
    answered = list(_answered(bench, fit, benchmark_sets(bench, folder, every), cache, say))
    return Report(
        lines=[line for part in answered for line in part.lines()],
        noise=noise_losses(answered),
        kept=[
            line
            for part in answered
            if part.chosen.whole
            and part.chosen.variant == UNCHANGED_LABEL
            and part.chosen.protocol is not Protocol.AS_PUBLISHED
            for line in kept_lines(bench, part.chosen.cases, part.chosen.protocol, part.answers)
        ],
        worth=[
            worth
            for part in answered
            if part.chosen.whole and part.chosen.variant == UNCHANGED_LABEL
            for worth in part.worth()
        ],
        cost=_cost_from(cost_file.read_text(encoding="utf-8")),
        matched=[c.published for c in published if c.published],
        minutes=(time.monotonic() - started) / 60,
        every=every,
        resumed=resumed,
    )


def _answered(
    bench: RareWorkbench, fit: LearnedFit, sets: Sequence[BenchmarkSet], cache: Path, say: Say
) -> Iterator[Answered]:
    examiner = Examiner(bench, fit.folds, fit.calibration)
    for number, chosen in enumerate(sets):
        kept = cache / f"answers-{number:02d}.npy"
        if not kept.exists():
            packed = io.BytesIO()
            np.save(packed, examiner.answers(chosen), allow_pickle=False)
            _write(kept, packed.getvalue())
        yield Answered(chosen, np.load(kept, allow_pickle=False))
        say(f"{chosen.name}, {chosen.protocol}, {chosen.variant}: {len(chosen.cases)} cases")


def _write(path: Path, raw: bytes) -> None:
    """Write a file whole or not at all."""
    half = path.with_suffix(".half")
    half.write_bytes(raw)
    half.replace(path)


def main() -> None:
    """Run the benchmark, print its report and, when asked, write it."""
    default = os.environ.get("VEREDA_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description="The rare benchmark, learned and baselines.")
    parser.add_argument("--data", type=Path, default=Path(default), help="clinical data sets")
    parser.add_argument(
        "--every", type=int, default=1, help="keep one case of the 4,917 in so many"
    )
    parser.add_argument("--out", type=Path, help="write the report to this file")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/rare_benchmark"), help="what a run has done"
    )
    arguments = parser.parse_args()
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {what}", flush=True)

    cache = arguments.cache / state_of(arguments.data, arguments.every)
    text = markdown(run(arguments.data, cache, arguments.every, say))
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
