"""From the accept to the end of the introduction, spoken or by the qualifier."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    CommandFailed,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.handlers import lead, offers, qualifier
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer, Playing, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import (
    connect,
    give_back,
    lead_gone_from_three,
    lose_winner,
    to_dialplan,
)
from asterisk_warm.core.handoff.moves.lead import end_gap
from asterisk_warm.core.handoff.moves.offering import close_leg, dismiss
from asterisk_warm.core.handoff.moves.qualifier import introduces, is_talk_of_three, show_parties
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def agent_joined(handoff: Handoff, event: AgentJoined) -> Step:
    winner = handoff.winner
    if winner is None or winner.number != event.offer:
        return Step(handoff)
    if introduces(handoff):
        return _three_together(handoff, winner, event.at)
    return connect_when_introduced(handoff.evolve(lead_is=LeadIs.WITH_AGENT), event.at)


def _three_together(handoff: Handoff, winner: Offer, at: float) -> Step:
    """The qualifier introduces them, and leaves when that is done."""
    if is_talk_of_three(handoff):
        return Step(handoff)
    three = end_gap(handoff, at).evolve(
        lead_is=LeadIs.WITH_AGENT, joined_at=at, state_deadline=at + handoff.policy.linger_seconds
    )
    return show_parties(three, winner)


def playback_ended(handoff: Handoff, event: PlaybackEnded) -> Step:
    if event.what is Playing.INTRODUCTION and event.number == handoff.introductions:
        return connect_when_introduced(handoff.evolve(introduced=True), event.at)
    return offers.farewell_ended(handoff, event)


def connect_when_introduced(handoff: Handoff, at: float) -> Step:
    """Both facts are needed, in whichever order they come."""
    winner = handoff.winner
    if winner is None or not handoff.introduced or handoff.lead_is is not LeadIs.WITH_AGENT:
        return Step(handoff)
    return Step(handoff) if is_talk_of_three(handoff) else connect(handoff, winner, at)


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    if not is_talk_of_three(handoff):
        return lead.hung_up(handoff, event)
    return lead_gone_from_three(handoff, LeadIs.GONE, f"the lead hung up ({event.cause})", event.at)


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    if not is_talk_of_three(handoff):
        return lead.left(handoff, event)
    return lead_gone_from_three(handoff, LeadIs.LEFT, lead.TAKEN_AWAY, event.at)


def agent_gone(handoff: Handoff, event: AgentHungUp) -> Step:
    return _winner_lost(handoff, event, event.cause) or offers.agent_gone(handoff, event)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    return _winner_lost(handoff, event, "moved to another call") or offers.agent_left(handoff, event)


def _winner_lost(handoff: Handoff, event: AgentHungUp | AgentLeft, cause: str) -> Step | None:
    winner = handoff.winner
    if winner is None or winner.number != event.offer or not winner.leg_open:
        return None
    gone = winner.evolve(state=OfferState.GONE, cause=cause, leg_open=False, deadline=None)
    without = close_leg(handoff, gone)
    if is_talk_of_three(handoff):
        # They had met: it is for the qualifier, who has the lead, to say how it goes on.
        reason = f"{winner.agent.name} hung up ({cause})"
        return give_back(without, State.RETURNED, Status.TIMEOUT, reason, event.at)
    return lose_winner(without, gone, event.at)


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    winner = handoff.winner
    if event.command == "TakeOver" and handoff.fetching:
        reason = f"the lead could not be fetched from the qualifier's phone: {event.error}"
        return to_dialplan(handoff, State.FAILED, Status.ERROR, reason, event.at)
    if event.command == "JoinQualifier" and handoff.qualifier_is is QualifierIs.WITH_LEAD:
        # Lead and agent do without them.
        return qualifier.leave_three(handoff, event.at)
    if event.command != "JoinAgent" or winner is None or winner.number != event.offer:
        return offers.command_failed(handoff, event)
    return give_up_join(handoff, winner, event.error, event.at)


def give_up_join(handoff: Handoff, winner: Offer, cause: str, at: float) -> Step:
    """The winner cannot be joined: dismiss that leg, keep the lead, ask the others again."""
    step = dismiss(handoff, winner, OfferState.FAILED, cause, None, at)
    dismissed = step.handoff.offer(winner.number) or winner
    return step.then(lose_winner, dismissed, at)
