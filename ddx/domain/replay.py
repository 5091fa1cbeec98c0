"""A receipt run again: identical bit for bit, or what differs and where it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.domain.receipt import Receipt
from ddx.domain.wire import differential_to_json, explanation_to_json
from ddx.errors import UnknownDiseaseError


class Difference(StrEnum):
    """What a replay found different.

    RECEIPT: the record does not match its own digest. BUNDLE: the bundle that answered is not
    here, so nothing was run.
    """

    RECEIPT = "receipt"
    BUNDLE = "bundle"
    FEATURES = "features"
    DIFFERENTIAL = "differential"
    CONTRIBUTIONS = "contributions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """Whether a recorded diagnosis comes out the same again, bit for bit.

    details: one line per difference, in its order: the first value that differs.
    missing_bundle: digest of the bundle that is needed and is not here.
    """

    differences: tuple[Difference, ...]
    details: tuple[str, ...] = ()
    missing_bundle: str = ""

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


class ReplayEngine(Protocol):
    """The part of `ddx.engine.Engine` a replay needs."""

    def features(self, case: Case) -> str:
        """Return what the models read of `case`, hex."""

    def feature_digest(self, case: Case) -> str:
        """Return the SHA-256 of those bytes."""

    def diagnose(self, case: Case) -> Differential:
        """Return the differential of `case`."""

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return why `disease` stands where it stands."""


def replay(receipt: Receipt, recorded_digest: str, engine: ReplayEngine | None) -> ReplayReport:
    """Return how `receipt` compares with its own digest and with `engine` run on its case.

    engine: of the very bundle the receipt names; None when it is not to be had.
    """
    found: list[tuple[Difference, str]] = []
    if receipt.digest != recorded_digest:
        found.append((Difference.RECEIPT, f"recorded {recorded_digest}, is {receipt.digest}"))
    if not receipt.features_hold:
        found.append((Difference.RECEIPT, "the feature vector does not match its digest"))
    if engine is None:
        needed = receipt.differential.bundle_digest
        found.append((Difference.BUNDLE, f"needs the bundle with digest {needed}"))
        return _report(found, needed)
    if engine.feature_digest(receipt.case) != receipt.feature_digest:
        found.append((Difference.FEATURES, _first_byte(receipt, engine)))
    again = engine.diagnose(receipt.case)
    before, now = differential_to_json(receipt.differential), differential_to_json(again)
    if canonical_json(before) != canonical_json(now):
        found.append((Difference.DIFFERENTIAL, first_difference(before, now)))
    if moved := _moved(receipt, engine):
        found.append((Difference.CONTRIBUTIONS, moved))
    return _report(found, "")


def _moved(receipt: Receipt, engine: ReplayEngine) -> str:
    """Return the first contribution that differs, empty when none does."""
    for kept in receipt.contributions:
        try:
            now = explanation_to_json(engine.explain(receipt.case, kept.disease))
        except UnknownDiseaseError:
            return f"{kept.disease}: not known to the bundle"
        if canonical_json(explanation_to_json(kept)) != canonical_json(now):
            return f"{kept.disease}: {first_difference(explanation_to_json(kept), now)}"
    return ""


def first_difference(before: object, now: object, path: str = "") -> str:
    """Return the first place where two JSON values differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            if key not in before or key not in now:
                return f"{path}.{key}: in one only".lstrip(".")
            if found := _below(before[key], now[key], f"{path}.{key}"):
                return found
        return ""
    if isinstance(before, list) and isinstance(now, list):
        for place, (one, other) in enumerate(zip(before, now, strict=False)):
            if found := _below(one, other, f"{path}[{place}]"):
                return found
        lengths = f"{len(before)} recorded, {len(now)} now"
        return "" if len(before) == len(now) else f"{path}: {lengths}".lstrip(".")
    return f"{path}: recorded {before!r}, now {now!r}".lstrip(".")


def _below(one: object, other: object, path: str) -> str:
    return (
        "" if canonical_json(one) == canonical_json(other) else first_difference(one, other, path)
    )


def _first_byte(receipt: Receipt, engine: ReplayEngine) -> str:
    now = engine.features(receipt.case)
    if not receipt.features:
        return (
            f"recorded digest {receipt.feature_digest}, now {engine.feature_digest(receipt.case)}"
        )
    pairs = zip(bytes.fromhex(receipt.features), bytes.fromhex(now), strict=False)
    for place, (one, other) in enumerate(pairs):
        if one != other:
            return f"feature bytes differ from byte {place} on"
    return f"{len(receipt.features) // 2} feature bytes recorded, {len(now) // 2} now"


def _report(found: Sequence[tuple[Difference, str]], missing: str) -> ReplayReport:
    kinds = tuple(dict.fromkeys(kind for kind, _ in found))
    return ReplayReport(
        differences=kinds,
        details=tuple(f"{kind.value}: {detail}" for kind, detail in found),
        missing_bundle=missing,
    )
