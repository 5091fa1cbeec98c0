"""The cloud account on screen: one sign-in at a time, given up or finished, never in the way."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from ddx.domain.lease import Grant, LeaseStanding
from ddx.domain.roles import Role
from desktop.presenters.cloud import (
    REFUSED,
    AccountRead,
    AskForCode,
    BrowserAsked,
    BrowserMissing,
    CancelAsked,
    CloudState,
    CodeAsked,
    CodeGiven,
    Done,
    Failed,
    Finished,
    Opened,
    Phase,
    ReadAccount,
    Renew,
    RenewAsked,
    SignInInBrowser,
    Stop,
    WaitForCode,
    step,
)
from desktop.presenters.reducer import Refusal

ENDS = datetime(2027, 3, 25, tzinfo=UTC)


@dataclass(frozen=True)
class Code:
    user_code: str = "BCDF-GHJK"
    verification_uri: str = "https://example.org/type"
    expires_in_s: int = 900


def lent(role=Role.MEDICO_ADMIN, ends_at=ENDS):
    return Grant(role=role, standing=LeaseStanding.VALID, days_left=120, ends_at=ends_at)


LOCAL = Grant(role=Role.MEDICO_ADMIN, standing=LeaseStanding.NONE)

LAPSED = replace(lent(Role.MEDICO_GENERAL), standing=LeaseStanding.LAPSED, days_left=-3)


def after(*events, **changes):
    state, effects = CloudState(role=Role.MEDICO_ADMIN, **changes), ()
    for event in events:
        state, effects = step(state, event)
    return state, effects


def test_opening_reads_where_the_account_stands():
    assert after(Opened())[1] == (ReadAccount(),)
    state, _ = after(Opened(), AccountRead(linked=False, grant=LOCAL))
    assert (state.linked, state.may_sign_in, state.may_renew) == (False, True, False)


@pytest.mark.parametrize("asked", [CodeAsked(), BrowserAsked(), RenewAsked()])
def test_nothing_is_asked_of_the_cloud_while_settings_are_missing(asked):
    state, effects = after(asked, missing=("TenantId",), linked=True)
    assert (state.phase, effects) == (Phase.IDLE, ())


def test_a_code_is_shown_waited_for_and_forgotten_once_signed_in():
    state, effects = after(CodeAsked())
    assert (state.phase, effects) == (Phase.ASKING, (AskForCode(),))
    state, effects = step(state, CodeGiven(Code()))
    assert (state.phase, state.code, effects) == (Phase.CODE, Code(), (WaitForCode(Code()),))
    state, effects = step(state, Finished(lent()))
    assert (state.phase, state.code, state.linked, effects) == (Phase.IDLE, None, True, ())
    assert (state.done, state.grant) == (Done.LINKED, lent())


@pytest.mark.parametrize("asked", [CodeAsked(), BrowserAsked(), RenewAsked()])
def test_one_sign_in_at_a_time(asked):
    waiting, _ = after(BrowserAsked(), linked=True)
    assert step(waiting, asked) == (waiting, ())


@pytest.mark.parametrize(
    "begun", [(CodeAsked(), CodeGiven(Code())), (BrowserAsked(),)], ids=["code", "browser"]
)
def test_giving_up_ends_the_wait_and_is_no_failure(begun):
    state, effects = after(*begun, CancelAsked())
    assert (state.stopping, effects) == (True, (Stop(),))
    state, _ = step(state, Failed(Refusal(REFUSED, "authorization_pending")))
    assert (state.phase, state.done, state.refusal) == (Phase.IDLE, Done.CANCELLED, None)


def test_a_code_that_arrives_after_giving_up_is_not_waited_for():
    state, effects = after(CodeAsked(), CancelAsked(), CodeGiven(Code()))
    assert (state.phase, state.code, state.done) == (Phase.IDLE, None, Done.CANCELLED)
    assert effects == ()


def test_signing_in_just_before_giving_up_counts():
    state, _ = after(BrowserAsked(), CancelAsked(), Finished(lent()))
    assert (state.linked, state.done, state.stopping) == (True, Done.LINKED, False)


def test_without_a_wait_there_is_nothing_to_give_up():
    state, effects = after(RenewAsked(), CancelAsked(), linked=True)
    assert (state.phase, state.stopping, effects) == (Phase.RENEWING, False, ())


def test_without_a_browser_the_wait_ends_and_says_why():
    state, effects = after(BrowserAsked(), BrowserMissing())
    assert effects == (Stop(),)
    state, _ = step(state, Failed(Refusal(REFUSED, "stopped")))
    assert (state.phase, state.refusal) == (Phase.IDLE, Refusal(REFUSED, "no_browser"))
    assert state.done is Done.NOTHING


def test_a_failure_is_kept_with_its_reason_and_the_account_read_again():
    refusal = Refusal(REFUSED, "access_denied")
    state, effects = after(CodeAsked(), CodeGiven(Code()), Failed(refusal))
    assert (state.refusal, state.phase, state.code) == (refusal, Phase.IDLE, None)
    assert effects == (ReadAccount(),)


def test_a_failed_reading_is_not_read_again_for_ever():
    assert after(Opened(), Failed(Refusal("store.busy")))[1] == ()


def test_another_identity_is_told_even_to_who_gave_up():
    refusal = Refusal("cloud.other_identity")
    assert after(BrowserAsked(), CancelAsked(), Failed(refusal))[0].refusal == refusal


@pytest.mark.parametrize(
    ("fresh", "done"),
    [(ENDS + timedelta(days=20), Done.RENEWED), (ENDS, Done.NOT_LENT)],
    ids=["later", "same"],
)
def test_only_a_later_end_is_a_renewal(fresh, done):
    state, effects = after(RenewAsked(), linked=True, grant=lent())
    assert effects == (Renew(),)
    assert step(state, Finished(lent(ends_at=fresh)))[0].done is done


def test_the_browser_is_opened_by_the_screen():
    assert after(BrowserAsked())[1] == (SignInInBrowser(),)


@pytest.mark.parametrize(
    ("grant", "next_time", "later"),
    [
        (LOCAL, None, None),
        (lent(), None, Role.MEDICO_GENERAL),
        (lent(Role.MEDICO_GENERAL), Role.MEDICO_GENERAL, None),
        (lent(Role.AUDITOR), Role.AUDITOR, None),
        (LAPSED, None, None),
    ],
)
def test_what_the_lease_changes_now_and_once_it_lapses(grant, next_time, later):
    state, _ = after(AccountRead(linked=True, grant=grant))
    assert (state.role_next_time, state.role_after) == (next_time, later)
