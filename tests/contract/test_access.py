"""Every operation × every kind of caller, on a running server, against the page that says so."""

from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until

from cloud_api.advice import ADVICE
from cloud_api.app import create_app, utc_now
from cloud_api.auth.access import people
from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.door import DOCUMENTATION, Door, Operation, UndeclaredAccessError
from cloud_api.auth.guard import Declaration
from cloud_api.auth.table import BEGIN, END, NO, access_table, with_table
from cloud_api.settings import CloudSettings
from ddx.domain.roles import PERMISSIONS, Permission, Role
from sync_service.protocol.versions import DEVICES_PATH

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ANY_ID = "0198a000-0000-7000-8000-00000000ffff"
WEB = httpx.Client()
FILL = {"{receipt_id}": ANY_ID, "{device_id}": ANY_ID, "{key}": "LogLevel", "{file}": "root.json"}
DECLARED = create_app(CloudSettings(data=Path("unused"))).state.door.operations
REFUSED = {401, 403}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    shop = BundleWorkshop(folder / "publisher")
    shop.publish("2026.11.1")
    root = folder / "root.json"
    root.write_bytes(shop.trust.root)
    chosen = {"repository": shop.repository, "root": root, "dev_issuer": True, "tenant": "operator"}
    engine = lambda artifacts: SmallEngine(artifacts.version, artifacts.digest)  # noqa: E731
    with cloud_in_thread(folder / "data", open_engine=engine, **chosen) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        yield running


@pytest.fixture(scope="module")
def tokens(cloud):
    issuer = DevIssuer(cloud.settings.data)

    def token(role, organisation="operator"):
        return issuer.token(role, organisation=organisation, now=utc_now())

    return token


@pytest.fixture(scope="module")
def clinic(cloud):
    return Clinic(cloud.url).enrol(cloud.code())


def called(cloud, operation, **headers):
    path = operation.path
    for name, value in FILL.items():
        path = path.replace(name, value)
    body = b"{}" if operation.method in {"POST", "PUT"} else None
    return WEB.request(operation.method, cloud.url + path, content=body, headers=headers)


def signed(clinic, operation):
    path = operation.path
    for name, value in FILL.items():
        path = path.replace(name, value)
    body = b"{}" if operation.method in {"POST", "PUT"} else b""
    headers = clinic.transport._signature(operation.method, path, body)
    return WEB.request(operation.method, clinic.url + path, content=body, headers=headers)


def id_of(operation):
    return f"{operation.method} {operation.path}"


