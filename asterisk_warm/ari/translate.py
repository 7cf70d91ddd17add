"""Asterisk's events → facts about handoffs. No I/O; the only memory is who is being hung up, and who has said
something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.ari.talking import Talking
from asterisk_warm.ari.times import moment
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
    QualifierHungUp,
    QualifierLeft,
    QualifierPressed,
    Recorded,
)
from asterisk_warm.core.handoff.ids import parse_playback, parse_recording
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Outcome, Playing, offer_of
from asterisk_warm.core.handoff.options import VARIABLE
from asterisk_warm.engine.ports.calls import AtDoor, Door, LeadAtDoor, Transfer

Fact = tuple[str, Event]
"""(handoff id, event)."""

_OUTCOMES = {
    1: Outcome.UNREACHABLE,
    3: Outcome.UNREACHABLE,
    16: Outcome.NO_ANSWER,
    17: Outcome.BUSY,
    18: Outcome.NO_ANSWER,
    19: Outcome.NO_ANSWER,
    20: Outcome.UNREACHABLE,
    21: Outcome.DECLINED,
    22: Outcome.UNREACHABLE,
    27: Outcome.UNREACHABLE,
    28: Outcome.UNREACHABLE,
    34: Outcome.UNREACHABLE,
    38: Outcome.UNREACHABLE,
    41: Outcome.UNREACHABLE,
    42: Outcome.UNREACHABLE,
    44: Outcome.UNREACHABLE,
}
"""Q.850 causes of a leg that was never answered; 16 is Asterisk's own ring time-out (before 22; there 19)."""


class Translator:
    """`leg_of` knows which handoff's, and which of its legs' a channel is."""

    def __init__(self, leg_of: Callable[[str], tuple[str, str] | None]) -> None:
        self._leg_of = leg_of
        self._hanging_up: set[str] = set()
        """Who leaves our application because of a hangup: requested, and the leaving not seen yet."""
        self._talking = Talking()

    def facts(self, message: Message) -> Iterator[Fact]:
        """What an event means: usually nothing or one fact."""
        if message.type == "PlaybackFinished":
            yield from _playback(message)
            return
        self._talking.hear(message)
        if message.type in ("RecordingFinished", "RecordingFailed"):
            yield from self._recording(message)
            return
        channel = message.peer if message.type == "Dial" else message.channel
        if channel is None:
            return
        asked_before = channel.id in self._hanging_up
        if message.type == "ChannelHangupRequest":
            self._hanging_up.add(channel.id)
        elif message.type in ("StasisEnd", "ChannelDestroyed"):
            self._hanging_up.discard(channel.id)
        found = self._leg_of(channel.id)
        if found is None:
            return
        handoff, leg = found
        offer = offer_of(leg)
        if leg == LEAD:
            yield from _lead(message, channel, handoff, asked_before)
        elif leg == QUALIFIER:
            yield from _qualifier(message, channel, handoff, asked_before)
        elif offer is not None:
            yield from _agent(message, channel, handoff, offer, asked_before)

    def forget(self) -> None:
        """After an outage: what was to follow may have been missed."""
        self._hanging_up.clear()
        self._talking.clear()

    def _recording(self, message: Message) -> Iterator[Fact]:
        recording = message.recording
        parsed = parse_recording(recording.name) if recording is not None else None
        if parsed is None or recording is None:
            return
        handoff, number, reply = parsed
        event_id = f"{message.timestamp}/{recording.name}/finished"
        # Of silence, and of what was stopped, nothing is to be played.
        failed = recording.state != "done" or not self._talking.has_talked(recording.channel)
        self._talking.forget(recording.channel)
        yield (
            handoff,
            Recorded(at=moment(message), event_id=event_id, number=number, reply=reply, failed=failed),
        )


def _lead(message: Message, channel: Channel, handoff: str, hanging_up: bool) -> Iterator[Fact]:
    match message.type:
        case "ChannelHangupRequest" | "ChannelDestroyed" if not hanging_up:
            yield handoff, LeadHungUp(**_stamp(message, channel), cause=_hangup_words(message))
        case "StasisEnd" if not hanging_up:
            yield handoff, LeadLeft(**_stamp(message, channel))


def _hangup_words(message: Message) -> str:
    # A "soft" request was made inside Asterisk, and carries no cause of the network's.
    return "ended by Asterisk" if message.soft else cause_words(message.cause)


