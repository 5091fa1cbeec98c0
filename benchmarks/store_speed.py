"""Speed of the encrypted store beside plain SQLite, and over 50,000 visits."""

import random
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import QueuePool

from benchmarks.store_faults import CHEAP, PASSPHRASE, TinyShelf
from ddx.domain.canonical import canonical_json
from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, new_record_id
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.services.session import Session
from desktop.store.engine import CACHE_KIB
from desktop.store.keystore import NoKeystore
from desktop.store.schema import upgrade
from desktop.store.store import ClinicStore

COMMITS: Final = 300
VISITS: Final = 50_000
PATIENTS: Final = 12_000
ROUNDS: Final = 40
OPENINGS: Final = 5
GIVEN: Final = tuple(
    "María José Juan Rosa Luz Ana Pedro Luis Carmen Julia Zenobia Mateo Lucía Elena Jorge".split()  # noqa: SIM905 -- read as names
)
FAMILY: Final = tuple(
    "Quispe Mamani Huamán Flores Rojas García Sánchez Díaz Torres Núñez Peña Choque Vargas".split()  # noqa: SIM905 -- read as names
)
CODES: Final = tuple(f"HP:{number:07d}" for number in range(1000, 1400))
DISEASES: Final = ("VD:influenza", "OMIM:154700", "VD:guillain-barre-syndrome", "VD:dengue")


class _OpenShelf(TinyShelf):
    """The small engine; what is timed here is the store."""


