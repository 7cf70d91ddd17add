"""iCalendar texts → the times in which somebody is busy.

Runs in a process of its own (worker.py), of which it takes the main thread and the profiling timer."""

from __future__ import annotations

import re
import signal
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Component

from asterisk_warm.calendars.source import DAY, NotUnderstood, Span
from asterisk_warm.core.presence import Busy

MOST_CHARACTERS = 60
"""Of what somebody is busy with."""
PRIVATE = "private"
_TOO_OFTEN = ("SECONDLY", "MINUTELY")
_TIMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_OF_THE_CALENDAR = ("CALSCALE", "X-WR-TIMEZONE")
_NOT_NEEDED = ("BEGIN:VALARM", "BEGIN:VTODO", "BEGIN:VJOURNAL")
_LINE_END = re.compile(r"\r?\n")
_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError)
"""What the two libraries raise on texts that nobody should write (OSError: on a time zone called Europe)."""


class _TooLong(BaseException):
    """Past every `except Exception` of the libraries."""


def busy_times(texts: Iterable[bytes], zone: str, span: Span, seconds: float) -> list[Busy]:
    """In order, not overlapping, nor touching. `zone` is the IANA name of the agent's, for whole days and
    times that name none; empty: the machine's. Recurring events may take `seconds` of processor time. Raises
    NotUnderstood."""
    tz = ZoneInfo(zone) if zone else None
    calendars = [calendar for text in texts for calendar in _parsed(text)]
    try:
        found = [busy for calendar in calendars for busy in _free_busy(calendar, tz)]
        with _at_most(seconds):
            for events in _series(calendars):
                found += _of_series(events, tz, span)
    except _TooLong:  # between two of them, or all of them together
        raise NotUnderstood("its events take too long: share fewer of them") from None
    except _FAULTS as error:
        raise NotUnderstood(f"no iCalendar: {clean(str(error), 200)}") from None
    return merged(busy for busy in found if busy.start < span.end and busy.end > span.start)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Of this process's time on the processor, whatever else the machine is busy with."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# -- reading -------------------------------------------------------------------------------------------------


def _parsed(data: bytes) -> Sequence[Calendar]:
    text = data.decode("utf-8-sig", "replace")
    lines = list(_needed(text))
    words = [line.rstrip().upper() for line in lines]
    begun = words.count("BEGIN:VCALENDAR")
    if not begun:
        start = clean(text[:200])
        found = f'begins with "{start}"' if start else "is empty"
        raise NotUnderstood(f"no iCalendar: it {found}")
    if words.count("END:VCALENDAR") != begun:  # the library would leave it out
        raise NotUnderstood("an iCalendar that breaks off: END:VCALENDAR is missing")
    try:
        return Calendar.from_ical("\r\n".join(lines), multiple=True)
    except _FAULTS as error:
        raise NotUnderstood(f"no iCalendar: {clean(str(error), 200)}") from None


def _needed(text: str) -> Iterator[str]:
    """The lines outside of what nobody is busy with: a fault there must not count."""
    within = ""
    for line in _LINE_END.split(text):
        word = line.rstrip().upper()
        if within:
            within = "" if word == f"END:{within}" else within
        elif word in _NOT_NEEDED:
            within = word.removeprefix("BEGIN:")
        else:
            yield line


def _series(calendars: Iterable[Calendar]) -> Iterator[Calendar]:
    """Each event with its exceptions, as a calendar of its own, so that whatever is wrong has a name."""
    for calendar in calendars:
        groups: dict[str, list[Component]] = defaultdict(list)
        for event in calendar.walk("VEVENT"):
            groups[str(event.get("UID", id(event)))].append(event)
        for events in groups.values():
            series = Calendar()
            for name in _OF_THE_CALENDAR:
                if name in calendar:
                    series[name] = calendar[name]
            for event in events:
                series.add_component(event)
            yield series


