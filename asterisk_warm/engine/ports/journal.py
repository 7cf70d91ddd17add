"""The write-ahead journal: what is written for each event, and what is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class JournalError(Exception):
    """The journal could not be written or read (disk full, database gone); the message says where, and
    the remedy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal record: an event, what the handoff became by it, and the orders that follow."""

    handoff: str
    event_id: str
    at: float
    """Seconds since the epoch."""
    event: str
    """Kind of the event (class name)."""
    event_json: bytes
    snapshot_json: bytes
    state: str
    team: str
    lead_channel: str
    lead_name: str
    lead_number: str
    settled: bool
    """Nothing is left to do for this handoff: it need not be loaded at a restart."""
    commands: Sequence[tuple[str, bytes]]
    """(kind, JSON) in order."""
    done: Sequence[int]
    """Outbox ids whose outcome this event is, or that were finished since."""
    agent: str = ""
    """Id of the agent who got the lead; empty: nobody yet."""
    joined_at: float | None = None
    """Since when the agent talks to the lead."""
    ended_at: float | None = None
    """When that talk ended."""
    node: str = ""
    """The daemon that runs this handoff; empty: the one that writes this."""


@dataclass(frozen=True, slots=True)
class StoredHandoff:
    """An unsettled handoff as a restart finds it."""

    id: str
    snapshot_json: bytes
    pending: Sequence[tuple[int, str, bytes]]
    """Outbox commands not marked done: (outbox id, kind, JSON), oldest first."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One journal line, as read back."""

    seq: int
    at: float
    event: str
    event_json: bytes
    state: str
    """The handoff's state after the event."""
    commands: Sequence[tuple[str, bytes, float | None]]
    """(kind, JSON, done_at or None)."""


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """A line of `handoff list`."""

    id: str
    state: str
    team: str
    lead_channel: str
    lead_name: str
    lead_number: str
    created_at: float
    updated_at: float
    settled: bool
    snapshot_json: bytes


class Journal(Protocol):
    """The write-ahead journal. `commit` is one database transaction. Every method may raise JournalError."""

    async def commit(self, entry: Entry) -> Sequence[int] | None:
        """Append the event, save the snapshot, insert the commands, mark `done` ones; returns the new
        commands' outbox ids, in order. An event_id already stored for that handoff is ignored as a
        duplicate and returns None."""

    async def mark_done(self, outbox_ids: Sequence[int], at: float) -> None: ...

    async def unsettled(self) -> Sequence[StoredHandoff]: ...

    async def events(self, handoff: str) -> Sequence[StoredEvent]: ...

    async def get(self, handoff: str) -> HandoffRow | None: ...

    async def list(self, open_only: bool, limit: int) -> Sequence[HandoffRow]: ...

    async def of_lead(self, number: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs of a lead by their number, newest first."""

    async def of_agent(self, agent: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs whose lead an agent has talked to, the latest talk first."""
