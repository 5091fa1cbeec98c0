"""What the learned rare ranker sees of a (case, candidate) pair: named columns, one code path.

`pair_features` turns the evidence of one query into float32 (n_candidates, len(FEATURES)), in
the order of FEATURES. Training and device both call it, so they cannot drift apart. nan means
"not known" (age, sex, prevalence, onset); the trees learn where it goes.

Columns compare candidates of one query with each other too (ranks, gaps, posteriors): the same
disease described by the same findings looks better where no rival explains them.
"""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Sex
from ddx.features.rare_evidence import PairEvidence, Patient
from ddx.features.rare_facts import FACTS
from ddx.features.rare_index import RareParameters

Floats = NDArray[np.float32]
Columns = dict[str, NDArray[Any]]

OBLIGATE: Final = 0.8
"""HPO calls a finding "very frequent" from 80 % of patients (HP:0040281)."""

FEATURES: Final = {
    # Likelihood ratios (Robinson et al. 2020, Am J Hum Genet 107:403; ddx.inference.rare)
    "lr": "the first stage's score: sum of log likelihood ratios",
    "lr_present": "its part from findings seen",
    "lr_excluded": "its part from findings ruled out",
    "lr_per_finding": "lr_present / findings seen",
    "lr_strict": "as lr_present, findings not annotated count as chance (no ancestors)",
    "lr_lenient": "as lr_present, an ancestor's ratio counts in full, square root",
    "lr_low_noise": "as lr_present with 5 % noise: one unexplained finding weighs heavily",
    "lr_high_noise": "as lr_present with 50 % noise: unexplained findings weigh little",
    "lr_kin": "as lr_present from ancestors alone, never the finding itself",
    "lr_best": "largest log ratio of any finding",
    "lr_second": "second largest",
    "lr_top3": "mean of the three largest",
    "lr_worst": "smallest log ratio of any finding",
    "lr_spread": "standard deviation of the log ratios",
    "lr_against": "sum of the negative log ratios",
    # Findings of the case explained by the disease
    "exact": "findings annotated themselves (or through a more specific term)",
    "exact_share": "exact / findings seen",
    "exact_content": "share of the case's information content annotated exactly",
    "unexplained": "findings whose log ratio is negative",
    "unexplained_content": "largest content of a finding the disease shares less than a third of",
    "frequency_mean": "mean frequency in the disease of the findings seen",
    "frequency_max": "largest such frequency",
    "expected_content": "mean over findings of the best ancestor's content times its frequency",
    # Semantic similarity (Resnik 1995; Lin 1998; Koehler 2009; Pesquita 2008, BMC Bioinf 9:S4)
    "resnik_case": "mean over findings of the content shared with the disease (Phenomizer)",
    "resnik_case_max": "largest shared content",
    "resnik_case_min": "smallest shared content",
    "resnik_disease": "mean over annotations of the content shared with the case",
    "resnik_disease_weighed": "the same, weighed by the annotation's frequency",
    "resnik_both": "mean of both directions (best-match average)",
    "match_case": "mean share of a finding's own content that the disease shares (Lin-like)",
    "match_disease": "mean share of an annotation's own content that the case shares",
    "simgic": "content of common closure / content of united closure (simGIC)",
    "closure_case": "share of the case's closure content that the disease has",
    "closure_disease": "share of the disease's closure content that the case has",
    "latent": "cosine of case and disease in the latent space of all annotations",
    # What the disease leads one to expect
    "coverage": "frequency-weighed share of annotations that the case shows (exact or broader)",
    "coverage_content": "the same, weighed by content too",
    "obligates": "annotations of at least 80 %",
    "obligates_seen": "share of these that the case shows, nan without any",
    "obligates_ruled_out": "how many of these the case rules out",
    "ruled_out": "sum of frequencies of annotations ruled out",
    "never_seen": "findings present that no described patient showed (stated 0 %)",
    # Findings ruled out
    "excluded_max": "largest frequency in the disease of a finding ruled out",
    "excluded_surprise": "sum of -log(1 - 0.99 frequency) over findings ruled out",
    "excluded_annotated_share": "share of the findings ruled out that the disease can show",
    # The case (equal for all candidates: lets trees condition on it)
    "case_present": "findings seen",
    "case_excluded": "findings ruled out",
    "case_content": "mean content of the findings seen",
    "case_content_max": "largest content of a finding seen",
    "case_redundant": "share of the findings entered that another one already says",
    # The disease
    "annotations": "log(1 + annotated terms)",
    "annotation_content": "mean content of the annotations",
    "annotations_stated": "share of the annotations that state a frequency",
    "closure": "content of the disease's closure",
    **FACTS,
    # Patient against disease
    "age": "age in years",
    "before_onset": "years the patient is younger than the earliest onset, log(1 + x)",
    "after_onset": "years the patient is older than the latest onset, log(1 + x)",
    "sex_x_linked": "+1 male, -1 female with an X-linked disease; 0 otherwise",
    # Candidates against each other
    "rank": "log of the position by lr",
    "gap_to_best": "lr of the best candidate minus lr",
    "gap_to_next": "lr minus that of the next candidate down",
    "posterior": "softmax of lr over the candidates",
    "rank_resnik": "log of the position by resnik_both",
    "rank_simgic": "log of the position by simgic",
    "rank_strict": "log of the position by lr_strict",
    "rank_coverage": "log of the position by coverage_content",
    "gap_resnik": "best resnik_both minus its own",
    "gap_simgic": "best simgic minus its own",
    "gap_latent": "best latent minus its own",
    "family_others": "other candidates whose name differs by a subtype number only",
    "family_posterior": "posterior of the whole family",
    "family_gap": "lr minus that of the best other family member, nan without any",
    "neighbours": "mean latent likeness to all candidates, weighed by their posterior",
    "lone_content": "largest content only this candidate shares: shared minus the others' mean",
    # What remains when single findings are not believed (trimmed sums; chance finds and misprints)
    "lr_but_best": "lr_present without its largest log ratio",
    "lr_but_best_two": "without its two largest",
    "lr_but_worst": "without its smallest",
    "lr_but_worst_two": "without its two smallest",
    "lr_capped": "sum of the log ratios, each at most 3: no single finding carries a disease",
    "supported": "findings whose log ratio is above 1",
    "lr_coherent": "sum of the log ratios, each weighed by how well the other findings expect it",
    "case_coherence": "mean of these weights over the findings of the case",
    "case_strangers": "findings of the case the others do not expect: sum of 1 - weight",
    "rank_but_best": "log of the position by lr_but_best",
    "rank_but_worst": "log of the position by lr_but_worst_two",
    "rank_coherent": "log of the position by lr_coherent",
    "gap_but_best": "best lr_but_best minus its own",
    "gap_but_worst": "best lr_but_worst_two minus its own",
    "gap_coherent": "best lr_coherent minus its own",
    "gap_capped": "best lr_capped minus its own",
}
"""Name of every column and what it holds; the order is the model's.

Columns are only ever added at the end: a model fitted before reads the first ones.
"""


