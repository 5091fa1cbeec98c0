"""Cloud sign-in through msal against an issuer on loopback, and the role it lends."""

import subprocess
import sys
from dataclasses import replace

import pytest
from support.as_installed import without_optional
from support.cloud_server import cloud_in_thread
from support.oidc_issuer import CLIENT, issuer_on_loopback

from ddx.domain.audit import AuditAction
from ddx.domain.lease import LeaseStanding
from ddx.domain.roles import Permission, PermissionDeniedError, Role
from desktop.services.errors import (
    CloudNotSetUpError,
    CloudSignInError,
    CloudUnreachableError,
    OtherIdentityError,
)
from desktop.services.session import Session
from desktop.settings import Settings

PASSPHRASE = "llama del altiplano"


@pytest.fixture(scope="module")
def shared_issuer(tmp_path_factory):
    with issuer_on_loopback(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture
def issuer(shared_issuer):
    shared_issuer.subject, shared_issuer.roles = "oid-ana", ["MedicoAdmin"]
    shared_issuer.decision, shared_issuer.claims = "approved", {}
    return shared_issuer


@pytest.fixture
def cloud(tmp_path_factory, issuer):
    with cloud_in_thread(
        tmp_path_factory.mktemp("cloud"),
        oidc_issuer=issuer.url,
        oidc_audience=CLIENT,
        oidc_keys=issuer.keys_url,
        oidc_ca=issuer.ca,
    ) as cloud:
        yield cloud


@pytest.fixture
def settings(issuer):
    return Settings(tenant_id=issuer.url, client_id=CLIENT, ca_bundle_path=str(issuer.ca))


@pytest.fixture
def person(session, settings):
    return Session(session._desk, settings)


@pytest.fixture
def linked(person, cloud, clock):
    clock.moment = clock.moment.now(clock.moment.tzinfo)  # the tokens are of today
    person.sync.link(cloud.url, cloud.code())
    return person


def by_device_code(person):
    code = person.identity.begin_device_code()
    assert code.user_code == "BCDF-GHJK"
    return person.identity.finish_device_code(code)


def test_a_device_code_links_the_clinician_and_lends_a_role(linked, entries, tmp_path):
    grant = by_device_code(linked)
    assert (grant.role, grant.standing) == (Role.MEDICO_ADMIN, LeaseStanding.VALID)
    assert 118 <= grant.days_left <= 120
    assert grant.ends_at > linked._desk.now()
    assert linked.identity.linked()
    actions = [entry.action for entry in entries(linked)]
    assert actions[-2:] == [AuditAction.CLOUD_SIGN_IN, AuditAction.ROLE_LEASED]
    on_disk = b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
    for word in (b"refresh-", b"oid-ana", b"ana@example.org"):
        assert word not in on_disk


def test_the_browser_signs_in_with_pkce(linked, issuer):
    before = issuer.verified_pkce
    grant = linked.identity.sign_in_with_browser(issuer.browser)
    assert grant.standing is LeaseStanding.VALID
    assert issuer.verified_pkce == before + 1


@pytest.mark.parametrize("way", ["device", "browser"])
def test_a_refusal_is_written_down_and_changes_nothing(person, issuer, entries, way):
    issuer.decision = "denied"
    ways = {
        "device": lambda person, _: by_device_code(person),
        "browser": lambda person, issuer: person.identity.sign_in_with_browser(issuer.browser),
    }
    with pytest.raises(CloudSignInError, match="access_denied"):
        ways[way](person, issuer)
    last = entries(person)[-1]
    assert (last.action, last.detail) == (
        AuditAction.CLOUD_SIGN_IN_REFUSED,
        {"reason": "access_denied"},
    )
    assert not person.identity.linked()


def test_a_stop_before_the_wait_begins_counts_and_the_next_sign_in_waits_again(person, issuer):
    issuer.decision = ""
    person.identity.ready()
    person.identity.stop()
    with pytest.raises(CloudSignInError, match="stopped"):
        person.identity.sign_in_with_browser(lambda _address: None)
    with pytest.raises(CloudSignInError, match="authorization_pending"):
        by_device_code(person)
    issuer.decision = "approved"
    person.identity.ready()
    by_device_code(person)
    assert person.identity.linked()


def test_what_the_settings_leave_empty_is_named(session, person):
    assert session.identity.missing_settings() == ("TenantId", "ClientId")
    assert person.identity.missing_settings() == ()


def test_somebody_else_cannot_take_over_a_linked_clinician(linked, issuer, entries):
    by_device_code(linked)
    issuer.subject = "oid-otra"
    with pytest.raises(OtherIdentityError):
        by_device_code(linked)
    assert entries(linked)[-1].detail == {"reason": "other_identity"}


def test_a_lease_is_renewed_without_a_screen(linked, issuer, clock):
    by_device_code(linked)
    clock.advance(days=20)
    before, left = issuer.refreshed, linked.identity.standing().days_left
    issuer.roles = ["MedicoGeneral"]
    assert left < 101
    assert linked.identity.renew().role is Role.MEDICO_GENERAL
    assert issuer.refreshed == before + 1


def test_signing_in_months_later_without_any_network_works_and_says_the_lease_lapsed(
    clinic, linked, clock, issuer, patient
):
    by_device_code(linked)
    linked.close()
    clock.advance(days=121)
    later = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    assert later.clinician.role is Role.MEDICO_GENERAL
    grant = later.identity.standing()
    assert (grant.standing, grant.role) == (LeaseStanding.LAPSED, Role.MEDICO_GENERAL)
    assert later.visits.open_draft(patient.id)
    with pytest.raises(PermissionDeniedError):
        later.privacy.erase(patient.id)
    later.close()


def test_setting_the_clock_back_does_not_bring_a_lapsed_lease_back(clinic, linked, clock, settings):
    by_device_code(linked)
    linked.close()
    clock.advance(days=121)
    clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE).close()
    clock.advance(days=-100)
    signed_in = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    again = Session(signed_in._desk, settings)
    assert again.identity.standing().standing is LeaseStanding.LAPSED
    clock.advance(days=-21)
    assert again.identity.renew().standing is LeaseStanding.VALID  # a fresh lease, a fresh floor
    again.close()


