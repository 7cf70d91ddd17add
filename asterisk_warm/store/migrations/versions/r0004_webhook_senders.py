"""Which daemon sends to which webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "webhook_senders",
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("webhook", "node", name="webhook_senders_pk"),
        sqlite_with_rowid=False,
    )
