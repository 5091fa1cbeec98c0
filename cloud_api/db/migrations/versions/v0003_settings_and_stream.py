"""Settings for devices, and how far each follower of the event log has come."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FORBID = """
CREATE TRIGGER device_setting_no_{verb} BEFORE {verb} ON device_setting
BEGIN SELECT RAISE(ABORT, 'settings are append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "device_setting",
        sa.Column("server_sequence", BIG, primary_key=True, autoincrement=False),
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "stream_cursor",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("position", BIG, nullable=False),
    )
    counter = sa.table("server_counter", sa.column("name"), sa.column("value"))
    op.bulk_insert(counter, [{"name": "setting", "value": 0}])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(FORBID.format(verb=verb))


def downgrade() -> None:
    op.execute("DELETE FROM server_counter WHERE name = 'setting'")
    op.drop_table("stream_cursor")
    op.drop_table("device_setting")
