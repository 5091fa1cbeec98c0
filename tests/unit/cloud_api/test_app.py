"""The whole application in one process: diagnosis, health, metrics, documentation."""

import json
import re

import httpx
import pytest
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until
from support.sync_records import a_known_case

from cloud_api.__main__ import main
from cloud_api.app import create_app
from cloud_api.diagnose.schemas import MAX_AGE_DAYS, Receipted
from cloud_api.metrics.metrics import BUCKETS_S
from ddx.domain.wire import case_to_json, differential_from_json, explanation_from_json
from ddx.intake.limits import POSSIBLE
from model_bundles.errors import BundleTamperedError


@pytest.fixture
def cloud(settings, small_engine):
    chosen = settings.model_dump(exclude={"data"})
    with cloud_in_thread(settings.data, open_engine=small_engine, **chosen) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        yield running


@pytest.fixture
def clinic(cloud):
    return Clinic(cloud.url).enrol(cloud.code())


CASE = case_to_json(a_known_case())
UNANSWERED = {"id": "HP:0001945", "presence": "unknown"}
UNSAID = {"sex": "female", "findings": [UNANSWERED]}
UNHEARD_OF = {"id": "HP:9999999", "presence": "present"}


def test_a_case_comes_back_as_a_differential_with_its_bundle(clinic, settings):
    answer = clinic.ask("/predict", {"case": CASE, "limit": 5})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    differential = differential_from_json(answer.json()["differential"])
    assert len(differential.candidates) == 5
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["bundle_digest"])


def test_the_answer_says_how_sure_how_grave_why_what_to_do_and_what_to_ask(clinic):
    told = clinic.ask("/predict", {"case": CASE, "limit": 3, "explained": 1, "language": "en"})
    said = Receipted.model_validate_json(told.content)
    assert said.unknown_fields() == ()
    first, *others = said.candidates
    listed = differential_from_json(said.differential).candidates
    assert [c.disease for c in said.candidates] == [c.disease for c in listed]
    assert first.confidence.probability == listed[0].probability
    assert first.confidence.band == listed[0].band.value
    assert (first.name, first.severity, first.not_excluded) == ("Dengue fever", 3, True)
    assert [a.text for a in first.recommendations] == ["Give fluids."]
    assert first.recommendations[0].guideline == "OPS. Guía. 2022"
    assert first.explanation is not None
    assert all(c.explanation is None and c.recommendations == () for c in others)
    assert [flag.code for flag in said.red_flags] == ["news2.high"]
    assert 1 <= said.triage.level <= 5


def test_the_next_question_or_why_to_stop_never_both(clinic):
    for findings in ([], [{"id": "HP:0001945", "presence": "excluded"}]):
        vitals = {"temperature_c": 37}
        case = {"age_days": 9_000, "sex": "female", "findings": findings, "vitals": vitals}
        said = clinic.ask("/predict", {"case": case}).json()
        assert (said["next_question"] is None) is (said["stop_asking"] is not None)
        assert (said["next_question"] is None) is bool(findings)


def test_a_disease_of_the_case_is_explained(clinic):
    answer = clinic.ask("/explain", {"case": CASE, "disease": "VD:dengue"})
    assert explanation_from_json(answer.json()["explanation"]).disease == "VD:dengue"
    assert answer.json()["bundle_version"] == "2026.11.1"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("/predict", b"not json", (422, "sync.malformed")),
        ("/predict", {}, (422, "sync.malformed")),
        ("/predict", {"case": CASE, "language": "fr"}, (422, "sync.malformed")),
        ("/predict", {"case": CASE, "explained": 11}, (422, "sync.malformed")),
        ("/predict", {"case": CASE | {"age_days": -3}}, (422, "sync.malformed")),
        ("/predict", {"case": CASE | {"age_days": "3"}}, (422, "sync.malformed")),
        ("/predict", {"case": CASE | {"sex": "banana"}}, (422, "case.invalid")),
        ("/predict", {"case": CASE | {"vitals": {"mood": 3}}}, (422, "case.invalid")),
        ("/predict", {"case": {"sex": "female"}}, (422, "case.invalid")),
        ("/predict", {"case": UNSAID}, (422, "case.invalid")),
        ("/predict", {"case": CASE | {"findings": [UNHEARD_OF]}}, (422, "finding.unknown")),
        (
            "/explain",
            {"case": CASE | {"findings": [UNHEARD_OF]}, "disease": "VD:dengue"},
            (422, "finding.unknown"),
        ),
        (
            "/predict",
            {"case": CASE | {"findings": [CASE["findings"][0]] * 2}},
            (422, "case.invalid"),
        ),
        ("/predict", {"case": CASE, "limit": 10**9}, (422, "sync.malformed")),
        ("/predict", b" " * (300 << 10), (413, "sync.too_large")),
        ("/explain", {"case": CASE, "disease": "OMIM:1"}, (404, "disease.unknown")),
        ("/explain", {"case": CASE, "disease": "gripe"}, (422, "sync.malformed")),
    ],
)
def test_a_bad_question_is_refused_in_plain_terms(clinic, path, content, expected):
    answer = clinic.ask(path, content)
    assert (answer.status_code, answer.json()["code"]) == expected


