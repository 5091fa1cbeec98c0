"""One patient as other systems read them: checked against the published models of both formats."""

import json

import pytest
from fhir.resources.R4B.bundle import Bundle
from google.protobuf.json_format import ParseDict
from phenopackets import Phenopacket

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import OverrideReason, Verb
from ddx.domain.finding import Presence, Severity
from ddx.domain.identifiers import DiseaseId
from ddx.intake.draft import Draft, DraftFinding

FLU = DiseaseId("VD:influenza")


@pytest.fixture
def seen(session, patient, flu):
    """A visit with a severe fever of three days, a cough nobody could tell, and vital signs."""
    fever, cough, absent = flu.findings
    typed = Draft(
        age_text="36",
        sex=flu.sex,
        findings=(
            DraftFinding(fever.id, Presence.PRESENT, onset_days=3, severity=Severity.SEVERE),
            DraftFinding(cough.id, Presence.UNKNOWN),
            absent,
        ),
        vitals={"temperature_c": "38,5", "systolic_mmhg": "104", "spo2_percent": "91"},
    )
    draft = session.visits.open_draft(patient.id)
    session.visits.save_draft(draft.id, typed)
    made = session.visits.diagnose(draft.id)
    session.decisions.record(made.id, Verb.AGREE, FLU, plan="Reposo y agua")
    return made


def of(bundle, kind):
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [r for r in resources if r["resourceType"] == kind]


@pytest.fixture
def bundle(session, patient, seen):
    return json.loads(session.exports.fhir(patient.id))


def test_the_bundle_is_fhir_r4(bundle):
    Bundle.model_validate(bundle)


def test_every_reference_of_the_bundle_is_in_the_bundle(bundle):
    there = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(there) == len(bundle["entry"])

    def references(part):
        if isinstance(part, dict):
            yield from ([part["reference"]] if "reference" in part else [])
            part = list(part.values())
        if isinstance(part, list):
            for item in part:
                yield from references(item)

    assert set(references(bundle)) <= there


def test_present_absent_and_not_known_stay_three_things(bundle):
    exam = [o for o in of(bundle, "Observation") if "LOINC" not in str(o) and "exam" in str(o)]
    assert [o.get("valueBoolean") for o in exam] == [True, None, False]
    assert exam[1]["dataAbsentReason"]["coding"][0]["code"] == "asked-unknown"
    parts = exam[0]["component"]
    assert parts[0]["valueCodeableConcept"]["coding"][0]["code"] == "HP:0012828"
    assert parts[1]["valueQuantity"]["value"] == 3


def test_vital_signs_carry_loinc_and_ucum(bundle):
    measured = {
        o["code"]["coding"][0]["code"]: (o["valueQuantity"]["value"], o["valueQuantity"]["code"])
        for o in of(bundle, "Observation")
        if "valueQuantity" in o
    }
    assert measured == {"8310-5": (38.5, "Cel"), "8480-6": (104, "mm[Hg]"), "59408-5": (91, "%")}


def test_what_the_model_said_is_labelled_and_is_no_condition(bundle, seen):
    (risk,) = of(bundle, "RiskAssessment")
    assert risk["meta"]["security"][0]["code"] == "AIAST"
    assert risk["performer"]["reference"].startswith("urn:vereda:Device:")
    assert len(risk["prediction"]) == len(seen.differential.candidates)
    assert all(0 <= p["probabilityDecimal"] <= 100 for p in risk["prediction"])  # ras-2
    (condition,) = of(bundle, "Condition")
    assert condition["verificationStatus"]["coding"][0]["code"] == "provisional"
    assert condition["code"]["coding"][0]["code"] == FLU
    (impression,) = of(bundle, "ClinicalImpression")
    assert impression["note"] == [{"text": "Reposo y agua"}]


def test_a_refused_list_leaves_no_condition_behind(session, patient, diagnosed):
    session.decisions.record(diagnosed.id, Verb.REFUSE, None, OverrideReason.OTHER)
    bundle = json.loads(session.exports.fhir(patient.id))
    Bundle.model_validate(bundle)
    assert of(bundle, "Condition") == []


def test_the_phenopacket_reads_with_the_published_schema_and_names_nobody(session, patient, seen):
    content = session.exports.phenopacket(seen.id)
    packet = ParseDict(json.loads(content), Phenopacket())
    assert packet.subject.id == seen.short_code
    assert [(f.type.id, f.excluded) for f in packet.phenotypic_features] == [
        ("HP:0001945", False),
        ("HP:0001166", True),
    ]
    assert [d.term.id for d in packet.diseases] == [FLU]
    for name in (patient.given_name, patient.family_name, patient.id):
        assert name not in content.decode()


def test_each_export_is_written_down(session, patient, seen, entries):
    session.exports.phenopacket(seen.id)
    session.exports.fhir(patient.id)
    told = [e.detail["what"] for e in entries(session) if e.action is AuditAction.EXPORTED]
    assert told == ["phenopacket", "fhir"]
