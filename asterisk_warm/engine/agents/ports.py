"""What the engine needs from outside about agents, as Protocols; the daemon chooses who provides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from asterisk_warm.core.presence import By, Calendar, Presence
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord


@dataclass(frozen=True, slots=True)
class Change:
    """A line of an agent's history."""

    agent: str
    at: float
    """Seconds since the epoch."""
    what: str
    """What they became: ready, paused, offline, wrapping up, … in words."""
    reason: str
    until: float | None
    by: By


@dataclass(frozen=True, slots=True)
class StoredAgent:
    record: AgentRecord
    presence: Presence


class AgentStore(Protocol):
    """Agents, teams, skills and presence. Several daemons may use one store. Every method may raise
    JournalError."""

    async def agents(self) -> Sequence[StoredAgent]:
        """All of them, by id. A new one's presence is version 0."""

    async def presence(self, agent: str) -> Presence | None:
        """Of one agent, as it is now; None when there is no such agent."""

    async def teams(self) -> Sequence[TeamRecord]:
        """By id."""

    async def save_presence(
        self, before: Presence, after: Presence, change: Change | None = None
    ) -> Presence | None:
        """Write `after` (and the line of history) in one conditional UPDATE, if `before.version` is still
        what is stored; returns what is stored now, with its new version. None: somebody was faster, or there
        is no such agent any more; nothing was written."""

    async def seed(
        self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord], now: float
    ) -> Sequence[Conflict]:
        """Bring what a configuration file says into the store: what the file has changed since it was last
        seeded is taken over, what was edited in the store is kept. Where both have changed the same thing the
        store keeps its own, and it is returned, at every start until one of them gives in."""

    async def save_agents(self, agents: Sequence[AgentRecord], by: By, now: float) -> None:
        """Add agents, or replace what is known of them; all or nothing. Their teams must exist."""

    async def remove_agent(self, agent: str, by: By, now: float) -> bool:
        """False when there is none. Their history stays."""

    async def history(self, agent: str, limit: int) -> Sequence[Change]:
        """Newest first."""

    async def mark(self) -> int:
        """Changes with every change of agents, teams or presence, by whichever daemon; cheap."""

    async def last_agent(self, lead_number: str) -> str | None:
        """Id of the agent who last talked to the lead of that number; None: nobody."""

    async def talk_seconds(self, team: str, limit: int) -> Sequence[float]:
        """How long the latest talks of a team's agents with leads were."""


class Devices(Protocol):
    """Device states, as Asterisk tells them by itself."""

    def watch(self, names: Sequence[str]) -> None:
        """The devices (`PJSIP/ana`, `Custom:desk`) and hints (`201@from-internal`) that matter from now
        on."""

    def state(self, name: str) -> str:
        """In Asterisk's words: NOT_INUSE, INUSE, BUSY, UNAVAILABLE, RINGING, RINGINUSE, ONHOLD, INVALID,
        UNKNOWN."""

    def listen(self, changed: Callable[[str], None]) -> None:
        """`changed` is told the name of every watched device or hint whose state changes, at once; and an
        empty name when many may have changed (connected, or the connection was lost)."""


class Lamps(Protocol):
    """What desk phones show."""

    async def show(self, states: Mapping[str, str]) -> None:
        """Set `Custom:warm-<agent>` for each agent to a device state. Raises PbxError."""


class Calendars(Protocol):
    """Calendars of agents, read again and again by themselves."""

    def watch(self, agents: Mapping[str, tuple[str, str]]) -> None:
        """From now on: agent id → (name of a configured calendar, IANA time zone or "")."""

    def of(self, agent: str) -> Calendar | None:
        """As last read; None when the agent has none."""

    def listen(self, changed: Callable[[str], None]) -> None:
        """`changed` is told the id of an agent whose calendar was read."""
