"""What the clinician thought before the list, and what is to be done after it.

Revision ID: 0004

Both are columns with an empty default: the release before reads and writes the tables as it did.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "diagnosis", sa.Column("opinion", sa.String(64), nullable=False, server_default="")
    )
    op.add_column("feedback", sa.Column("plan", sa.Text(), nullable=False, server_default=""))
    op.execute("PRAGMA user_version = 4")
