"""The OpenAPI document: every operation shows what it takes and answers, and the examples fit."""

import json
import re
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest

from cloud_api.app import create_app
from cloud_api.errors import PROBLEM_TYPE, PROBLEMS
from cloud_api.settings import CloudSettings

APP = create_app(CloudSettings(data=Path("unused")))
DOCUMENT = json.loads(json.dumps(APP.openapi()))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
ACCESS = {f"{o.method} {o.path}": o.access for o in APP.state.door.operations}


def against(schema, value):
    """Raise when a value does not fit a schema of the document (JSON Schema 2020-12)."""
    validator(json.dumps(schema)).validate(value)


@cache
def validator(schema):
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def contents():
    """Return (what, media type object) of every request and answer."""
    for name, operation in OPERATIONS.items():
        if "requestBody" in operation:
            yield f"{name} takes", operation["requestBody"]["content"]["application/json"]
        for status, answer in operation["responses"].items():
            for media in answer.get("content", {}).values():
                yield f"{name} answers {status}", media


CONTENTS = dict(contents())


@pytest.mark.parametrize("what", CONTENTS)
def test_every_example_fits_its_schema(what):
    media = CONTENTS[what]
    shown = [e["value"] for e in media.get("examples", {}).values()]
    shown += [media["example"]] if "example" in media else []
    assert shown or what == "GET /metrics answers 200"
    for example in shown:
        against(media["schema"], example)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_shown_as_it_may_be_sent(name):
    for parameter in OPERATIONS[name].get("parameters", ()):
        schema = parameter["schema"]
        shown = [*schema.get("examples", ()), *(parameter[k] for k in {"example"} & set(parameter))]
        assert shown, parameter["name"]
        for example in shown:
            against(schema, example)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does_and_who_may_call_it(name):
    operation, access = OPERATIONS[name], ACCESS[name]
    assert operation["summary"]
    assert operation["description"].endswith(".") or "\n" in operation["description"]
    kinds = {kind for scheme in operation["security"] for kind in scheme}
    assert kinds == ({"person"} if access.people else set()) | (
        {"device"} if access.devices else set()
    )
    assert ("401" in operation["responses"]) or (not kinds)
    assert ("403" in operation["responses"]) >= access.people
    assert set(kinds) <= DOCUMENT["components"]["securitySchemes"].keys()


def test_every_room_is_described_once():
    used = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used


def test_operations_have_names_of_their_own():
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


def test_every_failure_is_problem_details_in_both_languages():
    for name, operation in OPERATIONS.items():
        for status, answer in operation["responses"].items():
            if int(status) < 400 or name == "GET /ready":
                continue
            if PROBLEM_TYPE not in answer["content"]:
                assert status == "422", name  # FastAPI's own entry
            shown = answer["content"][PROBLEM_TYPE]["examples"]
            assert {key[-3:-1] for key in shown} == {"es", "en"}, name
            for example in shown.values():
                code = example["value"]["code"]
                assert PROBLEMS[code].status == int(status), (name, code)


def test_the_document_refers_to_nothing_that_is_not_in_it():
    referred = set(re.findall(r"#/components/schemas/([\w.-]+)", json.dumps(DOCUMENT)))
    assert referred <= DOCUMENT["components"]["schemas"].keys()