def _qualifier(message: Message, channel: Channel, handoff: str, hanging_up: bool) -> Iterator[Fact]:
    match message.type:
        case "ChannelHangupRequest" | "ChannelDestroyed" if not hanging_up:
            yield handoff, QualifierHungUp(**_stamp(message, channel), cause=_hangup_words(message))
        case "StasisEnd" if not hanging_up:
            yield handoff, QualifierLeft(**_stamp(message, channel))
        case "ChannelDtmfReceived":
            yield handoff, QualifierPressed(**_stamp(message, channel), digit=message.digit)


def _agent(message: Message, channel: Channel, handoff: str, offer: int, hanging_up: bool) -> Iterator[Fact]:
    stamp = _stamp(message, channel)
    answered = channel.state == "Up"
    match message.type:
        case "Dial" if message.dialstatus == "RINGING":
            yield handoff, AgentRinging(**stamp, offer=offer)
        case "ChannelStateChange" if answered:
            yield handoff, AgentAnswered(**stamp, offer=offer)
        case "StasisStart" if answered and message.replace_channel is not None:
            # Another phone has picked up the call, which may have been ringing still.
            yield handoff, AgentAnswered(**stamp, offer=offer)
        case "ChannelDtmfReceived":
            yield handoff, DigitPressed(**stamp, offer=offer, digit=message.digit)
        case "StasisEnd" if answered and not hanging_up:
            yield handoff, AgentLeft(**stamp, offer=offer)
        case "ChannelDestroyed":
            outcome = Outcome.HUNG_UP if answered else _OUTCOMES.get(message.cause, Outcome.FAILED)
            rang_out = outcome is Outcome.NO_ANSWER and message.cause == NORMAL_CLEARING
            cause = "rang out" if rang_out else cause_words(message.cause, message.cause_txt)
            yield handoff, AgentHungUp(**stamp, offer=offer, outcome=outcome, cause=cause)


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

    Arguments of Stasis(): `handoff` or `consult`, the team, then `key=value` options and `WARM_LEAD_…=`
    variables, each URI-encoded."""
    if len(arguments) < 2 or arguments[0] not in list(Door):
        return None
    team, *others = (_decoded(argument) for argument in arguments[1:])
    described = (other.partition("=") for other in others if other.startswith(VARIABLE))
    variables = {name: value for name, _, value in described}
    options = [other for other in others if other and not other.startswith(VARIABLE)]
    lead = LeadAtDoor(channel.id, channel.caller.name, channel.caller.number, variables)
    return AtDoor(lead, team, options, Door(arguments[0]))


def transfer_asked(message: Message) -> Transfer | None:
    """A phone's Transfer key, of a ChannelTransfer; None where it only tells what was told about one."""
    source = message.referred_by.source_channel if message.referred_by is not None else None
    if source is None or message.refer_to is None or message.state:
        return None
    wanted, other = message.refer_to.requested_destination, message.refer_to.destination_channel
    attended = other is not None or bool(wanted.protocol_id)
    return Transfer(source.id, wanted.destination, other.id if other else "", attended)


def _decoded(argument: str) -> str:
    """Bytes that are no UTF-8, as in a character that was cut in two, are left out."""
    return unquote(argument, errors="ignore")


NORMAL_CLEARING = 16
_CAUSES = {
    0: "normal clearing",
    1: "unknown number",
    3: "no route",
    NORMAL_CLEARING: "normal clearing",
    17: "busy",
    18: "the phone did not respond",
    19: "no answer",
    20: "phone not registered",
    21: "call rejected",
    22: "number changed",
    26: "answered elsewhere",
    27: "destination out of order",
    28: "invalid number",
    31: "normal clearing",
    34: "no circuit available",
    38: "network out of order",
    41: "temporary failure",
    42: "switch congested",
    44: "line not available",
    58: "no common codec",
    102: "timer expired",
    127: "interworking",
}


def cause_words(cause: int, asterisks_words: str = "") -> str:
    """A hangup cause (Q.850) in words, Asterisk's own where we have none."""
    return _CAUSES.get(cause) or asterisks_words.lower() or f"cause {cause}"


def _stamp(message: Message, channel: Channel) -> dict[str, Any]:
    """A replayed event has the same id, and is then known to be a duplicate."""
    event_id = f"{message.timestamp}/{channel.id}/{message.type}{message.digit}{message.dialstatus}"
    return {"at": moment(message), "event_id": event_id}
