"""Names of what belongs to a recording, for who makes it and who ends it."""

from __future__ import annotations

BEFORE = "~before"


def before(recording: str) -> str:
    """Id of the playback that is heard before it begins."""
    return f"{recording}{BEFORE}"
