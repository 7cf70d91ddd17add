"""Times and durations in words that fit a column."""

from __future__ import annotations

from datetime import datetime, timedelta


def clock(at: float) -> str:
    """A moment in local time: `2026-03-01 14:05:09`."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def zoned(at: float) -> str:
    """A moment in local time, for what may be held against somebody: `2026-03-01 14:05:09 CET`."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def day(at: float) -> str:
    """`2026-03-01`, in local time."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d")


def short_clock(at: float, now: float) -> str:
    """A moment in local time, as short as it is plain: `14:30`, `Mon 09:00` within six days, or
    `2026-03-01 14:05`."""
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()
    if then.date() == today:
        return then.strftime("%H:%M")
    near = abs(then.date() - today) < timedelta(days=7)
    return then.strftime("%a %H:%M" if near and at > now else "%Y-%m-%d %H:%M")


def until(at: float, now: float) -> str:
    """When something ends: `until 14:30 (in 28 min)`."""
    return f"until {short_clock(at, now)} ({ahead(at - now)})"


def ahead(seconds: float) -> str:
    """How long still: `in 30 min`, also a moment after it was 30 minutes."""
    return f"in {age(seconds + 1)}"


def age(seconds: float) -> str:
    """How long ago, in the unit that says most: `42 s`, `7 min`, `3 h`, `12 d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def duration(milliseconds: float | None) -> str:
    """`840 ms`, `12.3 s`, `2 min 05 s`; `-` when there is none."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds:02} s"


def offset(seconds: float) -> str:
    """`+12.34 s`."""
    return f"{seconds:+.2f} s"
