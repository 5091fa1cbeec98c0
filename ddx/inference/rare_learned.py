"""The learned second stage of the rare ranker: re-orders what the likelihood ratio retrieved.

A tree ensemble reads one row per candidate (`ddx.features.rare_pairs`); what it says and a share
of the likelihood ratio make the margin: higher is more likely to be the diagnosis. Probabilities
are a softmax over the candidates and one more outcome, "none of these", whose logit grows as the
best likelihood ratio per finding falls: a case that nothing explains says so.

A bundle without the learned members is served by `PlainStage`: the likelihood ratio alone.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import META_MODEL, Artifacts
from ddx.domain.canonical import canonical_json
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.rare_evidence import Patient, gather
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_pairs import FEATURES, features_hash, pair_features
from ddx.features.rare_tables import Profile, RareTables
from ddx.inference.common import SCHEMA_HASH_KEY
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.inference.session import ModelSession

Floats = NDArray[np.float64]

RARE_MODEL: Final = "models/rare_ranker.onnx"
RARE_TREES: Final = "models/rare_trees.npz"
RARE_FACTS: Final = "models/rare_facts.npz"
RARE_CALIBRATION: Final = "models/rare_calibration.json"

EVIDENCE_COLUMN: Final = tuple(FEATURES).index("lr")
"""Column of the log likelihood ratio, the first stage's score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RareCalibration:
    """What makes margins, and probabilities of them; fitted on diseases the model never saw.

    blend: >= 0, margin per unit of log likelihood ratio, added to what the trees say.
    evidence_weight: >= 0, margin that goes with one unit of log likelihood ratio; explanations
    read findings with it (`ddx.explain.rare_learned`). scale: > 0, multiplies margins.
    The logit of "none of these" is none + none_slope * best log likelihood ratio per finding
    + none_share * share of the best candidate among the candidates + none_level * level of all,
    log of the sum of their exponentials. none_level 1: margins count by their differences alone.
    """

    blend: float
    evidence_weight: float
    scale: float
    none: float
    none_slope: float
    none_share: float = 0.0
    none_level: float = 0.0

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, asdict(self).values())) and self.scale > 0):
            raise ModelError(f"rare calibration holds no numbers to use: {self}")

    def probabilities(self, margins: Floats, evidence: float) -> Floats:
        """Return float64 (n + 1,), sum 1: one per candidate, then "none of these".

        evidence: best log likelihood ratio of the candidates, per finding seen.
        """
        scaled = margins * self.scale
        best = scaled.max(initial=-np.inf)
        total = float(np.exp(scaled - best).sum()) if len(scaled) else 0.0
        none = self.none + self.none_slope * evidence
        if total:
            none += self.none_share / total + self.none_level * (float(best) + math.log(total))
        logits = np.append(scaled, none)
        weights = np.exp(logits - logits.max())
        probabilities: Floats = weights / weights.sum()
        return probabilities

    def to_json(self) -> bytes:
        """Return the bundle member `models/rare_calibration.json`."""
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read that member. Raises ModelError when it is malformed."""
        try:
            member = json.loads(raw)
            return cls(
                blend=float(member["blend"]),
                evidence_weight=float(member["evidence_weight"]),
                scale=float(member["scale"]),
                none=float(member["none"]),
                none_slope=float(member["none_slope"]),
                none_share=float(member.get("none_share", 0.0)),
                none_level=float(member.get("none_level", 0.0)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{RARE_CALIBRATION} cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class RareRanking:
    """Retrieved candidates in the learned order, best first.

    indices: int32, disease numbers. margins: float64, model scale. probabilities: float64.
    none: probability that the diagnosis is not among the candidates. All sum to 1.
    retrieval: the first stage, as it was. rows: float32 (n, len(FEATURES)), what the margins were
    read from, in the order of `retrieval`; None from a stage that reads none.
    """

    retrieval: RareRetrieval
    indices: NDArray[np.int32]
    margins: Floats
    probabilities: Floats
    none: float
    rows: NDArray[np.float32] | None = None


class RareStage(Protocol):
    """What orders the retrieved candidates and gives them probabilities."""

    def rerank(
        self,
        retrieval: RareRetrieval,
        patient: Patient,
        replaced: Mapping[int, Profile] | None = None,
    ) -> RareRanking:
        """Return the candidates best first. replaced: as in `RareRanker.retrieve`."""


class RareReranker:
    """The learned stage of one bundle; holds no state between cases."""

    def __init__(
        self, session: ModelSession, tables: RareTables, calibration: RareCalibration
    ) -> None:
        """Tie the three together.

        Raises:
            SchemaMismatchError: the model reads other columns than this code computes.
        """
        hash_, width = session.metadata.get(SCHEMA_HASH_KEY), session.input_width
        if width > len(FEATURES) or hash_ != features_hash(width) or session.output_width != 1:
            raise SchemaMismatchError("rare model was fitted on other columns")
        self._session, self._tables, self.calibration = session, tables, calibration
        self._width = width

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, ranker: RareRanker) -> Self:
        """Load the members of a bundle. ranker: the first stage of the same bundle.

        Raises:
            ModelError: a member is missing, malformed, or written for another index.
        """
        return cls(
            ModelSession.from_bytes(artifacts.read(RARE_MODEL)),
            RareTables(ranker.index, RareFacts.from_npz(artifacts.read(RARE_FACTS))),
            RareCalibration.from_json(artifacts.read(RARE_CALIBRATION)),
        )

    def profile(
        self, number: int, stated: Mapping[int, float | None], shares: NDArray[np.float32]
    ) -> Profile:
        """Return what may stand in for the disease of that number.

        stated: ontology index -> share that is published, None where none is. shares: float32 by
        ontology index, propagated. Prevalence, onset and the like stay those of the bundle.
        """
        published = [np.nan if share is None else share for share in stated.values()]
        return Profile(
            terms=np.array(list(stated), dtype=np.int32),
            stated=np.array(published, dtype=np.float32),
            shares=shares,
            facts=self._tables.facts.facts[number].copy(),
        )

    def features(
        self,
        retrieval: RareRetrieval,
        patient: Patient,
        replaced: Mapping[int, Profile] | None = None,
    ) -> NDArray[np.float32]:
        """Return one row per retrieved candidate, float32 (n, len(FEATURES))."""
        evidence = gather(self._tables, retrieval.query, retrieval.indices, replaced)
        return pair_features(evidence, patient, self._tables.index.parameters)

    def margins(self, rows: NDArray[np.float32]) -> Floats:
        """Return the margin of every row. Raises ModelError when the model fails."""
        evidence = rows[:, EVIDENCE_COLUMN].astype(np.float64)
        read = np.ascontiguousarray(rows[:, : self._width])
        margins: Floats = self._session.run(read)[:, 0] + self.calibration.blend * evidence
        return margins

    def rerank(
        self,
        retrieval: RareRetrieval,
        patient: Patient,
        replaced: Mapping[int, Profile] | None = None,
    ) -> RareRanking:
        """Return the candidates in the learned order. Equal margins keep the first stage's order.

        patient: of the same query. Nothing retrieved: no candidates, and none is certain.

        Raises:
            ModelError: the model fails.
        """
        if not len(retrieval.indices):
            return _nothing(retrieval)
        rows = self.features(retrieval, patient, replaced)
        margins = self.margins(rows)
        evidence = float(retrieval.scores[0]) / max(len(retrieval.query.present), 1)
        probabilities = self.calibration.probabilities(margins, evidence)
        order = np.argsort(-margins, kind="stable")
        return RareRanking(
            retrieval=retrieval,
            indices=retrieval.indices[order],
            margins=margins[order],
            probabilities=probabilities[:-1][order],
            none=float(probabilities[-1]),
            rows=rows,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainStage:
    """The likelihood ratio alone: what serves a bundle made before the learned stage.

    temperature: > 0, divides the scores before the softmax. miss_rate: share of rare cases whose
    disease is not retrieved.
    """

    temperature: float
    miss_rate: float

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Read what such a bundle keeps in `models/meta.json`. Raises ModelError."""
        try:
            member = json.loads(artifacts.read(META_MODEL))
            return cls(
                temperature=float(member["rare_temperature"]),
                miss_rate=float(member["rare_miss_rate"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"the bundle has no {RARE_MODEL} and no {error} instead") from error

    def rerank(
        self,
        retrieval: RareRetrieval,
        patient: Patient,  # noqa: ARG002 -- reads nothing beside the scores
        replaced: Mapping[int, Profile] | None = None,  # noqa: ARG002
    ) -> RareRanking:
        """Return the candidates as retrieved."""
        if not len(retrieval.indices):
            return _nothing(retrieval)
        scores = retrieval.scores
        weights = np.exp((scores - scores.max()) / self.temperature)
        return RareRanking(
            retrieval=retrieval,
            indices=retrieval.indices,
            margins=scores,
            probabilities=weights / weights.sum() * (1.0 - self.miss_rate),
            none=self.miss_rate,
        )


def _nothing(retrieval: RareRetrieval) -> RareRanking:
    empty = np.zeros(0)
    return RareRanking(retrieval, retrieval.indices, empty, empty, 1.0)
