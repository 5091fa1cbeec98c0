"""What was typed survives the way to disk and back, right or wrong."""

import pytest

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.errors import CaseError
from ddx.intake.draft import AgeUnit, Draft, DraftFinding, draft_from_json, draft_to_json


def test_a_draft_full_of_mistakes_comes_back_as_it_was():
    draft = Draft(
        age_text="-3 años",
        age_unit=AgeUnit.MONTHS,
        sex=Sex.FEMALE,
        findings=(
            DraftFinding("no such code", Presence.UNKNOWN),
            DraftFinding("VF:pain.intensity", Presence.PRESENT, grade=40.0, onset_days=-1),
        ),
        vitals={"temperature_c": "38,5", "alert": "quizá"},
    )
    assert draft_from_json(draft_to_json(draft)) == draft


@pytest.mark.parametrize(
    "raw",
    [
        {},
        draft_to_json(Draft()) | {"age_unit": "centuries"},
        draft_to_json(Draft()) | {"findings": [{"id": "HP:0001945", "presence": "perhaps"}]},
        draft_to_json(Draft()) | {"vitals": ["38,5"]},
    ],
)
def test_a_record_that_is_no_draft_is_refused(raw):
    with pytest.raises(CaseError):
        draft_from_json(raw)
