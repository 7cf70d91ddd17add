"""Who has said something in a recording, and has ended: by Asterisk's talk detection, of its events."""

from __future__ import annotations

from asterisk_warm.ari.model import Message
from asterisk_warm.ari.times import moment

SILENCE_SECONDS = 2.0
"""How long nothing is said before it counts as ended."""


class Talking:
    """Told every event. No I/O."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, float]] = {}
        """What is being recorded, and since when, by channel."""
        self._talking: set[str] = set()
        self._talked: set[str] = set()
        """Channels that have said something since their recording began."""

    def hear(self, message: Message) -> str:
        """The recording in which all has been said, by this event; empty: none."""
        channel = message.channel.id if message.channel is not None else ""
        match message.type:
            case "RecordingStarted" if message.recording is not None:
                self._begun[message.recording.channel] = message.recording.name, moment(message)
                self._talked.discard(message.recording.channel)
            case "ChannelTalkingStarted":
                self._talking.add(channel)
                self._talked.add(channel)
            case "ChannelTalkingFinished":
                self._talking.discard(channel)
                recording, since = self._begun.get(channel, ("", 0.0))
                # Who spoke into what was said before has not begun yet.
                if recording and moment(message) - SILENCE_SECONDS > since:
                    self._talked.add(channel)
                    return recording
            case "ChannelDestroyed":
                self.forget(channel)
        return ""

    def has_talked(self, channel: str) -> bool:
        """Since its recording began."""
        return channel in self._talked or channel in self._talking

    def forget(self, channel: str) -> None:
        """Its recording is over."""
        self._begun.pop(channel, None)
        self._talked.discard(channel)
        self._talking.discard(channel)

    def clear(self) -> None:
        """After an outage: what was to follow may have been missed."""
        for memory in (self._begun, self._talking, self._talked):
            memory.clear()
