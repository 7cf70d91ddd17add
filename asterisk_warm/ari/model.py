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


class Destination(msgspec.Struct):
    destination: str = ""
    """What was dialled, in a blind transfer."""
    protocol_id: str = ""
    """The other call's Call-ID, in an attended one."""


class ReferTo(msgspec.Struct):
    requested_destination: Destination = msgspec.field(default_factory=Destination)
    destination_channel: Channel | None = None
    """The phone's channel in its other call."""


class ReferredBy(msgspec.Struct):
    source_channel: Channel | None = None


class Playback(msgspec.Struct):
    id: str
    state: str = ""


class LiveRecording(msgspec.Struct):
    name: str = ""
    state: str = ""
    target_uri: str = ""

    @property
    def channel(self) -> str:
        """Id of the channel that is recorded; empty where it is a bridge."""
        kind, _, target = self.target_uri.partition(":")
        return target if kind == "channel" else ""


class StoredRecording(msgspec.Struct):
    name: str


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
    replace_channel: Channel | None = None
    """In StasisStart: whose place the channel takes."""
    playback: Playback | None = None
    recording: LiveRecording | None = None
    state: str = ""
    """In ChannelTransfer: what was told about it; empty in the request itself."""
    refer_to: ReferTo | None = None
    referred_by: ReferredBy | None = None
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
    "RecordingStarted",
    "RecordingFinished",
    "RecordingFailed",
    "ChannelTalkingStarted",
    "ChannelTalkingFinished",
    "ApplicationReplaced",
    "RESTResponse",
    "ChannelUserevent",
    "ChannelTransfer",
)
"""Event types that mean something here: half of what Asterisk would send are variables set at hangup."""