def table_of(page):
    """Return (operation, column) -> cell of the table as printed."""
    table = page.split(BEGIN)[1].split(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    heads = next(row for row in rows if row[0] == "Operation")
    listed = [row for row in rows if row[0].startswith("`")]
    return {
        (row[0].strip("`"), head): cell
        for row in listed
        for head, cell in zip(heads, row, strict=True)
    }


TABLE = table_of(PAGE.read_text("utf-8"))


def test_the_page_prints_the_declarations_of_this_version():
    page = PAGE.read_text("utf-8")
    assert page == with_table(page, access_table(DECLARED))


def test_the_page_lists_everything_that_can_be_called(cloud):
    document = cloud.app.openapi()
    offered = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    listed = {operation for operation, _ in TABLE}
    folders = ("/bundles/metadata", "/bundles/targets", "/docs/assets")
    files = {f"GET {folder}/{{file}}" for folder in folders}
    assert offered | files == listed


@pytest.mark.parametrize("operation", DECLARED, ids=id_of)
def test_who_shows_nothing_is_let_in_only_where_anybody_is(cloud, operation):
    status = called(cloud, operation).status_code
    if operation.path == DEVICES_PATH:
        assert status == 422  # anybody may try: the code in the body is what counts
        return
    assert (status not in REFUSED) is (TABLE[id_of(operation), "Anybody"] != NO)
    assert status == 401 or status not in REFUSED


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", DECLARED, ids=id_of)
def test_each_role_may_call_what_the_page_says_and_nothing_else(cloud, tokens, operation, role):
    answer = called(cloud, operation, authorization=f"Bearer {tokens(role)}")
    printed = TABLE[id_of(operation), role.value] != NO
    if TABLE[id_of(operation), "Anybody"] != NO:
        assert answer.status_code not in REFUSED
    elif TABLE[id_of(operation), "Device"] != NO and not operation.access.people:
        assert answer.status_code == 401
    else:
        assert (answer.status_code != 403) is printed
        assert answer.status_code != 401


@pytest.mark.parametrize("operation", DECLARED, ids=id_of)
def test_a_device_may_call_what_the_page_says_and_nothing_else(clinic, operation):
    status = signed(clinic, operation).status_code
    if TABLE[id_of(operation), "Anybody"] != NO:
        assert status not in REFUSED or operation.path == DEVICES_PATH
    else:
        assert (status != 401) is (TABLE[id_of(operation), "Device"] != NO)


@pytest.mark.parametrize("operation", [o for o in DECLARED if o.access.operator], ids=id_of)
def test_what_concerns_every_clinic_is_for_the_operator_alone(cloud, tokens, operation):
    token = tokens(Role.MLOPS_ENGINEER, "san-juan")
    assert called(cloud, operation, authorization=f"Bearer {token}").status_code == 403
    assert (
        called(cloud, operation, authorization=f"Bearer {tokens(Role.MLOPS_ENGINEER)}").status_code
        not in REFUSED
    )


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer a.b.c",
        "Basic dXNlcjpwYXNz",
        "bearer  x",
        "Bearer " + "x" * 40_000,
        "vereda-desktop",
    ],
)
def test_a_token_that_is_none_is_refused_without_a_reason(cloud, shown):
    answer = WEB.get(f"{cloud.url}/me", headers={"authorization": shown})
    assert answer.status_code == 401
    assert answer.json()["code"] == "auth.token_refused"
    assert answer.json().keys() == {"type", "title", "status", "code", "detail"}
    assert answer.json()["detail"] == ADVICE["auth.token_refused"][0]
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_two_tokens_at_once_are_refused(cloud, tokens):
    twice = [("authorization", f"Bearer {tokens(role)}") for role in list(Role)[:2]]
    assert WEB.get(f"{cloud.url}/me", headers=twice).status_code == 401


def test_a_device_signature_lends_nothing_to_a_bad_token(clinic):
    headers = clinic.transport._signature("POST", "/predict", b"{}")
    both = headers | {"authorization": "Bearer a.b.c"}
    answer = WEB.post(clinic.url + "/predict", content=b"{}", headers=both)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_refused")


def test_every_permission_a_role_has_opens_something_or_is_used_elsewhere():
    used = {permission for o in DECLARED for permission in o.access.permissions}
    elsewhere = {  # in the clinic, in training, in the platform
        Permission.VIEW_PATIENT,
        Permission.VIEW_SENT,
        Permission.ERASE_PATIENT,
        Permission.TRAIN_MODEL,
    }
    assert used | elsewhere == set().union(*PERMISSIONS.values())


def bare(*dependencies):
    routes = APIRouter()

    @routes.get("/secret", dependencies=[Depends(Declaration(d)) for d in dependencies])
    async def secret() -> None:
        return None

    return routes


def test_an_operation_without_a_declaration_cannot_be_mounted():
    door = Door(FastAPI())
    with pytest.raises(UndeclaredAccessError, match="/secret declares 0 times"):
        door.let_in(bare())
    assert not any(getattr(r, "path", "") not in DOCUMENTATION for r in door.app.routes)


def test_an_operation_declared_twice_cannot_be_mounted():
    with pytest.raises(UndeclaredAccessError, match="2 times"):
        Door(FastAPI()).let_in(bare(people(), people(Permission.READ_AUDIT)))


def test_what_is_added_to_a_room_after_it_was_let_in_stops_the_start():
    door, routes = Door(FastAPI()), bare(people())
    door.let_in(routes)
    routes.add_api_route("/late", lambda: None)
    with pytest.raises(UndeclaredAccessError, match="/late declares 0 times"):
        door.close()
    routes.routes.pop()
    routes.add_api_route("/late", lambda: None, dependencies=[Depends(Declaration(people()))])
    with pytest.raises(UndeclaredAccessError, match="after it was let in"):
        door.close()


def test_what_comes_in_beside_the_door_stops_the_start():
    door = Door(FastAPI())
    door.let_in(bare(people()))
    door.close()
    door.app.include_router(bare())
    with pytest.raises(UndeclaredAccessError, match="came in another way"):
        door.close()
    assert door.operations == [Operation(method="GET", path="/secret", access=people())]
