"""Whoever is not an enrolled device, or sends what no device sends, is refused in plain terms."""

import base64
import time

import httpx
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.cloud_server import Clinic
from support.sync_records import a_diagnosis, an_identity

from sync_service.client.errors import EnrolmentCodeError, ServerRefusedError
from sync_service.client.identity import DeviceIdentity
from sync_service.client.runner import Phase
from sync_service.client.transport import HttpTransport
from sync_service.protocol import versions
from sync_service.protocol.compression import compress
from sync_service.protocol.signing import signing_input


def signed_headers(clinic, body, *, at_s=None, nonce="ab" * 8, path=versions.BATCHES_PATH):
    at_s = int(time.time()) if at_s is None else at_s
    signature = clinic.identity.sign(
        signing_input(
            method="POST",
            target=path,
            body=body,
            device_id=clinic.identity.device_id,
            timestamp_s=at_s,
            nonce=nonce,
        )
    )
    return {
        versions.DEVICE_HEADER: clinic.identity.device_id,
        versions.TIMESTAMP_HEADER: str(at_s),
        versions.NONCE_HEADER: nonce,
        versions.SIGNATURE_HEADER: base64.b64encode(signature).decode(),
    }


def post(clinic, body, headers, path=versions.BATCHES_PATH):
    return httpx.post(f"{clinic.url}{path}", content=body, headers=headers)


def code_of(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    return answer.status_code, problem["code"]


BODY = b"{}"


def test_an_unsigned_request_is_refused(clinic):
    assert code_of(post(clinic, BODY, {})) == (401, "auth.unsigned")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (versions.SIGNATURE_HEADER, "not base64!"),
        (versions.SIGNATURE_HEADER, base64.b64encode(b"short").decode()),
        (versions.TIMESTAMP_HEADER, "yesterday"),
        (versions.TIMESTAMP_HEADER, "-1"),
        (versions.NONCE_HEADER, "x"),
        (versions.DEVICE_HEADER, ""),
    ],
)
def test_an_unreadable_signature_is_refused(clinic, header, value):
    headers = signed_headers(clinic, BODY) | {header: value}
    assert code_of(post(clinic, BODY, headers)) == (401, "auth.unsigned")


def test_a_device_nobody_enrolled_is_refused(cloud, clinic):
    stranger = Clinic(cloud.url)
    assert code_of(post(stranger, BODY, signed_headers(stranger, BODY))) == (
        401,
        "auth.unknown_device",
    )


def test_an_unenrolled_clinic_keeps_its_records_and_knows_why(cloud):
    stranger = Clinic(cloud.url)
    stranger.outbox.add(a_diagnosis())
    report = stranger.push()
    assert (report.phase, report.code) == (Phase.REFUSED, "auth.unknown_device")
    assert stranger.outbox.counts().pending == 1


def test_a_changed_body_or_path_does_not_fit_the_signature(clinic):
    headers = signed_headers(clinic, BODY)
    assert code_of(post(clinic, b"{ }", headers)) == (401, "auth.signature_invalid")
    assert code_of(post(clinic, BODY, headers, "/predict")) == (401, "auth.signature_invalid")
    with_query = versions.BATCHES_PATH + "?x=1"
    assert code_of(post(clinic, BODY, headers, with_query)) == (401, "auth.signature_invalid")


def test_the_key_of_another_device_does_not_fit(cloud, clinic):
    impostor = Clinic(
        cloud.url,
        identity=DeviceIdentity.from_private_key(
            clinic.identity.device_id, 1, Ed25519PrivateKey.generate()
        ),
    )
    assert code_of(post(impostor, BODY, signed_headers(impostor, BODY))) == (
        401,
        "auth.signature_invalid",
    )


def test_a_replayed_request_is_refused(clinic):
    headers = signed_headers(clinic, BODY)
    assert code_of(post(clinic, BODY, headers)) == (422, "sync.malformed")
    assert code_of(post(clinic, BODY, headers)) == (401, "auth.replayed")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_outside_five_minutes_is_refused_and_the_time_is_told(clinic, minutes):
    headers = signed_headers(clinic, BODY, at_s=int(time.time()) + minutes * 60)
    answer = post(clinic, BODY, headers)
    assert code_of(answer) == (401, "auth.clock_skew")
    assert abs(answer.json()["server_time_s"] - time.time()) < 5


