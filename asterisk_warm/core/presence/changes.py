"""Whatever changes presence is a function from one to the next: what people declare, leases, and time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asterisk_warm.core.presence.model import DAEMON, By, Declared, Lease, Presence


def at(presence: Presence, now: float) -> Presence:
    """What it has become by time alone: pauses and leases end by themselves."""
    if presence.declared is Declared.PAUSED and presence.until is not None and presence.until <= now:
        presence = presence.evolve(**_ready(presence, presence.until))
    if presence.offer is not None and presence.offer.until <= now:
        presence = presence.evolve(offer=None)
    over = [lease.until for lease in presence.talks if lease.until <= now]
    if over:
        talks = tuple(lease for lease in presence.talks if lease.until > now)
        presence = presence.evolve(talks=talks, idle_since=max(presence.idle_since, *over))
    return presence


def _ready(presence: Presence, since: float) -> dict[str, Any]:
    return {
        "declared": Declared.READY,
        "reason": "",
        "until": None,
        "since": since,
        "missed": 0,
        "idle_since": max(since, presence.idle_since),
    }


# -- what people declare -----------------------------------------------------------------------------------


def declare(
    presence: Presence, declared: Declared, now: float, by: By, reason: str = "", until: float | None = None
) -> Presence:
    """Ready, paused (with a reason, and perhaps an end) or offline. Being ready does not end a wrap-up, and
    who says it again does not lose their turn. Only a pause ends by itself: `until` is of no meaning else; a
    pause that would be over already is none: they are ready."""
    presence = at(presence, now)
    over = until is not None and until <= now
    if declared is Declared.READY or (declared is Declared.PAUSED and over):
        if presence.declared is Declared.READY:
            return presence.evolve(missed=0)
        return presence.evolve(**_ready(presence, now), by=by)
    same = presence.declared is declared and presence.reason == reason
    since = min(presence.since, now) if same else now
    until = until if declared is Declared.PAUSED else None
    return presence.evolve(declared=declared, reason=reason, until=until, since=since, by=by)


def wrap_up(presence: Presence, until: float, now: float) -> Presence:
    """Begin, extend or (with an `until` that is past) end the wrap-up. Ending none changes nothing: they keep
    their turn."""
    presence = at(presence, now)
    if max(until, presence.wrapup_until) <= now:
        return presence
    end = max(until, now)
    return presence.evolve(wrapup_until=end, idle_since=end)


# -- leases --------------------------------------------------------------------------------------------------


def reserve(presence: Presence, lease: Lease, now: float) -> Presence:
    """Kept for an offer. Whether that may be is for `why_not` to say."""
    return at(presence, now).evolve(offer=lease, offered_at=now)


def renew(presence: Presence, lease: Lease, now: float) -> Presence:
    """Whatever of this handoff's leases there is holds until `lease.until`; what has ended stays ended."""
    presence = at(presence, now)
    offer = presence.offer
    if offer is not None and offer.handoff == lease.handoff:
        offer = lease
    talks = tuple(lease if talk.handoff == lease.handoff else talk for talk in presence.talks)
    return presence.evolve(offer=offer, talks=talks)


def talk(presence: Presence, lease: Lease, now: float) -> Presence:
    """The offer has become a talk with the lead."""
    presence = at(presence, now)
    others = tuple(talk for talk in presence.talks if talk.handoff != lease.handoff)
    offer = presence.offer
    if offer is not None and offer.handoff == lease.handoff:
        offer = None
    idle_since = max(presence.idle_since, now)
    return presence.evolve(offer=offer, talks=(*others, lease), missed=0, idle_since=idle_since)


class Ended(StrEnum):
    """How an agent's part in a handoff ended."""

    MISSED = "missed"
    """They let it ring out."""
    ANSWERED = "answered"
    """They declined, or accepted and did not get the lead."""
    WITHDRAWN = "withdrawn"
    """Through nothing they did."""
    TALKED = "talked"
    """They talked to the lead."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What follows from offers and talks."""

    wrapup_seconds: float = 0.0
    missed_offers: int = 0
    """How many offers in a row may ring out before the agent is paused; 0: any number."""


def release(presence: Presence, handoff: str, ended: Ended, rules: Rules, now: float) -> Presence:
    """The handoff needs this agent no more. A second time nothing follows from it: neither does a wrap-up
    begin anew, nor is a missed offer counted twice. Where the lease has ended meanwhile it counts all the
    same, until the next change takes that lease out of `presence`."""
    held = any(lease is not None and lease.handoff == handoff for lease in (presence.offer, *presence.talks))
    presence = at(presence, now)
    if not held:
        return presence
    offer = presence.offer
    if offer is not None and offer.handoff == handoff:
        offer = None
    talks = tuple(talk for talk in presence.talks if talk.handoff != handoff)
    presence = presence.evolve(offer=offer, talks=talks)
    if ended is Ended.TALKED:
        idle = max(now + rules.wrapup_seconds, presence.wrapup_until)
        return presence.evolve(missed=0, wrapup_until=idle, idle_since=idle)
    if ended is Ended.ANSWERED:
        return presence.evolve(missed=0)
    if ended is Ended.MISSED:
        return _missed_one(presence, rules, now)
    return presence


def _missed_one(presence: Presence, rules: Rules, now: float) -> Presence:
    missed = presence.missed + 1
    counted = presence.evolve(missed=missed)
    if not rules.missed_offers or missed < rules.missed_offers or presence.declared is not Declared.READY:
        return counted
    offers = "an offer" if missed == 1 else f"{missed} offers in a row"
    return declare(counted, Declared.PAUSED, now, DAEMON, f"let {offers} ring out")


def leases_of(presence: Presence, node: str) -> tuple[Lease, ...]:
    """Those that a daemon holds."""
    return tuple(
        lease for lease in (presence.offer, *presence.talks) if lease is not None and lease.node == node
    )
