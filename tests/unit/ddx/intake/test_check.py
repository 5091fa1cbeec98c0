"""Everything wrong with a draft is told at once, and only right drafts become cases."""

import pytest

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.intake.check import DraftRefusedError, Level, admit, check
from ddx.intake.draft import AgeUnit, Draft, DraftFinding
from ddx.intake.limits import POSSIBLE, USUAL

FEVER, PAIN_GRADE, COUGH = "HP:0001945", "VF:pain.intensity", "HP:0012735"
DYSPNEA, EXERTIONAL_DYSPNEA = "HP:0002094", "HP:0002875"


def seen(id, **more):
    return DraftFinding(id, Presence.PRESENT, **more)


def excluded(id):
    return DraftFinding(id, Presence.EXCLUDED)


def draft(*findings, age="30", unit=AgeUnit.YEARS, **vitals):
    return Draft(age_text=age, age_unit=unit, findings=findings or (seen(FEVER),), vitals=vitals)


def codes(issues, level=None):
    return [issue.code for issue in issues if level is None or issue.level is level]


def only(issues):
    (issue,) = issues
    return issue


def test_a_plain_draft_has_no_issues_and_becomes_the_case_it_says(catalogue):
    said = Draft(
        age_text="49",
        sex=Sex.MALE,
        findings=(seen(FEVER, onset_days=3), excluded(COUGH), seen(PAIN_GRADE, grade=7.0)),
        vitals={
            "temperature_c": "38,5",
            "heart_rate_bpm": " 96 ",
            "alert": "true",
            "weight_kg": "",
        },
    )
    assert check(said, catalogue) == ()
    case = admit(said, catalogue)
    assert case.age_days == 17898  # 49 x 365.25 = 17897.25, rounded up
    assert case.sex is Sex.MALE
    assert [(f.id, f.presence) for f in case.findings] == [
        (FEVER, Presence.PRESENT),
        (COUGH, Presence.EXCLUDED),
        (PAIN_GRADE, Presence.PRESENT),
    ]
    assert (case.findings[0].onset_days, case.findings[2].grade) == (3, 7.0)
    vitals = case.vitals
    assert (vitals.temperature_c, vitals.heart_rate_bpm, vitals.alert) == (38.5, 96.0, True)
    assert vitals.weight_kg is None
    assert vitals.on_oxygen is None


def test_all_mistakes_are_told_together(catalogue):
    wrong = draft(
        seen("HP:9999999"),
        seen(FEVER),
        excluded(FEVER),
        seen(PAIN_GRADE, grade=11.0),
        age="-3",
        temperature_c="caliente",
        systolic_mmhg="80",
        diastolic_mmhg="120",
    )
    assert codes(check(wrong, catalogue)) == [
        "age.negative",
        "finding.unknown_code",
        "finding.grade_out_of_range",
        "finding.contradiction",
        "vital.not_a_number",
        "vital.diastolic_not_below_systolic",
    ]


def test_a_draft_with_errors_is_refused_with_every_issue(catalogue):
    wrong = draft(seen("HP:9999999"), age="")
    with pytest.raises(DraftRefusedError) as refused:
        admit(wrong, catalogue)
    assert refused.value.issues == check(wrong, catalogue)
    assert codes(refused.value.issues) == [
        "age.missing",
        "finding.unknown_code",
    ]


