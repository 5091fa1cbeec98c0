"""The three logs on Azure Cosmos DB (API for NoSQL), one logical partition per organisation.

Every call names the partition, so a record of another organisation cannot be reached by a wrong
filter. Cosmos has no triggers that hold for every client: append-only is held by the data-plane
role of the service (`deploy/cosmos/append_only_role.json`), which may create and read items of
the logs and replace nothing but tips. Where and why: docs/adr/0020-two-homes-for-the-records.md.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from cloud_api.db.online import OnlineLog
from cloud_api.records.ports import (
    ALWAYS,
    GENESIS,
    MAX_PAGE,
    AuditDraft,
    AuditRecord,
    AuditTip,
    FeedbackField,
    FeedbackRecord,
    LeadingCandidate,
    PredictionField,
    PredictionRecord,
    RecordConflictError,
    Window,
    audit_hash,
)
from ddx.domain.statements import moment_text
from ddx.errors import DdxError
from sync_service.gateway.intake import NewEvent

CONTAINERS: Final = ("predictions", "feedback", "audit", "audit_tips")
_TENANT: Final = "tenant_id"
_SEQUENCE_DIGITS: Final = 19
"""Of the largest 64-bit number: ids of links sort as their sequences do."""

_TIP: Final = "tip"
_LEADING: Final = "leading_"


class RecordsUnreachableError(DdxError):
    """The record store does not answer. Whether the record was stored is not known: ask again."""

    code = "record.unreachable"
    retryable = True


async def prepare(client: CosmosClient, database: str) -> DatabaseProxy:
    """Return the database with its containers, made when they are not there.

    Needs a control-plane key; in production Terraform makes them and the service only opens them.
    """
    made = await client.create_database_if_not_exists(database)
    for name in CONTAINERS:
        await made.create_container_if_not_exists(name, PartitionKey(path=f"/{_TENANT}"))
    return made


class CosmosPredictionLog:
    """See `cloud_api.records.ports.PredictionLog`."""

    def __init__(self, database: DatabaseProxy) -> None:
        self._items = database.get_container_client("predictions")

    async def append(self, record: PredictionRecord) -> None:
        """Store durably before returning; the same record again changes nothing."""
        if not await _create(self._items, _prediction_item(record)):
            known = await self.get(record.tenant_id, record.id)
            if known != record:
                raise RecordConflictError("the id is taken")

    async def get(self, tenant_id: str, id: str) -> PredictionRecord | None:
        """Return the organisation's record with an id, None when it has none."""
        item = await _read(self._items, tenant_id, id)
        return None if item is None else _prediction(item)

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        bundle_version: str = "",
        after: str = "",
        limit: int = MAX_PAGE,
    ) -> Sequence[PredictionRecord]:
        """Return up to `limit` records by id, those after `after`; empty filters match all."""
        equal = {"bundle_version": bundle_version}
        found = await _page(self._items, tenant_id, window, equal, after=after, limit=limit)
        return [_prediction(item) for item in found]

    async def tally(
        self, tenant_id: str, by: PredictionField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many records carry each value, the value written as text."""
        return await _tally(self._items, tenant_id, by.value, window)


class CosmosFeedbackLog:
    """See `cloud_api.records.ports.FeedbackLog`."""

    def __init__(self, database: DatabaseProxy, events: OnlineLog) -> None:
        self._items, self._events = database.get_container_client("feedback"), events

    async def append(self, record: FeedbackRecord, event: NewEvent) -> bool:
        """Store durably before returning, the event last; return whether the decision was new."""
        new = await _create(self._items, _feedback_item(record))
        if not new:
            known = await self.get(record.tenant_id, record.id)
            if known is None or _decided(known) != _decided(record):
                raise RecordConflictError("the id is taken")
        await self._events.append(event)  # again, too: the first time may have ended before it
        return new

    async def get(self, tenant_id: str, id: str) -> FeedbackRecord | None:
        """Return the organisation's decision with an id, None when it has none."""
        item = await _read(self._items, tenant_id, id)
        return None if item is None else _feedback(item)

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        prediction_id: str = "",
        after: str = "",
        limit: int = MAX_PAGE,
    ) -> Sequence[FeedbackRecord]:
        """Return up to `limit` decisions by id, those after `after`; empty filters match all."""
        equal = {"prediction_id": prediction_id}
        found = await _page(self._items, tenant_id, window, equal, after=after, limit=limit)
        return [_feedback(item) for item in found]

    async def tally(
        self, tenant_id: str, by: FeedbackField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many decisions carry each value."""
        return await _tally(self._items, tenant_id, by.value, window)


class CosmosAuditLog:
    """See `cloud_api.records.ports.AuditLog`.

    The link itself takes the place: its id is its sequence, and an id exists once in a partition.
    The tip follows; whoever finds it behind its chain moves it on first. Needs a single write
    region and at least session consistency.
    """

    def __init__(self, database: DatabaseProxy) -> None:
        self._links = database.get_container_client("audit")
        self._tips = database.get_container_client("audit_tips")

    async def append(self, draft: AuditDraft) -> AuditRecord:
        """Link `draft` to the organisation's chain, durably, and return the link."""
        while True:
            tip, etag = await self._tip(draft.tenant_id)
            record = _linked(draft, tip)
            if await _create(self._links, _audit_item(record)):
                await self._move(record, etag)
                return record
            await self._catch_up(draft.tenant_id, tip, etag)

    async def get(self, tenant_id: str, sequence: int) -> AuditRecord | None:
        """Return the link with a sequence, None when there is none."""
        item = await _read(self._links, tenant_id, _link_id(sequence))
        return None if item is None else _audit(item)

    async def search(
        self,
        tenant_id: str,
        *,
        window: Window = ALWAYS,
        actor: str = "",
        action: str = "",
        after: int = 0,
        limit: int = MAX_PAGE,
    ) -> Sequence[AuditRecord]:
        """Return up to `limit` links by sequence, those after `after`; empty filters match all."""
        equal = {"actor": actor, "action": action}
        found = await _page(
            self._links, tenant_id, window, equal, after=_link_id(after), limit=limit
        )
        return [_audit(item) for item in found]

    async def tip(self, tenant_id: str) -> AuditTip:
        """Return the last link as remembered apart from the links themselves."""
        return (await self._tip(tenant_id))[0]

    async def _tip(self, tenant_id: str) -> tuple[AuditTip, str]:
        item = await _read(self._tips, tenant_id, _TIP)
        if item is None:
            return AuditTip(), ""
        return AuditTip(sequence=item["sequence"], hash=item["hash"]), item["_etag"]

    async def _catch_up(self, tenant_id: str, tip: AuditTip, etag: str) -> None:
        """Move the tip on to the link after it: its writer has not done so, or never will."""
        following = await self.get(tenant_id, tip.sequence + 1)
        if following is None:  # read before the write reached this replica
            await asyncio.sleep(0.01)
        else:
            await self._move(following, etag)

    async def _move(self, link: AuditRecord, etag: str) -> None:
        """Move the tip to `link` unless somebody did, and went further perhaps."""
        tip = {
            "id": _TIP,
            _TENANT: link.tenant_id,
            "sequence": link.sequence,
            "hash": link.hash,
        }
        if not etag:
            await _create(self._tips, tip)
            return
        async with _answering():
            try:
                await self._tips.replace_item(
                    _TIP, tip, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except CosmosAccessConditionFailedError:
                return


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except AzureError as error:
        raise RecordsUnreachableError(type(error).__name__) from error


async def _create(container: ContainerProxy, item: dict[str, Any]) -> bool:
    """Return whether the item was new; False when its id is taken in its partition."""
    async with _answering():
        try:
            await container.create_item(item)
        except CosmosResourceExistsError:
            return False
    return True


async def _read(container: ContainerProxy, tenant_id: str, id: str) -> dict[str, Any] | None:
    async with _answering():
        try:
            return dict(await container.read_item(id, partition_key=tenant_id))
        except CosmosResourceNotFoundError:
            return None


async def _page(
    container: ContainerProxy,
    tenant_id: str,
    window: Window,
    equal: Mapping[str, str],
    *,
    after: str,
    limit: int,
) -> list[dict[str, Any]]:
    conditions, parameters = _within(tenant_id, window)
    for name, value in {"id": after, **equal}.items():
        if value:
            conditions.append(f"c.{name} {'>' if name == 'id' else '='} @{name}")
            parameters[name] = value
    first = f"SELECT TOP {min(limit, MAX_PAGE)} *"
    text = f"{first} FROM c WHERE {' AND '.join(conditions)} ORDER BY c.id"
    return [dict(item) for item in await _query(container, tenant_id, text, parameters)]


async def _tally(
    container: ContainerProxy, tenant_id: str, by: str, window: Window
) -> dict[str, int]:
    """Count here what the query lists: no emulator groups, and a window is a page of a report."""
    conditions, parameters = _within(tenant_id, window)
    text = f"SELECT VALUE c.{by} FROM c WHERE {' AND '.join(conditions)}"  # noqa: S608 - names of the port
    values = await _query(container, tenant_id, text, parameters)
    return dict(Counter(str(value) for value in values))


async def _query(
    container: ContainerProxy, tenant_id: str, text: str, parameters: Mapping[str, str]
) -> list[Any]:
    """Ask one partition; the statement names the organisation as well, should the SDK forget."""
    named: list[dict[str, object]] = [
        {"name": f"@{name}", "value": value} for name, value in parameters.items()
    ]
    async with _answering():
        found = container.query_items(text, parameters=named, partition_key=tenant_id)
        return [item async for item in found]


def _within(tenant_id: str, window: Window) -> tuple[list[str], dict[str, str]]:
    """Return what holds of the organisation's records in the window, and its parameters.

    Moments are text of one width and zone, which sorts as moments do.
    """
    bounds = {"since": (">=", window.since), "until": ("<", window.until)}
    given = {name: (sign, at) for name, (sign, at) in bounds.items() if at is not None}
    conditions = [f"c.{_TENANT} = @tenant"]
    conditions += [f"c.at {sign} @{name}" for name, (sign, _) in given.items()]
    moments = {name: moment_text(at) for name, (_, at) in given.items()}
    return conditions, {"tenant": tenant_id, **moments}


def _link_id(sequence: int) -> str:
    return f"{sequence:0{_SEQUENCE_DIGITS}d}"


def _linked(draft: AuditDraft, tip: AuditTip) -> AuditRecord:
    sequence = tip.sequence + 1
    return AuditRecord(
        **{name: getattr(draft, name) for name in AuditDraft.__dataclass_fields__},
        sequence=sequence,
        previous=tip.hash or GENESIS,
        hash=audit_hash(draft, sequence=sequence, previous=tip.hash or GENESIS),
    )


def _decided(record: FeedbackRecord) -> dict[str, Any]:
    """Return what makes two decisions the same: everything but when and from whom it came."""
    return {n: v for n, v in asdict(record).items() if n not in {"received_at", "actor"}}


def _prediction_item(record: PredictionRecord) -> dict[str, Any]:
    item = asdict(record)
    first = item["leading"][0] if item["leading"] else {}
    of_first = {_LEADING + name: first.get(name, "") for name in ("disease", "band", "world")}
    return item | of_first | {"at": moment_text(record.at), "leading": list(item["leading"])}


def _prediction(item: Mapping[str, Any]) -> PredictionRecord:
    names = PredictionRecord.__dataclass_fields__.keys() - {"at", "leading"}
    return PredictionRecord(
        **{name: item[name] for name in names},
        at=datetime.fromisoformat(item["at"]),
        leading=tuple(LeadingCandidate(**candidate) for candidate in item["leading"]),
    )


def _feedback_item(record: FeedbackRecord) -> dict[str, Any]:
    moments = {"at": moment_text(record.at), "received_at": moment_text(record.received_at)}
    return asdict(record) | moments


def _feedback(item: Mapping[str, Any]) -> FeedbackRecord:
    names = FeedbackRecord.__dataclass_fields__.keys() - {"at", "received_at"}
    return FeedbackRecord(
        **{name: item[name] for name in names},
        at=datetime.fromisoformat(item["at"]),
        received_at=datetime.fromisoformat(item["received_at"]),
    )


def _audit_item(record: AuditRecord) -> dict[str, Any]:
    """Return the link as stored: its sequence is the item's id, its own id stands beside it."""
    item = asdict(record) | {"at": moment_text(record.at), "record_id": record.id}
    return item | {"id": _link_id(record.sequence)}


def _audit(item: Mapping[str, Any]) -> AuditRecord:
    names = AuditRecord.__dataclass_fields__.keys() - {"at", "id"}
    return AuditRecord(
        **{name: item[name] for name in names},
        id=item["record_id"],
        at=datetime.fromisoformat(item["at"]),
    )
