"""Lead and agent talk."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import CheckLegs, ReturnLead
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentLeft,
    CommandFailed,
    DeadlinePassed,
    HandedOn,
    LeadHungUp,
    LeadLeft,
)
from asterisk_warm.core.handoff.handlers import deadlines, offers, recall
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer
from asterisk_warm.core.handoff.moves.ending import close_bridge, complete
from asterisk_warm.core.handoff.moves.limits import CHECK_SECONDS
from asterisk_warm.core.handoff.moves.offering import close_leg
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.handoff.step import Step


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    return complete(handoff, LeadIs.GONE, f"the lead hung up ({event.cause})", event.at)


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    """Expected after letting go; else somebody moved the lead, and the agent is alone."""
    if handoff.let_go:
        return Step(handoff.evolve(lead_out=True))
    return complete(handoff, LeadIs.LEFT, "the lead was moved to another call", event.at)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer:
        return offers.agent_left(_taken_back_no_more(handoff, event.offer), event)
    if handoff.let_go:
        # Only now is our bridge empty: closed any earlier, it would take the agent with it.
        return close_bridge(handoff)
    return _agent_ended(handoff, winner, "moved to another call", event.at)


def agent_hung_up(handoff: Handoff, event: AgentHungUp) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer or not winner.leg_open:
        return offers.agent_gone(_taken_back_no_more(handoff, event.offer), event)
    return _agent_ended(handoff, winner, event.cause, event.at)


def _taken_back_no_more(handoff: Handoff, number: int) -> Handoff:
    """The qualifier who was rung, and wanted the lead, is gone before they had them."""
    offer = handoff.offer(number)
    if offer is None or not offer.recall or offer.state is not OfferState.ACCEPTED:
        return handoff
    return handoff.with_offer(offer.evolve(state=OfferState.GONE))


def _agent_ended(handoff: Handoff, winner: Offer, cause: str, at: float) -> Step:
    """The lead goes on in the dialplan: by itself out of Asterisk's own bridge, by our order out of ours.
    That the pair was ordered to be let go does not mean that it was."""
    handoff = close_leg(handoff, winner)
    reason = f"{winner.agent.name} hung up ({cause})"
    if handoff.lead_out and not handoff.fetching:
        return complete(handoff, LeadIs.LEFT, reason, at)
    step = complete(handoff, LeadIs.HELD, reason, at)
    order = ReturnLead(wording.variables(step.handoff), step.handoff.return_to)
    return Step(step.handoff, (order, *step.commands))


def handed_on(handoff: Handoff, event: HandedOn) -> Step:
    """Both are another handoff's from here on: neither is touched."""
    winner = handoff.winner
    without = handoff if winner is None else close_leg(handoff, winner)
    return complete(without, LeadIs.LEFT, f"the lead is handed on in {event.to}", event.at)


def let_go_failed(handoff: Handoff, event: CommandFailed) -> Step:
    """Then they talk on in our bridge, which works as well as long as Asterisk lives; unless one of them had
    left, which was taken for the letting go."""
    if event.command == "LetGo":
        return Step(handoff.evolve(let_go=False, lead_out=False), (CheckLegs(),))
    if event.command == "TakeOver":
        return recall.fetching_failed(handoff, event.error, event.at).then(_check)
    return offers.command_failed(handoff, event)


def _check(handoff: Handoff) -> Step:
    return Step(handoff, (CheckLegs(),))


def deadline_passed(handoff: Handoff, event: DeadlinePassed) -> Step:
    step = deadlines.offers_due(handoff, event)
    if handoff.state_deadline is not None and event.at >= handoff.state_deadline:
        step = step.then(recall.fetching_failed, "fetching the lead took too long", event.at)
        checked = step.handoff.evolve(state_deadline=event.at + CHECK_SECONDS)
        return Step(checked, (*step.commands, CheckLegs()))
    return step
