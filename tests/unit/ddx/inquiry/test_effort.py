"""How a finding is looked for, and whether this clinic can."""

import pytest

from ddx.domain.identifiers import FindingId
from ddx.inquiry.effort import COST, FULL, NEEDS, RURAL_POST, WORDS_ONLY, Means, means_of


@pytest.mark.parametrize(
    ("finding", "means"),
    [
        ("HP:0012735", Means.QUESTION),  # cough has a question of its own
        ("HP:0001945", Means.QUESTION),  # fever counts when felt
        ("HP:0001873", Means.LABORATORY),  # thrombocytopenia, a case of HP:0001871
        ("HP:0000421", Means.QUESTION),  # epistaxis: bleeding is told, though blood is measured
        ("HP:0012418", Means.OXIMETER),  # hypoxemia, nearer than metabolism and homeostasis
        ("HP:0002240", Means.EXAMINATION),  # hepatomegaly
        ("HP:0001083", Means.EXAMINATION),  # ectopia lentis: no question, no row
        ("VF:history.anemia", Means.QUESTION),  # what was diagnosed before is told
        ("VF:pain-site.knee-left", Means.QUESTION),
    ],
)
def test_a_finding_is_looked_for_as_its_nearest_kind_says(catalogue, finding, means):
    assert means_of(catalogue.term(FindingId(finding)), catalogue) is means


def test_a_clinic_can_always_ask_and_examine_and_nothing_else_without_equipment():
    assert {m for m in Means if WORDS_ONLY.can(m)} == {Means.QUESTION, Means.EXAMINATION}


def test_a_rural_post_measures_saturation_but_has_no_laboratory():
    assert RURAL_POST.can(Means.OXIMETER)
    assert not RURAL_POST.can(Means.LABORATORY)
    assert all(FULL.can(means) for means in Means)


def test_every_means_has_a_cost_and_asking_is_the_cheapest():
    assert set(COST) == set(Means)
    assert min(COST.values()) == COST[Means.QUESTION] == 1.0


def test_every_row_of_the_table_names_a_term_of_the_release(catalogue):
    assert [finding for finding in NEEDS if finding not in catalogue.ontology] == []
