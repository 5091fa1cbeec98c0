"""The logs on Cosmos DB do what the ports say: the real client against an emulator of npm.

Needs node and npm. Where they are absent, or the emulator cannot be fetched, the tests say so and
are skipped; with VEREDA_REQUIRE_NODE=1 (set by CI once it has installed them) they fail instead.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from azure.cosmos.aio import CosmosClient
from support.cloud_server import Clinic, cloud_in_thread, wait_until
from support.record_logs import (
    NOON,
    OURS,
    AuditLogContract,
    FeedbackLogContract,
    PredictionLogContract,
    a_decision,
    a_draft,
    a_prediction,
    an_event,
)
from support.services import free_port, running
from support.sync_records import a_known_case

from cloud_api.db.engine import open_database
from cloud_api.db.migrate import migrate
from cloud_api.db.online import SqlOnlineLog
from cloud_api.db.scoped import DEFAULT_TENANT
from cloud_api.records.cosmos import (
    CONTAINERS,
    CosmosAuditLog,
    CosmosFeedbackLog,
    CosmosPredictionLog,
    RecordsUnreachableError,
    prepare,
)
from cloud_api.records.ports import AuditTip, audit_hash
from cloud_api.stream.log import EmbeddedLog
from ddx.domain.wire import case_to_json

HERE = Path(__file__).parent / "emulator"
REPOSITORY = Path(__file__).resolve().parents[3]
EVERYTHING = f"SELECT * FROM c WHERE c.tenant_id = '{OURS}'"
NO_SECRET = "bm8gc2VjcmV0"
"""The emulator asks for a key and checks none."""


def absent(reason):
    if os.environ.get("VEREDA_REQUIRE_NODE") == "1":
        pytest.fail(f"{reason}, and VEREDA_REQUIRE_NODE is set")
    pytest.skip(reason)


def answer_404_to_what_is_not_there(handler):
    """The emulator answers 500 to a read of an item that is nowhere; Cosmos DB answers 404."""
    text = handler.read_text()
    read = "collection.document(docId, parsedPartitionKey).read();"
    assert read in text
    handler.write_text(text.replace(read, read.replace(".read();", ".read() || {};")))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        absent("node or npm is not installed; there is no emulator of Cosmos DB")
    folder = tmp_path_factory.mktemp("cosmos")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    fetched = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode != 0:
        absent(f"npm could not fetch the emulator: {fetched.stderr.strip()[-200:]}")
    program = folder / "node_modules" / "@vercel" / "cosmosdb-server" / "lib" / "cli.js"
    answer_404_to_what_is_not_there(program.parent / "handler" / "read-document.js")
    port = free_port()
    command = [node, program, "--host", "127.0.0.1", "--port", str(port)]
    url = f"https://127.0.0.1:{port}"

    def ready(_):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(url, timeout=1, verify=False).status_code < 500
        return False

    with running(command, ready):
        yield url


def client_of(emulator):
    """The emulator signs its own certificate."""
    return CosmosClient(emulator, NO_SECRET, connection_verify=False)


@pytest.fixture
async def database(emulator):
    async with client_of(emulator) as client:
        name = f"t{uuid4().hex}"
        yield await prepare(client, name)
        await client.delete_database(name)


@pytest.fixture
async def service(tmp_path):
    """The service's own database, which keeps the event log in both homes."""
    engine = open_database(f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}")
    await migrate(engine)
    yield engine
    await engine.dispose()


class TestCosmosPredictionLog(PredictionLogContract):
    @pytest.fixture
    def log(self, database):
        return CosmosPredictionLog(database)


class TestCosmosFeedbackLog(FeedbackLogContract):
    @pytest.fixture
    def log(self, database, service):
        return CosmosFeedbackLog(database, SqlOnlineLog(service, lambda: NOON))

    @pytest.fixture
    def events(self, service):
        return EmbeddedLog(service)

    async def test_an_event_that_a_crash_kept_back_is_stored_when_the_decision_comes_again(
        self, database, log, events
    ):
        class Away:
            async def append(self, event):
                raise ZeroDivisionError

        decision = a_decision()
        with pytest.raises(ZeroDivisionError):
            await CosmosFeedbackLog(database, Away()).append(decision, an_event(decision))
        assert await events.head() == 0
        assert await log.append(decision, an_event(decision)) is False
        assert await events.head() == 1


