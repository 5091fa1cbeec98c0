"""Speed of the encrypted store beside plain SQLite, and over 50,000 visits."""

import inspect
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import QueuePool

from benchmarks.store_faults import CHEAP, PASSPHRASE, TinyShelf
from ddx.domain.canonical import canonical_json
from ddx.domain.case import Sex
from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId, new_record_id
from ddx.domain.wire import explanation_to_json
from ddx.engine import Engine
from ddx.intake.draft import Draft, DraftFinding
from desktop.services import visits
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.services.session import Session
from desktop.store.engine import CACHE_KIB
from desktop.store.keystore import NoKeystore
from desktop.store.repositories.device import DeviceRepository
from desktop.store.schema import upgrade
from desktop.store.store import ClinicStore
from model_bundles.embedded import open_embedded_bundle

COMMITS: Final = 300
VISITS: Final = 50_000
PATIENTS: Final = 12_000
ROUNDS: Final = 40
OPENINGS: Final = 5
BLOCK: Final = 2000
ACTS: Final = 4  # audit entries of a visit: patient viewed, diagnosed, explained, decided
FEATURES, CONTRIBUTIONS, PAYLOAD = 4380, 11_081, 1916
"""Characters that one visit of six findings kept with the shipped bundle (2026-11-26)."""
VISIT: Final = ("HP:0001945", "HP:0012735", "HP:0002315", "HP:0003326", "HP:0002017", "HP:0000988")
"""Fever, cough, headache, myalgia, nausea and vomiting, rash."""
GIVEN: Final = tuple(
    "María José Juan Rosa Luz Ana Pedro Luis Carmen Julia Zenobia Mateo Lucía Elena Jorge".split()  # noqa: SIM905 -- read as names
)
FAMILY: Final = tuple(
    "Quispe Mamani Huamán Flores Rojas García Sánchez Díaz Torres Núñez Peña Choque Vargas".split()  # noqa: SIM905 -- read as names
)
CODES: Final = tuple(f"HP:{number:07d}" for number in range(1000, 1400))
DISEASES: Final = ("VD:influenza", "OMIM:154700", "VD:guillain-barre-syndrome", "VD:dengue")


