"""Countersigned heads of the devices' audit chains; append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FORBID = """
CREATE TRIGGER audit_head_no_{verb} BEFORE {verb} ON audit_head
BEGIN SELECT RAISE(ABORT, 'countersigned heads are append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("device_id", sa.String(36), primary_key=True),
        sa.Column("epoch", BIG, primary_key=True, autoincrement=False),
        sa.Column("sequence", BIG, primary_key=True, autoincrement=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("device_key", sa.String(64), nullable=False),
        sa.Column("device_signature", sa.String(128), nullable=False),
        sa.Column("server_time", sa.String(40), nullable=False),
        sa.Column("server_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(FORBID.format(verb=verb))


def downgrade() -> None:
    op.drop_table("audit_head")
