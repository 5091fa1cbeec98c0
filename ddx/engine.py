"""The one public entry of the core: a case in, a differential or an explanation out.

An engine is built once from a verified bundle and holds no state between cases.
"""

import hashlib
from typing import Self

import numpy as np

from ddx.domain.artifacts import Artifacts
from ddx.domain.case import Case
from ddx.domain.differential import Alert, Candidate, Differential, World
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import ModelError, UnknownDiseaseError
from ddx.explain.common import CommonExplainer
from ddx.explain.rare import explain_rare
from ddx.features.encode import FeatureRow, encode
from ddx.features.rare_query import RareQuery, read_case
from ddx.inference.common import CommonModel
from ddx.inference.meta import MetaModel, WorldAnswers, band_of
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.safety import Recommendations, Triage, evaluate, further_alerts, triage
from ddx.safety.recommend import RECOMMENDATIONS
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.search import FindingSearch

DEFAULT_LIMIT = 50
"""Candidates of a differential: more than a screen shows, few enough to store with every case."""


class Engine:
    """Diagnoses and explains cases with the models and the vocabulary of one bundle."""

    def __init__(
        self,
        *,
        version: str,
        digest: str,
        catalogue: Catalogue,
        common: CommonModel,
        explainer: CommonExplainer,
        rare: RareRanker,
        meta: MetaModel,
        recommendations: Recommendations,
    ) -> None:
        self.version, self.digest = version, digest
        self.catalogue = catalogue
        self.search = FindingSearch(catalogue)
        self.common, self.explainer = common, explainer
        self.rare, self.meta = rare, meta
        self.recommendations = recommendations

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Return the engine of a verified bundle.

        Raises:
            ModelError: a member is missing, malformed, or does not belong with the others.
        """
        catalogue = Catalogue.from_artifacts(artifacts)
        common = CommonModel.from_artifacts(artifacts)
        return cls(
            version=artifacts.version,
            digest=artifacts.digest,
            catalogue=catalogue,
            common=common,
            explainer=CommonExplainer.from_artifacts(artifacts, common.schema),
            rare=RareRanker.from_artifacts(artifacts, catalogue.ontology),
            meta=MetaModel.from_artifacts(artifacts),
            recommendations=_recommendations(artifacts),
        )

    @property
    def diseases(self) -> frozenset[DiseaseId]:
        """Every disease that can appear on a differential."""
        return frozenset(self.common.diseases) | frozenset(self.rare.diseases)

    def diagnose(self, case: Case, limit: int = DEFAULT_LIMIT) -> Differential:
        """Return the differential of `case`: candidates of both worlds in one calibrated list.

        limit: candidates kept; probabilities are those of the full list.
        """
        row, query = self.read(case)
        retrieval = self.rare.retrieve(query)
        answers = self.answers(case, row, query, retrieval)
        aggregate = self.meta.aggregate(answers)
        scored = [
            *zip(aggregate.common, self.common.diseases, strict=False),
            *zip(aggregate.rare, self._rare_ids(retrieval), strict=False),
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return Differential(
            candidates=tuple(
                self._candidate(rank, disease, float(probability))
                for rank, (probability, disease) in enumerate(scored[:limit], start=1)
            ),
            outside_probability=aggregate.outside,
            unused=_read_by_neither(row, query),
            alerts=self.alerts(case),
            bundle_version=self.version,
            bundle_digest=self.digest,
        )

    def alerts(self, case: Case) -> tuple[Alert, ...]:
        """Return every rule that fired, urgent ones first, each with its source."""
        fired = (*evaluate(case, self.catalogue), *further_alerts(case, self.catalogue))
        return tuple(sorted(fired, key=lambda alert: not alert.urgent))

    def triage(self, case: Case) -> Triage:
        """Return how soon the patient must be seen, by rules alone: no probability moves it."""
        return triage(case, self.catalogue)

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return why `disease` stands where it stands for `case`, or why it does not stand higher.

        Raises:
            UnknownDiseaseError: no model of the bundle knows the disease.
        """
        row, query = self.read(case)
        if disease in self.common.diseases:
            return self.explainer.explain(row, disease)
        if disease in self.rare.diseases:
            return explain_rare(self.rare, query, disease)
        raise UnknownDiseaseError(disease)

    def feature_digest(self, case: Case) -> str:
        """Return the SHA-256 (hex) of the bytes `features` returns."""
        return hashlib.sha256(bytes.fromhex(self.features(case))).hexdigest()

    def features(self, case: Case) -> str:
        """Return what the models read of `case`, as bytes in hex: row, then rare query.

        Common row: float32, little-endian, in the order of the bundle's schema, nan where nothing
        was asked. Then "|" and the term indexes (int32) of what is present, "|" and of what is
        excluded.
        """
        row, query = self.read(case)
        read = np.ascontiguousarray(row.values, dtype="<f4").tobytes()
        for terms in (query.present, query.excluded):
            indexes = np.array(sorted(term.index for term in terms), dtype="<i4")
            read += b"|" + indexes.tobytes()
        return read.hex()

    def read(self, case: Case) -> tuple[FeatureRow, RareQuery]:
        """Return `case` as the common and the rare model read it."""
        row = encode(case, self.common.schema, self.catalogue.ontology)
        return row, read_case(case, self.catalogue.ontology, self.catalogue.implied)

    def answers(
        self, case: Case, row: FeatureRow, query: RareQuery, retrieval: RareRetrieval
    ) -> WorldAnswers:
        """Return what both models say of `case`; training fits the gate on the same values."""
        dropped = set(row.dropped)
        by_common = [f.id for f in case.present if f.id not in dropped]
        by_rare = {term.subject for term in query.present} | set(query.redundant)
        rare_only = [f.id for f in case.present if f.id in dropped and f.id in by_rare]
        reads = bool(by_common) or any(f.id not in dropped for f in case.excluded)
        return WorldAnswers(
            common=self.common.probabilities(row) if reads else None,
            rare_scores=retrieval.scores if query.present else np.zeros(0),
            present=len(case.present),
            present_read_by_common=len(by_common),
            excluded_read_by_common=sum(f.id not in dropped for f in case.excluded),
            present_read_by_rare=len(query.present),
            present_read_by_rare_only=len(rare_only),
        )

    def _rare_ids(self, retrieval: RareRetrieval) -> list[DiseaseId]:
        return [self.rare.diseases[i] for i in retrieval.indices]

    def _candidate(self, rank: int, disease: DiseaseId, probability: float) -> Candidate:
        common = disease in self.common.diseases
        return Candidate(
            rank=rank,
            disease=disease,
            probability=probability,
            band=band_of(probability),
            world=World.COMMON if common else World.RARE,
            severity=self.catalogue.disease_severity(disease),
        )


def _recommendations(artifacts: Artifacts) -> Recommendations:
    """Return the actions of the bundle; none for a bundle made before it carried them."""
    try:
        raw = artifacts.read(RECOMMENDATIONS)
    except ModelError:
        return Recommendations({}, {})
    return Recommendations.from_json(raw)


def _read_by_neither(row: FeatureRow, query: RareQuery) -> tuple[FindingId, ...]:
    """Return the findings that no model could read, in the order they were entered."""
    unread = set(query.dropped)
    return tuple(finding for finding in row.dropped if finding in unread)
