"""Requests to a calendar server, and a calendar that is one iCalendar by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from asterisk_warm import web
from asterisk_warm.calendars.source import (
    MOST_BYTES,
    NETWORK_SECONDS,
    Content,
    NotUnderstood,
    Span,
    Unreadable,
)

MOST_REDIRECTS = 5
CONNECTIONS = 16
"""Calendars that are fetched at once."""
_REDIRECTS = (301, 302, 303, 307, 308)
_WORDS = {
    401: "refuses the user or the password",
    403: "does not allow that user to read it",
    404: "has no calendar at this URL",
    410: "has no calendar at this URL any more",
    429: "has been asked too often: raise the seconds between two readings",
}


@dataclass(frozen=True, slots=True)
class Answer:
    url: URL
    """Of where it came from in the end."""
    status: int
    headers: Mapping[str, str]
    """Without regard to case."""
    body: bytes


class Network:
    """What all calendars share on the way to their servers."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(CONNECTIONS)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made at first use, because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # a reading has its own
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class Server:
    """One calendar's server. It is never left: no redirect takes the password elsewhere."""

    def __init__(self, network: Network, url: URL, user: str, password: str) -> None:
        self._network = network
        self.url = url
        self.name = url.host if url.is_default_port() else f"{url.host}:{url.port}"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)} if user else {}

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Around all the requests of one reading, when it is its turn. Raises Unreadable when they take too
        long."""
        try:
            async with self._network.turns, asyncio.timeout(NETWORK_SECONDS):
                yield
        except TimeoutError:
            raise Unreadable(f"{self.name} did not answer within {NETWORK_SECONDS:g} s") from None

    async def ask(
        self,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        expected: tuple[int, ...] = (200,),
    ) -> Answer:
        """Raises Unreadable, also on any other status."""
        try:
            answer = await self._follow(method, {**self._headers, **headers}, body)
        except aiohttp.ClientError as error:
            raise Unreadable(_words(self.name, error)) from None
        if answer.status not in expected:
            raise Unreadable(f"{self.name} {self._refusal(answer.status)}")
        return answer

    def _refusal(self, status: int) -> str:
        if status == 401 and not self._headers:
            return "wants a user and a password"
        return _WORDS.get(status) or f"answers {web.status(status)}"

    async def _follow(self, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        url = self.url
        for _ in range(MOST_REDIRECTS):
            answer = await self._once(method, url, headers, body)
            if answer.status not in _REDIRECTS:
                return answer
            url = self._redirected(url, answer.headers.get("Location", ""))
        raise Unreadable(f"{self.name} redirects more than {MOST_REDIRECTS} times")

    async def _once(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        # A stream has no length that can be trusted, and may be packed: what is counted is what comes out.
        async with self._network.session.request(
            method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            parts, size = [], 0
            async for part in answer.content.iter_chunked(1 << 16):
                size += len(part)
                if size > MOST_BYTES:
                    raise NotUnderstood(
                        f"{self.name} sends more than {MOST_BYTES / 1e6:g} MB: share fewer past events"
                    )
                parts.append(part)
            return Answer(url, answer.status, answer.headers, b"".join(parts))

    def _redirected(self, url: URL, location: str) -> URL:
        try:
            there = url.join(URL(location))
        except ValueError:
            raise Unreadable(f"{self.name} redirects to nowhere") from None
        moved = there.origin() != url.origin() if there.absolute and there.host else True
        safer = there.host == url.host and there.scheme == "https" and url.scheme == "http"
        if moved and not safer:
            other = f"{there.scheme}://{there.host}"
            raise Unreadable(
                f"{self.name} redirects to {other}, which is not followed: configure the URL there"
            )
        return there.with_user(None)


def _words(name: str | None, error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no server {name}"
    return f"{name} {web.failure(error)}"


class UrlSource:
    """Sent again only when it has changed, if the server can tell."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def fetch(self, mark: Mapping[str, str], span: Span) -> Content | None:
        headers = {"Accept": "text/calendar", **mark}
        async with self._server.in_time():
            answer = await self._server.ask("GET", headers, expected=(200, 304) if mark else (200,))
        if answer.status == 304:
            return None
        asked = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        marks = {ask: answer.headers[tell] for ask, tell in asked.items() if tell in answer.headers}
        return Content((answer.body,), marks)
