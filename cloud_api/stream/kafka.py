"""The broker over the Kafka protocol: Apache Kafka, or Event Hubs in production.

The library comes with the extra `stream`. Events of one device share a key and so a partition:
their order is kept. The producer is idempotent, so a retry inside the library stores nothing twice.
Source: Microsoft Learn, "Azure Event Hubs for Apache Kafka": SASL_SSL, PLAIN, user
`$ConnectionString`, port 9093.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from cloud_api.settings import CloudSettings
from cloud_api.stream.forward import BrokerError
from cloud_api.stream.log import LoggedEvent
from ddx.domain.canonical import canonical_json

_FLUSH_S: Final = 30.0
EVENT_HUBS_USER: Final = "$ConnectionString"


class KafkaMissingError(BrokerError):
    """A broker is configured and the library for it is not installed."""

    code = "stream.kafka_missing"


def producer_settings(settings: CloudSettings) -> dict[str, str | int | bool]:
    """Return what librdkafka is told. A connection string turns on TLS and PLAIN."""
    told: dict[str, str | int | bool] = {
        "bootstrap.servers": settings.kafka_servers,
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 20,
        "compression.type": "none"
        if settings.kafka_connection
        else "zstd",  # Event Hubs: gzip only
        "message.timeout.ms": int(_FLUSH_S * 1000),
    }
    if settings.kafka_connection:
        told |= {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": EVENT_HUBS_USER,
            "sasl.password": settings.kafka_connection.get_secret_value(),
        }
    return told


def message_of(event: LoggedEvent) -> bytes:
    """Return an event as readers of the topic see it: canonical JSON.

    `erased_by` and `erases` are there where an erasure has to do with the event.
    """
    erasure = {"erased_by": event.erased_by, "erases": list(event.erases)}
    return canonical_json(
        {name: value for name, value in erasure.items() if value}
        | {
            "server_sequence": event.server_sequence,
            "device_id": event.device_id,
            "epoch": event.epoch,
            "sequence": event.sequence,
            "id": event.id,
            "kind": event.kind,
            "created_at": event.created_at.isoformat(),
            "received_at": event.received_at.isoformat(),
            "payload": event.payload,
            "payload_sha256": event.payload_sha256,
            "schema_version": event.schema_version,
            "extra": event.extra,
        }
    )


class KafkaBroker:
    """Implements `cloud_api.stream.forward.Broker`."""

    def __init__(self, settings: CloudSettings, **told: Any) -> None:
        """Connect lazily. told: further settings of librdkafka (tests use its mock cluster).

        Raises:
            KafkaMissingError: install the extra `stream`.
        """
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise KafkaMissingError("install vereda[stream] to reach a broker") from error
        self._producer = Producer(producer_settings(settings) | told)
        self._topic = settings.kafka_topic

    async def publish(self, events: Sequence[LoggedEvent]) -> None:
        """Return when every event is held by the broker. Raises BrokerError."""
        await asyncio.to_thread(self._publish, events)

    def _publish(self, events: Sequence[LoggedEvent]) -> None:
        refused: list[str] = []

        def delivered(error: Any, _message: Any) -> None:
            if error is not None:
                refused.append(str(error.name()))

        for event in events:
            self._produce(event, delivered)
        left = self._producer.flush(_FLUSH_S)
        if left or refused:
            raise BrokerError(refused[0] if refused else f"{left} events were not taken")

    def _produce(self, event: LoggedEvent, delivered: Any) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    key=event.device_id,
                    value=message_of(event),
                    headers={"kind": event.kind, "server_sequence": str(event.server_sequence)},
                    on_delivery=delivered,
                )
            except BufferError:  # its queue is full: let it send
                self._producer.poll(0.1)
                continue
            self._producer.poll(0)
            return

    async def close(self) -> None:
        """Let what is queued leave, for a moment."""
        await asyncio.to_thread(self._producer.flush, 1.0)
