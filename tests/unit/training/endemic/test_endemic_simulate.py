"""Simulated endemic patients: as frequent as stated, and never against the meaning of the words."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ddx.domain.case import DAYS_PER_YEAR
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable, encode_table
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from training.sources.endemic import (
    AGE_BANDS,
    EndemicKnowledgeError,
    RelationKind,
    endemic_knowledge,
    probabilities,
    simulate,
)

KNOWLEDGE = endemic_knowledge()
DISEASES = [d.id for d in KNOWLEDGE.diseases]
PATIENTS = 4000
CONSTIPATION = "HP:0002019"


@pytest.fixture(scope="module")
def tables() -> dict[str, CaseTable]:
    rng = np.random.default_rng(20261123)
    return {disease: simulate(KNOWLEDGE, disease, PATIENTS, rng) for disease in DISEASES}


def column(table: CaseTable, finding: str) -> np.ndarray:
    return table.presence[:, table.findings.index(finding)]


@pytest.mark.parametrize("disease", DISEASES)
def test_each_finding_is_as_frequent_as_the_knowledge_base_states(tables, disease):
    table = tables[disease]
    years = table.age_days / DAYS_PER_YEAR
    expected = probabilities(KNOWLEDGE.disease(disease), KNOWLEDGE)
    for finding, entry in KNOWLEDGE.background.items():
        first = max(entry.from_years, entry.told_from_years, entry.background_from_years)
        able = (years >= first) & (years < entry.to_years)
        if entry.female_only:
            able &= table.female == 1
        if able.sum() < 500 or finding == CONSTIPATION:  # diarrhea leaves no room for its figure
            continue
        error = np.sqrt(expected[finding] * (1 - expected[finding]) / able.sum())
        seen = np.mean(column(table, finding)[able] == PRESENT)
        assert seen == pytest.approx(expected[finding], abs=0.015 + 4 * error), finding


@pytest.mark.parametrize("disease", DISEASES)
def test_sex_and_age_follow_the_shares_of_the_disease(tables, disease):
    described, table = KNOWLEDGE.disease(disease), tables[disease]
    assert table.female.mean() == pytest.approx(described.female, abs=0.04)
    years = table.age_days / DAYS_PER_YEAR
    for band, share in described.ages.items():
        first, end = AGE_BANDS[band]
        assert np.mean((years >= first) & (years < end)) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("disease", DISEASES)
def test_nobody_has_bloody_diarrhea_without_diarrhea(tables, disease):
    for relation in KNOWLEDGE.relations:
        has = column(tables[disease], relation.finding) == PRESENT
        other = column(tables[disease], relation.other)
        if relation.kind is RelationKind.ENTAILS:
            assert not np.any(has & (other == EXCLUDED)), relation
        else:
            assert not np.any(has & (other == PRESENT)), relation


def test_men_children_and_old_women_are_never_pregnant(tables):
    for table in tables.values():
        pregnant = column(table, "VF:context.pregnant") == PRESENT
        years = table.age_days / DAYS_PER_YEAR
        assert not np.any(pregnant & ((table.female == 0) | (years < 12) | (years >= 50)))


def test_every_patient_with_pre_eclampsia_is_a_woman_pregnant_or_newly_delivered(tables):
    table = tables["VD:pre-eclampsia"]
    pregnant = column(table, "VF:context.pregnant") == PRESENT
    delivered = column(table, "VF:context.postpartum-six-weeks") == PRESENT
    of_age = table.age_days / DAYS_PER_YEAR >= 12
    assert table.female.all()
    assert (pregnant ^ delivered)[of_age].mean() > 0.97


def test_an_infant_cannot_tell_of_a_headache_so_it_stays_unknown(tables):
    table = tables["VD:bacterial-meningitis"]
    small = table.age_days / DAYS_PER_YEAR < 4
    headache = column(table, "HP:0002315")
    assert small.any()
    assert np.all(headache[small] == UNKNOWN)
    assert np.all(headache[~small] != UNKNOWN)


DRAW = """
import hashlib, numpy
from training.sources.endemic import endemic_knowledge, simulate
table = simulate(endemic_knowledge(), "VD:zika", 50, numpy.random.default_rng(7))
print(hashlib.sha256(table.presence.tobytes() + table.age_days.tobytes()).hexdigest())
"""


def test_the_same_seed_gives_the_same_patients_in_any_process():
    digests = {
        subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_features_of_the_common_model_read_simulated_patients(tables):
    table = tables["VD:zika"]
    schema = FeatureSchema(
        columns=(
            Column(ColumnKind.AGE_YEARS),
            Column(ColumnKind.SEX_FEMALE),
            Column(ColumnKind.PRESENCE, "HP:0000988"),
        )
    )
    rows = encode_table(table, schema)
    assert rows.shape == (PATIENTS, 3)
    assert np.array_equal(rows[:, 2], column(table, "HP:0000988").astype(np.float32))


def test_a_disease_outside_the_knowledge_base_is_refused():
    with pytest.raises(EndemicKnowledgeError, match="VD:influenza"):
        simulate(KNOWLEDGE, "VD:influenza", 1, np.random.default_rng(0))
