"""The wire: what survives, what is refused, what never leaves."""

import io
import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.sync_records import NOON, a_diagnosis, a_receipt, a_refusal, audit_entries

from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.engine_time import SLOWEST_S
from ddx.domain.identifiers import new_record_id
from sync_service.client.outgoing import audit_payload, diagnosis_payload, model_failure_payload
from sync_service.protocol import compression
from sync_service.protocol.ages import coarse_age_days
from sync_service.protocol.allowlist import objection_to_sending, objection_to_storing
from sync_service.protocol.codes import RejectReason
from sync_service.protocol.errors import MessageMalformedError, MessageTooLargeError
from sync_service.protocol.messages import RecordResult, SyncBatch, SyncEvent


def sending(kind, payload):
    return objection_to_sending(kind, payload, digest_of(payload))


def storing(kind, payload):
    return objection_to_storing(kind, payload, digest_of(payload))


def a_batch_json():
    payload = a_diagnosis()
    return {
        "schema_version": 1,
        "device_id": new_record_id(),
        "epoch": 1,
        "batch_id": "b1",
        "app_version": "0.1.0",
        "sent_at": NOON.isoformat(),
        "weather": "rain",
        "events": [
            {
                "id": new_record_id(),
                "sequence": 1,
                "kind": "referral",
                "created_at": NOON.isoformat(),
                "payload": payload,
                "payload_sha256": digest_of(payload),
                "urgency": {"level": 3},
            }
        ],
    }


@pytest.mark.parametrize("seconds", [0.0005, 0.031, 2.0, 60.0])
def test_the_time_of_an_engine_leaves_as_a_step(seconds):
    receipt = a_receipt()
    payload = diagnosis_payload(receipt, patient_pseudonym="7c" * 32, engine_seconds=seconds)
    assert payload["engine_s"] >= min(seconds, SLOWEST_S)
    assert sending("diagnosis", payload) is None
    untold = diagnosis_payload(receipt, patient_pseudonym="7c" * 32)
    assert "engine_s" not in untold
    assert sending("diagnosis", untold) is None


def test_a_failure_of_a_model_leaves_with_nothing_of_a_case():
    payload = model_failure_payload(version="2026.11.7", digest="a" * 64, failed_at=NOON)
    assert sending("model_failure", payload) is None
    for more in ({"case": a_diagnosis()["case"]}, {"patient_pseudonym": "7c" * 32}):
        objection = sending("model_failure", payload | more)
        assert objection.reason is RejectReason.NOT_ALLOWED_OUT


def test_fields_of_a_newer_sender_survive_a_round_trip():
    raw = a_batch_json()
    again = json.loads(SyncBatch.model_validate_json(json.dumps(raw)).wire_bytes())
    assert again["weather"] == "rain"
    assert again["events"][0]["urgency"] == {"level": 3}
    assert again["events"][0]["payload"] == raw["events"][0]["payload"]


def test_kinds_and_statuses_of_a_newer_sender_survive():
    batch = SyncBatch.model_validate_json(json.dumps(a_batch_json()))
    assert batch.events[0].kind == "referral"
    result = RecordResult.model_validate_json(
        json.dumps({"id": new_record_id(), "status": "postponed"})
    )
    assert result.status == "postponed"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda below: st.lists(below) | st.dictionaries(st.text("abcé\u2028"), below),
        max_leaves=20,
    )
)
def test_the_digest_of_a_payload_is_the_same_after_the_wire(value):
    payload = {"value": value}
    event = SyncEvent(
        id=new_record_id(),
        sequence=1,
        kind="any",
        created_at=NOON,
        payload=payload,
        payload_sha256=digest_of(payload),
    )
    arrived = SyncEvent.model_validate_json(event.wire_bytes())
    assert digest_of(arrived.payload) == event.payload_sha256


def test_a_refused_value_is_not_quoted_in_the_error():
    raw = a_batch_json() | {"epoch": "Zenobia Quispe"}
    with pytest.raises(ValidationError) as refused:
        SyncBatch.model_validate_json(json.dumps(raw))
    assert "Zenobia" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("diagnosis", a_diagnosis()),
        ("feedback", a_refusal()),
        ("audit", audit_payload(audit_entries(3))),
        ("audit", audit_payload(audit_entries(6)[3:])),
    ],
)
def test_what_the_clinic_builds_may_leave_and_is_stored(kind, payload):
    assert sending(kind, payload) is None
    assert storing(kind, payload) is None


NAME = "Zenobia Quispe Mamani"


def with_value(path, value):
    payload = json.loads(canonical_json(a_diagnosis()))
    *parents, last = path
    place = payload
    for step in parents:
        place = place[step]
    place[last] = value
    return payload


@pytest.mark.parametrize(
    "path",
    [
        ("patient_pseudonym",),
        ("case", "sex"),
        ("case", "findings", 0, "id"),
        ("case", "findings", 0, "presence"),
        ("case", "findings", 0, "note"),
        ("case", "vitals", "remark"),
        ("differential", "candidates", 0, "disease"),
        ("differential", "candidates", 0, "band"),
        ("differential", "alerts", 0, "code"),
        ("differential", "alerts", 0, "source"),
        ("differential", "bundle_version"),
        ("name",),
    ],
)
def test_a_name_fits_in_no_field_of_a_diagnosis(path):
    payload = with_value(path, NAME)
    assert sending("diagnosis", payload) is not None
    assert storing("diagnosis", payload) is not None


