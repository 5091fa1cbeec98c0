from datetime import UTC, datetime

from ddx.domain.audit import AuditAction, link
from ddx.domain.identifiers import RecordId
from desktop.presenters.audit_log import (
    AuditLogState,
    Entered,
    EntriesRead,
    EntryChosen,
    Narrowed,
    ReadEntries,
    step,
)


def chain():
    entries = []
    for place, (action, subject) in enumerate(
        [
            (AuditAction.SIGN_IN, "ana"),
            (AuditAction.DIAGNOSED, "diagnosis-1"),
            (AuditAction.EXPORTED, "diagnosis-1"),
        ]
    ):
        entries.append(
            link(
                entries[-1] if entries else None,
                id=RecordId(f"e{place}"),
                at=datetime(2026, 11, 23, 12, place, tzinfo=UTC),
                actor="ana",
                action=action,
                subject=subject,
                detail={"what": "fhir"} if action is AuditAction.EXPORTED else {},
            )
        )
    return tuple(entries)


def test_the_newest_entry_comes_first_and_is_shown_whole():
    state, effects = step(AuditLogState(), Entered())
    assert effects == (ReadEntries(),)
    state, _ = step(state, EntriesRead(chain()))
    assert [e.sequence for e in state.shown] == [3, 2, 1]
    assert state.entry == chain()[2]


def test_the_list_is_narrowed_by_action_and_by_any_word_of_an_entry():
    state, _ = step(AuditLogState(), EntriesRead(chain()))
    only, _ = step(state, Narrowed(AuditAction.DIAGNOSED, ""))
    assert [e.sequence for e in only.shown] == [2]
    found, _ = step(state, Narrowed(None, "FHIR"))
    assert [e.sequence for e in found.shown] == [3]


def test_an_entry_that_is_no_longer_on_the_list_is_not_shown_beside_it():
    state, _ = step(AuditLogState(), EntriesRead(chain()))
    chosen, _ = step(state, EntryChosen(1))
    assert chosen.entry == chain()[0]
    narrowed, _ = step(chosen, Narrowed(AuditAction.EXPORTED, ""))
    assert narrowed.entry is None
