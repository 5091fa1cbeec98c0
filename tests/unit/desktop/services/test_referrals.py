"""What the letter of a visit says, and what the audit keeps of it."""

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId, new_record_id
from ddx.domain.roles import Role
from desktop.services.records import ReferralMedium
from desktop.store.errors import RecordMissingError

FLU = DiseaseId("VD:influenza")


def test_the_letter_carries_the_visit_its_decisions_and_who_wrote_it(session, diagnosed, patient):
    decided = session.decisions.record(diagnosed.id, Verb.AGREE, FLU)
    letter = session.referrals.read(diagnosed.id)
    assert (letter.clinic, letter.signed_by, letter.attended_by) == (
        "Posta Cusco",
        "Ana Ruiz",
        "Ana Ruiz",
    )
    assert (letter.patient.family_name, letter.national_id) == ("Quispe Mamani", "45678912")
    assert letter.visit.differential == diagnosed.differential
    assert letter.visit.short_code == diagnosed.short_code
    assert letter.visit.feedback == (decided,)


def test_who_attended_stands_on_the_letter_after_they_left(clinic, session, diagnosed):
    staff = session.staff
    own = "llama del altiplano"
    other = staff.add(own, "Luis Paz", Role.MEDICO_ADMIN, "otra frase larga")
    session.close()
    second = clinic.sign_in(other.id, "otra frase larga")
    (first,) = [c for c in clinic.clinicians() if c.id != other.id]
    second.staff.remove("otra frase larga", first.id)
    letter = second.referrals.read(diagnosed.id)
    assert (letter.signed_by, letter.attended_by) == ("Luis Paz", "Ana Ruiz")
    second.close()


def test_looking_is_a_view_and_handing_over_is_an_export(session, diagnosed, entries):
    session.referrals.read(diagnosed.id)
    session.referrals.hand_over(diagnosed.id, ReferralMedium.PAPER)
    viewed, exported = entries(session)[-2:]
    assert (viewed.action, viewed.detail["view"]) == (AuditAction.PATIENT_VIEWED, "referral")
    assert (exported.action, exported.subject) == (AuditAction.EXPORTED, diagnosed.id)
    assert exported.detail == {
        "what": "referral",
        "medium": "paper",
        "receipt": exported.detail["receipt"],
    }
    assert exported.detail["receipt"] == session.visits.receipt(diagnosed.id).digest


def test_a_visit_that_is_not_there_has_no_letter_and_leaves_no_entry(session, entries):
    before = entries(session)
    for ask in (
        session.referrals.read,
        lambda d: session.referrals.hand_over(d, ReferralMedium.FILE),
    ):
        with pytest.raises(RecordMissingError):
            ask(new_record_id())
    assert entries(session) == before
