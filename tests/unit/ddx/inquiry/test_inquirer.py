"""The next questions: what separates, what endangers, what this clinic can do."""

import pytest
from support.inquiry import BRONCHITIS, INFARCTION, INFLUENZA, case_with

from ddx.inquiry.effort import FULL
from ddx.inquiry.inquirer import HARM

FEVER, COUGH, SMOKER, PLATELETS = "HP:0001945", "HP:0012735", "VF:habit.smoker", "HP:0001873"


def subjects(questions):
    return [question.subject for question in questions]


def test_the_question_that_separates_the_likely_diseases_comes_first(inquirer_of):
    inquirer = inquirer_of(
        {INFLUENZA: 0.5, BRONCHITIS: 0.5}, (COUGH, FEVER), [[0.8, 0.95], [0.9, 0.05]]
    )
    first, second = inquirer.next_questions(case_with())
    assert subjects((first, second)) == [FEVER, COUGH]
    assert first.gain_bits == pytest.approx(1 - 0.2864, abs=1e-3)  # 1 - h(0.05)
    assert first.chance == pytest.approx(0.5)


def test_a_dangerous_disease_draws_the_question_to_itself(inquirer_of):
    shares = {INFLUENZA: 0.34, BRONCHITIS: 0.33, INFARCTION: 0.33}
    about_infarction, about_influenza = [0.1, 0.1, 0.9], [0.91, 0.09, 0.09]
    table = [list(pair) for pair in zip(about_influenza, about_infarction, strict=True)]
    first, second = inquirer_of(shares, (FEVER, COUGH), table).next_questions(case_with())
    assert first.subject == COUGH
    assert first.gain_bits < second.gain_bits, "the other one tells more, harm aside"


def test_what_costs_an_hour_waits_behind_what_costs_a_question(inquirer_of):
    inquirer = inquirer_of(
        {INFLUENZA: 0.5, BRONCHITIS: 0.5}, (PLATELETS, FEVER), [[0.99, 0.8], [0.01, 0.3]]
    )
    assert subjects(inquirer.next_questions(case_with(), FULL)) == [FEVER, PLATELETS]
    assert subjects(inquirer.next_questions(case_with())) == [FEVER]


def test_after_the_last_question_there_is_none(inquirer_of):
    inquirer = inquirer_of({INFLUENZA: 0.5, BRONCHITIS: 0.5}, (FEVER,), [[0.9], [0.1]])
    assert inquirer.next_questions(case_with(present=[FEVER])) == ()


def test_no_more_questions_than_wanted_and_the_best_of_them(inquirer_of):
    inquirer = inquirer_of(
        {INFLUENZA: 0.5, BRONCHITIS: 0.5},
        (COUGH, FEVER, SMOKER),
        [[0.5, 0.9, 0.3], [0.5, 0.1, 0.4]],
    )
    assert subjects(inquirer.next_questions(case_with(), limit=1)) == [FEVER]
    assert len(inquirer.next_questions(case_with(), limit=2)) == 2


def test_the_same_case_gets_the_same_questions(inquirer_of):
    arguments = (
        {INFLUENZA: 0.6, BRONCHITIS: 0.4},
        ("VF:pain-site.knee-left", "VF:pain-site.knee-right", FEVER),
        [[0.6, 0.1, 0.9], [0.1, 0.5, 0.3]],
    )
    first, second = inquirer_of(*arguments), inquirer_of(*arguments)
    assert first.next_questions(case_with()) == second.next_questions(case_with())


def test_harm_falls_with_severity():
    assert sorted(HARM, key=HARM.get, reverse=True) == [1, 2, 3, 4, 5]
