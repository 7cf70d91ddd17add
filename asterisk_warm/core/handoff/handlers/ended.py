"""After the end: nothing is decided any more, and nothing of ours may be left in Asterisk."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    CheckLegs,
    CloseBridge,
    Command,
    HangUpAgent,
    LetGo,
    ReleaseQualifier,
    ReturnLead,
)
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    BridgeClosed,
    DeadlinePassed,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import offers
from asterisk_warm.core.handoff.model import LEAD, Handoff, LeadIs, Playing, QualifierIs
from asterisk_warm.core.handoff.moves.ending import close_bridge, close_when_empty, pair_let_go
from asterisk_warm.core.handoff.moves.limits import CHECK_SECONDS, SETTLE_SECONDS
from asterisk_warm.core.handoff.moves.offering import hang_up
from asterisk_warm.core.handoff.moves.qualifier import release
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.handoff.step import Step


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    """Whoever was to be left in a talk with them goes too."""
    pair = pair_let_go(handoff)
    step = Step(handoff.evolve(lead_is=LeadIs.GONE))
    if pair is not None and pair[0] == LEAD:
        step = step.then(release)
        recalled = handoff.recalled
        if recalled is not None and recalled.leg_open:
            step = step.then(hang_up, recalled, event.at)
    return step.then(close_bridge)


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    if handoff.lead_is is LeadIs.GONE:
        return Step(handoff)
    return close_when_empty(handoff.evolve(lead_is=LeadIs.LEFT))


def lead_alone(handoff: Handoff) -> Step:
    """Who was to talk to the lead is gone before they were let go."""
    alone = handoff.evolve(lead_is=LeadIs.HELD, let_go=False)
    return Step(alone, (ReturnLead(wording.variables(alone), alone.return_to),))


def agent_hung_up(handoff: Handoff, event: AgentHungUp) -> Step:
    return _agent_gone(handoff, event, offers.agent_gone(handoff, event))


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    return offers.agent_left(handoff, event).then(close_when_empty)


def _agent_gone(handoff: Handoff, event: AgentHungUp, step: Step) -> Step:
    recalled = handoff.recalled
    was_with_lead = recalled is not None and recalled.number == event.offer and recalled.leg_open
    if was_with_lead and handoff.lead_is is LeadIs.WITH_QUALIFIER and pair_let_go(handoff) is not None:
        return step.then(lead_alone)
    return step.then(close_when_empty) if handoff.let_go else step


def bridge_closed(handoff: Handoff, event: BridgeClosed) -> Step:
    return Step(handoff.evolve(bridge_open=False))


def agent_late(handoff: Handoff, event: AgentAnswered | AgentJoined) -> Step:
    """Picked up, or was joined, in the moment it ended: they must not stay alone."""
    offer = handoff.offer(event.offer)
    if offer is None or (isinstance(event, AgentAnswered) and offer.answered_at is not None):
        return Step(handoff)
    if offer.state is OfferState.ACCEPTED and pair_let_go(handoff) is not None:
        return Step(handoff)
    return offers.not_left(handoff, offer, event.at)


def playback_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    """A qualifier who waited aside has been told, and goes on."""
    if event.what is Playing.ASIDE:
        aside = handoff.qualifier_is is QualifierIs.ASIDE and event.number == handoff.asides
        return release(handoff) if aside else Step(handoff)
    return offers.farewell_ended(handoff, event)


def deadline_passed(handoff: Handoff, event: DeadlinePassed) -> Step:
    """Order again whatever has not been confirmed, ever more rarely but for as long as it takes: a lead who
    waits out an outage of Asterisk must still be sent on when it is over."""
    if handoff.settled or handoff.state_deadline is None or event.at < handoff.state_deadline:
        return _farewells_due(handoff, event)
    tries = handoff.settle_tries + 1
    wait = min(SETTLE_SECONDS * tries, CHECK_SECONDS)
    handoff = handoff.evolve(settle_tries=tries, state_deadline=event.at + wait)
    step = _farewells_due(handoff, event).then(_left_to_do)
    return Step(step.handoff, (*step.commands, CheckLegs()))


def _farewells_due(handoff: Handoff, event: DeadlinePassed) -> Step:
    step = Step(handoff)
    for offer in handoff.offers:
        if offer.leg_open and offer.deadline is not None and event.at >= offer.deadline:
            step = step.then(hang_up, offer, event.at)
    return step


def _left_to_do(handoff: Handoff) -> Step:
    pair = pair_let_go(handoff)
    orders: list[Command] = [
        HangUpAgent(o.number)
        for o in handoff.offers
        if o.leg_open and o.deadline is None and not (pair and o.state is OfferState.ACCEPTED)
    ]
    if pair is not None:
        orders.append(LetGo(*pair, wording.variables(handoff) if pair[0] == LEAD else ()))
        return Step(handoff, tuple(orders))
    if handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE):
        orders.append(ReturnLead(wording.variables(handoff), handoff.return_to))
    elif handoff.bridge_open:
        orders.append(CloseBridge())
    if handoff.qualifier_is is QualifierIs.LEAVING:
        orders.append(ReleaseQualifier())
    return Step(handoff, tuple(orders)).then(release)
