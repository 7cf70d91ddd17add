"""A thin ARI client on aiohttp: one request, one typed answer or one of three errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from asterisk_warm.engine.ports import LegGone, PbxRefused, PbxUnreachable

REQUEST_SECONDS = 5.0
CONNECTIONS = 8
"""Asterisk's listen backlog is 10: a burst of new connections beyond it costs a second each."""
KEEPALIVE_SECONDS = 10.0
"""Asterisk itself closes an idle connection after 15."""

T = TypeVar("T")


class AriClient:
    """REST requests to one Asterisk. `url` is that of its HTTP server, without `/ari`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
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
        """GET, decoded as `kind`."""
        return msgspec.json.decode(await self.request("GET", path, query), type=kind)

    async def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> bytes:
        """One request; the answer's body. Raises LegGone (404), PbxRefused (any other refusal, with
        Asterisk's words) or PbxUnreachable (no answer: whether it was carried out is unknown)."""
        try:
            async with self.session.request(
                method, f"{self.url}/ari{path}", params=query, json=body
            ) as answer:
                text = await answer.read()
                if answer.status < 300:
                    return text
                raise _refusal(method, path, answer.status, text)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or type(error).__name__
            raise PbxUnreachable(f"Asterisk did not answer {method} {path}: {words}") from error


def _refusal(method: str, path: str, status: int, text: bytes) -> LegGone | PbxRefused:
    words = _message(text)
    if status == 404:
        return LegGone(words or f"{path} is not there")
    return PbxRefused(f"{method} {path}: {status} {words}")


def _message(text: bytes) -> str:
    try:
        answer: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text[:200].decode(errors="replace")
    return str(answer.get("message") or answer.get("error") or "") if isinstance(answer, dict) else ""


def part(text: str) -> str:
    """A channel name or the like as one part of a path."""
    return quote(text, safe="")