def features_hash(width: int = len(FEATURES)) -> str:
    """Return the hash of the first `width` columns, which a model carries."""
    return hashlib.sha256("\n".join(tuple(FEATURES)[:width]).encode()).hexdigest()


FEATURES_HASH: Final = features_hash()
"""Carried by the model: it reads these columns in this order and no others."""

LOG_RATIO_CAP: Final = 3.0
"""Estimate. Twenty times chance: two such findings still outweigh the third's coincidence."""


def pair_features(
    evidence: PairEvidence, patient: Patient, parameters: RareParameters
) -> NDArray[np.float32]:
    """Return float32 (n_candidates, len(FEATURES)); nan where something is not known.

    parameters: constants of the first stage, for `lr` and what derives from it.
    """
    count = len(evidence.family)
    columns: Columns = {}
    if not count:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    columns |= _ratios(evidence, parameters)
    columns |= _explained(evidence)
    columns |= _similarity(evidence)
    columns |= _expected(evidence)
    columns |= _excluded(evidence)
    columns |= _case(evidence, patient)
    columns |= _patient(evidence, patient)
    columns |= _rivals(evidence, columns)
    columns |= _doubted(evidence, columns, parameters)
    rows = np.empty((count, len(FEATURES)), dtype=np.float32)
    for at, name in enumerate(FEATURES):
        rows[:, at] = columns[name]
    return rows


