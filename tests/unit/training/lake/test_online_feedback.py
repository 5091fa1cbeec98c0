"""A decision given to the cloud's /feedback, on its way to the figure the monitor shows."""

import json
from datetime import timedelta

import pytest
from support.cloud_server import Clinic, cloud_in_thread, wait_until
from support.lake_records import KEYED, Ears
from support.sync_records import NOON, PSEUDONYM, a_diagnosis, a_known_case, a_refusal, push

from ddx.domain.wire import case_to_json
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import erasure_payload
from training.change_plan import change_plan
from training.lake.bronze import Bronze, Intake
from training.lake.build import build
from training.lake.gold import read_cases
from training.lake.stream import follow
from training.lake.tables import BRONZE_EVENTS
from training.monitor.daily import DailyWatch, Watched
from training.monitor.stretch import Stretch
from training.sources.stream import SqlLog

pytestmark = pytest.mark.usefixtures("unchecked")
CASE = case_to_json(a_known_case())


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with cloud_in_thread(tmp_path_factory.mktemp("cloud")) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        yield running


@pytest.fixture
def clinic(cloud):
    device = Clinic(cloud.url).enrol(cloud.code())
    yield device
    device.http.close()


@pytest.fixture
def hourly(cloud, lake, engine):
    """Read the cloud's log into the lake and build, as the hourly run does."""

    def run(now):
        log = SqlLog(cloud.settings.database_address())
        stored = sum(follow(log, lake, Bronze(lake, now=now), KEYED), Intake())
        assert not stored.refused
        build(lake, engine, Ears())
        return read_cases(lake.address, labelled=False).table.to_pylist()

    return run


def visited(clinic):
    """Ask the cloud, send the diagnosis, decide on line; return the decision as it was sent."""
    receipt = clinic.ask("/predict", {"case": CASE, "limit": 3}).json()["receipt_id"]
    push(clinic, (EventKind.DIAGNOSIS, a_diagnosis() | {"diagnosis_id": receipt}))
    decision = a_refusal(receipt)
    assert clinic.ask("/feedback", decision).status_code == 201
    assert clinic.ask("/feedback", decision).status_code == 200  # the answer was lost on the way
    return decision


def events_of(clinic, lake):
    """Return the lake's records of one clinic, in the order they came."""
    rows = lake.open(BRONZE_EVENTS).to_pyarrow_table().sort_by("offset").to_pylist()
    ours = KEYED.clinic(clinic.identity.device_id)
    return [row for row in rows if row["clinic"] == ours]


class NobodyAsks:
    """An engine without an answer: the confirmed figures need none."""

    candidates = ()

    def diagnose(self, _case):
        return self


def watched(lake, folder, until):
    """Return what the monitor measures of the cases known by `until`."""
    second = timedelta(seconds=1)
    DailyWatch(
        folder=folder,
        lake=lake.address,
        watched=Watched(
            version=read_cases(lake.address).version,
            model="2026.11.1",
            reference_since=None,
            reference_until=NOON + second,
            stretch=Stretch(since=NOON, until=until + second, days=1, of_day=1, cases=1),
            labels_since=NOON - timedelta(days=28),
            last_training=None,
            baseline_f1=None,
        ),
        engine=NobodyAsks,
        severity=lambda _: 3,
        plan=change_plan(),
        say=lambda _: None,
        page=False,
    ).run()
    (found,) = folder.glob("*-performance-*/performance.json")
    return json.loads(found.read_bytes())


def test_a_decision_given_on_line_and_sent_by_the_device_counts_once(
    clinic, lake, hourly, tmp_path
):
    decision = visited(clinic)
    first = hourly(NOON)
    (result,) = push(clinic, (EventKind.FEEDBACK, decision), first=2)
    assert result.status == "stored"
    again = hourly(NOON + timedelta(hours=1))
    diagnosis, online, sent = events_of(clinic, lake)
    assert (online["kind"], sent["kind"]) == ("feedback", "feedback")
    assert online["content_sha256"] == sent["content_sha256"]
    assert json.loads(online["payload"]) == json.loads(sent["payload"]) == decision
    assert diagnosis["case_id"] == online["case_id"] == sent["case_id"]
    assert again == first  # same label, known since the same hour
    (case,) = [row for row in again if row["case_id"] == diagnosis["case_id"]]
    assert (case["disease"], case["confirmed"]) == ("VD:dengue", True)
    confirmed = sum(row["confirmed"] or False for row in again)
    for known_until in (NOON, NOON + timedelta(hours=1)):
        assert watched(lake, tmp_path / f"{known_until:%H}", known_until)["labelled"] == confirmed


def test_no_decision_is_known_to_the_lake_before_it_was_given(clinic, lake, hourly):
    receipt = clinic.ask("/predict", {"case": CASE, "limit": 3}).json()["receipt_id"]
    push(clinic, (EventKind.DIAGNOSIS, a_diagnosis() | {"diagnosis_id": receipt}))
    refused = a_refusal(receipt) | {"verb": "agree"}
    assert clinic.ask("/feedback", refused).status_code == 422
    hourly(NOON)
    assert [row["kind"] for row in events_of(clinic, lake)] == ["diagnosis"]


def test_what_the_cloud_took_does_not_count_as_what_the_device_sent(clinic):
    before = clinic.transport.status()
    receipt = clinic.ask("/predict", {"case": CASE, "limit": 3}).json()["receipt_id"]
    assert clinic.ask("/feedback", a_refusal(receipt)).status_code == 201
    after = clinic.transport.status()
    assert (after.epoch, after.last_sequence, after.stored) == (None, 0, 0)
    assert before.stored == 0


def test_an_erased_patient_leaves_no_decision_of_either_way(cloud, clinic, lake, hourly):
    decision = visited(clinic)
    hourly(NOON)
    erasure = erasure_payload(
        patient_pseudonym=PSEUDONYM, diagnoses=1, erased_at=NOON, proof="a" * 64
    )
    (result,) = push(clinic, (EventKind.ERASURE, erasure), first=2)
    proof = result.erased
    assert proof.records == 1  # the diagnosis: the device never sent the decision
    late = a_refusal(decision["diagnosis_id"])
    assert clinic.ask("/feedback", late).status_code == 201  # decided before, told after
    hourly(NOON + timedelta(hours=1))
    assert events_of(clinic, lake) == []
    kept = cloud.rows(
        f"SELECT payload FROM event WHERE device_id = '{clinic.identity.device_id}' AND epoch = 0"
    )
    assert [row["payload"] for row in kept] == ['{"erased":true}'] * 2
