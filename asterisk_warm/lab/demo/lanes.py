"""What every leg hears and does, moment by moment, replayed from a handoff's journal.

The core is deterministic: the journal's events alone give every state in between, and each state says what
each leg is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from asterisk_warm.core.handoff.events import DigitPressed, HandoffRequested
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.story import Chapter
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec

LEAD = "lead"


class Kind(StrEnum):
    """What a leg is in, in the words that are shown."""

    MUSIC = "music"
    COMFORT = "comfort"
    RING = "rings"
    BRIEFING = "briefing"
    FAREWELL = "goodbye"
    INTRODUCTION = "introduction"
    TALK = "talk"
    DIALPLAN = "back in the dialplan"


@dataclass(frozen=True)
class Span:
    """`end` is None while it lasts. Moments are epoch seconds."""

    kind: Kind
    start: float
    end: float | None


@dataclass(frozen=True)
class Key:
    """A key on that leg's phone, when the daemon learnt of it."""

    at: float
    digit: str


@dataclass(frozen=True)
class Lane:
    """One leg: the lead's (`id` is "lead") or an agent's. `note`: how it came out, "" while open."""

    id: str
    name: str
    spans: tuple[Span, ...]
    keys: tuple[Key, ...]
    note: str


@dataclass(frozen=True)
class Chart:
    """One handoff as lanes, the lead's first, then the team's. `start`: when it was requested."""

    handoff: Handoff
    start: float
    end: float
    lanes: tuple[Lane, ...]


def chapters(journal: Sequence[Mapping[str, Any]]) -> list[Chapter]:
    """The journal as the API gives it, replayed."""
    told: list[Chapter] = []
    handoff: Handoff | None = None
    for line in journal:
        event = codec.decode_event(line["event"], msgspec.json.encode(line["detail"]))
        if isinstance(event, HandoffRequested):
            after = begin(event).handoff
        elif handoff is not None:
            after = transition(handoff, event).handoff
        else:
            continue
        orders = tuple(
            codec.decode_command(order["command"], msgspec.json.encode(order["detail"]))
            for order in line["commands"]
        )
        told.append(Chapter(event, handoff, after, orders))
        handoff = after
    return told


def chart(told: Sequence[Chapter], end: float) -> Chart:
    """The lanes until `end` (epoch seconds: now, or when the scene was over). `told` must not be empty."""
    handoff = told[-1].after
    lead_name = handoff.lead.name or handoff.lead.number or LEAD
    lanes = [Lane(LEAD, lead_name, _spans(_lead_seen(told)), (), "")]
    for agent in handoff.agents:
        seen = [(c.event.at, agent_activity(c.after, agent.id)) for c in told]
        lanes.append(Lane(agent.id, agent.name, _spans(seen), _keys(told, agent.id), note(handoff, agent.id)))
    return Chart(handoff, told[0].event.at, max(end, told[-1].event.at), tuple(lanes))


def lead_activity(handoff: Handoff) -> Kind | None:
    """What the lead hears in this state; None when nothing of ours."""
    match handoff.state:
        case State.SEEKING | State.OFFERING:
            return Kind.COMFORT if handoff.comfort_playing else Kind.MUSIC
        case State.INTRODUCING if not handoff.introduced:
            return Kind.INTRODUCTION
        case State.INTRODUCING | State.CONNECTED:
            return Kind.TALK
        case State.RETURNED | State.FAILED if handoff.lead_is is LeadIs.LEFT:
            return Kind.DIALPLAN
        case _:
            return None


def _lead_seen(told: Sequence[Chapter]) -> list[tuple[float, Kind | None]]:
    seen: list[tuple[float, Kind | None]] = []
    for chapter in told:
        kind = lead_activity(chapter.after)
        if chapter.after.state.final and chapter.after.lead_is is LeadIs.HELD and seen:
            kind = seen[-1][1]  # On the way back: whatever is being heard goes on until the lead has left.
        seen.append((chapter.event.at, kind))
    return seen


def agent_activity(handoff: Handoff, agent: str) -> Kind | None:
    """What this agent's leg is in; None when there is none."""
    offer = _latest(handoff, agent)
    if offer is None or not offer.leg_open:
        return None
    match offer.state:
        case OfferState.RINGING:
            return Kind.RING
        case OfferState.BRIEFING:
            return Kind.BRIEFING
        case OfferState.ACCEPTED if handoff.state.final:
            return None
        case OfferState.ACCEPTED:
            return lead_activity(handoff)
        case _:
            return Kind.FAREWELL if offer.answered_at is not None else None


_NOTES = {
    OfferState.DECLINED: "declined",
    OfferState.NO_ANSWER: "did not answer",
    OfferState.NO_DECISION: "pressed no key",
    OfferState.BUSY: "was busy",
    OfferState.UNREACHABLE: "could not be reached",
    OfferState.GONE: "hung up",
    OfferState.FAILED: "could not be rung",
    OfferState.ACCEPTED: "took the lead",
}


def note(handoff: Handoff, agent: str) -> str:
    """How it came out for this agent; "" while that is open."""
    offer = _latest(handoff, agent)
    if offer is None:
        why = dict(handoff.not_free).get(agent)
        return f"not rung: {why}" if why else ""
    if offer.state is OfferState.LOST:
        return f"{'did not answer' if offer.answered_at is None else 'too late'}: {offer.cause}"
    return _NOTES.get(offer.state, "")


def _latest(handoff: Handoff, agent: str) -> Offer | None:
    return next((offer for offer in reversed(handoff.offers) if offer.agent.id == agent), None)


def _spans(seen: Sequence[tuple[float, Kind | None]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    now: Kind | None = None
    for at, kind in seen:
        if kind is now:
            continue
        if now is not None:
            spans[-1] = Span(now, spans[-1].start, at)
        if kind is not None:
            spans.append(Span(kind, at, None))
        now = kind
    return tuple(spans)


def _keys(told: Sequence[Chapter], agent: str) -> tuple[Key, ...]:
    keys = []
    for chapter in told:
        if isinstance(chapter.event, DigitPressed):
            offer = chapter.after.offer(chapter.event.offer)
            if offer is not None and offer.agent.id == agent:
                keys.append(Key(chapter.event.at, chapter.event.digit))
    return tuple(keys)
