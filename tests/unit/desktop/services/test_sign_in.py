"""Sign-in: who gets in, what a refusal costs and tells, and what the audit chain says of it."""

import time

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Role
from desktop.services.clinic import Clinic
from desktop.services.errors import (
    ClinicDetailsError,
    RecoveryRefusedError,
    SignInRefusedError,
)
from desktop.store.errors import StoreClosedError, StoreCorruptError, StoreExistsError

PASSPHRASE = "llama del altiplano"


def test_a_new_directory_is_not_set_up_and_asks_for_nobody(new_clinic):
    clinic = new_clinic()
    assert not clinic.is_set_up()
    assert clinic.clinicians() == ()


def test_the_first_clinician_is_the_admin_and_gets_in(clinic, session):
    assert clinic.is_set_up()
    assert session.clinician == clinic.clinicians()[0]
    assert (session.clinician.display_name, session.clinician.role) == (
        "Ana Ruiz",
        Role.MEDICO_ADMIN,
    )


def test_a_clinic_needs_names(new_clinic):
    with pytest.raises(ClinicDetailsError):
        new_clinic().create(clinic_name=" ", display_name="Ana", passphrase=PASSPHRASE)
    assert not new_clinic().is_set_up()


def test_a_second_clinic_is_refused_and_the_first_still_opens(clinic):
    with pytest.raises(StoreExistsError):
        clinic.create(clinic_name="Otra", display_name="Otra", passphrase=PASSPHRASE)
    clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE).close()


def test_a_wrong_passphrase_tells_nothing_and_can_be_tried_again(clinic):
    (card,) = clinic.clinicians()
    with pytest.raises(SignInRefusedError) as refused:
        clinic.sign_in(card.id, "vicuña del altiplano")
    assert refused.value.retry_after_s == 0
    assert str(refused.value) == "sign-in refused"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    clinic.sign_in(card.id, PASSPHRASE).close()


def test_an_unknown_person_is_refused_like_a_wrong_passphrase(clinic):
    with pytest.raises(SignInRefusedError) as refused:
        clinic.sign_in(new_record_id(), PASSPHRASE)
    assert str(refused.value) == "sign-in refused"


def test_the_fifth_try_waits_even_with_the_right_passphrase_and_after_a_restart(
    clinic, new_clinic, clock
):
    (card,) = clinic.clinicians()
    for _ in range(4):
        with pytest.raises(SignInRefusedError) as refused:
            clinic.sign_in(card.id, "adivina adivinanza")
    assert refused.value.retry_after_s == 2
    with pytest.raises(SignInRefusedError):
        new_clinic().sign_in(card.id, PASSPHRASE)
    clock.advance(seconds=2)
    new_clinic().sign_in(card.id, PASSPHRASE).close()


def test_a_refusal_takes_at_least_a_quarter_of_a_second(tmp_path, shelf):
    clinic = Clinic(tmp_path, shelf)
    clinic.create(clinic_name="Posta", display_name="Ana", passphrase=PASSPHRASE)
    for person in (clinic.clinicians()[0].id, new_record_id()):
        started = time.perf_counter()
        with pytest.raises(SignInRefusedError):
            clinic.sign_in(person, "vicuña del altiplano")
        assert time.perf_counter() - started >= 0.25


def test_refusals_are_in_the_audit_chain_once_somebody_gets_in(clinic, entries):
    (card,) = clinic.clinicians()
    for _ in range(2):
        with pytest.raises(SignInRefusedError):
            clinic.sign_in(card.id, "vicuña del altiplano")
    for _ in range(2):
        session = clinic.sign_in(card.id, PASSPHRASE)
        chain = entries(session)
        session.close()
    assert [entry.action for entry in chain] == [
        AuditAction.CLINIC_CREATED,
        AuditAction.SIGN_IN_REFUSED,
        AuditAction.SIGN_IN_REFUSED,
        AuditAction.SIGN_IN,
        AuditAction.SIGN_OUT,
        AuditAction.SIGN_IN,
    ]
    assert chain[1].subject == card.id


def test_the_role_that_counts_is_the_one_inside_the_encrypted_store(clinic, tmp_path):
    slots = tmp_path / "store" / "keys.json"
    slots.write_text(slots.read_text().replace("MedicoAdmin", "MLOpsEngineer"))
    (card,) = clinic.clinicians()
    session = clinic.sign_in(card.id, PASSPHRASE)
    assert session.clinician.role is Role.MEDICO_ADMIN
    session.close()


def test_a_closed_session_does_nothing_more_and_closing_twice_is_harmless(session):
    session.close()
    session.close()
    with pytest.raises(StoreClosedError):
        session.patients.search()


def test_a_damaged_database_says_so_keeps_every_byte_and_is_set_aside_on_request(clinic, tmp_path):
    (card,) = clinic.clinicians()
    database = tmp_path / "store" / "clinic.db"
    damaged = bytearray(database.read_bytes())
    damaged[5000] ^= 1
    database.write_bytes(damaged)
    with pytest.raises(StoreCorruptError) as corrupt:
        clinic.sign_in(card.id, PASSPHRASE)
    assert corrupt.value.quarantined_at is None
    assert "restore a backup" in str(corrupt.value)
    assert database.read_bytes() == damaged
    aside = clinic.quarantine()
    assert (aside / "clinic.db").read_bytes() == damaged
    assert not clinic.is_set_up()


def test_a_forgotten_passphrase_is_replaced_with_the_printed_key(clinic):
    (card,) = clinic.clinicians()
    clinic.reset_passphrase(clinic.recovery_key, card.id, "cóndor de los Andes")
    clinic.sign_in(card.id, "cóndor de los Andes").close()
    with pytest.raises(SignInRefusedError):
        clinic.sign_in(card.id, PASSPHRASE)
    with pytest.raises(RecoveryRefusedError):
        clinic.reset_passphrase("AAAA-" * 7 + "AAAA", card.id, "otra frase de paso")


def test_a_bundle_that_could_not_serve_is_audited_at_sign_in(clinic, shelf, entries):
    shelf.refused = ("bundle.tampered",)
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    last = entries(session)[-1]
    session.close()
    assert (last.action, last.subject) == (AuditAction.BUNDLE_REFUSED, "bundle.tampered")
