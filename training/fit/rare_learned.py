"""Fits the learned rare ranker: which rows, which weights, which trees, which calibration.

Fitted on tuning phenopackets (`training.sources.phenopackets.tuning_cases`) with the rows of
their own paper removed, on variants of these (fewer findings, no exclusions, vaguer words,
unrelated findings), and on simulated patients. The 4,917 set,
every paper that contributed to it, the clean set and PhenoBrain never reach this module.

Figures come from cross-fitting: diseases are dealt into folds, and a case is ranked by a model
fitted without any case of its disease. The model that ships is fitted on all folds.

    python -m training.fit.rare_learned --data FOLDER --out FOLDER
"""

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logsumexp

from ddx.domain.identifiers import DiseaseId
from ddx.explain.trees import Forest
from ddx.features.rare_pairs import FEATURES, FEATURES_HASH
from ddx.inference.rare_learned import (
    EVIDENCE_COLUMN,
    RARE_CALIBRATION,
    RARE_FACTS,
    RARE_MODEL,
    RARE_TREES,
    RareCalibration,
)
from ddx.inference.session import ModelSession
from training.evaluate.rare import Protocol
from training.export.forest import ExportError, forest_of
from training.export.onnx import onnx_of
from training.fit.rare_facts import facts_member
from training.fit.rare_rows import CaseRows, RareWorkbench, rows_of_case, rows_of_simulated
from training.fit.rare_simulate import simulate
from training.fit.rare_variants import Variant, draw_noisy_variant, draw_variant, vary
from training.sources.phenopackets import (
    LabelledCase,
    read_phenobrain,
    read_phenopackets,
    tuning_cases,
)

FOLDS: Final = 3
BLEND: Final = 0.1
"""Margin per unit of log likelihood ratio, beside the trees. Chosen on the tuning cases: from 0 to
0.1 raised top-10 without exclusions and with fewer, vaguer findings from .501 to .520 (cases of a
disease weighed down by crowding) and left the plain ones where they were; 0.2 was worse there."""

UNKNOWN_SHARE: Final = 0.2
"""Estimate. Share of rare patients whose disease the annotations do not hold; new diseases are
described every year, and no source counts the patients who wait for theirs."""

MIN_DESCRIBED: Final = 5
"""Terms without which a profile describes no disease. Of the tuning cases, 15 % have none and
17 % have fewer once their own paper is gone."""

RIDGE: Final = 1e-3

MARGIN_PARITY: Final = 1e-4  # largest difference of a margin; margins span about 10

MORE_IS_BETTER: Final = frozenset(
    (
        "lr",
        "lr_present",
        "lr_excluded",
        "lr_per_finding",
        "lr_strict",
        "lr_lenient",
        "lr_low_noise",
        "lr_high_noise",
        "lr_kin",
        "lr_best",
        "lr_second",
        "lr_top3",
        "lr_worst",
        "lr_against",
        "exact",
        "exact_share",
        "exact_content",
        "frequency_mean",
        "frequency_max",
        "expected_content",
        "resnik_case",
        "resnik_case_max",
        "resnik_case_min",
        "resnik_disease",
        "resnik_disease_weighed",
        "resnik_both",
        "match_case",
        "match_disease",
        "simgic",
        "closure_case",
        "closure_disease",
        "latent",
        "coverage",
        "coverage_content",
        "obligates_seen",
        "gap_to_next",
        "posterior",
        "family_posterior",
        "family_gap",
        "neighbours",
        "lone_content",
        "lr_but_best",
        "lr_but_best_two",
        "lr_but_worst",
        "lr_but_worst_two",
        "lr_capped",
        "supported",
        "lr_coherent",
    )
)
LESS_IS_BETTER: Final = frozenset(
    (
        "unexplained",
        "unexplained_content",
        "obligates_ruled_out",
        "never_seen",
        "before_onset",
        "rank",
        "gap_to_best",
        "rank_resnik",
        "rank_simgic",
        "rank_strict",
        "rank_coverage",
        "gap_resnik",
        "gap_simgic",
        "gap_latent",
        "rank_but_best",
        "rank_but_worst",
        "rank_coherent",
        "gap_but_best",
        "gap_but_worst",
        "gap_coherent",
        "gap_capped",
    )
)
"""Columns in which the margin may only rise, or only fall. A disease that explains more never
falls for it; and what 250 tuning diseases teach carries over better to the other 10,000."""

_SIGNS: Final = [(name in MORE_IS_BETTER) - (name in LESS_IS_BETTER) for name in FEATURES]

