"""What a request meets before and after it is answered, over real HTTP."""

import json
import re
import socket

import httpx
import pytest
import zstandard
from support.cloud_server import Clinic, cloud_in_thread, wait_until
from support.sync_records import a_known_case

from cloud_api.limits.edge import PROBES
from ddx.domain.wire import case_to_json

CASE = case_to_json(a_known_case())
ELSEWHERE = ("192.0.2.0/24",)


@pytest.fixture
def open_cloud(settings, small_engine):
    """Start a cloud with some settings; ended with the test."""
    running = []

    def start(**changed):
        chosen = settings.model_dump(exclude={"data"}) | changed
        opened = cloud_in_thread(settings.data, open_engine=small_engine, **chosen)
        running.append(opened)
        cloud = opened.__enter__()
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        return cloud

    yield start
    for opened in reversed(running):
        opened.__exit__(None, None, None)


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_subject_beyond_its_rate_is_told_when_to_come_again(open_cloud):
    cloud = open_cloud(subject_per_minute=3)
    first, second = (Clinic(cloud.url).enrol(cloud.code()) for _ in range(2))
    for _ in range(3):
        assert first.ask("/predict", {"case": CASE}).status_code == 200
    refused = first.ask("/predict", {"case": CASE})
    assert problem(refused) == (429, "limit.too_many")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert second.ask("/predict", {"case": CASE}).status_code == 200


def test_requests_of_nobody_do_not_use_up_the_rate_of_anybody(open_cloud):
    cloud = open_cloud(subject_per_minute=2)
    clinic = Clinic(cloud.url).enrol(cloud.code())
    for _ in range(5):
        assert httpx.post(f"{cloud.url}/predict", json={"case": CASE}).status_code == 401
    assert clinic.ask("/predict", {"case": CASE}).status_code == 200


def test_an_address_that_floods_is_refused_before_anything_is_looked_at(open_cloud):
    cloud = open_cloud(address_per_minute=4)
    codes = [httpx.get(f"{cloud.url}/absent").status_code for _ in range(6)]
    assert codes[:4] == [404] * 4
    assert codes[-1] == 429  # the fifth may still pass where a minute begins between them
    for probe in PROBES:
        assert httpx.get(cloud.url + probe).status_code == 200


def test_only_networks_on_the_list_are_answered_but_probes_always(open_cloud):
    cloud = open_cloud(allowed_networks=ELSEWHERE)
    assert problem(httpx.get(f"{cloud.url}/openapi.json")) == (403, "limit.address")
    for probe in PROBES:
        assert httpx.get(cloud.url + probe).status_code == 200
    assert httpx.get(f"{cloud.url}/metrics").status_code == 200


def test_metrics_are_read_from_the_networks_of_the_scrapers_only(open_cloud):
    cloud = open_cloud(scrape_networks=ELSEWHERE)
    assert problem(httpx.get(f"{cloud.url}/metrics")) == (403, "limit.address")
    assert httpx.get(f"{cloud.url}/openapi.json").status_code == 200


def test_a_body_that_says_it_is_too_long_is_refused_unread(open_cloud):
    cloud = open_cloud(body_limit_bytes=2048)
    host, port = cloud.url.removeprefix("http://").split(":")
    head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {10**12}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(head.encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_say_its_length_is_counted(open_cloud):
    cloud = open_cloud(body_limit_bytes=2048)
    headers = Clinic(cloud.url).transport._signature("POST", "/predict", b"")

    def chunks():
        for _ in range(5):
            yield bytes(1000)

    answer = httpx.post(f"{cloud.url}/predict", content=chunks(), headers=headers)
    assert problem(answer) == (413, "sync.too_large")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd, gzip"])
def test_what_nobody_unpacks_is_refused_at_the_door(open_cloud, encoding):
    cloud = open_cloud()
    answer = httpx.post(
        f"{cloud.url}/predict", content=b"x", headers={"Content-Encoding": encoding}
    )
    assert problem(answer) == (415, "sync.encoding_unsupported")


def test_a_small_frame_that_unpacks_to_much_is_refused(open_cloud):
    cloud = open_cloud()
    clinic = Clinic(cloud.url).enrol(cloud.code())
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(64 << 20))
    assert len(bomb) < 16 << 10
    headers = clinic.transport._signature("POST", "/predict", bomb) | {"Content-Encoding": "zstd"}
    answer = httpx.post(f"{cloud.url}/predict", content=bomb, headers=headers)
    assert problem(answer) == (413, "sync.too_large")


