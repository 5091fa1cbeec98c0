"""The one public entry of the core: a case in, a differential or an explanation out.

An engine is built once from a verified bundle and holds no state between cases.
"""

import copy
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from ddx.assessment import Assessment, open_diseases
from ddx.domain.artifacts import Artifacts, read_optional
from ddx.domain.case import Case
from ddx.domain.differential import NOT_ASSESSED, Alert, CommonFit, Differential, World
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.explain.common import CommonExplainer
from ddx.explain.rare_learned import RareExplainer
from ddx.explain.why_not import TOP, Standing, WhyNot, open_answers, standing_in, why_not
from ddx.explain.worlds import Explainer
from ddx.features.encode import FeatureRow, encode
from ddx.features.rare_query import RareQuery, read_case
from ddx.inference.common import CommonModel
from ddx.inference.conformal import COMMON_CONFORMAL, ConformalSets, prediction_set
from ddx.inference.meta import MetaModel, WorldAnswers
from ddx.inference.outside import OutsideModel, explained_by, outside_of
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import (
    RARE_MODEL,
    PlainStage,
    RareReranker,
    RareStage,
)
from ddx.inquiry.effort import RURAL_POST, Equipment
from ddx.inquiry.inquirer import DEFAULT_LIMIT as DEFAULT_QUESTIONS
from ddx.inquiry.inquirer import Inquirer
from ddx.inquiry.stop import Proposal, propose
from ddx.listing import Listing
from ddx.once import once
from ddx.reading import Models, Reading
from ddx.safety import Flags, Recommendations, Triage, triage
from ddx.safety.recommend import RECOMMENDATIONS, Recommendation
from ddx.terminology.catalogue import Catalogue, FindingKind, Language
from ddx.terminology.search import FindingSearch

