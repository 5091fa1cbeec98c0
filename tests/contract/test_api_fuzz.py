"""Made-up requests: few here, a hundred thousand with `python -m benchmarks.api_fuzz`."""

import asyncio

import pytest
from fastapi import APIRouter, Response
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import SmallEngine, cloud_in_thread, wait_until

from benchmarks.fuzzing import Callers, Campaign, Tally, enrolled
from cloud_api.app import utc_now
from cloud_api.auth.access import people
from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.door import Door
from cloud_api.operation import operation
from ddx.domain.roles import Permission
from sync_service.protocol.fields import Message


@pytest.fixture
def cloud(tmp_path):
    shop = BundleWorkshop(tmp_path / "publisher")
    shop.publish("2026.11.1")
    root = tmp_path / "root.json"
    root.write_bytes(shop.trust.root)
    chosen = {"repository": shop.repository, "root": root, "dev_issuer": True}
    engine = lambda artifacts: SmallEngine(artifacts.version, artifacts.digest)  # noqa: E731
    with cloud_in_thread(tmp_path / "data", open_engine=engine, **chosen) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        yield running


def campaign(cloud, **changes):
    codes = [cloud.code() for _ in range(2)]
    issuer = DevIssuer(cloud.settings.data)
    callers = Callers(issuer, "default", enrolled(cloud.url, codes), utc_now)
    return Campaign(cloud.url, cloud.app.state.door.operations, callers, **changes)


def test_no_made_up_request_breaks_the_service_or_surprises_its_document(cloud):
    made = campaign(cloud)
    for number in range(made.steps):
        made.step(number, cases=3, seed_of=7)
    assert made.tally.failures == {}
    assert made.tally.cases > 150
    assert {200, 201, 404, 422} <= made.tally.statuses.keys()
    assert max(made.tally.statuses) < 500


class Planted(Message):
    """An answer with a number."""

    number: int


def test_the_campaign_finds_what_was_planted(cloud):
    routes = APIRouter()
    readers = people(Permission.DIAGNOSE)

    def described(answer=None):
        return operation(None, readers, answer=answer, example={"number": 1}, asks=True)

    @routes.get("/planted/fault", **described(Planted))
    async def fault(often: int = 1) -> Planted:
        raise KeyError("nobody foresaw this")

    @routes.get("/planted/status", **described(Planted))
    async def status(often: int = 1) -> Response:
        return Response(status_code=418)

    @routes.get("/planted/schema", **described(Planted))
    async def schema(often: int = 1) -> Response:
        return Response('{"number": "one"}', media_type="application/json")

    door = Door(cloud.app)
    door.let_in(routes)
    cloud.app.openapi_schema = None
    made = campaign(cloud)
    made._known |= {(o.method, o.path): o for o in door.operations}
    made._operations = [o for o in made._operations if o.path.startswith("/planted")]
    for number in range(made.steps):
        made.step(number, cases=3, seed_of=1)
    found = {" ".join(what.split()[1:]) for what in made.tally.failures}
    assert found == {
        "500 GET /planted/fault",
        "418 GET /planted/status",
        "200 GET /planted/schema",
    }


def test_an_operation_that_does_not_answer_is_found(cloud):
    routes = APIRouter()

    @routes.get("/planted/silence", **operation(None, people(), example={}, answer=Planted))
    async def silence(often: int = 1) -> Planted:
        await asyncio.sleep(5)
        return Planted(number=1)

    door = Door(cloud.app)
    door.let_in(routes)
    cloud.app.openapi_schema = None
    made = campaign(cloud, timeout_s=0.2)
    made._known |= {(o.method, o.path): o for o in door.operations}
    made._operations = [o for o in made._operations if o.path == "/planted/silence"]
    made.step(0, cases=1, seed_of=1)
    assert made.tally.failed == {"NoAnswer GET /planted/silence": 1}


def test_a_stopped_campaign_goes_on_with_the_same_counts():
    tally = Tally(cases=3)
    tally.statuses[200] += 3
    tally.failed["x"] += 1
    tally.failures["x"] = "curl"
    assert Tally.from_json(tally.to_json()) == tally
