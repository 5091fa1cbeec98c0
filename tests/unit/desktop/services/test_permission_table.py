"""Every public method of every service, against every role: the table of `ddx.domain.roles`.

A new method fails here until somebody says which permission it takes.
"""

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from ddx.domain.roles import PERMISSIONS, Permission, PermissionDeniedError, Role
from ddx.errors import DdxError
from desktop.services.keeping import KeepingService
from desktop.services.records import ReferralMedium
from desktop.services.session import Session
from desktop.services.staff import StaffService
from desktop.settings import Settings

FLU = DiseaseId("VD:influenza")
SERVICES = (
    "patients",
    "visits",
    "decisions",
    "referrals",
    "exports",
    "aggregates",
    "preferences",
    "sync",
    "models",
    "application",
    "audit",
    "privacy",
    "identity",
    "staff",
    "keeping",
)
ANYBODY = None
OF_THE_SESSION = {
    "application.standing_on",
    "sync.close",
    "sync.lease",
    "sync.line",
    "sync.settings",
    "models.standing_on",
    "models.update_over",
}
"""Called by the session and by other services, never by a screen."""

NEEDS = {
    "patients.search": (Permission.VIEW_PATIENT, lambda s, on: s.patients.search()),
    "patients.create": (Permission.VIEW_PATIENT, lambda s, on: s.patients.create(on.new)),
    "visits.open_draft": (Permission.DIAGNOSE, lambda s, on: s.visits.open_draft(on.patient)),
    "visits.save_draft": (
        Permission.DIAGNOSE,
        lambda s, on: s.visits.save_draft(on.draft, on.typed),
    ),
    "visits.check": (Permission.DIAGNOSE, lambda s, on: s.visits.check(on.typed)),
    "visits.diagnose": (Permission.DIAGNOSE, lambda s, on: s.visits.diagnose(on.draft)),
    "visits.history": (Permission.VIEW_PATIENT, lambda s, on: s.visits.history(on.patient)),
    "visits.explain": (Permission.EXPLAIN, lambda s, on: s.visits.explain(on.diagnosis, FLU)),
    "visits.account": (Permission.EXPLAIN, lambda s, on: s.visits.account(on.diagnosis, FLU)),
    "visits.why_not": (Permission.EXPLAIN, lambda s, on: s.visits.why_not(on.diagnosis, FLU)),
    "visits.guide": (Permission.DIAGNOSE, lambda s, on: s.visits.guide(on.typed, "rural")),
    "visits.preview": (Permission.DIAGNOSE, lambda s, on: s.visits.preview(on.typed)),
    "visits.receipt": (Permission.VIEW_PATIENT, lambda s, on: s.visits.receipt(on.diagnosis)),
    "visits.find_receipt": (
        Permission.VIEW_PATIENT,
        lambda s, on: s.visits.find_receipt(on.code),
    ),
    "visits.export_receipt": (
        Permission.VIEW_PATIENT,
        lambda s, on: s.visits.export_receipt(on.diagnosis),
    ),
    "visits.replay": (Permission.DIAGNOSE, lambda s, on: s.visits.replay(on.diagnosis)),
    "decisions.record": (
        Permission.GIVE_FEEDBACK,
        lambda s, on: s.decisions.record(on.diagnosis, Verb.AGREE, FLU),
    ),
    "referrals.read": (Permission.VIEW_PATIENT, lambda s, on: s.referrals.read(on.diagnosis)),
    "referrals.hand_over": (
        Permission.VIEW_PATIENT,
        lambda s, on: s.referrals.hand_over(on.diagnosis, ReferralMedium.PAPER),
    ),
    "exports.phenopacket": (
        Permission.VIEW_PATIENT,
        lambda s, on: s.exports.phenopacket(on.diagnosis),
    ),
    "exports.fhir": (Permission.VIEW_PATIENT, lambda s, on: s.exports.fhir(on.patient)),
    "aggregates.read": (Permission.VIEW_AGGREGATES, lambda s, on: s.aggregates.read()),
    "preferences.rows": (ANYBODY, lambda s, on: s.preferences.rows()),
    "sync.status": (ANYBODY, lambda s, on: s.sync.status()),
    "sync.link": (
        Permission.MANAGE_CLINICIANS,
        lambda s, on: s.sync.link("http://127.0.0.1:9", "nope"),
    ),
    "sync.run_once": (Permission.DIAGNOSE, lambda s, on: s.sync.run_once()),
    "sync.side": (Permission.DIAGNOSE, lambda s, on: s.sync.side()),
    "sync.retry": (Permission.DIAGNOSE, lambda s, on: s.sync.retry(on.diagnosis)),
    "models.status": (ANYBODY, lambda s, on: s.models.status()),
    "models.update": (Permission.DIAGNOSE, lambda s, on: s.models.update()),
    "models.update_from": (Permission.DIAGNOSE, lambda s, on: s.models.update_from(Path("usb"))),
    "application.status": (ANYBODY, lambda s, on: s.application.status()),
    "application.fetch": (Permission.MANAGE_CLINICIANS, lambda s, on: s.application.fetch()),
    "application.installation": (
        Permission.MANAGE_CLINICIANS,
        lambda s, on: s.application.installation(),
    ),
    "application.way_back": (Permission.MANAGE_CLINICIANS, lambda s, on: s.application.way_back()),
    "audit.entries": (Permission.READ_AUDIT, lambda s, on: s.audit.entries()),
    "audit.verify": (Permission.READ_AUDIT, lambda s, on: s.audit.verify()),
    "audit.keys": (Permission.READ_AUDIT, lambda s, on: s.audit.keys()),
    "audit.export": (Permission.READ_AUDIT, lambda s, on: s.audit.export()),
    "audit.export_fhir": (Permission.READ_AUDIT, lambda s, on: s.audit.export_fhir()),
    "identity.standing": (ANYBODY, lambda s, on: s.identity.standing()),
    "identity.linked": (ANYBODY, lambda s, on: s.identity.linked()),
    "identity.missing_settings": (ANYBODY, lambda s, on: s.identity.missing_settings()),
    "identity.begin_device_code": (ANYBODY, lambda s, on: s.identity.begin_device_code()),
    "identity.finish_device_code": (ANYBODY, lambda s, on: s.identity.finish_device_code(None)),
    "identity.ready": (ANYBODY, lambda s, on: s.identity.ready()),
    "identity.stop": (ANYBODY, lambda s, on: s.identity.stop()),
    "identity.sign_in_with_browser": (
        ANYBODY,
        lambda s, on: s.identity.sign_in_with_browser(lambda _: None),
    ),
    "identity.renew": (ANYBODY, lambda s, on: s.identity.renew()),
    "privacy.sent": (Permission.VIEW_SENT, lambda s, on: s.privacy.sent()),
    "privacy.erasures": (Permission.VIEW_SENT, lambda s, on: s.privacy.erasures()),
    "privacy.due": (
        Permission.ERASE_PATIENT,
        lambda s, on: s.privacy.due(datetime(2026, 1, 1, tzinfo=UTC)),
    ),
    "privacy.erase": (Permission.ERASE_PATIENT, lambda s, on: s.privacy.erase(on.patient)),
    "staff.members": (Permission.MANAGE_CLINICIANS, lambda s, on: s.staff.members()),
    "staff.add": (
        Permission.MANAGE_CLINICIANS,
        lambda s, on: s.staff.add("not mine", "Otra", Role.MEDICO_GENERAL, "frase de paso larga"),
    ),
    "staff.reset": (
        Permission.MANAGE_CLINICIANS,
        lambda s, on: s.staff.reset("not mine", s.clinician.id, "frase de paso larga"),
    ),
    "staff.remove": (
        Permission.MANAGE_CLINICIANS,
        lambda s, on: s.staff.remove("not mine", s.clinician.id),
    ),
    "staff.prove": (ANYBODY, lambda s, on: s.staff.prove("not mine")),
    "keeping.backups": (ANYBODY, lambda s, on: s.keeping.backups()),
    "keeping.back_up": (Permission.MANAGE_CLINICIANS, lambda s, on: s.keeping.back_up()),
    "keeping.check": (Permission.MANAGE_CLINICIANS, lambda s, on: s.keeping.check()),
    "keeping.upkeep": (ANYBODY, lambda s, on: s.keeping.upkeep()),
}


