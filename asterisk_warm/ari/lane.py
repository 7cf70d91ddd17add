"""Requests over the websocket that brings the events: a third of HTTP's work for both sides, where Asterisk
takes them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import aiohttp
import msgspec

from asterisk_warm.engine.ports.pbx import PbxUnreachable

REQUEST_SECONDS = 5.0
STUCK_SECONDS = 0.1
"""Asterisk carries out one after the other: behind one that takes that long, others do not queue."""
_JSON = "application/json"


class _Pair(msgspec.Struct):
    name: str
    value: str


class _Request(msgspec.Struct, tag_field="type", tag="RESTRequest", omit_defaults=True):
    """As Asterisk's `res/ari/ari_websocket_requests.c` reads it."""

    request_id: str
    method: str
    uri: str
    """Without a leading slash."""
    query_strings: list[_Pair] = []
    message_body: str = ""
    content_type: str = ""


class _Answer(msgspec.Struct):
    request_id: str
    status_code: int
    message_body: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Answer).decode


class Lane:
    """One websocket's requests. Open once Asterisk has carried one out: an older one reads what it is sent
    and never answers."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[str, tuple[float, asyncio.Future[_Answer]]] = {}
        """Oldest first; with the moment it was sent."""
        self._ids = itertools.count()
        self._open = False
        self._clock = asyncio.get_running_loop().time

    @property
    def open(self) -> bool:
        return self._open

    @property
    def free(self) -> bool:
        """Open, and what is sent now will be carried out at once or nearly so."""
        if not self._waiting:
            return self._open
        sent, _ = next(iter(self._waiting.values()))
        return self._open and self._clock() - sent < STUCK_SECONDS

    async def knock(self) -> None:
        """Ask whether Asterisk takes requests here. There may never be an answer, so none is awaited."""
        await self._write(_Request(str(next(self._ids)), "GET", "asterisk/ping"))

    async def send(self, method: str, path: str, query: Mapping[str, str], body: object) -> tuple[int, bytes]:
        """(status, body). Raises PbxUnreachable."""
        request = _Request(
            request_id=str(next(self._ids)),
            method=method,
            uri=path[1:],
            query_strings=[_Pair(name, value) for name, value in query.items()],
        )
        if body is not None:
            request.message_body, request.content_type = _encode(body).decode(), _JSON
        answered: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = self._clock(), answered
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._write(request)
                answer = await answered
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or type(error).__name__
            raise PbxUnreachable(f"Asterisk did not answer {method} {path}: {words}") from error
        finally:
            del self._waiting[request.request_id]
        return answer.status_code, answer.message_body.encode()

    async def _write(self, request: _Request) -> None:
        await self._socket.send_frame(_encode(request), aiohttp.WSMsgType.TEXT)

    def take(self, text: str) -> None:
        """A `RESTResponse`. Raises msgspec.DecodeError."""
        answer = _decode(text)
        self._open = self._open or answer.status_code < 300
        _, answered = self._waiting.get(answer.request_id, (0.0, None))
        if answered is not None and not answered.done():
            answered.set_result(answer)

    def close(self) -> None:
        """The websocket is gone: whether what is unanswered was carried out, nobody knows."""
        self._open = False
        for _, answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError("the connection broke"))
