"""A receipt: what a prediction was made from, so that it can be replayed years later."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ddx.domain.canonical import digest_of
from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import RecordId, record_id
from ddx.domain.short_code import short_code_of
from ddx.domain.wire import (
    JsonObject,
    case_from_json,
    case_to_json,
    differential_from_json,
    differential_to_json,
    explanation_from_json,
    explanation_to_json,
)
from ddx.errors import CaseError, IdentifierError

FORMAT: Final = 1
"""Of the receipt file."""

EXPLAINED: Final = 3
"""First candidates whose contributions a receipt keeps: what the visit's screen opens with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One prediction with everything needed to repeat it.

    made_at: UTC. feature_digest: SHA-256 (hex) of `features`; features: what the models read of
    the case, hex (`ddx.engine.Engine.features`). contributions: explanations of the first
    candidates. Receipts made before these two were kept have neither, and their digest is
    computed without them.
    """

    diagnosis_id: RecordId
    made_at: datetime
    case: Case
    feature_digest: str
    differential: Differential
    features: str = ""
    contributions: tuple[Explanation, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over input, features, output and contributions."""
        covered: dict[str, object] = {
            "diagnosis_id": self.diagnosis_id,
            "made_at": self.made_at.isoformat(),
            "case": case_to_json(self.case),
            "feature_digest": self.feature_digest,
            "differential": differential_to_json(self.differential),
        }
        if self.contributions:
            covered["contributions"] = [explanation_to_json(e) for e in self.contributions]
        return digest_of(covered)

    @property
    def features_hold(self) -> bool:
        """Whether the kept feature vector is the one the digest names (True when none is kept)."""
        if not self.features:
            return True
        return hashlib.sha256(bytes.fromhex(self.features)).hexdigest() == self.feature_digest

    @property
    def short_code(self) -> str:
        """The code printed on a referral: `ddx.domain.short_code` of the digest."""
        return short_code_of(self.digest)


def receipt_to_json(receipt: Receipt, *, recorded_digest: str) -> JsonObject:
    """Return `receipt` as the content of a receipt file; no name and no patient id is in it.

    recorded_digest: as written down when the prediction was made.
    """
    return {
        "kind": "vereda-receipt",
        "format": FORMAT,
        "diagnosis_id": receipt.diagnosis_id,
        "made_at": receipt.made_at.isoformat(),
        "case": case_to_json(receipt.case),
        "features": receipt.features,
        "feature_digest": receipt.feature_digest,
        "differential": differential_to_json(receipt.differential),
        "contributions": [explanation_to_json(e) for e in receipt.contributions],
        "receipt_digest": recorded_digest,
    }


def receipt_from_json(raw: Mapping[str, Any]) -> tuple[Receipt, str]:
    """Return the receipt in a file's content, and the digest recorded with it.

    Raises:
        CaseError: not a receipt of this format.
    """
    try:
        if raw["kind"] != "vereda-receipt" or raw["format"] != FORMAT:
            raise CaseError("not a receipt file this version reads")
        bytes.fromhex(raw["features"])
        receipt = Receipt(
            diagnosis_id=record_id(raw["diagnosis_id"]),
            made_at=datetime.fromisoformat(raw["made_at"]),
            case=case_from_json(raw["case"]),
            feature_digest=str(raw["feature_digest"]),
            differential=differential_from_json(raw["differential"]),
            features=raw["features"],
            contributions=tuple(explanation_from_json(e) for e in raw["contributions"]),
        )
        return receipt, str(raw["receipt_digest"])
    except (KeyError, TypeError, ValueError, IdentifierError) as error:
        raise CaseError("not a receipt file this version reads") from error
