"""The gateway's stream, read from its durable log: a port, the log's own table, and Kafka.

Training knows the log by its shape, not by the server's code. Positions are kept by who stores the
records, in the commit that stores them: what was stored is never asked for again, and what was not
is asked for again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Protocol

import sqlalchemy as sa

from ddx.errors import DdxError
from sync_service.protocol.codes import EventKind

_READ_BY_TRAINING: Final = (
    EventKind.DIAGNOSIS,
    EventKind.FEEDBACK,
    EventKind.ERASURE,
    EventKind.MODEL_FAILURE,
)


class LogUnreadableError(DdxError):
    """The log does not answer, or is not the log this release reads. Nothing was stored."""

    code: ClassVar[str] = "lake.log_unreadable"
    retryable = True


class KafkaNotInstalledError(LogUnreadableError):
    """The Kafka library is not here. Install the extra `stream`."""

    code: ClassVar[str] = "lake.kafka_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One stored record. erases: for an erasure, the server sequences of the records it erased.

    erased: the payload is a tombstone; there is nothing left to learn from.
    """

    server_sequence: int
    device_id: str
    id: str
    kind: str
    created_at: datetime
    payload: dict[str, Any]
    payload_sha256: str
    schema_version: int
    erased: bool = False
    erases: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the log's order, and where to read on once they are stored."""

    entries: tuple[LogEntry, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)


class EventLog(Protocol):
    """Reads stored events in order."""

    def position_names(self) -> Sequence[str]:
        """Return the names under which positions of this log are kept."""

    def read(self, positions: Mapping[str, int], limit: int) -> Page:
        """Return up to `limit` entries after `positions`; none when there are no more for now.

        Raises:
            LogUnreadableError: the log does not answer.
        """


_EVENT: Final = sa.table(
    "event",
    *(
        sa.column(name)
        for name in (
            "server_sequence",
            "device_id",
            "id",
            "kind",
            "created_at",
            "payload",
            "payload_sha256",
            "schema_version",
            "erased_by",
        )
    ),
)
"""The columns of the cloud's event table that training reads."""

SQL_POSITION: Final = "stream"


class SqlLog:
    """The event table of the cloud's database, read only. address: a SQLAlchemy address.

    Of kinds training has no use for (audit), only the place is taken.
    """

    def __init__(self, address: str) -> None:
        self._engine = sa.create_engine(_synchronous(address), hide_parameters=True)

    def position_names(self) -> Sequence[str]:
        """Return the one name: the server sequence is given in commit order."""
        return (SQL_POSITION,)

    def read(self, positions: Mapping[str, int], limit: int) -> Page:
        """Return up to `limit` entries after the position. Raises LogUnreadableError."""
        after = positions.get(SQL_POSITION, 0)
        place = _EVENT.c.server_sequence
        try:
            with self._engine.connect() as connection:
                query = sa.select(_EVENT).where(place > after).order_by(place).limit(limit)
                rows = connection.execute(query).mappings().all()
                entries = tuple(
                    _entry(row, self._erased(connection, row))
                    for row in rows
                    if row["kind"] in _READ_BY_TRAINING
                )
        except (sa.exc.SQLAlchemyError, ValueError, KeyError) as error:
            kind = type(error).__name__  # its text may hold the address
            raise LogUnreadableError(f"the event log cannot be read: {kind}") from error
        return Page(entries, {SQL_POSITION: rows[-1]["server_sequence"]} if rows else {})

    def _erased(self, connection: sa.Connection, row: sa.RowMapping) -> tuple[int, ...]:
        if row["kind"] != EventKind.ERASURE:
            return ()
        place = _EVENT.c.server_sequence
        query = sa.select(place).where(_EVENT.c.erased_by == row["server_sequence"])
        return tuple(connection.scalars(query.order_by(place)))


def _synchronous(address: str) -> str:
    return address.replace("sqlite+aiosqlite:", "sqlite:").replace("+asyncpg:", ":")


