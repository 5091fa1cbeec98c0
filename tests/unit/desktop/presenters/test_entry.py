from ddx.domain.finding import Presence
from ddx.intake.draft import Draft, DraftFinding
from desktop.presenters import entry

FEVER, PAIN = "HP:0001945", "VF:pain-intensity"


def test_a_finding_marked_twice_stays_one_line():
    draft = entry.mark(Draft(), FEVER, Presence.PRESENT)
    assert entry.mark(draft, FEVER, Presence.EXCLUDED).findings == (
        DraftFinding(FEVER, Presence.EXCLUDED),
    )


def test_changing_the_state_keeps_the_intensity():
    draft = entry.grade(entry.mark(Draft(), PAIN, Presence.PRESENT), PAIN, 7.0)
    assert entry.mark(draft, PAIN, Presence.UNKNOWN).findings[0].grade == 7.0


def test_a_finding_never_entered_is_neither_cycled_nor_found():
    assert entry.cycle(Draft(), FEVER) == Draft()
    assert entry.find(Draft(), FEVER) is None


def test_a_vital_sign_emptied_is_not_measured():
    draft = entry.write_vital(Draft(), "temperature_c", "38,5")
    assert dict(draft.vitals) == {"temperature_c": "38,5"}
    assert dict(entry.write_vital(draft, "temperature_c", " ").vitals) == {}
