"""Presence: whether an agent can be offered a lead now, and if not, every reason why in words.

Declared state × device × do-not-disturb × calendar × shift × lease × wrap-up × handoffs at once: `model` has
what is kept and seen, `eligible` the answer, `changes` what becomes of it, `lamps` what phones show."""

from asterisk_warm.core.presence.changes import (
    Ended,
    Rules,
    at,
    declare,
    leases_of,
    release,
    renew,
    reserve,
    talk,
    wrap_up,
)
from asterisk_warm.core.presence.eligible import Reason, Why, free_from, hopeful, next_change, why_not
from asterisk_warm.core.presence.lamps import Lamp, lamp
from asterisk_warm.core.presence.model import (
    DAEMON,
    Busy,
    By,
    Calendar,
    Declared,
    Lease,
    Presence,
    Seen,
    Shift,
)

__all__ = [
    "DAEMON",
    "Busy",
    "By",
    "Calendar",
    "Declared",
    "Ended",
    "Lamp",
    "Lease",
    "Presence",
    "Reason",
    "Rules",
    "Seen",
    "Shift",
    "Why",
    "at",
    "declare",
    "free_from",
    "hopeful",
    "lamp",
    "leases_of",
    "next_change",
    "release",
    "renew",
    "reserve",
    "talk",
    "why_not",
    "wrap_up",
]
