"""Device signatures and the memory of nonces, with a clock in hand."""

import base64
from datetime import timedelta

import pytest
from support.sync_records import NOON, an_identity

from cloud_api.auth.device import DeviceAuthenticator
from cloud_api.auth.directory import SqlDirectory, new_code
from cloud_api.auth.nonces import ProcessNonces
from sync_service.gateway.devices import Device, SignedRequest
from sync_service.protocol.errors import (
    ClockSkewError,
    EnrolmentRefusedError,
    GatewayBusyError,
    ReplayedRequestError,
    SignatureInvalidError,
    UnknownDeviceError,
)
from sync_service.protocol.messages import EnrolmentRequest
from sync_service.protocol.signing import signing_input

DEVICE = an_identity()


def a_request(at=NOON, nonce="0123456789abcdef", **changed):
    parts = {"method": "POST", "target": "/sync/v1/batches", "body": b"x"}
    signature = DEVICE.sign(
        signing_input(
            **parts, device_id=DEVICE.device_id, timestamp_s=int(at.timestamp()), nonce=nonce
        )
    )
    headers = {
        "x-vereda-device": DEVICE.device_id,
        "x-vereda-timestamp": str(int(at.timestamp())),
        "x-vereda-nonce": nonce,
        "x-vereda-signature": base64.b64encode(signature).decode(),
    }
    return SignedRequest(**(parts | changed), headers=headers)


class Clock:
    now = NOON


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def authenticator(clock):
    async def find(device_id):
        known = device_id == DEVICE.device_id
        return Device(id=device_id, public_key=DEVICE.public_key) if known else None

    return DeviceAuthenticator(find, ProcessNonces(), lambda: clock.now)


async def test_a_signed_request_names_its_device(authenticator):
    assert (await authenticator.device_of(a_request())).id == DEVICE.device_id


@pytest.mark.parametrize(
    "changed", [{"method": "PUT"}, {"target": "/sync/v1/batches?a=1"}, {"body": b"y"}]
)
async def test_a_signature_covers_method_target_and_body(authenticator, changed):
    with pytest.raises(SignatureInvalidError):
        await authenticator.device_of(a_request(**changed))


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_five_minutes_either_way_are_believed(authenticator, seconds):
    assert await authenticator.device_of(a_request(NOON + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_more_than_five_minutes_are_not(authenticator, seconds):
    with pytest.raises(ClockSkewError):
        await authenticator.device_of(a_request(NOON + timedelta(seconds=seconds)))


async def test_a_nonce_is_remembered_for_as_long_as_its_signature_could_serve(authenticator, clock):
    early = a_request(NOON + timedelta(seconds=300))  # a device whose clock is ahead
    await authenticator.device_of(early)
    clock.now = NOON + timedelta(seconds=600)  # the last moment its timestamp is believed
    with pytest.raises(ReplayedRequestError):
        await authenticator.device_of(early)


async def test_an_enrolment_is_signed_by_the_key_it_brings(authenticator):
    stranger = Device(id=DEVICE.device_id, public_key=an_identity().public_key)
    with pytest.raises(SignatureInvalidError):
        await authenticator.check_proof(a_request(), stranger)
    with pytest.raises(SignatureInvalidError):
        await authenticator.check_proof(a_request(), Device(id="other", public_key=b"k" * 32))


async def test_nonces_are_forgotten_when_they_can_no_longer_be_replayed():
    memory = ProcessNonces(capacity=2)
    assert await memory.first_time("d", "a", now_s=0, keep_s=10)
    assert await memory.first_time("d", "b", now_s=5, keep_s=10)
    assert not await memory.first_time("d", "a", now_s=10, keep_s=10)
    with pytest.raises(GatewayBusyError):
        await memory.first_time("d", "c", now_s=10, keep_s=10)
    assert await memory.first_time("d", "c", now_s=11, keep_s=10)


def test_codes_are_never_the_same_and_can_be_read_aloud():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert not set("".join(codes)) & set("ILOU")


def an_enrolment(code, device=DEVICE):
    return EnrolmentRequest(
        device_id=device.device_id,
        code=code,
        public_key=device.public_key_text,
        app_version="0.1.0",
    )


async def test_a_code_past_its_time_enrols_nobody(database):
    directory = SqlDirectory(database)
    code = await directory.issue_code(now=NOON, lifetime=timedelta(hours=1))
    late = NOON + timedelta(hours=1)
    with pytest.raises(EnrolmentRefusedError):
        await directory.enrol(an_enrolment(code), DEVICE.public_key, late)
    await directory.enrol(an_enrolment(code), DEVICE.public_key, late - timedelta(seconds=1))
    assert (await directory.find(DEVICE.device_id)).public_key == DEVICE.public_key


async def test_a_lost_answer_may_be_asked_again_even_after_the_code_is_too_old(database):
    directory = SqlDirectory(database)
    code = await directory.issue_code(now=NOON, lifetime=timedelta(hours=1))
    await directory.enrol(an_enrolment(code), DEVICE.public_key, NOON)
    await directory.enrol(an_enrolment(code), DEVICE.public_key, NOON + timedelta(days=2))


async def test_an_unknown_device_is_refused_by_name(authenticator):
    request = a_request()
    stranger = {**request.headers, "x-vereda-device": "somebody"}
    with pytest.raises(UnknownDeviceError):
        await authenticator.device_of(
            SignedRequest(method="POST", target="/", body=b"", headers=stranger)
        )
