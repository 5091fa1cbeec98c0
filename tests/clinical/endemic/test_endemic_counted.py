"""Grade A figures are what the line lists hold; the cohorts are those of their articles."""

from collections import Counter
from pathlib import Path

import pytest

from ddx.domain.case import Sex
from training.sources.endemic import Grade, endemic_knowledge

febrile = pytest.importorskip("training.sources.febrile", reason="python-calamine is not installed")

pytestmark = pytest.mark.data
ROUNDING = 0.0005001


@pytest.fixture(scope="module")
def counted(clinical_data: Path) -> dict:
    return {(c.disease, c.finding, c.source): c for c in febrile.counted_frequencies(clinical_data)}


def test_every_counted_figure_of_the_knowledge_base_is_what_the_line_lists_hold(counted):
    figures = [
        (disease.id, figure)
        for disease in endemic_knowledge().diseases
        for figure in disease.findings
        if figure.basis.grade is Grade.COUNTED
    ]
    assert len(figures) > 100
    for disease, figure in figures:
        count = counted[disease, figure.finding, figure.basis.source]
        assert figure.basis.n == count.asked, (disease, figure.finding)
        assert figure.p == pytest.approx(count.probability, abs=ROUNDING), (disease, figure)


def test_counted_ages_and_sexes_are_what_the_line_lists_hold(clinical_data):
    people = {(p.disease, p.source): p for p in febrile.counted_people(clinical_data)}
    checked = 0
    for disease in endemic_knowledge().diseases:
        if disease.ages_basis.grade is Grade.COUNTED:
            who = people[disease.id, disease.ages_basis.source]
            assert disease.ages == pytest.approx(who.age_weights, abs=ROUNDING)
            assert disease.ages_basis.n == who.patients
            checked += 1
        if disease.female_basis.grade is Grade.COUNTED:
            who = people[disease.id, disease.female_basis.source]
            assert disease.female == pytest.approx(who.female_share, abs=ROUNDING)
    assert checked >= 3


def diagnoses(data: Path, cohort) -> Counter:
    return Counter(p.diagnosis for p in febrile.read_cohort(data, cohort))


def test_the_malaysian_cohort_has_the_patients_its_article_counts(clinical_data):
    found = diagnoses(clinical_data, febrile.Cohort.MALAYSIA)
    assert found.total() == 368  # Ngim 2021, abstract: 368 adults, 167 confirmed
    assert found.total() - found["not dengue"] == 167


def test_the_thai_cohort_has_the_patients_its_article_counts(clinical_data):
    patients = febrile.read_cohort(clinical_data, febrile.Cohort.THAILAND)
    # Park 2018, table 1: non-dengue 101, dengue 105, DHF 42, DSS 9; girls 51, 51, 14, 8
    assert Counter(p.diagnosis for p in patients) == {
        "not dengue": 101,
        "dengue fever": 105,
        "dengue haemorrhagic fever": 42,
        "dengue shock syndrome": 9,
    }
    girls = Counter(p.diagnosis for p in patients if p.case.sex is Sex.FEMALE)
    assert girls == {
        "not dengue": 51,
        "dengue fever": 51,
        "dengue haemorrhagic fever": 14,
        "dengue shock syndrome": 8,
    }


def test_the_indonesian_cohort_has_the_pathogens_its_article_counts(clinical_data):
    found = diagnoses(clinical_data, febrile.Cohort.INDONESIA)
    assert found.total() == 1486  # Gasem 2020, abstract
    assert found["Dengue"] == 467
    assert found["Rickettsia Sp"] == 103


def test_the_test_cohorts_hold_the_patients_the_manifest_lists(clinical_data):
    vietnam = diagnoses(clinical_data, febrile.Cohort.VIETNAM)
    foz = diagnoses(clinical_data, febrile.Cohort.FOZ)
    assert vietnam.total() == 5726
    assert (foz["Chikungunya"], foz["Descartado"], foz.total()) == (1102, 851, 1965)


def test_each_line_list_states_findings_the_knowledge_base_knows(clinical_data):
    from training.knowledge import findings

    known = {row.id for row in findings()} | set(endemic_knowledge().findings)
    for cohort in febrile.Cohort:
        patients = febrile.read_cohort(clinical_data, cohort)
        asked = {f.id for p in patients for f in p.case.findings}
        assert asked <= known
        assert len(patients[0].case.findings) >= 4
