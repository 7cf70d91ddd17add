"""What was missed: the handoff compared with what Asterisk really has, after an outage or in a routine check.

The difference is turned into the same moves that the missed events would have made."""

from __future__ import annotations

from collections.abc import Callable

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    Command,
    HoldLead,
    JoinAgent,
    LetGo,
    ReleaseQualifier,
    SecureLead,
    TakeOver,
)
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    ConsultStarted,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    QualifierHungUp,
    QualifierJoined,
    QualifierLeft,
    Reconciled,
)
from asterisk_warm.core.handoff.handlers import (
    consulting as consult,
)
from asterisk_warm.core.handoff.handlers import (
    ended,
    joining,
    lead,
    offers,
    qualifier,
    recall,
    talking,
)
from asterisk_warm.core.handoff.handlers import (
    returning as going_back,
)
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Handoff,
    LeadIs,
    Offer,
    Outcome,
    QualifierIs,
    agent_name,
)
from asterisk_warm.core.handoff.moves.asking import drop
from asterisk_warm.core.handoff.moves.ending import close_bridge, if_all_offers_ended
from asterisk_warm.core.handoff.moves.lead import resume_comfort
from asterisk_warm.core.handoff.moves.limits import JOIN_SECONDS, SECURE_SECONDS
from asterisk_warm.core.handoff.moves.offering import answered, brief_again, decide_from, hang_up
from asterisk_warm.core.handoff.moves.qualifier import join_qualifier, set_aside, start_consult
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

MISSED = "found gone when Asterisk was read"


def requested(handoff: Handoff, event: Reconciled) -> Step:
    """The order to take the lead in hand tells by itself when they are gone; a reading that began before they
    came does not. After an outage it is given anew, with its full time."""
    if not event.after_outage:
        return Step(handoff)
    if handoff.qualifier_here and not event.qualifier_present:
        return qualifier.lost_while_seeking(handoff, _qualifier_hung_up(event))
    again: Command = TakeOver(QUALIFIER, wording.early_variables(handoff))
    if handoff.lead_is is LeadIs.HELD:
        again = SecureLead(handoff.policy.music, wording.early_variables(handoff))
    return Step(handoff.evolve(state_deadline=event.at + SECURE_SECONDS), (again,))


def held(handoff: Handoff, event: Reconciled) -> Step:
    """SEEKING, OFFERING: the lead first, then the qualifier, then each agent."""
    gone = _lead_lost(handoff, event)
    if gone is not None:
        return gone
    step = _forget_question(_seen(handoff, event), event).then(_hold_again, event)
    step = step.then(_qualifier, event, qualifier.lost_while_seeking)
    return step if step.handoff.state.final else step.then(_agents, event)


def _lead_lost(handoff: Handoff, event: Reconciled) -> Step | None:
    """What follows when the lead is not where they are thought to be; None when they are."""
    if not event.lead_present:
        return lead.hung_up(handoff, _lead_hung_up(event))
    if not event.lead_in_stasis and handoff.lead_is is not LeadIs.AT_PHONE and not handoff.fetching:
        return lead.left(handoff, _lead_left(event))
    return None


def _forget_question(handoff: Handoff, event: Reconciled) -> Step:
    """How far an agent's question has come is not known any more: the agent, briefed again, may ask anew."""
    return drop(handoff, event.at) if event.after_outage else Step(handoff)


def _seen(handoff: Handoff, event: Reconciled) -> Handoff:
    return handoff.evolve(fetching=False) if event.lead_in_stasis else handoff


def _qualifier(handoff: Handoff, event: Reconciled, lost: Callable[[Handoff, qualifier.Lost], Step]) -> Step:
    """Gone, taken away, or not where they are thought to be."""
    if handoff.qualifier_is is QualifierIs.LEAVING:
        if event.qualifier_present and event.qualifier_in_stasis:
            return Step(handoff, (ReleaseQualifier(),))
        return lost(handoff, _qualifier_left(event))
    if not handoff.qualifier_here:
        return Step(handoff)
    if not event.qualifier_present:
        return lost(handoff, _qualifier_hung_up(event))
    if not event.qualifier_in_stasis:
        return lost(handoff, _qualifier_left(event))
    if not event.after_outage:
        return Step(handoff)
    if handoff.qualifier_is is QualifierIs.WITH_LEAD and not event.qualifier_with_lead:
        deadline = handoff.state_deadline
        step = join_qualifier(handoff, event.at)
        limited = handoff.state in (State.RETURNING, State.CONSULTING)
        return step if limited else Step(step.handoff.evolve(state_deadline=deadline), step.commands)
    if handoff.qualifier_is is QualifierIs.ASIDE:
        return set_aside(handoff)
    return Step(handoff)


