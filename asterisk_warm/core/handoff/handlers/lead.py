"""The lead's own leg, as long as nobody is connected."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import HoldLead
from asterisk_warm.core.handoff.events import LeadHungUp, LeadLeft, PlaybackEnded
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Playing
from asterisk_warm.core.handoff.moves.ending import lead_gone
from asterisk_warm.core.handoff.moves.lead import resume_comfort
from asterisk_warm.core.handoff.step import Step

TAKEN_AWAY = "the lead was taken out of the handoff by something else in Asterisk"


def hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    return lead_gone(handoff, LeadIs.GONE, f"the lead hung up ({event.cause})", event.at)


def left(handoff: Handoff, event: LeadLeft) -> Step:
    return lead_gone(handoff, LeadIs.LEFT, TAKEN_AWAY, event.at)


def comfort_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    """Music again after the announcement that is playing; the end of an earlier one says nothing."""
    if event.what is not Playing.COMFORT or event.number != handoff.comforts or not handoff.comfort_playing:
        return Step(handoff)
    return Step(handoff, (HoldLead(handoff.policy.music),)).then(resume_comfort, event.at)
