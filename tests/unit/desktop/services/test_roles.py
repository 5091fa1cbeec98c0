"""A role without the permission gets a refusal, and nothing is read or written."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from ddx.domain.roles import PermissionDeniedError, Role
from desktop.services.session import Session
from desktop.settings import Settings

FLU = DiseaseId("VD:influenza")


@pytest.fixture
def as_role(session):
    def signed_in(role):
        card = replace(session.clinician, role=role)
        return Session(replace(session._desk, clinician=card), Settings())

    return signed_in


CLINICAL = {
    "search": lambda s, on: s.patients.search(),
    "create": lambda s, on: s.patients.create(on.new),
    "open_draft": lambda s, on: s.visits.open_draft(on.patient),
    "save_draft": lambda s, on: s.visits.save_draft(on.draft, on.typed),
    "check": lambda s, on: s.visits.check(on.typed),
    "diagnose": lambda s, on: s.visits.diagnose(on.draft),
    "history": lambda s, on: s.visits.history(on.patient),
    "explain": lambda s, on: s.visits.explain(on.diagnosis, FLU),
    "receipt": lambda s, on: s.visits.receipt(on.diagnosis),
    "replay": lambda s, on: s.visits.replay(on.diagnosis),
    "decide": lambda s, on: s.decisions.record(on.diagnosis, Verb.AGREE, FLU),
    "sync": lambda s, on: s.sync.run_once(),
    "link": lambda s, on: s.sync.link("https://nube.example", "AAAA-AAAA-AAAA-AAAA"),
    "update": lambda s, on: s.models.update(),
}


@pytest.fixture
def on(session, patient, diagnosed, flu, zenobia):
    """One of everything there is to act on."""
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, flu)
    return SimpleNamespace(
        patient=patient.id, draft=draft.id, diagnosis=diagnosed.id, typed=flu, new=zenobia
    )


def test_an_auditor_touches_no_patient_and_leaves_no_trace(as_role, on, everything):
    before = everything()
    for act in CLINICAL.values():
        with pytest.raises(PermissionDeniedError):
            act(as_role(Role.AUDITOR), on)
    assert everything() == before


def test_an_auditor_reads_and_verifies_the_chain_and_a_doctor_does_not(as_role, diagnosed):
    auditor = as_role(Role.AUDITOR)
    assert auditor.audit.verify() == len(auditor.audit.entries())
    for read in ("entries", "verify"):
        with pytest.raises(PermissionDeniedError):
            getattr(as_role(Role.MEDICO_GENERAL).audit, read)()


def test_a_general_doctor_sees_patients_but_does_not_link_the_clinic(as_role, patient):
    doctor = as_role(Role.MEDICO_GENERAL)
    assert doctor.patients.search()
    with pytest.raises(PermissionDeniedError):
        doctor.sync.link("https://nube.example", "AAAA-AAAA-AAAA-AAAA")


def test_anybody_signed_in_may_see_how_fresh_things_are(as_role):
    auditor = as_role(Role.AUDITOR)
    assert auditor.sync.status().phase == "not_linked"
    assert auditor.models.status().version == "2026.11.1"
