"""The engine's `Crm` port by HTTP: one GET a lead, JSON back, within a budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from yarl import URL

from asterisk_warm.crm.answers import Answers
from asterisk_warm.crm.breaker import Breaker
from asterisk_warm.crm.fields import Fields
from asterisk_warm.engine.leads.ports import LookedUp, LookUpFailed

log = structlog.get_logger(__name__)

LATE_SECONDS = 10.0
"""How long an answer is waited for that comes too late for this lead: it serves the next call."""
LARGEST = 256 * 1024
"""Bytes of an answer."""
CONNECTIONS = 8
NUMBER = "{number}"
_NOBODY = (204, 404, 410)
_NO_HEADERS: Mapping[str, str] = {}


class HttpCrm:
    def __init__(
        self,
        url: str,
        fields: Fields,
        *,
        user: str = "",
        password: str = "",
        token: str = "",
        headers: Mapping[str, str] = _NO_HEADERS,
        budget_seconds: float = 0.5,
        cache_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`{number}` in `url` stands for the lead's number. Asked as a user with a password, or with a bearer
        token, or as nobody. `budget_seconds` is for all of a look-up: connection, headers and body."""
        self._url = url
        self._fields = fields
        self._headers = {"Accept": "application/json", **headers}
        if user:
            self._headers["Authorization"] = aiohttp.encode_basic_auth(user, password)
        elif token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._budget_seconds = budget_seconds
        self._answers = Answers(cache_seconds, clock)
        self._breaker = Breaker(clock)
        self._asking: dict[str, asyncio.Task[LookedUp | None]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def look_up(self, number: str) -> LookedUp | None:
        fresh, answer = self._answers.get(number)
        if fresh:
            return answer
        asking = self._asking.get(number) or self._ask(number)
        await asyncio.wait({asking}, timeout=self._budget_seconds)
        if asking.done():
            return asking.result()
        why = f"did not answer within {self._budget_seconds:g} s"
        self._breaker.failed(why)
        raise LookUpFailed(f"the CRM {why}")

    async def close(self) -> None:
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _ask(self, number: str) -> asyncio.Task[LookedUp | None]:
        """Whoever asks for the same number meanwhile waits for the same answer. Raises LookUpFailed."""
        if why := self._breaker.why:
            raise LookUpFailed(f"the CRM is not asked: {why}")
        task = self._asking[number] = asyncio.create_task(self._answer(number))
        task.add_done_callback(lambda ended: self._asked(number, ended))
        return task

    def _asked(self, number: str, ended: asyncio.Task[LookedUp | None]) -> None:
        del self._asking[number]
        if not ended.cancelled():
            ended.exception()  # Looked at here, in case nobody waits any more.

    async def _answer(self, number: str) -> LookedUp | None:
        try:
            async with asyncio.timeout(LATE_SECONDS):
                answer = await self._get(number)
        except LookUpFailed as failed:
            self._failed(str(failed))
            raise LookUpFailed(f"the CRM {failed}") from failed
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = f"could not be asked: {str(error) or type(error).__name__}"
            self._failed(why)
            raise LookUpFailed(f"the CRM {why}") from error
        self._breaker.succeeded()
        self._answers.put(number, answer)
        return answer

    def _failed(self, why: str) -> None:
        log.info("a lead was not found in the CRM", why=why)  # Never the number or what was answered.
        self._breaker.failed(why)

    async def _get(self, number: str) -> LookedUp | None:
        # As it is quoted here: else "+" would be written bare, and read as a space.
        url = URL(self._url.replace(NUMBER, quote(number, safe="")), encoded=True)
        # Elsewhere our password is nobody's business.
        async with self._http().get(url, allow_redirects=False) as answer:
            if answer.status in _NOBODY:
                return None
            if answer.status != 200:
                raise LookUpFailed(
                    _REFUSALS.get(answer.status // 100 * 100, "answered") + f" ({answer.status})"
                )
            return self._fields.read(_json(await _body(answer)))

    def _http(self) -> aiohttp.ClientSession:
        """Made at first use, because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=LATE_SECONDS),
            )
        return self._session


_REFUSALS = {
    300: "answers from another address: give that in leads.crm.url",
    400: "refuses the request: see leads.crm for its url, user and token",
    500: "has failed",
}


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 14):
        body += chunk
        if len(body) > LARGEST:
            raise LookUpFailed(f"answers with more than {LARGEST >> 10} kB")
    return bytes(body)


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LookUpFailed("does not answer with JSON") from error