@pytest.mark.parametrize(
    ("slip", "where"),
    [
        ({"temperature_c": 102.4}, "temperature_c"),
        ({"temperature_c": 393}, "temperature_c"),
        ({"spo2_percent": 0.85}, "spo2_percent"),
        ({"spo2_percent": 950}, "spo2_percent"),
        ({"heart_rate_bpm": -5}, "heart_rate_bpm"),
        ({"systolic_mmhg": 70, "diastolic_mmhg": 110}, "diastolic_mmhg"),
    ],
)
def test_a_vital_sign_no_patient_shows_is_refused_by_its_name(clinic, slip, where):
    answer = clinic.ask("/predict", {"case": CASE | {"vitals": slip}})
    assert (answer.status_code, answer.json()["where"]) == (422, f"case.vitals.{where}")


def test_bounds_are_those_of_the_screen(clinic):
    for name, possible in POSSIBLE.items():
        for value in (possible.low, possible.high):
            case = CASE | {"vitals": {name: value}}
            assert clinic.ask("/predict", {"case": case}).status_code == 200, (name, value)


def test_nobody_is_older_than_the_screen_takes(clinic):
    for days, status in ((MAX_AGE_DAYS, 200), (MAX_AGE_DAYS + 1, 422)):
        answer = clinic.ask("/predict", {"case": CASE | {"age_days": days}})
        assert answer.status_code == status


def test_nobody_asks_without_being_enrolled(cloud):
    for path in ("/predict", "/explain"):
        assert httpx.post(cloud.url + path, json={"case": CASE}).status_code == 401


def test_health_ready_and_metrics_answer(cloud, clinic):
    assert httpx.get(f"{cloud.url}/health").json() == {"status": "alive"}
    assert httpx.get(f"{cloud.url}/ready").json()["ready"] is True
    clinic.ask("/predict", {"case": CASE})
    label = 'route="/predict"'
    assert cloud.metric(f'vereda_http_requests_total{{method="POST",{label},status="200"}}') == 1
    assert {0.2, 0.4, 0.5} <= set(BUCKETS_S)
    for bound in ("0.2", "0.4", "0.5"):
        name = f'vereda_http_request_duration_seconds_bucket{{le="{bound}",method="POST",{label}}}'
        assert cloud.metric(name) is not None


def test_paths_nobody_defined_do_not_become_labels(cloud):
    for path in (
        "/pacientes/zenobia",
        "/bundles/metadata/zenobia.json",
        "/bundles/targets/zenobia",
    ):
        assert httpx.get(cloud.url + path).status_code == 404
    assert "zenobia" not in httpx.get(f"{cloud.url}/metrics").text


def test_an_engine_that_cannot_start_is_said_and_sync_goes_on(settings):
    def refuses(artifacts):
        raise BundleTamperedError("changed")

    chosen = settings.model_dump(exclude={"data"})
    with cloud_in_thread(settings.data, open_engine=refuses, **chosen) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state != "loading")
        ready = httpx.get(f"{cloud.url}/ready")
        assert (ready.status_code, ready.json()["engine"]) == (503, "bundle.tampered")
        clinic = Clinic(cloud.url).enrol(cloud.code())
        answer = clinic.ask("/predict", {"case": CASE})
        assert (answer.status_code, answer.json()["code"]) == (503, "engine.not_ready")
        assert answer.headers["Retry-After"] == "30"
        assert clinic.transport.status().stored == 0


def test_the_documentation_refers_to_nothing_that_is_not_in_it(settings, small_engine):
    document = create_app(settings, open_engine=small_engine).openapi()
    schemas = document["components"]["schemas"]
    references = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert references <= schemas.keys()
    assert {"SyncBatch", "BatchReceipt", "EnrolmentRequest", "PredictRequest"} <= schemas.keys()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "cloud.example"])
def test_the_command_refuses_to_be_reached_from_outside(host, tmp_path, capsys):
    assert main(["--host", host, "--data", str(tmp_path / "data")]) == 2
    assert "--allow-remote" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_said_in_plain_words(cloud, tmp_path, capsys):
    port = cloud.url.rsplit(":", 1)[1]
    assert main(["--port", port, "--data", str(tmp_path / "other")]) == 2
    assert port in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_said_in_plain_words(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--port", "0", "--data", str(tmp_path / "file" / "data")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_the_issuer_for_one_machine_is_refused_where_others_can_listen(tmp_path, capsys):
    data = str(tmp_path / "data")
    asked = ["--dev-issuer", "--allow-remote", "--host", "0.0.0.0", "--data", data]
    assert main(asked) == 2
    assert "--dev-issuer" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_token_of_that_issuer_opens_this_machines_cloud_only(settings, tmp_path, capsys):
    assert main(["--data", str(settings.data), "--dev-token", "Auditor"]) == 0
    token = capsys.readouterr().out.strip()
    key = settings.data / "dev-issuer.pem"
    assert key.stat().st_mode & 0o077 == 0
    headers = {"authorization": f"Bearer {token}"}
    chosen = settings.model_dump(exclude={"data", "dev_issuer"})
    for data, believes, expected in (
        (settings.data, True, 200),
        (settings.data, False, 401),
        (tmp_path / "other", True, 401),
    ):
        with cloud_in_thread(data, open_engine=SmallEngine, dev_issuer=believes, **chosen) as cloud:
            assert httpx.get(f"{cloud.url}/me", headers=headers).status_code == expected