def test_warnings_do_not_keep_a_case_out(catalogue):
    doubtful = draft(age="", temperature_c="43,1")
    assert codes(check(doubtful, catalogue), Level.WARNING) == [
        "age.missing",
        "vital.unusual_for_age",
    ]
    case = admit(doubtful, catalogue)
    assert case.age_days is None
    assert case.vitals.temperature_c == 43.1


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("treinta", AgeUnit.YEARS, "age.not_a_number"),
        ("-3", AgeUnit.YEARS, "age.negative"),
        ("-3", AgeUnit.DAYS, "age.negative"),
        ("126", AgeUnit.YEARS, "age.too_high"),
        ("1501", AgeUnit.MONTHS, "age.too_high"),
        ("50000", AgeUnit.DAYS, "age.too_high"),
    ],
)
def test_an_impossible_age_is_an_error_on_the_age(catalogue, text, unit, code):
    issue = only(check(draft(age=text, unit=unit), catalogue))
    assert (issue.level, issue.field, issue.code) == (Level.ERROR, "age", code)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("0", AgeUnit.DAYS), ("125", AgeUnit.YEARS), ("1500", AgeUnit.MONTHS), ("1,5", AgeUnit.YEARS)],
)
def test_the_edges_of_life_pass(catalogue, text, unit):
    assert check(draft(age=text, unit=unit), catalogue) == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HP:1945", FEVER),
        ("hp_0001945", FEVER),
        ("fiebre", FEVER),
        ("Fever", FEVER),
        ("VF:skin-lesoin", "VF:skin-lesion"),
        ("HP:9999999", ""),
        ("zzzzzz", ""),
    ],
)
def test_an_unknown_code_comes_with_the_finding_likely_meant(catalogue, written, meant):
    issue = only(check(draft(seen(FEVER), seen(written)), catalogue))
    assert (issue.code, issue.field, issue.suggestion) == ("finding.unknown_code", written, meant)


def test_a_finding_stated_twice_is_told_once(catalogue):
    issue = only(check(draft(seen(FEVER), seen(FEVER), seen(FEVER)), catalogue))
    assert (issue.level, issue.code, issue.field) == (Level.ERROR, "finding.repeated", FEVER)


def test_one_finding_under_two_hpo_ids_is_a_repetition(catalogue):
    alternative = "HP:0004715"
    primary = catalogue.resolve(alternative)
    assert primary != alternative
    issue = only(check(draft(seen(alternative), seen(primary)), catalogue))
    assert (issue.code, issue.field) == ("finding.repeated", primary)


def test_a_replaced_hpo_id_becomes_the_one_in_use(catalogue):
    case = admit(draft(seen("HP:0004715")), catalogue)
    assert case.findings[0].id == "HP:0000003"


def test_excluding_a_kind_while_a_special_case_is_present_is_an_error(catalogue):
    issue = only(check(draft(seen(EXERTIONAL_DYSPNEA), excluded(DYSPNEA)), catalogue))
    assert (issue.level, issue.code) == (Level.ERROR, "finding.excluded_kind")
    assert issue.params == {"present": EXERTIONAL_DYSPNEA, "excluded": DYSPNEA}


def test_excluding_a_special_case_while_the_kind_is_present_is_fine(catalogue):
    assert check(draft(seen(DYSPNEA), excluded(EXERTIONAL_DYSPNEA)), catalogue) == ()


def test_excluding_what_our_own_finding_implies_is_asked_again(catalogue):
    issue = only(check(draft(seen("VF:chest-pain.at-rest"), excluded("HP:0100749")), catalogue))
    assert (issue.level, issue.code) == (Level.WARNING, "finding.excluded_implied")


def test_an_itch_of_zero_implies_no_itch(catalogue):
    said = draft(seen("VF:skin-lesion.itch-intensity", grade=0.0), excluded("HP:0000989"))
    assert check(said, catalogue) == ()


@pytest.mark.parametrize("grade", [-0.5, 10.5, float("nan"), float("inf")])
def test_a_grade_outside_zero_to_ten_is_an_error(catalogue, grade):
    issue = only(check(draft(seen(PAIN_GRADE, grade=grade)), catalogue))
    assert (issue.level, issue.code) == (Level.ERROR, "finding.grade_out_of_range")


@pytest.mark.parametrize("grade", [0.0, 10.0])
def test_the_ends_of_the_scale_are_grades(catalogue, grade):
    assert check(draft(seen(PAIN_GRADE, grade=grade)), catalogue) == ()


def test_a_grade_on_a_yes_or_no_finding_is_an_error(catalogue):
    issue = only(check(draft(seen(FEVER, grade=5.0)), catalogue))
    assert issue.code == "finding.grade_not_expected"


