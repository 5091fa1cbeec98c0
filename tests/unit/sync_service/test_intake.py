"""The dedupe decision, without a database."""

from hypothesis import given
from hypothesis import strategies as st
from support.memory_sink import MemorySink, run_now
from support.sync_records import NOON, a_diagnosis, a_visit

from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import new_record_id
from sync_service.gateway.intake import Conflict, Duplicate, Fresh, Ledger, Repeated, StoredName
from sync_service.gateway.reading import judge
from sync_service.gateway.receive import receive, tally

STORED = StoredName(epoch=1, sequence=5, id="a", payload_sha256="h", server_sequence=40)


def test_the_same_record_is_a_duplicate_under_its_first_number():
    assert Ledger.of([STORED]).decide(1, 5, "a", "h") == Duplicate(40)


def test_a_new_id_for_a_known_sequence_and_hash_is_a_duplicate():
    assert Ledger.of([STORED]).decide(1, 5, "b", "h") == Duplicate(40)


def test_a_known_id_under_another_epoch_is_a_duplicate():
    assert Ledger.of([STORED]).decide(2, 1, "a", "h") == Duplicate(40)


def test_a_known_sequence_with_another_hash_is_a_conflict():
    assert Ledger.of([STORED]).decide(1, 5, "b", "other") == Conflict("h")


def test_a_known_id_with_another_hash_is_a_conflict():
    assert Ledger.of([STORED]).decide(1, 6, "a", "other") == Conflict("h")


def test_the_same_sequence_of_another_epoch_is_another_record():
    assert Ledger.of([STORED]).decide(2, 5, "b", "other") == Fresh(0)


def test_a_record_twice_in_one_batch_is_fresh_once():
    ledger = Ledger.of([])
    assert ledger.decide(1, 1, "a", "h") == Fresh(0)
    assert ledger.decide(1, 1, "a", "h") == Repeated(0)
    assert ledger.decide(1, 2, "b", "i") == Fresh(1)
    assert ledger.decide(1, 2, "c", "j") == Conflict("i")


names = st.tuples(
    st.integers(1, 2), st.integers(1, 4), st.sampled_from("abcd"), st.sampled_from("hij")
)


@given(st.lists(names, max_size=30))
def test_no_history_gives_one_name_two_contents(history):
    ledger, by_sequence, by_id = Ledger.of([]), {}, {}
    for epoch, sequence, record, sha256 in history:
        decision = ledger.decide(epoch, sequence, record, sha256)
        known = {by_sequence.get((epoch, sequence)), by_id.get(record)} - {None}
        if isinstance(decision, Fresh):
            assert not known
            by_sequence[epoch, sequence] = by_id[record] = sha256
        elif isinstance(decision, Conflict):
            assert known - {sha256}
        else:
            assert known == {sha256}


def a_message(events, **fields):
    return canonical_json(
        {
            "schema_version": 1,
            "device_id": new_record_id(),
            "epoch": 1,
            "batch_id": "b1",
            "app_version": "0.1.0",
            "sent_at": NOON.isoformat(),
            "events": events,
            **fields,
        }
    )


def a_raw_event(sequence, payload, kind="diagnosis", **fields):
    return {
        "id": new_record_id(),
        "sequence": sequence,
        "kind": kind,
        "created_at": NOON.isoformat(),
        "payload": payload,
        "payload_sha256": digest_of(payload),
        **fields,
    }


def test_records_are_stored_in_sequence_order_whatever_the_batch_order():
    sink = MemorySink()
    events = [a_raw_event(number, a_diagnosis()) for number in (3, 1, 2)]
    run_now(receive(judge(a_message(events)), sink, now=NOON))
    assert [event.sequence for event in sink.log] == [1, 2, 3]


def test_a_whole_visit_passes_and_is_counted():
    sink, (visit, _) = MemorySink(), a_visit()
    events = [a_raw_event(n, payload, kind) for n, (kind, payload) in enumerate(visit, start=1)]
    receipt = run_now(receive(judge(a_message(events)), sink, now=NOON))
    assert tally(receipt) == {"stored": 3}


def test_unknown_fields_too_large_to_keep_cost_the_record_not_the_server():
    sink = MemorySink()
    events = [a_raw_event(1, a_diagnosis(), ballast="x" * 100_000)]
    receipt = run_now(receive(judge(a_message(events)), sink, now=NOON))
    assert tally(receipt) == {"payload.too_large": 1}
    assert sink.log == []


def test_free_text_in_an_unknown_field_of_the_envelope_is_not_kept():
    sink = MemorySink()
    message = a_message([a_raw_event(1, a_diagnosis())], author="Zenobia Quispe Mamani")
    assert tally(run_now(receive(judge(message), sink, now=NOON))) == {"payload.not_allowed_out": 1}
