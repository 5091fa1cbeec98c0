"""The three logs over SQL: SQLite embedded, PostgreSQL in production."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, cast, func, select, update
from sqlalchemy import String as Text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.db.one_step import one_step
from cloud_api.db.online import append_online
from cloud_api.db.record_tables import AuditRecordRow, AuditTipRow, FeedbackRow, PredictionRow
from cloud_api.db.scoped import add_rows, tenant_session
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
from cloud_api.records.together import Together
from ddx.domain.canonical import canonical_json
from sync_service.gateway.intake import NewEvent

_PREDICTION: Final = ("tenant_id", "id", "at", "actor", "bundle_version", "bundle_digest")
_PREDICTION_DIGESTS: Final = ("case_digest", "answer_digest", "triage_level")
_FEEDBACK: Final = tuple(FeedbackRecord.__dataclass_fields__)
_AUDIT: Final = ("tenant_id", "sequence", "id", "at", "actor", "role", "action", "subject")
_AUDIT_LINKS: Final = ("previous", "hash")


class SqlPredictionLog:
    """See `cloud_api.records.ports.PredictionLog`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, database = engine, one_step(engine)
        self._together: Together[dict[str, Any]] = Together(
            lambda rows: add_rows(database, PredictionRow, rows), spoilt_by=IntegrityError
        )

    async def append(self, record: PredictionRecord) -> None:
        """Store durably before returning; the same record again changes nothing.

        Records that come at the same moment share one commit, whosesoever they are.
        """
        try:
            await self._together.add(_prediction_columns(record))
        except IntegrityError as error:
            if await self.get(record.tenant_id, record.id) != record:
                raise RecordConflictError("the id is taken") from error

    async def get(self, tenant_id: str, id: str) -> PredictionRecord | None:
        """Return the organisation's record with an id, None when it has none."""
        async with tenant_session(self._engine, tenant_id) as session:
            row = await session.get(PredictionRow, (tenant_id, id))
            return None if row is None else _prediction(row)

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
        asked = select(PredictionRow).where(*_within(PredictionRow.at, window))
        if bundle_version:
            asked = asked.where(PredictionRow.bundle_version == bundle_version)
        rows = await _page(
            self._engine, tenant_id, asked, PredictionRow.id, after=after, limit=limit
        )
        return [_prediction(row) for row in rows]

    async def tally(
        self, tenant_id: str, by: PredictionField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many records carry each value, the value written as text."""
        return await _tally(
            self._engine, tenant_id, getattr(PredictionRow, by), PredictionRow.at, window
        )


class SqlFeedbackLog:
    """See `cloud_api.records.ports.FeedbackLog`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def append(self, record: FeedbackRecord, event: NewEvent) -> bool:
        """Store durably before returning, both in one transaction; return whether it was new."""
        try:
            async with tenant_session(self._engine, record.tenant_id) as session:
                session.add(FeedbackRow(**{name: getattr(record, name) for name in _FEEDBACK}))
                await session.flush()
                await append_online(session, event, record.received_at)
        except IntegrityError as error:
            known = await self.get(record.tenant_id, record.id)
            if known is None or _decided(known) != _decided(record):
                raise RecordConflictError("the id is taken") from error
            return False
        return True

    async def get(self, tenant_id: str, id: str) -> FeedbackRecord | None:
        """Return the organisation's decision with an id, None when it has none."""
        async with tenant_session(self._engine, tenant_id) as session:
            row = await session.get(FeedbackRow, (tenant_id, id))
            return None if row is None else FeedbackRecord(**_columns(row, _FEEDBACK))

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
        asked = select(FeedbackRow).where(*_within(FeedbackRow.at, window))
        if prediction_id:
            asked = asked.where(FeedbackRow.prediction_id == prediction_id)
        rows = await _page(self._engine, tenant_id, asked, FeedbackRow.id, after=after, limit=limit)
        return [FeedbackRecord(**_columns(row, _FEEDBACK)) for row in rows]

    async def tally(
        self, tenant_id: str, by: FeedbackField, *, window: Window = ALWAYS
    ) -> Mapping[str, int]:
        """Return how many decisions carry each value."""
        return await _tally(
            self._engine, tenant_id, getattr(FeedbackRow, by), FeedbackRow.at, window
        )


class SqlAuditLog:
    """See `cloud_api.records.ports.AuditLog`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def append(self, draft: AuditDraft) -> AuditRecord:
        """Link `draft` to the organisation's chain, durably, and return the link."""
        await self._begin_chain(draft.tenant_id)
        async with tenant_session(self._engine, draft.tenant_id) as session:
            sequence, previous = await _take_place(session)
            linked = audit_hash(draft, sequence=sequence, previous=previous)
            record = _linked(draft, sequence, previous, linked)
            session.add(_audit_row(record))
            await session.execute(update(AuditTipRow).values(hash=linked))
        return record

    async def get(self, tenant_id: str, sequence: int) -> AuditRecord | None:
        """Return the link with a sequence, None when there is none."""
        async with tenant_session(self._engine, tenant_id) as session:
            row = await session.get(AuditRecordRow, (tenant_id, sequence))
            return None if row is None else _audit(row)

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
        asked = select(AuditRecordRow).where(*_within(AuditRecordRow.at, window))
        if actor:
            asked = asked.where(AuditRecordRow.actor == actor)
        if action:
            asked = asked.where(AuditRecordRow.action == action)
        rows = await _page(
            self._engine, tenant_id, asked, AuditRecordRow.sequence, after=after, limit=limit
        )
        return [_audit(row) for row in rows]

    async def tip(self, tenant_id: str) -> AuditTip:
        """Return the last link as remembered apart from the links themselves."""
        async with tenant_session(self._engine, tenant_id) as session:
            row = await session.get(AuditTipRow, tenant_id)
            return AuditTip() if row is None else AuditTip(sequence=row.sequence, hash=row.hash)

    async def _begin_chain(self, tenant_id: str) -> None:
        if (await self.tip(tenant_id)).sequence:
            return
        try:
            async with tenant_session(self._engine, tenant_id) as session:
                session.add(AuditTipRow(tenant_id=tenant_id, sequence=0, hash=GENESIS))
        except IntegrityError:
            return  # somebody else began it


async def _take_place(session: AsyncSession) -> tuple[int, str]:
    """Return the next sequence and the hash before it; the next append waits for this commit."""
    taken = await session.execute(
        update(AuditTipRow)
        .values(sequence=AuditTipRow.sequence + 1)
        .returning(AuditTipRow.sequence, AuditTipRow.hash)
        .execution_options(synchronize_session=False)
    )
    sequence, previous = taken.one()
    return int(sequence), str(previous)


async def _page(
    engine: AsyncEngine,
    tenant_id: str,
    asked: Select[Any],
    key: InstrumentedAttribute[Any],
    *,
    after: str | int,
    limit: int,
) -> Sequence[Any]:
    if after:
        asked = asked.where(key > after)
    async with tenant_session(engine, tenant_id) as session:
        found = await session.scalars(asked.order_by(key).limit(min(limit, MAX_PAGE)))
        return found.all()


async def _tally(
    engine: AsyncEngine,
    tenant_id: str,
    by: InstrumentedAttribute[Any],
    at: InstrumentedAttribute[Any],
    window: Window,
) -> dict[str, int]:
    asked = select(cast(by, Text), func.count()).where(*_within(at, window)).group_by(by)
    async with tenant_session(engine, tenant_id) as session:
        return {str(value): int(count) for value, count in await session.execute(asked)}


def _within(at: InstrumentedAttribute[Any], window: Window) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if window.since is not None:
        bounds.append(at >= window.since)
    if window.until is not None:
        bounds.append(at < window.until)
    return bounds


def _columns(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _decided(record: FeedbackRecord) -> dict[str, Any]:
    """Return what makes two decisions the same: everything but when and from whom it came."""
    return _columns(record, [name for name in _FEEDBACK if name not in {"received_at", "actor"}])


def _prediction_columns(record: PredictionRecord) -> dict[str, Any]:
    leading = [_columns(candidate, candidate.__slots__) for candidate in record.leading]
    first = record.leading[0] if record.leading else None
    return {
        **_columns(record, (*_PREDICTION, *_PREDICTION_DIGESTS)),
        "leading": canonical_json(leading).decode(),
        "leading_disease": first.disease if first else "",
        "leading_band": first.band if first else "",
        "leading_world": first.world if first else "",
    }


def _prediction(row: PredictionRow) -> PredictionRecord:
    return PredictionRecord(
        **_columns(row, (*_PREDICTION, *_PREDICTION_DIGESTS)),
        leading=tuple(LeadingCandidate(**candidate) for candidate in json.loads(row.leading)),
    )


def _linked(draft: AuditDraft, sequence: int, previous: str, linked: str) -> AuditRecord:
    names = tuple(AuditDraft.__dataclass_fields__)
    return AuditRecord(**_columns(draft, names), sequence=sequence, previous=previous, hash=linked)


def _audit_row(record: AuditRecord) -> AuditRecordRow:
    return AuditRecordRow(
        **_columns(record, (*_AUDIT, *_AUDIT_LINKS)),
        detail=canonical_json(dict(record.detail)).decode(),
    )


def _audit(row: AuditRecordRow) -> AuditRecord:
    return AuditRecord(**_columns(row, (*_AUDIT, *_AUDIT_LINKS)), detail=json.loads(row.detail))
