"""One handoff beside what Asterisk really has: the same look serves a restart, a reconnect and a routine
check."""

from __future__ import annotations

from collections.abc import Collection

from asterisk_warm.core.handoff.commands import Command, RingAgent
from asterisk_warm.core.handoff.events import Reconciled
from asterisk_warm.core.handoff.ids import consult_id
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff, agent_name
from asterisk_warm.core.handoff.wanted import still_wanted
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports.calls import Found


def compare(
    handoff: Handoff, found: Found, at: float, *, after_outage: bool, pending: Collection[Command] = ()
) -> Reconciled:
    """The fact that the core is told. An agent whose ringing was ordered but not carried out yet counts
    as ringing."""
    bridge, consult = handoff.bridge, consult_id(handoff.id)
    lead = found.channels.get(handoff.lead.channel)
    legs = {
        offer.number: found.channels.get(handoff.channel_of(agent_name(offer.number)))
        for offer in handoff.offers
        if offer.leg_open
    }
    qualifier = None
    if handoff.qualifier is not None:
        qualifier = found.channels.get(handoff.channel_of(QUALIFIER))
    to_ring = {
        order.offer for order in pending if isinstance(order, RingAgent) and still_wanted(handoff, order)
    }
    return Reconciled(
        at=at,
        event_id=new_event_id(),
        after_outage=after_outage,
        lead_present=lead is not None,
        lead_in_stasis=lead is not None and lead.in_stasis,
        lead_in_bridge=lead is not None and lead.bridge == bridge,
        agents_up=tuple(n for n, leg in legs.items() if leg and leg.up),
        agents_ringing=tuple(
            n for n, leg in legs.items() if (leg and not leg.up) or (leg is None and n in to_ring)
        ),
        agents_joined=tuple(n for n, leg in legs.items() if leg and leg.bridge == bridge),
        agents_out_of_stasis=tuple(n for n, leg in legs.items() if leg and leg.up and not leg.in_stasis),
        agents_consulted=tuple(n for n, leg in legs.items() if leg and leg.bridge == consult),
        qualifier_present=qualifier is not None,
        qualifier_in_stasis=qualifier is not None and qualifier.in_stasis,
        qualifier_with_lead=qualifier is not None and qualifier.bridge == bridge,
        qualifier_with_agent=qualifier is not None and qualifier.bridge == consult,
    )
