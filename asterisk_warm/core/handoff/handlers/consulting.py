"""Qualifier and agent in private, the lead on hold; or swapped."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentLeft,
    CommandFailed,
    ConsultStarted,
    DeadlinePassed,
)
from asterisk_warm.core.handoff.handlers import deadlines, offers
from asterisk_warm.core.handoff.model import Handoff, Offer, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import give_back
from asterisk_warm.core.handoff.moves.offering import close_leg
from asterisk_warm.core.handoff.moves.qualifier import show_parties
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def started(handoff: Handoff, event: ConsultStarted) -> Step:
    winner = handoff.winner
    private = handoff.qualifier_is is QualifierIs.WITH_AGENT
    if winner is None or winner.number != event.offer or not private or handoff.consulted:
        return Step(handoff)
    return show_parties(handoff.evolve(consulted=True, state_deadline=None), winner)


def agent_gone(handoff: Handoff, event: AgentHungUp) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer or not winner.leg_open:
        return offers.agent_gone(handoff, event)
    return _winner_lost(handoff, winner, event.cause, event.at)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer or not winner.leg_open:
        return offers.agent_left(handoff, event)
    return _winner_lost(handoff, winner, "moved to another call", event.at)


def _winner_lost(handoff: Handoff, winner: Offer, cause: str, at: float) -> Step:
    without = close_leg(handoff, winner.evolve(state=OfferState.GONE, cause=cause))
    reason = f"{winner.agent.name} hung up ({cause})"
    return give_back(without, State.RETURNED, Status.TIMEOUT, reason, at)


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    private = event.command == "StartConsult" and handoff.qualifier_is is QualifierIs.WITH_AGENT
    swapped = event.command == "JoinQualifier" and handoff.qualifier_is is QualifierIs.WITH_LEAD
    if private or swapped:
        return _failed(handoff, event.error, event.at)
    return deadlines.music_failed(handoff, event)


def _failed(handoff: Handoff, error: str, at: float) -> Step:
    reason = f"qualifier and agent could not be brought together: {error}"
    return give_back(handoff, State.RETURNED, Status.ERROR, reason, at)


def deadline_passed(handoff: Handoff, event: DeadlinePassed) -> Step:
    if event.at >= handoff.hold_until:
        reason = f"the hold budget of {handoff.policy.hold_seconds:g} s was used up during the consult"
        return give_back(handoff, State.RETURNED, Status.TIMEOUT, reason, event.at)
    if handoff.state_deadline is not None and event.at >= handoff.state_deadline:
        return _failed(handoff, "it took too long", event.at)
    step = deadlines.offers_due(handoff, event).then(deadlines.warning_due, event.at)
    return step.then(deadlines.comfort_due, event.at)