PARAMETERS: Final = {
    "objective": "rank:pairwise",
    "lambdarank_pair_method": "topk",
    "lambdarank_num_pair_per_sample": 16,
    "eta": 0.1,
    "max_depth": 5,
    "min_child_weight": 5,
    "subsample": 0.6,
    "colsample_bytree": 0.5,
    "reg_lambda": 5,
    "base_score": 0.0,
    "tree_method": "hist",
    "max_bin": 64,
    "monotone_constraints": f"({','.join(map(str, _SIGNS))})",
    "nthread": 1,
    "seed": 0,
}
"""rank:ndcg and depths 3, 4 and 6 were no better on the tuning cases (compared while test figures
were printed too). Three trees a step, starting from the likelihood ratio, more variants with
their paper left in, and leaving out how well a disease is described: no better or worse on
cross-fitted tuning cases, their variants without exclusions and their noisy ones (no test figure
in view). Two noisy copies of every case raised the first place of noisy ones from .435 to .449
(five findings and noise: .854 in the first ten, .894 without noise); one of them with its paper
left in gave .869 there and cost the first place of plain cases 1.3 points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSettings:
    """What the ranker is fitted on.

    rounds: trees. hardest, others: candidates kept per case, the first by
    likelihood ratio and others at random. variants: changed copies drawn per tuning case, at
    most variants_per_disease of one disease. noisy: as variants, every one with noise.
    simulated, simulated_weight: patients, and the weight of each beside a published case; half
    of them get the same noise. crowding: a case weighs n ** -crowding where its disease has n
    cases.
    """

    rounds: int = 80
    hardest: int = 30
    others: int = 15
    variants: int = 2
    variants_per_disease: int = 20
    noisy: int = 2
    simulated: int = 600
    simulated_weight: float = 0.05
    crowding: float = 0.6


SETTINGS: Final = LearnedSettings()


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows of every case and the weight of each case, weights averaging about 1."""

    cases: tuple[CaseRows, ...]
    weights: tuple[float, ...]

    def without(self, diseases: Iterable[DiseaseId]) -> "TrainingRows":
        """Return the rows of cases with none of these diseases."""
        left_out = set(diseases)
        kept = [i for i, c in enumerate(self.cases) if left_out.isdisjoint(c.group)]
        return TrainingRows(
            tuple(self.cases[i] for i in kept), tuple(self.weights[i] for i in kept)
        )


def training_rows(
    bench: RareWorkbench, cases: Sequence[LabelledCase], settings: LearnedSettings = SETTINGS
) -> TrainingRows:
    """Return everything the ranker is fitted on.

    cases: ALL phenopackets; the tuning cases are picked here, and the papers of the others are
    forbidden as sources of simulated patients.
    """
    tuning = tuning_cases(cases)
    plain = [rows_of_case(bench, c, Protocol.SOLE_SOURCE_REMOVED) for c in tuning]
    varied = _variants(bench, tuning, draw_variant, settings.variants, settings)
    noisy = _variants(bench, tuning, draw_noisy_variant, settings.noisy, settings)
    published = (plain, varied, noisy)
    simulated = _simulated(bench, cases, tuning, settings)
    weights = (
        *(weight for part in published for weight in _crowding(part, settings.crowding)),
        *(settings.simulated_weight for _ in simulated),
    )
    return TrainingRows((*plain, *varied, *noisy, *simulated), weights)


def fit_ranker(rows: TrainingRows, settings: LearnedSettings = SETTINGS) -> xgboost.Booster:
    """Return the booster fitted on the cases whose diagnosis was retrieved.

    Raises:
        ValueError: no case is usable.
    """
    rng = np.random.default_rng(0)
    usable = [(c, w) for c, w in zip(rows.cases, rows.weights, strict=True) if c.right.any()]
    if not usable:
        raise ValueError("no case whose diagnosis was retrieved")
    picks = [_picked(case, settings, rng) for case, _ in usable]
    matrix = xgboost.DMatrix(
        np.concatenate([c.features[p] for (c, _), p in zip(usable, picks, strict=True)]),
        np.concatenate([c.right[p] for (c, _), p in zip(usable, picks, strict=True)]).astype(int),
    )
    matrix.set_group([len(p) for p in picks])
    matrix.set_weight([w for _, w in usable])
    return xgboost.train(PARAMETERS, matrix, settings.rounds)


def margins_of(booster: xgboost.Booster, cases: Sequence[CaseRows]) -> list[NDArray[np.float64]]:
    """Return the margins of every case's candidates, in the order of its rows."""
    stacked = np.concatenate([c.features for c in cases])
    flat = tree_margins(booster, stacked) + BLEND * stacked[:, EVIDENCE_COLUMN]
    return np.split(flat, np.cumsum([len(c.features) for c in cases])[:-1])


