"""A thin ARI client: one request, one typed answer or one of four errors; over the websocket where Asterisk
takes it, else by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from asterisk_warm.ari.http import HttpRequests
from asterisk_warm.ari.lane import Lane
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable

_WORDS_LIMIT = 200
_NO_CHANNEL = ("Channel not found", "Provided channel was not found")
_NOTHING: Mapping[str, str] = {}

T = TypeVar("T")


class NotThere(PbxRefused):
    """A bridge, playback or application that does not exist (any more)."""


class AriClient:
    """REST requests to one Asterisk. `url` is that of its HTTP server, without `/ari`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._http = HttpRequests(self.url, user, password)
        self._lane: Lane | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        return self._http.session

    @property
    def over_websocket(self) -> bool:
        """Whether this Asterisk takes requests over the websocket."""
        return self._lane is not None and self._lane.open

    def use(self, lane: Lane | None) -> None:
        """The websocket to send requests over; None when there is none (any more)."""
        self._lane = lane

    async def close(self) -> None:
        await self._http.close()

    async def get(self, path: str, kind: type[T], **query: str) -> T:
        """GET, decoded as `kind`. Raises as `request` does."""
        return decoded(path, await self.request("GET", path, query), kind)

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        apart: bool = False,
    ) -> bytes:
        """One request; the answer's body. What may be long belongs in `body`: Asterisk takes no request
        line beyond 4096 bytes. `apart`: what takes its time, or is answered at length, so that nothing waits
        behind it on the websocket.

        Raises LegGone (no such channel), NotThere (no such bridge, …), PbxRefused (any other refusal,
        with Asterisk's words) or PbxUnreachable (no answer: whether it was carried out is unknown)."""
        lane = self._lane
        transport = lane if lane is not None and lane.free and not apart else self._http
        status, text = await transport.send(method, path, query or _NOTHING, body)
        if status < 300:
            return text
        raise _refusal(method, path, status, text)


def decoded(path: str, text: bytes, kind: type[T]) -> T:
    """Asterisk's answer to GET `path`. Raises PbxRefused."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise PbxRefused(f"Asterisk's answer to GET {path} was not understood: {error}") from error


def _refusal(method: str, path: str, status: int, text: bytes) -> PbxError:
    words = _message(text)
    if words in _NO_CHANNEL or (status == 404 and path.startswith("/channels/") and not words):
        return LegGone("the channel is gone")
    if status == 404 or words == "Bridge not in Stasis application":
        # The second is said of one that was destroyed, and is kept until those who were in it hang up.
        return NotThere(words or f"{path} is not there")
    if status in (401, 403):
        return PbxRefused("Asterisk refuses our ARI user or password")
    if status == 503:
        return PbxUnreachable("Asterisk is still booting")
    return PbxRefused(f"{method} {path}: {status} {words}".rstrip())


def _message(text: bytes) -> str:
    """Asterisk's words: in JSON, except where its HTTP server refused before ARI was asked."""
    try:
        answer = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    return str(answer.get("message") or answer.get("error") or "")[:_WORDS_LIMIT]


def part(text: str) -> str:
    """A device name or the like as one part of a path."""
    return quote(text, safe="")
