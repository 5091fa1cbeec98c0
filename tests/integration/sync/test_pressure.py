"""Back-pressure over real HTTP: 429 and 503 with Retry-After, and nothing lost."""

import pytest
from support.sync_records import a_diagnosis

from sync_service.client.errors import ServerBusyError
from sync_service.client.runner import Phase
from sync_service.gateway import pressure
from sync_service.gateway.routes import Gateway


@pytest.fixture
def gate(monkeypatch):
    """The one `Pressure` of the running cloud, to be tightened by a test."""
    made = []
    init = Gateway.__init__

    def remember(self, **ports):
        init(self, **ports)
        made.append(self.pressure)

    monkeypatch.setattr(Gateway, "__init__", remember)
    return made


def test_a_full_server_asks_for_patience_and_the_record_arrives_later(gate, cloud, clinic):
    clinic.outbox.add(a_diagnosis())
    gate[0]._max = 0
    report = clinic.push()
    assert (report.phase, report.code) == (Phase.WAITING, "sync.server_busy")
    assert clinic.runner.run_once().phase is Phase.WAITING  # impatience does not help
    assert cloud.rows("SELECT 1 FROM event") == []
    gate[0]._max = pressure.MAX_IN_HAND
    assert clinic.runner.wake().phase is Phase.IDLE
    assert len(cloud.rows("SELECT 1 FROM event")) == 1


def test_a_device_that_hurries_is_answered_429_with_the_time_to_wait(gate, cloud, clinic):
    gate[0]._burst, gate[0]._rate = 1, 0.1
    clinic.outbox.add(a_diagnosis())
    assert clinic.push().phase is Phase.IDLE
    answer = clinic.ask("/sync/v1/batches", b"{}")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["code"] == "sync.too_fast"
    clinic.outbox.add(a_diagnosis())
    assert clinic.push().phase is Phase.WAITING
    with pytest.raises(ServerBusyError):
        clinic.transport.push(clinic.runner._batch(1, _ready(clinic)))


def _ready(clinic):
    from sync_service.client.runner import wire_event

    return [wire_event(event) for event in clinic.outbox.pending(10)]
