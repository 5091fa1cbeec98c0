"""HL7 v2 messages as visits; patients checked against another converter's FHIR bundles."""

import json
import tarfile

import pytest

from ddx.domain.case import Sex
from training.sources.ehr.hl7v2 import read_hl7v2, visit_in
from training.sources.ehr.record import RecordUnreadableError
from training.sources.pseudonyms import Pseudonyms

KEYED = Pseudonyms(b"k" * 32)
SEGMENTS = (
    r"MSH|^~\&|HIS|HOSPITAL RURAL|LAB|X|20261120143000-0500||ADT^A01|M1|P|2.5.1",
    "PID|1||4711^^^HR||Ordóñez^María^^^^^L||19900412|F",
    f"PV1|1|I{'|' * 17}V77{'|' * 25}20261120140000-0500",
    "DG1|1||J18.9^Neumonía^I10|||F",
    "DG1|2||R50.9^Fiebre^I10|||W",
    "OBX|1|NM|8310-5^Temperatura^LN||101.3|[degF]|||||F|||20261120142000-0500",
    "OBX|2|NM|8867-4^Pulso^LN||60~120|/min|||||F",
    "OBX|3|NM|9279-1^FR^LN||24|/min|||||X",
    "OBX|4|NM|2708-6^SpO2^LN||93|%|||||F",
    "OBX|5|NM|777-3^Plaquetas^LN||140|10*3/uL|||||F",
    "",
)
MESSAGE = "\r".join(SEGMENTS)


def test_a_message_becomes_a_visit_in_coded_fields():
    found = visit_in(MESSAGE.encode(), "hl7v2.hr")
    assert (found.sex, str(found.born)) == (Sex.FEMALE, "1990-04-12")
    assert found.at.isoformat() == "2026-11-20T19:00:00+00:00"  # 14:00 at UTC-5
    assert [(c.code, c.status) for c in found.conditions] == [
        ("J18.9", "confirmed"),
        ("R50.9", "provisional"),
    ]


def test_a_range_and_a_value_not_obtained_are_no_measurements():
    found = visit_in(MESSAGE.encode(), "hl7v2.hr")
    assert [(m.loinc, m.value, m.unit) for m in found.measured] == [
        ("8310-5", 101.3, "[degF]"),
        ("2708-6", 93.0, "%"),
        ("777-3", 140.0, "10*3/uL"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_no_name_number_or_facility_is_left(tmp_path, encoding):
    (tmp_path / "m.hl7").write_bytes(MESSAGE.encode(encoding))
    (visit,) = read_hl7v2(tmp_path, "hl7v2.hr", KEYED)
    text = json.dumps(visit.payload) + visit.id + visit.visit_id + visit.clinic
    for secret in ("4711", "Ordóñez", "María", "1990", "V77", "HOSPITAL", "Neumon"):
        assert secret not in text
    assert visit.payload["case"]["age_days"] == 13149  # 36 years
    assert [o["unit"] for o in visit.payload["observations"]] == ["percent", "degF"]


def test_a_message_sent_again_is_the_same_event_and_an_amended_one_is_not(tmp_path):
    (tmp_path / "a.hl7").write_text(MESSAGE)
    (tmp_path / "b.hl7").write_text(MESSAGE)
    (tmp_path / "c.hl7").write_text(MESSAGE.replace("J18.9", "A90"))
    first, again, amended = read_hl7v2(tmp_path, "hl7v2.hr", KEYED)
    assert first.id == again.id != amended.id
    assert first.visit_id == amended.visit_id


def test_a_file_that_is_no_message_is_named_and_not_quoted(tmp_path):
    (tmp_path / "x.hl7").write_text("Rosa Quispe, 41 años")
    with pytest.raises(RecordUnreadableError) as told:
        list(read_hl7v2(tmp_path, "hl7v2.hr", KEYED))
    assert "x.hl7" in str(told.value)
    assert "Quispe" not in str(told.value)


def expected_patients(folder):
    """Patients of the bundles another converter made of the same messages, by message."""
    with tarfile.open(folder / "ms_expected.tar.gz") as archive:
        for member in archive:
            if member.name.endswith("-expected.json"):
                bundle = json.load(archive.extractfile(member))
                patients = [
                    e["resource"]
                    for e in bundle["entry"]
                    if e["resource"]["resourceType"] == "Patient"
                ]
                if len(patients) == 1:
                    name = member.name.rsplit("/", 1)[1].removesuffix("-expected.json")
                    yield name, patients[0]


def test_every_published_message_reads_as_another_converter_reads_it(clinical_data):
    folder = clinical_data / "hl7v2"
    files = sorted((folder / "ms_input").glob("*.hl7"))
    read = {file.stem: visit_in(file.read_bytes(), "hl7v2.ms", name=file.name) for file in files}
    assert len(read) == 139
    compared = 0
    for name, patient in expected_patients(folder):
        found = read.get(name)
        if found is None:
            continue
        if patient.get("gender") in {"male", "female"}:
            assert found.sex.value == patient["gender"], name
            compared += 1
        if len(patient.get("birthDate", "")) == 10:
            assert str(found.born) == patient["birthDate"], name
    assert compared > 80
