"""`vereda replay`: identical bit for bit, or exactly what differs and what to do."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.tiny_engine import TinyEngine

from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import finding_id, new_record_id
from ddx.domain.receipt import Receipt, receipt_from_json, receipt_to_json
from desktop.commands.replay import main

FEVER = Finding(id=finding_id("HP:0001945"), presence=Presence.PRESENT)


@pytest.fixture
def receipt():
    engine = TinyEngine()
    case = Case(age_days=12_000, sex=Sex.FEMALE, findings=(FEVER,))
    differential = engine.diagnose(case)
    return Receipt(
        diagnosis_id=new_record_id(),
        made_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        case=case,
        feature_digest=engine.feature_digest(case),
        differential=differential,
        features=engine.features(case),
        contributions=tuple(engine.explain(case, c.disease) for c in differential.candidates[:3]),
    )


@pytest.fixture
def replayed(tmp_path, capsys):
    def run(raw, engine=None):
        path = tmp_path / "receipt.json"
        path.write_bytes(canonical_json(raw))
        serving = engine or TinyEngine()
        code = main(
            [str(path), "--data", str(tmp_path), "--lang", "en"],
            open_bundle=lambda: serving,
            engine_from=lambda bundle: bundle,
        )
        return code, capsys.readouterr().out

    return run


def raw_of(receipt):
    return receipt_to_json(receipt, recorded_digest=receipt.digest)


def test_a_receipt_survives_its_file_whole(receipt):
    read, digest = receipt_from_json(json.loads(canonical_json(raw_of(receipt))))
    assert (read, digest) == (receipt, receipt.digest)


def test_the_same_bundle_gives_the_same_bits(receipt, replayed):
    code, said = replayed(raw_of(receipt))
    assert code == 0
    assert receipt.short_code in said


def test_a_missing_bundle_is_named_with_what_to_do(receipt, replayed):
    code, said = replayed(raw_of(receipt), TinyEngine("2027.1.1"))
    assert code == 3
    assert receipt.differential.bundle_digest in said
    assert "--bundle" in said


def test_another_answer_is_told_with_the_first_value_that_differs(receipt, replayed):
    code, said = replayed(raw_of(receipt), TinyEngine(background=0.2))
    assert code == 1
    assert "differential: candidates[0]" in said
    assert "contributions:" in said


@pytest.mark.parametrize(
    ("field", "value", "said_of"),
    [
        ("receipt_digest", "0" * 64, "receipt: recorded 0000"),
        ("features", "00", "feature vector does not match"),
        ("feature_digest", "1" * 64, "features:"),
    ],
)
def test_a_receipt_that_was_touched_is_told(receipt, replayed, field, value, said_of):
    code, said = replayed(raw_of(receipt) | {field: value})
    assert code == 1
    assert said_of in said


def test_a_touched_probability_is_told_by_digest_and_by_value(receipt, replayed):
    first = replace(receipt.differential.candidates[0], probability=0.123)
    candidates = (first, *receipt.differential.candidates[1:])
    touched = replace(receipt, differential=replace(receipt.differential, candidates=candidates))
    raw = receipt_to_json(touched, recorded_digest=receipt.digest)
    code, said = replayed(raw)
    assert code == 1
    assert "candidates[0].probability: recorded 0.123" in said
    assert "receipt: recorded" in said


def test_what_is_not_a_receipt_is_refused(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text("[]")
    assert main([str(path), "--lang", "en"]) == 2
    assert "not a receipt" in capsys.readouterr().err
