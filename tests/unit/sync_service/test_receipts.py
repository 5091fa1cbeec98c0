"""Receipts in runs: they say the same as one result per record, or nothing at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sync_records import NOON

from sync_service.protocol.codes import RecordStatus, RejectReason
from sync_service.protocol.messages import BatchReceipt, RecordResult, SyncBatch, SyncEvent
from sync_service.protocol.receipts import folded, unfolded


def a_name(number):
    return f"00000000-0000-7000-8000-{number:012x}"


def a_batch(sequences, batch_id="b1"):
    """A batch with these sequences; the id tells the sequence, unless it is taken."""
    return SyncBatch(
        device_id=a_name(0),
        epoch=1,
        batch_id=batch_id,
        app_version="0.1.0",
        sent_at=NOON,
        events=tuple(
            SyncEvent(
                id=a_name(place),
                sequence=sequence,
                kind="feedback",
                created_at=NOON,
                payload={},
                payload_sha256="0" * 64,
            )
            for place, sequence in enumerate(sequences, start=1)
        ),
    )


def stored(place, number, status=RecordStatus.STORED):
    return RecordResult(id=a_name(place), status=status, server_sequence=number)


def rejected(place):
    reason = RejectReason.PAYLOAD_INVALID
    return RecordResult(id=a_name(place), status=RecordStatus.REJECTED, reason=reason)


def a_receipt(*results, batch_id="b1"):
    return BatchReceipt(batch_id=batch_id, results=results, server_time=NOON)


def test_a_batch_of_new_records_is_one_run():
    receipt = folded(a_receipt(*(stored(n, 70 + n) for n in range(1, 401))), range(1, 401))
    (run,) = receipt.runs
    assert (run.first, run.last, run.count, run.server_sequence) == (1, 400, 400, 71)
    assert receipt.results == ()
    assert len(receipt.wire_bytes()) < 250


def test_a_rejected_record_is_told_by_name_and_splits_no_run():
    receipt = folded(a_receipt(stored(1, 71), rejected(2), stored(3, 72)), [4, 5, 6])
    (run,) = receipt.runs
    assert (run.first, run.last, run.count) == (4, 6, 2)
    assert [result.id for result in receipt.results] == [a_name(2)]


def test_another_status_or_a_jump_of_the_server_begins_another_run():
    duplicate = stored(2, 9, RecordStatus.DUPLICATE)
    receipt = folded(a_receipt(stored(1, 71), duplicate, stored(3, 72), stored(4, 99)), range(1, 5))
    assert [(run.first, run.server_sequence) for run in receipt.runs] == [
        (1, 71),
        (2, 9),
        (3, 72),
        (4, 99),
    ]


@pytest.mark.parametrize(
    ("batch_id", "sequences"),
    [("b2", [1, 2, 3]), ("b1", [1, 2, 3, 4]), ("b1", [1, 2])],
)
def test_a_run_that_answers_other_records_than_were_sent_is_not_believed(batch_id, sequences):
    receipt = folded(a_receipt(*(stored(n, n) for n in (1, 2, 3)), batch_id=batch_id), [1, 2, 3])
    batch = a_batch([*sequences])
    if sequences == [1, 2, 3, 4]:  # a run that says it reaches further than it counted
        far = receipt.runs[0].model_copy(update={"last": 4})
        receipt = receipt.model_copy(update={"runs": (far,)})
    assert unfolded(receipt, batch).results == ()


said = st.tuples(
    st.integers(1, 12),
    st.sampled_from([RecordStatus.STORED, RecordStatus.DUPLICATE, RecordStatus.REJECTED]),
    st.integers(1, 3),
)


@given(st.lists(said, min_size=1, max_size=20))
def test_what_was_folded_unfolds_to_the_same_answers(drawn):
    """Sequences may repeat, numbers go on or jump, statuses mix."""
    drawn.sort(key=lambda one: one[0])
    results, number = [], 1
    for place, (_, status, jump) in enumerate(drawn, start=1):
        number += jump
        good = status is not RecordStatus.REJECTED
        results.append(stored(place, number, status) if good else rejected(place))
    sequences = [sequence for sequence, _, _ in drawn]
    receipt = a_receipt(*results)
    read = BatchReceipt.model_validate_json(folded(receipt, sequences).wire_bytes())
    assert unfolded(read, a_batch(sequences)).results == receipt.results
