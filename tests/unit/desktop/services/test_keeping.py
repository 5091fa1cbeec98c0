"""Who may sign in, backups, restores and the recovery key, as use cases of a clinic."""

from datetime import timedelta
from itertools import pairwise
from threading import Event, Thread

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.course import Course, StoppedError
from ddx.domain.roles import PermissionDeniedError, Role
from desktop.services.clinic import Clinic
from desktop.services.errors import (
    ClinicDetailsError,
    LastAdminError,
    RecoveryRefusedError,
    SignInRefusedError,
)
from desktop.services.keeping import KeepingService
from desktop.services.records import ClinicianCard
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.store.errors import StoreCorruptError, WeakPassphraseError
from desktop.store.keys import Argon2Cost
from desktop.store.recovery import RecoveryTypingError
from desktop.store.store import ClinicStore

PASSPHRASE = "llama del altiplano"
NEW = "quinua y cañihua"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
REFUSED = AuditAction.SIGN_IN_REFUSED


@pytest.fixture
def luz(session):
    return session.staff.add(PASSPHRASE, "Luz Cárdenas", Role.MEDICO_GENERAL, NEW)


def told(entries, session):
    return [e.subject for e in entries(session) if e.action is AuditAction.SETTING_CHANGED]


def test_a_manager_adds_a_clinician_who_signs_in_with_a_role_from_the_store(
    clinic, session, luz, entries
):
    theirs = clinic.sign_in(luz.id, NEW)
    assert theirs.clinician == ClinicianCard(
        id=luz.id, display_name="Luz Cárdenas", role=Role.MEDICO_GENERAL
    )
    assert not theirs.manages
    theirs.close()
    assert told(entries, session) == ["clinician.added"]
    assert [(m.display_name, m.has_key, m.is_self) for m in session.staff.members()] == [
        ("Ana Ruiz", True, True),
        ("Luz Cárdenas", True, False),
    ]


def test_nobody_is_added_without_the_managers_own_passphrase(clinic, session):
    with pytest.raises(SignInRefusedError):
        session.staff.add("no es esta frase", "Luz", Role.MEDICO_GENERAL, NEW)
    with pytest.raises(WeakPassphraseError):
        session.staff.add(PASSPHRASE, "Luz", Role.MEDICO_GENERAL, "corta")
    with pytest.raises(ClinicDetailsError):
        session.staff.add(PASSPHRASE, " ", Role.MEDICO_GENERAL, NEW)
    assert len(session.staff.members()) == len(clinic.clinicians()) == 1


def test_guessing_the_managers_passphrase_meets_the_same_back_off(session):
    for _ in range(4):
        with pytest.raises(SignInRefusedError) as refused:
            session.staff.add("no es esta frase", "Luz", Role.MEDICO_GENERAL, NEW)
    assert refused.value.retry_after_s > 0
    with pytest.raises(SignInRefusedError):
        session.staff.add(PASSPHRASE, "Luz", Role.MEDICO_GENERAL, NEW)


def test_a_removed_clinician_is_out_and_their_records_stay(clinic, session, luz):
    session.staff.remove(PASSPHRASE, luz.id)
    with pytest.raises(SignInRefusedError):
        clinic.sign_in(luz.id, NEW)
    assert [m.display_name for m in session.staff.members()] == ["Ana Ruiz"]
    with pytest.raises(LastAdminError):
        session.staff.remove(PASSPHRASE, session.clinician.id)


def test_a_kept_copy_of_the_slots_does_not_let_a_removed_clinician_in(
    clinic, session, luz, tmp_path
):
    slots = tmp_path / "store" / "keys.json"
    kept = slots.read_bytes()
    session.staff.remove(PASSPHRASE, luz.id)
    slots.write_bytes(kept)
    with pytest.raises(SignInRefusedError):
        clinic.sign_in(luz.id, NEW)


