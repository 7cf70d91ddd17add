"""One agent's screen: a WebSocket over which it is told, and that has to prove that it listens."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from asterisk_warm.api.access import PROTOCOL

log = structlog.get_logger(__name__)

PROOF_SECONDS = 5.0
"""How long a screen may take to prove that it has a frame."""
BEAT_SECONDS = 15.0
"""Between two pings when there is nothing to tell: a dead connection is found within both times together."""
BUFFER_AT_MOST = 256 * 1024
"""Bytes that wait for a screen to take them."""
MESSAGE_AT_MOST = 4096
"""Bytes of what a screen may send; nothing it says is listened to."""
GOODBYE_SECONDS = 2.0
"""How long a screen has to answer that it is told to close."""

REVOKED = (WSCloseCode.POLICY_VIOLATION, "the token is revoked")

StillValid = Callable[[], Awaitable[bool]]


class Screen:
    """A frame is followed by a ping whose pong proves that the frame has arrived, because frames and pings
    keep their order, RFC 6455. What the ping carries is random: a pong cannot come before it. A pong may
    stand for the pings before it as well (5.5.3)."""

    def __init__(self, request: web.Request, agent: str, token: str, valid: StillValid) -> None:
        self.agent = agent
        self.token = token
        """Id of the token that has opened it; empty: none."""
        self._request = request
        self.valid = valid
        # Nothing is compressed: little is sent, and a context for each of 2000 screens is not little. Nothing
        # waits for a buffer to drain (writer_limit): what does not drain is dropped.
        self.socket = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS,
            autoping=False,
            protocols=(PROTOCOL,),
            compress=False,
            max_msg_size=MESSAGE_AT_MOST + 1,
            writer_limit=sys.maxsize,
        )
        self._loop = asyncio.get_running_loop()
        self._unproved: dict[bytes, tuple[asyncio.Future[None], asyncio.TimerHandle]] = {}
        """By what the ping after the frame carries, in the order in which they were sent."""
        self._greeted = False
        self._over = False

    # -- telling it ------------------------------------------------------------------------------------------

    async def greet(self, frame: str) -> None:
        """The first frame. What is told before does not come; it is in this one."""
        self._greeted = True
        await self._send(frame, self._loop.create_future())

    async def tell(self, frame: str) -> asyncio.Future[None]:
        """Send it, at once. The future ends when it has arrived, or when the screen is dropped."""
        proved: asyncio.Future[None] = self._loop.create_future()
        if self._greeted:
            await self._send(frame, proved)
        else:
            _end(proved)
        return proved

    async def _send(self, frame: str | None, proved: asyncio.Future[None]) -> None:
        """None: only the ping. Never waits."""
        transport = self._request.transport
        if self._over or transport is None:
            return _end(proved)
        mark = secrets.token_bytes(8)
        late = self._loop.call_later(PROOF_SECONDS, self.drop, "it does not answer")
        self._unproved[mark] = (proved, late)
        try:
            if frame is not None:
                await self.socket.send_str(frame)
            await self.socket.ping(mark)
        except ConnectionError as error:
            return self.drop(str(error))
        self._bound(transport)

    # -- listening to it -------------------------------------------------------------------------------------

    async def attend(self) -> None:
        """Until it is gone: take its pongs, answer its pings, and see that it lives."""
        beat = self._loop.time() + BEAT_SECONDS
        while not self._over:
            left = beat - self._loop.time()
            if left <= 0:
                await self._beat()
                beat = self._loop.time() + BEAT_SECONDS
                continue
            try:
                message = await self.socket.receive(left)
            except TimeoutError:
                continue
            if message.type is WSMsgType.PONG:
                self._proved(bytes(message.data))
            elif message.type is WSMsgType.PING:
                await self._answer(message.data)
            elif message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return

    async def _beat(self) -> None:
        if await self.valid():
            await self._send(None, self._loop.create_future())
        else:
            await self.close(*REVOKED)

    async def _answer(self, ping: bytes) -> None:
        try:
            await self.socket.pong(ping)
        except ConnectionError as error:
            self.drop(str(error))
        if self._request.transport is not None:
            self._bound(self._request.transport)

    def _bound(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size() > BUFFER_AT_MOST:
            self.drop("it does not read")

    def _proved(self, mark: bytes) -> None:
        if mark not in self._unproved:
            return  # Unasked for, or made up.
        for earlier in list(self._unproved):
            self._settle(earlier)
            if earlier == mark:
                return

    # -- its end ---------------------------------------------------------------------------------------------

    def drop(self, why: str) -> None:
        """Cut the connection, without waiting for anything."""
        if not self._over:
            log.warning("a screen is dropped", agent=self.agent, why=why)
        self.ended()
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: WSCloseCode, words: str) -> None:
        """Tell it why it is closed. Takes at most GOODBYE_SECONDS."""
        self.ended()
        # Gone meanwhile, or not even prepared: then there is nobody to be told.
        with suppress(ConnectionError, RuntimeError):
            await self.socket.close(code=code, message=words.encode())
        if self._request.transport is not None:
            self._request.transport.abort()

    def ended(self) -> None:
        """Nobody waits for it any more."""
        self._over = True
        for mark in list(self._unproved):
            self._settle(mark)

    def _settle(self, mark: bytes) -> None:
        proved, late = self._unproved.pop(mark)
        late.cancel()
        _end(proved)


def _end(proved: asyncio.Future[None]) -> None:
    if not proved.done():
        proved.set_result(None)
