"""Channels that outlive their own hangup.

Bridge() takes its peer out of whatever it does, by moving the call to a new channel. When the peer hangs up
in that very moment, the new channel knows nothing of it: the other one is left in a bridge with a call that
is dead, for ever (seen on 22.10 and 16.28, once in some thirty hangups within the same milliseconds)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from asterisk_warm.ari.model import Message
from asterisk_warm.engine.ports.pbx import PbxError

log = structlog.get_logger(__name__)

GRACE_SECONDS = 0.5
"""How long a channel may take from the request to hang it up to its end: some milliseconds, when it ends."""


class Undead:
    """Told every event, and who was let go; what should have ended by then is hung up."""

    def __init__(self, hang_up: Callable[[str], Awaitable[None]]) -> None:
        self._hang_up = hang_up
        self._let_go: set[str] = set()
        self._dying: set[str] = set()
        self._watches: set[asyncio.Task[None]] = set()

    def let_go(self, channel: str) -> None:
        """Before Bridge() is told to take it."""
        self._let_go.add(channel)
        if channel in self._dying:
            self._watch(channel)

    def hear(self, message: Message) -> None:
        channel = message.channel
        if channel is None:
            return
        if message.type == "ChannelHangupRequest":
            self._dying.add(channel.id)
            if channel.id in self._let_go:
                self._watch(channel.id)
        elif message.type == "StasisEnd" and channel.id in self._dying:
            # Of a lead's channel, which is not ours, no more may be told.
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._dying.discard, channel.id)
        elif message.type == "ChannelDestroyed":
            self._dying.discard(channel.id)
            self._let_go.discard(channel.id)

    def _watch(self, channel: str) -> None:
        task = asyncio.get_running_loop().create_task(self._end(channel))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _end(self, channel: str) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        if channel not in self._let_go:
            return
        self._let_go.discard(channel)
        with suppress(PbxError):
            await self._hang_up(channel)
            log.warning("a channel outlived its hangup, and was ended", channel=channel)
