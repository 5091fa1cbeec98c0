"""The letter leaves once at a time, and only after a way out was chosen."""

import pytest

from desktop.presenters.reducer import Refusal
from desktop.presenters.referral import (
    LONGEST,
    Failed,
    Part,
    PartTyped,
    PrintAsked,
    Printed,
    PrintLetter,
    ReferralState,
    SaveAsked,
    Saved,
    SaveLetter,
    step,
)


@pytest.mark.parametrize("part", list(Part))
def test_what_is_typed_is_kept_up_to_what_two_pages_hold(part):
    state, effects = step(ReferralState(), PartTyped(part, "x" * (LONGEST + 1)))
    assert getattr(state, part.value) == "x" * LONGEST
    assert effects == ()


def test_no_file_chosen_changes_nothing():
    assert step(ReferralState(), SaveAsked("")) == (ReferralState(), ())


def test_it_leaves_once_at_a_time_and_says_where_it_went():
    leaving, effects = step(ReferralState(), SaveAsked("a.pdf"))
    assert effects == (SaveLetter("a.pdf"),)
    assert step(leaving, SaveAsked("b.pdf")) == (leaving, ())
    assert step(leaving, PrintAsked()) == (leaving, ())
    done, _ = step(leaving, Saved("a.pdf"))
    assert (done.saved, done.leaving) == ("a.pdf", False)
    again, effects = step(done, PrintAsked())
    assert effects == (PrintLetter(),)
    assert again.saved == ""
    printed, _ = step(again, Printed())
    assert printed.printed


def test_a_failure_is_said_and_it_may_be_tried_again():
    leaving, _ = step(ReferralState(to="Hospital"), SaveAsked("a.pdf"))
    failed, _ = step(leaving, Failed(Refusal("referral.file")))
    assert failed.refusal == Refusal("referral.file")
    assert failed.to == "Hospital"
    again, effects = step(failed, SaveAsked("b.pdf"))
    assert again.refusal is None
    assert effects == (SaveLetter("b.pdf"),)
