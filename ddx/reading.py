"""One case as the models of a bundle read it, and what each says of it, asked once at most.

List, triage, open diseases, questions and explanations of a case all start from one reading, so
that none of them reads the case or asks a model again.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.domain.differential import World
from ddx.domain.identifiers import FindingId
from ddx.features.encode import FeatureRow
from ddx.features.rare_evidence import Patient
from ddx.features.rare_query import RareQuery
from ddx.inference.common import CommonAnswer, CommonModel
from ddx.inference.meta import WorldAnswers
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.inference.rare_learned import RareRanking, RareStage
from ddx.once import once

_NOTHING: Final = np.zeros(0)
_NOBODY: Final = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Models:
    """The models of one bundle. blocked: worlds whose model is not asked at all."""

    common: CommonModel
    ranker: RareRanker
    stage: RareStage
    blocked: frozenset[World] = frozenset()


@dataclass(frozen=True, eq=False)
class Reading:
    """One case as read. row: by the common model; query: by the rare ranker."""

    models: Models = field(repr=False)
    case: Case
    row: FeatureRow
    query: RareQuery

    @once
    def common(self) -> CommonAnswer:
        """What the common model says of the row. Raises ModelError."""
        return self.models.common.answer(self.row)

    @once
    def ranking(self) -> RareRanking:
        """What both stages of the rare ranker say; of nothing when that model is blocked."""
        if World.RARE in self.models.blocked:
            nothing = RareRetrieval(query=self.query, indices=_NOBODY, scores=_NOTHING)
            return RareRanking(nothing, _NOBODY, _NOTHING, _NOTHING, 1.0)
        return self.models.stage.rerank(self.models.ranker.retrieve(self.query), self.patient)

    @property
    def patient(self) -> Patient:
        """The patient as the learned rare stage reads one."""
        return Patient(query=self.query, age_years=self.case.age_years, sex=self.case.sex)

    @property
    def read_by_neither(self) -> tuple[FindingId, ...]:
        """Findings that no model could read, in the order they were entered."""
        unread = set(self.query.dropped)
        return tuple(finding for finding in self.row.dropped if finding in unread)

    @property
    def found_by_common(self) -> tuple[int, int]:
        """How many columns of findings the common model reads as present and as excluded."""
        known = self.row.values[self.models.common.schema.finding_columns]
        return int((known > 0).sum()), int((known == 0).sum())

    @property
    def content(self) -> bytes:
        """What the models read: common row, then rare query.

        Common row: float32, little-endian, in the order of the bundle's schema, nan where nothing
        was asked. Then "|" and the term indexes (int32) of what is present, "|" and of what is
        excluded.
        """
        read = np.ascontiguousarray(self.row.values, dtype="<f4").tobytes()
        for terms in (self.query.present, self.query.excluded):
            indexes = np.array(sorted(term.index for term in terms), dtype="<i4")
            read += b"|" + indexes.tobytes()
        return read

    @property
    def answers(self) -> WorldAnswers:
        """What both models say, as the gate between the worlds reads it."""
        present, excluded = self.case.present, self.case.excluded
        dropped, blocked = set(self.row.dropped), self.models.blocked
        by_common = sum(f.id not in dropped for f in present)
        ruled_out = sum(f.id not in dropped for f in excluded)
        by_rare = {term.subject for term in self.query.present} | set(self.query.redundant)
        rare_reads = bool(self.query.present) and World.RARE not in blocked
        common_reads = bool(by_common or ruled_out) and World.COMMON not in blocked
        ranking = self.ranking
        return WorldAnswers(
            common=self.common.probabilities if common_reads else None,
            rare_scores=ranking.retrieval.scores if rare_reads else _NOTHING,
            rare=ranking.probabilities if rare_reads else _NOTHING,
            rare_none=ranking.none if rare_reads else 1.0,
            present=len(present),
            present_read_by_common=by_common,
            excluded_read_by_common=ruled_out,
            present_read_by_rare=len(self.query.present),
            present_read_by_rare_only=sum(f.id in dropped and f.id in by_rare for f in present),
            rare_top_present=self._shown_by_best,
        )

    @property
    def _shown_by_best(self) -> NDArray[np.float64]:
        """What each present finding brings to the rare disease that scores best."""
        retrieved = self.ranking.retrieval
        if not len(retrieved.indices) or not self.query.present:
            return _NOTHING
        best = int(retrieved.indices[0])
        return np.array(self.models.ranker.evidence(self.query, best).present)
