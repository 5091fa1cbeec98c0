from dataclasses import dataclass

import pytest

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from desktop.presenters.reducer import Refusal
from desktop.presenters.sign_in import (
    Chosen,
    CliniciansRead,
    OpenPatients,
    Refused,
    SecondPassed,
    SetAside,
    SetAsideAsked,
    SetAsideDone,
    SignedIn,
    SignIn,
    SignInState,
    Submitted,
    WaitOneSecond,
    step,
)


@dataclass(frozen=True)
class Card:
    id: RecordId
    display_name: str
    role: Role = Role.MEDICO_GENERAL


ANA, LUIS = Card(RecordId("ana"), "Ana Ruiz"), Card(RecordId("luis"), "Luis Paz")


@pytest.fixture
def ready():
    return step(SignInState(), CliniciansRead((ANA, LUIS)))[0]


def test_the_first_clinician_is_picked(ready):
    assert ready.chosen == ANA.id


def test_a_refusal_keeps_who_was_chosen(ready):
    picked, _ = step(ready, Chosen(LUIS.id))
    opening, effects = step(picked, Submitted("mala"))
    assert effects == (SignIn(LUIS.id, "mala"),)
    state, _ = step(opening, Refused(Refusal("sign_in.refused")))
    assert (state.chosen, state.refusal, state.may_try) == (
        LUIS.id,
        Refusal("sign_in.refused"),
        True,
    )


def test_an_empty_passphrase_is_not_tried(ready):
    state, effects = step(ready, Submitted(""))
    assert (state.refusal, effects) == (Refusal("sign_in.empty"), ())


def test_a_second_press_while_opening_does_nothing(ready):
    opening, _ = step(ready, Submitted("una"))
    assert step(opening, Submitted("otra")) == (opening, ())


def test_after_too_many_tries_the_wait_is_counted_down(ready):
    state, effects = step(ready, Refused(Refusal("sign_in.refused"), retry_after_s=2))
    assert (state.may_try, effects) == (False, (WaitOneSecond(),))
    state, effects = step(state, SecondPassed())
    assert (state.retry_after_s, effects) == (1, (WaitOneSecond(),))
    state, effects = step(state, SecondPassed())
    assert (state.may_try, effects) == (True, ())


def test_signing_in_opens_the_patients(ready):
    opening, _ = step(ready, Submitted("buena"))
    assert step(opening, SignedIn())[1] == (OpenPatients(),)


def test_only_damaged_data_can_be_set_aside(ready):
    assert step(ready, SetAsideAsked()) == (ready, ())
    damaged, _ = step(ready, Refused(Refusal("store.corrupt")))
    assert step(damaged, SetAsideAsked())[1] == (SetAside(),)
    state, _ = step(damaged, SetAsideDone("/datos/apartados"))
    assert (state.set_aside_at, state.clinicians, state.may_try) == ("/datos/apartados", (), False)


def test_the_recovery_key_and_the_backup_pass_through_and_are_never_printed():
    from pathlib import Path

    from desktop.presenters.sign_in import Recover, RecoverySubmitted, Restore, RestoreSubmitted

    shown = repr(
        (
            RecoverySubmitted(recovery_key="secreta", passphrase="secreta", repeated="secreta"),
            Recover(clinician="a", recovery_key="secreta", passphrase="secreta"),
            RestoreSubmitted(Path("x"), "secreta"),
            Restore(Path("x"), "secreta"),
        )
    )
    assert "secreta" not in shown


def test_a_restore_ends_in_a_sign_in_that_reads_everything_again():
    from datetime import UTC, datetime

    from desktop.presenters.sign_in import Mode, ReadAgain, RestoreDone

    made = datetime(2026, 11, 23, tzinfo=UTC)
    state, effects = step(SignInState(mode=Mode.RESTORE, opening=True), RestoreDone(made, "/x"))
    assert (state.mode, state.restored_from, state.set_aside_at) == (Mode.PASSPHRASE, made, "/x")
    assert effects == (ReadAgain(),)
