"""Errors and times of two models from real /metrics pages; what nobody counted holds a rollout."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from prometheus_client import start_http_server
from support import tiny_loop
from support.gold_lake import write_gold

from cloud_api.cache.answers import AnswerCache
from cloud_api.diagnose.kept import KeptDiagnosis
from cloud_api.diagnose.service import DiagnosisService
from cloud_api.metrics.metrics import Metrics
from cloud_api.shared.process import ProcessMemory
from ddx.errors import DdxError, UnknownFindingError
from training.change_plan import change_plan
from training.lake.gold import read_cases
from training.pipelines.steps import StepError
from training.rollout.control import Alert, Arm, Phase, Reported, RollBack, Signal, Started, State
from training.rollout.control import step as decide
from training.rollout.reports import arm_of, read_telemetry
from training.rollout.telemetry import Memory, read, totals_of

CURRENT, NEW = "2026.11.6", "2026.11.7"
PLAN = change_plan()
SHARE = PLAN.rollout.latency_may_rise_by_share.value
TIMES_MS = range(20, 120)
T0 = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def cloud():
    """Return (metrics, address): what a cloud counts and where it tells."""
    metrics = Metrics()
    server, thread = start_http_server(0, addr="127.0.0.1", registry=metrics.registry)
    yield metrics, f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


def answers(metrics, version, *, slower=1.0, errors=0):
    """Answer one case for each of TIMES_MS, the median 70 ms."""
    for ms in TIMES_MS:
        metrics.model_seconds.labels(version).observe(slower * ms / 1000)
    metrics.model_errors.labels(version).inc(errors)


def next_told(path, address):
    memory, reading = Memory.of(path), read([address], lambda _: None)
    told = memory.told(reading, current=CURRENT, new=NEW, share=SHARE)
    memory.keep(reading, CURRENT)
    return told


def test_slow_is_longer_than_the_median_before_the_rollout_and_a_tenth_for_the_new(cloud, tmp_path):
    metrics, address = cloud
    path = tmp_path / "telemetry.json"
    answers(metrics, CURRENT, errors=5)
    assert next_told(path, address) == {}  # the first reading: how it was before

    answers(metrics, CURRENT)
    answers(metrics, NEW, errors=2)
    told = next_told(path, address)
    assert (told[CURRENT]["cases"], told[CURRENT]["errors"]) == (100, 0)
    assert (told[NEW]["cases"], told[NEW]["errors"]) == (102, 2)
    assert 40 <= told[CURRENT]["slow"] <= 50  # the bound at or above the median
    assert told[NEW]["slow"] <= told[CURRENT]["slow"]  # as fast is slow no more often

    answers(metrics, CURRENT, slower=3.0)  # both slower alike: the usual time stays that of before
    answers(metrics, NEW, slower=1.4)
    told = next_told(path, address)
    assert told[CURRENT]["slow"] > 70
    assert told[NEW]["slow"] > 55
    assert next_told(path, address) == {}  # nothing happened since
    assert 0.065 < Memory.of(path).usual_s < 0.077  # for the whole rollout


def test_a_tenth_slower_is_slow_no_more_often_than_the_current_model(cloud, tmp_path):
    metrics, address = cloud
    answers(metrics, CURRENT)
    next_told(tmp_path / "t", address)
    answers(metrics, CURRENT)
    answers(metrics, NEW, slower=1.0 + SHARE)
    told = next_told(tmp_path / "t", address)
    assert told[NEW]["slow"] == told[CURRENT]["slow"]


def test_a_cloud_that_began_to_count_anew_is_taken_whole():
    before, now = (
        totals_of(
            f'vereda_model_duration_seconds_bucket{{bundle="{NEW}",le="0.1"}} {n}\n'
            f'vereda_model_duration_seconds_bucket{{bundle="{NEW}",le="+Inf"}} {n + 2}\n'
        )[NEW]
        for n in (90, 7)
    )
    assert now.since(before).cases == 9
    assert now.since(before).slower_than(0.1) == 2
    assert before.since(now).cases == 83


def test_a_cloud_that_does_not_answer_tells_nothing_and_is_caught_up_with(cloud, tmp_path):
    metrics, address = cloud
    path, said = tmp_path / "telemetry.json", []
    answers(metrics, CURRENT)
    next_told(path, address)
    answers(metrics, CURRENT)
    assert read(["http://127.0.0.1:9/metrics"], said.append) == {}
    assert said == ["http://127.0.0.1:9/metrics gave no metrics: ConnectError"]
    Memory.of(path).keep({}, CURRENT)
    assert next_told(path, address)[CURRENT]["cases"] == 100  # since its own last reading


def test_a_page_of_something_else_is_refused():
    with pytest.raises(StepError, match="cannot be read"):
        totals_of("<html>")


def test_the_cloud_counts_what_the_model_failed_on_and_not_what_it_was_asked_wrongly():
    metrics = Metrics()
    service = DiagnosisService(tiny_loop.engine)
    asyncio.run(service.load())
    kept = KeptDiagnosis(service, AnswerCache(ProcessMemory()), metrics)

    def ask(error, route="/predict"):
        async def make():
            raise error

        with pytest.raises(type(error)):
            asyncio.run(kept._kept(route, "san-juan", {"n": str(error)}, make))

    ask(UnknownFindingError("HP:0000000"))
    ask(ValueError("unforeseen"), route="/explain")
    version = service.engine.version
    assert version not in totals_of(metrics.text().decode())
    ask(ValueError("unforeseen"))
    ask(DdxError("ours"))
    assert totals_of(metrics.text().decode())[version].errors == 2


def mild(_disease):
    return 4


def test_an_arm_with_cases_and_no_telemetry_was_not_told_of(tmp_path):
    write_gold(tmp_path, tiny_loop.cases(5))
    gold = read_cases(tmp_path)
    at = gold.table.schema.get_field_index("bundle_version")
    named = replace(gold, table=gold.table.set_column(at, "bundle_version", pa.array([NEW] * 5)))
    assert not arm_of(named, NEW, {}, mild).told
    assert arm_of(named, CURRENT, {}, mild).told  # no case: nothing to tell
    counted = {NEW: {"cases": 9, "errors": 1, "slow": 4}}
    arm = arm_of(named, NEW, counted, mild)
    assert (arm.told, arm.cases, arm.errors, arm.slow) == (True, 9, 1, 4)


def test_a_telemetry_file_without_a_count_is_refused(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text('{"2026.11.7": {"cases": 9, "errors": 1}}')
    with pytest.raises(StepError, match="slow"):
        read_telemetry(path)


def test_a_rollout_nobody_tells_of_holds_and_goes_back_after_a_day():
    state, _ = decide(State(), Started(at=T0), PLAN)
    told, untold = Arm(cases=200, slow=100), Arm(told=False, cases=200)
    state, effects = decide(
        state, Reported(at=T0 + timedelta(hours=24), current=told, new=untold), PLAN
    )
    assert (state.phase, state.reason) == (Phase.HELD, Signal.TELEMETRY)
    (alert,) = effects
    assert isinstance(alert, Alert)
    assert (alert.code, alert.signal) == ("rollout.held", Signal.TELEMETRY)
    assert state.tests[Signal.ERRORS].new.cases == 0  # nobody counted them
    again, _ = decide(state, Reported(at=T0 + timedelta(hours=25), current=told, new=told), PLAN)
    assert again.phase is Phase.RUNNING
    state, effects = decide(
        state, Reported(at=T0 + timedelta(hours=48), current=told, new=untold), PLAN
    )
    assert state.phase is Phase.ROLLED_BACK
    assert RollBack(signal=Signal.TELEMETRY) in effects
    assert any(isinstance(e, Alert) and e.severity == "critical" for e in effects)
