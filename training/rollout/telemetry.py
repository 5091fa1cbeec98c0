"""Errors and times of each model, from the /metrics of the clouds that answer with it.

A cloud counts per bundle how long the engine took, in steps of a tenth, and how often it failed.
Read at every report, the difference to the reading before is what happened since. Slow is what took
longer than the median before the rollout: for the current model that step, for the new one the step
of that time plus the plan's allowed share. Both are bounds of the histogram, so nothing is guessed
between two of them.

Devices tell of theirs with their records (`devices`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from model_bundles import files
from training.pipelines.steps import Say, StepError

SECONDS: Final = "vereda_model_duration_seconds"
ERRORS: Final = "vereda_model_errors"
TIMEOUT_S: Final = 10.0
ROUNDING: Final = 1e-6
"""Bounds are printed in decimal; two that differ by less are the same."""

Told = dict[str, dict[str, int]]
"""Bundle version -> cases, errors, slow."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one bundle since its cloud started. buckets: upper bound in seconds -> cases up to it."""

    errors: int = 0
    buckets: Mapping[float, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Cases that were answered."""
        return max(self.buckets.values(), default=0)

    @property
    def cases(self) -> int:
        """Cases, failed ones too."""
        return self.answered + self.errors

    def since(self, before: "Totals") -> "Totals":
        """Return what was added; everything when the cloud began to count anew in between."""
        if before.cases > self.cases or before.errors > self.errors:
            return self
        less = {le: n - before.buckets.get(le, 0) for le, n in self.buckets.items()}
        return Totals(self.errors - before.errors, less)

    def plus(self, other: "Totals") -> "Totals":
        """Return the sum of two clouds."""
        both = {*self.buckets, *other.buckets}
        summed = {le: self.buckets.get(le, 0) + other.buckets.get(le, 0) for le in both}
        return Totals(self.errors + other.errors, summed)

    def median_s(self) -> float | None:
        """Return the first bound that half of the answers keep; None without answers."""
        half = [le for le, n in sorted(self.buckets.items()) if 2 * n >= self.answered]
        return half[0] if self.answered else None

    def slower_than(self, seconds: float) -> int:
        """Return the answers that took longer than the first bound at or above `seconds`."""
        within = [n for le, n in sorted(self.buckets.items()) if le >= seconds - ROUNDING]
        return self.answered - within[0] if within else 0


Reading = dict[str, dict[str, Totals]]
"""Address of a cloud -> bundle version -> totals."""


def totals_of(text: str) -> dict[str, Totals]:
    """Return version -> totals of one page in Prometheus' text format. Raises StepError."""
    errors: dict[str, int] = {}
    buckets: dict[str, dict[float, int]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == f"{SECONDS}_bucket":
                    bound = float(sample.labels["le"])
                    buckets.setdefault(sample.labels["bundle"], {})[bound] = int(sample.value)
                elif sample.name == f"{ERRORS}_total":
                    errors[sample.labels["bundle"]] = int(sample.value)
    except (ValueError, KeyError) as error:
        raise StepError(f"metrics cannot be read: {error!r}") from error
    versions = {*errors, *buckets}
    return {v: Totals(errors.get(v, 0), buckets.get(v, {})) for v in versions}


def read(addresses: Iterable[str], say: Say) -> Reading:
    """Return the totals of every cloud that answers; of one that does not, nobody told anything.

    Raises:
        StepError: a page that is not in Prometheus' text format.
    """
    found: Reading = {}
    for address in addresses:
        try:
            page = httpx.get(address, timeout=TIMEOUT_S)
            page.raise_for_status()
        except httpx.HTTPError as error:
            say(f"{address} gave no metrics: {type(error).__name__}")
        else:
            found[address] = totals_of(page.text)
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """What a rollout remembers between two readings, in a file of its run.

    usual_s: median of the current model before the rollout, None until it had answered.
    """

    path: Path
    last: Reading = field(default_factory=dict)
    usual_s: float | None = None

    @classmethod
    def of(cls, path: Path) -> "Memory":
        """Return what is kept there; nothing before the first reading."""
        if not path.is_file():
            return cls(path)
        raw = json.loads(path.read_bytes())
        last = {a: {v: _totals(t) for v, t in found.items()} for a, found in raw["last"].items()}
        return cls(path, last, raw["usual_s"])

    def keep(self, reading: Reading, current: str) -> None:
        """Keep a reading for the next; the usual time once, and then for the whole rollout.

        A cloud that did not answer is counted from its own last reading when it does.
        """
        usual_s = self.usual_s
        if usual_s is None:
            usual_s = _sum(found.get(current) for found in reading.values()).median_s()
        kept = {**self.last, **reading}
        raw = {a: {v: asdict(t) for v, t in found.items()} for a, found in kept.items()}
        content = json.dumps({"last": raw, "usual_s": usual_s}, sort_keys=True)
        files.write_durably(self.path, content.encode())

    def told(self, reading: Reading, *, current: str, new: str, share: float) -> Told:
        """Return what happened since the last reading. share: by which the new may take longer.

        Empty while the usual time is not known: then nothing is known to be slow or not.
        """
        if self.usual_s is None:
            return {}
        limits = {current: self.usual_s, new: self.usual_s * (1.0 + share)}
        found: Told = {}
        for version, limit in limits.items():
            counted = _sum(
                now[version].since(self.last.get(address, {}).get(version, Totals()))
                for address, now in reading.items()
                if version in now
            )
            if counted.cases:
                found[version] = {
                    "cases": counted.cases,
                    "errors": counted.errors,
                    "slow": counted.slower_than(limit),
                }
        return found


def _sum(parts: Iterable[Totals | None]) -> Totals:
    found = Totals()
    for part in parts:
        found = found if part is None else found.plus(part)
    return found


def _totals(raw: Mapping[str, Any]) -> Totals:
    return Totals(raw["errors"], {float(le): n for le, n in raw["buckets"].items()})
