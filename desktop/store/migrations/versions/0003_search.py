"""Full-text search over patients and visits, kept in step by triggers.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.String(36)

PATIENT_WORDS = "new.search_name || ' ' || lower(new.national_id)"
VISIT_WORDS = """
    replace(new.short_code, '-', ' ')
    || ' ' || coalesce((
        SELECT group_concat(json_extract(finding.value, '$.id'), ' ')
        FROM json_each(new.case_json, '$.findings') AS finding
        WHERE json_extract(finding.value, '$.presence') = 'present'
    ), '')
    || ' ' || coalesce((
        SELECT group_concat(json_extract(candidate.value, '$.disease'), ' ')
        FROM json_each(new.differential_json, '$.candidates') AS candidate
        WHERE json_extract(candidate.value, '$.rank') <= 3
    ), '')
"""
DECISION_WORDS = "' ' || coalesce(new.disease, '') || ' ' || new.note"
"""Text of a trigger on the inserted row. Codes are searched, so both languages find them."""


def upgrade() -> None:
    _tables()
    _indexes()
    _patients_in_step()
    _visits_in_step()
    _fill()
    op.execute("PRAGMA user_version = 3")


def _tables() -> None:
    op.create_table(
        "patient_search",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient_id", ID, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_patient_search"),
        sa.UniqueConstraint("patient_id", name="uq_patient_search_patient_id"),
    )
    op.create_table(
        "visit_search",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("diagnosis_id", ID, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_visit_search"),
        sa.UniqueConstraint("diagnosis_id", name="uq_visit_search_diagnosis_id"),
    )


def _indexes() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE patient_index USING fts5("
        "words, content='patient_search', content_rowid='number', tokenize='trigram')"
    )
    op.execute(
        "CREATE VIRTUAL TABLE visit_index USING fts5("
        "words, content='visit_search', content_rowid='number', "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
    )
    for name in ("patient", "visit"):
        put = f"INSERT INTO {name}_index(rowid, words) VALUES (new.number, new.words);"
        take = (
            f"INSERT INTO {name}_index({name}_index, rowid, words) "
            "VALUES ('delete', old.number, old.words);"
        )
        _trigger(f"{name}_search_added", f"AFTER INSERT ON {name}_search", put)
        _trigger(f"{name}_search_gone", f"AFTER DELETE ON {name}_search", take)
        _trigger(f"{name}_search_changed", f"AFTER UPDATE ON {name}_search", take + put)


def _patients_in_step() -> None:
    _trigger(
        "patient_added_search",
        "AFTER INSERT ON patient",
        f"INSERT INTO patient_search(patient_id, words) VALUES (new.id, {PATIENT_WORDS});",
    )
    _trigger(
        "patient_changed_search",
        "AFTER UPDATE OF search_name, national_id ON patient",
        f"UPDATE patient_search SET words = {PATIENT_WORDS} WHERE patient_id = new.id;",
    )
    _trigger(
        "patient_gone_search",
        "AFTER DELETE ON patient",
        "DELETE FROM patient_search WHERE patient_id = old.id;",
    )


def _visits_in_step() -> None:
    _trigger(
        "diagnosis_added_search",
        "AFTER INSERT ON diagnosis",
        f"INSERT INTO visit_search(diagnosis_id, words) VALUES (new.id, {VISIT_WORDS});",
    )
    _trigger(
        "diagnosis_gone_search",
        "AFTER DELETE ON diagnosis",
        "DELETE FROM visit_search WHERE diagnosis_id = old.id;",
    )
    _trigger(
        "feedback_added_search",
        "AFTER INSERT ON feedback",
        f"UPDATE visit_search SET words = words || {DECISION_WORDS} "
        "WHERE diagnosis_id = new.diagnosis_id;",
    )


def _fill() -> None:
    """Search what was recorded before this revision."""
    op.execute(
        "INSERT INTO patient_search(patient_id, words) "
        f"SELECT new.id, {PATIENT_WORDS} FROM patient AS new ORDER BY new.created_at, new.id"
    )
    op.execute(
        "INSERT INTO visit_search(diagnosis_id, words) "
        f"SELECT new.id, {VISIT_WORDS} FROM diagnosis AS new ORDER BY new.made_at, new.id"
    )
    op.execute(
        "UPDATE visit_search SET words = words || ("
        f"SELECT group_concat({DECISION_WORDS}, ' ') FROM feedback AS new "
        "WHERE new.diagnosis_id = visit_search.diagnosis_id) "
        "WHERE diagnosis_id IN (SELECT diagnosis_id FROM feedback)"
    )


def _trigger(name: str, when: str, then: str) -> None:
    op.execute(f"CREATE TRIGGER {name} {when} BEGIN {then} END")
