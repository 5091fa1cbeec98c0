"""Managing the centre: one thing at a time, and nothing without one's own passphrase."""

from dataclasses import replace

import pytest

from ddx.domain.identifiers import RecordId
from desktop.presenters.manage import (
    Act,
    BackUp,
    BackupAsked,
    Done,
    Failed,
    Finished,
    Form,
    FormAsked,
    FormSubmitted,
    KeyChanged,
    KeyNoted,
    ManageState,
    OpenSignIn,
    Read,
    step,
)
from desktop.presenters.reducer import Refusal

ANA = RecordId("ana")


def opened(form, clinician=None):
    return step(ManageState(), FormAsked(form, clinician))[0]


@pytest.mark.parametrize(
    ("form", "submitted", "code"),
    [
        (Form.ADD, FormSubmitted(own="mía", passphrase="larga y nueva"), "staff.name_missing"),
        (Form.ADD, FormSubmitted(own="mía", display_name="Luz"), "passphrase.too_short"),
        (Form.RESET, FormSubmitted(own="mía", passphrase="corta"), "passphrase.too_short"),
        (Form.REMOVE, FormSubmitted(own=""), "staff.own_missing"),
        (Form.NEW_KEY, FormSubmitted(own=""), "staff.own_missing"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_asked_for(form, submitted, code):
    state, effects = step(opened(form, ANA), submitted)
    assert (state.refusal, state.busy, effects) == (Refusal(code), False, ())


def test_a_complete_form_acts_once_on_who_it_is_about():
    submitted = FormSubmitted(own="mía")
    state, effects = step(opened(Form.REMOVE, ANA), submitted)
    assert effects == (Act(Form.REMOVE, ANA, submitted),)
    assert step(state, submitted)[1] == ()
    assert step(state, BackupAsked())[1] == ()
    assert step(state, FormAsked(Form.ADD))[0] == state


def test_what_was_done_is_said_until_the_next_thing():
    state, effects = step(ManageState(), BackupAsked())
    assert effects == (BackUp(),)
    state, effects = step(state, Finished(Done.BACKED_UP))
    assert (state.done, state.busy, effects) == (Done.BACKED_UP, False, (Read(),))
    assert step(state, FormAsked(Form.ADD))[0].done is Done.NOTHING


def test_a_refusal_keeps_the_form():
    state = replace(opened(Form.ADD), busy=True)
    state, _ = step(state, Failed(Refusal("sign_in.refused")))
    assert (state.form, state.busy) == (Form.ADD, False)


def test_the_new_recovery_key_is_shown_then_forgotten_and_never_printed_in_a_log():
    state, _ = step(opened(Form.NEW_KEY), KeyChanged("ABCD7-ABCD7"))
    assert state.recovery_key == "ABCD7-ABCD7"
    assert "ABCD7" not in repr(state) + repr(KeyChanged("ABCD7-ABCD7"))
    assert step(state, KeyNoted()) == (ManageState(), (OpenSignIn(),))
    assert "secreta" not in repr(FormSubmitted(own="secreta", passphrase="secreta también"))
