"""Published patients become cases: what is not listed was asked and is absent."""

import csv
import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from support.tiny_patients import patients, vocabulary

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.features.encode import encode, encode_table
from ddx.inquiry.interview import partial, with_budget
from training.fit.common import schema_of
from training.sources.ddxplus import (
    CONDITIONS,
    EVIDENCES,
    FOLDER,
    PARQUET,
    RELEASE_CSV,
    RELEASE_ZIP,
    DataSetMalformedError,
    DataSetMissingError,
    Patient,
    case_of,
    pack,
    read_conditions,
    read_evidences,
    read_patients,
)

PATIENT = Patient(
    row=0,
    age_years=40,
    sex=Sex.FEMALE,
    condition="Inguinal hernia",
    evidences=("E_91", "E_55_@_V_16", "E_56_@_7", "E_204_@_V_10"),
)
FEVER, COUGH, GROIN, AXILLA = (
    "HP:0001945",
    "HP:0012735",
    "VF:pain-site.groin",
    "VF:pain-site.axilla",
)
INTENSITY, ASIA = "VF:pain-intensity", "VF:travel.asia"


def test_every_question_was_asked():
    case = case_of(PATIENT, vocabulary())
    assert {f.id for f in case.present} == {FEVER, GROIN, INTENSITY}
    assert len(case.present) + len(case.excluded) == len(vocabulary().findings)
    assert case.presence_of(AXILLA) is Presence.EXCLUDED
    assert case.presence_of(ASIA) is Presence.EXCLUDED


def test_grade_travels_with_the_graded_finding_only():
    grades = {f.id: f.grade for f in case_of(PATIENT, vocabulary()).present}
    assert grades == {FEVER: None, GROIN: None, INTENSITY: 7.0}


def test_grade_of_zero_is_absence():
    painless = Patient(row=1, age_years=4, sex=Sex.MALE, condition="x", evidences=("E_56_@_0",))
    assert case_of(painless, vocabulary()).presence_of(INTENSITY) is Presence.EXCLUDED


def test_completed_years_stand_half_a_year_on():
    assert case_of(PATIENT, vocabulary()).age_years == pytest.approx(40.5, abs=0.01)


def test_token_without_a_finding_is_counted_not_lost():
    assert pack([PATIENT, PATIENT], vocabulary()).unmapped == {"E_204_@_V_10": 2}


def test_packed_patients_are_their_cases():
    some = patients(40)
    packed = pack(some, vocabulary())
    schema = schema_of(packed, vocabulary())
    rows = encode_table(packed.table(vocabulary().findings), schema)
    cases = [encode(case_of(p, vocabulary()), schema).values for p in some]
    np.testing.assert_array_equal(rows, np.stack(cases))


def test_taking_patients_keeps_each_ones_answers():
    packed = pack(patients(30), vocabulary())
    order = np.array([7, 7, 0, 29])
    findings = vocabulary().findings
    whole = packed.table(findings).presence
    np.testing.assert_array_equal(packed.take(order).table(findings).presence, whole[order])


def test_partial_case_forgets_what_was_not_kept():
    case = partial(case_of(PATIENT, vocabulary()), {FEVER, COUGH})
    assert {f.id for f in case.findings} == {FEVER, COUGH}
    assert case.presence_of(GROIN) is Presence.UNKNOWN
    assert case.age_days is not None


def test_budget_limits_both_kinds_and_invents_nothing():
    whole = case_of(PATIENT, vocabulary())
    case = with_budget(whole, present=2, excluded=3, rng=np.random.default_rng(1))
    assert (len(case.present), len(case.excluded)) == (2, 3)
    assert set(case.findings) <= set(whole.findings)


def write_parquet(folder, some):
    columns = {
        "row": [p.row for p in some],
        "AGE": [p.age_years for p in some],
        "SEX": ["F" if p.sex is Sex.FEMALE else "M" for p in some],
        "PATHOLOGY": [p.condition for p in some],
        "label_source": [p.label_source for p in some],
        "EVIDENCES": [" ".join(p.evidences) for p in some],
    }
    folder.mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pa.table(columns), folder / PARQUET)


def release_csv(some):
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["AGE", "DIFFERENTIAL_DIAGNOSIS", "SEX", "PATHOLOGY", "EVIDENCES"])
    for p in some:
        sex = "F" if p.sex is Sex.FEMALE else "M"
        rows.writerow([p.age_years, "[]", sex, p.condition, str(list(p.evidences))])
    return out.getvalue()


def test_three_published_forms_read_the_same(tmp_path):
    some = patients(25)
    as_table, as_csv, as_zip = (tmp_path / name for name in ("a", "b", "c"))
    for data in (as_table, as_csv, as_zip):
        (data / FOLDER).mkdir(parents=True)
    write_parquet(as_table / FOLDER, some)
    (as_csv / FOLDER / RELEASE_CSV).write_text(release_csv(some))
    with zipfile.ZipFile(as_zip / FOLDER / RELEASE_ZIP, "w") as archive:
        archive.writestr("release_train_patients", release_csv(some))
    assert read_patients(as_table) == read_patients(as_csv) == read_patients(as_zip) == some


def test_missing_patients_say_what_to_download_and_where(tmp_path):
    with pytest.raises(DataSetMissingError) as missing:
        read_patients(tmp_path)
    for needed in ("release_train_patients.zip", "VEREDA_DATA", str(tmp_path / FOLDER)):
        assert needed in str(missing.value)


@pytest.mark.parametrize("read", [read_evidences, read_conditions])
def test_missing_and_malformed_json_are_told_apart(tmp_path, read):
    with pytest.raises(DataSetMissingError):
        read(tmp_path)
    (tmp_path / FOLDER).mkdir()
    for name in (EVIDENCES, CONDITIONS):
        (tmp_path / FOLDER / name).write_text("{")
    with pytest.raises(DataSetMalformedError):
        read(tmp_path)
    for name in (EVIDENCES, CONDITIONS):
        (tmp_path / FOLDER / name).write_text(json.dumps({"E_91": {"data_type": "B"}}))
    assert read(tmp_path) == {"E_91": {"data_type": "B"}}


@pytest.mark.parametrize(
    "text",
    ["AGE,SEX\n1,F\n", "AGE,SEX,PATHOLOGY,EVIDENCES\nold,F,Flu,[]\n"],
    ids=["columns", "age"],
)
def test_file_of_another_shape_is_malformed(tmp_path, text):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / RELEASE_CSV).write_text(text)
    with pytest.raises(DataSetMalformedError):
        read_patients(tmp_path)


def test_file_that_is_no_parquet_is_malformed(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / PARQUET).write_bytes(b"PAR1")
    with pytest.raises(DataSetMalformedError):
        read_patients(tmp_path)
