"""The tables as they are now; `migrations/` says how a database comes to have them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "fk": "%(table_name)s_%(referred_table_name)s_fk",
    }
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", Integer, nullable=False),  # of its latest event
    Column("state", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("lead_channel", Text, nullable=False),
    Column("lead_name", Text, nullable=False),
    Column("lead_number", Text, nullable=False),
    Column("created_at", Double, nullable=False),  # all times: seconds since the epoch
    Column("updated_at", Double, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("snapshot", Text, nullable=False),
)
"""One row per handoff: what it became by its latest event. The snapshot is JSON, as are the two below."""

Index("handoffs_created_at_index", handoffs.c.created_at, handoffs.c.id)
Index(
    "handoffs_open_index",
    handoffs.c.created_at,
    handoffs.c.id,
    sqlite_where=~handoffs.c.settled,
    postgresql_where=~handoffs.c.settled,
)

events = Table(
    "handoff_events",
    metadata,
    # Checked at the end of the transaction, because the event comes first: it decides whether there is
    # anything to do.
    Column("handoff", ForeignKey(handoffs.c.id, deferrable=True, initially="DEFERRED"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),  # of the handoff after the event
    UniqueConstraint("handoff", "event_id"),
    sqlite_with_rowid=False,  # one tree less to write to
)
"""What happened, in order; never changed."""

outbox = Table(
    "handoff_outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handoff", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # among the commands of its event, from 0
    Column("kind", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("done_at", Double),
    UniqueConstraint("handoff", "seq", "position"),
    ForeignKeyConstraint(["handoff", "seq"], [events.c.handoff, events.c.seq]),
)
"""The orders that follow from an event. Without `done_at`, an order is to be carried out after a restart."""
