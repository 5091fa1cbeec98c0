"""Features: what was known then, the same offline and online, and how old it is."""

import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from support.lake_records import CLINIC, DAY, PATIENT, Ears, diagnosis, feedback, findings

from training.feature_store.definitions import CLINIC_TTL, PATIENT_TTL, feature_names
from training.feature_store.publish import compute, gone_patients
from training.feature_store.store import FeatureStore, FeatureStoreError
from training.feature_store.tables import CLINIC_FEATURES, PATIENT_FEATURES
from training.lake import build as build_module
from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.engine import NativeEngine, embedded_session
from training.lake.expectations import Verdict
from training.lake.place import Lake
from training.lake.tables import GOLD_CASES

FEVER = findings(p1945="present")
NO_FEVER = findings(p1945="excluded")
OTHER = "4a" * 32
START = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - 20 * DAY


def arrivals():
    """Visits and words with the day each reached the lake, counted from START."""
    first = diagnosis(at=START, stated=FEVER, temperature_c=39.0)
    late = diagnosis(at=START + 2 * DAY, stated=NO_FEVER, temperature_c=36.8)
    other = diagnosis(at=START + 3 * DAY, patient=OTHER, stated=NO_FEVER)
    return (
        (0, [first]),
        (3, [other]),
        (5, [feedback(first, disease="VD:croup", at=START + DAY)]),
        (9, [late]),  # a week without a network
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake(str(tmp_path_factory.mktemp("features") / "lake"))
    patch = pytest.MonkeyPatch()
    patch.setattr(build_module, "require", lambda suite, *_: Verdict(suite, 0, 0, ()))
    with embedded_session() as spark:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        engine = NativeEngine("embedded", spark, lake)
        for day, records in arrivals():
            Bronze(lake, now=START + day * DAY).store(records)
            build(lake, engine, Ears())
        compute(lake, engine)
    patch.undo()
    return lake


@pytest.fixture(scope="module")
def store(lake, tmp_path_factory):
    return FeatureStore(lake, tmp_path_factory.mktemp("store"))


def moments(*days, patient=PATIENT):
    return pd.DataFrame(
        {
            "patient": [patient] * len(days),
            "clinic": [CLINIC] * len(days),
            "event_timestamp": [START + timedelta(days=day) for day in days],
        }
    )


def known(frame, name):
    return [None if pd.isna(value) else value for value in frame[name]]


def test_a_moment_sees_what_the_lake_held_then_and_nothing_later(store):
    seen = store.history(moments(-1, 0.5, 4, 6, 8, 10))
    assert known(seen, "visits_365d") == [None, 1, 1, 1, 1, 2]  # the late visit counts from day 9
    assert known(seen, "last_temperature_c") == [None, 39.0, 39.0, 39.0, 39.0, 36.8]
    assert known(seen, "last_disease") == [None, None, None, *["VD:croup"] * 3]
    assert known(seen, "days_since_previous_visit") == [None] * 5 + [2.0]


def test_the_last_four_weeks_of_a_clinic_count_from_the_next_midnight(store):
    seen = store.history(moments(0.4, 1, 4, 10, 30))
    assert known(seen, "cases_28d") == [None, 1, 2, 3, 3]
    assert known(seen, "fever_share_28d")[1:] == [1.0, 0.5, *[pytest.approx(1 / 3)] * 2]
    assert known(seen, "confirmed_28d") == [None, 0, 0, 1, 1]


def test_moments_come_back_row_for_row_with_what_else_they_carried(store):
    asked = moments(4, -1).assign(case=["x", "y"])
    seen = store.history(asked)
    assert seen["case"].tolist() == ["x", "y"]
    assert seen["event_timestamp"].tolist() == asked["event_timestamp"].tolist()


@pytest.mark.parametrize(
    ("table", "ttl"), [(PATIENT_FEATURES, PATIENT_TTL), (CLINIC_FEATURES, CLINIC_TTL)]
)
def test_the_joins_are_those_of_pandas_merge_asof(store, lake, table, ttl):
    key = table.keys[0]
    asked = pd.concat([moments(*range(-2, 40, 3)), moments(1, 4, 7, patient=OTHER)])
    asked = asked.sort_values("event_timestamp", ignore_index=True)
    states = lake.open(table).to_pyarrow_table().to_pandas().sort_values("available_at")
    clock = asked["event_timestamp"].astype(states["available_at"].dtype)
    expected = pd.merge_asof(
        asked.assign(event_timestamp=clock),
        states,
        left_on="event_timestamp",
        right_on="available_at",
        by=key,
        tolerance=ttl,
    )
    seen = store.history(asked)
    for name in feature_names(table):
        assert known(seen, name) == known(expected, name)


@pytest.fixture
def redis(tmp_path):
    """A real Redis on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        server = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        pytest.skip("no redis-server here: install it to test the online store on Redis")
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def check_online(store):
    now = START + 15 * DAY
    store.materialise(now)
    one, nobody = store.online([(PATIENT, CLINIC), ("0" * 64, "nowhere")])
    offline = store.history(moments(15))
    for name in (*feature_names(PATIENT_FEATURES), *feature_names(CLINIC_FEATURES)):
        assert [one.values[name]] == known(offline, name)
    assert one.age_s("features_patient", now) == 6 * 86_400  # the late visit came on day 9
    assert set(nobody.values.values()) == {None}
    assert nobody.age_s("features_patient", now) is None
    assert all(until == now for until in store.published_until().values())


def check_forgotten(store):
    store.forget([PATIENT], START + 16 * DAY)
    gone, stays = store.online([(PATIENT, CLINIC), (OTHER, CLINIC)])
    assert {gone.values[name] for name in feature_names(PATIENT_FEATURES)} == {0, None}
    assert stays.values["visits_365d"] == 1


def test_online_in_a_file_agrees_with_offline(lake, tmp_path):
    store = FeatureStore(lake, tmp_path)
    check_online(store)
    check_forgotten(store)


def test_online_in_redis_agrees_with_offline(lake, tmp_path, redis):
    store = FeatureStore(lake, tmp_path, online=redis)
    check_online(store)
    check_forgotten(store)


def test_a_patient_without_a_case_any_more_is_to_be_forgotten(lake):
    assert gone_patients(lake) == []
    version = lake.open(GOLD_CASES).version()
    lake.open(GOLD_CASES).delete(f"patient = '{OTHER}'")
    try:
        assert gone_patients(lake) == [OTHER]
    finally:
        lake.open(GOLD_CASES).restore(version)


def test_a_redis_that_is_away_is_one_error_that_says_so(lake, tmp_path):
    store = FeatureStore(lake, tmp_path, online="127.0.0.1:1")
    with pytest.raises(FeatureStoreError, match="does not answer"):
        store.online([(PATIENT, CLINIC)])
