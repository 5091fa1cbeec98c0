"""The short way to an operation has a guard on it, or there is no such way."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from cloud_api import errors
from cloud_api.auth.access import people
from cloud_api.auth.admitted import AdmittedRoute, UnguardedRouteError
from cloud_api.auth.device import DeviceAuthenticator
from cloud_api.auth.guard import Admission, Guard
from cloud_api.auth.nonces import ProcessNonces
from cloud_api.auth.oidc import NoPeople
from cloud_api.errors import EngineBusyError
from ddx.domain.roles import Permission


@pytest.fixture
def guard():
    async def nobody(_device_id):
        return None

    devices = DeviceAuthenticator(nobody, ProcessNonces(), lambda: None)
    return Guard(people=NoPeople(), devices=devices, operator="ours")


@pytest.fixture
def routes():
    return APIRouter(route_class=AdmittedRoute)


def called(_request: Request) -> Response:
    raise AssertionError("it ran for a stranger")


async def operation(request: Request) -> Response:
    return called(request)


async def asking(request: Request, limit: Annotated[int, Query()] = 1) -> Response:
    return called(request)


async def blind() -> Response:
    return Response()


async def asked_of(routes):
    app = FastAPI()
    app.include_router(routes)
    errors.install(app, lambda: 0.0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://here"
    ) as client:
        return await client.post("/ask", content=b"{}")


async def test_a_stranger_is_refused_before_the_operation(guard, routes):
    admission = Admission(guard, people(Permission.DIAGNOSE))
    routes.post("/ask", dependencies=[Depends(admission)])(operation)
    answer = await asked_of(routes)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.missing")


async def test_what_comes_first_refuses_whoever_it_is(guard, routes):
    def full():
        raise EngineBusyError(7)

    admission = Admission(guard, people(Permission.DIAGNOSE), first=full)
    routes.post("/ask", dependencies=[Depends(admission)])(operation)
    answer = await asked_of(routes)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_without_its_admission_there_is_no_route(routes):
    with pytest.raises(UnguardedRouteError):
        routes.post("/ask")(operation)
    with pytest.raises(UnguardedRouteError):
        routes.post("/ask", dependencies=[Depends(lambda: None)])(operation)


@pytest.mark.parametrize("more", [asking, blind])
def test_an_operation_that_takes_anything_but_the_request_is_refused_at_the_start(
    guard, routes, more
):
    admission = Admission(guard, people(Permission.DIAGNOSE))
    with pytest.raises(UnguardedRouteError):
        routes.post("/ask", dependencies=[Depends(admission)])(more)


def test_two_admissions_are_one_too_many(guard, routes):
    twice = [Depends(Admission(guard, people(Permission.DIAGNOSE))) for _ in range(2)]
    with pytest.raises(UnguardedRouteError):
        routes.post("/ask", dependencies=twice)(operation)