def _entry(row: sa.RowMapping, erases: tuple[int, ...]) -> LogEntry:
    return LogEntry(
        server_sequence=row["server_sequence"],
        device_id=row["device_id"],
        id=row["id"],
        kind=row["kind"],
        created_at=_utc(row["created_at"]),
        payload=json.loads(row["payload"]),
        payload_sha256=row["payload_sha256"],
        schema_version=row["schema_version"],
        erased=row["erased_by"] is not None,
        erases=erases,
    )


def _utc(value: datetime | str) -> datetime:
    """Return a time with its zone; databases without zones hold UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class KafkaLog:
    """The topic the cloud forwards its log to: Apache Kafka, or Event Hubs.

    Partitions are read from the positions given, not from a consumer group: a record and its
    position are stored together, so a reader that dies repeats nothing and skips nothing.
    """

    def __init__(self, topic: str, settings: Mapping[str, Any], *, wait_s: float = 1.0) -> None:
        """Connect lazily. settings: what librdkafka is told. wait_s: for the first entry of a page.

        Raises:
            KafkaNotInstalledError: the library is not here.
        """
        try:
            import confluent_kafka  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise KafkaNotInstalledError("install vereda[stream] to read from a broker") from error
        self._kafka = confluent_kafka
        own = {"group.id": "vereda-lake", "enable.auto.commit": False, "enable.partition.eof": True}
        self._consumer = confluent_kafka.Consumer(dict(settings) | own)
        self._topic, self._wait_s = topic, wait_s
        self._assigned: dict[str, int] | None = None

    def position_names(self) -> Sequence[str]:
        """Return a name per partition. Raises LogUnreadableError."""
        try:
            found = self._consumer.list_topics(self._topic, timeout=30).topics[self._topic]
        except self._kafka.KafkaException as error:
            raise LogUnreadableError("the broker does not answer") from error
        return tuple(self._name(partition) for partition in sorted(found.partitions))

    def read(self, positions: Mapping[str, int], limit: int) -> Page:
        """Return up to `limit` entries after the positions. Raises LogUnreadableError."""
        self._go_to(positions)
        messages = self._consumer.consume(limit, timeout=self._wait_s)
        reached = dict(positions)
        entries = []
        for message in messages:
            if message.error() is not None:
                self._refuse(message.error())
                continue
            partition, offset, value = message.partition(), message.offset(), message.value()
            if partition is None or offset is None or value is None:
                raise LogUnreadableError("the broker gave a message without a place or a record")
            reached[self._name(partition)] = offset + 1
            entry = json.loads(value)
            if entry["kind"] in _READ_BY_TRAINING:
                entries.append(_from_message(entry))
        self._assigned = dict(reached)
        moved = {name: at for name, at in reached.items() if positions.get(name, 0) != at}
        return Page(tuple(entries), moved)

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def _go_to(self, positions: Mapping[str, int]) -> None:
        wanted = {name: positions.get(name, 0) for name in self.position_names()}
        if self._assigned == wanted:
            return
        self._consumer.assign(
            [
                self._kafka.TopicPartition(self._topic, int(name.rsplit(".", 1)[1]), at)
                for name, at in wanted.items()
            ]
        )
        self._assigned = wanted

    def _refuse(self, error: Any) -> None:
        if error.code() != self._kafka.KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            raise LogUnreadableError(f"the broker answers {error.name()}")

    def _name(self, partition: int) -> str:
        return f"kafka.{self._topic}.{partition}"


def _from_message(raw: Mapping[str, Any]) -> LogEntry:
    return LogEntry(
        server_sequence=raw["server_sequence"],
        device_id=raw["device_id"],
        id=raw["id"],
        kind=raw["kind"],
        created_at=_utc(raw["created_at"]),
        payload=raw["payload"],
        payload_sha256=raw["payload_sha256"],
        schema_version=raw["schema_version"],
        erased="erased_by" in raw,
        erases=tuple(raw.get("erases", ())),
    )
