"""From the accept to the end of the introduction."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    CommandFailed,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import offers
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer, Playing
from asterisk_warm.core.handoff.moves import close_leg, connect, dismiss, lose_winner
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.handoff.step import Step


def agent_joined(handoff: Handoff, event: AgentJoined) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer:
        return Step(handoff)
    return connect_when_introduced(handoff.evolve(lead_is=LeadIs.WITH_AGENT), event.at)


def playback_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    if event.what is Playing.INTRODUCTION and event.number == handoff.introductions:
        return connect_when_introduced(handoff.evolve(introduced=True), event.at)
    return offers.farewell_ended(handoff, event)


def connect_when_introduced(handoff: Handoff, at: float) -> Step:
    """Both facts are needed, in whichever order they come."""
    winner = handoff.winner
    if winner is None or not handoff.introduced or handoff.lead_is is not LeadIs.WITH_AGENT:
        return Step(handoff)
    return connect(handoff, winner, at)


def agent_gone(handoff: Handoff, event: AgentHungUp) -> Step:
    return _winner_lost(handoff, event, event.cause) or offers.agent_gone(handoff, event)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    return _winner_lost(handoff, event, "moved to another call") or offers.agent_left(handoff, event)


def _winner_lost(handoff: Handoff, event: AgentHungUp | AgentLeft, cause: str) -> Step | None:
    winner = handoff.winner
    if winner is None or winner.number != event.offer or not winner.leg_open:
        return None
    gone = winner.evolve(state=OfferState.GONE, cause=cause)
    return lose_winner(close_leg(handoff, gone), gone.evolve(leg_open=False, deadline=None), event.at)


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    winner = handoff.winner
    if event.command != "JoinAgent" or winner is None:
        return offers.command_failed(handoff, event)
    return give_up_join(handoff, winner, event.error, event.at)


def give_up_join(handoff: Handoff, winner: Offer, cause: str, at: float) -> Step:
    """The winner cannot be joined: dismiss that leg, keep the lead, ask the others again."""
    step = dismiss(handoff, winner, OfferState.FAILED, cause, None, at)
    dismissed = step.handoff.offer(winner.number) or winner
    return step.then(lose_winner, dismissed, at)
