"""The tables of notices on their way to webhooks, and of who may use the API over the network."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from asterisk_warm.store.tables import metadata

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("notice", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it is signed
    Column("created_at", Double, nullable=False),  # all times: seconds since the epoch
    Column("next_at", Double),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", Double),
    Column("error", Text, nullable=False),
    UniqueConstraint("notice", "webhook"),
)
"""The webhooks' outbox. With `next_at`, a notice is to be sent then."""

_PENDING = deliveries.c.next_at.is_not(None)
Index(
    "webhook_deliveries_due_index",
    deliveries.c.webhook,
    deliveries.c.next_at,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)

senders = Table(
    "webhook_senders",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("seen_at", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""Which daemon sends to which webhook: their files may differ."""

tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", Double),
    UniqueConstraint("hash"),
)
