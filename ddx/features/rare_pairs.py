"""What the learned rare ranker sees of a (case, candidate) pair: named columns, one code path.

`pair_features` turns the evidence of one query into float32 (n_candidates, len(FEATURES)), in
the order of FEATURES. Training and device both call it, so they cannot drift apart. nan means
"not known" (age, sex, prevalence, onset); the trees learn where it goes.

Columns compare candidates of one query with each other too (ranks, gaps, posteriors): the same
disease described by the same findings looks better where no rival explains them.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Sex
from ddx.features.rare_descent import Places
from ddx.features.rare_evidence import PairEvidence, Patient
from ddx.features.rare_facts import FACTS
from ddx.features.rare_index import RareParameters
from ddx.features.rare_tables import OBLIGATE, Sum, summed

Floats = NDArray[np.float32]
Columns = dict[str, NDArray[Any]]

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
    if not count:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    ratios = _Ratios.of(evidence, parameters)
    columns = _ratios(evidence, ratios, parameters)
    columns |= _explained(evidence)
    columns |= _similarity(evidence)
    columns |= _expected(evidence)
    columns |= _excluded(evidence)
    columns |= _case(evidence, patient)
    columns |= _patient(evidence, patient)
    columns |= _doubted(ratios.logs, columns)
    columns |= _rivals(evidence, columns)
    table = np.empty((len(FEATURES), count), dtype=np.float32)
    for at, name in enumerate(FEATURES):
        table[at] = columns[name]
    return np.ascontiguousarray(table.T)


@dataclass(frozen=True, slots=True)
class _Ratios:
    """Likelihood ratios of the findings seen, (n_present, n).

    logs: as `ddx.inference.rare` defines them. strongest: of the finding or its discounted
    ancestors, before noise. kin: of ancestors, to the exponent that discounts them.
    """

    logs: Floats
    strongest: Floats
    kin: Floats

    @classmethod
    def of(cls, evidence: PairEvidence, p: RareParameters) -> Self:
        kin = evidence.seen.kin**p.ancestor_exponent
        strongest = np.maximum(evidence.seen.own, p.ancestor_weight * kin)
        return cls(_with_noise(strongest, p.noise), strongest, kin)


def _with_noise(ratios: Floats, noise: float) -> Floats:
    logs: Floats = np.log(noise + (1 - noise) * ratios)
    return logs


def _ratios(evidence: PairEvidence, ratios: _Ratios, p: RareParameters) -> Columns:
    seen, logs = evidence.seen, ratios.logs
    n = max(len(logs), 1)
    doubts = [
        p.excluded_weight * np.log1p(-p.excluded_strength * f**p.excluded_exponent)
        for f in (evidence.excluded_share, evidence.excluded_chance[:, np.newaxis])
    ]
    present, excluded = logs.sum(axis=0), (doubts[0] - doubts[1]).sum(axis=0)
    kin_only = np.log(p.noise + (1 - p.noise) * p.ancestor_weight * ratios.kin)
    lenient = np.maximum(seen.own, 1.0 * seen.kin**0.5)
    falling = _three_largest(logs)
    return {
        "lr": present + excluded,
        "lr_present": present,
        "lr_excluded": excluded,
        "lr_per_finding": present / n,
        "lr_strict": _with_noise(seen.own, p.noise).sum(axis=0),
        "lr_lenient": _with_noise(lenient, p.noise).sum(axis=0),
        "lr_low_noise": _with_noise(ratios.strongest, 0.05).sum(axis=0),
        "lr_high_noise": _with_noise(ratios.strongest, 0.5).sum(axis=0),
        "lr_kin": kin_only.sum(axis=0),
        "lr_best": falling[0],
        "lr_second": falling[1],
        "lr_top3": falling.mean(axis=0),
        "lr_worst": logs.min(axis=0) if len(logs) else present,
        "lr_spread": logs.std(axis=0) if len(logs) else present,
        "lr_against": np.minimum(logs, 0).sum(axis=0),
        "unexplained": (logs < 0).sum(axis=0),
    }


def _three_largest(logs: Floats) -> NDArray[np.float64]:
    """Return the three largest of each candidate, falling, (3, n); 0 where there are fewer."""
    padding = np.zeros((max(3 - len(logs), 0), logs.shape[1]))
    return np.sort(np.concatenate([logs, padding]), axis=0)[:-4:-1].astype(np.float64, order="C")


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
    annotations, sums = evidence.annotations, evidence.annotations.sums
    own = np.maximum(annotations.content, 1e-3)
    content = np.maximum(evidence.seen.content[:, np.newaxis], 1e-3)
    shared = evidence.closure.shared
    united = evidence.closure.case + evidence.closure.disease - shared
    return {
        "resnik_case": case,
        "resnik_case_max": evidence.seen.shared.max(axis=0, initial=0),
        "resnik_case_min": evidence.seen.shared.min(axis=0, initial=99) if len(content) else case,
        "resnik_disease": disease,
        "resnik_disease_weighed": _mean(
            evidence, annotations.match * annotations.share, sums[:, Sum.SHARE]
        ),
        "resnik_both": (case + disease) / 2,
        "match_case": (evidence.seen.shared / content).sum(axis=0) / max(len(content), 1),
        "match_disease": _mean(evidence, annotations.match / own, sums[:, Sum.COUNT]),
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
    annotations = evidence.annotations
    shown = annotations.match * (annotations.share > 0)
    return _mean(evidence, shown, annotations.sums[:, Sum.SHOWN])


def _expected(evidence: PairEvidence) -> Columns:
    annotations, sums = evidence.annotations, evidence.annotations.sums
    met = np.flatnonzero(annotations.match >= annotations.content - 1e-4)
    share, out = annotations.share.take(met), annotations.ruled_out
    heavy, share_out = share * annotations.content.take(met), annotations.share.take(out)
    with np.errstate(invalid="ignore"):
        any_obligate = np.where(sums[:, Sum.OBLIGATE], sums[:, Sum.OBLIGATE], np.nan)
        obligates_seen = _sum(evidence, share >= OBLIGATE, met) / any_obligate
    return {
        "coverage": _mean(evidence, share, sums[:, Sum.SHARE], met),
        "coverage_content": _mean(evidence, heavy, sums[:, Sum.HEAVY], met),
        "obligates": sums[:, Sum.OBLIGATE],
        "obligates_seen": obligates_seen,
        "obligates_ruled_out": _sum(evidence, share_out >= OBLIGATE, out),
        "ruled_out": _sum(evidence, share_out, out),
        "never_seen": _sum(evidence, share == 0, met),
        "annotations": np.log1p(sums[:, Sum.COUNT]),
        "annotation_content": sums[:, Sum.CONTENT] / np.maximum(sums[:, Sum.COUNT], _LEAST),
        "annotations_stated": sums[:, Sum.STATED] / np.maximum(sums[:, Sum.COUNT], _LEAST),
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
    places = _log_ranks([columns[name] for name in _RANKED.values()])
    return {
        "gap_to_best": lr.max() - lr,
        "gap_to_next": lr - falling[after],
        "posterior": posterior,
        "neighbours": evidence.latent @ centre,
        "lone_content": lone,
        **dict(zip(_RANKED, places, strict=True)),
        **{gap: columns[name].max() - columns[name] for gap, name in _GAPS.items()},
        **_families(evidence.family, lr, posterior),
    }


_RANKED: Final = {
    "rank": "lr",
    "rank_resnik": "resnik_both",
    "rank_simgic": "simgic",
    "rank_strict": "lr_strict",
    "rank_coverage": "coverage_content",
    "rank_but_best": "lr_but_best",
    "rank_but_worst": "lr_but_worst_two",
    "rank_coherent": "lr_coherent",
}
"""Columns that hold the position by another one."""

_GAPS: Final = {
    "gap_resnik": "resnik_both",
    "gap_simgic": "simgic",
    "gap_latent": "latent",
    "gap_but_best": "lr_but_best",
    "gap_but_worst": "lr_but_worst_two",
    "gap_coherent": "lr_coherent",
    "gap_capped": "lr_capped",
}
"""Columns that hold how far the best candidate is ahead in another one."""


def _doubted(logs: Floats, columns: Columns) -> Columns:
    """Return what is left of the evidence when the findings that stand out are doubted."""
    total = columns["lr_present"]
    rising = np.sort(logs, axis=0)
    trust = _trust(logs, columns["lr"])
    return {
        "lr_but_best": total - rising[-1:].sum(axis=0),
        "lr_but_best_two": total - rising[-2:].sum(axis=0),
        "lr_but_worst": total - rising[:1].sum(axis=0),
        "lr_but_worst_two": total - rising[:2].sum(axis=0),
        "lr_capped": np.minimum(logs, LOG_RATIO_CAP).sum(axis=0),
        "supported": (logs > 1).sum(axis=0),
        "lr_coherent": trust @ logs,
        "case_coherence": np.float32(trust.mean() if len(trust) else np.nan),
        "case_strangers": np.float32((1 - trust).sum()),
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
    size = np.bincount(family)[family]
    several = np.flatnonzero(size > 1)
    together, gap = posterior.copy(), np.full(len(lr), np.nan, dtype=np.float32)
    if len(several):
        rows = family if size.max() > 2 else family[several]  # BLAS rounds sums by their shape
        same = rows[:, np.newaxis] == family
        together[slice(None) if len(rows) == len(family) else several] = same @ posterior
        others = family[several, np.newaxis] == family[several]
        np.fill_diagonal(others, val=False)
        gap[several] = lr[several] - np.where(others, lr[several], -np.inf).max(axis=1)
    return {"family_others": size - 1, "family_posterior": together, "family_gap": gap}


def _log_ranks(columns: list[Floats]) -> Floats:
    """Return log(1 + number of candidates with a better score) by each column, (n_columns, n)."""
    falling = -np.stack(columns)
    order, n = np.argsort(falling, axis=1), falling.shape[1]
    order += np.arange(0, falling.size, n)[:, np.newaxis]
    ordered = falling.take(order)
    first = np.zeros(order.shape, dtype=np.intp)
    first[:, 1:] = np.arange(1, n) * (ordered[:, 1:] != ordered[:, :-1])
    better = np.maximum.accumulate(first, axis=1)
    logs = np.empty_like(falling)
    logs.put(order, np.log1p(np.arange(n)).astype(np.float32).take(better))
    return logs


def _sum(evidence: PairEvidence, values: NDArray[Any], of: Places | None = None) -> Floats:
    """Return the sum of an annotation-wise array per candidate. of: which, all when None."""
    owner = evidence.annotations.owner
    return summed(values, owner if of is None else owner.take(of), len(evidence.family))


def _mean(
    evidence: PairEvidence, values: NDArray[Any], weight: Floats, of: Places | None = None
) -> Floats:
    """Return the same over a weight per candidate."""
    heavy: Floats = np.maximum(weight, _LEAST)
    return _sum(evidence, values, of) / heavy


_LEAST: Final = np.float32(1e-6)
"""Weight that stands in for none."""
