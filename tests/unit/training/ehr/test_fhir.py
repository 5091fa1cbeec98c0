"""FHIR R4 records as visits of coded fields."""

import json
from dataclasses import replace

import pytest

from training.lake.door import admit, arrival_of
from training.sources.ehr.codes import condition_codes, known_loinc, observation_codes
from training.sources.ehr.fhir import read_fhir
from training.sources.ehr.record import RecordUnreadableError
from training.sources.ehr.units import unit_code
from training.sources.pseudonyms import Pseudonyms

KEYED = Pseudonyms(b"k" * 32)


def entry(**resource):
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def bundle():
    subject, encounter = {"reference": "urn:uuid:p1"}, {"reference": "urn:uuid:e1"}
    loinc = "http://loinc.org"
    return {
        "resourceType": "Bundle",
        "entry": [
            entry(
                resourceType="Patient",
                id="p1",
                name=[{"family": "Castellanos", "given": ["Antonio"]}],
                gender="male",
                birthDate="1990-04-12",
                address=[{"city": "Nauta"}],
            ),
            entry(
                resourceType="Encounter",
                id="e1",
                status="finished",
                subject=subject,
                period={"start": "2026-11-20T14:00:00-05:00"},
                serviceProvider={"reference": "urn:uuid:o1"},
            ),
            entry(
                resourceType="Observation",
                id="o2",
                status="final",
                encounter=encounter,
                effectiveDateTime="2026-11-20T15:00:00-05:00",
                code=coded(loinc, "8310-5"),
                valueQuantity={"value": 37.0, "code": "Cel"},
            ),
            entry(
                resourceType="Observation",
                id="o1",
                status="final",
                encounter=encounter,
                effectiveDateTime="2026-11-20T14:10:00-05:00",
                code=coded(loinc, "85354-9"),
                component=[
                    {
                        "code": coded(loinc, "8480-6"),
                        "valueQuantity": {"value": 118, "code": "mm[Hg]"},
                    }
                ],
            ),
            entry(
                resourceType="Observation",
                id="o3",
                status="entered-in-error",
                encounter=encounter,
                code=coded(loinc, "8867-4"),
                valueQuantity={"value": 300, "code": "/min"},
            ),
            entry(
                resourceType="Condition",
                id="c1",
                subject=subject,
                encounter=encounter,
                verificationStatus=coded(
                    "http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"
                ),
                code=coded("http://hl7.org/fhir/sid/icd-10", "J18.9"),
                note=[{"text": "Vive en el caserío de arriba"}],
            ),
        ],
    }


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(bundle()))
    return path


def test_an_encounter_becomes_a_visit_in_the_order_of_its_measurements(record):
    (visit,) = read_fhir(record, "fhir.hr", KEYED)
    assert [(o["code"], o["unit"], o["value"]) for o in visit.payload["observations"]] == [
        ("8480-6", "mmHg", 118.0),
        ("8310-5", "Cel", 37.0),
    ]
    assert visit.payload["conditions"] == [
        {"system": "icd10", "code": "J18.9", "status": "confirmed"}
    ]
    assert visit.payload["case"]["age_days"] == 13149
    assert visit.at.isoformat() == "2026-11-20T19:00:00+00:00"


def test_no_name_date_or_place_is_left_and_the_door_lets_it_in(record):
    (visit,) = read_fhir(record, "fhir.hr", KEYED)
    text = json.dumps(admit(arrival_of(visit)), default=str)
    for secret in ("Castellanos", "Antonio", "1990-04", "Nauta", "caserío", "urn:uuid", '"p1"'):
        assert secret not in text


def test_one_patient_is_one_pseudonym_and_another_key_makes_another(record):
    (visit,) = read_fhir(record, "fhir.hr", KEYED)
    (again,) = read_fhir(record, "fhir.hr", KEYED)
    (other,) = read_fhir(record, "fhir.hr", replace(KEYED, key=b"l" * 32))
    assert visit == again
    assert visit.payload["patient_pseudonym"] != other.payload["patient_pseudonym"]


def test_a_file_that_is_not_fhir_is_named_and_not_quoted(tmp_path):
    (tmp_path / "x.json").write_text('{"resourceType": "Bundle", "patient": "Rosa Quispe"}')
    with pytest.raises(RecordUnreadableError) as told:
        list(read_fhir(tmp_path / "x.json", "fhir.hr", KEYED))
    assert "Quispe" not in str(told.value)


def test_published_records_pass_the_door(clinical_data):
    visits = list(read_fhir(clinical_data / "synthea_r4/bundles.tar.gz", "fhir.synthea", KEYED))
    assert len([admit(arrival_of(visit)) for visit in visits]) > 300


@pytest.mark.parametrize(
    ("ucum", "code"),
    [
        ("mm[Hg]", "mmHg"),
        ("[degF]", "degF"),
        ("%", "percent"),
        ("/min", "per-min"),
        ("{beats}/min", "beats/min"),
        ("", None),
        ("10*3/uL", None),
    ],
)
def test_units_are_spelt_in_the_protocols_letters(ucum, code):
    assert unit_code(ucum) == code


def test_every_code_of_the_tables_means_one_thing():
    assert {row.vital for row in observation_codes()} == {
        "temperature_c",
        "heart_rate_bpm",
        "respiratory_rate_bpm",
        "systolic_mmhg",
        "diastolic_mmhg",
        "spo2_percent",
        "weight_kg",
        "glucose_mg_dl",
    }
    assert "8310-5" in known_loinc()
    codes = [(row.system, row.code) for row in condition_codes()]
    assert len(set(codes)) == len(codes)
    assert all((row.finding is None) != (row.disease is None) for row in condition_codes())