@pytest.fixture
def as_role(session):
    def signed_in(role):
        card = replace(session.clinician, role=role)
        desk = replace(session._desk, clinician=card)
        staff, keeping = session.staff, session.keeping
        return Session(
            desk,
            Settings(),
            StaffService(desk, staff._vault, staff._guard),
            KeepingService(desk, keeping._vault, keeping.place, keep=3),
        )

    return signed_in


@pytest.fixture
def on(session, patient, diagnosed, flu, zenobia):
    """One of everything there is to act on."""
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, flu)
    return SimpleNamespace(
        patient=patient.id,
        draft=draft.id,
        diagnosis=diagnosed.id,
        code=diagnosed.short_code,
        typed=flu,
        new=zenobia,
    )


def _acts(part):
    """Whether an attribute of a session is a service: an object of our own, not a setting."""
    return type(part).__module__.startswith("desktop.services.")


def test_no_public_method_of_a_service_is_forgotten(session):
    parts = {name: part for name, part in vars(session).items() if not name.startswith("_")}
    services = {name for name, part in parts.items() if _acts(part)}
    services |= {"staff", "keeping"}
    found = {
        f"{service}.{name}"
        for service in services
        for name, _ in inspect.getmembers(getattr(session, service), inspect.ismethod)
        if not name.startswith("_")
    }
    assert services <= set(SERVICES)
    assert found == set(NEEDS) | OF_THE_SESSION


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_exactly_what_the_table_says(as_role, on, everything, role):
    signed_in = as_role(role)
    refused = [
        (name, act)
        for name, (needed, act) in NEEDS.items()
        if needed is not ANYBODY and needed not in PERMISSIONS[role]
    ]
    before = everything()
    for name, act in refused:
        with pytest.raises(PermissionDeniedError) as denied:
            act(signed_in, on)
        assert denied.value.permission is NEEDS[name][0]
    assert everything() == before
    allowed = [act for name, (_, act) in NEEDS.items() if (name, act) not in refused]
    for act in allowed:
        try:
            act(signed_in, on)
        except PermissionDeniedError:
            raise
        except DdxError:
            pass  # an empty code, a used draft: refused for another reason than the role


