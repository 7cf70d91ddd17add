"""What each event means in a handoff's story: (who, what) in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    LeadFound,
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
    Recorded,
    SpeechReady,
)
from asterisk_warm.core.handoff.handlers.qualifier import keys_so_far, refusal
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Asked, Handoff, LeadIs, Outcome, offer_of
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State

HANDOFF = "handoff"

Line = tuple[str, str]
"""(who, what): `lead`, `handoff`, or the name of an agent or of the qualifier."""


def happened(event: Event, handoff: Handoff) -> list[Line]:
    """`handoff`: as it was before (at the beginning: as it is)."""
    teller = _TELLERS.get(type(event))
    return teller(event, handoff) if teller else []


def agents_name(handoff: Handoff, number: int) -> str:
    offer = handoff.offer(number)
    return offer.agent.name if offer else f"offer {number}"


def qualifiers_name(handoff: Handoff) -> str:
    who = handoff.qualifier
    return who.name if who is not None and who.name else "the qualifier"


def legs_name(handoff: Handoff, leg: str) -> str:
    number = offer_of(leg)
    if number is not None:
        return agents_name(handoff, number)
    return qualifiers_name(handoff) if leg == QUALIFIER else leg


def _requested(event: HandoffRequested, handoff: Handoff) -> list[Line]:
    who = event.lead.name or event.lead.number or "unknown"
    why = f": {event.lead.summary}" if event.lead.summary else ""
    lines = [
        (LEAD, f"{who} ({event.lead.number or 'no number'}) is to be handed to {event.team_name}{why}"),
        (HANDOFF, f"requested by {event.requested_by}, mode {event.policy.mode}"),
        *_said(event),
    ]
    if event.qualifier is not None:
        on_hold = event.qualifier.held_channel
        where = "has the lead on hold in another call" if on_hold else "talks to the lead"
        lines.append((qualifiers_name(handoff), where))
    untouched = event.refusal is not None and event.refusal.untouched
    return [*lines, (LEAD, "stays where they are")] if untouched else lines


def _said(event: HandoffRequested) -> list[Line]:
    """What somebody vouches for, or denies: one line for each who does."""
    words: dict[str, list[str]] = {}
    for one in event.said:
        words.setdefault(one.variable or event.requested_by, []).append(_WORDS[one.what, one.holds])
    return [(LEAD, f"is {' and '.join(said)}, says {who}") for who, said in words.items()]


_WORDS = {
    ("qualified", True): "qualified",
    ("qualified", False): "not qualified",
    ("consent", True): "consenting",
    ("consent", False): "not consenting",
}


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
    return [(qualifiers_name(handoff), f"pressed {keys} ({action}{_not_now(handoff, action, event.at)})")]


def _asked(event: QualifierAsked, handoff: Handoff) -> list[Line]:
    return [(HANDOFF, f"{event.action} asked for by {event.by}{_not_now(handoff, event.action, event.at)}")]


def _not_now(handoff: Handoff, action: Action, at: float) -> str:
    why = refusal(handoff, action, at)
    return f", but {why}" if why else ""


def _found(event: AgentsFound, handoff: Handoff) -> list[Line]:
    names = {agent.id: agent.name for agent in handoff.agents}
    free = ", ".join(names.get(agent, agent) for agent in event.free)
    nobody = "nobody is free: the lead waits" if event.hope else "nobody is free, and nobody will be in time"
    lines = [(HANDOFF, f"free: {free}" if free else nobody)]
    news = [told for told in event.not_free if told not in handoff.not_free]
    return lines + [(names.get(agent, agent), f"is not rung: {why}") for agent, why in news]


def _digit(event: DigitPressed, handoff: Handoff) -> list[Line]:
    keys = handoff.policy.keys
    meanings = {keys.details: "details", keys.ask: "ask", keys.repeat: "repeat", keys.decline: "decline"}
    meaning = {**meanings, keys.accept: "accept"}.get(event.digit, "no meaning")
    offer = handoff.offer(event.offer)
    if offer is None or offer.state is not OfferState.BRIEFING:
        meaning += ", too late"
    elif handoff.asks_back(event.offer) and event.digit not in (keys.accept, keys.decline):
        meaning = _while_asking(handoff, meaning)
    return [(agents_name(handoff, event.offer), f"pressed {event.digit} ({meaning})")]


def _while_asking(handoff: Handoff, meaning: str) -> str:
    """What any key but those that decide means to who has a question under way."""
    speaks = handoff.asking is not None and handoff.asking.step is Asked.RECORDING
    return "ended the question" if speaks else f"{meaning}, but their question is under way"


def _lead_found(event: LeadFound, handoff: Handoff) -> list[Line]:
    """Once, and only as long as it is waited for."""
    if handoff.lead_known:
        return []
    if event.why:
        return [(LEAD, f"nothing more is known of them: {event.why}")]
    facts = [event.name, event.summary, *(f"{key}: {value}" for key, value in event.details)]
    return [(LEAD, "is known elsewhere: " + (", ".join(fact for fact in facts if fact) or "no words"))]


def _recorded(event: Recorded, handoff: Handoff) -> list[Line]:
    asking = handoff.asking
    if asking is None or asking.number != event.number:
        return []
    who = agents_name(handoff, asking.offer)
    if event.reply:
        who = qualifiers_name(handoff) if asking.of_qualifier else LEAD
    said = "has replied" if event.reply else "has asked"
    return [(who, "said nothing that can be played" if event.failed else said)]


def _playback(event: PlaybackEnded, handoff: Handoff) -> list[Line]:
    return [(HANDOFF, f"the {event.what} could not be played")] if event.failed else []


def _failed(event: CommandFailed, handoff: Handoff) -> list[Line]:
    who = HANDOFF if event.offer is None else agents_name(handoff, event.offer)
    return [(who, f"{event.command} failed: {event.error}")]


def _speech(event: SpeechReady, _: Handoff) -> list[Line]:
    return (
        [(HANDOFF, f"briefing not spoken, prompts serve instead: {event.fallback}")] if event.fallback else []
    )


def _reconciled(event: Reconciled, _: Handoff) -> list[Line]:
    return [(HANDOFF, "compared with what Asterisk has, after an outage")] if event.after_outage else []


def _hung_up(cause: str) -> str:
    return "hung up" if cause in _OF_THEMSELVES else f"is off the line ({cause})"


_OF_THEMSELVES = ("normal clearing", "hung up")


def _agent_hung_up(event: AgentHungUp, handoff: Handoff) -> list[Line]:
    """Once: it may be told by Asterisk and by an order that did not find them."""
    offer = handoff.offer(event.offer)
    if offer is None or not offer.leg_open:
        return []
    who = offer.agent.name
    if offer.answered_at is not None or event.outcome is Outcome.HUNG_UP:
        dismissed = handoff.state.final or not (offer.state.open or offer.state is OfferState.ACCEPTED)
        return [(who, "is off the line" if dismissed else _hung_up(event.cause))]
    if not offer.state.open:
        return [(who, f"is not rung any more ({offer.cause})")]
    unreachable = event.outcome in (Outcome.UNREACHABLE, Outcome.FAILED)
    return [(who, f"{'could not be rung' if unreachable else 'did not answer'} ({event.cause})")]


def _agent_left(event: AgentLeft, handoff: Handoff) -> list[Line]:
    offer = handoff.offer(event.offer)
    told = handoff.let_go or offer is None or not offer.leg_open
    return [] if told else [(agents_name(handoff, event.offer), "was moved to another call")]


def _lead_left(_: LeadLeft, handoff: Handoff) -> list[Line]:
    """Who was sent on in the dialplan has been told to go there."""
    if handoff.let_go:
        return [(LEAD, "is talking without us now")]
    return [] if handoff.state.final else [(LEAD, "has left the handoff")]


def _qualifier_hung_up(event: QualifierHungUp, handoff: Handoff) -> list[Line]:
    """But for one who had left before."""
    return [(qualifiers_name(handoff), _hung_up(event.cause))] if handoff.qualifier_here else []


_TELLERS: dict[type[Event], Callable[[Any, Handoff], list[Line]]] = {
    HandoffRequested: _requested,
    LeadSecured: _secured,
    LeadHungUp: lambda e, h: [] if h.lead_is is LeadIs.GONE else [(LEAD, _hung_up(e.cause))],
    LeadLeft: _lead_left,
    AgentsFound: _found,
    LeadFound: _lead_found,
    SpeechReady: _speech,
    AgentRinging: lambda e, h: [(agents_name(h, e.offer), "rings")],
    AgentAnswered: lambda e, h: [(agents_name(h, e.offer), "answered")],
    AgentHungUp: _agent_hung_up,
    AgentLeft: _agent_left,
    AgentJoined: lambda e, h: [(agents_name(h, e.offer), "is joined to the lead")],
    QualifierJoined: lambda _e, h: (
        [(qualifiers_name(h), "is with the lead")] if h.lead_is is LeadIs.HELD else []
    ),
    QualifierHungUp: _qualifier_hung_up,
    QualifierLeft: lambda _e, h: [(qualifiers_name(h), "has left the handoff")] if h.qualifier_here else [],
    QualifierPressed: _pressed,
    QualifierAsked: _asked,
    ConsultStarted: lambda e, h: [(qualifiers_name(h), f"talks to {agents_name(h, e.offer)} alone")],
    ChannelReplaced: lambda e, h: [(legs_name(h, e.leg), "goes on at another phone")],
    HandedOn: lambda e, h: [(legs_name(h, e.leg), f"is handed on in {e.to}")],
    DigitPressed: _digit,
    PlaybackEnded: _playback,
    Recorded: _recorded,
    CommandFailed: _failed,
    CancelRequested: lambda e, _h: [(HANDOFF, f"cancelled by {e.by}")],
    Reconciled: _reconciled,
}
