"""Where somebody goes on in the dialplan."""

from __future__ import annotations

from asterisk_warm.core.handoff.model import ReturnPlace
from asterisk_warm.engine.ports.calls import Location

BYE = ReturnPlace("warm-bye", "s", 1)
"""Where those go on who have no other place: hung up."""


def location(place: ReturnPlace | None) -> Location | None:
    return None if place is None else Location(place.context, place.extension, place.priority)


def words(place: ReturnPlace) -> str:
    """As the dialplan's Goto() reads it."""
    return f"{place.context},{place.extension},{place.priority}"
