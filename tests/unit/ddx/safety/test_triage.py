"""Five levels: which sign puts a patient where, and what a model may change."""

import inspect
import re

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import Band, Candidate, World
from ddx.domain.finding import Finding, Presence
from ddx.safety import Flags, dengue, emergency, paediatric
from ddx.safety.flags import FURTHER_RULES
from ddx.safety.messages import ALL_MESSAGES, FURTHER_MESSAGES, MESSAGES, TRIAGE_MESSAGES
from ddx.safety.rules import RULES
from ddx.safety.triage import IMMEDIATE, URGENT_THOUGH_FLAGGED, Level
from ddx.safety.triage import triage as triage_of
from ddx.terminology.catalogue import Language
from training.sources.endemic import endemic_knowledge

YEAR = 365.25
ADULT, CHILD = 40 * YEAR, 4 * YEAR
HEALTHY = {
    "respiratory_rate_bpm": 16,
    "spo2_percent": 98,
    "systolic_mmhg": 120,
    "heart_rate_bpm": 72,
    "alert": True,
    "temperature_c": 36.8,
    "on_oxygen": False,
}
HEALTHY_CHILD = {
    "respiratory_rate_bpm": 24,
    "spo2_percent": 98,
    "heart_rate_bpm": 100,
    "alert": True,
    "temperature_c": 36.8,
}


def case(*present, age_days=ADULT, **vitals):
    return Case(
        age_days=None if age_days is None else int(age_days),
        sex=Sex.FEMALE,
        findings=tuple(Finding(id=f, presence=Presence.PRESENT) for f in present),
        vitals=VitalSigns(**vitals),
    )


def triage(patient, catalogue, not_excluded=()):
    return triage_of(patient, Flags.of(patient, catalogue), not_excluded)


def candidate(severity, rank=1):
    return Candidate(
        rank=rank,
        disease=f"VD:severity-{severity}",
        probability=0.2,
        band=Band.POSSIBLE,
        world=World.COMMON,
        severity=severity,
    )


@pytest.mark.parametrize(
    ("patient", "level", "code"),
    [
        (case("HP:0005348"), 1, "airway.stridor"),
        (case(spo2_percent=89), 1, "oxygen.below_90"),
        (case("HP:0000421", "HP:0001945"), 2, "dengue.bleeding_with_fever"),
        (case(glucose_mg_dl=50, alert=True), 2, "glucose.below_54"),
        # 25/min 3, 91 % 3, 38.5 C 1: 7
        (case(respiratory_rate_bpm=25, spo2_percent=91, temperature_c=38.5), 2, "news2.emergency"),
        # 22/min 2, 95 % 1, 112/min 2: 5
        (case(respiratory_rate_bpm=22, spo2_percent=95, heart_rate_bpm=112), 3, "news2.urgent"),
        (case(respiratory_rate_bpm=25), 3, "news2.single_red"),
        (case("HP:0100749"), 3, "chest_pain.adult"),
        (case("HP:0001945", "HP:0003326", "HP:0002027"), 3, "dengue.warning_sign"),
        (case(age_days=CHILD, heart_rate_bpm=141), 3, "child.danger_zone"),
        (case(age_days=30), 3, "infant.under_2_months"),
    ],
)
def test_the_most_urgent_reason_sets_the_level(catalogue, patient, level, code):
    seen = triage(patient, catalogue)
    assert (seen.level, seen.reasons[0].code) == (level, code)


def test_reasons_come_most_urgent_first_each_with_its_source(catalogue):
    seen = triage(case("HP:0005348", "HP:0100749", spo2_percent=89), catalogue)
    levels = [reason.level for reason in seen.reasons]
    assert levels == sorted(levels)
    assert set(levels) == {1, 3}
    assert all(reason.source and reason.evidence for reason in seen.reasons)
    assert "Interagency" in seen.reasons[0].source


def test_nothing_measured_and_nothing_found_is_standard_and_says_what_is_missing(catalogue):
    seen = triage(case(), catalogue)
    assert seen.level is Level.STANDARD
    assert set(seen.missing) == HEALTHY.keys() - {"on_oxygen"}


