from desktop.presenters.first_run import (
    Continued,
    CreateClinic,
    Created,
    CreationFailed,
    Field,
    FirstRunState,
    KeyNoted,
    LinkChosen,
    LinkSkipped,
    OpenSignIn,
    Stage,
    Submitted,
    step,
)
from desktop.presenters.reducer import Refusal

FILLED = Submitted(
    clinic_name=" Posta de Lares ",
    display_name="Ana Ruiz",
    passphrase="cielo claro",
    repeated="cielo claro",
)


def test_an_empty_form_shows_everything_that_is_wrong_at_once():
    empty = Submitted(clinic_name=" ", display_name="", passphrase="corta", repeated="otra")
    state, effects = step(FirstRunState(), empty)
    assert state.issues == {
        Field.CLINIC_NAME: "required",
        Field.DISPLAY_NAME: "required",
        Field.PASSPHRASE: "too_short",
        Field.REPEATED: "differs",
    }
    assert effects == ()


def test_a_good_form_asks_for_the_clinic_once():
    state, effects = step(FirstRunState(), FILLED)
    assert state.stage is Stage.CREATING
    assert effects == (
        CreateClinic(
            clinic_name="Posta de Lares", display_name="Ana Ruiz", passphrase="cielo claro"
        ),
    )
    assert step(state, FILLED) == (state, ())


def test_a_failed_creation_returns_to_the_form_with_the_reason():
    creating, _ = step(FirstRunState(), FILLED)
    state, _ = step(creating, CreationFailed(Refusal("store.full")))
    assert (state.stage, state.refusal) == (Stage.FORM, Refusal("store.full"))


def test_the_recovery_key_cannot_be_passed_over():
    shown, _ = step(FirstRunState(stage=Stage.CREATING), Created("K7BO-7B3N"))
    assert step(shown, Continued()) == (shown, ())
    noted, _ = step(shown, KeyNoted(True))
    after, effects = step(noted, Continued())
    assert (after.stage, effects) == (Stage.CLOUD, ())
    assert after.recovery_key == ""


def test_the_clinic_works_without_a_cloud():
    after, effects = step(FirstRunState(stage=Stage.CLOUD), LinkSkipped())
    assert (after, effects) == (FirstRunState(), (OpenSignIn(),))


def test_a_cloud_needs_its_address_and_its_code():
    asked = FirstRunState(stage=Stage.CLOUD)
    wrong, effects = step(asked, LinkChosen(" ", ""))
    assert (wrong.issues, effects) == ({Field.SERVER: "required", Field.CODE: "required"}, ())
    _, effects = step(wrong, LinkChosen("https://nube.example ", "ABCD-1234"))
    assert effects == (OpenSignIn("https://nube.example", "ABCD-1234"),)
    assert "ABCD" not in repr(effects)


def test_a_passphrase_never_shows_in_a_trace():
    assert "cielo claro" not in repr(FILLED)
    assert "cielo claro" not in repr(step(FirstRunState(), FILLED))
