"""Asterisk's events → facts about handoffs. No I/O; the only memory is who is being hung up and who has been
told as answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentLeft,
    AgentRinging,
    DigitPressed,
    Event,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.ids import parse_agent_leg, parse_playback
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.core.handoff.options import VARIABLE
from asterisk_warm.engine.ports import AtDoor, LeadAtDoor

Fact = tuple[str, Event]
"""(handoff id, event)."""

_OUTCOMES = {
    17: Outcome.BUSY,
    18: Outcome.NO_ANSWER,
    19: Outcome.NO_ANSWER,
    21: Outcome.DECLINED,
    3: Outcome.UNREACHABLE,
    20: Outcome.UNREACHABLE,
    27: Outcome.UNREACHABLE,
    1: Outcome.UNREACHABLE,
    22: Outcome.UNREACHABLE,
    28: Outcome.UNREACHABLE,
}
"""Q.850 causes of a leg that was never answered."""


class Translator:
    """`handoff_of_lead` knows which handoff a lead's channel belongs to."""

    def __init__(self, handoff_of_lead: Callable[[str], str | None]) -> None:
        self._handoff_of_lead = handoff_of_lead
        self._hanging_up: set[str] = set()
        self._answered: set[str] = set()

    def facts(self, message: Message) -> Iterator[Fact]:
        """What an event means: usually nothing or one fact."""
        if message.type == "PlaybackFinished":
            yield from _playback(message)
            return
        channel = message.peer if message.type == "Dial" else message.channel
        if channel is None:
            return
        leg = parse_agent_leg(channel.id)
        if leg is not None:
            yield from self._agent(message, channel, *leg)
            return
        handoff = self._handoff_of_lead(channel.id)
        if handoff is not None:
            yield from self._lead(message, channel, handoff)

    def _lead(self, message: Message, channel: Channel, handoff: str) -> Iterator[Fact]:
        match message.type:
            case "ChannelHangupRequest" if channel.id not in self._hanging_up:
                self._hanging_up.add(channel.id)
                yield handoff, LeadHungUp(**_stamp(message, channel), cause=cause_words(message))
            case "StasisEnd" if channel.id not in self._hanging_up:
                yield handoff, LeadLeft(**_stamp(message, channel))
            case "ChannelDestroyed":
                if channel.id not in self._hanging_up:
                    yield handoff, LeadHungUp(**_stamp(message, channel), cause=cause_words(message))
                self._hanging_up.discard(channel.id)

    def _agent(self, message: Message, channel: Channel, handoff: str, offer: int) -> Iterator[Fact]:
        stamp = _stamp(message, channel)
        match message.type:
            case "Dial" if message.dialstatus == "RINGING":
                yield handoff, AgentRinging(**stamp, offer=offer)
            case "ChannelStateChange" if channel.state == "Up" and channel.id not in self._answered:
                self._answered.add(channel.id)
                yield handoff, AgentAnswered(**stamp, offer=offer)
            case "ChannelDtmfReceived":
                yield handoff, DigitPressed(**stamp, offer=offer, digit=message.digit)
            case "ChannelHangupRequest":
                self._hanging_up.add(channel.id)
            case "StasisEnd" if channel.id not in self._hanging_up and channel.state == "Up":
                yield handoff, AgentLeft(**stamp, offer=offer)
            case "ChannelDestroyed":
                answered = channel.id in self._answered or channel.state == "Up"
                self._answered.discard(channel.id)
                self._hanging_up.discard(channel.id)
                outcome = Outcome.HUNG_UP if answered else _OUTCOMES.get(message.cause, Outcome.FAILED)
                yield (
                    handoff,
                    AgentHungUp(**stamp, offer=offer, outcome=outcome, cause=cause_words(message)),
                )


def _playback(message: Message) -> Iterator[Fact]:
    playback = message.playback
    parsed = parse_playback(playback.id) if playback is not None else None
    if parsed is None or playback is None or parsed[1] not in list(Playing):
        return
    handoff, what, number = parsed
    event_id = f"{message.timestamp}/{playback.id}/finished"
    failed = playback.state == "failed"
    yield (
        handoff,
        PlaybackEnded(
            at=moment(message), event_id=event_id, what=Playing(what), number=number, failed=failed
        ),
    )


def lead_at_door(channel: Channel, arguments: Sequence[str]) -> AtDoor | None:
    """Who wants what, of a channel that our dialplan has sent in; None when it came in another way.

    Arguments of Stasis(): `handoff`, the team, then `key=value` options and URI-encoded `WARM_LEAD_…=`
    variables."""
    if len(arguments) < 2 or arguments[0] != "handoff":
        return None
    variables = {}
    options = []
    for argument in arguments[2:]:
        if argument.startswith(VARIABLE):
            name, _, value = argument.partition("=")
            variables[name] = unquote(value, errors="replace").replace("\ufffd", "")
        else:
            options.append(argument)
    lead = LeadAtDoor(channel.id, channel.caller.name, channel.caller.number, variables)
    return AtDoor(lead, arguments[1], options)


def cause_words(message: Message) -> str:
    """Asterisk's hangup cause in words."""
    return message.cause_txt.lower() or _CAUSES.get(message.cause, f"cause {message.cause}")


_CAUSES = {
    0: "no cause given",
    1: "unknown number",
    3: "no route",
    16: "normal clearing",
    17: "user busy",
    18: "no user responding",
    19: "no answer",
    20: "phone not registered",
    21: "call rejected",
    22: "number changed",
    26: "answered elsewhere",
    27: "destination out of order",
    28: "invalid number",
    31: "normal",
    32: "rang out",
    34: "no circuit available",
    38: "network out of order",
    102: "timer expired",
    127: "interworking",
}


def moment(message: Message) -> float:
    """Seconds since the epoch; now, where Asterisk gave no time."""
    try:
        return datetime.fromisoformat(message.timestamp).timestamp()
    except ValueError:
        return time.time()


def _stamp(message: Message, channel: Channel) -> dict[str, Any]:
    """A replayed event has the same id, and is then known to be a duplicate."""
    event_id = f"{message.timestamp}/{channel.id}/{message.type}{message.digit}{message.dialstatus}"
    return {"at": moment(message), "event_id": event_id}
