"""`vereda bundle`: a model goes out on a stick, and comes in as it does from the server."""

from shutil import copytree

import pytest
from support.bundle_workshop import BundleWorkshop
from support.tiny_engine import TinyEngine, tiny_members

from ddx.domain.audit import AuditAction
from desktop.services.clinic import Clinic
from desktop.services.shelf import DeviceShelf
from desktop.store.keys import Argon2Cost
from desktop.terminal.bundle import main
from model_bundles import stick
from model_bundles.verify import open_verified

PASSPHRASE = "llama del altiplano"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1", tiny_members())
    return workshop


@pytest.fixture
def clinic(workshop, tmp_path):
    folder = copytree(workshop.repository, tmp_path / "embedded")
    shelf = DeviceShelf(
        tmp_path,
        TinyEngine.from_artifacts,
        trust=workshop.trust,
        open_embedded=lambda: open_verified(folder, workshop.trust),
    )
    clinic = Clinic(tmp_path, shelf, sleep=lambda _: None, cost=CHEAP)
    clinic.create(clinic_name="Posta", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    return clinic


@pytest.fixture
def run(workshop, clinic, tmp_path):
    (tmp_path / "usb").mkdir()

    def run(command, *more, passphrase=PASSPHRASE):
        return main(
            [command, str(tmp_path / "usb"), "--lang", "en", *map(str, more)],
            ask=lambda prompt: passphrase,
            clinic_of=lambda _: clinic,
            trust=lambda: workshop.trust,
        )

    return run


def last_entry(clinic):
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    try:
        with session._desk.store.read() as unit:
            entries = [e for e in unit.audit.after(0) if e.action.value.startswith("bundle")]
    finally:
        session.close()
    return entries[-1] if entries else None


def test_a_newer_model_is_carried_verified_installed_and_written_down(
    run, workshop, clinic, capsys
):
    workshop.publish("2026.12.1", tiny_members())
    assert run("export", "--from", workshop.repository) == 0
    assert run("import") == 0
    assert "2026.12.1 installed" in capsys.readouterr().out
    assert clinic._shelf.status.version == "2026.12.1"
    assert last_entry(clinic).action is AuditAction.BUNDLE_ACTIVATED
    assert run("import") == 0
    assert "nothing newer" in capsys.readouterr().out


def test_a_tampered_stick_changes_nothing_and_is_written_down(
    run, workshop, clinic, tmp_path, capsys
):
    workshop.publish("2026.12.1", tiny_members() | {"models/common.onnx": b"a newer model"})
    run("export", "--from", workshop.repository)
    target = next((tmp_path / "usb" / stick.FOLDER / "targets").glob("*/models/*common.onnx.zst"))
    target.write_bytes(bytes(target.stat().st_size))
    assert run("import") == 1
    assert "another copy" in capsys.readouterr().err
    assert clinic._shelf.status.version == "2026.11.1"
    assert last_entry(clinic).action is AuditAction.BUNDLE_REFUSED


def test_a_folder_that_is_no_stick_of_ours_is_refused(run, clinic, capsys):
    assert run("import") == 1
    assert "bundle.malformed" in capsys.readouterr().err
    assert clinic._shelf.status.version == "2026.11.1"


def test_nothing_comes_in_without_a_passphrase(run, workshop, clinic):
    workshop.publish("2026.12.1", tiny_members())
    run("export", "--from", workshop.repository)
    assert run("import", passphrase="wrong") == 1
    assert clinic._shelf.status.version == "2026.11.1"


def test_an_expired_repository_is_not_carried(run, workshop, capsys):
    workshop.expire()
    assert run("export", "--from", workshop.repository) == 1
    assert "bundle.expired" in capsys.readouterr().err