def test_a_lease_that_was_touched_lends_nothing(linked, session):
    by_device_code(linked)
    with session._desk.store.write() as unit:
        key = "cloud.lease." + session.clinician.id
        raw = unit.settings.get(key)
        unit.settings.put(key, raw | {"role": "MLOpsEngineer"})
    grant = linked.identity.standing()
    assert (grant.role, grant.standing) == (session.clinician.role, LeaseStanding.NONE)


def test_without_settings_or_issuer_the_local_clinic_is_untouched(session, entries):
    with pytest.raises(CloudNotSetUpError):
        session.identity.begin_device_code()
    gone = Settings(tenant_id="https://127.0.0.1:9/tenant", client_id=CLIENT)
    with pytest.raises(CloudUnreachableError):
        Session(session._desk, gone).identity.begin_device_code()
    assert session.identity.standing().standing is LeaseStanding.NONE


def test_the_way_to_the_unlocked_store_never_loads_msal():
    probe = (
        f"{without_optional()}; import desktop.services.clinic, desktop.services.session;"
        "print([n for n in ('msal', 'requests', 'httpx', 'pydantic_core') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "msal" not in run.stdout
    assert "requests" not in run.stdout


def test_a_role_lent_by_the_cloud_is_what_the_services_enforce(clinic, linked, issuer):
    issuer.roles = ["Auditor"]
    by_device_code(linked)
    linked.close()
    again = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    assert again.clinician.role is Role.AUDITOR
    assert again.audit.verify() > 0
    with pytest.raises(PermissionDeniedError) as denied:
        again.patients.search()
    assert denied.value.permission is Permission.VIEW_PATIENT
    again.close()
    assert replace(again.clinician, role=Role.AUDITOR) == again.clinician
