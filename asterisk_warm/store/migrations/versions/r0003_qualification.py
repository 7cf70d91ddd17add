"""Leads, scripts and qualifications; notices to webhooks, and tokens; what agents are briefed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("agents", sa.Column("language", sa.Text, nullable=False, server_default=""))
    talked = sa.text("joined_at IS NOT NULL")
    op.create_index(
        "handoffs_agent_index",
        "handoffs",
        ["agent", "joined_at"],
        sqlite_where=talked,
        postgresql_where=talked,
    )
    _leads()
    _qualifications()
    _notices()


def _leads() -> None:
    op.create_table(
        "leads",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="leads_pk"),
    )
    op.create_table(
        "lead_consents",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="lead_consents_pk"),
        sa.UniqueConstraint("number", "digest", name="lead_consents_number_digest_key"),
        sa.ForeignKeyConstraint(
            ["number"], ["leads.number"], name="lead_consents_leads_fk", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "lead_outcomes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("handoff", sa.Text, nullable=False),
        sa.Column("lead", sa.Text, nullable=False),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("by_who", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="lead_outcomes_pk"),
    )
    op.create_index("lead_outcomes_handoff_index", "lead_outcomes", ["handoff", "at"])
    op.create_index("lead_outcomes_lead_index", "lead_outcomes", ["lead", "at"])


def _qualifications() -> None:
    op.create_table(
        "script_versions",
        sa.Column("script", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("by_who", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("script", "version", name="script_versions_pk"),
    )
    op.create_table(
        "qualifications",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("lead", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="qualifications_pk"),
    )
    op.create_index("qualifications_lead_index", "qualifications", ["lead", "updated_at"])
    op.create_index("qualifications_updated_at_index", "qualifications", ["updated_at", "id"])
    op.create_index(
        "qualifications_open_index",
        "qualifications",
        ["updated_at", "id"],
        sqlite_where=sa.text("ended = 0"),
        postgresql_where=sa.text("NOT ended"),
    )


def _notices() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("next_at", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("delivered_at", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="webhook_deliveries_pk"),
        sa.UniqueConstraint("notice", "webhook", name="webhook_deliveries_notice_webhook_key"),
    )
    pending = sa.text("next_at IS NOT NULL")
    op.create_index(
        "webhook_deliveries_due_index",
        "webhook_deliveries",
        ["webhook", "next_at"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="api_tokens_pk"),
        sa.UniqueConstraint("hash", name="api_tokens_hash_key"),
    )