class TestCosmosAuditLog(AuditLogContract):
    @pytest.fixture
    def log(self, database):
        return CosmosAuditLog(database)


async def test_a_writer_that_dies_before_it_moved_the_tip_leaves_a_chain_that_goes_on(database):
    log = CosmosAuditLog(database)
    first = await log.append(a_draft(0))
    halted = CosmosAuditLog(database)

    async def die(*_):
        raise ZeroDivisionError

    halted._move = die
    with pytest.raises(ZeroDivisionError):
        await halted.append(a_draft(1))
    assert await log.tip(OURS) == AuditTip(sequence=1, hash=first.hash)
    third = await log.append(a_draft(2))
    links = await log.search(OURS)
    assert [link.sequence for link in links] == [1, 2, 3]
    assert links[2] == third
    assert third.previous == links[1].hash
    assert await log.tip(OURS) == AuditTip(sequence=3, hash=third.hash)


async def test_a_link_that_was_changed_in_the_store_no_longer_fits_its_hash(database):
    log = CosmosAuditLog(database)
    await log.append(a_draft(0))
    container = database.get_container_client("audit")
    (item,) = [i async for i in container.query_items(EVERYTHING, partition_key=OURS)]
    await container.replace_item(item["id"], item | {"actor": "person:nobody"})
    (link,) = await log.search(OURS)
    assert audit_hash(link, sequence=link.sequence, previous=link.previous) != link.hash


async def test_a_store_that_is_away_is_said_to_be_so(emulator):
    async with client_of(emulator) as client:
        log = CosmosPredictionLog(client.get_database_client("absent"))
        with pytest.raises(RecordsUnreachableError):
            await log.append(a_prediction())


async def test_appends_of_two_organisations_at_once_do_not_wait_for_each_other(database):
    log = CosmosAuditLog(database)
    drafts = [a_draft(n, tenant_id=f"t{n % 2}") for n in range(10)]
    links = await asyncio.gather(*map(log.append, drafts))
    for tenant in ("t0", "t1"):
        own = sorted(link.sequence for link in links if link.tenant_id == tenant)
        assert own == [1, 2, 3, 4, 5]


async def test_the_whole_service_keeps_its_records_there_when_told_so(
    database, emulator, tmp_path, monkeypatch
):
    def without_its_certificate(endpoint, key, **_):
        return client_of(endpoint)

    monkeypatch.setattr("azure.cosmos.aio.CosmosClient", without_its_certificate)
    settings = {"cosmos_endpoint": emulator, "cosmos_key": NO_SECRET}
    with cloud_in_thread(tmp_path, cosmos_database=database.id, **settings) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        clinic = await asyncio.to_thread(lambda: Clinic(cloud.url).enrol(cloud.code()))
        question = {"case": case_to_json(a_known_case())}
        answer = await asyncio.to_thread(clinic.ask, "/predict", question)
        assert answer.status_code == 200
        rows = await asyncio.to_thread(cloud.rows, "SELECT id FROM prediction")
        assert rows == []
    (record,) = await CosmosPredictionLog(database).search(DEFAULT_TENANT)
    assert record.id == answer.json()["receipt_id"]
    assert record.actor == f"device:{clinic.identity.device_id}"


def test_the_role_of_the_service_may_not_change_a_record():
    role = json.loads((REPOSITORY / "deploy" / "cosmos" / "append_only_role.json").read_text())
    items = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/"
    by_container = {}
    for definition in role["definitions"]:
        for scope in definition["assignableScopes"]:
            actions = {
                a.removeprefix(items) for p in definition["permissions"] for a in p["dataActions"]
            }
            by_container[scope.rsplit("/", 1)[-1]] = actions
    assert set(by_container) == set(CONTAINERS)
    assert "replace" in by_container["audit_tips"]
    for container in set(CONTAINERS) - {"audit_tips"}:
        assert not by_container[container] & {"replace", "upsert", "delete", "*"}
        assert {"create", "read"} <= by_container[container]


def test_a_prediction_without_candidates_can_be_stored():
    """No bundle answers so today; a record must not be lost the day one does."""
    from cloud_api.records.cosmos import _prediction, _prediction_item

    record = replace(a_prediction(), leading=())
    assert _prediction(_prediction_item(record)) == record
