"""The tables of leads, of the scripts that qualify them, and of their answers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from asterisk_warm.store.tables import metadata

leads = Table(
    "leads",
    metadata,
    Column("number", Text, primary_key=True),  # E.164
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("attributes", Text, nullable=False),  # JSON
    Column("source", Text, nullable=False),
    Column("updated_at", Double, nullable=False),  # all times: seconds since the epoch
    Column("updated_by", Text, nullable=False),
)

consents = Table(
    "lead_consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", ForeignKey(leads.c.number, ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),  # of all that follows but `added_at`: stored once
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("basis", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("source", Text, nullable=False),
    Column("added_at", Double, nullable=False),
    UniqueConstraint("number", "digest"),
)
"""What leads have consented to, or not; never changed."""

outcomes = Table(
    "lead_outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handoff", Text, nullable=False),
    Column("lead", Text, nullable=False),  # their number
    Column("disposition", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by_who", Text, nullable=False),
    Column("source", Text, nullable=False),
)
"""What came of handoffs; never changed."""

Index("lead_outcomes_handoff_index", outcomes.c.handoff, outcomes.c.at)
Index("lead_outcomes_lead_index", outcomes.c.lead, outcomes.c.at)

scripts = Table(
    "script_versions",
    metadata,
    Column("script", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("source", Text, nullable=False),  # YAML
    Column("at", Double, nullable=False),
    Column("by_who", Text, nullable=False),
    Column("note", Text, nullable=False),
)
"""Scripts as they were published; never changed."""

qualifications = Table(
    "qualifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),  # from 1
    Column("lead", Text, nullable=False),  # their number
    Column("updated_at", Double, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("document", Text, nullable=False),  # JSON
)
"""One row per qualification: all of it, and by what it is found."""

Index("qualifications_lead_index", qualifications.c.lead, qualifications.c.updated_at)
Index("qualifications_updated_at_index", qualifications.c.updated_at, qualifications.c.id)
Index(
    "qualifications_open_index",
    qualifications.c.updated_at,
    qualifications.c.id,
    sqlite_where=~qualifications.c.ended,
    postgresql_where=~qualifications.c.ended,
)
