"""Erasure in the event table: the one change its trigger lets pass (migration 0004)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import ONLINE_EPOCH, ErasedSubjectRow, EventRow
from ddx.domain.canonical import canonical_json
from sync_service.gateway.erasing import DIAGNOSIS, KEPT_KINDS, PSEUDONYM, TOMBSTONE
from sync_service.gateway.intake import Cover
from sync_service.protocol.codes import EventKind

T = TypeVar("T")
_PER_QUERY: Final = 50


async def covers(
    session: AsyncSession, device_id: str, subjects: Sequence[str]
) -> dict[str, Cover]:
    """Return what was erased of the device, by subject."""
    rows = await session.scalars(
        select(ErasedSubjectRow).where(
            ErasedSubjectRow.device_id == device_id, ErasedSubjectRow.subject.in_(subjects)
        )
    )
    return {
        row.subject: Cover(epoch=row.epoch, sequence=row.sequence, erased_by=row.erased_by)
        for row in rows
    }


async def cover(session: AsyncSession, device_id: str, reached: Mapping[str, Cover]) -> None:
    """Remember that these subjects of the device are erased."""
    known = await covers(session, device_id, list(reached))
    for subject, reach in reached.items():
        if subject in known and known[subject].reaches(reach.epoch, reach.sequence):
            continue  # an older erasure that came late does not reach as far
        await session.merge(
            ErasedSubjectRow(
                device_id=device_id,
                subject=subject,
                epoch=reach.epoch,
                sequence=reach.sequence,
                erased_by=reach.erased_by,
            )
        )
    await session.flush()


async def erase(session: AsyncSession, device_id: str, pseudonym: str, reach: Cover) -> None:
    """Leave a tombstone for each record of the device about a patient that `reach` reaches."""
    reached = _reached(device_id, reach)
    about = await _about(session, reached, PSEUDONYM, [pseudonym])
    payloads = [json.loads(payload) for payload in about.values()]
    diagnoses = sorted({p[DIAGNOSIS] for p in payloads if isinstance(p.get(DIAGNOSIS), str)})
    about |= await _about(session, reached, DIAGNOSIS, diagnoses)
    await cover(session, device_id, dict.fromkeys((pseudonym, *diagnoses), reach))
    tombstone = {
        "payload": canonical_json(dict(TOMBSTONE)).decode(),
        "extra": "{}",
        "erased_by": reach.erased_by,
    }
    for numbers in _pages(sorted(about)):
        await session.execute(
            update(EventRow).where(EventRow.server_sequence.in_(numbers)).values(**tombstone),
            execution_options={"synchronize_session": False},
        )


async def erased_by(session: AsyncSession, server_sequence: int) -> Sequence[str]:
    """Return the payload hashes of what an erasure erased of what the device sent, in order."""
    found = await session.scalars(
        select(EventRow.payload_sha256)
        .where(EventRow.erased_by == server_sequence, EventRow.epoch > ONLINE_EPOCH)
        .order_by(EventRow.server_sequence)
    )
    return found.all()


async def act_on_kept_erasures(engine: AsyncEngine) -> int:
    """Act on erasures stored by a version that only kept them; return how many those were."""
    async with unscoped_session(engine, Reason.DEVICE) as session:
        acted = await _act(session)
    if acted:
        await forget_the_log(engine)
    return acted


async def _act(session: AsyncSession) -> int:
    acted = exists().where(
        ErasedSubjectRow.device_id == EventRow.device_id,
        ErasedSubjectRow.erased_by >= EventRow.server_sequence,
        EventRow.payload.contains(ErasedSubjectRow.subject),
    )
    waiting = await session.execute(
        select(
            EventRow.device_id,
            EventRow.epoch,
            EventRow.sequence,
            EventRow.server_sequence,
            EventRow.payload,
        )
        .where(EventRow.kind == EventKind.ERASURE.value, ~acted)
        .order_by(EventRow.server_sequence)
    )
    rows = waiting.all()
    for device_id, epoch, sequence, number, payload in rows:
        reach = Cover(epoch=epoch, sequence=sequence, erased_by=number)
        await erase(session, device_id, json.loads(payload)[PSEUDONYM], reach)
    return len(rows)


async def forget_the_log(engine: AsyncEngine) -> None:
    """Have SQLite fold its write-ahead log in and empty it: it holds what was erased."""
    if engine.dialect.name != "sqlite":
        return
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _reached(device_id: str, reach: Cover) -> ColumnElement[bool]:
    earlier = or_(
        EventRow.epoch < reach.epoch,
        and_(EventRow.epoch == reach.epoch, EventRow.sequence < reach.sequence),
    )
    return and_(
        EventRow.device_id == device_id,
        EventRow.erased_by.is_(None),
        EventRow.kind.not_in(KEPT_KINDS),
        earlier,
    )


async def _about(
    session: AsyncSession, reached: ColumnElement[bool], field: str, values: Sequence[str]
) -> dict[int, str]:
    """Return payloads in which `field` has one of `values`, by server sequence.

    Payloads are canonical JSON, so that a member has exactly one spelling.
    """
    found: dict[int, str] = {}
    for some in _pages(values):
        named = [EventRow.payload.contains(f'"{field}":"{v}"', autoescape=True) for v in some]
        rows = await session.execute(
            select(EventRow.server_sequence, EventRow.payload).where(reached, or_(*named))
        )
        found |= {row.server_sequence: row.payload for row in rows}
    return found


def _pages(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[at : at + _PER_QUERY] for at in range(0, len(values), _PER_QUERY))
