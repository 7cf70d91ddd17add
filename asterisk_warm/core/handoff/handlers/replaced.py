"""Another channel in the place of a leg's: the handoff goes on with it."""

from __future__ import annotations

from dataclasses import replace

from asterisk_warm.core.handoff.commands import HoldAgent, HoldLead, SetAside
from asterisk_warm.core.handoff.events import ChannelReplaced
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Handoff,
    LeadIs,
    Offer,
    QualifierIs,
    agent_name,
)
from asterisk_warm.core.handoff.moves.qualifier import is_swapped
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def channel(handoff: Handoff, event: ChannelReplaced) -> Step:
    lead, who = handoff.lead, handoff.qualifier
    if event.channel in (lead.channel, who.channel if who is not None else ""):
        return Step(handoff)  # Told twice.
    if event.leg == LEAD:
        # After the Stasis() of the new one there may be anything, or nothing.
        place = handoff.return_to or handoff.lost_to
        return _lead(handoff.evolve(lead=replace(lead, channel=event.channel), return_to=place))
    if event.leg == QUALIFIER and who is not None:
        return _qualifier(handoff.evolve(qualifier=replace(who, channel=event.channel)))
    for offer in handoff.offers:
        if agent_name(offer.number) == event.leg:
            return _agent(handoff, offer.evolve(channel=event.channel))
    return Step(handoff)


def _agent(handoff: Handoff, offer: Offer) -> Step:
    """Music was the old channel's."""
    waits = is_swapped(handoff) and offer.state is OfferState.ACCEPTED
    return Step(handoff.with_offer(offer), (HoldAgent(offer.number, handoff.policy.music),) if waits else ())


def _lead(handoff: Handoff) -> Step:
    waits = handoff.lead_is is LeadIs.HELD and not handoff.comfort_playing and not handoff.lead_asked
    held = waits and not handoff.state.final and handoff.state is not State.INTRODUCING
    return Step(handoff, (HoldLead(handoff.policy.music),) if held else ())


def _qualifier(handoff: Handoff) -> Step:
    """And so was the ringing that they hear aside."""
    return Step(handoff, (SetAside(),) if handoff.qualifier_is is QualifierIs.ASIDE else ())
