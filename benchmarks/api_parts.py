"""What a prediction costs beside the engine, part by part: processor time, in process, no socket.

The engine answers every case with what it said of the first, so that answers have their real size
and cost nothing to find. The database lies in memory (`/dev/shm`): a disk is waited for, and what
is measured here is work.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine
from support.callers import API, CLIENT, ISSUER, ORGANISATION, SCOPE, TokenForge
from support.record_logs import a_prediction
from support.sync_records import an_identity

from cloud_api.app import create_app, default_engine, utc_now
from cloud_api.auth.device import DeviceAuthenticator
from cloud_api.auth.directory import SqlDirectory
from cloud_api.auth.keys import PinnedKeys
from cloud_api.auth.nonces import ProcessNonces
from cloud_api.auth.oidc import Organisations, People
from cloud_api.db.engine import open_database
from cloud_api.db.migrate import migrate
from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import DeviceRow
from cloud_api.diagnose import answer as answers
from cloud_api.diagnose.schemas import PredictRequest
from cloud_api.diagnose.told import ToldAnswer
from cloud_api.records.sql import SqlPredictionLog
from cloud_api.registry.repository import Repository
from cloud_api.settings import CloudSettings
from ddx.domain.canonical import digest_of
from ddx.domain.wire import case_from_json, case_to_json
from sync_service.client.identity import DeviceIdentity
from sync_service.client.transport import HttpTransport, make_client
from sync_service.gateway.devices import Device, SignedRequest
from sync_service.gateway.reading import read_message

CALLS, ROUNDS = 200, 5
_ALL: Final = CALLS * (ROUNDS + 1)
_MEMORY = Path("/dev/shm")
_CLIENT: Final = make_client("http://127.0.0.1")
_UNHURRIED: Final[dict[str, Any]] = {
    "subject_per_minute": 10**9,
    "address_per_minute": 10**9,
}


@dataclass
class Replaying:
    """The engine, which says of every case what it said of the first."""

    engine: Any
    _said: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def assess(self, *asked: Any, **how: Any) -> Any:
        """Return the assessment of the first case."""
        return self._once("assess", *asked, **how)

    def explain_several(self, *asked: Any) -> Any:
        """Return the explanations of the first case."""
        return self._once("explain_several", *asked)

    def _once(self, name: str, *asked: Any, **how: Any) -> Any:
        if name not in self._said:
            self._said[name] = getattr(self.engine, name)(*asked, **how)
        return self._said[name]


def table(cases: Iterator[dict[str, Any]]) -> str:
    """Return milliseconds of each part."""
    found = asyncio.run(_measured(cases))
    lines = ["| part | ms |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {ms:.3f} |" for name, ms in found.items())])


async def _measured(cases: Iterator[dict[str, Any]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        database = open_database(f"sqlite+aiosqlite:///{folder}/parts.db")
        try:
            await migrate(database)
            return {
                **await _of_the_database(database),
                **await _of_the_caller(),
                **await _of_the_question(next(cases)),
                **await _of_the_whole(Path(folder) / "cloud", cases),
            }
        finally:
            await database.dispose()


async def _of_the_database(database: AsyncEngine) -> dict[str, float]:
    identity, log = await _enrolled(database), SqlPredictionLog(database)
    find = SqlDirectory(database).find

    async def four() -> None:
        await asyncio.gather(*(log.append(a_prediction()) for _ in range(4)))

    return {
        "device looked up": await _ms(lambda: find(identity.device_id)),
        "prediction written down, alone": await _ms(lambda: log.append(a_prediction())),
        "prediction written down, four at once": await _ms(four) / 4,
    }


async def _of_the_caller() -> dict[str, float]:
    identity, forge = an_identity(), TokenForge(int(time.time()))
    device = Device(id=identity.device_id, public_key=identity.public_key, tenant_id="ours")

    async def found(_device_id: str) -> Device:
        return device

    devices = DeviceAuthenticator(found, ProcessNonces(), utc_now)
    people = People(
        issuer=ISSUER,
        audience=API,
        clients=(CLIENT,),
        scope=SCOPE,
        keys=PinnedKeys(forge.key_set),
        organisations=Organisations(only="ours", claim=ORGANISATION),
        now=utc_now,
    )
    signed = iter([_signed(identity, b"x" * 900) for _ in range(_ALL)])
    token = forge.token()
    return {
        "signature of a device": await _ms(lambda: devices.device_of(next(signed))),
        "access token of a person": await _ms(lambda: people.person_of(token)),
    }


async def _of_the_question(raw: dict[str, Any]) -> dict[str, float]:
    engine = Replaying(default_engine(Repository.of(CloudSettings()).open()))
    body = json.dumps({"case": raw, "explained": 5}).encode()
    asked, case = read_message(body, PredictRequest), case_from_json({"age_days": None, **raw})
    made = answers.answer(engine, case, asked)

    async def read() -> None:
        message = read_message(body, PredictRequest).case.model_dump(exclude_none=True)
        digest_of(case_to_json(case_from_json({"age_days": None, **message})))

    async def put_together() -> None:
        answers.answer(engine, case, asked)

    async def written() -> None:
        ToldAnswer.of(made).to_bytes()

    return {
        "question read, its digest": await _ms(read),
        "answer put together, five explanations in sentences": await _ms(put_together),
        "answer written once, its digest": await _ms(written),
    }


async def _of_the_whole(data: Path, cases: Iterator[dict[str, Any]]) -> dict[str, float]:
    settings = CloudSettings(data=data, **_UNHURRIED)
    async with _running(settings) as app:
        database = open_database(settings.database_address())
        identity = await _enrolled(database)
        await database.dispose()
        bodies = (json.dumps({"case": next(cases), "explained": 5}).encode() for _ in range(_ALL))
        ready = iter([_signed(identity, body) for body in bodies])
        return {
            "a whole prediction, all of these but the token": await _ms(
                lambda: _ask(app, next(ready))
            )
        }


@asynccontextmanager
async def _running(settings: CloudSettings) -> AsyncIterator[Any]:
    app = create_app(settings, open_engine=lambda found: Replaying(default_engine(found)))
    async with app.router.lifespan_context(app):
        while app.state.diagnosis.state != "ready":
            await asyncio.sleep(0.05)
        yield app


async def _ask(app: Any, signed: SignedRequest) -> None:
    sent: list[dict[str, Any]] = []
    headers = [(name.encode(), value.encode()) for name, value in signed.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": signed.method,
        "path": signed.target,
        "raw_path": signed.target.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8077),
        "scheme": "http",
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": signed.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent


async def _enrolled(database: AsyncEngine) -> DeviceIdentity:
    identity = an_identity()
    async with unscoped_session(database, Reason.AUTHENTICATION) as session:
        session.add(
            DeviceRow(
                tenant_id="default",
                id=identity.device_id,
                public_key=identity.public_key,
                app_version="0.1.0",
                enrolled_at=datetime.now(UTC),
            )
        )
    return identity


def _signed(identity: DeviceIdentity, body: bytes) -> SignedRequest:
    transport = HttpTransport(_CLIENT, identity)
    headers = transport._signature("POST", "/predict", body)  # noqa: SLF001
    named = {name.lower(): value for name, value in headers.items()}
    return SignedRequest(method="POST", target="/predict", body=body, headers=named)


async def _ms(call: Callable[[], Awaitable[object]]) -> float:
    """Return the median over rounds of the processor time of one call, in all threads."""
    for _ in range(CALLS):
        await call()
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            await call()
        found.append((time.process_time() - began) / CALLS * 1000)
    return statistics.median(found)
