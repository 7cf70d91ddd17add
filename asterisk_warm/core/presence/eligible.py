"""Whether an agent can be offered a lead now, and if not, every reason why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from asterisk_warm.core.presence.changes import at
from asterisk_warm.core.presence.model import Busy, Calendar, Declared, Presence, Seen, Shift


class Why(StrEnum):
    """Why an agent is not offered a lead."""

    OFFLINE = "offline"
    PAUSED = "paused"
    WRAPUP = "wrapup"
    OFFERED = "offered"
    LIMIT = "limit"
    DEVICE = "device"
    UNREACHABLE = "unreachable"
    DND = "dnd"
    CALENDAR = "calendar"
    STALE = "stale"
    SHIFT = "shift"


@dataclass(frozen=True, slots=True)
class Reason:
    why: Why
    words: str
    until: float | None = None
    """When it will be over, where that is known."""
    passes: bool = False
    """It will pass by itself, at a time nobody knows: a call, an offer."""


_IN_CALL = {
    "INUSE": "in a call",
    "BUSY": "busy",
    "RINGING": "being rung",
    "RINGINUSE": "in a call, and being rung",
    "ONHOLD": "in a call, on hold",
}
_OUT = {
    "UNAVAILABLE": "phone not registered",
    "INVALID": "no such device in Asterisk",
}


def why_not(presence: Presence, seen: Seen, now: float) -> tuple[Reason, ...]:
    """Every reason why this agent is not offered a lead now; empty: they are."""
    presence = at(presence, now)
    return (
        *_declared(presence),
        *_leased(presence, seen),
        *_wrapping_up(presence, now),
        *_device(presence, seen),
        *_calendar(seen.calendar, now),
        *_shift(seen.shift),
    )


def _declared(presence: Presence) -> Iterable[Reason]:
    because = f": {presence.reason}" if presence.reason else ""
    if presence.declared is Declared.OFFLINE:
        yield Reason(Why.OFFLINE, f"offline{because}")
    elif presence.declared is Declared.PAUSED:
        yield Reason(Why.PAUSED, f"paused{because}", presence.until)


def _leased(presence: Presence, seen: Seen) -> Iterable[Reason]:
    if presence.offer is not None:
        yield Reason(Why.OFFERED, f"being offered {presence.offer.handoff}", passes=True)
    if len(presence.talks) >= seen.at_once:
        words = f"has {len(presence.talks)} handoffs"
        if seen.at_once == len(presence.talks) == 1:
            words = f"talking to the lead of {presence.talks[0].handoff}"
        yield Reason(Why.LIMIT, words, passes=seen.at_once > 0)


def _wrapping_up(presence: Presence, now: float) -> Iterable[Reason]:
    if presence.wrapup_until > now:
        yield Reason(Why.WRAPUP, "wrapping up the last call", presence.wrapup_until)


def _device(presence: Presence, seen: Seen) -> Iterable[Reason]:
    """A call that is one of our own talks does not count where more than one is allowed."""
    ours = 0 < len(presence.talks) < seen.at_once
    for state in dict.fromkeys((seen.device, *seen.hints)):
        if state in _OUT:
            yield Reason(Why.UNREACHABLE, _OUT[state])
        elif state in _IN_CALL and not (ours and state in ("INUSE", "ONHOLD")):
            yield Reason(Why.DEVICE, _IN_CALL[state], passes=True)
    if seen.dnd:
        yield Reason(Why.DND, "do-not-disturb is on")


def _calendar(calendar: Calendar | None, now: float) -> Iterable[Reason]:
    if calendar is None:
        return
    trouble = f" ({calendar.error})" if calendar.error else ""
    if calendar.read_at is None:
        yield Reason(Why.STALE, f"calendar not read yet{trouble}", passes=not trouble)
    elif now - calendar.read_at > calendar.stale_after:
        minutes = round((now - calendar.read_at) / 60)
        yield Reason(Why.STALE, f"calendar last read {minutes} min ago{trouble}")
    else:
        yield from _busy(calendar.busy, now)


def _busy(times: Iterable[Busy], now: float) -> Iterable[Reason]:
    """What they are busy with now, until there is a gap: one meeting may follow on another."""
    words, end = "", now
    for busy in times:
        if busy.start <= end < busy.end:
            what = f": {busy.what}" if busy.what else ""
            words = words or f"busy in the calendar{what}"
            end = busy.end
    if words:
        yield Reason(Why.CALENDAR, words, end)


def _shift(shift: Shift | None) -> Iterable[Reason]:
    if shift is not None and not shift.on:
        yield Reason(Why.SHIFT, "off shift", shift.next_change)


def hopeful(reasons: Iterable[Reason], until: float) -> bool:
    """Will the agent, or may they, be free before `until`?"""
    return free_from(reasons) < until


def free_from(reasons: Iterable[Reason]) -> float:
    """The last of the known ends; -inf: there are none; inf: one of the reasons will not pass by itself."""
    return max(map(_end, reasons), default=-inf)


def _end(reason: Reason) -> float:
    if reason.until is not None:
        return reason.until
    return -inf if reason.passes else inf


def next_change(presence: Presence, seen: Seen, now: float) -> float | None:
    """When the answer of `why_not` may change by time alone; None: never."""
    times: list[float | None] = [presence.wrapup_until]
    if presence.declared is Declared.PAUSED:
        times.append(presence.until)
    times += [lease.until for lease in (presence.offer, *presence.talks) if lease is not None]
    if seen.shift is not None:
        times.append(seen.shift.next_change)
    if seen.calendar is not None:
        times += [edge for busy in seen.calendar.busy for edge in (busy.start, busy.end)]
        if seen.calendar.read_at is not None:
            times.append(seen.calendar.read_at + seen.calendar.stale_after + 0.001)
    return min((time for time in times if time is not None and time > now), default=None)