def test_a_manager_gives_a_new_passphrase_and_the_old_one_ends(clinic, session, luz):
    session.staff.reset(PASSPHRASE, luz.id, "otra frase de paso")
    with pytest.raises(SignInRefusedError):
        clinic.sign_in(luz.id, NEW)
    clinic.sign_in(luz.id, "otra frase de paso").close()


def test_the_recovery_key_signs_in_and_the_chain_tells_of_it(clinic, session, entries):
    session.close()
    again = clinic.recover(clinic.recovery_key, clinic.clinicians()[0].id, NEW)
    assert told(entries, again) == ["clinician.recovered"]
    again.close()


def test_a_passphrase_reset_is_written_down_though_nobody_signs_in_after_it(
    clinic, session, entries
):
    me = session.clinician.id
    session.close()
    clinic.reset_passphrase(clinic.recovery_key, me, NEW)
    with pytest.raises(RecoveryRefusedError):
        clinic.reset_passphrase("AAAA-" * 7 + "AAAA", me, NEW)
    with pytest.raises(WeakPassphraseError):
        clinic.reset_passphrase(clinic.recovery_key, me, "corta")
    again = clinic.sign_in(me, NEW)
    last = entries(again)[-1]
    assert told(entries, again) == ["clinician.recovered"]
    assert [e.action for e in entries(again)[-4:-1]] == ["sign_out", "setting_changed", REFUSED]
    assert (last.action, last.actor) == ("sign_in", me)
    again.close()


def test_a_mistyped_recovery_key_says_where_and_counts_as_no_try(clinic):
    person = clinic.clinicians()[0].id
    wrong = ("B" if clinic.recovery_key[0] == "A" else "A") + clinic.recovery_key[1:]
    for _ in range(10):
        with pytest.raises(RecoveryTypingError) as mistyped:
            clinic.recover(wrong, person, NEW)
    assert mistyped.value.groups == (1,)
    clinic.recover(clinic.recovery_key, person, NEW).close()


def test_another_clinics_recovery_key_meets_back_off(clinic):
    for _ in range(4):
        with pytest.raises(RecoveryRefusedError) as refused:
            clinic.recover("AAAA-" * 7 + "AAAA", clinic.clinicians()[0].id, NEW)
    assert refused.value.retry_after_s > 0


def test_a_restored_backup_is_a_new_epoch_with_its_first_entry(
    clinic, session, entries, zenobia, events
):
    session.patients.create(zenobia)
    made = session.keeping.back_up()
    session.close()
    report = clinic.restore(made.folder, PASSPHRASE)
    assert report.epoch == 2
    again = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    opened = next(iter(entries(again)))
    assert (opened.action, opened.detail["reason"]) == ("epoch_opened", "restored_backup")
    assert opened.detail["previous_epoch"] == 1
    assert [p.given_name for p in again.patients.search()] == ["Zenobia"]
    again.close()


def test_the_last_entries_of_a_restored_backup_leave_as_well(
    clinic, session, entries, diagnosed, events
):
    session.visits.history(diagnosed.patient_id)  # an entry that no event carries yet
    made = session.keeping.back_up()
    held = [e.hash for e in entries(session)][:-1]  # without the backup's own, written after it
    session.close()
    clinic.restore(made.folder, PASSPHRASE)
    again = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    waiting = events(again)
    left = [e["hash"] for ev in waiting if ev.kind == "audit" for e in ev.payload["entries"]]
    again.close()
    assert left == held
    assert {event.epoch for event in waiting} == {2}


def test_restoring_with_wrong_secrets_meets_back_off_and_changes_nothing(clinic, session, entries):
    made = session.keeping.back_up()
    for _ in range(4):
        with pytest.raises(SignInRefusedError) as refused:
            clinic.restore(made.folder, "no es esta frase")
    assert refused.value.retry_after_s > 0
    assert session.staff.members()
    me = session.clinician.id
    for _ in range(2):  # the second sign-in does not tell of them again
        session.close()
        session = clinic.sign_in(me, PASSPHRASE)
    refusals = [e for e in entries(session) if e.action is REFUSED]
    assert [e.subject for e in refusals] == ["restore"] * 4
    session.close()


