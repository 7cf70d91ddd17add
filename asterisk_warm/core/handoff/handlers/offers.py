"""Agents being rung and briefed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentLeft,
    AgentRinging,
    CommandFailed,
    DigitPressed,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import asking, lead, recall
from asterisk_warm.core.handoff.model import Handoff, Line, Offer, Outcome, Playing
from asterisk_warm.core.handoff.moves.asking import ask
from asterisk_warm.core.handoff.moves.ending import if_all_offers_ended
from asterisk_warm.core.handoff.moves.offering import (
    accept,
    answered,
    brief_again,
    close_leg,
    decide_from,
    dismiss,
    hang_up,
    say_more,
)
from asterisk_warm.core.handoff.policy import Policy
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
    offer = offer.evolve(pressed=True)
    handoff = handoff.with_offer(offer)
    act = _meaning(handoff.policy, offer).get(event.digit)
    if act is None or (handoff.asks_back(offer.number) and act not in _DECISIONS):
        return Step(handoff)
    return act(handoff, offer, event.at)


def _meaning(policy: Policy, offer: Offer) -> Mapping[str, Callable[[Handoff, Offer, float], Step]]:
    keys = policy.keys
    decisions = {keys.repeat: _repeat, keys.decline: _decline, keys.accept: _accept}
    if offer.recall:
        return decisions
    questions = {keys.ask: ask} if policy.asks > 0 else {}
    return {keys.details: _details, **questions, **decisions}


def _accept(handoff: Handoff, offer: Offer, at: float) -> Step:
    return (recall.accepted if offer.recall else accept)(handoff, offer, at)


def _decline(handoff: Handoff, offer: Offer, at: float) -> Step:
    declined = dismiss(handoff, offer, OfferState.DECLINED, "pressed decline", Line("declined"), at)
    return declined.then(if_all_offers_ended, at)


def _repeat(handoff: Handoff, offer: Offer, at: float) -> Step:
    return brief_again(handoff, offer, at)


def _details(handoff: Handoff, offer: Offer, at: float) -> Step:
    return say_more(handoff, offer, (wording.details_line(handoff, offer.agent),), at)


_DECISIONS = (_accept, _decline)
"""What an agent can press while their own question is under way."""


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
    return _ENDED.get(event.what, lead.comfort_ended)(handoff, event)


def _heard_more(handoff: Handoff, event: PlaybackEnded) -> Step:
    """From here on they may think; but the first briefing is part of that time, which is measured from the
    answer."""
    offer = next((offer for offer in handoff.open_offers if offer.briefing_number == event.number), None)
    if offer is None or offer.briefings == 1 or offer.recall or handoff.asks_back(offer.number):
        return Step(handoff)
    return Step(handoff.with_offer(decide_from(handoff, offer, event.at)))


def farewell_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    offer = handoff.offer(event.number) if event.what is Playing.FAREWELL else None
    if offer is None or not offer.leg_open:
        return Step(handoff)
    return hang_up(handoff, offer, event.at)


_ENDED = {
    Playing.BRIEFING: _heard_more,
    Playing.FAREWELL: farewell_ended,
    Playing.QUESTION: asking.played,
    Playing.REPLY: asking.played,
}


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    """The agent could not be rung, or not be talked to: that offer is over."""
    offer = handoff.offer(event.offer)
    if offer is None or not offer.leg_open:
        return Step(handoff)
    if offer.state.open and event.command in ("RingAgent", "PlayToAgent"):
        failed = dismiss(handoff, offer, OfferState.FAILED, event.error, None, event.at)
        return failed.then(if_all_offers_ended, event.at)
    if event.command == "PlayToAgent":
        return hang_up(handoff, offer, event.at)
    return Step(handoff)
