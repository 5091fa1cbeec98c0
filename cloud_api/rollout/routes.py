"""The registry (/registry/…) and decisions about releases (/rollout…)."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from cloud_api.audit.schemas import VerdictMessage
from cloud_api.audit.service import verify
from cloud_api.auth.access import people
from cloud_api.auth.guard import Guard, caller_of
from cloud_api.fields import A_MOMENT, AfterSequence, Limit, Moment
from cloud_api.operation import operation
from cloud_api.records.ports import AuditLog
from cloud_api.registry.repository import SignedState
from cloud_api.rollout.ledger import SERVICE, ReleaseLedger
from cloud_api.rollout.schemas import (
    BlockMessage,
    BundleList,
    BundleMessage,
    DowngradeMessage,
    Ledger,
    LedgerEntry,
    ProductionAnswer,
    ProductionRequest,
    ReleaseRef,
    RolloutState,
    StagingRequest,
)
from ddx.domain.roles import Permission
from model_bundles.manifest import Release
from model_bundles.rollout import BASIS_POINTS
from sync_service.gateway.reading import read_message

REQUEST_MODELS: Final = (StagingRequest, ProductionRequest)
_REF: Final = {"version": "2026.11.6", "digest": "b" * 64}
_OLDER: Final = {"version": "2026.11.5", "digest": "a" * 64}
_BUNDLE: Final = _REF | {
    "created_at": "2026-11-20T08:00:00Z",
    "size_bytes": 4100000,
    "blocked": None,
}
_STATE: Final = {
    "channel": "stable",
    "release": _REF,
    "basis_points": 1000,
    "sites": None,
    "before": _OLDER,
    "orders_number": None,
    "blocks": [],
    "downgrades": [],
}
_ENTRY: Final = _REF | {
    "sequence": 3,
    "at": "2026-11-26T12:00:00Z",
    "state": "canary",
    "channel": "stable",
    "basis_points": 1000,
    "before": None,
    "decided_by": "person:oid-luz",
    "role": "MLOpsEngineer",
    "reason": "gates_passed",
    "previous": "0" * 64,
    "hash": "c" * 64,
}
_PRODUCTION: Final = _REF | {
    "at": "2026-11-26T18:00:00Z",
    "channel": "stable",
    "basis_points": 1000,
    "before": "2026.11.5",
    "since": "2026-11-26T12:00:30Z",
    "decisions": [_ENTRY],
}
_VERDICT: Final = {"holds": True, "checked": 3, "head": "c" * 64, "broken_at": None, "reason": ""}
_DECISION: Final = _REF | {"reason": "gates_passed"}


def registry(guard: Guard, ledger: ReleaseLedger, chain: AuditLog) -> APIRouter:
    """Return the routes that read the registry."""
    routes = APIRouter(prefix="/registry", tags=["registry"])
    readers = people(Permission.READ_MODEL_HISTORY)

    @routes.get(
        "/bundles",
        **operation(
            guard,
            readers,
            answer=BundleList,
            example={"bundles": [_BUNDLE]},
            problems=("registry.missing",),
        ),
    )
    async def bundles() -> BundleList:
        """Return every bundle the repository's signatures vouch for."""
        return BundleList(bundles=_bundles(await ledger.state()))

    @routes.get(
        "/releases",
        **operation(
            guard, readers, answer=Ledger, example={"entries": [_ENTRY], "next": None}, asks=True
        ),
    )
    async def releases(after: AfterSequence = 0, limit: Limit = 100) -> Ledger:
        """Return the ledger of releases: what was seen signed, and who decided what."""
        entries = tuple(await ledger.page(after=after, limit=limit))
        return Ledger(entries=entries, next=entries[-1].sequence if len(entries) == limit else None)

    @routes.get(
        "/releases/verify", **operation(guard, readers, answer=VerdictMessage, example=_VERDICT)
    )
    async def verdict() -> VerdictMessage:
        """Return whether the ledger's chain still holds."""
        found = await verify(chain, SERVICE)
        return VerdictMessage.of(found)

    @routes.get(
        "/production",
        **operation(
            guard,
            readers,
            answer=ProductionAnswer,
            example=_PRODUCTION,
            problems=("bundle.unknown",),
            asks=True,
        ),
    )
    async def production(at: Annotated[Moment, Query(examples=[A_MOMENT])]) -> ProductionAnswer:
        """Return which bundle was production at a moment, and who had decided so."""
        return await ledger.production_at(at)

    return routes


