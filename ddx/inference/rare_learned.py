"""The learned second stage of the rare ranker: re-orders what the likelihood ratio retrieved.

A tree ensemble reads one row per candidate (`ddx.features.rare_pairs`) and gives a margin;
higher is more likely to be the diagnosis. Probabilities are a softmax over the candidates and
one more outcome, "none of these", whose logit grows as the best likelihood ratio per finding
falls: a case that nothing explains says so.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import Artifacts
from ddx.domain.canonical import canonical_json
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.rare_evidence import Patient, gather
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_pairs import FEATURES, FEATURES_HASH, pair_features
from ddx.features.rare_tables import RareTables
from ddx.inference.common import SCHEMA_HASH_KEY
from ddx.inference.rare import RareRanker, RareRetrieval
from ddx.inference.session import ModelSession

Floats = NDArray[np.float64]

RARE_MODEL: Final = "models/rare_ranker.onnx"
RARE_FACTS: Final = "models/rare_facts.npz"
RARE_CALIBRATION: Final = "models/rare_calibration.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RareCalibration:
    """What turns margins into probabilities; fitted on cases of diseases the model never saw.

    scale: > 0, multiplies margins. none, none_slope: logit of "none of these" is
    none + none_slope * best log likelihood ratio per finding.
    """

    scale: float
    none: float
    none_slope: float

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, asdict(self).values())) and self.scale > 0):
            raise ModelError(f"rare calibration holds no numbers to use: {self}")

    def probabilities(self, margins: Floats, evidence: float) -> Floats:
        """Return float64 (n + 1,), sum 1: one per candidate, then "none of these".

        evidence: best log likelihood ratio of the candidates, per finding seen.
        """
        logits = np.append(margins * self.scale, self.none + self.none_slope * evidence)
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
                scale=float(member["scale"]),
                none=float(member["none"]),
                none_slope=float(member["none_slope"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{RARE_CALIBRATION} cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class RareRanking:
    """Retrieved candidates in the learned order, best first.

    indices: int32, disease numbers. margins: float64, model scale. probabilities: float64.
    none: probability that the diagnosis is not among the candidates. All sum to 1.
    retrieval: the first stage, as it was.
    """

    retrieval: RareRetrieval
    indices: NDArray[np.int32]
    margins: Floats
    probabilities: Floats
    none: float


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
        if hash_ != FEATURES_HASH or width != len(FEATURES) or session.output_width != 1:
            raise SchemaMismatchError("rare model was fitted on other columns")
        self._session, self._tables, self._calibration = session, tables, calibration

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

    def features(self, retrieval: RareRetrieval, patient: Patient) -> NDArray[np.float32]:
        """Return one row per retrieved candidate, float32 (n, len(FEATURES))."""
        evidence = gather(self._tables, retrieval.query, retrieval.indices)
        return pair_features(evidence, patient, self._tables.index.parameters)

    def rerank(self, retrieval: RareRetrieval, patient: Patient) -> RareRanking:
        """Return the candidates in the learned order. Equal margins keep the first stage's order.

        patient: of the same query. Nothing retrieved: no candidates, and none is certain.

        Raises:
            ModelError: the model fails.
        """
        if not len(retrieval.indices):
            empty = np.zeros(0)
            return RareRanking(retrieval, retrieval.indices, empty, empty, 1.0)
        margins = self._session.run(self.features(retrieval, patient))[:, 0].astype(np.float64)
        findings = max(len(retrieval.query.present), 1)
        evidence = float(retrieval.scores[0]) / findings
        probabilities = self._calibration.probabilities(margins, evidence)
        order = np.argsort(-margins, kind="stable")
        return RareRanking(
            retrieval=retrieval,
            indices=retrieval.indices[order],
            margins=margins[order],
            probabilities=probabilities[:-1][order],
            none=float(probabilities[-1]),
        )
