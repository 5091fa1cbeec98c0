"""The one public entry of the core: a case in, a differential or an explanation out.

An engine is built once from a verified bundle and holds no state between cases.
"""

import copy
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final, Self

import numpy as np

from ddx.assessment import Assessment, open_diseases
from ddx.domain.artifacts import Artifacts, read_optional
from ddx.domain.case import Case
from ddx.domain.differential import (
    NOT_ASSESSED,
    Alert,
    Candidate,
    CommonFit,
    Differential,
    World,
)
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import ModelBlockedError, UnknownDiseaseError
from ddx.explain.common import CommonExplainer
from ddx.explain.rare import explain_rare
from ddx.explain.rare_learned import RareExplainer
from ddx.explain.why_not import TOP, Standing, WhyNot, open_answers, standing_in, why_not
from ddx.features.encode import FeatureRow, encode
from ddx.features.rare_evidence import Patient
from ddx.features.rare_query import RareQuery, read_case
from ddx.inference.common import CommonModel, Vector
from ddx.inference.conformal import COMMON_CONFORMAL, ConformalSets, prediction_set
from ddx.inference.meta import MetaModel, WorldAnswers, band_of
from ddx.inference.outside import OutsideModel, outside_of
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.inference.rare_learned import (
    RARE_MODEL,
    PlainStage,
    RareRanking,
    RareReranker,
    RareStage,
)
from ddx.inquiry.effort import RURAL_POST, Equipment
from ddx.inquiry.inquirer import DEFAULT_LIMIT as DEFAULT_QUESTIONS
from ddx.inquiry.inquirer import Inquirer
from ddx.inquiry.stop import Proposal, propose
from ddx.safety import Recommendations, Triage, evaluate, further_alerts, triage
from ddx.safety.recommend import RECOMMENDATIONS, Recommendation
from ddx.terminology.catalogue import Catalogue, FindingKind, Language
from ddx.terminology.search import FindingSearch

DEFAULT_LIMIT = 50
"""Candidates of a differential: more than a screen shows, few enough to store with every case."""