def present_log_ratios(
    evidence: PairEvidence, *, noise: float, weight: float, exponent: float
) -> Floats:
    """Return log ratios (n_present, n) as `ddx.inference.rare` defines them."""
    kin = weight * evidence.seen.kin**exponent if weight else 0.0
    ratios: Floats = np.log(noise + (1 - noise) * np.maximum(evidence.seen.own, kin))
    return ratios


def _ratios(evidence: PairEvidence, p: RareParameters) -> Columns:
    n = max(len(evidence.seen.own), 1)
    weight, exponent = p.ancestor_weight, p.ancestor_exponent

    def total(noise: float, weight: float, exponent: float) -> Floats:
        logs = present_log_ratios(evidence, noise=noise, weight=weight, exponent=exponent)
        summed: Floats = logs.sum(axis=0)
        return summed

    logs = present_log_ratios(evidence, noise=p.noise, weight=weight, exponent=exponent)
    doubts = [
        p.excluded_weight * np.log1p(-p.excluded_strength * f**p.excluded_exponent)
        for f in (evidence.excluded_share, evidence.excluded_chance[:, np.newaxis])
    ]
    present, excluded = logs.sum(axis=0), (doubts[0] - doubts[1]).sum(axis=0)
    kin_only = np.log(p.noise + (1 - p.noise) * weight * evidence.seen.kin**exponent)
    padded = np.concatenate([logs, np.zeros((3, logs.shape[1]))])[: max(len(logs), 3)]
    falling = -np.sort(-padded, axis=0)
    return {
        "lr": present + excluded,
        "lr_present": present,
        "lr_excluded": excluded,
        "lr_per_finding": present / n,
        "lr_strict": total(p.noise, 0.0, 1.0),
        "lr_lenient": total(p.noise, 1.0, 0.5),
        "lr_low_noise": total(0.05, weight, exponent),
        "lr_high_noise": total(0.5, weight, exponent),
        "lr_kin": kin_only.sum(axis=0),
        "lr_best": falling[0],
        "lr_second": falling[1],
        "lr_top3": falling[:3].mean(axis=0),
        "lr_worst": logs.min(axis=0, initial=np.inf) if len(logs) else present,
        "lr_spread": logs.std(axis=0) if len(logs) else present,
        "lr_against": np.minimum(logs, 0).sum(axis=0),
        "unexplained": (logs < 0).sum(axis=0),
    }


def _explained(evidence: PairEvidence) -> Columns:
    n = max(len(evidence.seen.own), 1)
    content = evidence.seen.content[:, np.newaxis]
    exact = evidence.seen.own_share > 0
    missed = content * (evidence.seen.shared < content / 3)
    return {
        "exact": exact.sum(axis=0),
        "exact_share": exact.sum(axis=0) / n,
        "exact_content": (exact * content).sum(axis=0) / max(float(content.sum()), 1e-9),
        "unexplained_content": missed.max(axis=0, initial=0),
        "frequency_mean": evidence.seen.own_share.sum(axis=0) / n,
        "frequency_max": evidence.seen.own_share.max(axis=0, initial=0),
        "expected_content": evidence.seen.weighed.sum(axis=0) / n,
    }


def _similarity(evidence: PairEvidence) -> Columns:
    case = resnik_case(evidence)
    disease = resnik_disease(evidence)
    own = np.maximum(evidence.annotations.content, 1e-3)
    content = np.maximum(evidence.seen.content[:, np.newaxis], 1e-3)
    share, shared = evidence.annotations.share, evidence.closure.shared
    united = evidence.closure.case + evidence.closure.disease - shared
    return {
        "resnik_case": case,
        "resnik_case_max": evidence.seen.shared.max(axis=0, initial=0),
        "resnik_case_min": evidence.seen.shared.min(axis=0, initial=99) if len(content) else case,
        "resnik_disease": disease,
        "resnik_disease_weighed": _mean(evidence, evidence.annotations.match, share),
        "resnik_both": (case + disease) / 2,
        "match_case": (evidence.seen.shared / content).sum(axis=0) / max(len(content), 1),
        "match_disease": _mean(evidence, evidence.annotations.match / own),
        "simgic": shared / np.maximum(united, 1e-6),
        "closure_case": shared / max(evidence.closure.case, 1e-6),
        "closure_disease": shared / np.maximum(evidence.closure.disease, 1e-6),
        "latent": evidence.latent @ evidence.latent_case,
    }


