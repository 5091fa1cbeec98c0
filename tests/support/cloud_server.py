"""A real cloud on loopback: uvicorn in a thread, or `vereda-cloud` in a process to be killed."""

import asyncio
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from support.guided import QUESTION, Guided
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_differential, an_identity
from support.ward_engine import FEVER, WardArtifacts

from cloud_api.app import create_app, utc_now
from cloud_api.auth.directory import SqlDirectory
from cloud_api.db.engine import open_database
from cloud_api.settings import CloudSettings
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.errors import UnknownDiseaseError
from ddx.terminology.catalogue import Catalogue
from sync_service.client.enrol import enrol
from sync_service.client.runner import Runner
from sync_service.client.transport import HttpTransport, make_client


@cache
def _ward_catalogue() -> Catalogue:
    return Catalogue.from_artifacts(WardArtifacts())


@dataclass(frozen=True)
class SmallEngine(Guided):
    """An engine that knows one disease; enough to see a case go in and an answer come out."""

    version: str = "2026.11.1"
    digest: str = "b" * 64

    askable = ((FEVER, QUESTION),)
    kept = frozenset({DiseaseId("VD:dengue")})
    actions = ((DiseaseId("VD:dengue"), "Dé líquidos.", "Give fluids."),)

    @property
    def catalogue(self) -> Catalogue:
        return _ward_catalogue()

    def diagnose(self, case, limit=50) -> Differential:
        made = a_differential(candidates=limit)
        first = replace(made.candidates[0], disease=DiseaseId("VD:dengue"))
        return replace(made, candidates=(first, *made.candidates[1:]))

    def assess(self, case, *, limit=50, **asked):
        said = super().assess(case, **asked)
        return replace(said, differential=self.diagnose(case, limit))

    def explain(self, case, disease: DiseaseId) -> Explanation:
        if disease != "VD:dengue" and not re.fullmatch(r"OMIM:\d{6}", disease):
            raise UnknownDiseaseError(disease)
        return Explanation(
            disease=disease,
            world=self.diagnose(case).candidates[0].world,
            base=-2.0,
            margin=-2.0,
            contributions=(),
            expected=(),
        )


@dataclass
class Cloud:
    """A running cloud and what a test asks of its database."""

    url: str
    settings: CloudSettings
    app: object = None

    def code(self, **of) -> str:
        """Issue an enrolment code. of: the organisation it is for."""
        return asyncio.run(self._issue(of))

    async def _issue(self, of):
        engine = open_database(self.settings.database_address())
        try:
            lifetime = timedelta(hours=1)
            return await SqlDirectory(engine).issue_code(now=utc_now(), lifetime=lifetime, **of)
        finally:
            await engine.dispose()

    def rows(self, statement):
        """Return the rows of a SELECT over the cloud's database."""
        return asyncio.run(self._rows(statement))

    async def _rows(self, statement):
        engine = open_database(self.settings.database_address())
        try:
            async with engine.connect() as connection:
                return (await connection.execute(text(statement))).mappings().all()
        finally:
            await engine.dispose()

    def refusal(self, statement):
        """Return why the database itself refuses a change, None when it does not."""
        return asyncio.run(self._refusal(statement))

    async def _refusal(self, statement):
        engine = open_database(self.settings.database_address())
        try:
            async with engine.begin() as connection:
                await connection.exec_driver_sql(statement)
        except DBAPIError as error:
            return str(error.orig)
        finally:
            await engine.dispose()
        return None

    def metric(self, line):
        """Return the value of one exposed metric, None when it is not there."""
        exposed = httpx.get(f"{self.url}/metrics").text
        found = re.search(rf"^{re.escape(line)} (\S+)$", exposed, re.MULTILINE)
        return float(found.group(1)) if found else None


UNHURRIED = {"subject_per_minute": 1_000_000, "address_per_minute": 1_000_000}


@contextmanager
def cloud_in_thread(
    data: Path, *, open_engine=lambda _: SmallEngine(), port=0, make=create_app, **settings
):
    """Run the application on an ephemeral loopback port; a test asks faster than a person."""
    chosen = CloudSettings(**(UNHURRIED | settings), data=data)
    app = make(chosen, open_engine=open_engine)
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    wait_until(lambda: server.started)
    try:
        yield Cloud(url, chosen, app)
    finally:
        server.should_exit = True
        thread.join(10)


def wait_until(condition, seconds=15.0):
    """Return when `condition()` holds; fail when it does not come true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)


class CloudProcess:
    """`python -m cloud_api` on one data folder; may be killed and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[bytes] | None = None
        self.port, self.code = 0, ""

    def start(self) -> "CloudProcess":
        """Start, and read address and enrolment code from what it prints."""
        command = [sys.executable, "-m", "cloud_api", "--data", str(self.data)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        printed = self._read_until("Ctrl+C")
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", printed).group(1))
        self.code = re.search(r"enrolment code +(\S+)", printed).group(1)
        wait_until(self._answers)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL this very process; nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def _answers(self):
        try:
            return httpx.get(f"{self.url}/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def _read_until(self, sign, seconds=30.0):
        printed, until = "", time.monotonic() + seconds
        descriptor = self.process.stdout.fileno()
        while sign not in printed:
            assert time.monotonic() < until, f"only said: {printed}"
            assert self.process.poll() is None, f"it ended: {printed}"
            if select.select([descriptor], [], [], 0.1)[0]:
                printed += os.read(descriptor, 4096).decode()
        return printed


@dataclass
class Clinic:
    """A device with an outbox in memory and a real transport."""

    url: str
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    identity: object = field(default_factory=an_identity)

    def __post_init__(self):
        self.http = make_client(self.url)
        self.transport = HttpTransport(self.http, self.identity)
        self.runner = Runner(self.outbox, self.transport, self.identity, software=lambda: SOFTWARE)

    def enrol(self, code):
        """Enrol with the code and return itself."""
        enrol(self.transport, code=code, app_version="0.1.0")
        return self

    def push(self):
        """Push what waits; return the report."""
        return self.runner.run_once()

    def ask(self, path, content):
        """POST a signed question to a path of the cloud; return the raw answer."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = self.transport._signature("POST", path, body)
        return httpx.post(self.url + path, content=body, headers=headers)
