"""Agents, teams and presence; several daemons on one database; who talked to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _handoffs()
    _roster()
    _presence()
    marks = op.create_table(
        "marks",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("mark", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="marks_pk"),
    )
    op.bulk_insert(marks, [{"id": 1, "mark": 1}])


def _handoffs() -> None:
    # In place: a table of many handoffs is not copied while leads wait for the daemon.
    op.add_column("handoffs", sa.Column("agent", sa.Text, nullable=False, server_default=""))
    op.add_column("handoffs", sa.Column("joined_at", sa.Double))
    op.add_column("handoffs", sa.Column("ended_at", sa.Double))
    op.add_column("handoffs", sa.Column("node", sa.Text, nullable=False, server_default=""))
    op.create_index("handoffs_lead_index", "handoffs", ["lead_number", "joined_at"])
    talked = sa.text("joined_at IS NOT NULL")
    op.create_index(
        "handoffs_talks_index",
        "handoffs",
        ["team", "joined_at"],
        sqlite_where=talked,
        postgresql_where=talked,
    )


def _roster() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("at_once", sa.Integer, nullable=False),
        sa.Column("hints", sa.Text, nullable=False),
        sa.Column("dnd", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("shifts", sa.Text, nullable=False),
        sa.Column("calendar", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="agents_pk"),
    )
    op.create_table(
        "agent_skills",
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("agent", "skill", name="agent_skills_pk"),
        sa.ForeignKeyConstraint(["agent"], ["agents.id"], name="agent_skills_agents_fk", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "teams",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="teams_pk"),
    )
    op.create_table(
        "team_members",
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("tier", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("agent", "team", name="team_members_pk"),
        sa.ForeignKeyConstraint(["agent"], ["agents.id"], name="team_members_agents_fk", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team"], ["teams.id"], name="team_members_teams_fk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seeds",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "kind", "id", name="seeds_pk"),
        sqlite_with_rowid=False,
    )


def _presence() -> None:
    op.create_table(
        "presence",
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("declared", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.Double),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("by_who", sa.Text, nullable=False),
        sa.Column("by_source", sa.Text, nullable=False),
        sa.Column("wrapup_until", sa.Double, nullable=False),
        sa.Column("idle_since", sa.Double, nullable=False),
        sa.Column("offered_at", sa.Double, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("offer_handoff", sa.Text),
        sa.Column("offer_node", sa.Text),
        sa.Column("offer_until", sa.Double),
        sa.Column("talks", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("agent", name="presence_pk"),
    )
    op.create_table(
        "presence_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.Double),
        sa.Column("by_who", sa.Text, nullable=False),
        sa.Column("by_source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="presence_history_pk"),
    )
    op.create_index("presence_history_agent_index", "presence_history", ["agent", "id"])
