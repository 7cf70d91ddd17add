"""Handoffs, their events and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("lead_channel", sa.Text, nullable=False),
        sa.Column("lead_name", sa.Text, nullable=False),
        sa.Column("lead_number", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="handoffs_pk"),
    )
    op.create_index("handoffs_created_at_index", "handoffs", ["created_at", "id"])
    op.create_index(
        "handoffs_open_index",
        "handoffs",
        ["created_at", "id"],
        sqlite_where=sa.text("settled = 0"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "handoff_events",
        sa.Column("handoff", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("handoff", "seq", name="handoff_events_pk"),
        sa.UniqueConstraint("handoff", "event_id", name="handoff_events_handoff_event_id_key"),
        sa.ForeignKeyConstraint(
            ["handoff"],
            ["handoffs.id"],
            name="handoff_events_handoffs_fk",
            deferrable=True,
            initially="DEFERRED",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handoff_outbox",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("handoff", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("done_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="handoff_outbox_pk"),
        sa.UniqueConstraint("handoff", "seq", "position", name="handoff_outbox_handoff_seq_position_key"),
        sa.ForeignKeyConstraint(
            ["handoff", "seq"],
            ["handoff_events.handoff", "handoff_events.seq"],
            name="handoff_outbox_handoff_events_fk",
        ),
    )