def test_every_answer_says_what_a_browser_may_not_do_with_it(open_cloud):
    cloud = open_cloud(address_per_minute=5)
    answers = [httpx.get(cloud.url + path) for path in ("/health", "/absent", "/docs")]
    answers.append(httpx.post(f"{cloud.url}/predict", json={}))
    answers += [httpx.get(f"{cloud.url}/absent") for _ in range(3)]
    assert {a.status_code for a in answers} == {200, 401, 404, 429}
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_documentation_needs_no_other_host(open_cloud):
    cloud = open_cloud()
    page = httpx.get(f"{cloud.url}/docs")
    loaded = re.findall(r"""(?:src|href|url: )=?\s*["']([^"']+)["']""", page.text)
    assert len(loaded) >= 4
    for address in loaded:
        assert address.startswith("/"), address
        assert httpx.get(cloud.url + address).status_code == 200, address
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_same_question_is_computed_once_for_an_organisation(open_cloud):
    cloud = open_cloud()
    clinic = Clinic(cloud.url).enrol(cloud.code())
    spelt = json.dumps({"limit": 5, "language": "en", "case": CASE}, indent=2).encode()
    asked = ({"case": CASE, "limit": 5, "language": "en"}, spelt, {"case": CASE, "limit": 5})
    first, second, spanish = (clinic.ask("/predict", content) for content in asked)
    assert first.json()["differential"] == second.json()["differential"]
    assert first.json()["candidates"][0]["name"] != spanish.json()["candidates"][0]["name"]
    assert cloud.metric('vereda_answer_cache_total{outcome="hit"}') == 1
    assert cloud.metric('vereda_answer_cache_total{outcome="miss"}') == 2
    assert cloud.metric('vereda_engine_duration_seconds_count{route="/predict"}') == 2
    bundle = first.json()["bundle_version"]
    assert cloud.metric(f'vereda_model_duration_seconds_count{{bundle="{bundle}"}}') == 2
    assert cloud.metric(f'vereda_model_errors_total{{bundle="{bundle}"}}') is None
    leading = first.json()["candidates"][0]
    labels = f'band="{leading["confidence"]["band"]}",world="{leading["world"]}"'
    assert cloud.metric(f"vereda_predictions_total{{{labels}}}") == 3


def test_two_organisations_never_share_an_answer(open_cloud):
    cloud = open_cloud()
    for tenant in ("san-juan", "el-alto"):
        clinic = Clinic(cloud.url).enrol(cloud.code(tenant_id=tenant))
        assert clinic.ask("/predict", {"case": CASE}).status_code == 200
    assert cloud.metric('vereda_answer_cache_total{outcome="miss"}') == 2
    assert cloud.metric('vereda_answer_cache_total{outcome="hit"}') is None


def test_two_workers_on_one_redis_share_answers_and_seen_signatures(open_cloud, redis_address):
    first = open_cloud(redis_url=redis_address)
    second = open_cloud(redis_url=redis_address)
    clinic = Clinic(first.url).enrol(first.code())
    body = json.dumps({"case": CASE}).encode()
    headers = clinic.transport._signature("POST", "/predict", body)
    assert httpx.post(f"{first.url}/predict", content=body, headers=headers).status_code == 200
    replayed = httpx.post(f"{second.url}/predict", content=body, headers=headers)
    assert problem(replayed) == (401, "auth.replayed")
    again = clinic.transport._signature("POST", "/predict", body)
    assert httpx.post(f"{second.url}/predict", content=body, headers=again).status_code == 200
    assert second.metric('vereda_answer_cache_total{outcome="hit"}') == 1
