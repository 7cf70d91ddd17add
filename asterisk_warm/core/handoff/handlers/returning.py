"""The lead is on the way back to the qualifier: joined to the one on the line, or offered to the one who is
rung."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    CommandFailed,
    DeadlinePassed,
    LeadHungUp,
    LeadLeft,
)
from asterisk_warm.core.handoff.handlers import deadlines, lead, offers
from asterisk_warm.core.handoff.model import Handoff, LeadIs, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import complete, recall_failed, recall_joined, to_dialplan
from asterisk_warm.core.handoff.moves.offering import close_leg
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def agent_joined(handoff: Handoff, event: AgentJoined) -> Step:
    recalled = handoff.recalled
    if recalled is not None and recalled.number == event.offer and recalled.state is OfferState.ACCEPTED:
        return recall_joined(handoff, recalled, event.at)
    offer = handoff.offer(event.offer)
    return Step(handoff) if offer is None or offer.state.open else offers.not_left(handoff, offer, event.at)


def agent_gone(handoff: Handoff, event: AgentHungUp) -> Step:
    return _recalled_lost(handoff, event, event.cause) or offers.agent_gone(handoff, event)


def agent_left(handoff: Handoff, event: AgentLeft) -> Step:
    return _recalled_lost(handoff, event, "moved to another call") or offers.agent_left(handoff, event)


def _recalled_lost(handoff: Handoff, event: AgentHungUp | AgentLeft, cause: str) -> Step | None:
    recalled = handoff.recalled
    if recalled is None or recalled.number != event.offer or recalled.state is not OfferState.ACCEPTED:
        return None
    gone = recalled.evolve(state=OfferState.GONE, cause=cause, leg_open=False)
    return recall_failed(close_leg(handoff, gone), gone, event.at)


def lead_hung_up(handoff: Handoff, event: LeadHungUp) -> Step:
    if handoff.joined_at is None:
        return lead.hung_up(handoff, event)
    return complete(handoff, LeadIs.GONE, f"the lead hung up ({event.cause})", event.at)


def lead_left(handoff: Handoff, event: LeadLeft) -> Step:
    if handoff.joined_at is None:
        return lead.left(handoff, event)
    return complete(handoff, LeadIs.LEFT, lead.TAKEN_AWAY, event.at)


def command_failed(handoff: Handoff, event: CommandFailed) -> Step:
    recalled = handoff.recalled
    if event.command == "JoinQualifier" and handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return _give_up(handoff, event.error, event.at)
    if event.command == "JoinAgent" and recalled is not None and recalled.number == event.offer:
        return _give_up(handoff, event.error, event.at)
    return deadlines.music_failed(handoff, event)


def deadline_passed(handoff: Handoff, event: DeadlinePassed) -> Step:
    if handoff.state_deadline is not None and event.at >= handoff.state_deadline:
        return _give_up(handoff, "it took too long", event.at)
    if event.at >= handoff.hold_until:
        return _give_up(handoff, "the hold budget was used up", event.at)
    return deadlines.offers_due_and_comfort(handoff, event)


def _give_up(handoff: Handoff, why: str, at: float) -> Step:
    reason = f"{handoff.reason}; the qualifier could not be joined ({why})"
    return to_dialplan(handoff, State.RETURNED, handoff.status or Status.TIMEOUT, reason, at)
