"""A real Prometheus scrapes the running service; rules and dashboards read what it exposes."""

import json
import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until
from support.services import prometheus, promtool
from support.sync_records import a_known_case, a_visit

from ddx.domain.wire import case_to_json

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "deploy" / "prometheus" / "vereda.rules.yml"
BOARDS = sorted((REPOSITORY / "deploy" / "grafana").glob("*.json"))
NAME = re.compile(r"\b(?:vereda[a-z_]*|process_[a-z_]+)(?::[a-z0-9_]+)*\b")
CASE = case_to_json(a_known_case())
ABSENT_WHEN_WELL = {
    "vereda_sync_alarms_total",
    "vereda_shared_memory_failures_total",
}
"""Counters with labels that appear when something goes wrong for the first time."""


def expressions(board):
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def rules():
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    shop = BundleWorkshop(folder / "publisher")
    shop.publish("2026.11.1")
    root = folder / "root.json"
    root.write_bytes(shop.trust.root)
    with cloud_in_thread(
        folder / "data", open_engine=lambda _: SmallEngine(), repository=shop.repository, root=root
    ) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        clinic = Clinic(cloud.url).enrol(cloud.code())
        for kind, payload in a_visit()[0]:
            clinic.outbox.add(payload, kind)
        clinic.push()
        cloud.clinic = clinic
        busy(cloud)
        yield cloud


def busy(cloud):
    """Make one request of each kind a dashboard shows."""
    for _ in range(2):
        assert cloud.clinic.ask("/predict", {"case": CASE}).status_code == 200
    httpx.get(f"{cloud.url}/bundles/offer")
    httpx.get(f"{cloud.url}/absent")


@pytest.fixture(scope="module")
def scraped(service):
    """A Prometheus that has scraped the service a few times while it was busy."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "vereda-cloud",
                "static_configs": [{"targets": [service.url.removeprefix("http://")]}],
            }
        ],
    }
    with prometheus(yaml.safe_dump(config)) as server:
        until = time.monotonic() + 30
        while not server.query("vereda:predict_seconds:p99_rate5m > 0"):
            assert time.monotonic() < until
            busy(service)
            time.sleep(0.25)
        yield server


def test_the_service_is_up_and_what_it_counted_arrived(scraped, service):
    (up,) = scraped.query('up{job="vereda-cloud"}')
    assert up["value"][1] == "1"
    (answered,) = scraped.query('vereda_http_requests_total{route="/predict",status="200"}')
    assert float(answered["value"][1]) >= 2
    (bundle,) = scraped.query("vereda_bundle_info")
    assert bundle["metric"]["version"] == SmallEngine().version
    assert not scraped.query('ALERTS{alertstate="firing"}')


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something_of_the_running_service(scraped, path):
    board = json.loads(path.read_text())
    empty = {}
    for expression in expressions(board):
        found = scraped.query(expression.replace("$instance", ".*"))
        if not found and not set(NAME.findall(expression)) & ABSENT_WHEN_WELL:
            empty[expression] = found
    feedback = [e for e in empty if "vereda_feedback_total" in e]
    assert set(empty) == set(feedback)  # nobody decides anything here


def test_rules_and_dashboards_name_only_metrics_that_exist(scraped, service):
    exposed = set(
        re.findall(r"^# TYPE (\S+)", httpx.get(f"{service.url}/metrics").text, re.MULTILINE)
    )
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = recorded | exposed | {f"{n}_{s}" for n in exposed for s in ("bucket", "count", "sum")}
    asked = [rule["expr"] for rule in rules()]
    asked += [e for path in BOARDS for e in expressions(json.loads(path.read_text()))]
    names = {name for expression in asked for name in NAME.findall(expression)}
    names.discard("vereda")  # part of the job's name
    assert names
    assert names - known == set()


def test_the_buckets_hold_the_objectives(scraped):
    bounds = {
        r["metric"]["le"] for r in scraped.query("vereda_http_request_duration_seconds_bucket")
    }
    assert {"0.2", "0.4", "0.5"} <= bounds


def test_there_are_three_dashboards_and_each_is_complete():
    assert [path.stem for path in BOARDS] == ["vereda-fleet", "vereda-model", "vereda-service"]
    for path in BOARDS:
        board = json.loads(path.read_text())
        assert board["uid"] == path.stem
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids) >= 8
        places = [panel["gridPos"] for panel in board["panels"]]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        assert not any(overlap(a, b) for a in places for b in places if a is not b)


def overlap(a, b):
    apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (apart_x or apart_y)


@pytest.mark.parametrize(
    "command",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "vereda.rules.yml"],
        ["test", "rules", "vereda.rules.test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_agrees(command):
    done = subprocess.run(
        [promtool(), *command], cwd=RULES.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_disagrees_when_a_rule_is_wrong(tmp_path):
    for name in ("vereda.rules.yml", "vereda.rules.test.yml"):
        text = (RULES.parent / name).read_text()
        (tmp_path / name).write_text(text.replace("> 14.4 * 0.001", "> 144 * 0.001"))
    done = subprocess.run(
        [promtool(), "test", "rules", "vereda.rules.test.yml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
