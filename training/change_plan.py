"""The predetermined change control plan, `docs/pccp.yaml`: every limit the learning loop obeys.

The file is the only place where a limit stands. Each carries its source; a number without one, an
unknown name or a value out of range is refused, so that a typing error cannot widen a gate.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Literal, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ddx.domain.canonical import digest_of
from ddx.errors import DdxError
from training.shipped import PLAN

Service = Literal["teams", "slack", "pagerduty"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0.0)]

Told = Annotated[str, Field(min_length=8)]

T = TypeVar("T")


class ChangePlanError(DdxError):
    """The change control plan cannot be read; nothing is trained, released or watched without."""

    code: ClassVar[str] = "training.change_plan"


class _Part(BaseModel):
    """A section: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(_Part, Generic[T]):
    """A value and where it is from."""

    value: T
    source: Annotated[str, Field(min_length=8)]


class Impact(_Part):
    """What one change may do to patients. held_by: sections of the plan that keep it from them."""

    change: Told
    members: tuple[str, ...]
    benefit: Told
    risk: Told
    held_by: Annotated[
        tuple[Literal["data", "gate", "approval", "rollout", "monitor"], ...], Field(min_length=1)
    ]


class Changes(_Part):
    """What a retraining may change. members: names inside the bundle, in the order of the file.

    No set: its order, and with it the plan's digest, would change from process to process.
    """

    members: tuple[str, ...]
    impact: tuple[Impact, ...]
    same_diseases: bool
    same_findings: bool

    @model_validator(mode="after")
    def _assessed(self) -> Self:
        assessed = [name for impact in self.impact for name in impact.members]
        if sorted(assessed) != sorted(self.members):
            odd = sorted({*assessed} ^ {*self.members}) or "one of them twice"
            raise ValueError(f"each member that may change is assessed once: {odd}")
        return self


class Window(_Part):
    """How many new cases a retraining expects."""

    least: Sourced[Count]
    most: Sourced[Count]


class Cases(_Part):
    """The cases of a retraining. held_out_last: the newest, which judge and never train."""

    window_expected: Window
    held_out_last: Sourced[Count]
    folds: Sourced[Annotated[int, Field(ge=2)]]
    trials: Sourced[Count]


class Rise(_Part):
    """A figure that must be better by more than this."""

    must_rise_by: Sourced[Share]


class Kept(_Part):
    """A figure that may fall by no more than this, and to no less than `least`.

    objective: what it should reach; the reviewers are told where it does not.
    """

    may_fall_by: Sourced[Share]
    least: Sourced[Share] | None = None
    objective: Sourced[Share] | None = None


class Bounded(_Part):
    """A figure that may rise by no more than this."""

    may_rise_by: Sourced[Share]


class FairnessLimit(_Part):
    """Points that a gap between groups may grow."""

    gap_may_rise_by_points: Sourced[Positive]


class ParityLimit(_Part):
    """Largest probability difference between what was fitted and what runs."""

    most: Sourced[Positive]


class LatencyLimit(_Part):
    """Share by which a diagnosis may take longer, and the longest it may take."""

    may_rise_by_share: Sourced[Share]
    most_p99_ms: Sourced[Positive]


class Gate(_Part):
    """What a candidate must show against the current model on the same held-out cases."""

    f1: Rise
    critical_recall: Kept
    specificity: Kept
    calibration: Bounded
    fairness: FairnessLimit
    parity: ParityLimit
    latency: LatencyLimit


Act = Literal[
    "approve",
    "refuse",
    "retrain",
    "release",
    "hold",
    "roll_back",
    "stop",
    "admit_approvers",
    "propose_plan",
    "accept_plan",
]


class Duty(_Part):
    """What a role may do. key: role of `vereda-keys` that signs it."""

    who: Told
    may: Annotated[tuple[Act, ...], Field(min_length=1)]
    key: Literal["medical", "models", "safety"]


class Approval(_Part):
    """Who agrees before a patient is served."""

    role: str
    signatures: Sourced[Annotated[int, Field(ge=1)]]
    refusals_allowed: Sourced[Count]
    valid_days: Sourced[Annotated[int, Field(ge=1)]]


class Stages(_Part):
    """How a release reaches the clinics, in percent of the devices and hours."""

    ab_percent: Sourced[Annotated[int, Field(ge=1, le=99)]]
    ab_hours: Sourced[Positive]
    stages_percent: Sourced[tuple[Annotated[int, Field(ge=1, le=100)], ...]]
    stage_hours: Sourced[Positive]
    latency_may_rise_by_share: Sourced[Share]
    false_rollback_chance: Sourced[Share]
    false_hold_chance: Sourced[Share]
    distribution_hold: Sourced[Share]
    distribution_rollback: Sourced[Share]
    least_cases_per_stage: Sourced[Count]
    longest_hold_hours: Sourced[Positive]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        steps = (self.ab_percent.value, *self.stages_percent.value)
        if list(steps) != sorted(set(steps)) or steps[-1] != 100:
            raise ValueError("the stages must rise to 100 %")
        if self.false_rollback_chance.value >= self.false_hold_chance.value:
            raise ValueError("a rollback needs more evidence than a hold")
        return self


class Watch(_Part):
    """What the daily monitor compares with."""

    every_hours: Sourced[Positive]
    drift_alert: Sourced[Share]
    drift_retrain: Sourced[Share]
    drift_half_psi: Sourced[Positive]
    drift_noise_chance: Sourced[Share]
    drift_least_cases: Sourced[Count]
    drift_most_days: Sourced[Annotated[int, Field(ge=1)]]
    f1_drop_retrain: Sourced[Share]
    f1_least: Sourced[Share]
    critical_recall_alert: Sourced[Share]
    critical_recall_rollback: Sourced[Share]
    least_labels: Sourced[Count]
    retrain_every_days: Sourced[Annotated[int, Field(ge=1)]]


class Notify(_Part):
    """Which services hear of what."""

    critical: tuple[Service, ...]
    high: tuple[Service, ...]
    information: tuple[Service, ...]


class ChangePlan(_Part):
    """The whole plan."""

    format: Literal[1]
    plan: str
    changes: Changes
    data: Cases
    gate: Gate
    roles: dict[str, Duty]
    approval: Approval
    rollout: Stages
    monitor: Watch
    notify: Notify

    @model_validator(mode="after")
    def _nobody_missing(self) -> Self:
        if unheld := sorted({*get_args(Act)} - {act for d in self.roles.values() for act in d.may}):
            raise ValueError(f"no role may {', '.join(unheld)}")
        duty = self.roles.get(self.approval.role)
        if duty is None or "approve" not in duty.may:
            raise ValueError(f"the role {self.approval.role} of `approval` may not approve")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the plan: what a verdict was reached under."""
        return digest_of(self.model_dump(mode="json"))


def read_plan(path: Path = PLAN) -> ChangePlan:
    """Return the plan in a file. Raises ChangePlanError, naming every fault."""
    try:
        return ChangePlan.model_validate(yaml.safe_load(path.read_bytes()))
    except OSError as error:
        raise ChangePlanError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ChangePlanError(f"{path.name}: {error}") from error


@cache
def change_plan() -> ChangePlan:
    """Return the plan of this code. Raises ChangePlanError."""
    return read_plan()
