"""The command that runs golden cases, under Python and frozen."""

import sys
from pathlib import Path

from desktop.frozen import give_streams, self_test_command, tell


def test_under_python_the_module_runs_without_the_window():
    assert self_test_command() == (sys.executable, "-m", "desktop.commands.self_test")


def test_a_frozen_sync_service_asks_the_program_beside_it(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/vereda/vereda-sync")
    assert self_test_command() == (str(Path("/opt/vereda/vereda")), "self-test")


def test_on_windows_the_program_keeps_its_suffix(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/vereda/vereda-sync.exe")
    assert self_test_command()[0].endswith("vereda.exe")


def test_a_program_without_a_console_may_print(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert not give_streams()
    sys.stdout.write("nobody reads this")
    sys.stderr.write("nor this")


def test_streams_that_are_there_stay(capsys):
    before = sys.stdout
    assert give_streams()
    assert sys.stdout is before


def test_why_it_cannot_start_is_said_on_the_console(capsys):
    tell("vereda.toml: SyncURL: no such setting", console=True)
    assert capsys.readouterr().err == "vereda.toml: SyncURL: no such setting\n"
