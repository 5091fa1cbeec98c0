"""A clinic on tmp_path with cheap keys, a clock that stands still, and a small real engine."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from support.tiny_engine import TinyShelf

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.store.keys import Argon2Cost

PASSPHRASE = "llama del altiplano"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


@dataclass
class Clock:
    """Stands still until told."""

    moment: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.moment

    def advance(self, **by):
        self.moment += timedelta(**by)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shelf():
    return TinyShelf()


@pytest.fixture
def new_clinic(tmp_path, shelf, clock):
    return lambda: Clinic(tmp_path, shelf, now=clock, sleep=lambda _: None, cost=CHEAP)


@pytest.fixture
def clinic(new_clinic):
    clinic = new_clinic()
    clinic.recovery_key = clinic.create(
        clinic_name="Posta Cusco", display_name="Ana Ruiz", passphrase=PASSPHRASE
    )
    return clinic


@pytest.fixture
def session(clinic):
    (card,) = clinic.clinicians()
    session = clinic.sign_in(card.id, PASSPHRASE)
    yield session
    session.close()


@pytest.fixture
def zenobia():
    return NewPatient(
        given_name="Zenobia",
        family_name="Quispe Mamani",
        sex=Sex.FEMALE,
        birth_date=date(1990, 5, 1),
        national_id="45678912",
    )


@pytest.fixture
def patient(session, zenobia):
    return session.patients.create(zenobia)


@pytest.fixture
def flu():
    """A draft with fever and cough."""
    return Draft(
        age_text="36",
        sex=Sex.FEMALE,
        findings=(
            DraftFinding(id="HP:0001945", presence=Presence.PRESENT),
            DraftFinding(id="HP:0012735", presence=Presence.PRESENT),
            DraftFinding(id="HP:0001166", presence=Presence.EXCLUDED),
        ),
    )


@pytest.fixture
def ready(session, patient, flu):
    """A saved draft that can be diagnosed."""
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, flu)
    return draft


@pytest.fixture
def diagnosed(session, ready):
    return session.visits.diagnose(ready.id)


@pytest.fixture
def entries():
    """The audit entries of a session, past the permission check."""

    def read(session):
        with session._desk.store.read() as unit:
            assert unit.audit.verify() == len(unit.audit.after(0))
            return unit.audit.after(0)

    return read


@pytest.fixture
def events():
    """Everything in the outbox of a session."""

    def read(session):
        with session._desk.store.read() as unit:
            return unit.outbox.pending(10_000)

    return read


@pytest.fixture
def everything(session, entries, events):
    """All that a session left behind so far."""
    session.patients.search()  # the first list of a session is an entry

    return lambda: (entries(session), events(session), session.patients.search())
