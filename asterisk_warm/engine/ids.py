"""Ids of handoffs and events: made here, because the core makes none."""

from __future__ import annotations

import itertools
import os
import re
import time

from asterisk_warm.core.handoff.ids import PREFIX

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(rf"[a-z]+-([{_ALPHABET}]{{9}})[{_ALPHABET}]{{5}}")
_RUN = os.urandom(4).hex()
_counter = itertools.count()
_suffixes = itertools.count(int.from_bytes(os.urandom(4), "big"))
"""From a random number on: two of the same millisecond differ, and so, but for one case in 33 million, do
those of two daemons."""


def new_handoff_id() -> str:
    """Sorts by time, is short enough to read out, and is safe in a channel id: `warm-` + 9 characters of
    milliseconds + 5 that no other one has."""
    return _new_id(PREFIX)


def new_qualification_id() -> str:
    """The same, as `qual-…`."""
    return _new_id("qual-")


def _new_id(prefix: str) -> str:
    stamp = _base32(int(time.time() * 1000), 9)
    return f"{prefix}{stamp}{_base32(next(_suffixes), 5)}"


def made_at(id: str) -> float | None:
    """When such an id was made, in seconds since the epoch; None when it is none of ours."""
    found = _ID.fullmatch(id)
    if found is None:
        return None
    number = 0
    for digit in found[1]:
        number = number * 32 + _ALPHABET.index(digit)
    return number / 1000


def new_event_id() -> str:
    """Unique over restarts, without asking the system's random source for each event."""
    return f"{_RUN}-{next(_counter)}"


def _base32(number: int, digits: int) -> str:
    out = ""
    for _ in range(digits):
        number, digit = divmod(number, 32)
        out = _ALPHABET[digit] + out
    return out