def test_a_graded_finding_without_its_grade_is_asked_for(catalogue):
    issue = only(check(draft(seen(PAIN_GRADE)), catalogue))
    assert (issue.level, issue.code) == (Level.WARNING, "finding.grade_missing")


def test_a_finding_cannot_begin_after_today_and_hardly_before_birth(catalogue):
    assert codes(check(draft(seen(FEVER, onset_days=-1)), catalogue), Level.ERROR) == [
        "finding.onset_negative"
    ]
    young = draft(seen(FEVER, onset_days=40), age="30", unit=AgeUnit.DAYS)
    assert codes(check(young, catalogue), Level.WARNING) == ["finding.onset_before_birth"]


def test_a_draft_without_findings_has_nothing_to_diagnose(catalogue):
    asked = Draft(age_text="30", findings=(DraftFinding(FEVER, Presence.UNKNOWN),))
    for nothing in (Draft(age_text="30"), asked):
        issue = only(check(nothing, catalogue))
        assert (issue.level, issue.field, issue.code) == (Level.ERROR, "findings", "findings.none")


def test_only_excluded_findings_are_doubtful(catalogue):
    issue = only(check(draft(excluded(FEVER)), catalogue))
    assert (issue.level, issue.code) == (Level.WARNING, "findings.none_present")


@pytest.mark.parametrize("vital", sorted(POSSIBLE))
def test_a_vital_sign_no_patient_can_have_is_an_error(catalogue, vital):
    limit = POSSIBLE[vital]
    for value in (limit.low - 0.01, limit.high + 0.01):
        issue = only(check(draft(**{vital: f"{value:.2f}"}), catalogue))
        assert (issue.level, issue.field, issue.code) == (Level.ERROR, vital, "vital.out_of_range")


@pytest.mark.parametrize("vital", sorted(POSSIBLE))
def test_the_bounds_themselves_are_at_most_doubtful(catalogue, vital):
    for value in (POSSIBLE[vital].low, POSSIBLE[vital].high):
        assert codes(check(draft(**{vital: f"{value:g}"}), catalogue), Level.ERROR) == []


def test_a_newborn_s_breathing_rate_is_doubtful_in_an_old_man(catalogue):
    fast = {"respiratory_rate_bpm": "90"}
    assert check(draft(age="10", unit=AgeUnit.DAYS, **fast), catalogue) == ()
    issue = only(check(draft(age="70", **fast), catalogue))
    assert (issue.level, issue.code) == (Level.WARNING, "vital.unusual_for_age")
    assert issue.params["high"] == "60"


def test_usual_bounds_lie_inside_possible_ones_at_every_age():
    for vital, rows in USUAL.items():
        assert [row.from_years for row in rows] == sorted({row.from_years for row in rows})
        assert rows[0].from_years == 0
        for row in rows:
            assert POSSIBLE[vital].low <= row.low < row.high <= POSSIBLE[vital].high


@pytest.mark.parametrize(("typed", "meant"), [("101,3", "38.5"), ("385", "38.5"), ("900", "")])
def test_fahrenheit_and_a_lost_point_are_suggested(catalogue, typed, meant):
    assert only(check(draft(temperature_c=typed), catalogue)).suggestion == meant


@pytest.mark.parametrize("diastolic", ["120", "80,0"])
def test_diastolic_pressure_must_be_below_systolic(catalogue, diastolic):
    issue = only(check(draft(systolic_mmhg="80", diastolic_mmhg=diastolic), catalogue))
    assert issue.code == "vital.diastolic_not_below_systolic"


def test_an_answer_must_be_yes_or_no_and_a_sign_must_exist(catalogue):
    assert codes(check(draft(alert="quizá"), catalogue)) == ["vital.not_yes_or_no"]
    assert codes(check(draft(blood_colour="blue"), catalogue)) == ["vital.unknown"]
    assert check(draft(on_oxygen="no", alert="Sí"), catalogue) == ()
