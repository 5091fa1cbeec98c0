"""Devices, codes and settings belong to an organisation; PostgreSQL forbids change as SQLite does.

What was there before belongs to the one organisation there was; settings stay everybody's.
"""

import sqlalchemy as sa
from alembic import op

from cloud_api.db.append_only import forbid_change

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TENANT = sa.String(64)
OWNERS = {"device": "default", "enrolment_code": "default", "device_setting": ""}
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
UNCHANGED = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in KEPT)
ONLY_ERASURE = f"""
CREATE FUNCTION vereda_event_only_erased() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'UPDATE' AND {UNCHANGED}
    AND OLD.kind NOT IN ('audit', 'erasure')
    AND OLD.erased_by IS NULL
    AND NEW.payload = '{{"erased":true}}' AND NEW.extra = '{{}}'
    AND EXISTS (
      SELECT 1 FROM event AS erasure JOIN erased_subject AS erased
        ON erased.device_id = erasure.device_id AND erased.erased_by = erasure.server_sequence
      WHERE erasure.server_sequence = NEW.erased_by
        AND erasure.kind = 'erasure'
        AND erasure.device_id = OLD.device_id
        AND (OLD.epoch, OLD.sequence) < (erasure.epoch, erasure.sequence)
        AND (position('"patient_pseudonym":"' || erased.subject || '"' IN OLD.payload) > 0
          OR position('"diagnosis_id":"' || erased.subject || '"' IN OLD.payload) > 0)
    )
  THEN RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the event log is append-only';
END $$
"""  # noqa: S608 - our own column names
POSTGRESQL = (
    ONLY_ERASURE,
    "CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event "
    "FOR EACH ROW EXECUTE FUNCTION vereda_event_only_erased()",
    "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event "
    "FOR EACH STATEMENT EXECUTE FUNCTION vereda_append_only()",
    "CREATE TRIGGER erased_subject_no_delete BEFORE DELETE ON erased_subject "
    "FOR EACH ROW EXECUTE FUNCTION vereda_append_only()",
    "CREATE TRIGGER erased_subject_no_truncate BEFORE TRUNCATE ON erased_subject "
    "FOR EACH STATEMENT EXECUTE FUNCTION vereda_append_only()",
)


def upgrade() -> None:
    for table, owner in OWNERS.items():
        owned = sa.Column("tenant_id", TENANT, nullable=False, server_default=owner)
        op.add_column(table, owned)
        op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id"])
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in ("audit_head", "device_setting"):
        for statement in forbid_change("postgresql", table):
            op.execute(statement)
    for statement in POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)  # `:true` is no parameter


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("audit_head", "device_setting", "event"):
            op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute("DROP TRIGGER erased_subject_no_delete ON erased_subject")
        op.execute("DROP TRIGGER erased_subject_no_truncate ON erased_subject")
        op.execute("DROP FUNCTION vereda_event_only_erased()")
    for table in OWNERS:
        op.drop_index(f"ix_{table}_tenant_id", table)
        op.drop_column(table, "tenant_id")
