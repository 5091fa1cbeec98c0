"""Every error has a status and a title in both languages."""

import importlib
import json
import logging
import pkgutil

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

import cloud_api
import sync_service.gateway
import sync_service.protocol
from cloud_api.advice import ADVICE
from cloud_api.errors import PROBLEMS, LastResort, install, language_of, problem_of
from ddx.errors import DdxError


def all_errors(of=DdxError):
    for error in of.__subclasses__():
        yield error
        yield from all_errors(error)


def test_every_error_of_protocol_gateway_and_cloud_has_a_problem():
    for room in (cloud_api, sync_service.protocol, sync_service.gateway):
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    ours = ("cloud_api.", "sync_service.protocol.", "sync_service.gateway.")
    errors = [error for error in all_errors() if error.__module__.startswith(ours)]
    assert len(errors) > 12
    assert {error.code for error in errors} - PROBLEMS.keys() == set()


def test_a_code_nobody_listed_is_the_servers_fault():
    assert problem_of("something.new").status == 500


def test_every_problem_is_titled_in_two_languages():
    for code, problem in PROBLEMS.items():
        assert problem.es, code
        assert problem.en, code
        assert 400 <= problem.status < 600


def test_every_refusal_says_what_to_do_next_in_two_languages():
    assert PROBLEMS.keys() - ADVICE.keys() == set()
    for code, (spanish, english) in ADVICE.items():
        assert spanish.endswith("."), code
        assert english.endswith("."), code
        assert spanish != english


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "es"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("es-BO,es;q=0.9,en;q=0.8", "es"),
        ("es;q=0.5, en;q=0.9", "en"),
        ("fr", "es"),
        ("qu, en;q=0.1", "en"),
        ("en;q=x", "es"),
        ("*", "es"),
    ],
)
def test_the_language_is_the_one_the_caller_prefers(header, language):
    assert language_of(header) == language


async def test_what_nobody_foresaw_is_answered_and_logged_without_its_message(caplog):
    async def broken(scope, receive, send):
        raise KeyError("Zenobia Quispe")

    sent = []

    async def send(message):
        sent.append(message)

    with caplog.at_level(logging.ERROR):
        scope = {"type": "http", "method": "GET", "headers": [(b"accept-language", b"en")]}
        await LastResort(broken)(scope, None, send)
    assert sent[0]["status"] == 500
    said = json.loads(sent[1]["body"])
    assert (said["code"], said["title"]) == ("internal", "Internal server error")
    assert "KeyError" in caplog.text
    assert "broken" in caplog.text
    assert "Zenobia" not in caplog.text


async def test_a_queue_for_the_database_is_answered_with_patience_not_as_a_fault():
    app = FastAPI()
    install(app, lambda: 0.0)

    @app.get("/")
    async def crowded() -> None:
        raise PoolTimeoutError("QueuePool limit of size 5 overflow 10 reached")

    async with AsyncClient(transport=ASGITransport(app), base_url="http://cloud") as client:
        answer = await client.get("/", headers={"Accept-Language": "es"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert answer.json()["code"] == "database.busy"
