"""Published patients through the desktop's services on an encrypted store, end to end."""

import pytest

from benchmarks import ward

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def open_clinic(tmp_path_factory):
    with ward.clinic(tmp_path_factory.mktemp("clinic")) as opened:
        yield opened


def test_four_hundred_common_patients_are_recorded_and_nearly_all_ranked_first(
    clinical_data, open_clinic
):
    clinic, session = open_clinic
    seen = ward.see(clinic, session, ward.common_cases(clinical_data))
    assert len(seen) == ward.COMMON_CASES
    assert ward.recall(seen, 1) >= 0.97  # the release bar on full evidence


def test_one_visits_worth_of_answers_is_enough_for_most_of_them(clinical_data, open_clinic):
    clinic, session = open_clinic
    few = ward.visits(ward.common_cases(clinical_data, 100))
    seen = ward.see(clinic, session, few)
    assert ward.recall(seen, 1) >= 0.85
    assert ward.recall(seen, 10) >= 0.98


def test_forty_published_rare_cases_are_recorded_and_the_ranker_finds_its_share(
    clinical_data, open_clinic
):
    clinic, session = open_clinic
    seen = ward.see(clinic, session, ward.rare_cases(clinical_data))
    assert len(seen) == ward.RARE_CASES
    assert ward.recall(seen, 50) >= 0.40  # some of these diseases have no annotation at all
    assert clinic_is_whole(session)


def clinic_is_whole(session) -> bool:
    status = session.sync.status()
    return status.pending > ward.RARE_CASES and status.quarantined == 0
