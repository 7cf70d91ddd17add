"""What a desk phone's lamp (BLF) shows of an agent."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from asterisk_warm.core.presence.eligible import Reason, Why
from asterisk_warm.core.presence.model import Presence


class Lamp(StrEnum):
    """A BLF lamp's state: a device state of Asterisk's."""

    FREE = "NOT_INUSE"
    OFFERED = "RINGING"
    TALKING = "INUSE"
    AWAY = "ONHOLD"
    """Paused, or wrapping up."""
    OFFLINE = "BUSY"
    """Lit, too: a dark lamp says that a lead can be offered, and `UNAVAILABLE` is dark on most phones."""


def lamp(presence: Presence, reasons: Iterable[Reason]) -> Lamp:
    """What a desk phone shows of an agent. Another call of theirs, or a calendar, is `INUSE` as well."""
    found = {reason.why for reason in reasons}
    for state, among in _LAMPS:
        if found & among:
            return state
    return Lamp.FREE


_LAMPS = (
    (Lamp.OFFLINE, {Why.OFFLINE, Why.UNREACHABLE}),
    (Lamp.OFFERED, {Why.OFFERED}),
    (Lamp.AWAY, {Why.PAUSED, Why.WRAPUP, Why.DND}),
    (Lamp.TALKING, {Why.LIMIT, Why.DEVICE, Why.CALENDAR, Why.STALE, Why.SHIFT}),
)
