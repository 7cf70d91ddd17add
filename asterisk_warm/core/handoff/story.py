"""One handoff in words, told from its journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from asterisk_warm.core.handoff.commands import (
    Command,
    DropQuestion,
    HoldAgent,
    JoinAgent,
    JoinQualifier,
    LetGo,
    LookUpLead,
    PlayComfort,
    PlayToAgent,
    Progress,
    PutQuestion,
    RecordQuestion,
    RecordReply,
    ReleaseQualifier,
    ReturnLead,
    RingAgent,
    SetAside,
    TakeOver,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.happened import (
    HANDOFF,
    Line,
    agents_name,
    happened,
    legs_name,
    qualifiers_name,
)
from asterisk_warm.core.handoff.model import (
    LEAD,
    Handoff,
    LeadIs,
    Playing,
)
from asterisk_warm.core.handoff.model import Line as Words
from asterisk_warm.core.handoff.states import State


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
        facts = happened(chapter.event, chapter.before or chapter.after)
        told += [Told(at, who, text) for who, text in facts]
        told += [Told(at, who, text) for who, text in _decided(chapter)]
    return told


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
    told = _qualifiers_order(command, handoff) or _questions_order(command, handoff)
    if told is not None:
        return told
    match command:
        case RingAgent() if _is_recall(handoff, command.offer):
            return agents_name(handoff, command.offer), "is rung to have the lead back"
        case PlayToAgent(what=Playing.BRIEFING):
            return agents_name(handoff, command.offer), f"hears {_BRIEFED[command.media[0].prompt]}"
        case HoldAgent():
            return agents_name(handoff, command.offer), "waits and hears music"
        case PlayToAgent():
            offer = handoff.offer(command.offer)
            return agents_name(handoff, command.offer), f"is told goodbye ({offer.cause if offer else ''})"
        case PlayComfort():
            return LEAD, "hears a comfort announcement"
        case JoinAgent(introduction=()):
            return LEAD, "is being connected"
        case JoinAgent():
            return LEAD, f"hears that {agents_name(handoff, command.offer)} is coming"
        case LetGo():
            return HANDOFF, "the talk is handed to Asterisk alone"
        case LookUpLead():
            return LEAD, "is looked up elsewhere"
        case ReturnLead():
            return LEAD, "goes on in the dialplan"
        case _:
            return None


_BRIEFED = {
    "briefing": "the briefing",
    "recall": "who waits",
    "details": "the details",
    "no-details": "that there are no details",
    "instructions": "which keys to press",
    "ask-later": "that somebody else is asking",
    "no-more-questions": "that they cannot ask more",
    "no-reply": "that there is no reply",
}
"""By the first prompt."""


def _questions_order(command: Command, handoff: Handoff) -> Line | None:
    match command:
        case RecordQuestion():
            return agents_name(handoff, command.offer), f"asks {_asked(handoff)} something"
        case PutQuestion():
            return _who_is_asked(handoff, command.of_qualifier), "hears the question"
        case RecordReply():
            return _who_is_asked(handoff, command.of_qualifier), "is listened to"
        case PlayToAgent(what=Playing.REPLY):
            return agents_name(handoff, command.offer), "hears the reply"
        case DropQuestion():
            return agents_name(handoff, command.offer), "has no question under way any more"
        case _:
            return None


def _asked(handoff: Handoff) -> str:
    of_qualifier = handoff.asking is not None and handoff.asking.of_qualifier
    return qualifiers_name(handoff) if of_qualifier else "the lead"


def _who_is_asked(handoff: Handoff, of_qualifier: bool) -> str:
    return qualifiers_name(handoff) if of_qualifier else LEAD


def _qualifiers_order(command: Command, handoff: Handoff) -> Line | None:
    who = qualifiers_name(handoff)
    match command:
        case TakeOver(other=""):
            return LEAD, "is fetched out of the call in which they are on hold"
        case TakeOver():
            return LEAD, f"is taken over from the talk with {legs_name(handoff, command.other)}"
        case SetAside():
            return who, "waits and hears ringing"
        case JoinQualifier():
            return who, "is being joined to the lead"
        case TellQualifier():
            return who, "alone hears " + " ".join(_said(line) for line in command.media)
        case TellPhone():
            return who, f"sees on the phone that the transfer {_PROGRESS[command.progress]}"
        case ReleaseQualifier():
            return who, "leaves the call"
        case _:
            return None


def _said(line: Words) -> str:
    return f'"{line.text}"' if line.text else _PROMPTS.get(line.prompt, f"the prompt {line.prompt}")


_PROMPTS = {
    "beep": "a beep: the agent is coming in",
    "lead-left": "that the lead has left",
    "lead-waits": "that the lead is still waiting",
}
_PROGRESS = {
    Progress.TRYING: "is under way",
    Progress.ANSWERED: "has succeeded",
    Progress.DECLINED: "was declined",
    Progress.UNAVAILABLE: "has failed",
}


def _is_recall(handoff: Handoff, number: int) -> bool:
    offer = handoff.offer(number)
    return offer is not None and offer.recall


def _state(handoff: Handoff) -> str:
    if handoff.state.final:
        return f"{handoff.state} ({handoff.status}): {handoff.reason}"
    if handoff.state is State.CONNECTED and handoff.gap_ms is not None:
        return f"{handoff.state}, handoff gap {handoff.gap_ms / 1000:.1f} s"
    return handoff.state.value