OWN, OTHER = "llama del altiplano", "otra frase de paso"
WRITES = {
    "patients.search": AuditAction.RECORDS_LISTED,
    "patients.create": AuditAction.PATIENT_CREATED,
    "visits.open_draft": AuditAction.PATIENT_VIEWED,
    "visits.diagnose": AuditAction.DIAGNOSED,
    "visits.history": AuditAction.PATIENT_VIEWED,
    "visits.explain": AuditAction.EXPLAINED,
    "visits.account": AuditAction.EXPLAINED,
    "visits.why_not": AuditAction.EXPLAINED,
    "visits.receipt": AuditAction.PATIENT_VIEWED,
    "visits.find_receipt": AuditAction.PATIENT_VIEWED,
    "visits.export_receipt": AuditAction.EXPORTED,
    "visits.replay": AuditAction.PATIENT_VIEWED,
    "decisions.record": AuditAction.DECIDED,
    "referrals.read": AuditAction.PATIENT_VIEWED,
    "referrals.hand_over": AuditAction.EXPORTED,
    "exports.phenopacket": AuditAction.EXPORTED,
    "exports.fhir": AuditAction.EXPORTED,
    "aggregates.read": AuditAction.RECORDS_LISTED,
    "audit.export": AuditAction.EXPORTED,
    "audit.export_fhir": AuditAction.EXPORTED,
    "privacy.sent": AuditAction.RECORDS_LISTED,
    "privacy.erasures": AuditAction.RECORDS_LISTED,
    "privacy.due": AuditAction.RECORDS_LISTED,
    "privacy.erase": AuditAction.PATIENT_ERASED,
    "staff.add": AuditAction.SETTING_CHANGED,
    "staff.reset": AuditAction.SETTING_CHANGED,
    "staff.remove": AuditAction.SETTING_CHANGED,
    "keeping.back_up": AuditAction.EXPORTED,
    "keeping.check": AuditAction.STORE_CHECKED,
    "keeping.upkeep": AuditAction.STORE_CHECKED,
}
"""The entry of each method that reads or writes what belongs to a patient, or changes a rule."""

