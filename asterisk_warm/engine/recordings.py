"""Names of what belongs to a recording, for who makes it, who ends it, and who deletes it."""

from __future__ import annotations

import re

from asterisk_warm.core.handoff.ids import parse_recording
from asterisk_warm.engine.ids import made_at

BEFORE = "~before"
_ANSWER = re.compile(r"(qual-[a-z0-9]+)-[a-z0-9_]+-[0-9]{1,12}", re.ASCII)


def before(recording: str) -> str:
    """Id of the playback that is heard before it begins."""
    return f"{recording}{BEFORE}"


def answer_recording(qualification: str, question: str, revision: int) -> str:
    """Of a spoken answer. A new name each time that something was kept: no earlier answer loses its own."""
    return f"{qualification}-{question}-{revision}"


def qualification_of(recording: str) -> str | None:
    """Id of the qualification whose answer it is; None when it is none."""
    found = _ANSWER.fullmatch(recording)
    return found[1] if found is not None and made_at(found[1]) is not None else None


def earliest(recording: str) -> float | None:
    """When it was made at the earliest, in seconds since the epoch: whom it belongs to was there before it.
    None when its name is none of those that we give."""
    asked = parse_recording(recording)
    owner = asked[0] if asked is not None else qualification_of(recording)
    return made_at(owner) if owner is not None else None
