"""Whether an order still makes sense in the moment in which it would be carried out."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import (
    CloseBridge,
    Command,
    HangUpAgent,
    HoldAgent,
    HoldLead,
    JoinAgent,
    JoinQualifier,
    LetGo,
    LogQueue,
    LookUpLead,
    News,
    PlayComfort,
    PlayToAgent,
    PrepareSpeech,
    PutQuestion,
    RecordQuestion,
    RecordReply,
    ReleaseQualifier,
    ReturnLead,
    RingAgent,
    SecureLead,
    SetAside,
    ShowParty,
    StartConsult,
    TakeOver,
    Tell,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.handlers.seeking import look_up_limit
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Asked,
    Handoff,
    LeadIs,
    Playing,
    QualifierIs,
)
from asterisk_warm.core.handoff.moves.ending import pair_let_go
from asterisk_warm.core.handoff.moves.qualifier import is_swapped
from asterisk_warm.core.handoff.states import OfferState, State


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
        case PlayToAgent(what=Playing.REPLY):
            return _is_at(handoff, command.number, Asked.TELLING)
        case RecordQuestion():
            return _is_at(handoff, command.number, Asked.RECORDING)
        case PutQuestion():
            return _is_at(handoff, command.number, Asked.ASKING)
        case RecordReply():
            return _is_at(handoff, command.number, Asked.REPLYING)
        case Tell(news=News.MADE):
            return offer is not None and offer.state is OfferState.RINGING
        case PlayToAgent() | HangUpAgent():
            return offer is not None and offer.leg_open
        case JoinAgent():
            accepted = offer is not None and offer.state is OfferState.ACCEPTED
            return accepted and handoff.state in (State.INTRODUCING, State.RETURNING)
        case StartConsult():
            private = handoff.qualifier_is is QualifierIs.WITH_AGENT
            return private and handoff.state is State.CONSULTING and offer is handoff.winner
        case HoldAgent():
            return handoff.state is State.CONSULTING and is_swapped(handoff)
        case LetGo():
            pair = (command.first, command.second)
            connected = handoff.state is State.CONNECTED and command.first == LEAD
            return handoff.let_go and (connected or pair == pair_let_go(handoff))
        case TakeOver():
            here = not handoff.state.final and handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE)
            return here and (command.other != QUALIFIER or handoff.qualifier_here)
        case SetAside():
            return handoff.qualifier_is is QualifierIs.ASIDE
        case JoinQualifier():
            return handoff.qualifier_is is QualifierIs.WITH_LEAD and not handoff.state.final
        case ReleaseQualifier():
            return handoff.qualifier_is is QualifierIs.LEAVING
        case TellQualifier() | TellPhone():
            return handoff.qualifier_is is not QualifierIs.GONE
        case ShowParty():
            return not handoff.state.final and handoff.state is not State.CONNECTED
        case LogQueue() | Tell():
            return True
        case PlayComfort():
            return handoff.comfort_playing and handoff.comforts == command.number
        case HoldLead():
            hears = handoff.comfort_playing or handoff.lead_asked
            return not handoff.state.final and handoff.lead_is is LeadIs.HELD and not hears
        case SecureLead():
            return not handoff.state.final and handoff.lead_is is LeadIs.HELD
        case LookUpLead():
            return look_up_limit(handoff) is not None
        case PrepareSpeech():
            return handoff.state in (State.REQUESTED, State.SEEKING)
        case ReturnLead():
            return handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE)
        case CloseBridge():
            return handoff.bridge_open
        case _:
            return not handoff.settled


def _is_at(handoff: Handoff, number: int, step: Asked) -> bool:
    """Is that question under way, and has it come so far?"""
    asking = handoff.asking
    return asking is not None and asking.number == number and asking.step is step


_ABOUT_AN_OFFER = (RingAgent, PlayToAgent, HangUpAgent, JoinAgent, StartConsult, HoldAgent, Tell)
