"""Clients of every earlier version still sync: their requests, byte for byte, to today's server.

Each file was written by the code of its day (`tests/support/record_messages.py`).
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert
from support.cloud_server import SmallEngine

from cloud_api.app import create_app, prepare
from cloud_api.auth.directory import _hash_of
from cloud_api.db.engine import open_database
from cloud_api.db.scoped import DEFAULT_TENANT
from cloud_api.db.tables import EnrolmentCodeRow
from cloud_api.settings import CloudSettings
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.canonical import canonical_json
from sync_service.gateway.reading import unpack
from sync_service.protocol import versions
from sync_service.protocol.messages import BatchReceipt, SyncBatch
from sync_service.protocol.receipts import unfolded

FILES = sorted((Path(__file__).parent / "recorded").glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def recorded(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


@pytest.fixture
async def server(tmp_path, recorded):
    """Today's server at the moment of the recording, with the code the client typed."""
    moment = datetime.fromtimestamp(recorded["now_s"], UTC)
    settings = CloudSettings(data=tmp_path / "cloud")
    engine = open_database(settings.database_address())
    await prepare(settings, engine)
    row = EnrolmentCodeRow(
        tenant_id=DEFAULT_TENANT,
        code_sha256=_hash_of(recorded["code"]),
        issued_at=moment,
        expires_at=moment + timedelta(hours=1),
    )
    async with engine.begin() as connection:
        values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
        await connection.execute(insert(EnrolmentCodeRow).values(values))
    app = create_app(settings, open_engine=lambda _: SmallEngine(), now=lambda: moment)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://cloud.example") as http:
        yield http, engine
    await engine.dispose()


async def replay(http, recorded):
    """Send every recorded request as it was; return the answers."""
    answers = []
    for one in recorded["requests"]:
        request = http.build_request(
            one["method"],
            one["target"],
            content=base64.b64decode(one["body"]),
            headers=one["headers"],
        )
        answers.append((one["target"], await http.send(request)))
    return answers


async def test_every_request_of_an_earlier_client_is_served(server, recorded):
    http, engine = server
    answers = await replay(http, recorded)
    assert {answer.status_code for _, answer in answers} == {200}
    results = [result for receipt in receipts(recorded, answers) for result in receipt.results]
    assert [result.status for result in results] == ["stored"] * recorded["records"]
    assert [result.server_sequence for result in results] == [*range(1, recorded["records"] + 1)]
    status = answers[-1][1].json()
    assert (status["device_id"], status["stored"]) == (recorded["device_id"], recorded["records"])
    held = await EmbeddedLog(engine).read(after=0, limit=100)
    assert [event.sequence for event in held] == list(range(1, recorded["records"] + 1))


async def test_a_client_is_answered_in_its_own_version(server, recorded):
    http, _ = server
    version = recorded["schema_version"]
    for target, answer in await replay(http, recorded):
        if target == versions.BATCHES_PATH:
            assert answer.json()["schema_version"] == version
            assert ("runs" in answer.json()) is (version >= versions.RUNS_SINCE)


def receipts(recorded, answers):
    """Return the receipts as the client of that day reads them: by record before version 2."""
    for one, (target, answer) in zip(recorded["requests"], answers, strict=True):
        if target != versions.BATCHES_PATH:
            continue
        receipt = BatchReceipt.model_validate_json(answer.content)
        if recorded["schema_version"] >= versions.RUNS_SINCE:
            batch = SyncBatch.model_validate_json(message_of(one))
            receipt = unfolded(receipt, batch)
        yield receipt


def message_of(request):
    """Return the message of a recorded request."""
    encoding = request["headers"].get("content-encoding", "")
    return unpack(base64.b64decode(request["body"]), encoding)


async def test_what_an_earlier_client_said_is_kept_to_the_letter(server, recorded):
    http, engine = server
    await replay(http, recorded)
    said = [
        event
        for one in recorded["requests"]
        if one["target"] == versions.BATCHES_PATH
        for event in json.loads(message_of(one))["events"]
    ]
    held = await EmbeddedLog(engine).read(after=0, limit=100)
    expected = [{"erased": True} if _erased(event, said) else event["payload"] for event in said]
    assert [canonical_json(e.payload) for e in held] == [canonical_json(e) for e in expected]
    assert [e.payload_sha256 for e in held] == [e["payload_sha256"] for e in said]
    assert [event.id for event in held] == [event["id"] for event in said]


def _erased(event, said):
    """Whether the client itself asked later to erase the patient this event is about."""
    after = [
        e["payload"] for e in said if e["kind"] == "erasure" and e["sequence"] > event["sequence"]
    ]
    pseudonyms = {payload["patient_pseudonym"] for payload in after}
    diagnoses = {
        e["payload"]["diagnosis_id"]
        for e in said
        if e["kind"] == "diagnosis" and e["payload"]["patient_pseudonym"] in pseudonyms
    }
    return event["kind"] in {"diagnosis", "feedback"} and (
        event["payload"].get("patient_pseudonym") in pseudonyms
        or event["payload"]["diagnosis_id"] in diagnoses
    )


def test_the_history_of_the_protocol_is_recorded():
    written = {json.loads(path.read_text(encoding="utf-8"))["schema_version"] for path in FILES}
    assert len(FILES) >= 5
    assert written == set(range(1, versions.SCHEMA_VERSION + 1))
    assert written <= versions.ACCEPTED_VERSIONS


def test_the_server_accepts_the_present_version_and_the_two_before_it():
    accepted = versions.accepted_versions
    assert accepted(1) == {1}
    assert accepted(2) == {1, 2}
    assert accepted(7) == {5, 6, 7}
    assert accepted(versions.SCHEMA_VERSION) == versions.ACCEPTED_VERSIONS
