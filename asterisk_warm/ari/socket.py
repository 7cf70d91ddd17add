"""The event websocket: connected, lost, connected again; never spinning, never deaf."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec
import structlog

from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.lane import Lane
from asterisk_warm.ari.model import USED, Message
from asterisk_warm.engine.ports.pbx import PbxError, PbxUnreachable
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 8.0
"""Without it a frozen Asterisk would stay "connected"."""
FIRST_RETRY, LAST_RETRY = 0.1, 5.0
STEADY_SECONDS = 10.0
"""A connection that held that long was a good one: the next try comes at once again."""
LARGEST_EVENT = 1 << 22
HELLO = "asterisk_warm_hello"
"""An event of ours, sent to ourselves."""
HEARING_SECONDS = 1.0
"""How long it may take."""
LISTEN_AFTER, LISTEN_EVERY = 1.0, 8.0


class Replaced(Exception):
    """Another program has connected under our application's name: this one hears nothing any more and
    must stop."""


class EventSocket:
    """Events of one Stasis application, handed to `on_event` as they come, which must not block.
    `on_connected` is awaited at every (re)connect, while events go on being handed over; `on_lost` is
    called when the connection breaks."""

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
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled. Raises Replaced."""
        loop = asyncio.get_running_loop()
        retry = FIRST_RETRY
        while True:
            began = loop.time()
            try:
                await self._session()
                why = "Asterisk closed the connection"
            except aiohttp.WSServerHandshakeError as refused:
                why = _HANDSHAKE.get(refused.status, str(refused))
            except (aiohttp.ClientError, TimeoutError, OSError, PbxError) as error:
                why = str(error) or type(error).__name__
            if loop.time() - began > STEADY_SECONDS:
                retry = FIRST_RETRY
            log.warning("no ARI connection", why=why, again_in=round(retry, 1))
            await asyncio.sleep(retry * random.uniform(0.8, 1.2))
            retry = min(retry * 2, LAST_RETRY)

    async def _session(self) -> None:
        async with self._client.session.ws_connect(
            f"{self._client.url}/ari/events",
            params={"app": self._app},
            heartbeat=HEARTBEAT_SECONDS,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            max_msg_size=LARGEST_EVENT,
        ) as socket:
            log.info("ARI connected", app=self._app)
            # Reading goes on meanwhile: what happens during the reconciliation must neither be lost nor fill
            # Asterisk's buffers.
            lane = Lane(socket)
            self._client.use(lane)
            reader = asyncio.create_task(self._read(socket, lane))
            keeper = asyncio.create_task(self._keep(lane))
            try:
                ended, _ = await asyncio.wait({reader, keeper}, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    await task
            finally:
                for task in (reader, keeper):
                    task.cancel()
                self._client.use(None)
                lane.close()
                await asyncio.gather(reader, keeper, return_exceptions=True)
                self._on_lost()

    async def _keep(self, lane: Lane) -> None:
        await self._filter()
        await lane.knock()
        await self._listen()
        await self._on_connected()
        for pause in itertools.chain([LISTEN_AFTER], itertools.repeat(LISTEN_EVERY)):
            await asyncio.sleep(pause)
            await self._listen()

    async def _filter(self) -> None:
        """Only what is used: saves half the events, and so half the work."""
        allowed = {"allowed": [{"type": kind} for kind in USED]}
        await self._client.request("PUT", f"/applications/{self._app}/eventFilter", body=allowed)

    async def _listen(self) -> None:
        """Can we be heard, and hear? Where an earlier connection of ours ends in Asterisk at the moment in
        which this one begins, it may take our application away with it: this one then stays open, and
        nothing comes any more (16 and 22: 8 % of reconnections without a pause)."""
        self._heard.clear()
        await self._client.request("POST", f"/events/user/{HELLO}", {"application": self._app})
        try:
            await within(self._heard.wait(), HEARING_SECONDS)
        except TimeoutError:
            raise PbxUnreachable("the connection is open, but Asterisk tells nothing over it") from None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, lane: Lane) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                event = self._decoder.decode(message.data)
                if event.type == "RESTResponse":
                    lane.take(message.data)
                    continue
            except msgspec.DecodeError as error:
                log.warning("event not understood", why=str(error), text=message.data[:200])
                continue
            if event.type == "ApplicationReplaced":
                raise Replaced(
                    f'another program has connected to Asterisk as "{self._app}"; '
                    "only one daemon may use an application name"
                )
            if event.eventname == HELLO:
                self._heard.set()
                continue
            self._on_event(event)


_HANDSHAKE = {
    401: "Asterisk refuses our ARI user or password",
    403: "Asterisk refuses our ARI user or password",
    404: "ARI is not there: enable it in ari.conf and http.conf, and load res_ari_events.so",
    503: "Asterisk is still booting",
}