@pytest.mark.parametrize("pseudonym", ["4839201", "8-123-456", "4f" * 8, "3F" * 32])
def test_a_national_id_is_not_a_pseudonym(pseudonym):
    payload = with_value(("patient_pseudonym",), pseudonym)
    assert sending("diagnosis", payload).where == "patient_pseudonym"


def test_an_unknown_field_stays_on_the_device_but_is_kept_by_the_server():
    payload = with_value(("case", "travel"), "VF:travel-lowland")
    assert sending("diagnosis", payload).reason is RejectReason.NOT_ALLOWED_OUT
    assert storing("diagnosis", payload) is None


def test_a_kind_nobody_allowed_stays_on_the_device_but_is_kept_by_the_server():
    assert sending("referral", {"to": "VF:hospital"}).where == "kind"
    assert storing("referral", {"to": "VF:hospital"}) is None
    assert storing("referral", {"to": NAME}).reason is RejectReason.NOT_ALLOWED_OUT


def test_the_note_of_a_decision_stays():
    payload = a_refusal()
    assert "Zenobia" not in json.dumps(payload)
    payload["overrideReason"]["userComment"] = "no me convence"
    assert sending("feedback", payload).reason is RejectReason.NOT_ALLOWED_OUT


@pytest.mark.parametrize(
    ("age_days", "leaves_as"),
    [
        (0, 0),
        (365, 0),
        (366, 366),
        (12_345, 12_054),
        (32_872, 32_508),
        (32_873, 32_873),
        (40_000, 32_873),
    ],
)
def test_ages_leave_in_whole_years_and_ninety_is_pooled(age_days, leaves_as):
    # 12,345 days are 33.8 years: ceil(33 * 365.25); 90 years are 32,872.5 days
    assert coarse_age_days(age_days) == leaves_as


@given(st.integers(0, 45_000))
def test_a_coarse_age_is_the_same_year_and_stays_as_it_is(age_days):
    coarse = coarse_age_days(age_days)
    assert coarse <= age_days
    assert int(coarse / 365.25) == min(90, int(age_days / 365.25))
    assert coarse_age_days(coarse) == coarse


def test_an_age_in_days_does_not_leave():
    objection = sending("diagnosis", with_value(("case", "age_days"), 12_345))
    assert objection.where == "case.age_days"


def test_a_changed_payload_is_noticed_by_its_hash():
    payload = a_diagnosis()
    digest = digest_of(payload)
    payload["case"]["sex"] = "male"
    assert objection_to_storing("diagnosis", payload, digest).reason is RejectReason.HASH_MISMATCH


def test_an_edited_audit_entry_is_noticed_by_the_chain():
    payload = audit_payload(audit_entries(3))
    payload["entries"][1]["action"] = "exported"
    objection = storing("audit", payload)
    assert (objection.reason, objection.where) == (RejectReason.AUDIT_BROKEN, "entries.2")


def test_a_missing_audit_entry_is_noticed_by_the_chain():
    payload = audit_payload(audit_entries(3))
    del payload["entries"][1]
    assert storing("audit", payload).reason is RejectReason.AUDIT_BROKEN


def test_a_hidden_last_audit_entry_is_noticed_by_the_head():
    payload = audit_payload(audit_entries(3))
    del payload["entries"][2]
    assert storing("audit", payload).where == "head"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1: 2}, object()])
def test_a_payload_json_cannot_carry_is_an_objection_not_a_crash(value):
    objection = objection_to_storing("diagnosis", {"value": value}, "0" * 64)
    assert objection is not None


def test_a_frame_that_declares_its_size_is_still_bounded():
    bomb = compression.compress(bytes(64 << 20))
    assert len(bomb) < 10_000
    with pytest.raises(MessageTooLargeError):
        compression.decompress(bomb, limit_bytes=1 << 20)


def test_a_frame_that_wants_a_huge_window_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    bomb = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = bomb.compress(bytes(1 << 20)) + bomb.flush()
    with pytest.raises(MessageTooLargeError):
        compression.decompress(frame, limit_bytes=8 << 20)


@pytest.mark.parametrize("frame", [b"", b"not zstd", compression.compress(b"hello" * 99)[:-6]])
def test_a_broken_frame_is_malformed(frame):
    with pytest.raises(MessageMalformedError):
        compression.decompress(frame, limit_bytes=100_000)


@given(st.binary(min_size=1, max_size=5000))
def test_what_fits_comes_back_as_it_was(content):
    assert compression.decompress(compression.compress(content), limit_bytes=5000) == content


def test_a_stream_without_a_declared_size_is_read_whole():
    out = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as writer:
        writer.write(b"a" * 300_000)
    assert compression.decompress(out.getvalue(), limit_bytes=300_000) == b"a" * 300_000