def tree_margins(booster: xgboost.Booster, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the trees say of every row."""
    return booster.predict(xgboost.DMatrix(rows), output_margin=True).astype(np.float64)


def fold_of(diseases: Sequence[DiseaseId], folds: int = FOLDS) -> int:
    """Return the fold of a case, the same on every machine; 0 for an unknown disease."""
    return zlib.crc32(diseases[0].encode()) % folds if diseases else 0


@dataclass(frozen=True, slots=True)
class CrossFit:
    """One booster per fold, none of which saw a case of a disease of that fold."""

    boosters: tuple[xgboost.Booster, ...]

    @classmethod
    def of(
        cls,
        rows: TrainingRows,
        groups: Iterable[tuple[DiseaseId, ...]] = (),
        settings: LearnedSettings = SETTINGS,
    ) -> Self:
        """Fit the folds. groups: diseases of the cases to be ranked, `CaseRows.group` each.

        A case with several diseases is ranked in the fold of its first; the others are left out
        of that fold too.
        """
        left_out: list[set[DiseaseId]] = [set() for _ in range(FOLDS)]
        for group in (*groups, *(case.group for case in rows.cases)):
            left_out[fold_of(group)].update(group)
        return cls(tuple(fit_ranker(rows.without(diseases), settings) for diseases in left_out))

    def margins(self, cases: Sequence[CaseRows]) -> list[NDArray[np.float64]]:
        """Return the margins of every case by the booster that saw none of its diseases."""
        found = [np.zeros(0)] * len(cases)
        for fold, booster in enumerate(self.boosters):
            own = [i for i, case in enumerate(cases) if fold_of(case.group) == fold]
            if own:
                answers = margins_of(booster, [cases[i] for i in own])
                for i, margins in zip(own, answers, strict=True):
                    found[i] = margins
        return found


def fit_calibration(rows: TrainingRows, margins: Sequence[NDArray[np.float64]]) -> RareCalibration:
    """Return the calibration of least log loss, cases weighed as in fitting.

    The scale is that of the candidates among themselves, where the diagnosis is one of them.
    "None of these" is a logistic regression on what `RareCalibration` names. There each case
    counts twice: as it is (not retrieved: "none" is right), and, weighing UNKNOWN_SHARE, as if
    nobody had described its disease: without it among the candidates. A case whose own paper
    took its disease's profile along (fewer than MIN_DESCRIBED terms left) is left out: how many
    patients have a disease that nobody described is UNKNOWN_SHARE's to say, and was counted
    twice.
    margins: of models that saw neither the diseases nor the cases.
    """
    kept = [i for i, c in enumerate(rows.cases) if c.described >= MIN_DESCRIBED and len(c.right)]
    cases, own = [rows.cases[i] for i in kept], [margins[i] for i in kept]
    weights = np.array([rows.weights[i] for i in kept])
    scale = _scale(cases, own, weights)
    known = _none_inputs(cases, own, scale, hidden=False)
    unknown = _none_inputs(cases, own, scale, hidden=True)
    lost = np.array([not c.right.any() for c in cases])
    x = _logistic(
        np.concatenate([known, unknown]),
        np.concatenate([lost, np.ones(len(lost), dtype=bool)]),
        np.concatenate([weights * (1 - UNKNOWN_SHARE), weights * UNKNOWN_SHARE]),
    )
    return RareCalibration(
        blend=BLEND,
        evidence_weight=_slope(rows.cases, margins),
        scale=scale,
        none=float(x[0]),
        none_slope=float(x[1]),
        none_share=float(x[2]),
        none_level=1.0 + float(x[3]),  # the regression is against all candidates together
    )


def claims_of(
    calibration: RareCalibration,
    cases: Sequence[CaseRows],
    margins: Sequence[NDArray[np.float64]],
    *,
    hidden: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is claimed of the first place and of "none of these", per case.

    hidden: with the diagnosis taken out of the candidates.
    """
    first, none = np.zeros(len(cases)), np.zeros(len(cases))
    for i, (case, own) in enumerate(zip(cases, margins, strict=True)):
        kept = _kept(case, hidden=hidden)
        probabilities = calibration.probabilities(own[kept], evidence_of(case, kept))
        first[i], none[i] = probabilities[:-1].max(initial=0), probabilities[-1]
    return first, none


def _kept(case: CaseRows, *, hidden: bool) -> NDArray[np.bool_]:
    return ~case.right if hidden else np.ones(len(case.right), dtype=bool)


def _scale(
    cases: Sequence[CaseRows],
    margins: Sequence[NDArray[np.float64]],
    weights: NDArray[np.float64],
) -> float:
    """Return what makes the softmax of the margins most likely, given the diagnosis is there."""
    found = [i for i, case in enumerate(cases) if case.right.any()]
    if not found:
        return 1.0
    padded = np.full((len(found), max(len(margins[i]) for i in found)), -np.inf)
    right = np.zeros(padded.shape, dtype=bool)
    for row, i in enumerate(found):
        padded[row, : len(margins[i])], right[row, : len(margins[i])] = margins[i], cases[i].right

    def loss(log_scale: float) -> float:
        logits = padded * np.exp(log_scale)
        said = logsumexp(np.where(right, logits, -np.inf), axis=1)
        return float(np.average(logsumexp(logits, axis=1) - said, weights=weights[found]))

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def _none_inputs(
    cases: Sequence[CaseRows],
    margins: Sequence[NDArray[np.float64]],
    scale: float,
    *,
    hidden: bool,
) -> NDArray[np.float64]:
    """Return (n_cases, 3): evidence, share of the best candidate, level of all."""
    inputs = np.zeros((len(cases), 3))
    for i, (case, own) in enumerate(zip(cases, margins, strict=True)):
        kept = _kept(case, hidden=hidden)
        if kept.any():
            scaled = own[kept] * scale
            level = float(logsumexp(scaled))
            inputs[i] = evidence_of(case, kept), np.exp(scaled.max() - level), level
    return inputs


def _logistic(
    inputs: NDArray[np.float64], true: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return intercept and slopes of least log loss, slopes of standard inputs held back a bit."""
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    standard = np.column_stack([np.ones(len(inputs)), (inputs - centre) / spread])
    share = weights / weights.sum()

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = standard @ x
        held = RIDGE * np.concatenate([[0.0], x[1:]])
        error = share * (expit(logits) - true)
        total = share @ (np.logaddexp(0, logits) - true * logits) + 0.5 * held @ x
        return float(total), error @ standard + held

    x = minimize(loss, np.zeros(standard.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = x[1:] / spread
    return np.concatenate([[x[0] - slopes @ centre], slopes])


def _slope(cases: Sequence[CaseRows], margins: Sequence[NDArray[np.float64]]) -> float:
    """Return how much margin goes with one unit of log likelihood ratio, within a case."""
    together = squared = 0.0
    for case, own in zip(cases, margins, strict=True):
        lr = case.features[:, EVIDENCE_COLUMN].astype(np.float64)
        together += float((lr - lr.mean()) @ (own - own.mean()))
        squared += float((lr - lr.mean()) @ (lr - lr.mean()))
    return max(together / max(squared, 1e-9), 0.0)


def learned_members(
    bench: RareWorkbench,
    booster: xgboost.Booster,
    calibration: RareCalibration,
    proof: Sequence[CaseRows],
) -> dict[str, bytes]:
    """Return the bundle members of the learned stage.

    proof: cases on which the ONNX model must answer like the booster.

    Raises:
        ExportError: it does not, by MARGIN_PARITY or more.
    """
    forest = ranker_forest(booster)
    onnx = onnx_of(forest)
    rows = np.concatenate([c.features for c in proof])
    theirs = ModelSession.from_bytes(onnx).run(rows)[:, 0]
    difference = float(np.abs(theirs - tree_margins(booster, rows)).max())
    if not difference < MARGIN_PARITY:
        raise ExportError(f"rare margins differ by {difference:.1e}, limit {MARGIN_PARITY:.0e}")
    return {
        RARE_MODEL: onnx,
        RARE_TREES: forest.to_npz(),
        RARE_FACTS: facts_member(bench.arrays),
        RARE_CALIBRATION: calibration.to_json(),
    }


def ranker_forest(booster: xgboost.Booster) -> Forest:
    """Return the trees of the ranker: a ranking booster is a forest of one output."""
    saved = json.loads(bytes(booster.save_raw("json")))
    saved["learner"]["learner_model_param"]["num_class"] = "1"
    no_findings = np.full((1, len(FEATURES)), np.nan, dtype=np.float32)
    text = json.dumps(saved).encode()
    return forest_of(text, schema_hash=FEATURES_HASH, frequency=no_findings)


def evidence_of(case: CaseRows, kept: NDArray[np.bool_] | None = None) -> float:
    """Return the best likelihood ratio per finding, as the device hands it to the calibration.

    kept: candidates to look at, all by default.
    """
    names = tuple(FEATURES)
    ratios = case.features[:, EVIDENCE_COLUMN][slice(None) if kept is None else kept]
    findings = case.features[:, names.index("case_present")].max(initial=1)
    return float(ratios.max(initial=-np.inf) / findings) if len(ratios) else 0.0


def _picked(
    case: CaseRows, settings: LearnedSettings, rng: np.random.Generator
) -> NDArray[np.int64]:
    count, hardest = len(case.right), settings.hardest
    rest = np.arange(min(hardest, count), count)
    others = rng.choice(rest, min(settings.others, len(rest)), replace=False)
    kept = np.concatenate([np.arange(min(hardest, count)), others, np.flatnonzero(case.right)])
    return np.unique(kept)


def _crowding(cases: Sequence[CaseRows], power: float) -> list[float]:
    counts = Counter(c.group for c in cases)
    weights = np.array([counts[c.group] ** -power for c in cases])
    return (weights / weights.mean()).tolist() if cases else []


def _variants(
    bench: RareWorkbench,
    tuning: Sequence[LabelledCase],
    draw: Callable[[np.random.Generator], Variant],
    count: int,
    settings: LearnedSettings,
) -> list[CaseRows]:
    rng, protocol = np.random.default_rng(0), Protocol.SOLE_SOURCE_REMOVED
    graph, pool = bench.fit.index.ontology, bench.everyday_terms()
    rows = []
    for _ in range(count):
        by_disease: dict[tuple[DiseaseId, ...], list[LabelledCase]] = defaultdict(list)
        for i in rng.permutation(len(tuning)).tolist():
            by_disease[tuning[i].truths].append(tuning[i])
        for cases in by_disease.values():
            for labelled in cases[: settings.variants_per_disease]:
                case = vary(labelled.case, draw(rng), graph, pool, rng)
                if case.present:
                    rows.append(rows_of_case(bench, replace(labelled, case=case), protocol))
    return rows


def _simulated(
    bench: RareWorkbench,
    cases: Sequence[LabelledCase],
    tuning: Sequence[LabelledCase],
    settings: LearnedSettings,
) -> list[CaseRows]:
    if not settings.simulated:
        return []
    allowed = {c.id for c in tuning}
    forbidden = frozenset(c.pmid for c in cases if c.pmid and c.id not in allowed)
    patients = simulate(
        bench.fit,
        bench.tables.facts,
        count=settings.simulated,
        sizes=[len(c.case.present) for c in tuning if c.case.present],
        forbidden=forbidden,
    )
    rng = np.random.default_rng(0)
    graph, pool, rows = bench.fit.index.ontology, bench.everyday_terms(), []
    for i, patient in enumerate(patients):
        silent = Variant(exclusions=bool(rng.random() < 0.5))
        change = draw_noisy_variant(rng) if rng.random() < 0.5 else silent
        case = vary(patient.case, change, graph, pool, rng)
        rows.append(rows_of_simulated(bench, replace(patient, case=case), f"simulated-{i}"))
    return rows


@dataclass(frozen=True, slots=True)
class LearnedFit:
    """What ships, and the cross-fitted models that measure it."""

    members: Mapping[str, bytes]
    folds: CrossFit
    calibration: RareCalibration


def fit_learned(
    bench: RareWorkbench, folder: Path, say: Callable[[str], None] = lambda _: None
) -> LearnedFit:
    """Fit, calibrate and prove the learned stage from the data sets in `folder`.

    Raises:
        CaseSourceError: a set is missing or malformed.
        ExportError: the exported model answers otherwise than the fitted one.
    """
    cases = read_phenopackets(folder)
    rows = training_rows(bench, cases)
    say(f"learned ranking: {len(rows.cases)} training cases")
    measured = (*cases, *read_phenobrain(folder))
    folds = CrossFit.of(rows, {bench.main_codes(c.truths) for c in measured})
    calibration = fit_calibration(rows, folds.margins(rows.cases))
    members = learned_members(bench, fit_ranker(rows), calibration, rows.cases[:200])
    return LearnedFit(members, folds, calibration)


def main() -> None:
    """Fit, calibrate, prove and write the members of the learned stage."""
    parser = argparse.ArgumentParser(description="Fit the learned rare ranker.")
    parser.add_argument("--data", type=Path, required=True, help="clinical data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the bundle members")
    arguments = parser.parse_args()
    bench = RareWorkbench.build(arguments.data)
    members = fit_learned(bench, arguments.data, print).members
    for name, raw in (bench.fit.members() | dict(members)).items():
        path = arguments.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        print(f"{name}: {len(raw):,} bytes")


if __name__ == "__main__":
    main()