def test_every_act_of_a_manager_is_an_entry(clinic, session, luz, entries):
    session.staff.reset(PASSPHRASE, luz.id, "otra frase de paso")
    made = session.keeping.back_up()
    session.staff.remove(PASSPHRASE, luz.id)
    acts = [(e.action.value, e.subject, dict(e.detail)) for e in entries(session)[-4:]]
    assert acts == [
        ("setting_changed", "clinician.added", {"clinician": luz.id}),
        ("setting_changed", "clinician.passphrase", {"clinician": luz.id}),
        ("exported", "store.backup", {"bytes": made.size}),
        ("setting_changed", "clinician.removed", {"clinician": luz.id}),
    ]


def test_a_damaged_store_is_replaced_by_its_backup(clinic, session, zenobia, tmp_path):
    session.patients.create(zenobia)
    made = session.keeping.back_up()
    session.close()
    database = tmp_path / "store" / "clinic.db"
    database.write_bytes(bytes(len(database.read_bytes())))
    person = clinic.clinicians()[0].id
    with pytest.raises(StoreCorruptError):
        clinic.sign_in(person, PASSPHRASE)
    report = clinic.restore(made.folder, clinic.recovery_key)
    assert (report.aside / "clinic.db").read_bytes() == bytes(len(database.read_bytes()))
    again = clinic.sign_in(person, PASSPHRASE)
    assert len(again.patients.search()) == 1
    again.close()


def test_a_new_data_key_keeps_the_records_and_asks_for_new_passphrases(
    clinic, session, luz, zenobia, entries
):
    session.patients.create(zenobia)
    me = session.clinician.id
    session.close()
    new_key = clinic.change_data_key(me, PASSPHRASE)
    with pytest.raises(SignInRefusedError):
        clinic.sign_in(luz.id, NEW)
    again = clinic.sign_in(me, PASSPHRASE)
    assert len(again.patients.search()) == 1
    assert told(entries, again) == ["clinician.added", "store.data_key"]
    assert [m.has_key for m in again.staff.members()] == [True, False]
    again.staff.reset(PASSPHRASE, luz.id, NEW)
    again.close()
    clinic.sign_in(luz.id, NEW).close()
    clinic.recover(new_key, me, "cóndor de los Andes").close()


def test_upkeep_backs_up_once_a_day_and_checks_once_a_week(session, clock, monkeypatch):
    checks = []
    monkeypatch.setattr(
        session._desk.store, "check", lambda _course: checks.append(session._desk.now())
    )
    for _hours in range(0, 24 * 9, 6):
        session.keeping.upkeep()
        clock.advance(hours=6)
    assert len(session.keeping.backups()) == 7  # nine were made, seven are kept
    assert [b - a for a, b in pairwise(checks)] == [timedelta(days=7)]


def test_a_backup_of_another_clinic_in_the_same_folder_is_not_the_backup_of_today(
    tmp_path, shelf, clock
):
    """`BackupFolder` is a policy of the machine, or of a hundred: clinics share it."""
    shared = Settings(backup_folder=str(tmp_path / "shared"), backups_kept=2)

    def open_clinic(name):
        made = Clinic(tmp_path / name, shelf, settings=shared, now=clock, cost=CHEAP)
        made.create(clinic_name=name, display_name="Ana Ruiz", passphrase=PASSPHRASE)
        return made, made.sign_in(made.clinicians()[0].id, PASSPHRASE)

    (here, mine), (_, other) = open_clinic("Posta Uno"), open_clinic("Posta Dos")
    for _day in range(4):
        other.keeping.upkeep()
        clock.advance(hours=1)
        mine.keeping.upkeep()
        clock.advance(hours=23)
    assert [len(s.keeping.backups()) for s in (mine, other)] == [2, 2]
    assert {b.clinic for b in mine.keeping.backups()} == {"Posta Uno"}
    assert [b.clinic for b in here.backups()] == ["Posta Uno", "Posta Dos"] * 2
    mine.close()
    other.close()