QUIET = {
    "visits.save_draft": "a group of key presses in a draft whose opening is an entry",
    "visits.check": "reads the draft it is given and nothing of the store",
    "visits.guide": "reads the draft it is given and nothing of the store",
    "visits.preview": "of a draft: nothing is recorded, nothing can be decided on it (ADR 26)",
    "preferences.rows": "settings of this machine",
    "sync.status": "counts",
    "sync.link": "an entry once the server took the device: tests/unit/.../test_sync.py",
    "sync.run_once": "an entry once records arrived: tests/unit/.../test_sync.py",
    "sync.side": "what `vereda-sync` works with; an entry once records arrived",
    "sync.retry": "a record waits again; an entry once it arrived",
    "models.status": "the bundle",
    "models.update": "an entry when a bundle was activated or refused",
    "models.update_from": "as `models.update`",
    "application.status": "names of folders",
    "application.fetch": "an entry once an installer was brought: test_app_update.py",
    "application.installation": "an entry once there is one: test_app_update.py",
    "application.way_back": "as above",
    "audit.entries": "pseudonyms and codes; who reads the chain would write without end",
    "audit.verify": "as above",
    "audit.keys": "public keys",
    "identity.standing": "of oneself",
    "identity.linked": "of oneself",
    "identity.missing_settings": "names of settings",
    "identity.begin_device_code": "nothing happened yet",
    "identity.finish_device_code": "an entry when it ended: test_identity.py",
    "identity.ready": "nothing happened yet",
    "identity.stop": "nothing happened yet",
    "identity.sign_in_with_browser": "an entry when it ended: test_identity.py",
    "identity.renew": "an entry when it ended: test_identity.py",
    "staff.members": "clinicians, not patients",
    "staff.prove": "a refusal is an entry of the next sign-in: test_sign_in.py",
    "keeping.backups": "names of folders",
}
SUCCEEDING = {
    "staff.add": lambda s, on: s.staff.add(OWN, "Otra", Role.MEDICO_GENERAL, OTHER),
    "staff.reset": lambda s, on: s.staff.reset(OWN, on.colleague, OTHER),
    "staff.remove": lambda s, on: s.staff.remove(OWN, on.colleague),
}


def test_every_method_is_known_to_write_an_entry_or_not_to_need_one():
    assert set(WRITES) | set(QUIET) == set(NEEDS)
    assert not set(WRITES) & set(QUIET)


@pytest.mark.parametrize("name", list(WRITES))
def test_what_touches_a_patient_leaves_its_entry(session, as_role, on, entries, name):
    needed, act = NEEDS[name]
    signed_in = as_role(Role.AUDITOR) if needed is Permission.READ_AUDIT else session
    if name in SUCCEEDING:
        on.colleague = session.staff.add(OWN, "Luz", Role.MEDICO_GENERAL, OTHER).id
    before = len(entries(session))
    SUCCEEDING.get(name, act)(signed_in, on)
    assert WRITES[name] in [entry.action for entry in entries(session)[before:]]


def test_the_list_of_patients_is_one_entry_of_a_session_however_much_is_typed(session, entries):
    before = len(entries(session))
    for typed in ("", "z", "ze", "zen"):
        session.patients.search(typed)
    (entry,) = entries(session)[before:]
    assert (entry.action, entry.detail) == (AuditAction.RECORDS_LISTED, {"list": "patients"})


@pytest.mark.parametrize("name", [n for n in QUIET if n.startswith(("visits.", "keeping."))])
def test_what_needs_no_entry_writes_none(session, on, entries, name):
    before = entries(session)
    NEEDS[name][1](session, on)
    assert entries(session) == before
