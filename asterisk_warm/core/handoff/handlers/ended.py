"""After the end: nothing is decided any more, and nothing of ours may be left in Asterisk."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import CheckLegs, CloseBridge, Command, HangUpAgent, ReturnLead
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentJoined,
    BridgeClosed,
    DeadlinePassed,
    LeadHungUp,
    LeadLeft,
)
from asterisk_warm.core.handoff.handlers.offers import not_left
from asterisk_warm.core.handoff.model import Handoff, LeadIs
from asterisk_warm.core.handoff.moves import CHECK_SECONDS, SETTLE_SECONDS, close_bridge, hang_up
from asterisk_warm.core.handoff.step import Step


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    return close_bridge(handoff.evolve(lead_is=LeadIs.GONE))


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    if handoff.lead_is is LeadIs.GONE:
        return Step(handoff)
    return close_bridge(handoff.evolve(lead_is=LeadIs.LEFT))


def bridge_closed(handoff: Handoff, event: BridgeClosed) -> Step:
    return Step(handoff.evolve(bridge_open=False))


def agent_late(handoff: Handoff, event: AgentAnswered | AgentJoined) -> Step:
    """Picked up, or was joined, in the moment it ended: they must not stay alone."""
    offer = handoff.offer(event.offer)
    if offer is None or (isinstance(event, AgentAnswered) and offer.answered_at is not None):
        return Step(handoff)
    return not_left(handoff, offer, event.at)


def deadline_passed(handoff: Handoff, event: DeadlinePassed) -> Step:
    """Order again whatever has not been confirmed, ever more rarely but for as long as it takes: a lead who
    waits out an outage of Asterisk must still be sent on when it is over."""
    if handoff.settled or handoff.state_deadline is None or event.at < handoff.state_deadline:
        return _farewells_due(handoff, event)
    tries = handoff.settle_tries + 1
    wait = min(SETTLE_SECONDS * tries, CHECK_SECONDS)
    handoff = handoff.evolve(settle_tries=tries, state_deadline=event.at + wait)
    step = _farewells_due(handoff, event)
    return Step(step.handoff, (*step.commands, *_left_to_do(step.handoff), CheckLegs()))


def _farewells_due(handoff: Handoff, event: DeadlinePassed) -> Step:
    step = Step(handoff)
    for offer in handoff.offers:
        if offer.leg_open and offer.deadline is not None and event.at >= offer.deadline:
            step = step.then(hang_up, offer, event.at)
    return step


def _left_to_do(handoff: Handoff) -> tuple[Command, ...]:
    orders: list[Command] = [
        HangUpAgent(o.number) for o in handoff.offers if o.leg_open and o.deadline is None
    ]
    if handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE):
        orders.append(ReturnLead(wording.variables(handoff), handoff.return_to))
    elif handoff.bridge_open:
        orders.append(CloseBridge())
    return tuple(orders)
