"""The kinds of value that say what agents are like: skills, devices, time zones, shifts."""

from __future__ import annotations

import re
import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, Field

from asterisk_warm.config.values import Expects, nearest, refuse
from asterisk_warm.core import shifts

_STATES = re.compile(
    r"""
      [A-Za-z][A-Za-z0-9]*/[A-Za-z0-9+][A-Za-z0-9_.+@:=-]*    # a device: PJSIP/ana
    | [A-Za-z]+:[A-Za-z0-9_.+@-]+                             # a device of a provider: Custom:desk
    | [A-Za-z0-9_*\#.+-]+@[A-Za-z0-9_.-]+                     # a hint: 201@from-internal
    """,
    re.VERBOSE,
)
_LONGEST_STATE = 79  # AST_MAX_EXTENSION, less the NUL


def _state(value: str) -> str:
    """What has a device state. No ``&``, which would join two; nothing that ends an AMI header."""
    if len(value) > _LONGEST_STATE:
        raise refuse(f"is longer than {_LONGEST_STATE} characters")
    if _STATES.fullmatch(value):
        return value
    likely = f"Custom:{value}" if re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", value) else None
    raise refuse("is neither a device nor a hint", likely)


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        cities = {name.rpartition("/")[2]: name for name in sorted(known)}
        city = nearest(value.rpartition("/")[2], cities, likeness=0.8)
        likely = nearest(value, known, likeness=0.8) or (cities[city] if city else None)
        raise refuse("is not a time zone", likely) from None
    return value


def _shift(value: str) -> str:
    try:
        shifts.parse(value)
    except ValueError as error:
        problem = str(error).partition("; write e.g.")[0]  # what would do is said by SHIFT
        raise refuse(f"is not a shift: {problem}") from None
    return " ".join(value.split())


LEVEL = Expects("a level from 1 to 10")
STATE = Expects("a device such as Custom:desk or PJSIP/ana, or a hint such as 201@from-internal")
SHIFT = Expects('days and hours in quotes, such as "mon-fri 09:00-17:30"')

Level = Annotated[int, Field(ge=1, le=10), LEVEL]
State = Annotated[str, Field(min_length=1), AfterValidator(_state), STATE]
TimeZone = Annotated[
    str, Field(min_length=1), AfterValidator(_timezone), Expects("an IANA time zone, such as Europe/Berlin")
]
Shift = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_shift), SHIFT]
