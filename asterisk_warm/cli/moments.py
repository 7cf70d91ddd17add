"""What people write for times: `30m`, `1h30m`; `14:30`, `2026-03-01 14:30`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from asterisk_warm.cli.failures import Exit, Failure

_SPAN = re.compile(r"(?=\d)(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S")


def seconds_of(option: str, given: str) -> float:
    """How long: a number with its unit, so that nobody takes minutes for seconds. Raises Failure (usage)."""
    match = _SPAN.fullmatch(given.strip().lower())
    if match is None:
        raise Failure(
            Exit.USAGE, f'{option} "{given[:40]}" is not a time with its unit', "such as 30m, 1h30m or 90s"
        )
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise Failure(Exit.USAGE, f"{option} must be more than nothing", "such as 30m")
    return float(total)


def moment_of(option: str, given: str, now: float) -> float:
    """When, in local time, in seconds since the epoch: the next time the clock shows it, or that day. Raises
    Failure (usage)."""
    text = given.strip()
    clock = _CLOCK.fullmatch(text)
    today = datetime.fromtimestamp(now)
    try:
        if clock is None:
            return _dated(text).timestamp()
        then = today.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
    except (ValueError, OverflowError, OSError):
        raise Failure(
            Exit.USAGE, f'{option} "{given[:40]}" is not a time', 'such as 14:30, or "2026-03-01 14:30"'
        ) from None
    # Naive on purpose: tomorrow at the same time of the clock, whatever the night does to it.
    return (then if then.timestamp() > now else then + timedelta(days=1)).timestamp()


def _dated(text: str) -> datetime:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(text)