def test_normal_vital_signs_make_an_adult_non_urgent(catalogue):
    assert triage(case(**HEALTHY), catalogue).level is Level.NON_URGENT
    warm = triage(case(**(HEALTHY | {"temperature_c": 38.1})), catalogue)  # NEWS2 of 1
    assert (warm.level, warm.reasons) == (Level.STANDARD, ())


def test_normal_vital_signs_make_a_child_non_urgent_and_fever_does_not(catalogue):
    child = case(age_days=CHILD, **HEALTHY_CHILD)
    feverish = case(age_days=CHILD, **(HEALTHY_CHILD | {"temperature_c": 38.0}))
    assert triage(child, catalogue).level is Level.NON_URGENT
    assert triage(feverish, catalogue).level is Level.STANDARD


def test_nobody_of_unknown_age_is_called_non_urgent(catalogue):
    assert triage(case(age_days=None, **HEALTHY), catalogue).level is Level.STANDARD


@pytest.mark.parametrize(("severity", "level"), [(1, 2), (2, 3), (3, 5), (5, 5), (None, 5)])
def test_a_severe_disease_that_cannot_be_set_aside_raises_the_level(catalogue, severity, level):
    assert triage(case(**HEALTHY), catalogue, [candidate(severity)]).level == level


def test_a_model_never_lowers_a_level_nor_reaches_the_first(catalogue):
    calm, deadly = [candidate(5)], [candidate(1), candidate(2, rank=2)]
    choking = case("HP:0005348")
    assert triage(choking, catalogue, calm).level is Level.IMMEDIATE
    assert triage(choking, catalogue, calm).reasons == triage(choking, catalogue).reasons
    assert triage(case(), catalogue, deadly).level is Level.VERY_URGENT


def test_news2_stays_silent_in_pregnancy_and_another_table_speaks(catalogue):
    breathless = case("VF:context.pregnant", respiratory_rate_bpm=31)
    codes = [reason.code for reason in triage(breathless, catalogue).reasons]
    assert codes == ["adult.high_risk_vital_sign"]


def test_further_alerts_repeat_none_of_the_first_rules_and_put_urgent_first(catalogue):
    bitten = case("VF:exposure.snake-bite", "HP:0030828", "HP:0005348")
    alerts = Flags.of(bitten, catalogue, FURTHER_RULES).alerts
    assert [alert.code for alert in alerts] == ["emergency.snake_bite", "adult.priority_sign"]
    assert not {a.code for a in alerts} & {
        a.code for a in Flags.of(bitten, catalogue, RULES).alerts
    }


def test_every_code_that_sets_a_level_is_a_rule():
    codes = [rule.code for rule in (*RULES, *FURTHER_RULES)]
    assert len(set(codes)) == len(codes)
    assert set(codes) >= IMMEDIATE.keys() | URGENT_THOUGH_FLAGGED
    urgent = {rule.code for rule in (*RULES, *FURTHER_RULES) if rule.urgent}
    assert urgent >= IMMEDIATE.keys()


def test_every_rule_level_and_severity_has_words_in_both_languages():
    assert FURTHER_MESSAGES.keys() == {rule.code for rule in FURTHER_RULES}
    assert {f"triage.level_{level}" for level in Level} <= TRIAGE_MESSAGES.keys()
    assert len(ALL_MESSAGES) == len(MESSAGES) + len(FURTHER_MESSAGES) + len(TRIAGE_MESSAGES)
    assert all(set(t) == set(Language) and all(t.values()) for t in ALL_MESSAGES.values())


def test_every_finding_a_rule_asks_for_is_in_a_vocabulary_of_ours(catalogue):
    endemic = {row.id for row in endemic_knowledge().own_findings}
    for module in (dengue, emergency, paediatric):
        asked = set(re.findall(r'"((?:HP:\d{7}|VF:[a-z0-9.-]+))"', inspect.getsource(module)))
        assert len(asked) >= 10
        assert [code for code in asked if code not in catalogue and code not in endemic] == []
