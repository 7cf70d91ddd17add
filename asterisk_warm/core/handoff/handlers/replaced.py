"""Another channel in the place of a leg's: the handoff goes on with it."""

from __future__ import annotations

from dataclasses import replace

from asterisk_warm.core.handoff.events import ChannelReplaced
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Handoff, agent_name
from asterisk_warm.core.handoff.step import Step


def channel(handoff: Handoff, event: ChannelReplaced) -> Step:
    if event.leg == LEAD:
        return Step(handoff.evolve(lead=replace(handoff.lead, channel=event.channel)))
    if event.leg == QUALIFIER and handoff.qualifier is not None:
        return Step(handoff.evolve(qualifier=replace(handoff.qualifier, channel=event.channel)))
    for offer in handoff.offers:
        if agent_name(offer.number) == event.leg:
            return Step(handoff.with_offer(offer.evolve(channel=event.channel)))
    return Step(handoff)
