"""`python -m training.lake` from the terminal, as far as it needs no suite."""

from contextlib import ExitStack

import pytest
from support.lake_records import DAY, KEYED, NOON, diagnosis

import training.lake.__main__ as commands
from training.lake.__main__ import DONE, FAILED, main
from training.lake.bronze import Bronze
from training.lake.place import LakeBusyError
from training.lake.status import lines, status
from training.lake.tables import BRONZE_EVENTS
from training.lake.upkeep import tidy
from training.sources.pseudonyms import (
    KEY_FILE,
    PseudonymKeyError,
    Pseudonyms,
    open_pseudonyms,
)

MESSAGE = (
    "MSH|^~\\&|HIS|HR|LAB|X|20261120143000||ADT^A01|M1|P|2.5.1\r"
    "PID|1||4711||Q^R||19900412|F\rDG1|1||J18.9^N^I10|||F\r"
)


@pytest.fixture
def run(tmp_path, capsys):
    def command(*words):
        code = main(["--lake", str(tmp_path / "lake"), *words])
        return code, "".join(capsys.readouterr())

    return command


def test_a_folder_of_a_hospital_is_read_once(run, tmp_path):
    (tmp_path / "m.hl7").write_text(MESSAGE)
    words = ("ingest", "--source", f"hl7v2.hr={tmp_path}", "--keys", str(tmp_path / "keys"))
    code, told = run(*words, "--dry-run")
    assert code == DONE
    assert "would read hl7v2.hr" in told
    assert not (tmp_path / "keys").exists()
    assert "1 stored" in run(*words)[1]
    assert "1 known already" in run(*words)[1]
    assert "run build" in run("status")[1]
    assert "bronze batches 1 to 1" in run("build", "--dry-run")[1]


def test_an_unknown_source_is_answered_with_those_there_are(run):
    code, told = run("ingest", "--source", "hospital")
    assert code == FAILED
    assert "ddxplus" in told
    assert "fhir.hospital=" in told


def test_an_empty_lake_says_how_to_begin(run):
    assert "ingest" in run("status")[1]


def test_two_runs_do_not_write_at_once(lake):
    with lake.writing(), pytest.raises(LakeBusyError), lake.writing():
        pass


def test_a_row_that_is_late_is_said_to_be(lake):
    Bronze(lake, now=NOON).store([diagnosis()])
    told = "\n".join(lines(status(lake), now=NOON + DAY))
    assert "24 h 00 min ago  (late)" in told


def test_tidying_joins_files_and_lets_go_of_what_only_old_versions_hold(lake):
    for _ in range(3):
        Bronze(lake).store([diagnosis()])
    tidy(lake, lambda _: None, retention_days=0)
    assert len(lake.open(BRONZE_EVENTS).file_uris()) == 1
    assert lake.open(BRONZE_EVENTS).to_pyarrow_table().num_rows == 3
    with pytest.raises(FileNotFoundError):
        lake.open(BRONZE_EVENTS, version=2).to_pyarrow_table()


def test_the_key_of_the_pseudonyms_is_made_once_and_kept_to_its_owner(tmp_path):
    first = open_pseudonyms(tmp_path / "keys")
    assert open_pseudonyms(tmp_path / "keys").patient("s", "1") == first.patient("s", "1")
    assert (tmp_path / "keys" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert first.patient("s", "1") != KEYED.patient("s", "1")
    assert "key" not in repr(Pseudonyms(b"s" * 32)).lower().replace("pseudonyms", "")


def test_a_damaged_key_stops_everything_rather_than_making_new_people(tmp_path):
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(PseudonymKeyError):
        open_pseudonyms(tmp_path)


class Enough(BaseException):
    """The test has seen enough rounds."""


def test_the_hourly_run_outlives_a_round_that_failed_and_tells_once(
    lake, tmp_path, monkeypatch, capsys
):
    """Two rounds find the lake held by another run, the third reads; a fourth fails anew."""
    (tmp_path / "m.hl7").write_text(MESSAGE)
    held = ExitStack()
    held.enter_context(lake.writing())
    rounds = []

    def between(seconds):
        rounds.append(seconds)
        if len(rounds) == 2:
            held.close()
        elif len(rounds) == 3:
            held.enter_context(lake.writing())
        elif len(rounds) == 4:
            raise Enough

    monkeypatch.setattr(commands.time, "sleep", between)
    words = ["--lake", lake.address, "ingest", "--source", f"hl7v2.hr={tmp_path}"]
    with pytest.raises(Enough), held:
        main([*words, "--keys", str(tmp_path / "keys"), "--every-minutes", "30"])
    told = capsys.readouterr().out
    assert rounds == [1800.0] * 4
    assert told.count("this run ended (lake.busy)") == 3
    assert told.count("not told (VEREDA_SLACK_WEBHOOK is not set)") == 2  # the third round was well
    assert "1 stored" in told


def test_a_single_run_that_fails_refuses(run, lake, tmp_path):
    (tmp_path / "m.hl7").write_text(MESSAGE)
    with lake.writing():
        code, told = run(
            "ingest", "--source", f"hl7v2.hr={tmp_path}", "--keys", str(tmp_path / "k")
        )
    assert code == FAILED
    assert "another run writes" in told
