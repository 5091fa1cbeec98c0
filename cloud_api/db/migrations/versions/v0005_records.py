"""Predictions, feedback and the audit chains of organisations; append-only on every database."""

import sqlalchemy as sa
from alembic import op

from cloud_api.db.append_only import forbid_change

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TENANT = sa.String(64)
APPEND_ONLY = ("prediction", "feedback", "audit_record")


def upgrade() -> None:
    op.create_table(
        "prediction",
        sa.Column("tenant_id", TENANT, primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("bundle_version", sa.String(128), nullable=False),
        sa.Column("bundle_digest", sa.String(64), nullable=False),
        sa.Column("case_digest", sa.String(64), nullable=False),
        sa.Column("answer_digest", sa.String(64), nullable=False),
        sa.Column("triage_level", sa.Integer, nullable=False),
        sa.Column("leading", sa.Text, nullable=False),
        sa.Column("leading_disease", sa.String(128), nullable=False),
        sa.Column("leading_band", sa.String(32), nullable=False),
        sa.Column("leading_world", sa.String(32), nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("tenant_id", TENANT, primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("prediction_id", sa.String(36), nullable=False, index=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("disease", sa.String(128), nullable=False),
    )
    _create_audit()
    for table in APPEND_ONLY:
        for statement in forbid_change(op.get_bind().dialect.name, table):
            op.execute(statement)


def _create_audit() -> None:
    op.create_table(
        "audit_record",
        sa.Column("tenant_id", TENANT, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_tip",
        sa.Column("tenant_id", TENANT, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    for table in ("audit_tip", "audit_record", "feedback", "prediction"):
        op.drop_table(table)
