"""`X-Request-Id`: ties an answer to the line of the log that is about it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

HEADER = "X-Request-Id"
_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_KEY = web.RequestKey("request_id", str)


def request_id(request: web.Request) -> str:
    """The id of a request that `named` has let through."""
    return request[_KEY]


@web.middleware
async def named(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The client's own id where it can stand in a log, else one of ours; the answer carries it."""
    given = request.headers.get(HEADER, "")
    request[_KEY] = given if _USABLE.fullmatch(given) else secrets.token_hex(8)
    answer = await handler(request)
    answer.headers[HEADER] = request[_KEY]
    return answer
