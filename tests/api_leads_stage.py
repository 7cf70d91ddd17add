"""The API as another machine and an agent's browser see it, upon `api_stage`."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from api_stage import JSON, PROBLEM, SECONDS, Stage, open_stage

from asterisk_warm.api.network import Network
from asterisk_warm.engine.screens.ports import Notice

LOOPBACK = "127.0.0.1"
SCRIPT = """\
id: solar
name: Solar
summary: "{name} owns the home: {owner}"
verdicts: {ready: 10}
questions:
  owner:
    ask: yesno
    say: Does the lead own the home?
    rules:
      - {is: yes, points: 10}
      - {is: no, knockout: does not own the home}
  roof:
    ask: choice
    say: What is the roof made of?
    optional: true
    choices: {tiles: Tiles, metal: Metal}
"""


class Far:
    """Requests over the network."""

    def __init__(self, stage: Stage, tls: ssl.SSLContext | None = None) -> None:
        self.stage = stage
        self._tls = tls

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://{LOOPBACK}:{self.stage.api.port}"

    async def secret(self, agent: str = "", note: str = "") -> str:
        _, secret = await self.stage.tokens.make(agent, note, "test")
        return secret

    async def ask(self, method: str, path: str, body: object = None, *, secret: str = "") -> tuple[int, Any]:
        status, answer, _ = await self.ask_raw(method, path, secret=secret, json=body)
        return status, answer

    async def ask_raw(
        self, method: str, path: str, *, secret: str = "", headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """(status, decoded answer, response). Whatever the answer, it is JSON of the right kind."""
        sent = {**bearer(secret), **(headers or {})}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, headers=sent, ssl=self._tls or True, **more) as response,
        ):
            answer = await response.json(content_type=JSON if response.status < 300 else PROBLEM)
            return response.status, answer, response

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which anything can be sent."""
        return await asyncio.open_connection(LOOPBACK, self.stage.api.port)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


@asynccontextmanager
async def open_far(folder: Path) -> AsyncIterator[Far]:
    async with open_stage(folder, Network(LOOPBACK, 0)) as stage:
        yield Far(stage)


# -- screens -------------------------------------------------------------------------------------------------


class Screen:
    """A browser's side of a screen: reads all the time, as a browser does, and keeps what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> int | None:
        async for message in self.socket:
            self._told.put_nowait(json.loads(message.data))
        return self.socket.close_code

    async def told(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self._told.get()

    async def ended(self) -> int | None:
        """Why it was closed, as a number."""
        async with asyncio.timeout(SECONDS):
            return await self._reading

    async def leave(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self.socket.close()


@asynccontextmanager
async def screen(far: Far, secret: str, path: str = "/v1/screen", **more: Any) -> AsyncIterator[Screen]:
    """A screen over the network, greeted. `more`: of `ws_connect`."""
    more.setdefault("headers", bearer(secret))
    async with aiohttp.ClientSession() as session:
        opened = Screen(await session.ws_connect(far.url + path, **more))
        try:
            yield opened
        finally:
            await opened.leave()


def notice(number: int, agent: str = "ana", kind: str = "offer.made", size: int = 0) -> Notice:
    return Notice(f"warm-1.{number}.made", kind, 1000.5 + number, agent, {"n": number, "more": "x" * size})


class RawScreen:
    """A WebSocket of which every byte is ours: it answers what it likes, or nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def frame(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame of the server."""
        async with asyncio.timeout(SECONDS):
            first, length = await self._reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self._reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self._reader.readexactly(8), "big")
            return first & 0x0F, await self._reader.readexactly(length)

    def send(self, opcode: int, payload: bytes = b"", *, length: int | None = None) -> None:
        """A frame, masked with zeros. `length`: what its head says instead of the truth."""
        size = len(payload) if length is None else length
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        self._writer.write(head + bytes(4) + payload)

    async def cut(self) -> None:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionError):
                while await self._reader.read(65536):
                    pass

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def raw_screen(far: Far, secret: str, receive_bytes: int = 0) -> AsyncIterator[RawScreen]:
    """Connected, and not greeted yet: the first frame is the greeting. `receive_bytes`: nothing more than that
    is taken from the socket as long as nobody reads."""
    reader, writer = await asyncio.open_connection(
        LOOPBACK, far.stage.api.port, **({"limit": receive_bytes} if receive_bytes else {})
    )
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /v1/screen HTTP/1.1",
        "Host: warm",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {secret}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    opened = RawScreen(reader, writer)
    try:
        yield opened
    finally:
        opened.close()


async def until_screens(stage: Stage, count: int) -> None:
    """Wait until so many are connected."""
    async with asyncio.timeout(SECONDS):
        while len(stage.hub) != count:  # noqa: ASYNC110, there is no event
            await asyncio.sleep(0.005)
