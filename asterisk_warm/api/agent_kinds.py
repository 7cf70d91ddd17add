"""What fits into an agent's record: the kinds and limits of the configuration. What is dialled, or stands in
a request to Asterisk, can end neither."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from difflib import get_close_matches

from asterisk_warm.api.faults import Faults, kind, plain, shown, token
from asterisk_warm.api.kinds import Read, text, whole
from asterisk_warm.core.shifts import parse

LONGEST_NAME = 200
"""Characters of an agent's name."""
LONGEST_ENDPOINT = 80
LONGEST_STATE = 79
"""Characters of a device or a hint (AST_MAX_EXTENSION)."""
LONGEST_SHIFT = 200
ENTRIES_AT_MOST = 200
"""Teams, skills, hints or shifts of one agent."""

_ID = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
_ENDPOINT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*/[A-Za-z0-9+][A-Za-z0-9_.+@:/=-]*", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}", re.ASCII)
_STATE = re.compile(
    r"[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9+][A-Za-z0-9_.+@:=-]*"  # a device: PJSIP/ana
    r"|[A-Za-z]+:[A-Za-z0-9_.+@-]+"  # a device of a provider: Custom:desk
    r"|[A-Za-z0-9_*#.+-]+@[A-Za-z0-9_.-]+",  # a hint: 201@from-internal
    re.ASCII,
)
_TECHNOLOGIES = (
    "PJSIP",
    "SIP",
    "IAX2",
    "DAHDI",
    "Local",
    "MGCP",
    "Skinny",
    "UNISTIM",
    "Motif",
    "Console",
    "AudioSocket",
)
_BY_LOWER = {name.lower(): name for name in _TECHNOLOGIES}


def _matching(pattern: re.Pattern[str], longest: int, words: str, remedy: str) -> Read:
    def read(given: object, pointer: str, faults: Faults) -> str | None:
        found = text(given, pointer, faults)
        if found is None:
            return None
        if len(found) > longest or not pattern.fullmatch(found):
            faults.add(pointer, f"{shown(found)} {words}", remedy)
            return None
        return found

    return read


def name(given: object, pointer: str, faults: Faults) -> str | None:
    """As it is spoken and shown."""
    found = text(given, pointer, faults)
    if found is None:
        return None
    if not found or len(found) > LONGEST_NAME:
        faults.add(pointer, f"must have from 1 to {LONGEST_NAME} characters, not {len(found)}")
    elif not found.isprintable() or found != found.strip():
        faults.add(pointer, "must have no control characters, and no spaces around it")
    else:
        return found
    return None


def endpoint(given: object, pointer: str, faults: Faults) -> str | None:
    """What is dialled."""
    found: str | None = _dialled(given, pointer, faults)
    if found is None:
        return None
    technology, _, resource = found.partition("/")
    near = get_close_matches(technology.lower(), _BY_LOWER, 1, 0.8)
    likely = _BY_LOWER[near[0]] if near else technology
    if likely != technology:
        faults.add(
            pointer,
            f"{shown(found)} is of no known technology",
            f'did you mean "{likely}/{plain(resource)}"?',
        )
        return None
    return found


def timezone(given: object, pointer: str, faults: Faults) -> str | None:
    found = text(given, pointer, faults)
    if found is None:
        return None
    try:
        zoneinfo.ZoneInfo(found)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(found[:80], zoneinfo.available_timezones(), 1)
        remedy = f'did you mean "{near[0]}"?' if near else "such as Europe/Berlin"
        faults.add(pointer, f"{shown(found)} is no time zone", remedy)
        return None
    return found


def _shift(given: object, pointer: str, faults: Faults) -> str | None:
    found = text(given, pointer, faults)
    if found is None:
        return None
    if len(found) > LONGEST_SHIFT:
        faults.add(pointer, f"must have at most {LONGEST_SHIFT} characters, not {len(found)}")
        return None
    try:
        parse(found)
    except ValueError as error:
        faults.add(pointer, "".join(c if c.isprintable() else "?" for c in str(error)))
        return None
    return found


def or_empty(read: Read) -> Read:
    """Empty text as well: there is none."""
    return lambda given, pointer, faults: "" if given == "" else read(given, pointer, faults)


def several(read: Read) -> Read:
    """An array, of which nothing is there twice."""

    def read_all(given: object, pointer: str, faults: Faults) -> tuple[str, ...] | None:
        if not isinstance(given, list):
            faults.add(pointer, f"must be an array, not {kind(given)}")
            return None
        if _too_many(given, pointer, faults):
            return None
        found = [read(one, f"{pointer}/{index}", faults) for index, one in enumerate(given)]
        for index, one in enumerate(found):
            if one is not None and one in found[:index]:
                faults.add(f"{pointer}/{index}", f"{shown(one)} is there twice")
        return tuple(one for one in found if one is not None)

    return read_all


def entries(read: Read, what: str) -> Read:
    """An object: id → number, sorted."""

    def read_all(given: object, pointer: str, faults: Faults) -> tuple[tuple[str, int], ...] | None:
        if not isinstance(given, dict):
            faults.add(pointer, f"must be an object, not {kind(given)}", f"such as {what}")
            return None
        if _too_many(given, pointer, faults):
            return None
        found: list[tuple[str, int]] = []
        for key, value in given.items():
            place = f"{pointer}/{token(key)}"
            id, number = identifier(key, place, faults), read(value, place, faults)
            if id is not None and number is not None:
                found.append((id, number))
        return tuple(sorted(found))

    return read_all


def _too_many(given: list[object] | dict[str, object], pointer: str, faults: Faults) -> bool:
    if len(given) > ENTRIES_AT_MOST:
        faults.add(pointer, f"must have at most {ENTRIES_AT_MOST} entries, not {len(given)}")
        return True
    return False


identifier = _matching(_ID, 40, "is not an id", "write 1 to 40 of a-z, 0-9, _ and -")
_dialled = _matching(
    _ENDPOINT, LONGEST_ENDPOINT, "is not an endpoint", "write TECHNOLOGY/name, such as PJSIP/ana"
)
_number = _matching(
    _NUMBER, 21, "is not a number to be dialled", 'write 1 to 20 of 0-9, * and #, such as "201"'
)
_language = _matching(_LANGUAGE, 12, "is not a language", "write two or three letters, such as es or es-mx")
_state = _matching(
    _STATE,
    LONGEST_STATE,
    "is neither a device nor a hint",
    "write a device such as Custom:desk or PJSIP/ana, or a hint such as 201@from-internal",
)

RECORD: Mapping[str, Read] = {
    "id": identifier,
    "name": name,
    "endpoint": endpoint,
    "number": or_empty(_number),
    "teams": entries(whole(1, 9), '{"sales": 1}: the team, and the tier in it'),
    "skills": entries(whole(1, 10), '{"spanish": 7}: the skill, and its level'),
    "at_once": whole(1, 20),
    "hints": several(_state),
    "dnd": or_empty(_state),
    "timezone": or_empty(timezone),
    "shifts": several(_shift),
    "calendar": or_empty(identifier),
    "language": or_empty(_language),
}
"""By member of `core.roster.AgentRecord`."""
REQUIRED = ("id", "name", "endpoint")
