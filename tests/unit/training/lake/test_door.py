"""Nothing enters the lake that the protocol would not let out of a clinic."""

from dataclasses import replace

import pytest
from support.lake_records import DAY, diagnosis, feedback, visit

from training.lake.bronze import Bronze
from training.lake.door import RefusedError, admit


@pytest.mark.parametrize("record", [diagnosis(), feedback(diagnosis(), disease="VD:influenza")])
def test_records_of_the_stream_enter_with_their_content(record):
    row = admit(record)
    assert row["case_id"] == record.case_id
    assert '"diagnosis_id"' in row["payload"]


def with_field(record, **fields):
    return replace(record, payload=dict(record.payload) | fields)


@pytest.mark.parametrize("record", [diagnosis(), visit("v")])
def test_a_sentence_in_any_field_is_refused_and_not_repeated(record):
    with pytest.raises(RefusedError) as refused:
        admit(with_field(record, note="Rosa Quispe, Calle 12"))
    assert "Quispe" not in str(refused.value)
    assert refused.value.where == "note"


def test_an_exact_age_is_refused():
    record = visit("v")
    case = record.payload["case"] | {"age_days": 12_346}
    with pytest.raises(RefusedError, match="case"):
        admit(with_field(record, case=case))


def test_a_visit_with_a_field_nobody_decided_on_is_refused():
    with pytest.raises(RefusedError) as refused:
        admit(with_field(visit("v"), ward="A4"))
    assert refused.value.where == "ward"


def test_a_payload_that_is_not_the_one_that_was_sent_is_refused():
    with pytest.raises(RefusedError, match="hash_mismatch"):
        admit(replace(diagnosis(), payload_sha256="0" * 64))


def test_the_content_hash_covers_what_is_said_and_neither_ids_nor_times():
    first, again = diagnosis(), diagnosis()
    other = diagnosis(temperature_c=39.0)
    later = with_field(again, made_at=(again.event_time + DAY).isoformat())
    assert admit(first)["content_sha256"] == admit(later)["content_sha256"]
    assert admit(first)["content_sha256"] != admit(other)["content_sha256"]


def test_a_refused_record_is_counted_and_its_place_passed_over(lake):
    bronze = Bronze(lake)
    stored = bronze.store([diagnosis(), with_field(diagnosis(), note="Rosa Quispe")], {"stream": 2})
    assert (stored.stored, stored.refused) == (1, {"payload.not_allowed_out": 1})
    assert Bronze(lake).position("stream") == 2
