"""Decisions: recorded with audit and outbox, or refused whole."""

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId, new_record_id
from ddx.errors import CaseError
from desktop.store.errors import RecordMissingError
from sync_service.client.outbox import EventKind


def test_an_agreement_is_on_the_record_and_on_its_way(session, patient, diagnosed, entries, events):
    feedback = session.decisions.record(diagnosed.id, Verb.AGREE, DiseaseId("VD:influenza"))
    assert session.visits.history(patient.id)[0].feedback == (feedback,)
    assert AuditAction.DECIDED in [entry.action for entry in entries(session)]
    sent = [event for event in events(session) if event.kind is EventKind.FEEDBACK]
    assert [event.payload["outcome"] for event in sent] == ["accepted"]


def test_the_note_stays_in_the_clinic(session, diagnosed, events):
    session.decisions.record(
        diagnosed.id,
        Verb.CUSTOM,
        DiseaseId("VD:dengue"),
        OverrideReason.OTHER,
        note="vive junto al río Vilcanota",
    )
    assert "Vilcanota" not in str([event.payload for event in events(session)])


def test_an_override_without_a_reason_leaves_nothing(session, diagnosed, entries, events):
    before = (entries(session), events(session))
    with pytest.raises(CaseError):
        session.decisions.record(diagnosed.id, Verb.REFUSE, None)
    assert (entries(session), events(session)) == before


def test_a_decision_on_nothing_leaves_nothing(session, entries):
    before = entries(session)
    with pytest.raises(RecordMissingError):
        session.decisions.record(new_record_id(), Verb.AGREE, DiseaseId("VD:influenza"))
    assert entries(session) == before
