"""One handoff in words, told from its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from asterisk_warm.core.handoff.commands import (
    Command,
    JoinAgent,
    LetGo,
    PlayComfort,
    PlayToAgent,
    ReturnLead,
)
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    AgentRinging,
    AgentsFound,
    CancelRequested,
    CommandFailed,
    DigitPressed,
    Event,
    HandoffRequested,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
    Reconciled,
    SpeechReady,
)
from asterisk_warm.core.handoff.model import Handoff, Playing
from asterisk_warm.core.handoff.states import OfferState, State

LEAD = "lead"
HANDOFF = "handoff"


class Told(NamedTuple):
    at: float
    who: str
    """`lead`, `handoff`, or an agent's name."""
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


def _requested(event: HandoffRequested, _: Handoff) -> list[Line]:
    who = event.lead.name or event.lead.number or "unknown"
    why = f": {event.lead.summary}" if event.lead.summary else ""
    return [
        (LEAD, f"{who} ({event.lead.number or 'no number'}) is to be handed to {event.team_name}{why}"),
        (HANDOFF, f"requested by {event.requested_by}, mode {event.policy.mode}"),
    ]


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
    LeadSecured: lambda _e, _h: [(LEAD, "is held and hears music")],
    LeadHungUp: lambda e, _h: [(LEAD, f"hung up ({e.cause})")],
    LeadLeft: lambda _e, h: [(LEAD, "is talking without us now" if h.let_go else "has left the handoff")],
    AgentsFound: _found,
    SpeechReady: _speech,
    AgentRinging: lambda e, h: [(_agent(h, e.offer), "rings")],
    AgentAnswered: lambda e, h: [(_agent(h, e.offer), "answered")],
    AgentHungUp: lambda e, h: [(_agent(h, e.offer), f"is off the line ({e.cause})")],
    AgentLeft: lambda e, h: [] if h.let_go else [(_agent(h, e.offer), "was moved to another call")],
    AgentJoined: lambda e, h: [(_agent(h, e.offer), "is joined to the lead")],
    DigitPressed: _digit,
    PlaybackEnded: _playback,
    CommandFailed: _failed,
    CancelRequested: lambda e, _h: [(HANDOFF, f"cancelled by {e.by}")],
    Reconciled: _reconciled,
}


def _decided(chapter: Chapter) -> list[Line]:
    lines = [line for command in chapter.commands if (line := _order(command, chapter.after))]
    before = chapter.before.state if chapter.before else None
    if chapter.after.state is not before and chapter.after.state is not State.REQUESTED:
        lines.append((HANDOFF, _state(chapter.after)))
    return lines


def _order(command: Command, handoff: Handoff) -> Line | None:
    match command:
        case PlayToAgent(what=Playing.BRIEFING):
            return _agent(handoff, command.offer), "hears the briefing"
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


def _state(handoff: Handoff) -> str:
    if handoff.state.final:
        return f"{handoff.state} ({handoff.status}): {handoff.reason}"
    if handoff.state is State.CONNECTED and handoff.gap_ms is not None:
        return f"{handoff.state}, handoff gap {handoff.gap_ms / 1000:.1f} s"
    return handoff.state.value