@dataclass(frozen=True, slots=True)
class RareModel:
    """The rare half of a bundle. explainer: None in a bundle without the learned stage."""

    ranker: RareRanker
    stage: RareStage
    explainer: RareExplainer | None

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, catalogue: Catalogue) -> Self:
        """Load the members of a bundle, with the learned stage where it has one.

        Raises:
            ModelError: a member is missing or malformed, or members disagree.
        """
        ranker = RareRanker.from_artifacts(artifacts, catalogue.ontology)
        if read_optional(artifacts, RARE_MODEL) is None:
            return cls(ranker, PlainStage.from_artifacts(artifacts), None)
        stage = RareReranker.from_artifacts(artifacts, ranker)
        return cls(ranker, stage, RareExplainer.from_artifacts(artifacts, ranker, stage))


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
        rare: RareModel,
        meta: MetaModel,
        recommendations: Recommendations,
        inquirer: Inquirer,
        conformal: ConformalSets | None = None,
        outside: OutsideModel | None = None,
    ) -> None:
        """Tie the parts together. conformal, outside: None for a bundle that carries neither."""
        self.version, self.digest = version, digest
        self.catalogue = catalogue
        self.search = FindingSearch(catalogue)
        self.common, self.explainer = common, explainer
        self.rare, self.meta = rare.ranker, meta
        self.rare_stage, self._rare_explainer = rare.stage, rare.explainer
        self.outside = outside
        self.inquirer, self.conformal = inquirer, conformal
        self._recommendations = recommendations
        self._common_diseases = frozenset(common.diseases)
        self._severity = cache(catalogue.disease_severity)
        self.blocked: frozenset[World] = frozenset()

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
            rare=RareModel.from_artifacts(artifacts, catalogue),
            meta=MetaModel.from_artifacts(artifacts),
            recommendations=_recommendations(artifacts),
            outside=outside_of(artifacts, common.bayes),
            inquirer=Inquirer.from_artifacts(artifacts, catalogue, common),
            conformal=_conformal(artifacts),
        )

    def without(self, models: Iterable[str]) -> "Engine":
        """Return this engine without the models of those worlds: they are not asked at all.

        Rules, vocabulary, search and first actions stay. A name of no world stops nothing.
        """
        other = copy.copy(self)
        other.blocked = frozenset(World) & {World(m) for m in models if m in set(World)}
        return other

    @cached_property
    def diseases(self) -> frozenset[DiseaseId]:
        """Every disease that can appear on a differential, under the code it is listed by."""
        return frozenset(self.common.diseases) | frozenset(self.rare.diseases)

    def diagnose(self, case: Case, limit: int = DEFAULT_LIMIT) -> Differential:
        """Return the differential of `case`: candidates of both worlds in one calibrated list.

        limit: candidates kept; probabilities are those of the full list.
        """
        return self._differential(case, *self.read(case), limit)

    def _ranking(self, case: Case, query: RareQuery) -> RareRanking:
        return self._unranked(query) if World.RARE in self.blocked else self.rank(case, query)

    def _differential(
        self,
        case: Case,
        row: FeatureRow,
        query: RareQuery,
        limit: int,
        *,
        ranking: RareRanking | None = None,
        common: Callable[[], Vector] | None = None,
    ) -> Differential:
        ranking = ranking or self._ranking(case, query)
        answers = self.answers(case, row, ranking, common)
        aggregate = self.meta.aggregate(answers)
        scored = [
            *zip(aggregate.common, self.common.diseases, strict=False),
            *zip(aggregate.rare, self._rare_ids(ranking), strict=False),
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
            common_fit=self.common_fit(row),
            blocked=tuple(sorted(self.blocked)),
        )

    def common_fit(self, row: FeatureRow) -> CommonFit:
        """Return whether a common disease explains what is present, if the bundle can tell."""
        if World.COMMON in self.blocked or self.outside is None or self.common.bayes is None:
            return NOT_ASSESSED
        return self.outside.assess(row.values, self.common.schema, self.common.bayes)

    def alerts(self, case: Case) -> tuple[Alert, ...]:
        """Return every rule that fired, urgent ones first, each with its source."""
        fired = (*evaluate(case, self.catalogue), *further_alerts(case, self.catalogue))
        return tuple(sorted(fired, key=lambda alert: not alert.urgent))

    def triage(self, case: Case) -> Triage:
        """Return how soon the patient must be seen, by rules alone: no probability moves it."""
        return triage(case, self.catalogue)

    def assess(
        self,
        case: Case,
        *,
        equipment: Equipment = RURAL_POST,
        questions: int = DEFAULT_QUESTIONS,
        limit: int = DEFAULT_LIMIT,
        differential: Differential | None = None,
    ) -> Assessment:
        """Return all there is to say of `case` at once.

        The triage also counts the diseases that cannot be set aside, where the bundle knows them.
        questions: most wanted; 0 weighs none. limit: candidates kept. differential: that of `case`,
        when it was made before.
        """
        row, query = self.read(case)
        ranking = None if differential else self._ranking(case, query)
        common = cache(lambda: self.common.probabilities(row))  # list, set and questions read it
        listed = max(limit, DEFAULT_LIMIT)
        made = differential or self._differential(
            case, row, query, listed, ranking=ranking, common=common
        )
        not_excluded = self._not_excluded(row, query, common)
        open_ones = open_diseases(made, not_excluded)
        asked = questions and self._propose(
            case, row, equipment, questions, diagnosed=lambda: made, common=common
        )
        return Assessment(
            differential=replace(made, candidates=made.candidates[:limit]),
            triage=triage(case, self.catalogue, open_ones),
            not_excluded=not_excluded,
            inquiry=asked or Proposal(questions=()),
            ranking=ranking,
        )

    def not_excluded(self, case: Case) -> frozenset[DiseaseId] | None:
        """Return the common diseases that cannot be set aside: a conformal set of the bundle.

        None when nothing can be said: the bundle carries no sets, or its common model reads
        nothing of the case.
        """
        row, query = self.read(case)
        return self._not_excluded(row, query, lambda: self.common.probabilities(row))

    def _not_excluded(
        self, row: FeatureRow, query: RareQuery, common: Callable[[], Vector]
    ) -> frozenset[DiseaseId] | None:
        if self.conformal is None or World.COMMON in self.blocked:
            return None
        known = row.values[list(self.common.schema.positions.values())]
        present, excluded = int((known > 0).sum()), int((known == 0).sum())
        if not present + excluded:
            return None
        kept = prediction_set(
            common(),
            self.conformal,
            present=present,
            excluded=excluded,
            digest=hashlib.sha256(_bytes_read(row, query)).hexdigest(),
        )
        return frozenset(self.common.diseases[i] for i in kept)

    def next_questions(
        self,
        case: Case,
        equipment: Equipment = RURAL_POST,
        limit: int = DEFAULT_QUESTIONS,
        *,
        differential: Differential | None = None,
    ) -> Proposal:
        """Return the questions most worth asking, best first, or why to stop asking.

        differential: that of `case`, when it was made before; the stop rule may need it.
        """
        row, query = self.read(case)
        return self._propose(
            case,
            row,
            equipment,
            limit,
            diagnosed=lambda: differential or self._differential(case, row, query, DEFAULT_LIMIT),
            common=lambda: self.common.probabilities(row),
        )

    def _propose(
        self,
        case: Case,
        row: FeatureRow,
        equipment: Equipment,
        limit: int,
        *,
        diagnosed: Callable[[], Differential],
        common: Callable[[], Vector],
    ) -> Proposal:
        if World.COMMON in self.blocked:  # what a question is worth is told by that model
            return Proposal(questions=())
        asked = self.inquirer.next_questions(case, equipment, limit, row=row, common=common())
        return propose(asked, diagnosed)

    def why_not(
        self,
        case: Case,
        disease: DiseaseId,
        *,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> WhyNot:
        """Return the smallest change found that would bring `disease` into the top three.

        may_go_on: asked before each diagnosis of the search; the caller's clock.

        Raises:
            UnknownDiseaseError: no model of the bundle knows the disease.
        """
        above = [c.disease for c in self.diagnose(case, TOP).candidates if c.disease != disease]
        explained, *rivals = self.explain_several(case, (disease, *above))
        answers = open_answers(
            explained,
            rivals,
            lambda f: self.catalogue.term(f).kind is FindingKind.GRADED,
        )
        return why_not(case, disease, answers, self.standing, may_go_on=may_go_on)

    def standing(self, case: Case, disease: DiseaseId) -> Standing:
        """Return where `disease` stands on the whole list of `case`."""
        return standing_in(self.diagnose(case, len(self.diseases)), disease)

    def recommendations(
        self, disease: DiseaseId, language: str = Language.ES
    ) -> tuple[Recommendation, ...]:
        """Return what to do first when `disease` is suspected, each under its guideline.

        None for a disease without, or a bundle made before it carried any.
        """
        return self._recommendations.of(disease, language)

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return why `disease` stands where it stands for `case`, or why it does not stand higher.

        Raises:
            UnknownDiseaseError: no model of the bundle knows the disease.
            ModelBlockedError: the model that knows it was stopped.
        """
        return self.explain_several(case, (disease,))[0]

    def explain_several(
        self,
        case: Case,
        diseases: Sequence[DiseaseId],
        ranking: RareRanking | None = None,
    ) -> tuple[Explanation, ...]:
        """Return the explanation of each disease, in order; `case` is read once for all of them.

        ranking: that of `case`, when it was made before (`Assessment.ranking`). Raises as
        `explain` does.
        """
        common = [disease for disease in diseases if disease in self._common_diseases]
        rare = [d for d in diseases if d in self.rare.index and d not in self._common_diseases]
        explained = self._explain_common(case, common) | self._explain_rare(case, rare, ranking)
        unknown = [disease for disease in diseases if disease not in explained]
        if unknown:
            raise UnknownDiseaseError(unknown[0])
        return tuple(explained[disease] for disease in diseases)

    def _explain_common(
        self, case: Case, diseases: Sequence[DiseaseId]
    ) -> dict[DiseaseId, Explanation]:
        if not diseases:
            return {}
        self._check_open(World.COMMON)
        row = encode(case, self.common.schema, self.catalogue.ontology)
        return {disease: self.explainer.explain(row, disease) for disease in diseases}

    def _explain_rare(
        self, case: Case, diseases: Sequence[DiseaseId], ranking: RareRanking | None
    ) -> dict[DiseaseId, Explanation]:
        if not diseases:
            return {}
        self._check_open(World.RARE)
        query = (
            read_case(case, self.catalogue.ontology, self.catalogue.implied)
            if ranking is None
            else ranking.retrieval.query
        )
        if self._rare_explainer is None:
            return {disease: explain_rare(self.rare, query, disease) for disease in diseases}
        return self._rare_explainer.explain_several(_patient(case, query), diseases, ranking)

    def feature_digest(self, case: Case) -> str:
        """Return the SHA-256 (hex) of the bytes `features` returns."""
        return hashlib.sha256(_bytes_read(*self.read(case))).hexdigest()

    def features(self, case: Case) -> str:
        """Return what the models read of `case`, as bytes in hex: row, then rare query.

        Common row: float32, little-endian, in the order of the bundle's schema, nan where nothing
        was asked. Then "|" and the term indexes (int32) of what is present, "|" and of what is
        excluded.
        """
        return _bytes_read(*self.read(case)).hex()

    def read(self, case: Case) -> tuple[FeatureRow, RareQuery]:
        """Return `case` as the common and the rare model read it."""
        row = encode(case, self.common.schema, self.catalogue.ontology)
        return row, read_case(case, self.catalogue.ontology, self.catalogue.implied)

    def rank(self, case: Case, query: RareQuery) -> RareRanking:
        """Return what both stages of the rare ranker say. query: what `read` made of `case`."""
        return self.rare_stage.rerank(self.rare.retrieve(query), _patient(case, query))

    def answers(
        self,
        case: Case,
        row: FeatureRow,
        ranking: RareRanking,
        common: Callable[[], Vector] | None = None,
    ) -> WorldAnswers:
        """Return what both models say of `case`; training fits the gate on the same values.

        common: gives the probabilities of the common model for `row`; None asks it.
        """
        ask = common or (lambda: self.common.probabilities(row))
        dropped, query = set(row.dropped), ranking.retrieval.query
        by_common = [f.id for f in case.present if f.id not in dropped]
        by_rare = {term.subject for term in query.present} | set(query.redundant)
        rare_only = [f.id for f in case.present if f.id in dropped and f.id in by_rare]
        reads = bool(by_common) or any(f.id not in dropped for f in case.excluded)
        rare_reads = bool(query.present) and World.RARE not in self.blocked
        return WorldAnswers(
            common=(ask() if reads and World.COMMON not in self.blocked else None),
            rare_scores=ranking.retrieval.scores if rare_reads else _EMPTY,
            rare=ranking.probabilities if rare_reads else _EMPTY,
            rare_none=ranking.none if rare_reads else 1.0,
            present=len(case.present),
            present_read_by_common=len(by_common),
            excluded_read_by_common=sum(f.id not in dropped for f in case.excluded),
            present_read_by_rare=len(query.present),
            present_read_by_rare_only=len(rare_only),
            rare_top_present=self._top_present(ranking),
        )

    def _top_present(self, ranking: RareRanking) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return what each present finding brings to the rare disease that scores best."""
        if not len(ranking.indices) or not ranking.retrieval.query.present:
            return _EMPTY
        best = int(ranking.retrieval.indices[0])
        return np.array(self.rare.evidence(ranking.retrieval.query, best).present)

    def _unranked(self, query: RareQuery) -> RareRanking:
        """Return a ranking of nothing, which asks no model."""
        none = np.zeros(0, dtype=np.int32)
        nothing = RareRetrieval(query=query, indices=none, scores=_EMPTY)
        return RareRanking(nothing, none, _EMPTY, _EMPTY, 1.0)

    def _check_open(self, world: World) -> None:
        if world in self.blocked:
            raise ModelBlockedError(world.value)

    def _rare_ids(self, ranking: RareRanking) -> list[DiseaseId]:
        diseases = self.rare.diseases
        return [diseases[i] for i in ranking.indices.tolist()]

    def _candidate(self, rank: int, disease: DiseaseId, probability: float) -> Candidate:
        common = disease in self._common_diseases
        return Candidate(
            rank=rank,
            disease=disease,
            probability=probability,
            band=band_of(probability),
            world=World.COMMON if common else World.RARE,
            severity=self._severity(disease),
        )


def _conformal(artifacts: Artifacts) -> ConformalSets | None:
    """Return the conformal sets of the bundle; None for a bundle made before it carried them."""
    raw = read_optional(artifacts, COMMON_CONFORMAL)
    return None if raw is None else ConformalSets.from_json(raw)


def _bytes_read(row: FeatureRow, query: RareQuery) -> bytes:
    """Return what the models read of a case, laid out as `Engine.features` says."""
    read = np.ascontiguousarray(row.values, dtype="<f4").tobytes()
    for terms in (query.present, query.excluded):
        indexes = np.array(sorted(term.index for term in terms), dtype="<i4")
        read += b"|" + indexes.tobytes()
    return read


_EMPTY: Final = np.zeros(0)


def _patient(case: Case, query: RareQuery) -> Patient:
    return Patient(query=query, age_years=case.age_years, sex=case.sex)


def _recommendations(artifacts: Artifacts) -> Recommendations:
    """Return the actions of the bundle; none for a bundle made before it carried them."""
    raw = read_optional(artifacts, RECOMMENDATIONS)
    return Recommendations({}, {}) if raw is None else Recommendations.from_json(raw)


def _read_by_neither(row: FeatureRow, query: RareQuery) -> tuple[FindingId, ...]:
    """Return the findings that no model could read, in the order they were entered."""
    unread = set(query.dropped)
    return tuple(finding for finding in row.dropped if finding in unread)
