"""The one change the event log lets pass: an erased patient's record becomes a tombstone.

Names, times and hash stay. The record must be of the device that erased, older than the erasure,
and carry the erased pseudonym or a diagnosis that did; it changes once and never back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEPT = (
    "server_sequence",
    "device_id",
    "epoch",
    "sequence",
    "id",
    "kind",
    "created_at",
    "received_at",
    "payload_sha256",
    "batch_id",
    "schema_version",
    "app_version",
    "bundle_version",
)
UNCHANGED = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in KEPT)
FORBID_UPDATE = """
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
"""
FORBID_ALL_BUT_ERASURE = f"""
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
WHEN NOT (
  {UNCHANGED}
  AND OLD.kind NOT IN ('audit', 'erasure')
  AND OLD.erased_by IS NULL
  AND NEW.payload IS '{{"erased":true}}' AND NEW.extra IS '{{}}'
  AND EXISTS (
    SELECT 1 FROM event AS erasure JOIN erased_subject AS erased
      ON erased.device_id = erasure.device_id AND erased.erased_by = erasure.server_sequence
    WHERE erasure.server_sequence = NEW.erased_by
      AND erasure.kind = 'erasure'
      AND erasure.device_id = OLD.device_id
      AND (OLD.epoch, OLD.sequence) < (erasure.epoch, erasure.sequence)
      AND (instr(OLD.payload, '"patient_pseudonym":"' || erased.subject || '"') > 0
        OR instr(OLD.payload, '"diagnosis_id":"' || erased.subject || '"') > 0)
  )
)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
"""  # noqa: S608 - our own column names
FORBID_FORGETTING = """
CREATE TRIGGER erased_subject_no_delete BEFORE DELETE ON erased_subject
BEGIN SELECT RAISE(ABORT, 'erasures are kept'); END
"""


def upgrade() -> None:
    op.create_table(
        "erased_subject",
        sa.Column("device_id", sa.String(36), primary_key=True),
        sa.Column("subject", sa.String(128), primary_key=True),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("erased_by", BIG, nullable=False),
    )
    op.add_column("event", sa.Column("erased_by", BIG))
    op.create_index("ix_event_erased_by", "event", ["erased_by"])
    op.create_index("ix_erased_subject_erased_by", "erased_subject", ["erased_by"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER event_no_update")
        op.get_bind().exec_driver_sql(FORBID_ALL_BUT_ERASURE)  # `:true` is no parameter
        op.execute(FORBID_FORGETTING)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER event_no_update")
    op.drop_index("ix_event_erased_by", "event")
    op.drop_column("event", "erased_by")
    op.drop_table("erased_subject")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(FORBID_UPDATE)
