"""The push state machine, by example and by whatever hypothesis can think of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddx.domain.identifiers import RecordId
from sync_service.client import machine as m
from sync_service.client.machine import Answer, Cause

A, B, C = RecordId("a"), RecordId("b"), RecordId("c")


def stored(number):
    return Answer(status="stored", server_sequence=number)


def test_a_tick_pushes_what_waits():
    assert m.step(m.Idle(), m.Tick()) == (m.Pushing(limit=50), (m.Push(limit=50),))


def test_an_empty_outbox_rests():
    assert m.step(m.Pushing(limit=50), m.NothingPending()) == (m.Idle(limit=50), ())


def test_only_the_answered_ids_are_acknowledged_and_pushing_goes_on():
    answers = {A: stored(7), B: Answer(status="duplicate", server_sequence=3)}
    state, effects = m.step(m.Pushing(limit=50), m.Answered(sent=(A, B, C), answers=answers))
    assert state == m.Pushing(limit=50)
    assert effects == (m.Acknowledge({A: 7, B: 3}), m.Push(limit=50))


def test_a_rejected_record_goes_to_quarantine_beside_the_stored_ones():
    answers = {A: Answer(status="rejected", reason="record.conflict"), B: stored(8)}
    _, effects = m.step(m.Pushing(limit=50), m.Answered(sent=(A, B), answers=answers))
    assert effects[:2] == (m.Acknowledge({B: 8}), m.Quarantine(A, "record.conflict"))


def test_a_receipt_for_records_never_sent_is_not_believed():
    state, effects = m.step(m.Pushing(limit=50), m.Answered(sent=(A,), answers={B: stored(1)}))
    assert isinstance(state, m.Waiting)
    assert all(isinstance(effect, m.WakeAfter) for effect in effects)


def test_a_status_nobody_knows_leaves_the_record_waiting():
    answers = {A: Answer(status="postponed"), B: stored(1)}
    _, effects = m.step(m.Pushing(limit=50), m.Answered(sent=(A, B), answers=answers))
    assert effects[0] == m.Acknowledge({B: 1})
    assert not any(isinstance(effect, m.Quarantine) for effect in effects)


def test_a_lost_link_waits_and_grows_patient():
    state: m.State = m.Pushing(limit=50)
    waits = []
    for _ in range(14):
        state, (wake,) = m.step(state, m.Failed(cause=Cause.OFFLINE, jitter=1.0))
        assert isinstance(wake, m.WakeAfter)
        waits.append(wake.seconds)
        state, _ = m.step(state, m.Woken())
    # 2, 4, 8 … doubling up to forty seconds: the link's return is noticed within a minute
    assert waits[:5] == [2, 4, 8, 16, 32]
    assert set(waits[5:]) == {40}


def test_a_link_gone_for_an_hour_or_a_week_is_tried_as_often_as_at_first():
    waits = {m.back_off_s(n, 1.0, cause=Cause.OFFLINE) for n in (30, 31, 100, 20_000)}
    assert waits == {40}


def test_a_stranger_on_a_paid_link_is_tried_every_quarter_of_an_hour():
    tries = range(29, 40)
    waits = [m.back_off_s(n, 1.0, cause=Cause.OFFLINE, costly=True) for n in tries]
    assert waits == [40, 40, 80, 160, 320, 640, 900, 900, 900, 900, 900]


def test_a_server_that_refuses_is_asked_ever_more_rarely():
    waits = [m.back_off_s(n, 1.0, cause=Cause.REFUSED) for n in range(1, 12)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_lost_batch_is_followed_by_smaller_ones():
    state: m.State = m.Pushing(limit=50)
    limits = []
    for _ in range(5):
        state, _ = m.step(state, m.Failed(cause=Cause.OFFLINE))
        limits.append(state.limit)
        state, _ = m.step(state, m.Woken())
    assert limits == [25, 12, 6, 6, 6]


@pytest.mark.parametrize(
    ("limit", "records", "elapsed_s", "next_limit"),
    [
        (50, 50, 2.0, 100),  # a full page in less than half of five seconds: room for twice
        (300, 300, 2.0, 400),  # up to the largest
        (50, 50, 4.0, 50),  # about right
        (50, 50, 20.0, 12),  # five seconds' worth of it
        (50, 3, 1.9, 50),  # a page with room to spare says nothing
        (50, 3, 30.0, 1),  # ten seconds a record
        (8, 8, 0.0, 16),  # nothing was sent: back towards the usual size
        (400, 8, 0.0, 400),
    ],
)
def test_a_page_aims_at_five_seconds(limit, records, elapsed_s, next_limit):
    assert m.paced(limit, records, elapsed_s) == next_limit


def test_the_devices_own_rule_about_bytes_waits_and_an_asker_is_told_again():
    held, (wake,) = m.step(m.Pushing(limit=50), m.HeldBack(wait_s=600.0, code="sync.budget"))
    assert isinstance(held, m.Waiting)
    assert (held.cause, held.code, wake) == (Cause.HELD, "sync.budget", m.WakeAfter(600.0))
    assert m.step(held, m.Tick()) == (held, ())
    assert m.step(held, m.Asked())[1] == (m.Push(limit=50),)


def test_success_forgets_earlier_failures():
    state, _ = m.step(m.Pushing(limit=50, attempt=6), m.Answered(sent=(A,), answers={A: stored(1)}))
    assert isinstance(state, m.Pushing)
    assert state.attempt == 0


@pytest.mark.parametrize(("asked", "least"), [(120.0, 120), (0.0, 1), (1e9, 3600), (-5.0, 1)])
def test_the_server_says_how_long_to_wait_within_reason(asked, least):
    failed = m.Failed(cause=Cause.BUSY, retry_after_s=asked, jitter=0.5)
    _, (wake,) = m.step(m.Pushing(limit=50), failed)
    assert isinstance(wake, m.WakeAfter)
    assert least <= wake.seconds <= least * 1.1 + 1


def test_asking_again_does_not_hurry_a_busy_server_but_retries_a_lost_link():
    busy = m.Waiting(limit=50, attempt=1, cause=Cause.BUSY)
    offline = m.Waiting(limit=50, attempt=1, cause=Cause.OFFLINE)
    assert m.step(busy, m.Asked()) == (busy, ())
    assert m.step(busy, m.Woken())[1] == (m.Push(limit=50),)
    assert m.step(offline, m.Asked())[1] == (m.Push(limit=50),)


def test_the_schedule_does_not_cut_a_waiting_time_short():
    waiting = m.Waiting(limit=50, attempt=3, cause=Cause.OFFLINE)
    assert m.step(waiting, m.Tick()) == (waiting, ())


def test_an_unreadable_batch_is_halved_until_the_bad_record_stands_alone():
    state, (push,) = m.step(m.Pushing(limit=50), m.BatchRefused(sent=(A, B, C), code="x"))
    assert (state.limit, push) == (1, m.Push(limit=1))
    state, effects = m.step(state, m.BatchRefused(sent=(A,), code="sync.malformed"))
    assert effects == (m.Quarantine(A, "sync.malformed"), m.Push(limit=1))
    state, _ = m.step(state, m.Answered(sent=(B,), answers={B: stored(1)}))
    assert state.limit == 2


def test_a_server_that_accepts_nothing_does_not_empty_the_outbox_into_quarantine():
    state: m.State = m.Pushing(limit=1)
    aside = 0
    for name in "abcdefgh":
        state, effects = m.step(
            state, m.BatchRefused(sent=(RecordId(name),), code="sync.malformed")
        )
        aside += sum(isinstance(effect, m.Quarantine) for effect in effects)
        if isinstance(state, m.Waiting):
            break
    assert aside == 3
    assert isinstance(state, m.Waiting)
    assert state.cause is Cause.REFUSED


def test_a_wrong_clock_is_corrected_once():
    state, effects = m.step(m.Pushing(limit=50), m.ClockRefused(offset_s=7200))
    assert effects == (m.SetClockOffset(7200), m.Push(limit=50))
    state, _ = m.step(state, m.ClockRefused(offset_s=7200))
    assert isinstance(state, m.Waiting)
    assert state.cause is Cause.REFUSED


IDS = [RecordId(name) for name in "abcdef"]
answers = st.builds(
    Answer,
    status=st.sampled_from(["stored", "duplicate", "rejected", "postponed"]),
    server_sequence=st.none() | st.integers(1, 99),
    reason=st.just("record.conflict"),
)
sent = st.lists(st.sampled_from(IDS), min_size=1, unique=True).map(tuple)
jitter = st.floats(0, 1)
events = st.one_of(
    st.sampled_from([m.Tick(), m.Asked(), m.Woken(), m.NothingPending()]),
    st.builds(
        m.Answered,
        sent=sent,
        answers=st.dictionaries(st.sampled_from(IDS), answers),
        elapsed_s=st.floats(0, 400),
        jitter=jitter,
    ),
    st.builds(
        m.Failed,
        cause=st.sampled_from(Cause),
        retry_after_s=st.none() | st.floats(-10, 1e6),
        jitter=jitter,
    ),
    st.builds(m.BatchRefused, sent=sent, code=st.just("sync.malformed"), jitter=jitter),
    st.builds(m.ClockRefused, offset_s=st.floats(-1e6, 1e6), jitter=jitter),
    st.builds(m.HeldBack, wait_s=st.floats(0, 3600), code=st.just("sync.budget")),
)


@settings(max_examples=400)
@given(st.lists(events, max_size=40))
def test_no_history_makes_the_machine_forget_or_hang(history):
    state = m.Idle()
    for event in history:
        before, (state, effects) = state, m.step(state, event)
        pushes = [e for e in effects if isinstance(e, m.Push)]
        wakes = [e for e in effects if isinstance(e, m.WakeAfter)]
        # pushing always has something under way; waiting always has somebody to wake it
        if isinstance(state, m.Pushing) and state != before:
            assert len(pushes) == 1
            assert effects[-1] == pushes[0]
        if isinstance(state, m.Waiting) and not isinstance(before, m.Waiting):
            assert len(wakes) == 1
            assert 0 <= wakes[0].seconds <= m.MAX_RETRY_AFTER_S * 1.1
        for push in pushes:
            assert 1 <= push.limit <= m.MAX_LIMIT
        settled = [r for e in effects if isinstance(e, m.Acknowledge) for r in e.receipts]
        settled += [e.event for e in effects if isinstance(e, m.Quarantine)]
        # nothing is settled that was not both sent and answered
        assert len(settled) == len(set(settled))
        assert set(settled) <= set(getattr(event, "sent", ()))
        if isinstance(event, m.Answered):
            assert set(settled) <= set(event.answers)
