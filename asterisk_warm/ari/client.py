"""A thin ARI client on aiohttp: one request, one typed answer or one of three errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from asterisk_warm.engine.ports import LegGone, PbxError, PbxRefused, PbxUnreachable

REQUEST_SECONDS = 5.0
CONNECTIONS = 8
"""Asterisk's listen backlog is 10: a burst of new connections beyond it costs a second each."""
KEEPALIVE_SECONDS = 10.0
"""Asterisk itself closes an idle connection after 15."""
_WORDS_LIMIT = 200

T = TypeVar("T")


class NotThere(PbxRefused):
    """A bridge, playback or application that does not exist (any more)."""


class AriClient:
    """REST requests to one Asterisk. `url` is that of its HTTP server, without `/ari`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made at first use, because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, kind: type[T], **query: str) -> T:
        """GET, decoded as `kind`. Raises as `request` does."""
        text = await self.request("GET", path, query)
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError as error:
            raise PbxRefused(f"Asterisk's answer to GET {path} was not understood: {error}") from error

    async def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> bytes:
        """One request; the answer's body. What may be long belongs in `body`: Asterisk takes no request
        line beyond 4096 bytes.

        Raises LegGone (no such channel), NotThere (no such bridge, …), PbxRefused (any other refusal,
        with Asterisk's words) or PbxUnreachable (no answer: whether it was carried out is unknown)."""
        try:
            async with self.session.request(
                method, f"{self.url}/ari{path}", params=query, json=body
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or type(error).__name__
            raise PbxUnreachable(f"Asterisk did not answer {method} {path}: {words}") from error
        if answer.status < 300:
            return text
        raise _refusal(method, path, answer.status, text)


def _refusal(method: str, path: str, status: int, text: bytes) -> PbxError:
    words = _message(text)
    if words == "Channel not found" or (status == 404 and path.startswith("/channels/") and not words):
        return LegGone("the channel is gone")
    if status == 404:
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
