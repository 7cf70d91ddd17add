"""Times and durations in words that fit a column."""

from __future__ import annotations

from datetime import datetime


def clock(at: float) -> str:
    """A moment in local time: `2026-03-01 14:05:09`."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


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
