"""What fits where in a body: each reader notes what is wrong with it and answers None."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeGuard

from asterisk_warm.api.faults import Faults, kind

LONGEST_ID = 150
"""Characters of a channel's id or name; Asterisk's own limit (AST_MAX_UNIQUEID) is 149."""
LONGEST_PLACE = 79
"""Characters of a context or an extension (AST_MAX_CONTEXT, AST_MAX_EXTENSION)."""
LONGEST_NAME = 80
"""Characters of an agent's id or name, as one is looked up."""
_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
"""A telephone number, as the engine's directory takes it."""

_LATEST = 253_402_300_800
"""The end of the year 9999, in seconds since 1970."""

Read = Callable[[object, str, Faults], Any]
"""(value, JSON pointer to it, faults): what was read, or None."""


def text(given: object, pointer: str, faults: Faults) -> str | None:
    if not isinstance(given, str):
        faults.add(pointer, f"must be text, not {kind(given)}")
        return None
    return given


def identifier(longest: int) -> Read:
    """Text that goes to Asterisk as it stands: nothing in it may end a line or a header there."""

    def read(given: object, pointer: str, faults: Faults) -> str | None:
        found = text(given, pointer, faults)
        if found is None:
            return None
        if not found or len(found) > longest:
            faults.add(pointer, f"must have from 1 to {longest} characters, not {len(found)}")
            return None
        if not found.isprintable() or any(c.isspace() or c == "," for c in found):
            faults.add(pointer, "must have no spaces, commas or control characters")
            return None
        return found

    return read


def name(given: object, pointer: str, faults: Faults) -> str | None:
    """Text in which an agent is looked up."""
    found = text(given, pointer, faults)
    if found is None:
        return None
    found = found.strip()
    if not found or len(found) > LONGEST_NAME:
        faults.add(pointer, f"must have from 1 to {LONGEST_NAME} characters, not {len(found)}")
        return None
    if not found.isprintable():
        faults.add(pointer, "must have no control characters")
        return None
    return found


def outside(given: object, pointer: str, faults: Faults) -> str | None:
    found = text(given, pointer, faults)
    if found is None:
        return None
    if not _NUMBER.fullmatch(found):
        faults.add(pointer, "must be a telephone number: 2 to 20 digits, with or without a + before them")
        return None
    return found


def yes_or_no(given: object, pointer: str, faults: Faults) -> bool | None:
    if not isinstance(given, bool):
        faults.add(pointer, f"must be true or false, not {kind(given)}")
        return None
    return given


def whole(least: int, most: int) -> Read:
    """A whole number."""

    def read(given: object, pointer: str, faults: Faults) -> int | None:
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            faults.add(pointer, f"must be a whole number from {least} to {most}, not {kind(given)}")
            return None
        return given

    return read


def number(least: float, most: float, what: str) -> Read:
    """A number with or without fractions; `what` says of what."""

    def read(given: object, pointer: str, faults: Faults) -> float | None:
        if not _is_number(given) or not least <= given <= most:
            faults.add(pointer, f"must be {what} from {least:g} to {most:g}, not {kind(given)}")
            return None
        return float(given)

    return read


def moment(given: object, pointer: str, faults: Faults) -> float | None:
    if not _is_number(given) or not 0 <= given <= _LATEST:
        faults.add(pointer, f"must be a time in seconds since 1970, not {kind(given)}")
        return None
    return float(given)


def _is_number(given: object) -> TypeGuard[int | float]:
    # bool is an int in Python, and not in JSON
    return isinstance(given, int | float) and not isinstance(given, bool)
