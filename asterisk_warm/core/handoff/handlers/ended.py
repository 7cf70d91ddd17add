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
    CommandFailed,
    DeadlinePassed,
    HandedOn,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import offers
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Handoff,
    LeadIs,
    Playing,
    QualifierIs,
    agent_name,
)
from asterisk_warm.core.handoff.moves.ending import close_bridge, close_when_empty, pair_let_go
from asterisk_warm.core.handoff.moves.limits import CHECK_SECONDS, RETRY_SECONDS, SETTLE_SECONDS
from asterisk_warm.core.handoff.moves.offering import close_leg, hang_up
from asterisk_warm.core.handoff.moves.qualifier import release
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.handoff.step import Step


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    """Whoever was to be left in a talk with them goes too."""
    gone = handoff.evolve(lead_is=LeadIs.GONE)
    return partner_lost(gone, handoff, LEAD, event.at).then(close_when_empty)


def lead_came(handoff: Handoff, event: LeadSecured) -> Step:
    """The order that took them in hand, or over, ended after all else: they go on at once, and so does a
    qualifier who came with them."""
    came = handoff.evolve(bridge_open=True, state_deadline=event.at + SETTLE_SECONDS)
    too = handoff.qualifier_is is QualifierIs.LEFT
    if handoff.lead_is is LeadIs.GONE and too:
        return release(came.evolve(qualifier_is=QualifierIs.WITH_LEAD)).then(close_bridge)
    if handoff.lead_is is not LeadIs.LEFT:
        return Step(handoff)
    if handoff.let_go and too:
        came = came.evolve(lead_is=LeadIs.WITH_QUALIFIER, qualifier_is=QualifierIs.WITH_LEAD)
        return Step(came, (LetGo(LEAD, QUALIFIER, wording.variables(came)),))
    came = came.evolve(lead_is=LeadIs.HELD)
    return Step(came, (ReturnLead(wording.variables(came), came.return_to),))


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    if handoff.lead_is is LeadIs.GONE:
        return Step(handoff)
    return one_left(handoff.evolve(lead_is=LeadIs.LEFT), handoff, event.at)


def one_left(handoff: Handoff, before: Handoff, at: float) -> Step:
    """If they were let go, their partner is seen leaving in the same moment; if somebody took them away, the
    partner must not stay alone for long."""
    if pair_let_go(before) is not None and pair_let_go(handoff) is None:
        handoff = handoff.evolve(state_deadline=at + RETRY_SECONDS)
    return close_when_empty(handoff)


def partner_lost(handoff: Handoff, before: Handoff, leg: str, at: float) -> Step:
    """One of two who were to be left in a talk is gone before they were let go: the other one must not stay
    alone. `before`: as it was when the leg was there."""
    pair = pair_let_go(before)
    if pair is None or leg not in pair:
        return Step(handoff)
    other = pair[1] if leg == pair[0] else pair[0]
    alone = handoff.evolve(let_go=False)
    if other == LEAD:
        alone = alone.evolve(lead_is=LeadIs.HELD)
        return Step(alone, (ReturnLead(wording.variables(alone), alone.return_to),))
    if other == QUALIFIER:
        return release(alone)
    offer = next(offer for offer in alone.offers if agent_name(offer.number) == other)
    return hang_up(alone, offer, at)


def agent_hung_up(handoff: Handoff, event: AgentHungUp) -> Step:
    step = offers.agent_gone(handoff, event)
    step = step.then(partner_lost, handoff, agent_name(event.offer), event.at)
    return step.then(close_when_empty) if handoff.let_go else step


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    return offers.agent_left(handoff, event).then(one_left, handoff, event.at)


def handed_on(handoff: Handoff, event: HandedOn) -> Step:
    """Whoever is another handoff's is not touched any more."""
    if event.leg == LEAD:
        gone = handoff.lead_is is LeadIs.GONE
        return Step(handoff if gone else handoff.evolve(lead_is=LeadIs.LEFT))
    if event.leg == QUALIFIER:
        gone = handoff.qualifier_is is QualifierIs.GONE
        return Step(handoff if gone else handoff.evolve(qualifier_is=QualifierIs.LEFT))
    offer = next((o for o in handoff.offers if agent_name(o.number) == event.leg), None)
    return Step(handoff if offer is None else close_leg(handoff, offer))


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


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    """Of two who could not be left in a talk, because one was taken away, the other goes on at once."""
    if event.command == "LetGo" and pair_let_go(handoff) is None:
        return _left_to_do(handoff)
    return offers.command_failed(handoff, event)


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
        orders.append(CloseBridge(handoff.asks))
    if handoff.qualifier_is is QualifierIs.LEAVING:
        orders.append(ReleaseQualifier())
    return Step(handoff, tuple(orders)).then(release)
