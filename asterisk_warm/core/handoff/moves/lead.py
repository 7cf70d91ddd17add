"""Where the lead is: held, or with a human."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import HoldLead
from asterisk_warm.core.handoff.model import Handoff, LeadIs
from asterisk_warm.core.handoff.step import Step


def hold(handoff: Handoff, at: float) -> Step:
    """The lead loses the human they were with: music, a hold budget of its own, comfort."""
    held = alone(handoff, at).evolve(warned=False)
    return Step(held, (HoldLead(handoff.policy.music),)).then(resume_comfort, at)


def alone(handoff: Handoff, at: float) -> Handoff:
    """Nobody is with the lead for the moment in which somebody is on the way to them."""
    since = at if handoff.held_since is None else handoff.held_since
    until = at + handoff.policy.hold_seconds
    return handoff.evolve(lead_is=LeadIs.HELD, held_since=since, hold_until=until)


def resume_comfort(handoff: Handoff, at: float) -> Step:
    every = handoff.policy.comfort_seconds
    return Step(handoff.evolve(comfort_playing=False, comfort_at=at + every if every > 0 else None))


def end_gap(handoff: Handoff, at: float) -> Handoff:
    """A human is with the lead."""
    ended = handoff.evolve(comfort_at=None, comfort_playing=False)
    if handoff.held_since is None:
        return ended
    return ended.evolve(held_seconds=handoff.held_seconds + at - handoff.held_since, held_since=None)
