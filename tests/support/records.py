"""Records of a clinic, ready to be stored."""

import hashlib
from datetime import UTC, date, datetime

from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId, new_record_id
from desktop.store.records import PatientRecord, StoredDiagnosis

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_patient(given_name="Zenobia", family_name="Quispe Mamani", **changes):
    patient = new_record_id()
    values = {
        "id": patient,
        "given_name": given_name,
        "family_name": family_name,
        "sex": Sex.FEMALE,
        "birth_date": date(1990, 5, 1),
        "national_id": "",
        "pseudonym": hashlib.sha256(patient.encode()).hexdigest(),
        "created_at": NOON,
    }
    return PatientRecord(**(values | changes))


def a_diagnosis(patient, clinician, made_at=NOON):
    return StoredDiagnosis(
        id=new_record_id(),
        patient_id=patient,
        clinician_id=clinician,
        made_at=made_at,
        case=Case(
            age_days=12000,
            sex=Sex.FEMALE,
            findings=(Finding(id=FindingId("HP:0001945"), presence=Presence.PRESENT),),
        ),
        differential=Differential(
            candidates=(
                Candidate(
                    rank=1,
                    disease=DiseaseId("VD:flu"),
                    probability=0.7,
                    band=Band.LIKELY,
                    world=World.COMMON,
                ),
            ),
            outside_probability=0.3,
            unused=(),
            alerts=(),
            bundle_version="2026.11.1",
            bundle_digest="b" * 64,
        ),
        feature_digest="f" * 64,
        receipt_digest="d" * 64,
        short_code="dddd-dddd-dd",
    )
