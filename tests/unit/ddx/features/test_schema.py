"""The columns of a model keep their order and cannot be swapped behind its back."""

import json

import pytest

from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.schema import Column, ColumnKind, FeatureSchema

FEVER, PAIN = FindingId("HP:0001945"), FindingId("VF:pain-intensity")
COLUMNS = (
    Column(ColumnKind.AGE_YEARS),
    Column(ColumnKind.SEX_FEMALE),
    Column(ColumnKind.PRESENCE, FEVER),
    Column(ColumnKind.GRADE, PAIN),
)


def test_schema_survives_its_own_json():
    schema = FeatureSchema(COLUMNS)
    again = FeatureSchema.from_json(schema.to_json())
    assert again == schema
    assert again.hash == schema.hash
    assert again.positions == {FEVER: 2, PAIN: 3}


def test_same_columns_in_another_order_have_another_hash():
    assert FeatureSchema(COLUMNS).hash != FeatureSchema(COLUMNS[::-1]).hash


def test_same_finding_as_presence_and_as_grade_has_another_hash():
    as_presence = FeatureSchema((Column(ColumnKind.PRESENCE, PAIN),))
    as_grade = FeatureSchema((Column(ColumnKind.GRADE, PAIN),))
    assert as_presence.hash != as_grade.hash


def test_swapped_columns_under_the_old_hash_are_refused():
    member = json.loads(FeatureSchema(COLUMNS).to_json())
    member["columns"][2], member["columns"][3] = member["columns"][3], member["columns"][2]
    with pytest.raises(SchemaMismatchError):
        FeatureSchema.from_json(json.dumps(member).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"format":1}',
        b'{"format":2,"columns":[],"hash":""}',
        b'{"format":1,"columns":[{"kind":"smell"}],"hash":""}',
        b'{"format":1,"columns":[{"kind":"presence","finding":"fever"}],"hash":""}',
    ],
)
def test_malformed_member_is_a_model_error(raw):
    with pytest.raises(ModelError):
        FeatureSchema.from_json(raw)


@pytest.mark.parametrize(
    "columns",
    [(), (COLUMNS[2], Column(ColumnKind.GRADE, FEVER)), (COLUMNS[0], COLUMNS[0])],
    ids=["none", "one finding twice", "age twice"],
)
def test_schema_needs_columns_and_each_subject_once(columns):
    with pytest.raises(ModelError):
        FeatureSchema(columns)


def test_presence_column_without_a_finding_is_refused():
    with pytest.raises(ModelError):
        Column(ColumnKind.PRESENCE)
    with pytest.raises(ModelError):
        Column(ColumnKind.AGE_YEARS, FEVER)
