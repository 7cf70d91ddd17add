"""One attempt: a request, and what is made of its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from asterisk_warm import web
from asterisk_warm.engine.within import within

MOST_BYTES = 1 << 16
"""As much of an answer's body as is read, to use the connection again."""
DRAIN_SECONDS = 1.0
_WORDS = {
    401: "refuses the request (401): see whether it checks signatures with the right secret",
    403: "refuses the request (403): see whether it checks signatures with the right secret",
    410: "wants no more (410 Gone): take the webhook out of the configuration",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt."""

    error: str = ""
    """In words; empty: it has arrived."""
    wish: float = 0.0
    """In how many seconds it is to be sent again, as the other side says; 0: it says nothing."""
    final: bool = False
    """It need not be sent again."""


class Sender:
    """Shared by all endpoints; connections stay open between notices."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made at first use, because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # each endpoint has a limit of its own
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # so has each attempt
                auto_decompress=False,  # what is counted is what comes in
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> AsyncIterator[Result]:
        """The result is there as soon as the status is: whatever else the answer may hold is read behind it,
        in bounds."""
        try:
            answer = await within(self._answer(url, headers, body), seconds)
        except TimeoutError:
            yield Result(f"did not answer within {seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            yield Result(web.failure(error))
        else:
            try:
                yield _result(answer.status, answer.headers)
                await _drain(answer)
            finally:
                answer.release()

    async def _answer(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._once(url, headers, body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            # Most likely a connection that was open and that the other side has closed meanwhile.
            return await self._once(url, headers, body)

    async def _once(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        return await self.session.post(url, headers=headers, data=body, allow_redirects=False)


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """A connection on which something is still to come is closed."""
    read = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while read <= MOST_BYTES and (part := await answer.content.read(MOST_BYTES)):
                read += len(part)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        answer.close()


def _result(status: int, headers: Mapping[str, str]) -> Result:
    if 200 <= status < 300:
        return Result()
    if 300 <= status < 400:
        return Result(f"redirects ({status}), which is not followed: configure the URL there")
    wish = _seconds(headers.get("Retry-After", "")) if status in (429, 503) else 0.0
    return Result(_WORDS.get(status) or f"answers {web.status(status)}", wish, final=status == 410)


def _seconds(text: str) -> float:
    """Of a `Retry-After`: seconds, or a date; 0 when it is neither."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError, IndexError):  # whatever the mail parser trips over
        return 0.0
