"""What every leg hears and does, moment by moment, replayed from a handoff's journal.

The core is deterministic: the journal's events alone give every state in between, and each state says what
each leg is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from asterisk_warm.core.handoff.commands import TellQualifier
from asterisk_warm.core.handoff.events import (
    DigitPressed,
    HandoffRequested,
    PlaybackEnded,
    QualifierPressed,
)
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Handoff, LeadIs, Offer, Playing, QualifierIs
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.story import Chapter, Told
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec

_TONE = "beep"
"""The prompt that tells a qualifier that an agent has accepted."""
_ONE_SEQUENCE = 2.0
"""Longest time, in seconds, between two keys of one sequence."""


class Kind(StrEnum):
    """What a leg is in, in the words that are shown where a lane has none of its own."""

    LIVE = "live call"
    TONE = "tone"
    THREE = "three talk"
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
    """A key on that leg's phone (or a sequence, as of its last), when the daemon learnt of it."""

    at: float
    digits: str


@dataclass(frozen=True)
class Lane:
    """One leg: the lead's (`id` is "lead"), the qualifier's ("qualifier") or an agent's. `note`: how it came
    out, "" while open."""

    id: str
    name: str
    spans: tuple[Span, ...]
    keys: tuple[Key, ...]
    note: str
    partners: Mapping[Kind, str] = field(default_factory=dict)
    """Whom they talk to in spans of that kind."""

    def words(self, kind: Kind) -> str:
        """ "with Ben" """
        return f"with {self.partners[kind]}" if kind in self.partners else kind.value


@dataclass(frozen=True)
class Prelude:
    """A call before it was handed off, as its phones saw it. Moments are epoch seconds."""

    lead: str
    qualifier: str
    called_at: float
    answered_at: float | None = None
    key: Key | None = None
    """That with which the qualifier asked for the handoff."""

    def told(self) -> list[Told]:
        lines = [Told(self.called_at, LEAD, f"{self.lead} calls; the phone of {self.qualifier} rings")]
        if self.answered_at is not None:
            lines.append(Told(self.answered_at, self.qualifier, "answers: they talk"))
        if self.key is not None:
            lines.append(Told(self.key.at, self.qualifier, f"presses {self.key.digits}"))
        return lines


@dataclass(frozen=True)
class Chart:
    """One handoff as lanes: the lead's, the qualifier's if there is one, the team's. From `start` to `end`;
    it was requested at `zero`."""

    handoff: Handoff
    start: float
    zero: float
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


def chart(told: Sequence[Chapter], end: float, prelude: Prelude | None = None) -> Chart:
    """The lanes until `end` (epoch seconds: now, or when the scene was over). `told` must not be empty."""
    handoff, zero = told[-1].after, told[0].event.at
    partners = _partners(handoff)
    before = _before(prelude)
    lead_name = handoff.lead.name or handoff.lead.number or LEAD
    lanes = [Lane(LEAD, lead_name, _spans([*before, *_lead_seen(told)]), (), "", partners[LEAD])]
    if handoff.qualifier is not None:
        lanes.append(
            Lane(
                QUALIFIER,
                handoff.qualifier.name or handoff.qualifier.number or QUALIFIER,
                _spans([*before, *_qualifier_seen(told)]),
                (*([prelude.key] if prelude and prelude.key else []), *_sequences(told)),
                _left(handoff),
                partners[QUALIFIER],
            )
        )
    for agent in handoff.agents:
        seen = [(c.event.at, agent_activity(c.after, agent.id)) for c in told]
        keys, how = _keys(told, agent.id), note(handoff, agent.id)
        lanes.append(Lane(agent.id, agent.name, _spans(seen), keys, how, partners[agent.id]))
    start = min(zero, prelude.called_at) if prelude else zero
    return Chart(handoff, start, zero, max(end, told[-1].event.at), tuple(lanes))


def _before(prelude: Prelude | None) -> list[tuple[float, Kind | None]]:
    """What lead and qualifier were in before the request."""
    if prelude is None:
        return []
    answered = [] if prelude.answered_at is None else [(prelude.answered_at, Kind.LIVE)]
    return [(prelude.called_at, Kind.RING), *answered]


def _partners(handoff: Handoff) -> dict[str, dict[Kind, str]]:
    """By lane: to whom each of them talks."""
    lead = _first(handoff.lead.name) or "the lead"
    partners: dict[str, dict[Kind, str]] = {agent.id: {Kind.TALK: lead} for agent in handoff.agents}
    partners[LEAD], partners[QUALIFIER] = {}, {Kind.LIVE: lead}
    if handoff.qualifier is not None:
        partners[LEAD][Kind.LIVE] = _first(handoff.qualifier.name) or "the qualifier"
    if handoff.winner is not None:
        partners[LEAD][Kind.TALK] = _first(handoff.winner.agent.name)
    return partners


def _first(name: str) -> str:
    return next(iter(name.split()), "")


def lead_activity(handoff: Handoff) -> Kind | None:
    """What the lead hears in this state; None when nothing of ours."""
    if handoff.lead_is is LeadIs.WITH_QUALIFIER:
        return Kind.LIVE
    if handoff.lead_is is LeadIs.WITH_AGENT and handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return Kind.THREE
    match handoff.state:
        case State.SEEKING | State.OFFERING | State.CONSULTING | State.RETURNING:
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


def qualifier_activity(handoff: Handoff) -> Kind | None:
    """What the qualifier's leg is in; None when they have left, or are in nothing that is shown."""
    match handoff.qualifier_is:
        case QualifierIs.WITH_LEAD:
            return Kind.THREE if handoff.lead_is is LeadIs.WITH_AGENT else Kind.LIVE
        case QualifierIs.ASIDE:
            return Kind.RING
        case _:
            return None


def _qualifier_seen(told: Sequence[Chapter]) -> list[tuple[float, Kind | None]]:
    seen: list[tuple[float, Kind | None]] = []
    tone: int | None = None
    for event, _, after, commands in told:
        if isinstance(event, PlaybackEnded) and event.what is Playing.ASIDE and event.number == tone:
            tone = None
        for command in commands:
            if isinstance(command, TellQualifier) and any(line.prompt == _TONE for line in command.media):
                tone = command.number
        kind = qualifier_activity(after)
        seen.append((event.at, kind if kind is None or tone is None else Kind.TONE))
    return seen


def _left(handoff: Handoff) -> str:
    """How it came out for the qualifier; "" while they are there."""
    if handoff.qualifier_is not in (QualifierIs.LEAVING, QualifierIs.LEFT, QualifierIs.GONE):
        return ""
    if handoff.joined_at is None or handoff.winner is None:
        return "left"
    return f"left {_first(handoff.lead.name) or 'the lead'} to {_first(handoff.winner.agent.name)}"


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
            kind = lead_activity(handoff)
            return None if kind is Kind.LIVE else kind  # On the way to them.
        case _:
            return Kind.FAREWELL if offer.answered_at is not None else None


_NOTES = {
    OfferState.DECLINED: "declined",
    OfferState.NO_ANSWER: "did not answer",
    OfferState.NO_DECISION: "did not decide",
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


def _sequences(told: Sequence[Chapter]) -> tuple[Key, ...]:
    """The qualifier's keys: those that follow one another closely as one."""
    keys: list[Key] = []
    for chapter in told:
        if isinstance(chapter.event, QualifierPressed):
            at, digits = chapter.event.at, chapter.event.digit
            if keys and at - keys[-1].at <= _ONE_SEQUENCE:
                digits = keys.pop().digits + digits
            keys.append(Key(at, digits))
    return tuple(keys)
