"""The one way from a case to a ranked list of rare diseases, for whoever needs only these.

Commands and evaluations call `rank_rare` and nothing below it, so that a better ranker inside
the engine is taken up here and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.errors import UnknownDiseaseError
from ddx.features.rare_evidence import Patient
from ddx.features.rare_index import FREQUENCY_STEPS, RareIndex
from ddx.features.rare_query import RareQuery, read_case
from ddx.features.rare_sources import StandIns
from ddx.features.rare_tables import Profile
from ddx.inference.rare import DEFAULT_LIMIT, RareRetrieval
from ddx.inference.rare_learned import RareReranker, RareStage

CALIBRATED_FIRST: Final = DEFAULT_LIMIT
"""Candidates that get a probability; the rest of the list has 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RareEntry:
    """One place of the list.

    diseases: every code of the disease, the one of the index first. probability: 0..1, that this
    is the diagnosis if the patient has a rare disease. score: sum of log likelihood ratios.
    """

    position: int
    diseases: tuple[DiseaseId, ...]
    probability: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RareList:
    """Every rare disease, best first: CALIBRATED_FIRST as the engine orders them, then by score.

    index: of the engine; numbers its diseases. order: int32, numbers, best first. scores: float64,
    sums of log likelihood ratios; probabilities: float64; both in that order. none: probability
    that none of the first CALIBRATED_FIRST is the diagnosis. query: what was read of the case;
    without a finding seen the list is empty. stand_ins: the profiles that were used in place of
    those of the index.
    """

    index: RareIndex
    order: NDArray[np.int32]
    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    none: float
    query: RareQuery
    stand_ins: StandIns | None = None

    def first(self, limit: int) -> tuple[RareEntry, ...]:
        """Return the first `limit` places."""
        return tuple(
            RareEntry(
                position=at + 1,
                diseases=self.index.codes[number],
                probability=float(self.probabilities[at]),
                score=float(self.scores[at]),
            )
            for at, number in enumerate(self.order[:limit].tolist())
        )

    def position_of(self, diseases: Iterable[DiseaseId]) -> int | None:
        """Return the best place of any of these codes, from 1; None when the list has none."""
        numbers = [n for d in diseases if (n := number_of(self.index, d)) is not None]
        places = np.flatnonzero(np.isin(self.order, numbers))
        return int(places[0]) + 1 if places.size else None


def rank_rare(engine: Engine, case: Case, stand_ins: StandIns | None = None) -> RareList:
    """Return every rare disease ranked for `case`.

    stand_ins: profiles to use in place of those of the index, from
    `ddx.features.rare_sources.SourceRemoval.without`.
    """
    ranker, catalogue = engine.rare, engine.catalogue
    query = read_case(case, catalogue.ontology, catalogue.implied)
    if not query.present:
        return RareList(
            index=ranker.index,
            order=np.zeros(0, dtype=np.int32),
            scores=np.zeros(0),
            probabilities=np.zeros(0),
            none=1.0,
            query=query,
        )
    scores = ranker.score_all(query)
    if stand_ins is not None and len(stand_ins.numbers):
        scores[stand_ins.numbers] = ranker.score_profiles(query, stand_ins.codes)
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    first = order[:CALIBRATED_FIRST]
    ranking = engine.rare_stage.rerank(
        RareRetrieval(query, first, scores[first]),
        Patient(query=query, age_years=case.age_years, sex=case.sex),
        _profiles(engine.rare_stage, stand_ins, first),
    )
    order = np.concatenate((ranking.indices, order[CALIBRATED_FIRST:]))
    probabilities = np.zeros(len(order))
    probabilities[: len(first)] = ranking.probabilities
    return RareList(
        index=ranker.index,
        order=order,
        scores=scores[order],
        probabilities=probabilities,
        none=ranking.none,
        query=query,
        stand_ins=stand_ins,
    )


def _profiles(
    stage: RareStage, stand_ins: StandIns | None, candidates: NDArray[np.int32]
) -> dict[int, Profile]:
    """Return what stands in for each candidate concerned, as the learned stage reads it."""
    if stand_ins is None or not isinstance(stage, RareReranker):
        return {}
    concerned = set(candidates.tolist())
    return {
        number: stage.profile(number, dict(profile), (codes / FREQUENCY_STEPS).astype(np.float32))
        for number, codes, profile in zip(
            stand_ins.numbers.tolist(), stand_ins.codes, stand_ins.profiles, strict=True
        )
        if number in concerned
    }


def number_of(index: RareIndex, code: DiseaseId) -> int | None:
    """Return the number of the disease with that code; None when the index has none."""
    try:
        return index.number_of(code)
    except UnknownDiseaseError:
        return None