class _Known:
    """The engine of the shipped bundle, answering from memory what it was asked before.

    What is timed is the store, with records as large as the real ones.
    """

    def __init__(self) -> None:
        self._engine, self._answers = Engine.from_artifacts(open_embedded_bundle()), {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if not inspect.ismethod(found):
            return found

        def asked(*given: Any, **named: Any) -> Any:
            key = (name, repr(given), repr(named))
            if key not in self._answers:
                self._answers[key] = found(*given, **named)
            return self._answers[key]

        return asked


class _NoKey:
    """Signs nothing, in no time."""

    def sign(self, _statement: bytes) -> bytes:
        return bytes(64)


@contextmanager
def _as_before_the_audit() -> Iterator[None]:
    """Neither sign entries nor keep contributions."""
    with (
        patch.object(DeviceRepository, "signing_key", lambda _self: _NoKey()),
        patch.object(visits, "EXPLAINED", 0),
    ):
        yield


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


def commits(folder: Path, count: int = COMMITS) -> tuple[NDArray[Any], ...]:
    """Return milliseconds of `count` visits on SQLCipher, plain SQLite, and bare SQLite, in turns.

    One visit: diagnosis, audit entry, outbox event, draft gone, patient seen; one transaction.
    Bare: plain, and without signatures and contributions.
    """
    shelf = TinyShelf(engine=_Known())  # type: ignore[arg-type]
    clinic = Clinic(folder / "ours", shelf, cost=CHEAP, keystore=NoKeystore())
    clinic.create(clinic_name="Banco", display_name="Banco", passphrase=PASSPHRASE)
    ours = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    plain, bare = _on_plain(ours, folder / "plain.db"), _on_plain(ours, folder / "bare.db")
    sessions, times = (ours, plain, bare), ([], [], [])
    people = [_patient(session) for session in sessions]
    for session, person in zip(sessions, people, strict=True):
        _visit_ms(session, person)  # the engine answers from memory from here on
    for _ in range(count):
        for session, person, spent in zip(sessions, people, times, strict=True):
            with _as_before_the_audit() if session is bare else nullcontext():
                spent.append(_visit_ms(session, person))
    ours.close()
    plain._desk.store.close()  # noqa: SLF001
    bare._desk.store.close()  # noqa: SLF001
    return tuple(np.array(spent) for spent in times)


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
    findings = tuple(DraftFinding(id=code, presence=Presence.PRESENT) for code in VISIT)
    session.visits.save_draft(draft.id, Draft(age_text="30", sex=Sex.FEMALE, findings=findings))
    started = time.perf_counter()
    session.visits.diagnose(draft.id)
    return (time.perf_counter() - started) * 1000


def fill(session: Session, visits: int = VISITS, patients: int = PATIENTS, seed: int = 7) -> None:
    """Put many patients and visits in the store, by the thousand, with the usual triggers.

    Each visit as large as a real one, with its audit entries and the records that left. The
    signatures and hashes of those entries are filler: the chain is as long as in life and does not
    verify.
    """
    dice, now = random.Random(seed), datetime.now(UTC)
    who = session.clinician.id
    people = [new_record_id() for _ in range(patients)]
    with session._desk.store._writers.begin() as connection:  # noqa: SLF001
        connection.execute(text(_PATIENT), [_person(dice, person, now) for person in people])
        for start in range(0, visits, BLOCK):
            numbers = range(start, min(visits, start + BLOCK))
            connection.execute(text(_DIAGNOSIS), [_visit(dice, people, who, now) for _ in numbers])
            acts = [n for number in numbers for n in range(number * ACTS, number * ACTS + ACTS)]
            connection.execute(text(_ENTRY), [_entry(dice, 1001 + n, who, now) for n in acts])
            sent = [2 * n + half for n in numbers for half in (1, 2)]
            connection.execute(text(_EVENT), [_event(dice, n, now) for n in sent])
        connection.execute(
            text("UPDATE device SET audit_shipped = :last, outbox_sequence = :sent"),
            {"last": 1000 + visits * ACTS, "sent": 2 * visits},
        )


_PATIENT: Final = (
    "INSERT INTO patient VALUES (:id, :given, :family, :search, 'female', '1990-05-01', "
    ":document, :pseudonym, :at, :at)"
)
_DIAGNOSIS: Final = (
    "INSERT INTO diagnosis VALUES (:id, :patient, :who, :at, :case, :differential, :digest, "
    ":digest, '2026.11.4', :digest, :code, :features, :contributions, '')"
)
_ENTRY: Final = (
    "INSERT INTO audit_entry VALUES (1, :sequence, :id, :at, :who, 'patient_viewed', :digest, "
    ":detail, :digest, :digest, :signature)"
)
_EVENT: Final = (
    "INSERT INTO outbox_event VALUES (1, :sequence, :id, 'diagnosis', :at, :payload, :digest, "
    "'acknowledged', :sequence, NULL)"
)


def _entry(dice: random.Random, sequence: int, who: str, now: datetime) -> dict[str, object]:
    return {
        "sequence": sequence,
        "id": new_record_id(),
        "at": now.isoformat(timespec="microseconds"),
        "who": who,
        "digest": dice.randbytes(32).hex(),
        "detail": canonical_json({"receipt": dice.randbytes(32).hex()}).decode(),
        "signature": dice.randbytes(64).hex(),
    }


def _event(dice: random.Random, sequence: int, now: datetime) -> dict[str, object]:
    return {
        "sequence": sequence,
        "id": new_record_id(),
        "at": now.isoformat(timespec="microseconds"),
        "payload": canonical_json({"filler": dice.randbytes(PAYLOAD // 2).hex()}).decode(),
        "digest": dice.randbytes(32).hex(),
    }


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


@cache
def _contributions() -> str:
    """Return three explanations as they are kept, of about CONTRIBUTIONS characters."""
    reason = Contribution(
        subject=FindingId(CODES[0]), presence=Presence.PRESENT, weight=1.2345, frequency=0.5
    )

    def kept(reasons: int) -> str:
        explanation = Explanation(
            disease=DiseaseId(DISEASES[0]),
            world=World.COMMON,
            base=0.0,
            margin=1.0,
            contributions=(reason,) * reasons,
            expected=(),
        )
        return canonical_json([explanation_to_json(explanation)] * 3).decode()

    return next(text for n in range(1, 1000) if len(text := kept(n)) >= CONTRIBUTIONS)


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
        "features": dice.randbytes(FEATURES // 2).hex(),
        "contributions": _contributions(),
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


def erasures(session: Session, count: int = 3) -> NDArray[Any]:
    """Return milliseconds of erasing one patient, for a few."""
    spent = []
    for person in session.patients.search("")[:count]:
        started = time.perf_counter()
        session.privacy.erase(person.id)
        spent.append((time.perf_counter() - started) * 1000)
    return np.array(spent)


def openings(clinic: Clinic, rounds: int = OPENINGS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return milliseconds from a passphrase to an open session, and of the key alone, in turns.

    At the real cost of a key, which is the larger part and grows with the load of the machine.
    """
    who, spent, derived = clinic.clinicians()[0].id, [], []
    for _ in range(rounds):
        started = time.perf_counter()
        session = clinic.sign_in(who, PASSPHRASE)
        spent.append((time.perf_counter() - started) * 1000)
        session.close()
        derived.extend(_timed(lambda: clinic._vault.proves(who, PASSPHRASE), 1))  # noqa: SLF001
    return np.array(spent), np.array(derived)


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
