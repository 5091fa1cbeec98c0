"""The log file: our codes and places, never what an error says."""

import logging

import pytest

from desktop.logs import KEPT, SIZE_BYTES, keep_log
from desktop.settings import LogLevel

NAME = "Zenobia Quispe"


@pytest.fixture
def written(tmp_path):
    end = keep_log(tmp_path, LogLevel.INFO)
    yield lambda: (tmp_path / "logs" / "vereda.log").read_text(encoding="utf-8")
    end()


def failing():
    try:
        raise ValueError(f"patient {NAME}")
    except ValueError as error:
        raise RuntimeError(f"UPDATE patient SET name = '{NAME}'") from error


def test_an_error_is_logged_by_class_and_place_without_its_words(written):
    try:
        failing()
    except RuntimeError:
        logging.getLogger("desktop.store").exception("store.failed")
    text = written()
    assert "builtins.RuntimeError" in text
    assert "builtins.ValueError" in text
    assert "test_logs.py:" in text
    assert NAME not in text


def test_what_libraries_say_stays_out(written):
    logging.getLogger("sqlalchemy.engine").error("parameters: %s", NAME)
    logging.getLogger("desktop").info("model.updated")
    assert "model.updated" in written()
    assert NAME not in written()


def test_the_level_of_the_settings_counts(tmp_path):
    end = keep_log(tmp_path, LogLevel.ERROR)
    logging.getLogger("desktop").warning("not this")
    logging.getLogger("desktop").error("but this")
    end()
    text = (tmp_path / "logs" / "vereda.log").read_text()
    assert "but this" in text
    assert "not this" not in text


def test_the_log_never_fills_the_disk(tmp_path):
    end = keep_log(tmp_path, LogLevel.INFO)
    for _ in range(7 * SIZE_BYTES // 10_000):
        logging.getLogger("desktop").info("x" * 10_000)
    end()
    sizes = [p.stat().st_size for p in (tmp_path / "logs").iterdir()]
    assert len(sizes) == KEPT + 1
    assert sum(sizes) <= (KEPT + 1) * SIZE_BYTES


def test_a_folder_that_cannot_be_written_does_not_stop_the_clinic(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    keep_log(tmp_path, LogLevel.INFO)()


def test_ending_the_log_leaves_the_loggers_as_they_were(tmp_path):
    logger = logging.getLogger("desktop")
    before = (logger.level, list(logger.handlers))
    keep_log(tmp_path, LogLevel.DEBUG)()
    assert (logger.level, list(logger.handlers)) == before
