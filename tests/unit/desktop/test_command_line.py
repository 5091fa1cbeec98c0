"""`vereda WORD` runs in the terminal: no window, no clinic, the command's own exit code."""

import sys

import pytest

from desktop.app import main


def test_a_command_gets_its_arguments_and_gives_its_exit_code(tmp_path, capsys):
    code = main(["diagnose", str(tmp_path / "missing.json"), "--lang", "en"])
    assert code == 2
    assert "missing.json" in capsys.readouterr().err


def test_the_words_of_the_process_are_read_when_none_are_handed_in(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vereda", "diagnose", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    assert "CASE.json" in capsys.readouterr().out