def consulting(handoff: Handoff, event: Reconciled) -> Step:
    """The lead first, then the qualifier (whose hanging up gives the lead to the agent), then the agent."""
    gone = _lead_lost(handoff, event)
    winner = handoff.winner
    if gone is not None or winner is None:
        return (gone or Step(handoff)).then(_whoever_is_left, event)
    step = _hold_again(_seen(handoff, event), event).then(_qualifier, event, qualifier.lost_while_consulting)
    if step.handoff.state is State.CONSULTING:
        step = step.then(_consulted, winner, event)
    elif step.handoff.state is State.INTRODUCING:
        step = step.then(_joining_lost, winner, event)
    return step.then(_agents, event)


def _consulted(handoff: Handoff, winner: Offer, event: Reconciled) -> Step:
    if not _is_there(winner, event):
        return consult.agent_gone(handoff, _agent_hung_up(winner, event))
    if winner.number in event.agents_out_of_stasis:
        return consult.agent_left(handoff, _agent_left(winner, event))
    return _in_private(handoff, winner, event)


def _joining_lost(handoff: Handoff, winner: Offer, event: Reconciled) -> Step:
    if not _is_there(winner, event):
        return joining.agent_gone(handoff, _agent_hung_up(winner, event))
    if winner.number in event.agents_out_of_stasis:
        return joining.agent_left(handoff, _agent_left(winner, event))
    return Step(handoff)


def _in_private(handoff: Handoff, winner: Offer, event: Reconciled) -> Step:
    if handoff.qualifier_is is not QualifierIs.WITH_AGENT:
        joined = QualifierJoined(at=event.at, event_id=event.event_id)
        return qualifier.joined(handoff, joined) if event.qualifier_with_lead else Step(handoff)
    if event.qualifier_with_agent and winner.number in event.agents_consulted:
        together = ConsultStarted(at=event.at, event_id=event.event_id, offer=winner.number)
        return consult.started(handoff, together)
    return start_consult(handoff, winner, event.at) if event.after_outage else Step(handoff)


def introducing(handoff: Handoff, event: Reconciled) -> Step:
    winner = handoff.winner
    if not event.lead_present or winner is None:
        return joining.lead_hung_up(handoff, _lead_hung_up(event)).then(_whoever_is_left, event)
    if not event.lead_in_stasis and not handoff.fetching:
        return joining.lead_left(handoff, _lead_left(event)).then(_whoever_is_left, event)
    step = _qualifier(_seen(handoff, event), event, qualifier.lost_while_introducing)
    if step.handoff.state is State.INTRODUCING:
        step = step.then(_introducing_agent, winner, event)
    elif not _is_there(winner, event):
        step = step.then(talking.agent_hung_up, _agent_hung_up(winner, event))
    return step.then(_agents, event)


def _introducing_agent(handoff: Handoff, winner: Offer, event: Reconciled) -> Step:
    if winner.number in event.agents_joined:
        # The introduction's end may have been missed: a talk that has begun is not interrupted for it.
        introduced = handoff.evolve(introduced=handoff.introduced or event.after_outage)
        joined = AgentJoined(at=event.at, event_id=event.event_id, offer=winner.number)
        return joining.agent_joined(introduced, joined)
    if not _is_there(winner, event) or winner.number in event.agents_out_of_stasis:
        return _joining_lost(handoff, winner, event).then(_hold_again, event)
    if not event.after_outage:
        return Step(handoff)
    again = JoinAgent(winner.number, (), handoff.introductions, winner.briefing_number, None)
    held_on, orders = _hold_again(handoff, event)
    joining_anew = held_on.evolve(introduced=True, state_deadline=event.at + JOIN_SECONDS)
    return Step(joining_anew, (*orders, again))


