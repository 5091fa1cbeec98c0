"""`vereda audit export`: signed in, without echo, by those who may read the audit."""

import json

import pytest
from support.tiny_engine import TinyShelf

from ddx.domain.course import UNWATCHED
from desktop.services.clinic import Clinic
from desktop.store.keys import Argon2Cost
from desktop.terminal.audit import main

PASSPHRASE = "llama del altiplano"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


@pytest.fixture
def clinic(tmp_path):
    clinic = Clinic(tmp_path, TinyShelf(), sleep=lambda _: None, cost=CHEAP)
    clinic.create(clinic_name="Posta", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    return clinic


@pytest.fixture
def of_an_auditor(clinic):
    """The only clinician becomes the auditor, inside the store, where the role counts."""
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    with session._desk.store.write() as unit:
        unit._session.connection().exec_driver_sql("UPDATE clinician SET role = 'Auditor'")
    session.close()
    return clinic


@pytest.fixture
def export(tmp_path, clinic):
    def run(*more, passphrase=PASSPHRASE):
        asked = []

        def ask(prompt):
            asked.append(prompt)
            return passphrase

        out = tmp_path / "log.jsonl"
        given = ["export", "--out", str(out), "--data", str(tmp_path), "--lang", "en", *more]
        return main(given, ask=ask, clinic_of=lambda _: clinic), out, asked

    return run


def test_an_auditor_exports_a_log_that_verifies(of_an_auditor, export, capsys):
    code, out, asked = export()
    assert (code, asked) == (0, ["Passphrase of Ana Ruiz: "])
    assert "Device's key" in capsys.readouterr().out
    assert main(["verify", str(out)]) == 0


def test_the_log_of_a_clinic_restored_twice_verifies_with_its_device_key(
    of_an_auditor, export, tmp_path
):
    clinic, me = of_an_auditor, of_an_auditor.clinicians()[0].id
    session = clinic.sign_in(me, PASSPHRASE)
    made = session.keeping._back_up(UNWATCHED)
    session.close()
    for _ in range(2):
        clinic.restore(made.folder, PASSPHRASE)
        clinic.sign_in(me, PASSPHRASE).close()
    session = clinic.sign_in(me, PASSPHRASE)
    key = session.audit.keys().device_key
    session.close()
    code, out, _ = export()
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    opened = [r for r in rows if r.get("action") == "epoch_opened"]
    assert code == 0
    assert {row["epoch"] for row in rows if row["kind"] == "entry"} == {1, 3}
    assert [(r["epoch"], r["sequence"], r["detail"]["reason"]) for r in opened] == [
        (3, 1, "restored_backup")
    ]
    assert main(["verify", str(out), "--device-key", key]) == 0
    cut = [line for line in out.read_bytes().splitlines(keepends=True) if b"epoch_op" not in line]
    out.write_bytes(b"".join(cut))
    assert main(["verify", str(out), "--device-key", key]) == 1


def test_the_fhir_export_is_a_bundle_of_audit_events(of_an_auditor, export):
    code, out, _ = export("--fhir")
    bundle = json.loads(out.read_bytes())
    assert (code, bundle["resourceType"]) == (0, "Bundle")
    assert {e["resource"]["resourceType"] for e in bundle["entry"]} == {"AuditEvent"}


def test_a_doctor_may_not_and_no_file_is_written(export, capsys):
    code, out, _ = export()
    assert code == 1
    assert not out.exists()
    assert "may not read" in capsys.readouterr().err


def test_a_wrong_passphrase_exports_nothing_and_is_not_repeated(export, capsys):
    code, out, _ = export(passphrase="otra frase cualquiera")
    assert code == 1
    assert not out.exists()
    assert "otra frase" not in "".join(capsys.readouterr())


def test_nobody_of_that_name_is_told_who_may(export, capsys):
    code, _, asked = export("--user", "Nadie")
    assert (code, asked) == (2, [])
    assert "Ana Ruiz" in capsys.readouterr().err