def resnik_case(evidence: PairEvidence) -> Floats:
    """Return the mean content each finding shares with the disease: Phenomizer's similarity."""
    mean: Floats = evidence.seen.shared.sum(axis=0) / max(len(evidence.seen.shared), 1)
    return mean


def resnik_disease(evidence: PairEvidence) -> Floats:
    """Return the mean content each annotation that some patient showed shares with the case."""
    shown = (evidence.annotations.share > 0).astype(np.float32)
    return _mean(evidence, evidence.annotations.match, shown)


def _expected(evidence: PairEvidence) -> Columns:
    share, content = evidence.annotations.share, evidence.annotations.content
    shown = evidence.annotations.match >= content - 1e-4
    obligate = share >= OBLIGATE
    obligates = _sum(evidence, obligate)
    with np.errstate(invalid="ignore"):
        obligates_seen = _sum(evidence, obligate & shown) / np.where(obligates, obligates, np.nan)
    annotations = _sum(evidence, np.ones_like(share))
    return {
        "coverage": _mean(evidence, shown, share),
        "coverage_content": _mean(evidence, shown, share * content),
        "obligates": obligates,
        "obligates_seen": obligates_seen,
        "obligates_ruled_out": _sum(evidence, obligate & evidence.annotations.ruled_out),
        "ruled_out": _sum(evidence, share * evidence.annotations.ruled_out),
        "never_seen": _sum(evidence, shown & (share == 0)),
        "annotations": np.log1p(annotations),
        "annotation_content": _mean(evidence, content),
        "annotations_stated": _mean(evidence, evidence.annotations.stated),
        "closure": evidence.closure.disease,
    }


def _excluded(evidence: PairEvidence) -> Columns:
    share = evidence.excluded_share
    return {
        "excluded_max": share.max(axis=0, initial=0),
        "excluded_surprise": -np.log1p(-0.99 * share).sum(axis=0),
        "excluded_annotated_share": (share > 0).sum(axis=0) / max(len(share), 1),
    }


def _case(evidence: PairEvidence, patient: Patient) -> Columns:
    query = patient.query
    said = len(query.present) + len(query.excluded)
    values = {
        "case_present": len(query.present),
        "case_excluded": len(query.excluded),
        "case_content": evidence.seen.content.mean() if len(evidence.seen.content) else np.nan,
        "case_content_max": evidence.seen.content.max(initial=0),
        "case_redundant": len(query.redundant) / max(said + len(query.redundant), 1),
        "age": np.nan if patient.age_years is None else patient.age_years,
    }
    return {name: np.array(value, dtype=np.float32) for name, value in values.items()}


def _patient(evidence: PairEvidence, patient: Patient) -> Columns:
    facts = {name: evidence.facts[:, i] for i, name in enumerate(FACTS)}
    age = np.float32(np.nan if patient.age_years is None else patient.age_years)
    sign = {Sex.MALE: 1.0, Sex.FEMALE: -1.0}.get(patient.sex, np.nan)
    return facts | {
        "before_onset": np.log1p(np.maximum(facts["onset_first"] - age, 0)),
        "after_onset": np.log1p(np.maximum(age - facts["onset_last"], 0)),
        "sex_x_linked": sign * facts["x_linked"],
    }


