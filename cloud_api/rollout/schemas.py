"""Requests and answers of the registry and of /rollout."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sync_service.protocol.fields import Code, Message, Sha256Hex

Version = Annotated[str, StringConstraints(pattern=r"^\d{4}\.\d{1,2}\.\d{1,5}$")]
State = Literal["observed", "staging", "canary", "production", "withdrawn"]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]


class BundleMessage(Message):
    """A published bundle. blocked: the safety role's reason, null while nothing is said of it."""

    version: str
    digest: str
    created_at: datetime
    size_bytes: int = Field(ge=0)
    blocked: str | None


class BundleList(Message):
    """Everything the repository's signatures vouch for, from old to new."""

    bundles: tuple[BundleMessage, ...]


class ReleaseRef(Message):
    """A bundle by version and digest."""

    version: str
    digest: str


class BlockMessage(Message):
    """An order of the safety role. model: null for the whole bundle."""

    release: ReleaseRef
    model: str | None
    reason: str


class DowngradeMessage(Message):
    """An order to go back."""

    release: ReleaseRef
    to: ReleaseRef
    reason: str


class RolloutState(Message):
    """What is signed now. basis_points: share of devices that take `release`, in 0.01 %.

    sites: how many sites it is kept to; null for every one. before: what the others are offered.
    """

    channel: str
    release: ReleaseRef
    basis_points: BasisPoints
    sites: int | None
    before: ReleaseRef | None
    orders_number: int | None
    blocks: tuple[BlockMessage, ...]
    downgrades: tuple[DowngradeMessage, ...]


class StagingRequest(Message):
    """A decision to try a bundle in staging."""

    version: Version
    digest: Sha256Hex
    reason: Code


class ProductionRequest(StagingRequest):
    """A decision about clinics. basis_points: the share meant, in 0.01 % of the devices."""

    state: Literal["canary", "production", "withdrawn"]
    basis_points: BasisPoints


class LedgerEntry(Message):
    """One line of the ledger. state "observed": the service saw this signed offer itself."""

    sequence: int = Field(ge=1)
    at: datetime
    state: State
    channel: str
    version: str
    digest: str
    basis_points: BasisPoints
    before: str | None
    decided_by: str | None
    role: str | None
    reason: str | None
    previous: str
    hash: str


class Ledger(Message):
    """Lines, oldest first. next: `after` for more, null at the end."""

    entries: tuple[LedgerEntry, ...]
    next: int | None


class ProductionAnswer(Message):
    """Who was production at a moment, as the service saw it signed.

    since: when it was first seen. decisions: who decided about this bundle until then.
    """

    at: datetime
    channel: str
    version: str
    digest: str
    basis_points: BasisPoints
    before: str | None
    since: datetime
    decisions: tuple[LedgerEntry, ...]
