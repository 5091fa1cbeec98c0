"""Domain values refuse what medicine does not allow, and survive a trip through JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import (
    Alert,
    Band,
    Candidate,
    CommonFit,
    Differential,
    Fit,
    World,
)
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.feedback import Feedback, Outcome, OverrideReason, Verb
from ddx.domain.finding import Finding, Presence, Severity
from ddx.domain.identifiers import disease_id, finding_id, new_record_id, record_id
from ddx.domain.receipt import Receipt
from ddx.domain.roles import PERMISSIONS, Permission, PermissionDeniedError, Role, require
from ddx.domain.wire import (
    case_from_json,
    case_to_json,
    differential_from_json,
    differential_to_json,
    explanation_from_json,
    explanation_to_json,
)
from ddx.errors import CaseError, IdentifierError

FEVER = finding_id("HP:0001945")
PAIN = finding_id("VF:pain-intensity")
DIFFERENTIAL = Differential(
    candidates=(
        Candidate(
            rank=1,
            disease=disease_id("VD:influenza"),
            probability=0.7,
            band=Band.VERY_LIKELY,
            world=World.COMMON,
            severity=3,
        ),
    ),
    outside_probability=0.3,
    unused=(PAIN,),
    alerts=(Alert(code="news2.high", urgent=True, evidence=("spo2",), source="RCP 2017"),),
    bundle_version="2026.11.1",
    bundle_digest="ab" * 32,
)
CASE = Case(
    age_days=12000,
    sex=Sex.FEMALE,
    findings=(
        Finding(id=FEVER, presence=Presence.PRESENT, severity=Severity.SEVERE, onset_days=4),
        Finding(id=PAIN, presence=Presence.EXCLUDED, grade=0.0),
    ),
    vitals=VitalSigns(temperature_c=38.9, alert=True),
)


def test_a_negative_age_is_refused():
    with pytest.raises(CaseError, match="-3"):
        Case(age_days=-3, sex=Sex.UNKNOWN)


def test_a_finding_given_twice_is_refused_and_named():
    twice = (
        Finding(id=FEVER, presence=Presence.PRESENT),
        Finding(id=FEVER, presence=Presence.EXCLUDED),
    )
    with pytest.raises(CaseError, match="HP:0001945"):
        Case(age_days=1, sex=Sex.UNKNOWN, findings=twice)


def test_what_nobody_asked_is_unknown_not_absent():
    assert CASE.presence_of(finding_id("HP:0012735")) is Presence.UNKNOWN
    assert CASE.presence_of(PAIN) is Presence.EXCLUDED


@pytest.mark.parametrize("text", ["HP:1945", "fever", "VF:Dolor", "OMIM:1", ""])
def test_malformed_finding_ids_are_refused(text):
    with pytest.raises(IdentifierError):
        finding_id(text)


@pytest.mark.parametrize("text", ["OMIM:", "VD:Gripe", "HP:0001945"])
def test_malformed_disease_ids_are_refused(text):
    with pytest.raises(IdentifierError):
        disease_id(text)


def test_record_ids_are_version_seven_and_sort_by_time():
    early = new_record_id(unix_ms=1_700_000_000_000)
    late = new_record_id(unix_ms=1_700_000_000_001)
    assert early[14] == "7"
    assert early < late
    assert record_id(early) == early
    with pytest.raises(IdentifierError):
        record_id(early.upper())


def test_record_id_matches_the_worked_example_of_rfc_9562():
    # RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    entropy = bytes.fromhex("0cc318c4dc0c0c07398f")
    made = new_record_id(unix_ms=0x017F22E279B0, entropy=entropy)
    assert made == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_case_differential_and_explanation_survive_json():
    explanation = Explanation(
        disease=disease_id("VD:influenza"),
        world=World.COMMON,
        base=-1.0,
        margin=0.5,
        contributions=(
            Contribution(subject=FEVER, presence=Presence.PRESENT, weight=1.5, frequency=0.8),
        ),
        expected=(PAIN,),
    )
    through = lambda value: json.loads(json.dumps(value))  # noqa: E731
    assert case_from_json(through(case_to_json(CASE))) == CASE
    assert differential_from_json(through(differential_to_json(DIFFERENTIAL))) == DIFFERENTIAL
    assert explanation_from_json(through(explanation_to_json(explanation))) == explanation


def test_an_assessed_fit_survives_json_and_records_from_before_say_not_assessed():
    fit = CommonFit(fit=Fit.UNEXPLAINED, p_value=0.01)
    assessed = replace(DIFFERENTIAL, common_fit=fit)
    written = json.loads(json.dumps(differential_to_json(assessed)))
    assert differential_from_json(written).common_fit == fit
    del written["common_fit"]
    older = differential_from_json(written | {"from_a_later_release": 1})
    assert older.common_fit.fit is Fit.NOT_ASSESSED
    assert differential_to_json(older) == written  # the digest of an old receipt stays


@pytest.mark.parametrize("fit", [{"fit": "perhaps", "p_value": 0.1}, {"p_value": 0.1}, 3])
def test_a_fit_that_cannot_be_read_is_refused(fit):
    with pytest.raises(CaseError):
        differential_from_json(differential_to_json(DIFFERENTIAL) | {"common_fit": fit})


def test_a_case_record_without_findings_is_refused_with_the_missing_key():
    with pytest.raises(CaseError, match="findings"):
        case_from_json({"age_days": 3, "sex": "male"})


def test_the_receipt_code_changes_with_any_input():
    receipt = Receipt(
        diagnosis_id=new_record_id(unix_ms=1, entropy=bytes(10)),
        made_at=datetime(2026, 11, 23, tzinfo=UTC),
        case=CASE,
        feature_digest="00" * 32,
        differential=DIFFERENTIAL,
    )
    other = Receipt(
        diagnosis_id=receipt.diagnosis_id,
        made_at=receipt.made_at,
        case=Case(age_days=12001, sex=CASE.sex, findings=CASE.findings, vitals=CASE.vitals),
        feature_digest=receipt.feature_digest,
        differential=DIFFERENTIAL,
    )
    assert receipt.digest != other.digest
    assert receipt.short_code.count("-") == 2
    assert len(receipt.short_code) == 14


def test_feedback_needs_a_reason_unless_the_clinician_agrees():
    given = {
        "id": new_record_id(),
        "diagnosis_id": new_record_id(),
        "disease": disease_id("VD:influenza"),
        "outcome_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    assert Feedback(verb=Verb.AGREE, reason=None, **given).outcome is Outcome.ACCEPTED
    with pytest.raises(CaseError, match="reason"):
        Feedback(verb=Verb.CUSTOM, reason=None, **given)
    overridden = Feedback(verb=Verb.ADD, reason=OverrideReason.OTHER, **given)
    assert overridden.outcome is Outcome.OVERRIDDEN


def test_permissions_follow_the_reference_architecture():
    assert PERMISSIONS[Role.MEDICO_GENERAL] < PERMISSIONS[Role.MEDICO_ADMIN]
    admin = PERMISSIONS[Role.MEDICO_ADMIN] - {Permission.ERASE_PATIENT}
    assert admin < PERMISSIONS[Role.DATA_SCIENTIST]
    assert PERMISSIONS[Role.DATA_SCIENTIST] < PERMISSIONS[Role.MLOPS_ENGINEER]
    assert Permission.VIEW_PATIENT not in PERMISSIONS[Role.AUDITOR]
    with pytest.raises(PermissionDeniedError, match="Auditor may not diagnose"):
        require(Role.AUDITOR, Permission.DIAGNOSE)