def _rivals(evidence: PairEvidence, columns: Columns) -> Columns:
    lr = columns["lr"]
    falling = np.sort(lr)[::-1]
    after = np.minimum(np.searchsorted(-falling, -lr, side="right"), len(lr) - 1)
    weights = np.exp(lr - lr.max())
    posterior = weights / weights.sum()
    centre = posterior @ evidence.latent
    mean_shared = evidence.seen.shared.mean(axis=1, keepdims=True)
    lone = (evidence.seen.shared - mean_shared).max(axis=0, initial=0)
    return {
        "rank": _log_rank(lr),
        "gap_to_best": lr.max() - lr,
        "gap_to_next": lr - falling[after],
        "posterior": posterior,
        "rank_resnik": _log_rank(columns["resnik_both"]),
        "rank_simgic": _log_rank(columns["simgic"]),
        "rank_strict": _log_rank(columns["lr_strict"]),
        "rank_coverage": _log_rank(columns["coverage_content"]),
        "gap_resnik": columns["resnik_both"].max() - columns["resnik_both"],
        "gap_simgic": columns["simgic"].max() - columns["simgic"],
        "gap_latent": columns["latent"].max() - columns["latent"],
        "neighbours": evidence.latent @ centre,
        "lone_content": lone,
        **_families(evidence.family, lr, posterior),
    }


def _doubted(evidence: PairEvidence, columns: Columns, p: RareParameters) -> Columns:
    """Return what is left of the evidence when the findings that stand out are doubted."""
    weight, exponent = p.ancestor_weight, p.ancestor_exponent
    logs = present_log_ratios(evidence, noise=p.noise, weight=weight, exponent=exponent)
    total = columns["lr_present"]
    rising = np.sort(logs, axis=0)
    trust = _trust(logs, columns["lr"])
    capped = np.minimum(logs, LOG_RATIO_CAP).sum(axis=0)
    best, worst = total - rising[-1:].sum(axis=0), total - rising[:1].sum(axis=0)
    best_two, worst_two = total - rising[-2:].sum(axis=0), total - rising[:2].sum(axis=0)
    coherent = trust @ logs
    return {
        "lr_but_best": best,
        "lr_but_best_two": best_two,
        "lr_but_worst": worst,
        "lr_but_worst_two": worst_two,
        "lr_capped": capped,
        "supported": (logs > 1).sum(axis=0),
        "lr_coherent": coherent,
        "case_coherence": np.float32(trust.mean() if len(trust) else np.nan),
        "case_strangers": np.float32((1 - trust).sum()),
        "rank_but_best": _log_rank(best),
        "rank_but_worst": _log_rank(worst_two),
        "rank_coherent": _log_rank(coherent),
        "gap_but_best": best.max() - best,
        "gap_but_worst": worst_two.max() - worst_two,
        "gap_coherent": coherent.max() - coherent,
        "gap_capped": capped.max() - capped,
    }


def _trust(logs: Floats, lr: Floats) -> Floats:
    """Return (n_present,), 0..1: probability that the finding is explained, said by the others.

    Each finding is left out of the posterior of the candidates; what these expect of it is how
    far it can be believed.
    """
    others = lr[np.newaxis] - logs
    weights = np.exp(others - others.max(axis=1, keepdims=True, initial=-np.inf))
    expected = (weights * (logs > 0)).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    trust: Floats = expected.astype(np.float32)
    return trust


def _families(family: NDArray[np.int32], lr: Floats, posterior: Floats) -> Columns:
    same = family[:, np.newaxis] == family[np.newaxis]
    others = same & ~np.eye(len(family), dtype=bool)
    best = np.where(others, lr[np.newaxis], -np.inf).max(axis=1)
    return {
        "family_others": others.sum(axis=1),
        "family_posterior": same @ posterior,
        "family_gap": np.where(np.isfinite(best), lr - best, np.nan),
    }


def _log_rank(scores: Floats) -> Floats:
    """Return log(1 + number of candidates with a better score)."""
    better = np.searchsorted(np.sort(-scores), -scores, side="left")
    return np.log1p(better).astype(np.float32)


def _sum(evidence: PairEvidence, values: NDArray[Any]) -> Floats:
    """Return the sum of an annotation-wise array per candidate."""
    n = len(evidence.family)
    summed = np.bincount(evidence.annotations.owner, values.astype(np.float64), minlength=n)
    return summed.astype(np.float32)


def _mean(
    evidence: PairEvidence, values: NDArray[Any], weights: NDArray[Any] | None = None
) -> Floats:
    heavy = np.ones_like(evidence.annotations.share) if weights is None else weights
    total = np.maximum(_sum(evidence, heavy), np.float32(1e-6))
    mean: Floats = (_sum(evidence, values * heavy) / total).astype(np.float32)
    return mean
