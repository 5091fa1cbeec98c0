"""From bronze to gold: what is new, each case once, the same whatever the order of the runs."""

from pathlib import Path

import pytest
from support.lake_records import (
    CLINIC,
    DAY,
    KEYED,
    NOON,
    PATIENT,
    diagnosis,
    feedback,
    findings,
    visit,
)

from training.lake import build as module
from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.gold import GoldMissingError, read_cases
from training.lake.tables import GOLD_CASES, SILVER_CASES

pytestmark = pytest.mark.usefixtures("unchecked")


def gold(lake, **asked):
    return {row["case_id"]: row for row in read_cases(lake.address, **asked).table.to_pylist()}


def test_a_diagnosis_and_the_clinicians_word_become_one_labelled_case(lake, arrive):
    told = diagnosis(stated=findings(p1="present", p2="excluded"), temperature_c=38.5)
    arrive(told, feedback(told, disease="VD:pneumonia"))
    (row,) = gold(lake).values()
    assert (row["disease"], row["label_source"], row["confirmed"]) == (
        "VD:pneumonia",
        "corrected",
        True,
    )
    assert (row["predicted"], row["predicted_probability"]) == ("VD:influenza", 0.6)
    assert [(f["id"], f["presence"]) for f in row["findings"]] == [
        ("HP:0000001", "present"),
        ("HP:0000002", "excluded"),
    ]
    assert row["temperature_c"] == 38.5
    assert row["heart_rate_bpm"] is None  # not measured stays not measured


def test_a_label_that_comes_days_later_reaches_its_case(lake, arrive):
    told = diagnosis()
    arrive(told, now=NOON)
    assert gold(lake) == {}
    assert gold(lake, labelled=False)[told.case_id]["disease"] is None
    arrive(feedback(told, disease="VD:influenza", verb="agree"), now=NOON + 3 * DAY)
    row = gold(lake)[told.case_id]
    assert (row["label_source"], row["known_at"]) == ("agreed", NOON + 3 * DAY)


def test_a_refusal_without_a_disease_labels_nothing(lake, arrive):
    told = diagnosis()
    arrive(told, feedback(told, disease=None, verb="refuse"))
    assert gold(lake) == {}


def test_the_newest_word_of_the_clinician_stands(lake, arrive):
    told = diagnosis()
    arrive(told, feedback(told, disease="VD:anemia", at=NOON + 2 * DAY))
    arrive(feedback(told, disease="VD:croup", at=NOON + DAY))  # older, arrives later
    assert gold(lake)[told.case_id]["disease"] == "VD:anemia"
    arrive(feedback(told, disease="VD:pneumonia", at=NOON + 5 * DAY))
    assert gold(lake)[told.case_id]["disease"] == "VD:pneumonia"


def test_another_clinic_cannot_label_a_case_by_naming_its_diagnosis(lake, arrive):
    told = diagnosis()
    foreign = diagnosis(clinic=KEYED.clinic("elsewhere"))
    claim = feedback(foreign, disease="VD:croup")
    claim = type(claim)(
        **{name: getattr(claim, name) for name in type(claim).__dataclass_fields__}
        | {"payload": dict(claim.payload) | {"diagnosis_id": told.payload["diagnosis_id"]}}
    )
    arrive(told, claim)
    assert told.case_id not in gold(lake)


def test_the_same_form_saved_twice_is_one_case_and_keeps_the_label(lake, arrive):
    first = diagnosis(at=NOON)
    again = diagnosis(at=NOON)
    arrive(first)
    arrive(again, feedback(again, disease="VD:croup"))
    rows = gold(lake, labelled=False)
    assert list(rows) == [first.case_id]
    assert rows[first.case_id]["disease"] == "VD:croup"


def test_equal_findings_of_two_patients_or_days_are_two_cases(lake, arrive):
    arrive(diagnosis(), diagnosis(patient="4a" * 32), diagnosis(at=NOON + DAY))
    assert len(gold(lake, labelled=False)) == 3


def test_parts_of_a_visit_are_joined_across_runs(lake, arrive):
    arrive(visit("v", part="1", observations=[("8310-5", "degF", 101.3)]))
    arrive(
        visit(
            "v",
            part="2",
            at=NOON + DAY,
            observations=[("8867-4", "per-min", 110), ("8310-5", "Cel", 36.6)],
            conditions=[("R50.9", "confirmed"), ("J18.9", "confirmed")],
        )
    )
    (row,) = gold(lake).values()
    assert row["temperature_c"] == pytest.approx(38.5)  # (101.3 - 32) / 1.8, the first measured
    assert row["heart_rate_bpm"] == 110
    assert [f["id"] for f in row["findings"]] == ["HP:0001945"]
    assert (row["disease"], row["label_source"]) == ("VD:pneumonia", "record")


