"""Visits, searches and the upkeep of the day at once: each ends as it does alone."""

from datetime import date, timedelta
from threading import Event, Thread

import pytest
from support.tiny_engine import TinyShelf

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.intake.draft import Draft, DraftFinding
from desktop.services import keeping
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.store.keys import Argon2Cost

CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
PASSPHRASE = "llama del altiplano"
VISITS = 40
FLU = Draft(
    age_text="36",
    sex=Sex.FEMALE,
    findings=(
        DraftFinding(id="HP:0001945", presence=Presence.PRESENT),
        DraftFinding(id="HP:0012735", presence=Presence.PRESENT),
    ),
)


@pytest.fixture
def session(tmp_path):
    clinic = Clinic(tmp_path, TinyShelf(), sleep=lambda _: None, cost=CHEAP)
    clinic.create(clinic_name="Posta Cusco", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    yield session
    session.close()


def beside(errors, over, work):
    """Do `work` again and again in a thread until `over`; keep what it raises."""

    def go_on():
        while not over.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 -- told by the test, whatever it is
                errors.append(error)

    thread = Thread(target=go_on)
    thread.start()
    return thread


def visit(session, number):
    new = NewPatient(
        given_name=f"Rosa {number}",
        family_name="Quispe",
        sex=Sex.FEMALE,
        birth_date=date(1990, 5, 1),
        national_id=f"{number:08d}",
    )
    patient = session.patients.create(new)
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, FLU)
    made = session.visits.diagnose(draft.id)
    session.visits.account(made.id, made.differential.candidates[0].disease)
    return patient


def test_visits_go_on_while_the_day_is_kept_and_somebody_searches(session, monkeypatch):
    monkeypatch.setattr(keeping, "BACKUP_EVERY", timedelta(0))
    monkeypatch.setattr(keeping, "CHECK_EVERY", timedelta(0))
    errors, over = [], Event()
    threads = [
        beside(errors, over, work)
        for work in (session.keeping.upkeep, lambda: session.patients.search("quispe tos"))
    ]
    try:
        patients = [visit(session, number) for number in range(VISITS)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert all(len(session.visits.history(patient.id)) == 1 for patient in patients)
    session.keeping.check()
