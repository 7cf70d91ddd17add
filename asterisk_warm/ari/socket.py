"""The event websocket: connected, lost, connected again; never spinning, never deaf."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec
import structlog

from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.model import USED, Message
from asterisk_warm.engine.ports import PbxError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 8.0
"""Without it a frozen Asterisk would stay "connected"."""
FIRST_RETRY, LAST_RETRY = 0.1, 5.0
OPEN_SECONDS = 10.0


class Replaced(Exception):
    """Another program has connected under our application's name: this one hears nothing any more and
    must stop."""


class EventSocket:
    """Events of one Stasis application, handed to `on_event` as they come. `on_connected` is awaited at
    every (re)connect while events queue up behind it; `on_lost` is called when the connection breaks."""

    def __init__(
        self,
        client: AriClient,
        app: str,
        on_event: Callable[[Message], None],
        on_connected: Callable[[], Awaitable[None]],
        on_lost: Callable[[], None],
    ) -> None:
        self._client = client
        self._app = app
        self._on_event = on_event
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._decoder = msgspec.json.Decoder(Message)

    async def run(self) -> None:
        """Stay connected until cancelled. Raises Replaced."""
        retry = FIRST_RETRY
        while True:
            try:
                await self._session()
                retry = FIRST_RETRY
                why = "Asterisk closed the connection"
            except (aiohttp.ClientError, TimeoutError, OSError, PbxError) as error:
                why = str(error) or type(error).__name__
            log.warning("no ARI connection", why=why, again_in=round(retry, 1))
            await asyncio.sleep(retry * random.uniform(0.8, 1.2))
            retry = min(retry * 2, LAST_RETRY)

    async def _session(self) -> None:
        url = f"{self._client.url}/ari/events"
        timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
        async with self._client.session.ws_connect(
            url,
            params={"app": self._app},
            heartbeat=HEARTBEAT_SECONDS,
            timeout=timeout,
            max_msg_size=1 << 22,
        ) as socket:
            log.info("ARI connected", app=self._app)
            reader = asyncio.create_task(self._read(socket))
            try:
                # Reading goes on meanwhile: what happens during the reconciliation must not be lost or fill
                # Asterisk's buffers.
                await self._filter()
                await self._on_connected()
                await reader
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
                self._on_lost()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                event = self._decoder.decode(message.data)
            except msgspec.DecodeError as error:
                log.warning("event not understood", why=str(error), text=message.data[:200])
                continue
            if event.type == "ApplicationReplaced":
                raise Replaced(
                    f'another program has connected to Asterisk as "{self._app}"; '
                    "only one daemon may use an application name"
                )
            self._on_event(event)

    async def _filter(self) -> None:
        """Only what is used: saves half the events, and so half the work."""
        allowed = {"allowed": [{"type": kind} for kind in USED]}
        await self._client.request("PUT", f"/applications/{self._app}/eventFilter", body=allowed)