DEFAULT_LIMIT: Final = 50
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
        self.common, self.rare, self.meta = common, rare.ranker, meta
        self.rare_stage = rare.stage
        self.outside, self.conformal, self.inquirer = outside, conformal, inquirer
        self._models = Models(common=common, ranker=rare.ranker, stage=rare.stage)
        self._listing = Listing(common.diseases, rare.ranker.diseases, catalogue.disease_severity)
        self._explainer = Explainer(explainer, rare.ranker, rare.explainer)
        self._recommendations = recommendations

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

    def warm(self, pause: Callable[[], object] = lambda: None) -> None:
        """Make now what the first case and the first search would wait for. Any thread may do it.

        pause: called between two steps; it may wait.
        """
        self.rare.index.warm(pause)
        pause()
        _ = self.inquirer.bank.drawn
        pause()
        self.search.warm(pause)

    def without(self, models: Iterable[str]) -> "Engine":
        """Return this engine without the models of those worlds: they are not asked at all.

        Rules, vocabulary, search and first actions stay. A name of no world stops nothing.
        """
        other = copy.copy(self)
        blocked = frozenset(world for world in World if world in set(models))
        other._models = replace(self._models, blocked=blocked)  # noqa: SLF001 -- it is one of us
        return other

    @property
    def blocked(self) -> frozenset[World]:
        """Worlds whose model is not asked."""
        return self._models.blocked

    @once
    def diseases(self) -> frozenset[DiseaseId]:
        """Every disease that can appear on a differential, under the code it is listed by."""
        return frozenset(self.common.diseases) | frozenset(self.rare.diseases)

    def diagnose(self, case: Case, limit: int = DEFAULT_LIMIT) -> Differential:
        """Return the differential of `case`: candidates of both worlds in one calibrated list.

        limit: candidates kept; probabilities are those of the full list.
        """
        return self._differential(self._read(case), self._flags(case), limit)

    def _differential(self, reading: Reading, flags: Flags, limit: int) -> Differential:
        aggregate = self.meta.aggregate(reading.answers)
        return Differential(
            candidates=self._listing.candidates(aggregate, reading.ranking.indices, limit),
            outside_probability=aggregate.outside,
            unused=reading.read_by_neither,
            alerts=flags.alerts,
            bundle_version=self.version,
            bundle_digest=self.digest,
            common_fit=self._common_fit(reading),
            blocked=tuple(sorted(self.blocked)),
        )

    def _common_fit(self, reading: Reading) -> CommonFit:
        """Return whether a common disease explains what is present, if the bundle can tell."""
        if World.COMMON in self.blocked or self.outside is None or self.common.bayes is None:
            return NOT_ASSESSED
        said, (present, _) = reading.common, reading.found_by_common
        ratios = said.shown - self.common.bayes.prior
        return self.outside.assess(
            explained_by(np.array([present]), said.bayes[np.newaxis], ratios[np.newaxis])
        )

    def alerts(self, case: Case) -> tuple[Alert, ...]:
        """Return every rule that fired, urgent ones first, each with its source."""
        return self._flags(case).alerts

    def triage(self, case: Case) -> Triage:
        """Return how soon the patient must be seen, by rules alone: no probability moves it."""
        return triage(case, self._flags(case))

    def _flags(self, case: Case) -> Flags:
        return Flags.of(case, self.catalogue)

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
        reading, flags = self._read(case), self._flags(case)
        made = differential or self._differential(reading, flags, max(limit, DEFAULT_LIMIT))
        not_excluded = self._not_excluded(reading)
        asked = questions and self._propose(reading, equipment, questions, lambda: made)
        return Assessment(
            differential=replace(made, candidates=made.candidates[:limit]),
            triage=triage(case, flags, open_diseases(made, not_excluded)),
            not_excluded=not_excluded,
            inquiry=asked or Proposal(questions=()),
            reading=reading,
        )

    def _not_excluded(self, reading: Reading) -> frozenset[DiseaseId] | None:
        """Return the common diseases that cannot be set aside: a conformal set of the bundle.

        None when nothing can be said: the bundle carries no sets, or its common model reads
        nothing of the case.
        """
        if self.conformal is None or World.COMMON in self.blocked:
            return None
        present, excluded = reading.found_by_common
        if not present + excluded:
            return None
        kept = prediction_set(
            reading.common.probabilities,
            self.conformal,
            present=present,
            excluded=excluded,
            digest=hashlib.sha256(reading.content).hexdigest(),
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
        reading = self._read(case)
        return self._propose(
            reading,
            equipment,
            limit,
            lambda: differential or self._differential(reading, self._flags(case), DEFAULT_LIMIT),
        )

    def _propose(
        self,
        reading: Reading,
        equipment: Equipment,
        limit: int,
        diagnosed: Callable[[], Differential],
    ) -> Proposal:
        if World.COMMON in self.blocked:  # what a question is worth is told by that model
            return Proposal(questions=())
        asked = self.inquirer.next_questions(
            reading.case,
            equipment,
            limit,
            row=reading.row,
            common=reading.common,
        )
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
        self, case: Case, diseases: Sequence[DiseaseId], reading: Reading | None = None
    ) -> tuple[Explanation, ...]:
        """Return the explanation of each disease, in order; `case` is read once for all of them.

        reading: that of `case`, when it was made before (`Assessment.reading`). Raises as
        `explain` does.
        """
        return self._explainer.explain(reading or self._read(case), diseases)

    def feature_digest(self, case: Case) -> str:
        """Return the SHA-256 (hex) of the bytes `features` returns."""
        return hashlib.sha256(self._read(case).content).hexdigest()

    def features(self, case: Case) -> str:
        """Return what the models read of `case`, as bytes in hex, as `Reading.content` lays out."""
        return self._read(case).content.hex()

    def read(self, case: Case) -> tuple[FeatureRow, RareQuery]:
        """Return `case` as the common and the rare model read it."""
        ontology = self.catalogue.ontology
        return (
            encode(case, self.common.schema, ontology),
            read_case(case, ontology, self.catalogue.implied),
        )

    def _read(self, case: Case) -> Reading:
        return Reading(self._models, case, *self.read(case))

    def answers(self, case: Case, row: FeatureRow) -> WorldAnswers:
        """Return what both models say of `case`; training fits the gate on the same values.

        row: as the common model is to read it, which may be less than `read` makes of it.
        """
        query = read_case(case, self.catalogue.ontology, self.catalogue.implied)
        return Reading(self._models, case, row, query).answers


def _conformal(artifacts: Artifacts) -> ConformalSets | None:
    """Return the conformal sets of the bundle; None for a bundle made before it carried them."""
    raw = read_optional(artifacts, COMMON_CONFORMAL)
    return None if raw is None else ConformalSets.from_json(raw)


def _recommendations(artifacts: Artifacts) -> Recommendations:
    """Return the actions of the bundle; none for a bundle made before it carried them."""
    raw = read_optional(artifacts, RECOMMENDATIONS)
    return Recommendations({}, {}) if raw is None else Recommendations.from_json(raw)
