"""The clinic: people, visits, decisions, audit chain, outbox, device.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.String(36)
DIGEST = sa.String(64)
MOMENT = sa.String(32)


def upgrade() -> None:
    _people()
    _visits()
    _records()
    _device()
    op.execute("PRAGMA user_version = 1")


def _people() -> None:
    op.create_table(
        "clinic",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pseudonym_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clinic"),
    )
    op.create_table(
        "clinician",
        sa.Column("id", ID, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clinician"),
    )
    op.create_table(
        "patient",
        sa.Column("id", ID, nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("sex", sa.String(16), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("national_id", sa.Text(), nullable=False),
        sa.Column("pseudonym", DIGEST, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patient"),
        sa.UniqueConstraint("pseudonym", name="uq_patient_pseudonym"),
    )
    op.create_index("ix_patient_last_seen_at", "patient", ["last_seen_at"])


def _visits() -> None:
    op.create_table(
        "draft",
        sa.Column("id", ID, nullable=False),
        sa.Column("patient_id", ID, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_draft_patient_id"),
        sa.UniqueConstraint("patient_id", name="uq_draft_patient_id"),
    )
    op.create_table(
        "diagnosis",
        sa.Column("id", ID, nullable=False),
        sa.Column("patient_id", ID, nullable=False),
        sa.Column("clinician_id", ID, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("case_json", sa.Text(), nullable=False),
        sa.Column("differential_json", sa.Text(), nullable=False),
        sa.Column("feature_digest", DIGEST, nullable=False),
        sa.Column("receipt_digest", DIGEST, nullable=False),
        sa.Column("bundle_version", sa.String(64), nullable=False),
        sa.Column("bundle_digest", DIGEST, nullable=False),
        sa.Column("short_code", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_diagnosis"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_diagnosis_patient_id"),
        sa.ForeignKeyConstraint(
            ["clinician_id"], ["clinician.id"], name="fk_diagnosis_clinician_id"
        ),
    )
    op.create_index("ix_diagnosis_patient_id", "diagnosis", ["patient_id", "made_at"])
    op.create_index("ix_diagnosis_short_code", "diagnosis", ["short_code"])
    op.create_table(
        "feedback",
        sa.Column("id", ID, nullable=False),
        sa.Column("diagnosis_id", ID, nullable=False),
        sa.Column("clinician_id", ID, nullable=False),
        sa.Column("verb", sa.String(16), nullable=False),
        sa.Column("disease", sa.String(64)),
        sa.Column("reason", sa.String(32)),
        sa.Column("outcome_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["diagnosis_id"], ["diagnosis.id"], name="fk_feedback_diagnosis_id"
        ),
        sa.ForeignKeyConstraint(
            ["clinician_id"], ["clinician.id"], name="fk_feedback_clinician_id"
        ),
    )
    op.create_index("ix_feedback_diagnosis_id", "feedback", ["diagnosis_id"])


def _records() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", DIGEST, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "sequence", name="pk_audit_entry"),
        sa.UniqueConstraint("id", name="uq_audit_entry_id"),
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
        )
    op.create_table(
        "outbox_event",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("payload_sha256", DIGEST, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("server_sequence", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("epoch", "sequence", name="pk_outbox_event"),
        sa.UniqueConstraint("id", name="uq_outbox_event_id"),
    )
    op.create_index("ix_outbox_event_state", "outbox_event", ["state", "epoch", "sequence"])


def _device() -> None:
    op.create_table(
        "device",
        sa.Column("id", ID, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("outbox_sequence", sa.Integer(), nullable=False),
        sa.Column("audit_shipped", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
