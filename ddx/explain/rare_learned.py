"""Why the learned stage puts a rare disease where it stands.

Its margin is split over the columns its trees looked at (exact TreeSHAP, `ddx.explain.trees`),
and these are joined into the few things a reader can follow: the findings, what is typical and
missing, what the rivals explain, age, sex, prevalence, how well described the disease is. Of the
part that comes from the findings, each gets its own log likelihood ratio, weighed; what remains
is how they fit together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import Artifacts
from ddx.domain.case import Sex
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId
from ddx.errors import SchemaMismatchError
from ddx.explain.rare import Asked, explain_rare
from ddx.explain.trees import Forest, LeafPaths, leaf_paths
from ddx.features.rare_evidence import Patient
from ddx.features.rare_facts import FACTS
from ddx.features.rare_pairs import FEATURES, features_hash
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.inference.rare_learned import EVIDENCE_COLUMN, RARE_TREES, RareRanking, RareReranker
from ddx.once import once

AGE, SEX = "age", "sex"
TOGETHER, TYPICAL, RULED_OUT = "rare:together", "rare:typical", "rare:ruled-out"
RIVALS, PREVALENCE, DESCRIBED = "rare:rivals", "rare:prevalence", "rare:described"

_COLUMNS: Final = {
    AGE: ("age", "before_onset", "after_onset", "onset_first", "onset_last"),
    SEX: ("sex_x_linked", "x_linked"),
    TYPICAL: (
        "resnik_disease",
        "resnik_disease_weighed",
        "match_disease",
        "closure_disease",
        "coverage",
        "coverage_content",
        "obligates",
        "obligates_seen",
        "never_seen",
    ),
    RULED_OUT: (
        "lr_excluded",
        "excluded_max",
        "excluded_surprise",
        "excluded_annotated_share",
        "obligates_ruled_out",
        "ruled_out",
        "case_excluded",
    ),
    RIVALS: (
        "rank",
        "gap_to_best",
        "gap_to_next",
        "posterior",
        "rank_resnik",
        "rank_simgic",
        "rank_strict",
        "rank_coverage",
        "gap_resnik",
        "gap_simgic",
        "gap_latent",
        "family_others",
        "family_posterior",
        "family_gap",
        "neighbours",
        "lone_content",
        "rank_but_best",
        "rank_but_worst",
        "rank_coherent",
        "gap_but_best",
        "gap_but_worst",
        "gap_coherent",
        "gap_capped",
    ),
    PREVALENCE: ("prevalence",),
    DESCRIBED: (
        "annotations",
        "annotation_content",
        "annotations_stated",
        "closure",
        *(
            name
            for name in FACTS
            if name not in {"prevalence", "x_linked", "onset_first", "onset_last"}
        ),
    ),
}
"""Columns of `FEATURES` by what they are told as; all others tell how the findings fit together."""

_TOLD_AS: Final = {column: told for told, columns in _COLUMNS.items() for column in columns}

SUBJECTS: Final = tuple(_TOLD_AS.get(column, TOGETHER) for column in FEATURES)
"""What each column of FEATURES is told as."""


_KNOWN_HASHES: Final = frozenset(features_hash(n) for n in range(1, len(FEATURES) + 1))
"""Of the columns a bundle's trees may read: the first so many of FEATURES."""


