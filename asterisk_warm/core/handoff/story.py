"""One handoff in words, told from its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from asterisk_warm.core.handoff.commands import (
    Command,
    HoldAgent,
    JoinAgent,
    JoinQualifier,
    LetGo,
    PlayComfort,
    PlayToAgent,
    ReleaseQualifier,
    ReturnLead,
    RingAgent,
    SetAside,
    TakeOver,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    AgentRinging,
    AgentsFound,
    CancelRequested,
    ChannelReplaced,
    CommandFailed,
    ConsultStarted,
    DigitPressed,
    Event,
    HandedOn,
    HandoffRequested,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
    QualifierAsked,
    QualifierHungUp,
    QualifierJoined,
    QualifierLeft,
    QualifierPressed,
    Reconciled,
    SpeechReady,
)
from asterisk_warm.core.handoff.handlers.qualifier import keys_so_far, refusal
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Handoff,
    LeadIs,
    Playing,
    offer_of,
)
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State

HANDOFF = "handoff"


class Told(NamedTuple):
    at: float
    who: str
    """`lead`, `handoff`, or the name of an agent or of the qualifier."""
    text: str


class Chapter(NamedTuple):
    """One journal entry: the event, the handoff before (None at the beginning) and after it, and the
    orders given."""

    event: Event
    before: Handoff | None
    after: Handoff
    commands: tuple[Command, ...]


def tell(chapters: Iterable[Chapter]) -> list[Told]:
    """The story's lines, in order. Events that meant nothing to anyone are left out."""
    told: list[Told] = []
    for chapter in chapters:
        at = chapter.event.at
        told += [Told(at, who, text) for who, text in _happened(chapter)]
        told += [Told(at, who, text) for who, text in _decided(chapter)]
    return told


Line = tuple[str, str]


def _happened(chapter: Chapter) -> list[Line]:
    teller = _TELLERS.get(type(chapter.event))
    return teller(chapter.event, chapter.before or chapter.after) if teller else []


def _agent(handoff: Handoff, number: int) -> str:
    offer = handoff.offer(number)
    return offer.agent.name if offer else f"offer {number}"


def _qualifier(handoff: Handoff) -> str:
    who = handoff.qualifier
    return who.name if who is not None and who.name else "the qualifier"


def _leg(handoff: Handoff, leg: str) -> str:
    number = offer_of(leg)
    if number is not None:
        return _agent(handoff, number)
    return _qualifier(handoff) if leg == QUALIFIER else leg


def _requested(event: HandoffRequested, handoff: Handoff) -> list[Line]:
    who = event.lead.name or event.lead.number or "unknown"
    why = f": {event.lead.summary}" if event.lead.summary else ""
    lines = [
        (LEAD, f"{who} ({event.lead.number or 'no number'}) is to be handed to {event.team_name}{why}"),
        (HANDOFF, f"requested by {event.requested_by}, mode {event.policy.mode}"),
    ]
    if event.qualifier is None:
        return lines
    where = "has the lead on hold in another call" if event.qualifier.held_channel else "talks to the lead"
    return [*lines, (_qualifier(handoff), where)]


def _secured(_: LeadSecured, handoff: Handoff) -> list[Line]:
    if handoff.state is State.REQUESTED and handoff.lead_is is LeadIs.HELD:
        return [(LEAD, "is held and hears music")]
    came = handoff.state is State.REQUESTED or handoff.fetching
    return [(LEAD, "is with us")] if came else []


def _pressed(event: QualifierPressed, handoff: Handoff) -> list[Line]:
    keys = keys_so_far(handoff, event)
    action = handoff.policy.qualifier_keys.action(keys)
    if action is None:
        return []
    return [(_qualifier(handoff), f"pressed {keys} ({action}{_not_now(handoff, action, event.at)})")]


def _asked(event: QualifierAsked, handoff: Handoff) -> list[Line]:
    return [(HANDOFF, f"{event.action} asked for by {event.by}{_not_now(handoff, event.action, event.at)}")]


def _not_now(handoff: Handoff, action: Action, at: float) -> str:
    why = refusal(handoff, action, at)
    return f", but {why}" if why else ""


def _found(event: AgentsFound, handoff: Handoff) -> list[Line]:
    names = {agent.id: agent.name for agent in handoff.agents}
    free = ", ".join(names.get(agent, agent) for agent in event.free) or "nobody"
    lines = [(HANDOFF, f"free: {free}")]
    return lines + [(names.get(agent, agent), f"is not rung: {why}") for agent, why in event.not_free]


def _digit(event: DigitPressed, handoff: Handoff) -> list[Line]:
    keys = handoff.policy.keys
    meaning = {keys.accept: "accept", keys.decline: "decline", keys.repeat: "repeat"}.get(
        event.digit, "no meaning"
    )
    offer = handoff.offer(event.offer)
    late = "" if offer is not None and offer.state is OfferState.BRIEFING else ", too late"
    return [(_agent(handoff, event.offer), f"pressed {event.digit} ({meaning}{late})")]


def _playback(event: PlaybackEnded, handoff: Handoff) -> list[Line]:
    return [(HANDOFF, f"the {event.what} could not be played")] if event.failed else []


def _failed(event: CommandFailed, handoff: Handoff) -> list[Line]:
    who = HANDOFF if event.offer is None else _agent(handoff, event.offer)
    return [(who, f"{event.command} failed: {event.error}")]


