"""What Asterisk's ARI sends, typed after its own `rest-api/*.json`: only what is used here."""

from __future__ import annotations

import msgspec


class CallerId(msgspec.Struct):
    name: str = ""
    number: str = ""


class DialplanPlace(msgspec.Struct):
    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    app_data: str = ""


class Channel(msgspec.Struct):
    id: str
    name: str = ""
    state: str = ""
    """Down, Ring, Ringing, Up, …"""
    caller: CallerId = msgspec.field(default_factory=CallerId)
    dialplan: DialplanPlace = msgspec.field(default_factory=DialplanPlace)


class Bridge(msgspec.Struct):
    id: str
    bridge_class: str = ""
    """"stasis" for ARI's, "basic" for the dialplan's."""
    channels: list[str] = []


class Playback(msgspec.Struct):
    id: str
    state: str = ""


class Application(msgspec.Struct):
    channel_ids: list[str] = []


class Variable(msgspec.Struct):
    value: str = ""


class DeviceState(msgspec.Struct):
    state: str = "UNKNOWN"


class UserEvent(msgspec.Struct):
    ticket: str = ""


class Message(msgspec.Struct):
    """Any event; which fields are set depends on `type`."""

    type: str
    timestamp: str = ""
    application: str = ""
    channel: Channel | None = None
    peer: Channel | None = None
    playback: Playback | None = None
    args: list[str] = []
    digit: str = ""
    dialstatus: str = ""
    cause: int = 0
    cause_txt: str = ""
    soft: bool = False
    eventname: str = ""
    userevent: UserEvent = msgspec.field(default_factory=UserEvent)


USED = (
    "StasisStart",
    "StasisEnd",
    "ChannelStateChange",
    "ChannelDtmfReceived",
    "ChannelHangupRequest",
    "ChannelDestroyed",
    "Dial",
    "PlaybackFinished",
    "ApplicationReplaced",
    "RESTResponse",
    "ChannelUserevent",
)
"""Event types that mean something here: half of what Asterisk would send are variables set at hangup."""
