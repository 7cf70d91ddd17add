"""Shifts: `mon-fri 09:00-17:30` in an agent's own time zone becomes whether they are on shift, and until
when.

What counts is the clock on the agent's wall, through every change to and from daylight saving time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from asterisk_warm.core.presence import Shift

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = 24 * 60
_FORM = "write e.g. mon-fri 09:00-17:30, sat,sun 22:00-06:00 or daily 08:00-12:00"
_TIMES = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` to `end` on each of these days."""

    days: frozenset[int]
    """0: Monday."""
    start: int
    """Minutes since midnight."""
    end: int
    """Minutes since midnight of the same day; more than 24 hours where it ends on the next."""


def parse(text: str) -> Hours:
    """Read `mon-fri 09:00-17:30`; days are `daily`, or names and ranges with commas between them. An
    end before the start is on the next day. Raises ValueError that says what is wrong and what will do."""
    parts = text.lower().split()
    if len(parts) != 2:
        raise ValueError(f"a shift is days and hours with one space between them; {_FORM}")
    start, end = _times(parts[1])
    return Hours(_days(parts[0]), start, end)


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start, end = _day(first), _day(last if dash else first)
        found |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return frozenset(found)


def _day(text: str) -> int:
    if text not in _DAYS:
        raise ValueError(f"{text!r} is no day; days are {', '.join(_DAYS)} and daily; {_FORM}")
    return _DAYS.index(text)


def _times(text: str) -> tuple[int, int]:
    found = _TIMES.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} are no hours; {_FORM}")
    start, end = _time(found[1], found[2]), _time(found[3], found[4])
    if start in (end, _MIDNIGHT):
        raise ValueError(f"a shift cannot be {text}; for the whole day write 00:00-24:00")
    return start, end if end > start else end + _MIDNIGHT


def _time(hours: str, minutes: str) -> int:
    time = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or time > _MIDNIGHT:
        raise ValueError(f"{hours}:{minutes} is no time of day; it goes from 00:00 to 24:00")
    return time


def shift_at(shifts: Sequence[Hours], zone: tzinfo, now: float) -> Shift | None:
    """Whether an agent with these shifts, who lives in `zone`, is on shift now, and when that changes next
    (None: never). None where there are no shifts: they are always on. `now`: seconds since the epoch."""
    if not shifts:
        return None
    until: float | None = None
    for start, end in _spans(shifts, zone, datetime.fromtimestamp(now, zone).date()):
        if until is None and end <= now:
            continue
        if start > (now if until is None else until):
            return Shift(until is not None, start if until is None else until)
        until = end if until is None else max(until, end)
    return Shift(until is not None, None)


def _spans(shifts: Sequence[Hours], zone: tzinfo, today: date) -> Iterator[tuple[float, float]]:
    """From when to when, in the order in which they start. More than two weeks of them: a change of the
    clocks may have cut the one shift of a week out. Who is on for all of that time is so for ever."""
    for offset in range(-2, 17):
        day = today + timedelta(days=offset)
        found = [
            (_instant(day, hours.start, zone, 0), _instant(day, hours.end, zone, 1))
            for hours in shifts
            if day.weekday() in hours.days
        ]
        yield from sorted(span for span in found if span[0] < span[1])


def _instant(day: date, minutes: int, zone: tzinfo, fold: int) -> float:
    """When the clock on the wall shows that time. If it does twice: the first time for `fold` 0 (starts), the
    last for 1 (ends). If it never does, because the clock is put forward over it: when that is done."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    shown = wall.replace(tzinfo=zone, fold=fold)
    if _wall(shown.timestamp(), zone) == wall:
        return shown.timestamp()
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (middle, late) if _wall(middle, zone) < wall else (early, middle)
    return late


def _wall(at: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
