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
    text,
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
    Column("agent", Text, nullable=False, server_default=text("''")),  # who got the lead
    Column("joined_at", Double),
    Column("ended_at", Double),
    Column("node", Text, nullable=False, server_default=text("''")),  # the daemon that runs it
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
Index("handoffs_lead_index", handoffs.c.lead_number, handoffs.c.joined_at)
_TALKED = handoffs.c.joined_at.is_not(None)
Index(
    "handoffs_talks_index",
    handoffs.c.team,
    handoffs.c.joined_at,
    sqlite_where=_TALKED,
    postgresql_where=_TALKED,
)
Index(
    "handoffs_agent_index",
    handoffs.c.agent,
    handoffs.c.joined_at,
    sqlite_where=_TALKED,
    postgresql_where=_TALKED,
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

# -- agents --------------------------------------------------------------------------------------------------

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("at_once", Integer, nullable=False),
    Column("hints", Text, nullable=False),  # JSON, as are the shifts
    Column("dnd", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("shifts", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=text("''")),
    Column("updated_at", Double, nullable=False),
    Column("updated_by", Text, nullable=False),
)

skills = Table(
    "agent_skills",
    metadata,
    Column("agent", ForeignKey(agents.c.id, ondelete="CASCADE"), primary_key=True),
    Column("skill", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    sqlite_with_rowid=False,
)

teams = Table(
    "teams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("number", Text, nullable=False),
)

members = Table(
    "team_members",
    metadata,
    Column("agent", ForeignKey(agents.c.id, ondelete="CASCADE"), primary_key=True),
    Column("team", ForeignKey(teams.c.id), primary_key=True),
    Column("tier", Integer, nullable=False),
    sqlite_with_rowid=False,
)

seeds = Table(
    "seeds",
    metadata,
    Column("node", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # agent or team
    Column("id", Text, primary_key=True),
    Column("facts", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,
)
"""What was last taken over from each daemon's configuration file: `core.roster.Seeds`."""

presence = Table(
    "presence",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("declared", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Double),
    Column("since", Double, nullable=False),
    Column("by_who", Text, nullable=False),
    Column("by_source", Text, nullable=False),
    Column("wrapup_until", Double, nullable=False),
    Column("idle_since", Double, nullable=False),
    Column("offered_at", Double, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("offer_handoff", Text),
    Column("offer_node", Text),
    Column("offer_until", Double),
    Column("talks", Text, nullable=False),  # JSON
)
"""One row per agent, which stays when the agent is removed: should they come back, their versions go on, so
that nobody who has seen one of before takes it for the present one."""

history = Table(
    "presence_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("what", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Double),
    Column("by_who", Text, nullable=False),
    Column("by_source", Text, nullable=False),
)
Index("presence_history_agent_index", history.c.agent, history.c.id)

marks = Table(
    "marks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("mark", Integer, nullable=False),
)
"""Counts the changes of agents, teams and presence."""
