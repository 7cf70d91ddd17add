"""What all handlers do: take the body and the id, and answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from asterisk_warm.api.problems import Problem
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.within import within

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_AT_MOST = 64 * 1024
"""Bytes of a request's body."""
BODY_SECONDS = 20.0
"""How long a body may take to arrive."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


async def body(request: web.Request, at_most: int = BODY_AT_MOST) -> bytes:
    """Raises Problem when it does not arrive whole and in time, or is too large."""
    try:
        return await within(request.clone(client_max_size=at_most).read(), BODY_SECONDS)
    except web.HTTPRequestEntityTooLarge as error:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"the body is larger than {at_most} bytes",
            "send less",
        ) from error
    except (web.RequestPayloadError, ConnectionError, TimeoutError) as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "malformed", "the body did not arrive whole", "send the request again"
        ) from error


def plain_id(request: web.Request, what: str, remedy: str) -> str:
    """The id in the path. What cannot be an id is nobody's, and never reaches a database."""
    given = request.match_info["id"]
    if not _ID.fullmatch(given):
        raise Refused("not_found", f"that is not the id of a {what}", remedy)
    return given


def json(
    answer: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(answer), content_type="application/json", headers=headers
    )
