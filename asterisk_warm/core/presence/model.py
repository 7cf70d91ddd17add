"""What is kept of an agent, and what the world says of them. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self


class Declared(StrEnum):
    """What the agent says of themselves, or what is said for them."""

    READY = "ready"
    PAUSED = "paused"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Lease:
    """An agent is kept for one handoff. Without being renewed it ends by itself."""

    handoff: str
    node: str
    """The daemon that runs that handoff."""
    until: float


@dataclass(frozen=True, slots=True)
class By:
    """Who changed something, and from where."""

    who: str
    source: str
    """cli, api, agi, code (a feature code), queue, calendar, daemon."""


DAEMON = By("asterisk_warm", "daemon")


@dataclass(frozen=True, slots=True)
class Presence:
    """What is kept of one agent. `version` counts the changes: who wants to write the next one must have
    seen the last."""

    agent: str
    version: int = 0
    declared: Declared = Declared.READY
    reason: str = ""
    """Why paused or offline, in the words that were given."""
    until: float | None = None
    """When a pause ends by itself; None: when the agent says so."""
    since: float = 0.0
    """Since when the declared state holds."""
    by: By = By("", "")
    wrapup_until: float = 0.0
    idle_since: float = 0.0
    """Since when they have had nothing to do with us: ready, and past the end of their last talk and wrap-up
    (so it is still to come while they wrap up)."""
    offered_at: float = 0.0
    """When they were last offered a lead; 0: never."""
    missed: int = 0
    """How many offers in a row they let ring out."""
    offer: Lease | None = None
    """The handoff that they are being offered."""
    talks: tuple[Lease, ...] = ()
    """Handoffs whose lead they are talking to."""

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Busy:
    """A time in which a calendar has them busy."""

    start: float
    end: float
    what: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An agent's calendar, as it was last read."""

    busy: tuple[Busy, ...]
    """In order, not overlapping."""
    read_at: float | None
    """When it was last read in full; None: never."""
    stale_after: float
    """How old a reading may be, in seconds, before it counts for nothing."""
    error: str = ""
    """Why the latest reading failed; empty: it did not."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Whether an agent is on shift."""

    on: bool
    next_change: float | None
    """When that changes; None: never."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the world says of an agent."""

    device: str = "UNKNOWN"
    """The endpoint's device state, in Asterisk's words."""
    hints: tuple[str, ...] = ()
    """States of further devices and hints that count for this agent."""
    dnd: bool = False
    """Do-not-disturb is on."""
    calendar: Calendar | None = None
    """None: they have none."""
    shift: Shift | None = None
    """None: they have none, and are always on."""
    at_once: int = 1
    """How many handoffs they may have at once."""
