"""`vereda clinic`: a clinic is set up, kept, restored and asked for a proof from a terminal."""

import json
import re
from datetime import date

import pytest
from support.tiny_engine import TinyShelf

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.domain.receipt import receipt_from_json
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.store.keys import Argon2Cost
from desktop.terminal.clinic import main

PASSPHRASE, OTHER = "llama del altiplano", "quinua y cañihua"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
RECOVERY = re.compile(r"(?:[A-Z2-7]{5}-){7}[A-Z2-7]{5}")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new" / "clinic"


@pytest.fixture
def vereda(folder, capsys):
    """Run one command; the answers to what it asks come in order."""

    def run(*given, answers=(PASSPHRASE,), user=None):
        waiting = list(answers)
        code = main(
            [*given, "--data", str(folder), "--lang", "en", *(["--user", user] if user else [])],
            ask=lambda _prompt: waiting.pop(0),
            clinic_of=lambda path: Clinic(path, TinyShelf(), sleep=lambda _: None, cost=CHEAP),
        )
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def clinic(vereda):
    """A clinic; its recovery key."""
    given = ("create", "--name", "Posta Cusco")
    code, out, _ = vereda(*given, answers=(PASSPHRASE, PASSPHRASE), user="Ana Ruiz")
    assert code == 0
    return RECOVERY.search(out).group()


@pytest.fixture
def zenobia():
    return NewPatient(
        given_name="Zenobia",
        family_name="Quispe Mamani",
        sex=Sex.FEMALE,
        birth_date=date(1990, 5, 1),
    )


@pytest.fixture
def visit(clinic, folder, zenobia):
    """One recorded visit of Zenobia."""
    opened = Clinic(folder, TinyShelf(), cost=CHEAP)
    session = opened.sign_in(opened.clinicians()[0].id, PASSPHRASE)
    patient = session.patients.create(zenobia)
    draft = session.visits.open_draft(patient.id)
    fever = DraftFinding(id="HP:0001945", presence=Presence.PRESENT)
    session.visits.save_draft(draft.id, Draft(age_text="36", sex=Sex.FEMALE, findings=(fever,)))
    made = session.visits.diagnose(draft.id)
    session.close()
    return made


def test_a_clinic_is_created_and_the_recovery_key_shown_once(vereda, clinic):
    code, out, _ = vereda("people")
    assert code == 0
    assert "MedicoAdmin  Ana Ruiz" in out
    assert clinic not in out


def test_a_passphrase_mistyped_the_second_time_creates_nothing(vereda, folder):
    given = ("create", "--name", "Posta")
    code, _, err = vereda(*given, answers=(PASSPHRASE, OTHER), user="Ana")
    assert (code, folder.exists()) == (2, False)
    assert "Nothing was changed" in err


def test_without_a_clinic_every_command_says_how_to_create_one(vereda):
    for given in (("backup",), ("patients",), ("sent",), ("erase", "x", "--yes")):
        code, _, err = vereda(*given)
        assert code == 2
        assert "vereda clinic create" in err


def test_a_second_clinician_is_added_and_then_has_to_say_who_they_are(vereda, clinic):
    added = ("add", "--new", "Luz Paz")
    code, out, _ = vereda(*added, answers=(PASSPHRASE, OTHER, OTHER))
    assert (code, out) == (0, "Luz Paz may sign in now.\n")
    code, _, err = vereda("backup")
    assert code == 2
    assert "Ana Ruiz, Luz Paz" in err
    code, _, err = vereda("backup", answers=(OTHER,), user="luz paz")
    assert code == 1
    assert "role does not allow" in err


def test_a_wrong_passphrase_does_nothing_and_says_so(vereda, clinic):
    code, out, err = vereda("sent", answers=("no es esta",))
    assert (code, out) == (1, "")
    assert "Nothing was done" in err


def test_a_backup_is_made_listed_and_restored_with_the_recovery_key(vereda, clinic, folder):
    assert "no backups yet" in vereda("backups")[1]
    code, out, _ = vereda("backup")
    path = out.split("checked: ")[1].strip()
    assert code == 0
    assert f"Posta Cusco  {path}" in vereda("backups")[1]
    code, out, _ = vereda("restore", path, answers=(clinic,))
    assert code == 0
    assert "life 2 of this device" in out
    assert "is, whole, in" in out


def test_a_folder_that_is_no_backup_is_refused(vereda, clinic, tmp_path):
    code, _, err = vereda("restore", str(tmp_path))
    assert code == 2
    assert "vereda clinic backups" in err


def test_the_receipt_of_a_printed_code_is_written(vereda, visit, tmp_path):
    out = tmp_path / "receipt.json"
    code, told, _ = vereda("receipt", visit.short_code.lower(), "--out", str(out))
    assert code == 0
    assert "vereda replay" in told
    receipt, _ = receipt_from_json(json.loads(out.read_bytes()))
    assert receipt.diagnosis_id == visit.id
    code, _, err = vereda("receipt", "AAAA-AAAA-AAAB", "--out", str(out))
    assert code == 2
    assert "mistyped" in err


def test_what_was_sent_is_printed_letter_by_letter(vereda, visit):
    code, out, _ = vereda("sent")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    (diagnosis,) = [row for row in rows if row["kind"] == "diagnosis"]
    assert diagnosis["payload"]["diagnosis_id"] == visit.id
    assert "Zenobia" not in out


def test_erasing_needs_a_yes_and_gives_a_proof(vereda, visit):
    code, out, _ = vereda("patients", "zeno")
    assert (code, out.split()[-1]) == (0, "Zenobia")
    patient = out.split()[0]
    code, _, err = vereda("erase", patient)
    assert code == 2
    assert "--yes" in err
    code, out, _ = vereda("erase", patient, "--yes")
    assert code == 0
    assert re.search(r"Proof: [0-9a-f]{64}", out)
    assert vereda("patients")[1] == "Nobody is called that.\n"
    code, _, err = vereda("erase", patient, "--yes")
    assert code == 2
    assert "no such record" in err


def test_whose_retention_is_over_is_asked_for_by_a_day(vereda, visit):
    patient = vereda("patients")[1].split()[0]
    assert vereda("due", "--before", "2999-01-01")[1] == f"{patient}\n"
    assert "Everybody" in vereda("due", "--before", "2000-01-01")[1]
    with pytest.raises(SystemExit):
        vereda("due", "--before", "yesterday")


def test_no_secret_is_an_argument():
    for words in ("create", "add", "backup", "restore", "erase"):
        with pytest.raises(SystemExit):
            main([words, "--passphrase", PASSPHRASE])
