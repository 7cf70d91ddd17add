"""Dates as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from asterisk_warm.core.script.languages import day_named, month

ORDERS = ("dmy", "mdy", "ymd")
_NUMBERS = re.compile(r"([0-9]{1,4}) ?[-/. ] ?([0-9]{1,2}) ?[-/. ] ?([0-9]{1,4})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})(?:\.|er|st|nd|rd|th)? (?:de |of )?([^\W\d_]+\.?),? (?:de )?([0-9]{4})")
_MONTH_FIRST = re.compile(r"([^\W\d_]+\.?) ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})")
_PAST = 80
"""A year of two digits is at most so many years ago, else it is to come, unless only another century will
do."""


def read_date(text: str, order: str, today: date, allowed: Callable[[date], bool]) -> date | None:
    """`2026-03-12`, `12/3/2026` or `12.3.26` (in that `order`), `12 March 2026`, `tomorrow`; None when it
    is no date. `allowed` chooses the century of a year of two digits."""
    try:
        return day_named(text, today) or _numbers(text, order, today, allowed) or _in_words(text.casefold())
    except (ValueError, OverflowError):
        return None


def _numbers(text: str, order: str, today: date, allowed: Callable[[date], bool]) -> date | None:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return None
    if len(found[1]) == 4:
        order = "ymd"
    parts = dict(zip(order, found.groups(), strict=True))
    if len(parts["d"]) > 2 or len(parts["y"]) not in (2, 4):
        return None
    month, day = int(parts["m"]), int(parts["d"])
    if len(parts["y"]) == 4:
        return date(int(parts["y"]), month, day)
    candidates = [
        date(year, month, day) for year in _years(int(parts["y"]), today) if _exists(year, month, day)
    ]
    return next(filter(allowed, candidates), candidates[0] if candidates else None)


def _years(two: int, today: date) -> tuple[int, int, int]:
    """Which years the two digits may mean, the likeliest first."""
    earliest = today.year - _PAST
    year = earliest + (two - earliest) % 100
    return year, year - 100, year + 100


def _exists(year: int, month: int, day: int) -> bool:
    """29 February does not in every century."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _in_words(text: str) -> date | None:
    if found := _DAY_FIRST.fullmatch(text):
        day, name, year = found.groups()
    elif found := _MONTH_FIRST.fullmatch(text):
        name, day, year = found.groups()
    else:
        return None
    number = month(name)
    return None if number is None else date(int(year), number, int(day))


def later(day: date, days: float) -> date:
    """That many days on, or as far as the calendar goes."""
    try:
        return day + timedelta(days=days)
    except (OverflowError, ValueError):
        return date.max if days > 0 else date.min
