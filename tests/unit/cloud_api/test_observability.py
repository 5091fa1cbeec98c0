"""Log lines and traces say what happened, and never a word of what was sent."""

import io
import json
import logging
import sys

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until
from support.sync_records import a_known_case

from cloud_api.app import create_app
from cloud_api.observability import logs
from cloud_api.observability.logs import JsonLines, write_json
from cloud_api.observability.traces import MonitorMissingError, provider_of
from cloud_api.settings import CloudSettings
from ddx.domain.wire import case_to_json

PLANTED = "QUISPE-MAMANI-4711"
CASE = case_to_json(a_known_case())


class Breaking(SmallEngine):
    """Fails with what it was asked in the message, as careless code does."""

    def assess(self, case, **asked):
        raise ValueError(f"cannot read {PLANTED} {case!r}")


@pytest.fixture
def lines():
    """Everything any logger writes at any level, as JSON, while the test runs."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    write_json(stream, logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def start(settings):
    def cloud(engine=SmallEngine, **more):
        chosen = settings.model_dump(exclude={"data"}) | more
        return cloud_in_thread(settings.data, open_engine=lambda _: engine(), **chosen)

    return cloud


def plant(cloud, clinic):
    """Send identifiers everywhere a request has room for them."""
    named = CASE | {"name": PLANTED, "findings": [*CASE["findings"], {"id": PLANTED}]}
    clinic.ask("/predict", {"case": CASE, "patient": PLANTED})
    clinic.ask("/predict", {"case": named})
    clinic.ask("/predict", {"case": CASE | {"sex": PLANTED}})
    clinic.ask("/predict", PLANTED.encode())
    clinic.ask("/explain", {"case": CASE, "disease": PLANTED})
    clinic.ask(f"/predict?patient={PLANTED}", {"case": CASE})
    marked = {"X-Patient": PLANTED, "Authorization": f"Bearer {PLANTED}", "User-Agent": PLANTED}
    for method in ("GET", "POST", PLANTED):
        httpx.request(method, f"{cloud.url}/patients/{PLANTED}", headers=marked)
    httpx.post(f"{cloud.url}/v1/sync/batches", content=PLANTED.encode(), headers=marked)
    httpx.get(f"{cloud.url}/bundles/metadata/{PLANTED}.json")


@pytest.mark.parametrize("engine", [SmallEngine, Breaking])
def test_no_log_line_holds_what_a_caller_sent(start, lines, engine):
    with start(engine) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        clinic = Clinic(cloud.url).enrol(cloud.code())
        plant(cloud, clinic)
        exposed = httpx.get(f"{cloud.url}/metrics").text
    written = [line for line in lines() if not line["logger"].startswith(("httpx", "httpcore"))]
    assert PLANTED not in json.dumps(written, ensure_ascii=False)
    assert PLANTED not in exposed
    requests = [line for line in written if line["message"] == "request"]
    assert {"/predict", "/explain", "unmatched"} <= {line["route"] for line in requests}
    if engine is Breaking:
        assert any(line["message"].startswith("unforeseen ValueError") for line in written)


def test_the_search_above_finds_a_line_that_does_hold_it(lines):
    logging.getLogger("cloud_api.careless").info("patient %s", PLANTED)
    assert PLANTED in json.dumps(lines())


def test_of_foreign_modules_only_the_template_is_written_and_of_errors_no_message(lines):
    try:
        raise ValueError(PLANTED)
    except ValueError:
        logging.getLogger("asyncpg.pool").exception("query %s failed", PLANTED)
    (line,) = lines()
    assert line["message"] == "query %s failed"
    assert line["error"]["type"] == "ValueError"
    assert "test_observability.py" in line["error"]["where"]
    assert PLANTED not in json.dumps(line)


def test_fields_not_on_the_list_are_dropped():
    record = logging.getLogger("cloud_api").makeRecord(
        "cloud_api", 20, "", 0, "request", (), None, extra={"status": 200, "patient": PLANTED}
    )
    line = json.loads(JsonLines().format(record))
    assert line["status"] == 200
    assert set(line) <= {"time", "level", "logger", "message", *logs.FIELDS}


def test_a_request_is_one_trace_with_the_engine_in_it_and_joins_its_callers(
    settings, small_engine, lines
):
    spans = InMemorySpanExporter()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    chosen = settings.model_dump(exclude={"data"}) | {"traces_ratio": 1.0}

    def traced(*args, **kwargs):
        return create_app(*args, **kwargs, spans=spans)

    with cloud_in_thread(settings.data, open_engine=small_engine, make=traced, **chosen) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        clinic = Clinic(cloud.url).enrol(cloud.code())
        body = json.dumps({"case": CASE}).encode()
        headers = clinic.transport._signature("POST", "/predict", body) | {"traceparent": parent}
        httpx.post(f"{cloud.url}/predict?patient={PLANTED}", content=body, headers=headers)
        headers = clinic.transport._signature("POST", "/predict", body) | {"traceparent": parent}
        assert httpx.post(f"{cloud.url}/predict", content=body, headers=headers).status_code == 200
        httpx.get(f"{cloud.url}/ready")
    finished = spans.get_finished_spans()
    of_ours = [s for s in finished if format(s.context.trace_id, "032x") in parent]
    answered = next(s for s in of_ours if s.attributes.get("http.response.status_code") == 200)
    engine = next(s for s in of_ours if s.name == "engine")
    assert answered.name == "POST /predict"
    assert engine.parent.span_id == answered.context.span_id
    assert not any("/ready" in span.name for span in finished)
    told = json.dumps([[s.name, dict(s.attributes), len(s.events)] for s in finished])
    assert PLANTED not in told
    assert any(line.get("trace") in parent for line in lines() if line.get("trace"))


def test_without_a_place_to_send_them_there_are_no_traces(settings):
    assert provider_of(settings) is None


def test_traces_go_to_azure_monitor_when_told_where(monkeypatch):
    key = "00000000-0000-0000-0000-000000000000"
    connection = f"InstrumentationKey={key};IngestionEndpoint=https://127.0.0.1:1/"
    told = CloudSettings(monitor_connection=connection)
    provider = provider_of(told)
    assert provider is not None
    provider.shutdown()
    assert key not in repr(told)
    monkeypatch.setitem(sys.modules, "azure.monitor.opentelemetry.exporter", None)
    with pytest.raises(MonitorMissingError):
        provider_of(told)