def _speech(event: SpeechReady, _: Handoff) -> list[Line]:
    return (
        [(HANDOFF, f"briefing not spoken, prompts serve instead: {event.fallback}")] if event.fallback else []
    )


def _reconciled(event: Reconciled, _: Handoff) -> list[Line]:
    return [(HANDOFF, "compared with what Asterisk has, after an outage")] if event.after_outage else []


_TELLERS: dict[type[Event], Callable[[Any, Handoff], list[Line]]] = {
    HandoffRequested: _requested,
    LeadSecured: _secured,
    LeadHungUp: lambda e, _h: [(LEAD, f"hung up ({e.cause})")],
    LeadLeft: lambda _e, h: [(LEAD, "is talking without us now" if h.let_go else "has left the handoff")],
    AgentsFound: _found,
    SpeechReady: _speech,
    AgentRinging: lambda e, h: [(_agent(h, e.offer), "rings")],
    AgentAnswered: lambda e, h: [(_agent(h, e.offer), "answered")],
    AgentHungUp: lambda e, h: [(_agent(h, e.offer), f"is off the line ({e.cause})")],
    AgentLeft: lambda e, h: [] if h.let_go else [(_agent(h, e.offer), "was moved to another call")],
    AgentJoined: lambda e, h: [(_agent(h, e.offer), "is joined to the lead")],
    QualifierJoined: lambda _e, h: [(_qualifier(h), "is with the lead")] if h.lead_is is LeadIs.HELD else [],
    QualifierHungUp: lambda e, h: [(_qualifier(h), f"hung up ({e.cause})")],
    QualifierLeft: lambda _e, h: [(_qualifier(h), "has left the handoff")] if h.qualifier_here else [],
    QualifierPressed: _pressed,
    QualifierAsked: _asked,
    ConsultStarted: lambda e, h: [(_qualifier(h), f"talks to {_agent(h, e.offer)} alone")],
    ChannelReplaced: lambda e, h: [(_leg(h, e.leg), "goes on at another phone")],
    HandedOn: lambda e, h: [(_leg(h, e.leg), f"is handed on in {e.to}")],
    DigitPressed: _digit,
    PlaybackEnded: _playback,
    CommandFailed: _failed,
    CancelRequested: lambda e, _h: [(HANDOFF, f"cancelled by {e.by}")],
    Reconciled: _reconciled,
}


def _decided(chapter: Chapter) -> list[Line]:
    lines = [line for command in chapter.commands if (line := _order(command, chapter.after))]
    before = chapter.before.state if chapter.before else None
    if chapter.before is not None and _begins_to_wait(chapter.before, chapter.after):
        lines.insert(0, (LEAD, "is on hold"))
    if chapter.after.state is not before and chapter.after.state is not State.REQUESTED:
        lines.append((HANDOFF, _state(chapter.after)))
    return lines


def _begins_to_wait(before: Handoff, after: Handoff) -> bool:
    alone = before.lead_is is not LeadIs.HELD and after.lead_is is LeadIs.HELD
    return alone and not after.state.final


def _order(command: Command, handoff: Handoff) -> Line | None:
    told = _qualifiers_order(command, handoff)
    if told is not None:
        return told
    match command:
        case RingAgent() if _is_recall(handoff, command.offer):
            return _agent(handoff, command.offer), "is rung to have the lead back"
        case PlayToAgent(what=Playing.BRIEFING):
            recall = _is_recall(handoff, command.offer)
            return _agent(handoff, command.offer), "hears who waits" if recall else "hears the briefing"
        case HoldAgent():
            return _agent(handoff, command.offer), "waits and hears music"
        case PlayToAgent():
            offer = handoff.offer(command.offer)
            return _agent(handoff, command.offer), f"is told goodbye ({offer.cause if offer else ''})"
        case PlayComfort():
            return LEAD, "hears a comfort announcement"
        case JoinAgent(introduction=()):
            return LEAD, "is being connected"
        case JoinAgent():
            return LEAD, f"hears that {_agent(handoff, command.offer)} is coming"
        case LetGo():
            return HANDOFF, "the talk is handed to Asterisk alone"
        case ReturnLead():
            return LEAD, "goes on in the dialplan"
        case _:
            return None


def _qualifiers_order(command: Command, handoff: Handoff) -> Line | None:
    who = _qualifier(handoff)
    match command:
        case TakeOver(other=""):
            return LEAD, "is fetched out of the call in which they are on hold"
        case TakeOver():
            return LEAD, f"is taken over from the talk with {_leg(handoff, command.other)}"
        case SetAside():
            return who, "waits aside"
        case JoinQualifier():
            return who, "is being joined to the lead"
        case TellQualifier():
            return who, "alone is told: " + " ".join(line.text or line.prompt for line in command.media)
        case TellPhone():
            return who, f"has a phone that is told: {command.progress}"
        case ReleaseQualifier():
            return who, "goes on by themselves"
        case _:
            return None


def _is_recall(handoff: Handoff, number: int) -> bool:
    offer = handoff.offer(number)
    return offer is not None and offer.recall


def _state(handoff: Handoff) -> str:
    if handoff.state.final:
        return f"{handoff.state} ({handoff.status}): {handoff.reason}"
    if handoff.state is State.CONNECTED and handoff.gap_ms is not None:
        return f"{handoff.state}, handoff gap {handoff.gap_ms / 1000:.1f} s"
    return handoff.state.value
