"""People through an issuer on loopback, over https with its own authority, as in production."""

import httpx
import pytest
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread
from support.oidc_issuer import CLIENT, issuer_on_loopback

from cloud_api.settings import CloudSettings
from ddx.domain.identifiers import new_record_id

API = "api://vereda"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with issuer_on_loopback(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def cloud(issuer, tmp_path_factory):
    with cloud_in_thread(
        tmp_path_factory.mktemp("cloud"),
        open_engine=lambda _: SmallEngine(),
        oidc_issuer=issuer.url,
        oidc_audience=CLIENT,
        oidc_keys=issuer.keys_url,
        oidc_ca=issuer.ca,
        oidc_api_audience=API,
        oidc_clients=("web-client",),
        oidc_tenant_claim="organisation",
        tenant="operator",
    ) as cloud:
        yield cloud


def access_token(issuer, **changes):
    claims = {
        "aud": API,
        "azp": "web-client",
        "ver": "2.0",
        "scp": "access",
        "organisation": "operator",
    }
    return issuer.id_token(**(claims | changes))


def me(cloud, token):
    return httpx.get(f"{cloud.url}/me", headers={"authorization": f"Bearer {token}"})


def test_an_access_token_of_the_issuer_is_believed(cloud, issuer):
    said = me(cloud, access_token(issuer, roles=["Auditor"], organisation="san-juan")).json()
    assert (said["actor"], said["organisation"], said["role"]) == (
        "person:oid-ana",
        "san-juan",
        "Auditor",
    )


def test_an_identity_token_is_no_access_token(cloud, issuer):
    assert me(cloud, issuer.id_token(organisation="operator")).status_code == 401


def lease(clinic, id_token):
    sent = {
        "device_id": clinic.identity.device_id,
        "clinician_id": new_record_id(),
        "id_token": id_token,
    }
    return clinic.ask("/sync/v1/leases", sent)


def test_an_access_token_lends_no_role(cloud, issuer):
    clinic = Clinic(cloud.url).enrol(code_of(cloud, issuer))
    assert lease(clinic, access_token(issuer)).status_code == 403
    assert lease(clinic, issuer.id_token(organisation="operator")).status_code == 200


def test_a_person_lends_no_role_to_a_device_of_another_organisation(cloud, issuer):
    clinic = Clinic(cloud.url).enrol(code_of(cloud, issuer, organisation="el-alto"))
    refused = lease(clinic, issuer.id_token(organisation="operator"))
    assert (refused.status_code, refused.json()["code"]) == (403, "lease.refused")
    assert lease(clinic, issuer.id_token(organisation="el-alto")).status_code == 200


def code_of(cloud, issuer, **changes):
    """Return an enrolment code an administrator asked for."""
    token = access_token(issuer, roles=["MedicoAdmin"], **changes)
    answer = httpx.post(
        f"{cloud.url}/devices/codes",
        json={"hours": 1},
        headers={"authorization": f"Bearer {token}"},
    )
    return answer.json()["code"]


def test_without_an_issuer_nobody_is_believed(issuer, tmp_path):
    with cloud_in_thread(tmp_path, open_engine=lambda _: SmallEngine()) as closed:
        assert me(closed, access_token(issuer)).status_code == 401


def test_applications_are_read_from_the_environment_as_a_list(monkeypatch):
    monkeypatch.setenv("VEREDA_CLOUD_OIDC_CLIENTS", '["one", "two"]')
    assert CloudSettings().oidc_clients == ("one", "two")


@pytest.mark.parametrize("name", ["", "_service", "San Juan", "a" * 65])
def test_the_operator_has_a_name_an_organisation_can_have(name):
    with pytest.raises(ValueError, match="tenant"):
        CloudSettings(tenant=name)
