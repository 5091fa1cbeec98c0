"""The audit chain: every way of tampering names the first entry that does not hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ddx.domain.audit import AuditAction, AuditChainError, AuditEntry, link, verify_chain
from ddx.domain.identifiers import new_record_id

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def chain_of(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for minute in range(length):
        entries.append(
            link(
                entries[-1] if entries else None,
                id=new_record_id(),
                at=START + timedelta(minutes=minute),
                actor="clinician-1",
                action=AuditAction.DIAGNOSED,
                subject=f"case-{minute}",
                detail={"candidates": minute},
            )
        )
    return entries


def test_an_untouched_chain_holds_and_is_counted():
    assert verify_chain(chain_of(5)) == 5


def test_an_edited_entry_is_named():
    entries = chain_of(5)
    entries[2] = replace(entries[2], subject="case-of-somebody-else")
    with pytest.raises(AuditChainError) as caught:
        verify_chain(entries)
    assert caught.value.sequence == 3


def test_a_dropped_entry_is_named_by_the_one_that_no_longer_follows():
    entries = chain_of(5)
    del entries[1]
    with pytest.raises(AuditChainError) as caught:
        verify_chain(entries)
    assert caught.value.sequence == 3


def test_two_swapped_entries_are_found():
    entries = chain_of(5)
    entries[1], entries[2] = entries[2], entries[1]
    with pytest.raises(AuditChainError):
        verify_chain(entries)


def test_an_entry_rehashed_after_an_edit_no_longer_carries_the_next_one():
    entries = chain_of(3)
    forged = link(
        entries[0],
        id=entries[1].id,
        at=entries[1].at,
        actor="clinician-2",
        action=entries[1].action,
        subject=entries[1].subject,
        detail=entries[1].detail,
    )
    entries[1] = forged
    with pytest.raises(AuditChainError) as caught:
        verify_chain(entries)
    assert caught.value.sequence == 3


def test_a_segment_is_verified_from_the_last_entry_already_known():
    entries = chain_of(6)
    assert verify_chain(entries[4:], after=entries[3]) == 2
