"""`vereda audit verify`: the verdict, the first bad entry, the exit code."""

import random
import subprocess
import sys

import pytest
from support.audit_logs import Scene, edit, public, resign_all, restored

from desktop.app import main


@pytest.fixture(scope="module")
def scene():
    return Scene.fresh(first=40, second=20)


@pytest.fixture
def written(tmp_path):
    def write(lines, name="log.jsonl"):
        path = tmp_path / name
        path.write_bytes(b"".join(lines))
        return str(path)

    return write


def test_a_sound_log_exits_zero_and_asks_to_compare_the_key(scene, written, capsys):
    assert main(["audit", "verify", written(scene.lines), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "60 entries" in said
    assert "compare" in said
    assert public(scene.device.key)[:8] in said


def test_a_pinned_key_needs_no_comparing(scene, written, capsys):
    key = public(scene.device.key)
    spaced = " ".join((key[:32], key[32:])).upper()
    assert main(["audit", "verify", written(scene.lines), "--device-key", spaced]) == 0
    assert "compare" not in capsys.readouterr().out


def test_an_edited_log_names_entry_and_verdict_and_exits_one(scene, written, capsys):
    mutation = edit(scene, random.Random(5))
    place = next(
        number
        for number, (one, other) in enumerate(zip(scene.lines, mutation.lines, strict=True))
        if one != other
    )
    signed = scene.entries[place - 1]
    assert main(["audit", "verify", written(mutation.lines), "--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert f"EDIT. Epoch {signed.epoch}, entry {signed.entry.sequence}:" in said


def test_a_log_signed_again_by_a_stranger_needs_the_pin_to_be_seen(scene, written, capsys):
    path = written(resign_all(scene, random.Random(5)).lines)
    assert main(["audit", "verify", path]) == 0
    assert "compare" in capsys.readouterr().out
    assert main(["audit", "verify", path, "--device-key", public(scene.device.key)]) == 1
    assert "foreign key" in capsys.readouterr().out


def test_a_later_export_bears_witness_against_a_restored_backup(scene, written, capsys):
    older = written(restored(scene, random.Random(5)).lines, "older")
    later = written(scene.lines, "later")
    assert main(["audit", "verify", older, "--witness", later, "--lang", "en"]) == 1
    assert "RESTORED BACKUP" in capsys.readouterr().out


@pytest.mark.parametrize("given", [["missing.jsonl"], ["log.jsonl", "--device-key", "zz"]])
def test_what_cannot_be_used_exits_two_and_says_what_to_give(given, written, scene, capsys):
    path = written(scene.lines)
    given = [path if text == "log.jsonl" else text for text in given]
    assert main(["audit", "verify", *given]) == 2
    assert capsys.readouterr().err


def test_verifying_loads_no_database_and_no_window(scene, written):
    probe = (
        "import sys; from desktop.app import main; code = main(['audit', 'verify', sys.argv[1]]);"
        "print(code, sorted(n for n in ('sqlcipher3', 'sqlalchemy', 'PySide6', 'httpx')"
        " if n in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", probe, written(scene.lines)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "0 []"