def returning(handoff: Handoff, event: Reconciled) -> Step:
    if not event.lead_present:
        return going_back.lead_hung_up(handoff, _lead_hung_up(event))
    if not event.lead_in_stasis and not handoff.fetching:
        return going_back.lead_left(handoff, _lead_left(event))
    step = _hold_again(_seen(handoff, event), event)
    if event.qualifier_with_lead and handoff.qualifier_is is QualifierIs.WITH_LEAD:
        joined = QualifierJoined(at=event.at, event_id=event.event_id)
        return step.then(qualifier.joined_again, joined).then(_agents, event)
    step = step.then(_qualifier, event, qualifier.lost_while_returning)
    if step.handoff.state is not State.RETURNING:
        return step
    return step.then(_recalled, event).then(_agents, event).then(if_all_offers_ended, event.at)


def _recalled(handoff: Handoff, event: Reconciled) -> Step:
    """The qualifier who was rung and accepted."""
    offer = handoff.recalled
    if offer is None or offer.state is not OfferState.ACCEPTED:
        return Step(handoff)
    if offer.number in event.agents_joined:
        joined = AgentJoined(at=event.at, event_id=event.event_id, offer=offer.number)
        return going_back.agent_joined(handoff, joined)
    if not _is_there(offer, event):
        return going_back.agent_gone(handoff, _agent_hung_up(offer, event))
    if offer.number in event.agents_out_of_stasis:
        return going_back.agent_left(handoff, _agent_left(offer, event))
    if not event.after_outage:
        return Step(handoff)
    again = JoinAgent(offer.number, (), handoff.introductions, offer.briefing_number, None)
    return Step(handoff.evolve(state_deadline=event.at + JOIN_SECONDS), (again,))


def talking_still(handoff: Handoff, event: Reconciled) -> Step:
    """CONNECTED: they talk when both are in our application, or both out of it; else one of them is alone."""
    winner = handoff.winner
    if not event.lead_present or winner is None:
        return talking.lead_hung_up(handoff, _lead_hung_up(event))
    lead_out = not event.lead_in_stasis
    if not _is_there(winner, event):
        gone = _agent_hung_up(winner, event)
        return talking.agent_hung_up(handoff.evolve(lead_out=lead_out), gone).then(_agents, event)
    if (winner.number in event.agents_out_of_stasis) is lead_out:
        step = _qualifier(handoff, event, qualifier.lost_while_connected).then(_agents, event)
        return step.then(_talk_on, winner, lead_out, event)
    alone = handoff.evolve(let_go=False)
    if lead_out:
        return talking.lead_left(alone, _lead_left(event)).then(_agents, event)
    return talking.agent_left(alone, _agent_left(winner, event)).then(_agents, event)


def _talk_on(handoff: Handoff, winner: Offer, lead_out: bool, event: Reconciled) -> Step:
    together = winner.number in event.agents_joined and event.lead_in_bridge
    recalled = handoff.recalled
    if handoff.fetching and recalled is not None and recalled.state is OfferState.ACCEPTED:
        return _fetch_again(handoff, winner, event, together=together)
    if lead_out:
        return close_bridge(handoff.evolve(let_go=True, lead_out=True))
    if together and not handoff.let_go:
        return Step(handoff)
    order = LetGo(LEAD, agent_name(winner.number), wording.variables(handoff))
    return Step(handoff.evolve(let_go=True), (order,))


def _fetch_again(handoff: Handoff, winner: Offer, event: Reconciled, *, together: bool) -> Step:
    """The qualifier waits to have the lead back."""
    if together:
        return recall.fetched(handoff, LeadSecured(at=event.at, event_id=event.event_id))
    if not event.after_outage:
        return Step(handoff)
    again = TakeOver(agent_name(winner.number), ())
    return Step(handoff.evolve(state_deadline=event.at + SECURE_SECONDS), (again,))


def after_the_end(handoff: Handoff, event: Reconciled) -> Step:
    step = Step(handoff)
    if not event.lead_present:
        step = step.then(ended.lead_hung_up, _lead_hung_up(event))
    elif not event.lead_in_stasis:
        step = step.then(ended.lead_left, _lead_left(event))
    # That no bridge was found closes nothing: an order to make it may still be under way, and closing it is
    # ordered after that one.
    return step.then(_qualifier_after_the_end, event).then(_agents, event)


