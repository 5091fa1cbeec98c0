"""A server killed under load forgets nothing it acknowledged; two that are replaced drop nobody."""

import asyncio
import contextlib
import itertools
import json
import signal
import sqlite3

import aiohttp
import httpx
import pytest
from support.cloud_server import Clinic, CloudProcess, wait_until
from support.services import free_port
from support.sync_records import a_known_case

from ddx.domain.identifiers import new_record_id
from ddx.domain.wire import case_to_json

CASE = case_to_json(a_known_case())
DRAIN_S = 1.0
LOOK_EVERY_S = 0.05


def signed(clinic, path, content):
    body = json.dumps(content).encode()
    return body, clinic.transport._signature("POST", path, body)


async def ask(session, url, clinic, path, content):
    """POST once; return status and content."""
    body, headers = signed(clinic, path, content)
    async with session.post(url + path, data=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def a_case_of(number):
    return {"case": CASE | {"age_days": 7000 + number}, "limit": 3, "explained": 1}


def a_decision_on(receipt):
    return {
        "feedback_id": new_record_id(),
        "diagnosis_id": receipt,
        "verb": "agree",
        "disease": "VD:dengue",
        "outcome": "accepted",
        "outcomeTimestamp": "2026-11-26T12:00:00Z",
    }


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("VEREDA_CLOUD_DRAIN_S", str(DRAIN_S))
    monkeypatch.setenv("VEREDA_CLOUD_SUBJECT_PER_MINUTE", "100000")
    running = []

    def make(port=0):
        process = CloudProcess(tmp_path / "cloud")
        process.port = port
        running.append(process.start())
        return process

    yield make
    for process in running:
        if process.process.poll() is None:
            process.kill()


def is_ready(url):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/ready", timeout=2).status_code == 200
    return False


def kept(cloud, column, table):
    with contextlib.closing(sqlite3.connect(cloud.data / "cloud.db")) as database:
        return {row[0] for row in database.execute(f"SELECT {column} FROM {table}")}


@pytest.mark.slow
async def test_a_server_killed_under_load_loses_no_acknowledged_record(start):
    cloud = start()
    clinic = await asyncio.to_thread(lambda: Clinic(cloud.url).enrol(cloud.code))
    acknowledged, numbers = {"prediction": set(), "feedback": set()}, itertools.count()

    async def client(session):
        with contextlib.suppress(aiohttp.ClientError):
            while True:
                content = a_case_of(next(numbers))
                status, answer = await ask(session, cloud.url, clinic, "/predict", content)
                assert status == 200, answer
                acknowledged["prediction"].add(answer["receipt_id"])
                decision = a_decision_on(answer["receipt_id"])
                status, answer = await ask(session, cloud.url, clinic, "/feedback", decision)
                assert status in {200, 201}, answer
                acknowledged["feedback"].add(decision["feedback_id"])

    for round_ in range(2):
        await asyncio.to_thread(wait_until, lambda: is_ready(cloud.url), 60)
        before = len(acknowledged["feedback"])
        async with aiohttp.ClientSession() as session:
            clients = [asyncio.create_task(client(session)) for _ in range(4)]
            while len(acknowledged["feedback"]) < before + 8 + 4 * round_:
                await asyncio.sleep(0.01)
                assert not all(task.done() for task in clients)
            await asyncio.to_thread(cloud.kill)
            await asyncio.gather(*clients)
        for table, ids in acknowledged.items():
            assert ids <= kept(cloud, "id", table)
        await asyncio.to_thread(cloud.start)
    assert min(map(len, acknowledged.values())) >= 20


class Front:
    """Sends each request to a server that said it was ready when it last looked, as clusters do."""

    def __init__(self, urls):
        self.urls, self.ready, self.turn = urls, [], itertools.count()

    async def look(self, session):
        """Ask every server again and again whether it is ready."""
        while True:
            self.ready = [url for url in self.urls if await self._is_ready(session, url)]
            await asyncio.sleep(LOOK_EVERY_S)

    async def _is_ready(self, session, url):
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{url}/ready") as answer:
                return answer.status == 200
        return False

    def pick(self):
        return self.ready[next(self.turn) % len(self.ready)]


@pytest.mark.slow
async def test_two_servers_replaced_one_after_the_other_fail_no_request(start):
    first = start()
    servers = [first, start(free_port())]
    clinic = await asyncio.to_thread(lambda: Clinic(first.url).enrol(first.code))
    for server in servers:
        await asyncio.to_thread(wait_until, lambda s=server: is_ready(s.url), 60)
    front, ended, outcomes = Front([s.url for s in servers]), asyncio.Event(), []

    async def client(session, numbers):
        while not ended.is_set():
            where = front.pick()
            status, _ = await ask(session, where, clinic, "/predict", a_case_of(next(numbers)))
            outcomes.append((where, status))
            await asyncio.sleep(0.02)

    async def roll(server):
        """Tell it to stop, wait until it has, start its successor, wait until that is ready."""
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, 60)
        server.process.stdout.close()
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(wait_until, lambda: is_ready(server.url), 60)
        answered = len(outcomes)
        while len(outcomes) < answered + 10:
            await asyncio.sleep(0.01)

    async with aiohttp.ClientSession() as probes, aiohttp.ClientSession() as session:
        looking = asyncio.create_task(front.look(probes))
        while len(front.ready) < 2:
            await asyncio.sleep(0.01)
        numbers = itertools.count()
        clients = [asyncio.create_task(client(session, numbers)) for _ in range(3)]
        for server in servers:
            await roll(server)
        ended.set()
        await asyncio.gather(*clients)  # a connection that was cut raises here
        looking.cancel()
    assert {status for _, status in outcomes} == {200}
    assert {where for where, _ in outcomes} == {server.url for server in servers}
    assert len(outcomes) >= 40


@pytest.mark.slow
def test_a_server_told_to_stop_says_so_first_and_then_leaves(start):
    cloud = start()
    wait_until(lambda: is_ready(cloud.url), 60)
    cloud.process.send_signal(signal.SIGTERM)
    told = httpx.get(f"{cloud.url}/ready")
    while told.status_code == 200:
        told = httpx.get(f"{cloud.url}/ready")
    assert told.status_code == 503
    assert told.json()["leaving"] is True
    assert told.headers["connection"] == "close"
    assert httpx.get(f"{cloud.url}/health").status_code == 200
    cloud.process.wait(30)
