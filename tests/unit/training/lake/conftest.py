"""One embedded engine for all tests of the lake; each test has a lake of its own."""

import pytest
from support.lake_records import Ears

from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.engine import NativeEngine, embedded_session
from training.lake.place import Lake


@pytest.fixture(scope="session")
def session():
    with embedded_session() as spark:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield spark


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def engine(session, lake):
    return NativeEngine("embedded", session, lake)


@pytest.fixture
def ears():
    return Ears()


@pytest.fixture
def unchecked(monkeypatch):
    """Leave the suites out where they are not what is tested: they take seconds to import."""
    from training.lake import build as module
    from training.lake.expectations import Verdict

    monkeypatch.setattr(module, "require", lambda suite, rows, _: Verdict(suite, 0, 0, ()))


@pytest.fixture
def arrive(lake, engine, ears):
    """Store records as one hourly run, and build."""

    def run(*records, now=None):
        stored = Bronze(lake, now=now).store(records)
        assert not stored.refused
        return build(lake, engine, ears)

    return run
