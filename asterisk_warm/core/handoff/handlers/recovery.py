"""What was missed: the handoff compared with what Asterisk really has, after an outage or in a routine check.

The difference is turned into the same moves that the missed events would have made."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    CloseBridge,
    Command,
    FindAgents,
    HangUpAgent,
    HoldLead,
    JoinAgent,
    LetGo,
    PlayComfort,
    PlayToAgent,
    PrepareSpeech,
    ReturnLead,
    RingAgent,
    SecureLead,
)
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    LeadHungUp,
    LeadLeft,
    Reconciled,
)
from asterisk_warm.core.handoff.handlers import ended, joining, lead, offers, talking
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer, Outcome, Playing
from asterisk_warm.core.handoff.moves import (
    JOIN_SECONDS,
    SECURE_SECONDS,
    answered,
    brief,
    close_bridge,
    hang_up,
    resume_comfort,
)
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

MISSED = "found gone when Asterisk was read"


def requested(handoff: Handoff, event: Reconciled) -> Step:
    """The order to take the lead in hand tells by itself when they are gone; a reading that began before they
    came does not. After an outage it is given anew, with its full time."""
    step = _hold_again(handoff, event)
    if not step.commands:
        return step
    return Step(step.handoff.evolve(state_deadline=event.at + SECURE_SECONDS), step.commands)


def held(handoff: Handoff, event: Reconciled) -> Step:
    """SEEKING, OFFERING: the lead first, then each agent."""
    if not event.lead_present:
        return lead.hung_up(handoff, _lead_hung_up(event))
    if not event.lead_in_stasis:
        return lead.left(handoff, _lead_left(event))
    return _hold_again(handoff, event).then(_agents, event)


def introducing(handoff: Handoff, event: Reconciled) -> Step:
    winner = handoff.winner
    if not event.lead_present or winner is None:
        return lead.hung_up(handoff, _lead_hung_up(event))
    if not event.lead_in_stasis:
        return lead.left(handoff, _lead_left(event))
    if winner.number in event.agents_joined:
        # The introduction's end may have been missed: a talk that has begun is not interrupted for it.
        introduced = handoff.evolve(introduced=handoff.introduced or event.after_outage)
        joined = AgentJoined(at=event.at, event_id=event.event_id, offer=winner.number)
        return joining.agent_joined(introduced, joined).then(_agents, event)
    if winner.number not in event.agents_up:
        step = joining.agent_gone(handoff, _agent_hung_up(winner, event))
        return _hold_again(step.handoff, event, step.commands).then(_agents, event)
    if winner.number in event.agents_out_of_stasis:
        step = joining.agent_left(handoff, _agent_left(winner, event))
        return _hold_again(step.handoff, event, step.commands).then(_agents, event)
    if not event.after_outage:
        return Step(handoff)
    again = JoinAgent(winner.number, (), handoff.introductions, winner.briefing_number, None)
    held_on, orders = _hold_again(handoff, event)
    joining_anew = held_on.evolve(introduced=True, state_deadline=event.at + JOIN_SECONDS)
    return Step(joining_anew, (*orders, again)).then(_agents, event)


def talking_still(handoff: Handoff, event: Reconciled) -> Step:
    """CONNECTED: they talk when both are in our application, or both out of it; else one of them is alone."""
    winner = handoff.winner
    if not event.lead_present or winner is None:
        return talking.lead_hung_up(handoff, _lead_hung_up(event))
    lead_out = not event.lead_in_stasis
    if winner.number not in event.agents_up:
        gone = _agent_hung_up(winner, event)
        return talking.agent_hung_up(handoff.evolve(lead_out=lead_out), gone).then(_agents, event)
    if (winner.number in event.agents_out_of_stasis) is lead_out:
        return _talk_on(handoff, winner, lead_out, event).then(_agents, event)
    alone = handoff.evolve(let_go=False)
    if lead_out:
        return talking.lead_left(alone, _lead_left(event)).then(_agents, event)
    return talking.agent_left(alone, _agent_left(winner, event)).then(_agents, event)


def _talk_on(handoff: Handoff, winner: Offer, lead_out: bool, event: Reconciled) -> Step:
    if lead_out:
        return close_bridge(handoff.evolve(let_go=True, lead_out=True))
    together = winner.number in event.agents_joined and event.lead_in_bridge
    if together and not handoff.let_go:
        return Step(handoff)
    order = LetGo(winner.number, wording.variables(handoff))
    return Step(handoff.evolve(let_go=True), (order,))


def after_the_end(handoff: Handoff, event: Reconciled) -> Step:
    step = Step(handoff)
    if not event.lead_present:
        step = step.then(ended.lead_hung_up, _lead_hung_up(event))
    elif not event.lead_in_stasis:
        step = step.then(ended.lead_left, _lead_left(event))
    # That no bridge was found closes nothing: an order to make it may still be under way, and closing it is
    # ordered after that one.
    return step.then(_agents, event)


def _hold_again(handoff: Handoff, event: Reconciled, before: tuple[Command, ...] = ()) -> Step:
    """Music may have stopped, and the end of an announcement been missed."""
    if not event.after_outage:
        return Step(handoff, before)
    order: Command = HoldLead(handoff.policy.music)
    if not event.lead_in_bridge or handoff.state is State.REQUESTED:
        order = SecureLead(handoff.policy.music, wording.early_variables(handoff))
    if handoff.lead_is is not LeadIs.HELD or handoff.state.final:
        return Step(handoff, before)
    step = Step(handoff, (*before, order))
    if handoff.state in (State.SEEKING, State.OFFERING):
        return step.then(resume_comfort, event.at)
    return step


def _agents(handoff: Handoff, event: Reconciled) -> Step:
    step = Step(handoff)
    for offer in handoff.offers:
        # An offer that is younger than the reading (made by this very comparison) cannot be in it.
        current = step.handoff.offer(offer.number)
        if current is not None and current.leg_open and current.rung_at < event.at:
            step = step.then(_agent, current, event)
    return step


def _agent(handoff: Handoff, offer: Offer, event: Reconciled) -> Step:
    if offer.number in event.agents_out_of_stasis and not (
        offer.state is OfferState.ACCEPTED and handoff.let_go
    ):
        return offers.agent_left(handoff, _agent_left(offer, event))
    if offer.number in event.agents_up:
        return _agent_is_up(handoff, offer, event)
    if offer.number in event.agents_ringing:
        return Step(handoff) if offer.state.open else hang_up(handoff, offer, event.at)
    return offers.agent_gone(handoff, _agent_hung_up(offer, event))


def _agent_is_up(handoff: Handoff, offer: Offer, event: Reconciled) -> Step:
    if offer.state is OfferState.RINGING:
        return answered(handoff, offer, event.at)
    if offer.state is OfferState.BRIEFING and event.after_outage:
        # A key pressed meanwhile is lost for good: the agent hears the briefing again, with the full time to
        # decide.
        again = offer.evolve(deadline=event.at + handoff.policy.decision_seconds)
        return brief(handoff.with_offer(again), again)
    if offer.state is OfferState.ACCEPTED:
        return Step(handoff)
    return hang_up(handoff, offer, event.at) if event.after_outage and not offer.state.open else Step(handoff)


def _lead_hung_up(event: Reconciled) -> LeadHungUp:
    return LeadHungUp(at=event.at, event_id=event.event_id, cause=MISSED)


def _lead_left(event: Reconciled) -> LeadLeft:
    return LeadLeft(at=event.at, event_id=event.event_id)


def _agent_hung_up(offer: Offer, event: Reconciled) -> AgentHungUp:
    outcome = Outcome.HUNG_UP if offer.answered_at is not None else Outcome.NO_ANSWER
    return AgentHungUp(
        at=event.at, event_id=event.event_id, offer=offer.number, outcome=outcome, cause=MISSED
    )


def _agent_left(offer: Offer, event: Reconciled) -> AgentLeft:
    return AgentLeft(at=event.at, event_id=event.event_id, offer=offer.number)


def still_wanted(handoff: Handoff, command: Command) -> bool:
    """Whether an order that has not been carried out yet still makes sense: asked before each, because
    the handoff may have moved on while it waited (for another order to the same leg, for Asterisk to come
    back, or for the daemon to be restarted)."""
    offer = handoff.offer(command.offer) if isinstance(command, _ABOUT_AN_OFFER) else None
    match command:
        case RingAgent():
            # Who has rung was rung: not again after a restart, when meanwhile they may have refused.
            return offer is not None and offer.state is OfferState.RINGING and offer.ringing_at is None
        case PlayToAgent(what=Playing.BRIEFING):
            return (
                offer is not None
                and offer.state is OfferState.BRIEFING
                and offer.briefing_number == command.number
            )
        case PlayToAgent() | HangUpAgent():
            return offer is not None and offer.leg_open
        case JoinAgent():
            return (
                offer is not None
                and offer.state is OfferState.ACCEPTED
                and handoff.state is State.INTRODUCING
            )
        case LetGo():
            return handoff.state is State.CONNECTED and handoff.let_go
        case PlayComfort():
            return handoff.comfort_playing and handoff.comforts == command.number
        case HoldLead():
            return not handoff.state.final and handoff.lead_is is LeadIs.HELD and not handoff.comfort_playing
        case SecureLead() | FindAgents() | PrepareSpeech():
            return not handoff.state.final and handoff.lead_is is LeadIs.HELD
        case ReturnLead():
            return handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE)
        case CloseBridge():
            return handoff.bridge_open
        case _:
            return not handoff.settled


_ABOUT_AN_OFFER = (RingAgent, PlayToAgent, HangUpAgent, JoinAgent, LetGo)
