"""What the API, the CLI and the dialplan are shown of agents. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asterisk_warm.core.presence import Calendar, Presence, Reason, Seen
from asterisk_warm.engine.agents.ports import Change, StoredAgent


@dataclass(frozen=True, slots=True)
class ReasonView:
    code: str
    """offline, paused, wrapup, offered, limit, device, unreachable, dnd, calendar, stale, shift."""
    words: str
    until: float | None
    """When it will be over, where that is known."""


@dataclass(frozen=True, slots=True)
class CalendarView:
    name: str
    read_at: float | None
    stale: bool
    error: str
    busy_until: float | None
    """The end of the appointment they are in; None: in none."""
    next_busy: float | None


@dataclass(frozen=True, slots=True)
class PresenceView:
    """An agent, and whether they can be offered a lead now."""

    id: str
    name: str
    endpoint: str
    number: str
    teams: dict[str, int]
    """Team id → tier."""
    skills: dict[str, int]
    """Skill → level."""
    at_once: int
    hints: tuple[str, ...]
    """Further devices and hints that count for them."""
    dnd: str
    """The device or hint that says do-not-disturb; empty: none."""
    timezone: str
    shifts: tuple[str, ...]
    language: str
    """What they are briefed in; empty: that of the team."""
    free: bool
    why: tuple[ReasonView, ...]
    """Why they cannot; empty when they can."""
    declared: str
    """ready, paused, offline."""
    reason: str
    until: float | None
    since: float
    by: str
    source: str
    """From where it was declared: cli, api, agi, code, queue, daemon."""
    wrapup_until: float | None
    device: str
    """The endpoint's state, in Asterisk's words."""
    offered: str | None
    """Id of the handoff that they are being offered."""
    talks: tuple[str, ...]
    """Ids of the handoffs whose lead they talk to."""
    missed: int
    """Offers in a row that they let ring out."""
    idle_since: float
    calendar: CalendarView | None


@dataclass(frozen=True, slots=True)
class ChangeView:
    at: float
    what: str
    reason: str
    until: float | None
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class Available:
    """Who of a team can be offered a lead now."""

    team: str
    free: tuple[str, ...]
    """Agent ids, in the team's order."""
    names: tuple[str, ...]
    waiting: int
    """Leads who wait for somebody already."""
    expected_wait: float | None
    """Seconds until the next lead would be offered to somebody; None: nobody is expected."""


@dataclass(frozen=True, slots=True)
class LeadHistory:
    """What is known of a lead by their number."""

    number: str
    count: int
    """Of handoffs, as far back as is looked."""
    agent: str
    """Id of who last talked to them; empty: nobody."""
    handoff: str
    """The last one's id, state and status; empty: there is none."""
    state: str
    status: str
    at: float | None
    """When it was requested."""


def presence_view(
    agent: StoredAgent, presence: Presence, seen: Seen, why: Iterable[Reason], now: float
) -> PresenceView:
    record = agent.record
    why = tuple(why)
    return PresenceView(
        id=record.id,
        name=record.name,
        endpoint=record.endpoint,
        number=record.number,
        teams=dict(record.teams),
        skills=dict(record.skills),
        at_once=record.at_once,
        hints=record.hints,
        dnd=record.dnd,
        timezone=record.timezone,
        shifts=record.shifts,
        language=record.language,
        free=not why,
        why=tuple(ReasonView(reason.why.value, reason.words, reason.until) for reason in why),
        declared=presence.declared.value,
        reason=presence.reason,
        until=presence.until,
        since=presence.since,
        by=presence.by.who,
        source=presence.by.source,
        wrapup_until=presence.wrapup_until if presence.wrapup_until > now else None,
        device=seen.device,
        offered=presence.offer.handoff if presence.offer else None,
        talks=tuple(lease.handoff for lease in presence.talks),
        missed=presence.missed,
        idle_since=presence.idle_since,
        calendar=_calendar(record.calendar, seen.calendar, now),
    )


def _calendar(name: str, calendar: Calendar | None, now: float) -> CalendarView | None:
    if calendar is None:
        return None
    read_at = calendar.read_at
    return CalendarView(
        name=name,
        read_at=read_at,
        stale=read_at is None or now - read_at > calendar.stale_after,
        error=calendar.error,
        busy_until=next((busy.end for busy in calendar.busy if busy.start <= now < busy.end), None),
        next_busy=next((busy.start for busy in calendar.busy if busy.start > now), None),
    )


def change_view(change: Change) -> ChangeView:
    return ChangeView(change.at, change.what, change.reason, change.until, change.by.who, change.by.source)
