"""The audit of a clinic: what is written, signed, exported, and judged elsewhere."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from ddx.domain.audit import AuditAction, AuditChainError
from ddx.domain.audit_verdict import AuditVerdict, verify_log
from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from ddx.domain.roles import Role
from desktop.services.epochs import EpochReason, open_epoch
from desktop.services.fhir_audit import _KINDS
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.signatures import ed25519_check

FLU = DiseaseId("VD:influenza")
NAMES = ("Zenobia", "Quispe", "Mamani", "45678912", "Ana Ruiz", "Posta Cusco")


@pytest.fixture
def auditor(session):
    card = replace(session.clinician, role=Role.AUDITOR)
    return Session(replace(session._desk, clinician=card), Settings())


def lines_of(content):
    return content.splitlines(keepends=True)


def judged(auditor, content):
    key = auditor.audit.keys().device_key
    return verify_log(lines_of(content), check=ed25519_check, device_key=key)


def test_every_entry_is_signed_by_the_device_and_the_export_holds(auditor, diagnosed):
    report = judged(auditor, auditor.audit.export())
    assert report.holds, report.finding
    assert report.unsigned == 0
    assert report.entries == auditor.audit.verify()


def test_the_export_is_its_own_last_entry(auditor, diagnosed):
    last = json.loads(lines_of(auditor.audit.export())[-2])
    assert (last["action"], last["detail"]) == (AuditAction.EXPORTED, {"what": "audit_log"})


def test_nothing_meant_to_leave_the_clinic_names_anybody(auditor, session, diagnosed, patient):
    session.decisions.record(diagnosed.id, Verb.AGREE, FLU, note="Zenobia Quispe")
    session.visits.find_receipt(diagnosed.short_code)
    meant_to_leave = (
        auditor.audit.export(),
        auditor.audit.export_fhir(),
        session.visits.export_receipt(diagnosed.id),
        "\n".join(record.payload_json for record in session.privacy.sent()).encode(),
    )
    for content in meant_to_leave:
        assert len(content) > 500
        for word in (*NAMES, patient.id):
            assert word.encode() not in content


def test_an_entry_changed_inside_the_store_is_named(auditor, session, diagnosed):
    with session._desk.store.write() as unit:
        unit._session.execute(text("DROP TRIGGER audit_entry_no_update"))
        unit._session.execute(text("UPDATE audit_entry SET actor = 'x' WHERE sequence = 3"))
    with pytest.raises(AuditChainError, match="edit") as broken:
        auditor.audit.verify()
    assert broken.value.sequence == 3


def test_entries_before_signatures_are_covered_by_the_chain(auditor, session, diagnosed):
    with session._desk.store.write() as unit:
        unit._session.execute(text("DROP TRIGGER audit_entry_no_update"))
        unit._session.execute(text("UPDATE audit_entry SET signature = '' WHERE sequence < 3"))
    report = judged(auditor, auditor.audit.export())
    assert (report.holds, report.unsigned) == (True, 2)


def test_another_epoch_hangs_on_the_one_before_and_waiting_events_move_along(
    auditor, session, diagnosed, events, patient
):
    before = [event.id for event in events(session)]
    with session._desk.store.write() as unit:
        open_epoch(unit, session._desk.journal, EpochReason.RESTORED_BACKUP)
    after = events(session)
    assert {event.id for event in after} >= set(before)
    assert [(event.epoch, event.sequence) for event in after] == [
        (2, place) for place in range(1, len(after) + 1)
    ]
    session.visits.history(patient.id)
    report = judged(auditor, auditor.audit.export())
    assert (report.holds, report.epochs) == (True, 2)


def test_the_export_of_an_older_state_is_not_a_cut_log(auditor, session, diagnosed):
    older, newer = auditor.audit.export(), auditor.audit.export()
    assert judged(auditor, older).holds
    cut = b"".join([*lines_of(newer)[:-2], lines_of(newer)[-1]])
    finding = judged(auditor, cut).finding
    assert finding.verdict is AuditVerdict.TRUNCATION
    assert finding.sequence == len(lines_of(newer)) - 2


def test_every_action_has_its_fhir_event():
    assert set(_KINDS) == set(AuditAction)


def test_the_fhir_export_is_valid_r4_and_keeps_chain_and_refusals(
    clinic, auditor, session, diagnosed
):
    bundle = pytest.importorskip("fhir.resources.R4B.bundle", reason="dev extra: fhir.resources")
    raw = json.loads(auditor.audit.export_fhir())
    read = bundle.Bundle.model_validate(raw)
    assert len(read.entry) == auditor.audit.verify()
    first = read.entry[0].resource
    details = {d.type: d.valueString for d in first.entity[0].detail}
    assert details["sequence"] == "1"
    assert ed25519_check(
        auditor.audit.keys().device_key,
        details["signature"],
        _statement(session, details["hash"]),
    )


def _statement(session, entry_hash):
    from ddx.domain.statements import entry_statement

    with session._desk.store.read() as unit:
        return entry_statement(unit.device.get().id, 1, 1, entry_hash)


@pytest.mark.parametrize("code_as_typed", [str.lower, lambda c: c.replace("-", " "), str])
def test_a_receipt_is_found_by_the_code_on_the_referral(session, diagnosed, code_as_typed):
    assert session.visits.find_receipt(code_as_typed(diagnosed.short_code)).id == diagnosed.id
