"""Invented patients go through the real services and onto the wire; nobody is named there.

`make test` sends 60; ten thousand by command:
    PYTHONPATH=.:tests python tests/faults/privacy/test_wire.py 10000
"""

import json
import random
import re
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from support.tiny_engine import TinyShelf

from ddx.domain.case import Sex
from ddx.domain.feedback import OverrideReason, Verb
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, finding_id, new_record_id
from ddx.intake.draft import AgeUnit, Draft, DraftFinding
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.store.keys import Argon2Cost
from desktop.store.outbox import StoreOutbox
from sync_service.client.identity import DeviceIdentity
from sync_service.client.runner import Runner, Versions
from sync_service.protocol.ages import coarse_age_days, coarse_onset_days
from sync_service.protocol.codes import RecordStatus
from sync_service.protocol.messages import BatchReceipt, RecordResult

PASSPHRASE = "llama del altiplano"
SYLLABLES = ("ña", "qui", "wa", "tzu", "rro", "xo", "lló", "ghe", "mí", "pux")
FINDINGS = ("HP:0001945", "HP:0012735", "HP:0001166")
WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


class Wire:
    """A transport that keeps every byte of every batch and stores everything."""

    clock_offset_s = 0.0

    def __init__(self):
        self.words, self.ages, self.onsets = set(), [], []
        self.events, self.server_sequence = 0, 0

    def push(self, batch):
        text = batch.wire_bytes().decode()
        self.words |= {word.casefold() for word in WORD.findall(text)}
        results = []
        for event in json.loads(text)["events"]:
            self.server_sequence += 1
            self.events += 1
            if "case" in event["payload"]:
                case = event["payload"]["case"]
                self.ages.append(case.get("age_days"))
                self.onsets += [f["onset_days"] for f in case["findings"] if "onset_days" in f]
            results.append(
                RecordResult(
                    id=event["id"],
                    status=RecordStatus.STORED,
                    server_sequence=self.server_sequence,
                )
            )
        return BatchReceipt(
            batch_id=batch.batch_id, results=tuple(results), server_time=datetime.now(UTC)
        )


def invented(dice):
    def name():
        return "".join(dice.choice(SYLLABLES) for _ in range(dice.randrange(4, 7))).capitalize()

    born = date(2026, 11, 20) - timedelta(days=dice.randrange(0, 105 * 365))
    return NewPatient(
        given_name=name(),
        family_name=f"{name()} {name()}",
        sex=dice.choice(list(Sex)),
        birth_date=born,
        national_id=f"Z{dice.randrange(10**8):08d}K",
    )


def identifiers(person, patient, note):
    """Every word that tells who somebody is."""
    names = (*person.given_name.split(), *person.family_name.split(), *note.split())
    words = {word.casefold() for word in names if len(word) > 5}
    return words | {
        person.national_id.casefold(),
        person.birth_date.isoformat(),
        person.birth_date.strftime("%d/%m/%Y"),
        patient.id,
    }


def visit(session, dice):
    """One visit with a decision that carries a note; return what must not leave."""
    person = invented(dice)
    patient = session.patients.create(person)
    opened = session.visits.open_draft(patient.id)
    age = (date(2026, 11, 25) - person.birth_date).days
    findings = tuple(
        DraftFinding(
            id=finding_id(term),
            presence=dice.choice((Presence.PRESENT, Presence.EXCLUDED)),
            onset_days=dice.choice((None, min(age, 3), dice.randint(0, age), age)),
        )
        for term in dice.sample(FINDINGS, 2)
    )
    draft = Draft(age_text=str(age), age_unit=AgeUnit.DAYS, sex=person.sex, findings=findings)
    session.visits.save_draft(opened.id, draft)
    made = session.visits.diagnose(opened.id)
    note = f"{person.given_name} vive tras la capilla, familia {person.family_name}"
    session.decisions.record(
        made.id, Verb.CUSTOM, DiseaseId("VD:influenza"), OverrideReason.OTHER, note
    )
    session.visits.history(patient.id)
    if dice.random() < 0.05:
        session.privacy.erase(patient.id)
    return identifiers(person, patient, note), age


def send(folder, count, seed=20261125):
    """Return the wire, what must not be on it, and the ages in days that went in."""
    clinic = Clinic(
        folder,
        TinyShelf(),
        sleep=lambda _: None,
        cost=Argon2Cost(iterations=1, lanes=1, memory_kib=8),
    )
    clinic.create(
        clinic_name="Postawarmikuna", display_name="Dra. Zuzunagaxo", passphrase=PASSPHRASE
    )
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    store = session._desk.store
    with store.read() as unit:
        device, key = unit.device.get(), unit.device.signing_key()
    identity, wire = DeviceIdentity.from_private_key(device.id, device.epoch, key), Wire()
    software = Versions(app="0.1.0", bundle="2026.11.1")
    runner = Runner(StoreOutbox(store), wire, identity, software=lambda: software)
    dice, secret, ages = random.Random(seed), {"postawarmikuna", "zuzunagaxo"}, []
    for number in range(1, count + 1):
        words, age = visit(session, dice)
        secret |= words
        ages.append(age)
        if number % 50 == 0 or number == count:
            runner.run_once()
    quarantined = session.sync.status().quarantined
    session.close()
    return wire, secret, ages, quarantined


def leaks(wire, secret):
    return wire.words & secret


def test_nobody_is_named_on_the_wire(tmp_path):
    wire, secret, _, quarantined = send(tmp_path, 60)
    assert quarantined == 0
    assert wire.events > 120
    assert len(secret) > 300
    assert leaks(wire, secret) == set()
    assert all(age == coarse_age_days(age) for age in wire.ages)
    assert len(wire.onsets) > 60
    assert all(onset == coarse_onset_days(onset) for onset in wire.onsets)
    oldest = coarse_age_days(90 * 366)
    assert all(age <= oldest for age in wire.ages)


def test_the_search_would_see_a_name_that_leaked():
    wire = Wire()
    wire.words |= {word.casefold() for word in WORD.findall('{"x":"Quiñaxoghe","d":"1990-05-01"}')}
    assert leaks(wire, {"quiñaxoghe"}) == {"quiñaxoghe"}
    assert leaks(wire, {"1990-05-01"}) == {"1990-05-01"}
    assert new_record_id() not in wire.words


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(count: int) -> int:
    """Send `count` invented patients; print what was found. 0 when nobody was named."""
    with tempfile.TemporaryDirectory() as folder:
        wire, secret, ages, quarantined = send(Path(folder), count)
    found = leaks(wire, secret)
    fine = [age for age in wire.ages if age != coarse_age_days(age)]
    told = [onset for onset in wire.onsets if onset != coarse_onset_days(onset)]
    say(f"{count} patients, {len(secret)} identifying words, {wire.events} events on the wire")
    say(f"{len(found)} identifiers on the wire, {len(fine)} ages finer than a year")
    say(f"{len(wire.onsets)} onsets on the wire, {len(told)} finer than the allow-list lets out")
    say(
        f"{quarantined} records kept back by the allow-list; {sum(a > 32872 for a in ages)} over 90"
    )
    return 1 if found or fine or told else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
