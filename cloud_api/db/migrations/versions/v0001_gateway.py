"""Devices, enrolment codes, the append-only event log, its counter, alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FORBID = """
CREATE TRIGGER event_no_{verb} BEFORE {verb} ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("app_version", sa.String(128), nullable=False),
        sa.Column("enrolled_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("code_sha256", sa.String(64), primary_key=True),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("device_id", sa.String(36)),
    )
    _create_event()
    counter = op.create_table(
        "server_counter",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", BIG, nullable=False),
    )
    op.bulk_insert(counter, [{"name": "event", "value": 0}])
    _create_alarm()


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("server_sequence", BIG, primary_key=True, autoincrement=False),
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("payload_sha256", sa.String(64), nullable=False),
        sa.Column("batch_id", sa.String(128), nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("app_version", sa.String(128), nullable=False),
        sa.Column("bundle_version", sa.String(128)),
        sa.Column("extra", sa.Text, nullable=False),
        sa.UniqueConstraint("device_id", "epoch", "sequence", name="uq_event_sequence"),
        sa.UniqueConstraint("device_id", "id", name="uq_event_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(FORBID.format(verb=verb))


def _create_alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("offered_sha256", sa.String(64), nullable=False),
        sa.Column("stored_sha256", sa.String(64), nullable=False),
        sa.UniqueConstraint("device_id", "event_id", "epoch", "sequence", "offered_sha256"),
    )


def downgrade() -> None:
    for table in ("alarm", "server_counter", "event", "enrolment_code", "device"):
        op.drop_table(table)
