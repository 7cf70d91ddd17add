"""Agents being rung and briefed."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentLeft,
    AgentRinging,
    CommandFailed,
    DigitPressed,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import lead, recall
from asterisk_warm.core.handoff.model import Handoff, Line, Offer, Outcome, Playing
from asterisk_warm.core.handoff.moves.ending import if_all_offers_ended
from asterisk_warm.core.handoff.moves.offering import (
    accept,
    answered,
    brief,
    close_leg,
    dismiss,
    hang_up,
)
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.handoff.step import Step

_UNANSWERED = {
    Outcome.NO_ANSWER: OfferState.NO_ANSWER,
    Outcome.BUSY: OfferState.BUSY,
    Outcome.DECLINED: OfferState.DECLINED,
    Outcome.UNREACHABLE: OfferState.UNREACHABLE,
    Outcome.FAILED: OfferState.FAILED,
    Outcome.HUNG_UP: OfferState.GONE,
}


def ringing(handoff: Handoff, event: AgentRinging) -> Step:
    offer = handoff.offer(event.offer)
    if offer is not None and not offer.leg_open:
        return not_left(handoff, offer, event.at)
    if offer is None or offer.ringing_at is not None or offer.state is not OfferState.RINGING:
        return Step(handoff)
    return Step(handoff.with_offer(offer.evolve(ringing_at=event.at)))


def agent_answered(handoff: Handoff, event: AgentAnswered) -> Step:
    offer = handoff.offer(event.offer)
    if offer is None or offer.answered_at is not None:
        return Step(handoff)
    if offer.state is OfferState.RINGING:
        return answered(handoff, offer, event.at)
    return not_left(handoff, offer, event.at)


def not_left(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Picked up in the moment they were withdrawn, or rung by an order that was overtaken: the hangup that
    may be under way is not left to chance, and nobody stays alone on a leg that was thought to be gone."""
    return hang_up(handoff, offer.evolve(leg_open=True), at)


def digit(handoff: Handoff, event: DigitPressed) -> Step:
    """A key counts as soon as the agent is on the line, during the briefing too."""
    offer = handoff.offer(event.offer)
    if offer is None or offer.state is not OfferState.BRIEFING:
        return Step(handoff)
    keys = handoff.policy.keys
    if event.digit == keys.accept:
        take = recall.accepted if offer.recall else accept
        return take(handoff, offer, event.at)
    if event.digit == keys.decline:
        declined = dismiss(handoff, offer, OfferState.DECLINED, "pressed decline", Line("declined"), event.at)
        return declined.then(if_all_offers_ended, event.at)
    if event.digit == keys.repeat:
        return brief(handoff, offer)
    return Step(handoff)


def agent_gone(handoff: Handoff, event: AgentHungUp) -> Step:
    offer = handoff.offer(event.offer)
    if offer is None or not offer.leg_open:
        return Step(handoff)
    return _leg_lost(handoff, offer, _UNANSWERED[event.outcome], event.cause, event.at)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    offer = handoff.offer(event.offer)
    if offer is None or not offer.leg_open:
        return Step(handoff)
    return _leg_lost(handoff, offer, OfferState.GONE, "moved to another call", event.at)


def _leg_lost(handoff: Handoff, offer: Offer, state: OfferState, cause: str, at: float) -> Step:
    """An agent leg's end touches that offer only, never the lead's leg."""
    if offer.state.open:
        outcome = OfferState.GONE if offer.state is OfferState.BRIEFING else state
        offer = offer.evolve(state=outcome, cause=cause, decided_at=at)
    return if_all_offers_ended(close_leg(handoff, offer), at)


def playback_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    if event.what is Playing.FAREWELL:
        return farewell_ended(handoff, event)
    return lead.comfort_ended(handoff, event)


def farewell_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    offer = handoff.offer(event.number) if event.what is Playing.FAREWELL else None
    if offer is None or not offer.leg_open:
        return Step(handoff)
    return hang_up(handoff, offer, event.at)


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    """The agent could not be rung, or not be talked to: that offer is over."""
    offer = None if event.offer is None else handoff.offer(event.offer)
    if offer is None or not offer.leg_open:
        return Step(handoff)
    if offer.state.open and event.command in ("RingAgent", "PlayToAgent"):
        failed = dismiss(handoff, offer, OfferState.FAILED, event.error, None, event.at)
        return failed.then(if_all_offers_ended, event.at)
    if event.command == "PlayToAgent":
        return hang_up(handoff, offer, event.at)
    return Step(handoff)