def rollout(guard: Guard, ledger: ReleaseLedger) -> APIRouter:
    """Return the routes of the rollout."""
    routes = APIRouter(prefix="/rollout", tags=["rollout"])

    @routes.get(
        "",
        **operation(
            guard,
            people(Permission.READ_MODEL_HISTORY),
            answer=RolloutState,
            example=_STATE,
            problems=("registry.missing",),
        ),
    )
    async def state() -> RolloutState:
        """Return what is signed now: release, share of the devices, orders of the safety role."""
        return _state(await ledger.state(), ledger.channel)

    @routes.post(
        "/staging",
        **operation(
            guard,
            people(Permission.DEPLOY_STAGING, operator=True),
            answer=LedgerEntry,
            example=_ENTRY | {"state": "staging", "basis_points": 0, "role": "DataScientist"},
            body=StagingRequest,
            sent=_DECISION,
            problems=("bundle.unknown", "registry.missing"),
            status=201,
        ),
    )
    async def staging(request: Request) -> LedgerEntry:
        """Write down that a signed bundle goes to staging."""
        caller = caller_of(request)
        return await ledger.decide_staging(caller, read_message(caller.content, StagingRequest))

    @routes.post(
        "/production",
        **operation(
            guard,
            people(Permission.DEPLOY_PRODUCTION, operator=True),
            answer=LedgerEntry,
            example=_ENTRY,
            body=ProductionRequest,
            sent=_DECISION | {"state": "canary", "basis_points": 1000},
            problems=("bundle.unknown", "release.refused", "registry.missing"),
            status=201,
        ),
    )
    async def production(request: Request) -> LedgerEntry:
        """Write down what is decided about a bundle in clinics: canary, production, withdrawn."""
        caller = caller_of(request)
        asked = read_message(caller.content, ProductionRequest)
        return await ledger.decide_production(caller, asked)

    return routes


def _bundles(signed: SignedState) -> tuple[BundleMessage, ...]:
    orders = signed.orders
    found = []
    for published in signed.releases:
        block = None if orders is None else orders.blocks_release(published.release.digest)
        found.append(
            BundleMessage(
                version=published.release.version,
                digest=published.release.digest,
                created_at=published.created_at,
                size_bytes=published.size_bytes,
                blocked=None if block is None else block.reason.value,
            )
        )
    return tuple(found)


def _state(signed: SignedState, channel: str) -> RolloutState:
    stage, orders = signed.offer.rollout, signed.orders
    before = None if stage is None else stage.before
    sites = None if stage is None or stage.sites is None else len(stage.sites)
    return RolloutState(
        channel=channel,
        release=_ref(signed.offer.release),
        basis_points=BASIS_POINTS if stage is None else stage.basis_points,
        sites=sites,
        before=None if before is None else _ref(before),
        orders_number=None if orders is None else orders.number,
        blocks=tuple(
            BlockMessage(release=_ref(b.release), model=b.model, reason=b.reason.value)
            for b in (orders.blocks if orders else ())
        ),
        downgrades=tuple(
            DowngradeMessage(release=_ref(d.release), to=_ref(d.to), reason=d.reason.value)
            for d in (orders.downgrades if orders else ())
        ),
    )


def _ref(release: Release) -> ReleaseRef:
    return ReleaseRef(version=release.version, digest=release.digest)
