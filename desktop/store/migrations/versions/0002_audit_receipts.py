"""Signed audit entries, countersigned heads, whole receipts, erased patients.

Revision ID: 0002

Entries written before have an empty signature (the chain is append-only, nothing is signed in
retrospect); diagnoses made before have an empty feature vector and no contributions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.String(36)
DIGEST = sa.String(64)
SIGNATURE = sa.String(128)
MOMENT = sa.String(32)


def upgrade() -> None:
    op.add_column(
        "audit_entry", sa.Column("signature", SIGNATURE, nullable=False, server_default="")
    )
    op.add_column("diagnosis", sa.Column("features", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "diagnosis", sa.Column("contributions", sa.Text(), nullable=False, server_default="[]")
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("head", DIGEST, nullable=False),
        sa.Column("server_time", MOMENT, nullable=False),
        sa.Column("server_key", DIGEST, nullable=False),
        sa.Column("signature", SIGNATURE, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "sequence", name="pk_audit_checkpoint"),
    )
    op.create_table(
        "erasure",
        sa.Column("pseudonym", DIGEST, nullable=False),
        sa.Column("clinician_id", ID, nullable=False),
        sa.Column("erased_at", MOMENT, nullable=False),
        sa.Column("proof", DIGEST, nullable=False),
        sa.Column("diagnoses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name="pk_erasure"),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"], name="fk_erasure_clinician_id"),
    )
    op.execute("PRAGMA user_version = 2")
