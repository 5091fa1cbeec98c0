"""The ledger of releases: the service's own audit chain, read as who was production when.

Two kinds of line. "Observed": the service saw another signed offer, and writes down which; nobody
can make it say otherwise without the keys of the `models` role. The others are decisions people
tell us of; they change nothing by themselves, because the service holds no key that could.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cloud_api.audit.actions import CloudAction
from cloud_api.auth.guard import Caller
from cloud_api.errors import BundleUnknownError, ReleaseRefusedError
from cloud_api.records.ports import MAX_PAGE, AuditDraft, AuditLog, AuditRecord
from cloud_api.registry.repository import Repository, SignedState
from cloud_api.rollout.schemas import (
    LedgerEntry,
    ProductionAnswer,
    ProductionRequest,
    StagingRequest,
    State,
)
from ddx.domain.identifiers import new_record_id
from ddx.errors import DdxError
from model_bundles.rollout import BASIS_POINTS, ChannelOffer

log = logging.getLogger(__name__)

SERVICE: Final = "_service"
"""The chain of the service itself. No organisation can be called so: names begin with a letter."""

LOOK_EVERY_S: Final = 60.0
_ACTIONS: Final[dict[State, CloudAction]] = {
    "observed": CloudAction.RELEASE_OBSERVED,
    "staging": CloudAction.RELEASE_STAGING,
    "canary": CloudAction.RELEASE_CANARY,
    "production": CloudAction.RELEASE_PRODUCTION,
    "withdrawn": CloudAction.RELEASE_WITHDRAWN,
}
_STATES: Final = {action.value: state for state, action in _ACTIONS.items()}


class ReleaseLedger:
    """Writes the ledger and answers from it."""

    def __init__(
        self, chain: AuditLog, repository: Repository, now: Callable[[], datetime]
    ) -> None:
        self._chain, self._repository, self._now = chain, repository, now

    @property
    def channel(self) -> str:
        """The channel the service offers."""
        return self._repository.channel

    async def state(self) -> SignedState:
        """Return what is signed now. Raises RepositoryMissingError."""
        return await asyncio.to_thread(self._repository.state)

    async def page(self, *, after: int, limit: int) -> Sequence[LedgerEntry]:
        """Return up to `limit` lines after a sequence."""
        return [_entry(r) for r in await self._chain.search(SERVICE, after=after, limit=limit)]

    async def observe(self) -> None:
        """Write the signed offer down if it is not the one seen last. Raises as `state`."""
        offer = (await self.state()).offer
        seen = [entry for entry in await self._all() if entry.state == "observed"]
        told = _told(offer, self._repository.channel)
        if not seen or _said(seen[-1]) != told:
            await self._write(None, "observed", offer.release.version, told)

    async def watch(self) -> None:
        """Observe for ever; a repository that cannot be read now is looked at again."""
        while True:
            try:
                await self.observe()
            except DdxError as error:
                log.warning("the offer cannot be observed: %s", error.code)
            except Exception:
                log.exception("the offer was not observed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def decide_staging(self, caller: Caller, asked: StagingRequest) -> LedgerEntry:
        """Write down that a bundle goes to staging. Raises BundleUnknownError."""
        await self._published(asked)
        return await self._decision(caller, "staging", asked, 0)

    async def decide_production(self, caller: Caller, asked: ProductionRequest) -> LedgerEntry:
        """Write down what is decided about a bundle in clinics.

        Raises:
            BundleUnknownError: nothing with this version and digest is signed.
            ReleaseRefusedError: it was never in staging, or it was withdrawn since.
        """
        await self._published(asked)
        history = [e.state for e in await self._all() if e.digest == asked.digest]
        stages = [state for state in history if state in {"staging", "withdrawn"}]
        if asked.state != "withdrawn" and stages[-1:] != ["staging"]:
            raise ReleaseRefusedError("put it through staging first")
        return await self._decision(caller, asked.state, asked, asked.basis_points)

    async def production_at(self, moment: datetime) -> ProductionAnswer:
        """Return which bundle was offered at a moment.

        Raises:
            BundleUnknownError: nothing had been observed by then.
        """
        until = [entry for entry in await self._all() if entry.at <= moment]
        observed = [entry for entry in until if entry.state == "observed"]
        if not observed:
            raise BundleUnknownError("nothing had been observed by then")
        then = observed[-1]
        return ProductionAnswer(
            at=moment,
            channel=then.channel,
            version=then.version,
            digest=then.digest,
            basis_points=then.basis_points,
            before=then.before,
            since=then.at,
            decisions=tuple(e for e in until if e.state != "observed" and e.digest == then.digest),
        )

    async def _published(self, asked: StagingRequest) -> None:
        releases = [published.release for published in (await self.state()).releases]
        if not any((r.version, r.digest) == (asked.version, asked.digest) for r in releases):
            raise BundleUnknownError("nothing with this version and digest is signed")

    async def _decision(
        self, caller: Caller, state: State, asked: StagingRequest, basis_points: int
    ) -> LedgerEntry:
        detail: dict[str, str | int] = {
            "channel": self._repository.channel,
            "digest": asked.digest,
            "basis_points": basis_points,
            "reason": asked.reason,
        }
        return await self._write(caller, state, asked.version, detail)

    async def _write(
        self, caller: Caller | None, state: State, version: str, detail: dict[str, str | int]
    ) -> LedgerEntry:
        written = await self._chain.append(
            AuditDraft(
                tenant_id=SERVICE,
                id=new_record_id(),
                at=self._now(),
                actor="service" if caller is None else caller.actor,
                role="" if caller is None or caller.role is None else caller.role.value,
                action=_ACTIONS[state].value,
                subject=version,
                detail=detail,
            )
        )
        return _entry(written)

    async def _all(self) -> list[LedgerEntry]:
        entries: list[LedgerEntry] = []
        while page := await self.page(after=entries[-1].sequence if entries else 0, limit=MAX_PAGE):
            entries += page
        return entries


def _told(offer: ChannelOffer, channel: str) -> dict[str, str | int]:
    rollout = offer.rollout
    before = None if rollout is None else rollout.before
    return {
        "channel": channel,
        "digest": offer.release.digest,
        "basis_points": BASIS_POINTS if rollout is None else rollout.basis_points,
        "before": "" if before is None else before.version,
    }


def _said(entry: LedgerEntry) -> dict[str, str | int]:
    return {
        "channel": entry.channel,
        "digest": entry.digest,
        "basis_points": entry.basis_points,
        "before": entry.before or "",
    }


def _entry(record: AuditRecord) -> LedgerEntry:
    detail = record.detail
    decided = record.action != CloudAction.RELEASE_OBSERVED
    return LedgerEntry(
        sequence=record.sequence,
        at=record.at,
        state=_STATES[record.action],
        channel=str(detail["channel"]),
        version=record.subject,
        digest=str(detail["digest"]),
        basis_points=int(detail["basis_points"]),
        before=str(detail.get("before", "")) or None,
        decided_by=record.actor if decided else None,
        role=record.role or None,
        reason=str(detail["reason"]) if "reason" in detail else None,
        previous=record.previous,
        hash=record.hash,
    )
