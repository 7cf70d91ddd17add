"""Events that an order under way waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from asterisk_warm.ari.model import Message
from asterisk_warm.engine.ports.pbx import LegGone

_TOLD = ("channel_answered", "channel_declined", "channel_unavailable")
"""States of a ChannelTransfer once the phone has been told how it went."""


class Awaited:
    """Told every event, hands it to whoever waits for it. One waits for a kind on a channel at a time."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], asyncio.Future[None]] = {}

    @contextmanager
    def event(self, kind: str, channel: str) -> Iterator[asyncio.Future[None]]:
        """A future that is done when an event of that type comes for that channel, and raises LegGone when
        the channel goes instead. PlaybackFinished: for that playback; ChannelTransfer: the channel's phone
        has been told the end. Listen first, then give the order: the event may come before the order's own
        answer."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[kind, channel] = future
        try:
            yield future
        finally:
            del self._waiting[kind, channel]
            if not future.cancel() and not future.cancelled():
                future.exception()  # Seen, should nobody have come to await it.

    def tell(self, message: Message) -> None:
        channel = message.peer if message.type == "Dial" else message.channel
        if message.type == "ChannelTransfer" and message.referred_by is not None and message.state in _TOLD:
            channel = message.referred_by.source_channel
        if message.type == "PlaybackFinished" and message.playback is not None:
            finished = self._waiting.get((message.type, message.playback.id))
            if finished is not None and not finished.done():
                finished.set_result(None)
        if channel is None or not self._waiting:
            return
        waiting = self._waiting.get((message.type, channel.id))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        if message.type == "ChannelDestroyed":
            for (_, leg), future in self._waiting.items():
                if leg == channel.id and not future.done():
                    future.set_exception(LegGone(f"channel {leg} ended"))