def test_what_cannot_be_is_unknown_and_nothing_is_put_in_its_place(lake, arrive):
    odd = [
        ("8310-5", "degF", 38.5),  # 3.6 °C: a unit that was not the unit
        ("8310-5", "K", 311.0),  # a unit nobody listed
        ("2708-6", "percent", 0),  # the probe was off
    ]
    arrive(visit("v", observations=[*odd, ("8867-4", "per-min", 80)]))
    (row,) = gold(lake, labelled=False).values()
    assert (row["temperature_c"], row["spo2_percent"], row["heart_rate_bpm"]) == (None, None, 80)


def test_a_refuted_condition_is_excluded_and_a_considered_one_says_nothing(lake, arrive):
    arrive(visit("v", conditions=[("R51", "refuted"), ("R05", "differential"), ("A90", "refuted")]))
    (row,) = gold(lake, labelled=False).values()
    assert [(f["id"], f["presence"]) for f in row["findings"]] == [("HP:0002315", "excluded")]
    assert row["disease"] is None


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_diagnosis_taken_back_later_takes_its_label_and_finding_back(lake, arrive, status):
    arrive(visit("v", part="1", conditions=[("J18.9", "provisional"), ("R05", "confirmed")]))
    assert [row["disease"] for row in gold(lake).values()] == ["VD:pneumonia"]
    arrive(visit("v", part="2", at=NOON + DAY, conditions=[("J18.9", status), ("R05", status)]))
    (row,) = gold(lake, labelled=False).values()
    assert row["disease"] is None
    states = [(f["id"], f["presence"]) for f in row["findings"]]
    assert states == ([("HP:0012735", "excluded")] if status == "refuted" else [])


def test_a_word_that_comes_before_its_diagnosis_waits_for_it(lake, arrive):
    told = diagnosis()
    arrive(feedback(told, disease="VD:croup"))
    arrive(told)
    assert gold(lake)[told.case_id]["disease"] == "VD:croup"


def test_an_alternative_hpo_id_becomes_the_current_one(lake, arrive):
    """HP:0001354 was merged into HP:0002315, headache (HPO 2025-01-16, alt_id)."""
    arrive(diagnosis(stated=findings(p1354="present", p2315="excluded")))
    (row,) = gold(lake, labelled=False).values()
    assert [(f["id"], f["presence"]) for f in row["findings"]] == [("HP:0002315", "present")]


def test_a_suite_that_fails_stops_the_run_before_anything_is_published(
    lake, engine, ears, monkeypatch
):
    class FailedError(Exception):
        pass

    def refuse(*_):
        raise FailedError

    Bronze(lake).store([diagnosis()])
    monkeypatch.setattr(module, "require", refuse)
    with pytest.raises(FailedError):
        build(lake, engine, ears)
    assert not lake.exists(GOLD_CASES)
    assert lake.open(SILVER_CASES).to_pyarrow_table().num_rows == 0
    assert lake.position(SILVER_CASES, "bronze") == 0  # the next run reads the same batches


def test_an_older_version_is_read_again_row_for_row(lake, arrive):
    first, second = diagnosis(), diagnosis(patient="4a" * 32)
    arrive(first, feedback(first, disease="VD:croup"))
    before = read_cases(lake.address)
    arrive(second, feedback(second, disease="VD:anemia"))
    after = read_cases(lake.address)
    again = read_cases(lake.address, version=before.version)
    assert (len(before), len(after)) == (1, 2)
    assert again.rows_sha256 == before.rows_sha256 != after.rows_sha256
    assert again.table_id == after.table_id


def test_cases_of_a_time_become_the_rows_the_models_read(lake, arrive):
    told = diagnosis(stated=findings(p1="present", p2="excluded", p9="present"))
    arrive(told, feedback(told, disease="VD:croup"))
    assert len(read_cases(lake.address, until=NOON)) == 0  # windows are half open
    read = read_cases(lake.address, since=NOON)
    table = read.case_table(("HP:0000002", "HP:0000001", "HP:0000003"))
    assert table.presence.tolist() == [[0, 1, -1]]  # the last was not asked
    assert table.female.tolist() == [1.0]
    (case,) = read.cases()
    assert [f.id for f in case.present] == ["HP:0000001", "HP:0000009"]
    assert read.labels == ("VD:croup",)


def test_an_empty_lake_says_what_to_do(tmp_path):
    with pytest.raises(GoldMissingError, match="ingest"):
        read_cases(tmp_path)


def test_nothing_of_a_run_is_left_beside_the_tables(lake, arrive):
    arrive(diagnosis())
    (row,) = gold(lake, labelled=False).values()
    assert row["clinic"] == CLINIC
    held = [path for path in Path(lake.address, "_staging").rglob("*") if path.is_file()]
    assert not [path for path in held if PATIENT.encode() in path.read_bytes()]
