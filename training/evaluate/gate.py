"""The promotion rule: may this candidate replace the current model? Pure; limits from the plan."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from training.change_plan import ChangePlan
from training.evaluate.candidate import Comparison, Figures


class Outcome(StrEnum):
    """PASSED or FAILED; of neither, a person must look.

    UNMEASURED: the held-out cases cannot tell. SHORT: allowed, and below the plan's objective.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNMEASURED = "unmeasured"
    SHORT = "short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the verdict. current, new, limit: None where there is nothing to compare.

    limit: what `new` had to reach. source: of the limit.
    """

    name: str
    current: float | None
    new: float | None
    limit: float | None
    outcome: Outcome
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the plan says of a candidate. plan: digest of the plan it was judged under."""

    checks: tuple[Check, ...]
    plan: str

    @property
    def promote(self) -> bool:
        """Whether nothing failed. What is unmeasured or short is for the reviewers."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed."""
        return tuple(c.name for c in self.checks if c.outcome is Outcome.FAILED)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as the report and the registry keep it."""
        checks = [asdict(check) for check in self.checks]
        return {"promote": self.promote, "plan": self.plan, "checks": checks}


def judge(compared: Comparison, plan: ChangePlan, foreign: Iterable[str] = ()) -> Verdict:
    """Return the verdict on the new model.

    foreign: what changed that the plan does not let change (members, diseases, findings).
    """
    now, new = compared.figures_current, compared.figures_new
    checks = (
        _changes(foreign),
        *_figures(now, new, plan),
        *_fairness(now, new, plan),
        *_speed(compared, plan),
    )
    return Verdict(checks=checks, plan=plan.digest)


def _changes(foreign: Iterable[str]) -> Check:
    found = len(tuple(foreign))
    return Check(
        name="changes_outside_plan",
        current=None,
        new=float(found),
        limit=0.0,
        outcome=Outcome.FAILED if found else Outcome.PASSED,
        source="docs/pccp.yaml, changes",
    )


def _figures(now: Figures, new: Figures, plan: ChangePlan) -> Iterator[Check]:
    gate, rise = plan.gate, plan.gate.f1.must_rise_by
    yield _check(
        "f1", now.f1.value, new.f1.value, above=now.f1.value + rise.value, source=rise.source
    )
    kept = {"critical_recall": gate.critical_recall, "specificity": gate.specificity}
    for name, limit in kept.items():
        was, found, may = getattr(now, name).value, getattr(new, name).value, limit.may_fall_by
        yield _check(name, was, found, least=was - may.value, source=may.source)
        if limit.least is not None:
            yield _check(
                f"{name}_least", was, found, least=limit.least.value, source=limit.least.source
            )
        if (goal := limit.objective) is not None:
            check = _check(f"{name}_objective", was, found, least=goal.value, source=goal.source)
            missed = check.outcome is Outcome.FAILED
            yield replace(check, outcome=Outcome.SHORT) if missed else check
    rise = gate.calibration.may_rise_by
    was, found = now.ece.value, new.ece.value
    yield _check("calibration", was, found, most=was + rise.value, source=rise.source)
    exact = gate.parity.most
    yield _check("parity", now.parity, new.parity, most=exact.value, source=exact.source)


def _fairness(now: Figures, new: Figures, plan: ChangePlan) -> Iterator[Check]:
    rise = plan.gate.fairness.gap_may_rise_by_points
    for name in ("sex_gap", "age_gap"):
        was, found = getattr(now, name), getattr(new, name)
        check = _check(name, was, found, most=was + rise.value, source=rise.source)
        # Small samples share no disease between all groups: a person looks at those.
        unknown = check.new is None or check.limit is None
        yield replace(check, outcome=Outcome.UNMEASURED) if unknown else check


def _speed(compared: Comparison, plan: ChangePlan) -> Iterator[Check]:
    may, most = plan.gate.latency.may_rise_by_share, plan.gate.latency.most_p99_ms
    yield _check("latency_ratio", 1.0, compared.slower, most=1.0 + may.value, source=may.source)
    was, p99 = compared.figures_current.p99_ms, compared.figures_new.p99_ms
    yield _check("latency_p99_ms", was, p99, most=most.value, source=most.source)


def _check(
    name: str,
    current: float,
    new: float,
    *,
    source: str,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
) -> Check:
    """Return the line of one figure with one limit; what was not measured has not passed."""
    limit = next(bound for bound in (least, most, above) if bound is not None)
    passed = (
        (least is None or new >= least)
        and (most is None or new <= most)
        and (above is None or new > above)
    )
    return Check(
        name=name,
        current=_known(current),
        new=_known(new),
        limit=_known(limit),
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        source=source,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