def _whoever_is_left(handoff: Handoff, event: Reconciled) -> Step:
    """Without the lead: two who are left to each other may be one."""
    return _qualifier_after_the_end(handoff, event).then(_agents, event)


def _qualifier_after_the_end(handoff: Handoff, event: Reconciled) -> Step:
    if event.qualifier_present and event.qualifier_in_stasis:
        return Step(handoff)
    if not handoff.qualifier_here and handoff.qualifier_is is not QualifierIs.LEAVING:
        return Step(handoff)
    if event.qualifier_present:
        return qualifier.lost_after_the_end(handoff, _qualifier_left(event))
    return qualifier.lost_after_the_end(handoff, _qualifier_hung_up(event))


def _hold_again(handoff: Handoff, event: Reconciled) -> Step:
    """Music may have stopped, and the end of an announcement been missed."""
    if not event.after_outage or handoff.lead_is is not LeadIs.HELD or handoff.state.final:
        return Step(handoff)
    music = HoldLead(handoff.policy.music)
    orders: tuple[Command, ...] = (music,)
    if handoff.fetching and handoff.qualifier is not None and handoff.qualifier.held_channel:
        orders = (TakeOver("", ()), music)
    elif handoff.fetching or not event.lead_in_bridge:
        orders = (SecureLead(handoff.policy.music, wording.early_variables(handoff)),)
    step = Step(handoff, orders)
    if handoff.state in (State.SEEKING, State.OFFERING, State.CONSULTING, State.RETURNING):
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
    connected = handoff.state is State.CONNECTED
    if offer.number in event.agents_out_of_stasis:
        talks_or_ends = connected or (handoff.let_go and offer.deadline is not None)
        if offer is handoff.winner and talks_or_ends:
            return Step(handoff)
        left = talking.agent_left if connected else offers.agent_left
        return left(handoff, _agent_left(offer, event))
    if offer.number in event.agents_up:
        return _agent_is_up(handoff, offer, event)
    if offer.number in event.agents_ringing:
        stays = offer.state.open or offer.state is OfferState.ACCEPTED
        return Step(handoff) if stays else hang_up(handoff, offer, event.at)
    gone = talking.agent_hung_up if connected else offers.agent_gone
    if handoff.state.final:
        gone = ended.agent_hung_up
    return gone(handoff, _agent_hung_up(offer, event))


def _is_there(offer: Offer, event: Reconciled) -> bool:
    """A reading from before they picked up has them ringing."""
    return offer.number in event.agents_up or offer.number in event.agents_ringing


def _agent_is_up(handoff: Handoff, offer: Offer, event: Reconciled) -> Step:
    if offer.state is OfferState.RINGING:
        return answered(handoff, offer, event.at)
    if offer.state is OfferState.BRIEFING and event.after_outage:
        # A key pressed meanwhile is lost for good: the agent hears the briefing again, with the full time to
        # decide.
        return brief_again(handoff, decide_from(handoff, offer, event.at), event.at)
    if offer.state is OfferState.ACCEPTED:
        return Step(handoff)
    return hang_up(handoff, offer, event.at) if event.after_outage and not offer.state.open else Step(handoff)


def _lead_hung_up(event: Reconciled) -> LeadHungUp:
    return LeadHungUp(at=event.at, event_id=event.event_id, cause=MISSED)


def _qualifier_hung_up(event: Reconciled) -> QualifierHungUp:
    return QualifierHungUp(at=event.at, event_id=event.event_id, cause=MISSED)


def _qualifier_left(event: Reconciled) -> QualifierLeft:
    return QualifierLeft(at=event.at, event_id=event.event_id)


def _lead_left(event: Reconciled) -> LeadLeft:
    return LeadLeft(at=event.at, event_id=event.event_id)


def _agent_hung_up(offer: Offer, event: Reconciled) -> AgentHungUp:
    outcome = Outcome.HUNG_UP if offer.answered_at is not None else Outcome.NO_ANSWER
    return AgentHungUp(
        at=event.at, event_id=event.event_id, offer=offer.number, outcome=outcome, cause=MISSED
    )


def _agent_left(offer: Offer, event: Reconciled) -> AgentLeft:
    return AgentLeft(at=event.at, event_id=event.event_id, offer=offer.number)
