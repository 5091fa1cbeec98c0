"""What is known of test patients, who is compared with whom, and the short interviews."""

import numpy as np
import pytest
from support.tiny_patients import Row, fit, patients, vocabulary

from ddx.features.encode import PRESENT, UNKNOWN
from training.evaluate.common import macro_f1
from training.evaluate.fairness import fairness, fairness_of
from training.evaluate.rivals import among_first
from training.fit.interview import Interview
from training.fit.partial import Budget, base_rates, partly_asked
from training.fit.sample import Sample
from training.sources.ddxplus import Vocabulary, pack

FINDINGS = (
    Row("VF:a", "E_1"),
    Row("VF:site.x", "E_2@V_1", "choice"),
    Row("VF:site.y", "E_2@V_2", "choice"),
    Row("VF:site.z", "E_2@V_3", "choice"),
)


def everybody():
    diseases = fit().diseases
    return Sample.of(patients(), vocabulary(), diseases, None)


def test_values_of_one_published_question_share_its_number():
    numbers = Vocabulary.of(FINDINGS, ()).questions
    assert numbers.tolist() == [numbers[0], numbers[1], numbers[1], numbers[1]]
    assert numbers[0] != numbers[1]


def test_a_drawn_question_shows_all_its_values():
    words = Vocabulary.of(FINDINGS, ())
    one = patients(1)[0]
    whole = type(one)(
        row=0,
        age_years=30,
        sex=one.sex,
        condition=one.condition,
        evidences=("E_1", "E_2_@_V_1", "E_2_@_V_3"),
    )
    answers = pack([whole] * 400, words)
    table = partly_asked(
        answers,
        words.findings,
        Budget.fixed(400, present=1),
        base_rates(answers, 4),
        np.random.default_rng(0),
        questions=words.questions,
    )
    shown = (table.presence == PRESENT).sum(axis=1)
    assert set(shown.tolist()) == {1, 2}
    assert (shown == 2).mean() == pytest.approx(0.5, abs=0.075)  # 3 sigma of 400
    assert (table.presence[:, 2] == UNKNOWN).all()


def test_interview_answers_are_true_and_come_by_whole_questions():
    sample = everybody()
    schema = fit().schema
    n_columns = len(schema)
    frequency = np.full((len(fit().diseases), n_columns), 0.5)
    frequency[:, :2] = np.nan
    question = np.arange(n_columns)
    pair = [schema.positions["VF:pain-site.groin"], schema.positions["VF:pain-site.axilla"]]
    question[pair] = n_columns
    interview = Interview(bayes=fit().bayes, frequency=frequency, question=question)
    rows = interview.hold(sample, schema, np.random.default_rng(2), most=4)
    record = sample.fully_asked(schema)
    known = ~np.isnan(rows)
    np.testing.assert_array_equal(rows[known], record[known])
    both = known[:, pair]
    asked = ~np.isnan(rows[:, pair]).all(axis=1) & (record[:, pair] == 0).any(axis=1)
    by_question = (rows[:, pair] == 0).any(axis=1)
    assert both[by_question].all()
    assert asked.any()
    assert known.sum(axis=1).min() >= 2  # age and sex


def test_only_the_first_diseases_share_what_is_left():
    only = among_first(lambda rows: np.tile([0.2, 0.2, 0.6], (len(rows), 1)), 2)
    np.testing.assert_allclose(only(np.zeros((3, 1), np.float32)), [[0.5, 0.5, 0.0]] * 3)


def test_saying_an_absent_disease_costs_recall_but_adds_no_f1_of_its_own():
    truth = np.array([0, 0, 1, 1])
    said = np.array([0, 2, 1, 1])
    f1 = (2 * 1 / (1 + 2), 1.0)
    assert macro_f1(said, truth, 3) == pytest.approx(np.mean(f1))


def test_gap_between_sexes_is_seen_like_for_like():
    sample = everybody()
    answers = np.eye(len(fit().diseases))[sample.truth]
    female = sample.answers.female == 1
    wrong = np.flatnonzero(female)[::4]
    answers[wrong] = np.roll(answers[wrong], 1, axis=1)
    found = fairness_of([answers], sample).to_json()
    assert found["sex"]["gap_points"] == pytest.approx(25, abs=1)
    assert found["sex"]["like_for_like_gap"]["points"] == pytest.approx(25, abs=8)
    assert len(found["age"]["groups"]) == 7
    assert sum(g["patients"] for g in found["age"]["groups"]) == len(sample.truth)


def test_groups_served_alike_show_the_gap_of_chance_and_no_more():
    rng = np.random.default_rng(7)
    n = 4000
    truth, right = rng.integers(0, 3, n), rng.random(n) < 0.9
    female, age_days = rng.random(n) < 0.5, rng.uniform(0, 90 * 365.25, n)
    found = fairness(right, truth, female, age_days)
    # the gap of two halves: |normal| of sd 0.3 * sqrt(4 / 4000) = 0.95 points, mean 0.76
    assert found.sex_gap.by_chance == pytest.approx(0.76, abs=0.15)
    assert found.age_gap.by_chance > found.sex_gap.by_chance
    unfair = fairness(right & (female | (rng.random(n) < 0.8)), truth, female, age_days)
    assert unfair.sex_gap.points == pytest.approx(18, abs=4)  # 0.9 * 0.2
    assert unfair.sex_gap.low > 10 * unfair.sex_gap.by_chance


def test_groups_that_share_no_disease_have_no_gap():
    truth = np.repeat([0, 1], 30)
    found = fairness(np.ones(60, dtype=bool), truth, truth == 0, np.full(60, 9000.0)).to_json()
    assert found["sex"]["like_for_like_gap"]["points"] is None
