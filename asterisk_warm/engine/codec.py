"""Events, commands and handoffs to JSON and back, for the journal."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from asterisk_warm.core.handoff import commands, events
from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.model import Handoff

T = TypeVar("T")


def _kinds(module: Any, base: type[T]) -> dict[str, type[T]]:
    return {
        name: kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base
    }


EVENTS = _kinds(events, Event)
COMMANDS = _kinds(commands, Command)

_encoder = msgspec.json.Encoder()
_event_decoders = {name: msgspec.json.Decoder(kind) for name, kind in EVENTS.items()}
_command_decoders = {name: msgspec.json.Decoder(kind) for name, kind in COMMANDS.items()}
_handoff_decoder = msgspec.json.Decoder(Handoff)


def encode(value: Event | Command | Handoff) -> bytes:
    return _encoder.encode(value)


def decode_event(kind: str, data: bytes) -> Event:
    """Raises KeyError for an unknown kind, msgspec.ValidationError for data that does not fit."""
    return _event_decoders[kind].decode(data)


def decode_command(kind: str, data: bytes) -> Command:
    return _command_decoders[kind].decode(data)


def decode_handoff(data: bytes) -> Handoff:
    return _handoff_decoder.decode(data)
