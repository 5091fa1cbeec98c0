"""`vereda support`: useful to a technician, and no patient of a real clinic inside."""

import json
import logging
import zipfile
from datetime import date

import pytest
from support.tiny_engine import TinyShelf

from ddx.domain.case import Sex
from ddx.domain.feedback import Verb
from ddx.domain.finding import Presence
from ddx.intake.draft import Draft, DraftFinding
from desktop.logs import keep_log
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.settings import LogLevel
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import NoKeystore
from desktop.terminal import support

PASSPHRASE = "una frase larga para probar"
NOTE = "nota-secreta"
PLANTED = ("Zenobia", "Quispe", "Mamani", "45678912", NOTE, "Ximénez", PASSPHRASE)


@pytest.fixture
def planted(tmp_path):
    """A clinic with a patient, a diagnosis, a note and a backup, its log at the finest level."""
    data_dir = tmp_path / "clinic"
    end = keep_log(data_dir, LogLevel.DEBUG)
    cheap = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
    clinic = Clinic(data_dir, TinyShelf(), cost=cheap, keystore=NoKeystore())
    clinic.create(clinic_name="Centro Ximénez", display_name="Ana Ximénez", passphrase=PASSPHRASE)
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    visit(session)
    (data_dir / "Zenobia Quispe.pdf").write_bytes(b"a letter saved in the wrong place")
    try:
        raise RuntimeError("UPDATE patient SET family_name = 'Quispe'")
    except RuntimeError:
        logging.getLogger("desktop.store").exception("store.failed")
    yield data_dir
    session.close()
    end()


def visit(session):
    patient = session.patients.create(
        NewPatient(
            given_name="Zenobia",
            family_name="Quispe Mamani",
            sex=Sex.FEMALE,
            birth_date=date(1990, 5, 1),
            national_id="45678912",
        )
    )
    draft = session.visits.open_draft(patient.id)
    fever = DraftFinding(id="HP:0001945", presence=Presence.PRESENT)
    session.visits.save_draft(draft.id, Draft(age_text="36", sex=Sex.FEMALE, findings=(fever,)))
    made = session.visits.diagnose(draft.id)
    session.decisions.record(
        made.id, Verb.AGREE, made.differential.candidates[0].disease, note=NOTE
    )


def everything(archive):
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_no_planted_patient_is_in_the_archive_in_any_encoding(planted, tmp_path, capsys):
    out = tmp_path / "support.zip"
    assert support.main(["--out", str(out), "--data", str(planted)]) == support.DONE
    inside = everything(out)
    assert {"about.json", "settings.json", "files.tsv", "logs/vereda.log"} <= set(inside)
    assert b"store.failed" in inside["logs/vereda.log"]
    for word in PLANTED:
        for coding in ("utf-8", "utf-16-le", "latin-1"):
            sought = word.encode(coding).lower()
            found = [n for n, content in inside.items() if sought in content.lower() + n.encode()]
            assert found == [], word


def test_the_words_sought_are_really_in_the_clinic(planted, tmp_path):
    """Else the test above could not fail: the same search finds the file name we planted."""
    names = " ".join(p.name for p in planted.iterdir())
    assert "Zenobia" in names


def test_a_technician_sees_versions_and_who_set_what(planted, tmp_path):
    (planted / "vereda.toml").write_text('ProxyUrl = "http://ana:secreta@proxy.example:3128/"\n')
    out = tmp_path / "support.zip"
    support.write_archive(planted, out)
    inside = everything(out)
    about = json.loads(inside["about.json"])
    assert about["vereda"]
    assert len(about["bundle"]["digest"]) == 64
    rows = {row["key"]: row for row in json.loads(inside["settings.json"])}
    assert rows["ProxyUrl"]["value"] == "http://proxy.example:3128/"
    assert rows["ProxyUrl"]["source"] == "file"
    assert b"secreta" not in inside["settings.json"]
    assert b"store\t" in inside["files.tsv"]


def test_broken_settings_are_named_and_do_not_stop_the_archive(planted, tmp_path):
    (planted / "vereda.toml").write_text("IdleLockMinutes = 'Zenobia'\n")
    support.write_archive(planted, tmp_path / "support.zip")
    told = json.loads(everything(tmp_path / "support.zip")["settings.json"])
    assert told == {"refused": "settings.invalid", "key": "IdleLockMinutes"}


def test_a_place_that_cannot_be_written_is_said(planted, tmp_path, capsys):
    out = tmp_path / "nowhere" / "support.zip"
    assert support.main(["--out", str(out), "--data", str(planted)]) == support.BAD_INPUT
    assert str(out) in capsys.readouterr().err
