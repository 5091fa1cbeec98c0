"""What comes back from a server, a proxy or a captive portal, and what the client makes of it."""

import json
import ssl

import httpx
import pytest
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_diagnosis, an_identity

from sync_service.client import transport as transport_module
from sync_service.client.errors import (
    ServerAddressError,
    ServerBusyError,
    ServerClockError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.runner import Phase, Runner
from sync_service.client.transport import HttpTransport, checked_address, make_client
from sync_service.protocol.compression import compress


def answering(answer, now_s=lambda: 1_000_000.0):
    client = httpx.Client(
        base_url="https://cloud.example", transport=httpx.MockTransport(lambda _: answer)
    )
    return HttpTransport(client, an_identity(), now_s=now_s)


def streamed(status, content=b"", **headers):
    """An answer as it comes from a socket: not read yet."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, stream=httpx.ByteStream(content), headers=named)


def problem(status, code, headers=None, **members):
    content = json.dumps({"code": code, "status": status, **members}).encode()
    return streamed(status, content, Content_Type="application/problem+json", **(headers or {}))


@pytest.mark.parametrize(
    "answer",
    [
        streamed(200, b"<html>Bienvenido al hotel</html>"),
        streamed(200, b'{"hello": "world"}'),
        streamed(302, Location="https://portal.example"),
        streamed(403, b"blocked by policy"),
        streamed(422, b'{"code": "sync.malformed"}', Content_Type="application/json"),
        streamed(422, b"[]", Content_Type="application/problem+json"),
        streamed(422, b"{", Content_Type="application/problem+json"),
        streamed(502),
        problem(500, "internal"),
        streamed(200, b"not zstd", Content_Encoding="zstd"),
        streamed(200, compress(bytes(64 << 20)), Content_Encoding="zstd"),
        streamed(200, b" " * (2 << 20)),
    ],
)
def test_an_answer_that_is_not_our_servers_counts_as_no_link(answer):
    with pytest.raises(ServerUnreachableError):
        answering(answer).status()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [({"Retry_After": "120"}, 120.0), ({}, None), ({"Retry_After": "x"}, None)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_when_to_come_back(status, header, seconds):
    with pytest.raises(ServerBusyError) as busy:
        answering(problem(status, "sync.busy", header)).status()
    assert busy.value.retry_after_s == seconds


def test_a_refusal_carries_the_servers_code():
    with pytest.raises(ServerRefusedError) as refused:
        answering(problem(401, "auth.unknown_device")).status()
    assert (refused.value.problem, refused.value.status) == ("auth.unknown_device", 401)


def test_a_clock_refusal_tells_the_difference():
    with pytest.raises(ServerClockError) as skewed:
        answering(problem(401, "auth.clock_skew", server_time_s=1_000_900.5)).status()
    assert skewed.value.offset_s == 900.5


@pytest.mark.parametrize(
    "address",
    [
        "http://cloud.example",
        "http://10.0.0.1:8077",
        "ftp://127.0.0.1",
        "https://",
        "cloud.example",
        "http://localhost.evil.example",
    ],
)
def test_records_go_nowhere_unencrypted(address):
    with pytest.raises(ServerAddressError):
        checked_address(address)


@pytest.mark.parametrize(
    "address",
    ["https://cloud.example", "http://127.0.0.1:8077", "http://[::1]:80", "http://localhost:1"],
)
def test_https_and_this_machine_are_allowed(address):
    assert checked_address(address) == address


def test_a_dead_address_is_a_phase_not_an_error():
    identity, outbox = an_identity(), MemoryOutbox()
    outbox.add(a_diagnosis())
    with make_client("http://127.0.0.1:9") as http:
        runner = Runner(outbox, HttpTransport(http, identity), identity, software=lambda: SOFTWARE)
        report = runner.run_once()
    assert (report.phase, report.code) == (Phase.OFFLINE, "sync.unreachable")
    assert outbox.counts().pending == 1


def test_an_answer_that_drips_for_ever_is_left(monkeypatch):
    monkeypatch.setattr(transport_module, "DEADLINE_S", -1.0)
    with pytest.raises(ServerUnreachableError, match="end"):
        answering(streamed(200, b"{}")).status()


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_of_our_server_is_read(compressed):
    fields = {"device_id": an_identity().device_id, "stored": 3}
    content = json.dumps({**fields, "server_time": "2026-11-23T12:00:00Z"}).encode()
    answer = streamed(200, content)
    if compressed:
        answer = streamed(200, compress(content), Content_Encoding="zstd")
    assert answering(answer).status().stored == 3


def counting(answer):
    """A transport over whatever `answer` does with a request, and the bytes it counted."""
    counted = []
    client = httpx.Client(base_url="https://cloud.example", transport=httpx.MockTransport(answer))
    return HttpTransport(client, an_identity(), counted=counted.append), counted


def failing(error, cause=None):
    def answer(request):
        raise error from cause

    return answer


@pytest.mark.parametrize(
    ("answer", "spoke"),
    [
        (failing(httpx.ConnectError("no route")), False),
        (failing(httpx.ConnectTimeout("no answer")), False),
        (failing(httpx.ConnectError("tls"), ssl.SSLCertVerificationError()), True),
        (failing(httpx.ReadTimeout("silence")), True),
        (lambda _: streamed(502), True),
        (lambda _: streamed(200, b"<html>Bienvenido al hotel</html>"), True),
    ],
)
def test_bytes_count_only_where_somebody_took_them(answer, spoke):
    transport, counted = counting(answer)
    with pytest.raises(ServerUnreachableError) as refused:
        transport.status()
    assert refused.value.spoke is spoke
    assert bool(sum(counted)) is spoke