def _of_series(series: Calendar, tz: ZoneInfo | None, span: Span) -> list[Busy]:
    events = series.walk("VEVENT")
    # A day more: times without a zone are compared as if in UTC.
    start, end = (datetime.fromtimestamp(at, UTC) for at in (span.start - DAY, span.end + DAY))
    try:
        for event in events:
            _check(event)
        found = recurring_ical_events.of(series).between(start, end)
        busy = [_busy(event, tz) for event in found if _counts(event)]
        if busy:
            _check_zones(events)
    except _TooLong:
        raise NotUnderstood(
            f"{_name(events[0])} recurs in a way that takes too long: change its RRULE"
        ) from None
    except _FAULTS as error:
        raise NotUnderstood(f"{_name(events[0])}: {clean(str(error), 200)}") from None
    return busy


def _check(event: Component) -> None:
    for name, words in event.errors:
        if name in _TIMES:
            raise NotUnderstood(f"{_name(event)}: its {name} is wrong: {clean(words, 200)}")
    if "DTSTART" not in event:
        raise NotUnderstood(f"{_name(event)} has no DTSTART")
    for rule in _all(event, "RRULE"):
        often = [str(often).upper() for often in rule.get("FREQ", [])]
        if not often:
            raise NotUnderstood(f"{_name(event)}: its RRULE has no FREQ")
        if often[0] in _TOO_OFTEN:
            raise NotUnderstood(
                f"{_name(event)} recurs {often[0].lower()}: nothing more often than hourly is read"
            )


def _check_zones(events: Iterable[Component]) -> None:
    """A zone that is not known must not pass for the agent's."""
    for event in events:
        for name in ("DTSTART", "DTEND"):
            for value in _all(event, name):
                zone = value.params.get("TZID")
                if zone and isinstance(value.dt, datetime) and value.dt.tzinfo is None:
                    raise NotUnderstood(f'{_name(event)}: there is no time zone "{clean(str(zone))}"')


def _all(component: Component, name: str) -> Sequence[Any]:
    """The values of a property that may be there more than once."""
    value = component.get(name, [])
    return value if isinstance(value, list) else [value]


# -- what counts ---------------------------------------------------------------------------------------------


def _counts(event: Component) -> bool:
    free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    return not free and str(event.get("STATUS", "")).upper() != "CANCELLED"


def _busy(event: Component, tz: ZoneInfo | None) -> Busy:
    what = PRIVATE if _is_private(event) else clean(str(event.get("SUMMARY", "")))
    start, end = (_all(event, name)[0].dt for name in ("DTSTART", "DTEND"))
    if end == start and not isinstance(start, datetime):  # a day that ends on itself: some write it so
        end = start + timedelta(days=1)
    return Busy(_seconds(start, tz), _seconds(end, tz), what)


def _free_busy(calendar: Calendar, tz: ZoneInfo | None) -> Iterator[Busy]:
    """Who publishes no events, but only when they are busy."""
    for component in calendar.walk("VFREEBUSY"):
        for period in _all(component, "FREEBUSY"):
            if str(period.params.get("FBTYPE", "BUSY")).upper() != "FREE":
                yield Busy(_seconds(period.start, tz), _seconds(period.end, tz))


def _seconds(moment: date, tz: ZoneInfo | None) -> float:
    """Since the epoch. What names no zone is in `tz`; without that, in the machine's."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).timestamp()


def merged(times: Iterable[Busy]) -> list[Busy]:
    """In order, those that overlap or touch as one: what matters is when the agent is free again."""
    result: list[Busy] = []
    for busy in sorted(times, key=lambda busy: (busy.start, busy.end)):
        if busy.end <= busy.start:
            continue
        if result and busy.start <= result[-1].end:
            last = result.pop()
            busy = Busy(last.start, max(last.end, busy.end), _both(last.what, busy.what))
        result.append(busy)
    return result


def _both(one: str, other: str) -> str:
    if not one or not other or other in one.split(", "):
        return one or other
    return clean(f"{one}, {other}")


# -- words ---------------------------------------------------------------------------------------------------


def _is_private(event: Component) -> bool:
    return str(event.get("CLASS", "")).upper() in ("PRIVATE", "CONFIDENTIAL")


def _name(event: Component) -> str:
    summary = clean(str(event.get("SUMMARY", "")))
    if _is_private(event) or not summary:
        return "a private event" if _is_private(event) else "an event without a summary"
    return f'the event "{summary}"'


def clean(text: str, most: int = MOST_CHARACTERS) -> str:
    """One line of printable characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
