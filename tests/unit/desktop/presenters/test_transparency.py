"""What left the clinic, and the audit: only for who may, one thing at a time."""

from datetime import UTC, datetime

import pytest

from ddx.domain.roles import Role
from desktop.presenters.reducer import Refusal
from desktop.presenters.transparency import (
    Chosen,
    ExportAsked,
    ExportAudit,
    Exported,
    Failed,
    Opened,
    ReadSent,
    ReadStanding,
    Retried,
    RetryAsked,
    RetryRecord,
    SentRead,
    SentRow,
    TransparencyState,
    Verified,
    VerifyAsked,
    VerifyAudit,
    step,
)

ROWS = tuple(
    SentRow(
        kind="diagnosis",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        state="pending",
        payload=f"{{{number}}}",
    )
    for number in range(3)
)


def state_of(role, **changes):
    return TransparencyState(role=role, **changes)


def test_opening_reads_what_left_and_the_newest_is_chosen():
    state, effects = step(state_of(Role.MEDICO_GENERAL), Opened())
    assert effects == (ReadStanding(), ReadSent())
    state, _ = step(state, SentRead(ROWS))
    assert state.payload == "{0}"
    assert step(state, Chosen(2))[0].payload == "{2}"
    assert step(state, Chosen(-1))[0].payload == ""


@pytest.mark.parametrize("asked", [VerifyAsked(), ExportAsked("x")])
def test_a_doctor_does_not_verify_or_export(asked):
    before = state_of(Role.MEDICO_ADMIN)
    assert step(before, asked) == (before, ())


def test_an_auditor_verifies_then_exports_and_never_both_at_once():
    state, effects = step(state_of(Role.AUDITOR), VerifyAsked())
    assert effects == (VerifyAudit(),)
    assert step(state, ExportAsked("log"))[1] == ()
    state, _ = step(state, Verified(12))
    assert state.verified == 12
    state, effects = step(state, ExportAsked("log"))
    assert effects == (ExportAudit("log"),)
    state, _ = step(state, Exported("log"))
    assert (state.exported, state.verified, state.busy) == ("log", None, False)


def test_a_cancelled_file_dialog_exports_nothing():
    before = state_of(Role.AUDITOR)
    assert step(before, ExportAsked("")) == (before, ())


def test_a_refusal_is_kept_and_the_buttons_work_again():
    state, _ = step(state_of(Role.AUDITOR), VerifyAsked())
    state, _ = step(state, Failed(Refusal("audit.broken_chain")))
    assert (state.busy, state.refusal) == (False, Refusal("audit.broken_chain"))


def test_an_auditor_has_no_patients_to_go_back_to():
    assert not state_of(Role.AUDITOR).has_patients
    assert state_of(Role.AUDITOR).sees_sent
    assert not state_of(Role.MEDICO_GENERAL).audits


def set_aside(role):
    aside = SentRow(
        kind="feedback",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        state="quarantined",
        payload="{}",
        id="r1",
        reason="payload.invalid",
    )
    return step(state_of(role), SentRead((aside, *ROWS)))[0]


def test_a_record_set_aside_is_tried_again_and_the_list_is_read_anew():
    state = set_aside(Role.MEDICO_GENERAL)
    assert state.can_retry
    state, effects = step(state, RetryAsked())
    assert effects == (RetryRecord("r1"),)
    assert step(state, RetryAsked())[1] == ()  # one at a time
    assert step(state, Retried())[1] == (ReadSent(),)


def test_only_what_is_set_aside_is_tried_again_and_only_by_who_diagnoses():
    waiting = step(set_aside(Role.MEDICO_GENERAL), Chosen(1))[0]
    assert not waiting.can_retry
    assert step(waiting, RetryAsked())[1] == ()
    assert not set_aside(Role.AUDITOR).can_retry