def test_a_backup_from_a_clock_that_was_ahead_does_not_keep_the_next_ones_away(
    session, clock, monkeypatch
):
    checks = []
    monkeypatch.setattr(session._desk.store, "check", lambda _course: checks.append(clock()))
    clock.advance(days=400)
    session.keeping.upkeep()
    clock.advance(days=-400)
    for _hours in range(0, 24, 6):
        session.keeping.upkeep()
        clock.advance(hours=6)
    assert len(session.keeping.backups()) == 2  # of then and of today
    assert len(checks) == 2


@pytest.mark.parametrize("act", ["members", "back_up", "check"])
def test_only_a_manager_manages(session, act, tmp_path):
    from dataclasses import replace

    card = replace(session.clinician, role=Role.MEDICO_GENERAL)
    desk = replace(session._desk, clinician=card)
    theirs = Session(
        desk,
        session.sync._settings,
        type(session.staff)(desk, session.staff._vault, session.staff._guard),
        KeepingService(desk, session.staff._vault, tmp_path, 1),
    )
    service = theirs.staff if act == "members" else theirs.keeping
    with pytest.raises(PermissionDeniedError):
        getattr(service, act)()


def test_a_weekly_check_is_an_entry(session, entries):
    session.keeping.upkeep()
    (checked,) = [e for e in entries(session) if e.action is AuditAction.STORE_CHECKED]
    assert checked.detail == {"sound": True}


def test_a_store_set_aside_is_an_entry_of_the_one_that_takes_its_place(
    clinic, session, entries, clock
):
    backup = session.keeping.back_up()
    session.close()
    clock.advance(hours=2)
    clinic.quarantine()
    clinic.restore(backup.folder, PASSPHRASE)
    for _ in range(2):  # told once, however often somebody signs in
        again = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
        told = [e for e in entries(again) if e.action is AuditAction.STORE_QUARANTINED]
        again.close()
        assert [e.detail for e in told] == [{"set_aside_at": clock().isoformat()}]


def test_a_store_set_aside_before_a_new_clinic_is_told_there(clinic, session, clock):
    session.close()
    clinic.quarantine()
    clinic.create(clinic_name="Posta", display_name="Luz", passphrase=NEW)
    fresh = clinic.sign_in(clinic.clinicians()[0].id, NEW)
    with fresh._desk.store.read() as unit:
        actions = [e.action for e in unit.audit.after(0)]
    fresh.close()
    assert actions.count(AuditAction.STORE_QUARANTINED) == 1


def test_a_backup_asked_for_during_another_waits_for_it_or_is_given_up(session, clock, monkeypatch):
    """Each sweeps away what an earlier one left unfinished: that of the day, begun by itself."""
    copying, go_on, made, unwanted = Event(), Event(), [], Course()
    copy = ClinicStore.copy_to

    def slow(store, target, course):
        copying.set()
        assert go_on.wait(60)
        copy(store, target, course)

    monkeypatch.setattr(ClinicStore, "copy_to", slow)
    first = Thread(target=lambda: made.append(session.keeping.back_up()))
    first.start()
    assert copying.wait(60)
    unwanted.stop()
    with pytest.raises(StoppedError):
        session.keeping.back_up(unwanted)
    clock.advance(minutes=1)
    second = Thread(target=lambda: made.append(session.keeping.back_up()))
    second.start()
    go_on.set()
    for thread in (first, second):
        thread.join()
    assert {card.folder for card in made} == {card.folder for card in session.keeping.backups()}
    assert len(made) == 2