def plain_store(path: Path) -> ClinicStore:
    """Return the same store on plain SQLite: same schema, statements, pragmas; no key."""
    engine = create_engine(
        f"sqlite:///{path}",
        module=sqlite3,
        poolclass=QueuePool,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            f"cache_size = -{CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("vereda_begin", "BEGIN"))
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")

    upgrade(engine)
    return ClinicStore(engine, path)


def commits(folder: Path, count: int = COMMITS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return milliseconds of `count` visits committed on SQLCipher and on plain SQLite, in turns.

    One visit: diagnosis, audit entry, outbox event, draft gone, patient seen; one transaction.
    """
    clinic = Clinic(folder / "ours", TinyShelf(), cost=CHEAP, keystore=NoKeystore())
    clinic.create(clinic_name="Banco", display_name="Banco", passphrase=PASSPHRASE)
    ours = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    theirs = _on_plain(ours, folder / "plain.db")
    times: tuple[list[float], list[float]] = ([], [])
    people = [_patient(session) for session in (ours, theirs)]
    for _ in range(count):
        for session, person, spent in zip((ours, theirs), people, times, strict=True):
            spent.append(_visit_ms(session, person))
    ours.close()
    theirs._desk.store.close()  # noqa: SLF001
    return np.array(times[0]), np.array(times[1])


def _on_plain(session: Session, path: Path) -> Session:
    """Return the same services on plain SQLite, with the same clinic in it."""
    from dataclasses import replace  # noqa: PLC0415

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    from desktop.store.records import ClinicianRecord  # noqa: PLC0415

    plain, now = plain_store(path), datetime.now(UTC)
    with session._desk.store.read() as unit:  # noqa: SLF001
        clinic = unit.clinic.get()
    with plain.write() as unit:
        unit.clinic.found(clinic)
        who = session.clinician
        unit.clinic.add_clinician(
            ClinicianRecord(id=who.id, display_name=who.display_name, role=who.role), now
        )
        unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), now)
    desk = replace(session._desk, store=plain)  # noqa: SLF001
    return Session(desk, session.sync._settings)  # noqa: SLF001


def _patient(session: Session) -> Any:
    return session.patients.create(
        NewPatient(
            given_name="Rosa", family_name="Ríos", sex=Sex.FEMALE, birth_date=date(1990, 5, 1)
        )
    )


def _visit_ms(session: Session, patient: Any) -> float:
    draft = session.visits.open_draft(patient.id)
    fever = DraftFinding(id="HP:0001945", presence=Presence.PRESENT)
    session.visits.save_draft(draft.id, Draft(age_text="30", sex=Sex.FEMALE, findings=(fever,)))
    started = time.perf_counter()
    session.visits.diagnose(draft.id)
    return (time.perf_counter() - started) * 1000


def fill(session: Session, visits: int = VISITS, patients: int = PATIENTS, seed: int = 7) -> None:
    """Put many patients and visits in the store, by the thousand, with the usual triggers."""
    dice, now = random.Random(seed), datetime.now(UTC)
    who = session.clinician.id
    people = [new_record_id() for _ in range(patients)]
    with session._desk.store._writers.begin() as connection:  # noqa: SLF001
        connection.execute(text(_PATIENT), [_person(dice, person, now) for person in people])
        for start in range(0, visits, 5000):
            rows = [_visit(dice, people, who, now) for _ in range(start, min(visits, start + 5000))]
            connection.execute(text(_DIAGNOSIS), rows)


_PATIENT: Final = (
    "INSERT INTO patient VALUES (:id, :given, :family, :search, 'female', '1990-05-01', "
    ":document, :pseudonym, :at, :at)"
)
_DIAGNOSIS: Final = (
    "INSERT INTO diagnosis VALUES (:id, :patient, :who, :at, :case, :differential, :digest, "
    ":digest, '2026.11.4', :digest, :code)"
)


def _person(dice: random.Random, id: str, now: datetime) -> dict[str, object]:
    from desktop.store.names import folded  # noqa: PLC0415

    given, family = dice.choice(GIVEN), " ".join(dice.sample(FAMILY, 2))
    at = now - timedelta(minutes=dice.randrange(2_000_000))
    return {
        "id": id,
        "given": given,
        "family": family,
        "search": folded(f"{given} {family}"),
        "document": f"{dice.randrange(10**8):08d}",
        "pseudonym": f"{dice.randrange(1 << 255):064x}",
        "at": at.isoformat(timespec="microseconds"),
    }


def _visit(dice: random.Random, people: list[Any], who: str, now: datetime) -> dict[str, object]:
    at = now - timedelta(minutes=dice.randrange(2_000_000))
    findings = [{"id": c, "presence": "present"} for c in dice.sample(CODES, 8)]
    candidates = [
        {
            "rank": n + 1,
            "disease": DiseaseId(d),
            "probability": 0.1,
            "band": "possible",
            "world": "common",
            "severity": 3,
        }
        for n, d in enumerate([*DISEASES] * 5)
    ]
    digest = f"{dice.randrange(1 << 255):064x}"
    return {
        "id": new_record_id(),
        "patient": dice.choice(people),
        "who": who,
        "at": at.isoformat(timespec="microseconds"),
        "case": canonical_json(
            {"age_days": 12000, "sex": "female", "findings": findings, "vitals": {}}
        ).decode(),
        "differential": canonical_json(
            {
                "candidates": candidates,
                "outside_probability": 0.1,
                "unused": [],
                "alerts": [],
                "bundle_version": "2026.11.4",
                "bundle_digest": digest,
            }
        ).decode(),
        "digest": digest,
        "code": "-".join((digest[:4], digest[4:8], digest[8:10])),
    }


def searches(session: Session, rounds: int = ROUNDS, seed: int = 9) -> dict[str, NDArray[Any]]:
    """Return milliseconds per kind of look-up, through the service the screen calls."""
    dice = random.Random(seed)
    with session._desk.store.read() as unit:  # noqa: SLF001
        codes = [
            row[0]
            for row in unit._session.execute(  # noqa: SLF001
                text("SELECT short_code FROM diagnosis ORDER BY id LIMIT 500")
            )
        ]
    asked = {
        "the list, nothing typed": lambda: "",
        "one letter": lambda: dice.choice("aeimqrz"),
        "two letters": lambda: dice.choice(("qu", "zz", "yu", "ma", "xq")),
        "a common name": lambda: dice.choice(FAMILY),
        "three words": lambda: f"{dice.choice(GIVEN)} {' '.join(dice.sample(FAMILY, 2))}",
        "a document": lambda: f"{dice.randrange(10**5):05d}",
        "a short code (visits)": lambda: dice.choice(codes),
        "a finding or disease (visits)": lambda: dice.choice(("fever", "cough", "influenza")),
        "nobody and nothing": lambda: f"zzyx{dice.randrange(1000)}",
    }
    session.patients.search("fever")  # names of the vocabulary are read once
    return {
        label: _timed(lambda t=typed: session.patients.search(t()), rounds)
        for label, typed in asked.items()
    }


def openings(clinic: Clinic, rounds: int = OPENINGS) -> NDArray[Any]:
    """Return milliseconds from a passphrase to an open session, at the real cost of a key."""
    who, spent = clinic.clinicians()[0].id, []
    for _ in range(rounds):
        started = time.perf_counter()
        session = clinic.sign_in(who, PASSPHRASE)
        spent.append((time.perf_counter() - started) * 1000)
        session.close()
    return np.array(spent)


def refusals(clinic: Clinic) -> NDArray[Any]:
    """Return milliseconds of three wrong passphrases (a fourth would have to wait)."""
    from desktop.services.errors import SignInRefusedError  # noqa: PLC0415

    who, spent = clinic.clinicians()[0].id, []
    for number in range(3):
        started = time.perf_counter()
        try:
            clinic.sign_in(who, f"no es esta frase {number}")
        except SignInRefusedError:
            spent.append((time.perf_counter() - started) * 1000)
    return np.array(spent)


def _timed(call: Any, rounds: int) -> NDArray[Any]:
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        spent.append((time.perf_counter() - started) * 1000)
    return np.array(spent)