class RareExplainer:
    """Explains with the learned stage of one bundle; its trees are unrolled on first use."""

    def __init__(self, ranker: RareRanker, stage: RareReranker, forest: Forest) -> None:
        """Tie them together. Raises SchemaMismatchError: trees of other columns."""
        if forest.schema_hash not in _KNOWN_HASHES or len(forest.base) != 1:
            raise SchemaMismatchError("rare trees were grown on other columns")
        self._ranker, self._stage, self._forest = ranker, stage, forest

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, ranker: RareRanker, stage: RareReranker) -> Self:
        """Load what a bundle explains with. Raises ModelError: a member is absent or malformed."""
        return cls(ranker, stage, Forest.from_npz(artifacts.read(RARE_TREES), RARE_TREES))

    def explain(self, patient: Patient, disease: DiseaseId) -> Explanation:
        """Return what every finding and every other thing did to the margin of `disease`.

        base + contributions = margin within 1e-4. A disease that was not retrieved is explained
        as if it had been the last one to be.

        Raises:
            UnknownDiseaseError: the disease is not in the index.
        """
        return self.explain_several(patient, (disease,))[disease]

    def explain_several(
        self,
        patient: Patient,
        diseases: Sequence[DiseaseId],
        ranking: RareRanking | None = None,
    ) -> dict[DiseaseId, Explanation]:
        """Return the explanation of each disease, the very ones `explain` gives one by one.

        What does not depend on the disease is computed once, or taken from `ranking`, that of
        the same patient. Raises as `explain` does.
        """
        retrieved = ranking.retrieval if ranking else self._ranker.retrieve(patient.query)
        rows = ranking.rows if ranking else None
        asked = Asked.of(self._ranker.index, patient.query)
        explained: dict[DiseaseId, Explanation] = {}
        for disease in diseases:
            plain = explain_rare(self._ranker, patient.query, disease, asked=asked)
            number = self._ranker.index.number_of(disease)
            if number in retrieved.indices:
                rows = self._stage.features(retrieved, patient) if rows is None else rows
                row = rows[int(np.flatnonzero(retrieved.indices == number)[0])]
            else:  # it moves the others' columns: rows of its own
                row = self._stage.features(_with(retrieved, number, plain.margin), patient)[-1]
            margin = _margin_in(ranking, number)
            if margin is None:
                margin = float(self._stage.margins(row[np.newaxis])[0])
            explained[disease] = self._explained(plain, row, margin, patient)
        return explained

    def _explained(
        self, plain: Explanation, row: NDArray[np.float32], margin: float, patient: Patient
    ) -> Explanation:
        weight = self._stage.calibration.evidence_weight
        weighed = [
            Contribution(
                subject=c.subject,
                presence=c.presence,
                weight=c.weight * weight,
                frequency=c.frequency,
            )
            for c in plain.contributions
        ]
        by_column = self._paths.contributions(row)
        by_column[EVIDENCE_COLUMN] += (self._stage.calibration.blend - weight) * plain.margin
        corrections = _corrections(by_column, patient)
        contributions = [c for c in (*weighed, *corrections) if c.weight]
        return replace(
            plain,
            base=self._paths.base,
            margin=margin,
            contributions=tuple(sorted(contributions, key=lambda c: -abs(c.weight))),
        )

    @once
    def _paths(self) -> LeafPaths:
        return leaf_paths(self._forest, 0)


def _margin_in(ranking: RareRanking | None, number: int) -> float | None:
    """Return the margin the ranking gives a disease; None where it has none."""
    if ranking is None:
        return None
    at = np.flatnonzero(ranking.indices == number)
    return float(ranking.margins[at[0]]) if len(at) else None


def _with(retrieval: RareRetrieval, number: int, score: float) -> RareRetrieval:
    """Return the retrieval with a disease that was not retrieved, last."""
    indices = np.append(retrieval.indices, np.int32(number)).astype(np.int32)
    return replace(retrieval, indices=indices, scores=np.append(retrieval.scores, score))


def _corrections(by_column: NDArray[np.float64], patient: Patient) -> list[Contribution]:
    """Join columns that are told as one thing. Age and sex that nobody gave stay unknown."""
    unknown: Mapping[str, bool] = MappingProxyType(
        {AGE: patient.age_years is None, SEX: patient.sex is Sex.UNKNOWN}
    )
    weights = np.bincount(_TOLD_AT, by_column, minlength=len(_TOLD))
    return [
        Contribution(
            subject=subject,
            presence=Presence.UNKNOWN if unknown.get(subject) else Presence.PRESENT,
            weight=weight,
        )
        for subject, weight in zip(_TOLD, weights.tolist(), strict=True)
    ]


_TOLD: Final = tuple(dict.fromkeys(SUBJECTS))
_TOLD_AT: Final = np.array([_TOLD.index(subject) for subject in SUBJECTS])
"""What columns are told as, each once, and where each column's stands there."""
