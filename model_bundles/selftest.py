"""The golden cases of a bundle must come out as they were recorded, before it may serve."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ddx.domain.artifacts import GOLDEN_CASES, Artifacts
from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.wire import case_from_json
from ddx.errors import DdxError
from model_bundles.errors import SelfTestFailedError
from model_bundles.verify import VerifiedBundle

TOLERANCE: Final = 1e-6
"""Largest difference of a probability: float32 inference on another processor."""


class Diagnoses(Protocol):
    """The part of `ddx.engine.Engine` the self-test needs."""

    def diagnose(self, case: Case) -> Differential:
        """Return the differential of one case."""


EngineFactory = Callable[[Artifacts], Diagnoses]
"""`Engine.from_artifacts`, handed in by the composition root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """A self-test that passed. worst_difference: largest probability difference seen."""

    version: str
    digest: str
    cases: int
    worst_difference: float
    seconds: float


AT_START: Final = 12
"""Golden cases at each start; all of them ran before the release was activated."""


def run(
    bundle: VerifiedBundle, engine_from: EngineFactory, *, at_most: int | None = None
) -> SelfTestReport:
    """Return the report of a bundle that reproduces all its golden cases.

    at_most: only so many of them, the first ones.

    `golden/cases.json`: [{"case": <ddx.domain.wire case>,
    "differential": {"top": [[disease, probability], ...]}}, ...]; the head of each
    differential must list the same diseases in the same order, probabilities within TOLERANCE.

    Raises:
        SelfTestFailedError: no golden cases, or the first case that differs or fails.
        BundleTamperedError, ModelError: the bundle or a model in it cannot be read.
    """
    started = time.perf_counter()
    golden = _golden(bundle)[:at_most]
    engine = engine_from(bundle)
    worst = max(_difference(index, entry, engine) for index, entry in enumerate(golden))
    return SelfTestReport(
        version=bundle.version,
        digest=bundle.digest,
        cases=len(golden),
        worst_difference=worst,
        seconds=time.perf_counter() - started,
    )


def _golden(bundle: VerifiedBundle) -> Sequence[Mapping[str, Any]]:
    try:
        golden = json.loads(bundle.read(GOLDEN_CASES))
    except ValueError as error:
        raise SelfTestFailedError(0, "the golden cases cannot be read") from error
    if not isinstance(golden, list) or not golden:
        raise SelfTestFailedError(0, "the bundle holds no golden cases")
    return golden


def _difference(index: int, entry: Mapping[str, Any], engine: Diagnoses) -> float:
    """Return the largest probability difference of one golden case."""
    try:
        case = case_from_json(entry["case"])
        expected = [(str(d), float(p)) for d, p in entry["differential"]["top"]]
        candidates = engine.diagnose(case).candidates
    except (DdxError, KeyError, TypeError, ValueError) as error:
        raise SelfTestFailedError(index, f"cannot be run: {error!r}") from error
    if not expected:
        raise SelfTestFailedError(index, "expects nothing")
    found = [(str(c.disease), c.probability) for c in candidates[: len(expected)]]
    return _compared(index, expected, found)


def _compared(
    index: int, expected: Sequence[tuple[str, float]], found: Sequence[tuple[str, float]]
) -> float:
    worst = 0.0
    if len(found) < len(expected):
        raise SelfTestFailedError(index, f"{len(found)} candidates, {len(expected)} expected")
    for rank, ((want, p), (got, q)) in enumerate(zip(expected, found, strict=True), start=1):
        if want != got:
            raise SelfTestFailedError(index, f"rank {rank} is {got}, expected {want}")
        if not abs(p - q) <= TOLERANCE:  # nan fails too
            raise SelfTestFailedError(index, f"{want} has probability {q}, expected {p}")
        worst = max(worst, abs(p - q))
    return worst
