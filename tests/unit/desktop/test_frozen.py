"""The command that runs golden cases, under Python and frozen."""

import sys
from pathlib import Path

from desktop.frozen import self_test_command


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