def test_a_clinic_whose_clock_is_two_hours_off_syncs_all_the_same(cloud, clinic):
    clinic.transport = HttpTransport(clinic.http, clinic.identity, now_s=lambda: time.time() - 7200)
    clinic.runner._transport = clinic.transport
    clinic.outbox.add(a_diagnosis())
    assert clinic.push().phase is Phase.IDLE
    assert clinic.outbox.counts().acknowledged == 1
    assert abs(clinic.transport.clock_offset_s - 7200) < 5


def test_a_batch_in_the_name_of_another_device_is_refused(cloud, clinic):
    clinic.outbox.add(a_diagnosis())
    other = an_identity()
    clinic.runner._identity = other
    report = clinic.push()
    assert (report.phase, report.code) == (Phase.REFUSED, "sync.device_mismatch")


def test_a_body_over_one_mebibyte_is_refused_before_it_is_read(clinic):
    body = bytes(versions.MAX_BODY_BYTES + 1)
    assert code_of(post(clinic, body, signed_headers(clinic, body))) == (413, "sync.too_large")


def test_an_endless_body_is_cut(clinic):
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 1 << 16
            yield bytes(1 << 16)

    try:
        answer = post(clinic, endless(), {})
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server hung up while we were still talking
    assert sent < 64 << 20


def test_a_zstd_bomb_is_refused(clinic):
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(512 << 20))
    assert len(bomb) < versions.MAX_BODY_BYTES
    headers = signed_headers(clinic, bomb) | {"Content-Encoding": "zstd"}
    began = time.monotonic()
    assert code_of(post(clinic, bomb, headers)) == (413, "sync.too_large")
    assert time.monotonic() - began < 20  # 512 MiB were never unpacked


def test_another_encoding_is_refused(clinic):
    headers = signed_headers(clinic, BODY) | {"Content-Encoding": "gzip"}
    assert code_of(post(clinic, BODY, headers)) == (415, "sync.encoding_unsupported")


def test_a_deeply_nested_message_is_malformed_not_a_crash(clinic):
    body = compress(b'{"schema_version":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    headers = signed_headers(clinic, body) | {"Content-Encoding": "zstd"}
    assert code_of(post(clinic, body, headers)) == (422, "sync.malformed")


def test_a_version_of_the_future_is_told_so(clinic):
    body = b'{"schema_version": 99}'
    answer = post(clinic, body, signed_headers(clinic, body))
    assert code_of(answer) == (409, "sync.schema_unsupported")


def test_problems_are_told_in_the_language_asked_for(clinic):
    spanish = post(clinic, BODY, {}).json()["title"]
    english = post(clinic, BODY, {"Accept-Language": "en-GB, es;q=0.5"}).json()["title"]
    assert spanish == "Falta la firma del equipo"
    assert english == "The device signature is missing"


def test_a_code_serves_one_device_once_but_a_lost_answer_may_be_asked_again(cloud):
    code = cloud.code()
    first, second = Clinic(cloud.url), Clinic(cloud.url)
    first.enrol(code)
    first.enrol(code.lower())
    with pytest.raises(ServerRefusedError) as refused:
        second.enrol(code)
    assert refused.value.problem == "enrolment.refused"
    assert len(cloud.rows("SELECT 1 FROM device")) == 1


def test_a_guessed_code_enrols_nobody(cloud):
    with pytest.raises(ServerRefusedError) as refused:
        Clinic(cloud.url).enrol("AAAA-BBBB-CCCC-DDDD")
    assert refused.value.status == 403
    assert cloud.rows("SELECT 1 FROM device") == []


def test_what_is_not_a_code_is_not_sent(cloud):
    with pytest.raises(EnrolmentCodeError):
        Clinic(cloud.url).enrol("hola")


def test_a_taken_device_id_cannot_get_another_key(cloud, clinic):
    thief = Clinic(
        cloud.url,
        identity=DeviceIdentity.from_private_key(
            clinic.identity.device_id, 1, Ed25519PrivateKey.generate()
        ),
    )
    code = cloud.code()
    with pytest.raises(ServerRefusedError):
        thief.enrol(code)
    Clinic(cloud.url).enrol(code)  # and the code was not spent on it
