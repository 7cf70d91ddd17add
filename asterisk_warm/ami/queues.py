"""What app_queue's events say: a member was paused in a queue, or is back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asterisk_warm.ami.manager import AmiManager


@dataclass(frozen=True, slots=True)
class Paused:
    """One for each queue that the member is in."""

    interface: str
    """The member's, as queues.conf or AddQueueMember() names it: `PJSIP/ana`."""
    paused: bool
    """False: they are back."""
    reason: str
    queue: str


def follow_pauses(ami: AmiManager, told: Callable[[Paused], None]) -> None:
    """Tell every pause and every return from now on; before `ami` runs."""

    def listener(event: Mapping[str, str]) -> None:
        change = paused(event)
        if change is not None:
            told(change)

    ami.listen("QueueMemberPause", listener)


def paused(event: Mapping[str, object]) -> Paused | None:
    """None for an event that does not say who, or whether."""
    # A field that is there twice is not text: it says nothing.
    interface, flag, reason, queue = (
        value if isinstance(value := event.get(name, ""), str) else ""
        for name in ("Interface", "Paused", "PausedReason", "Queue")
    )
    if not interface or flag not in ("0", "1"):
        return None
    return Paused(interface, flag == "1", reason, queue)
