"""The routes, and what each does: read the request, ask the service, show the answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from asterisk_warm.api.peer import user_of
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.reading import listing_of, nothing_of, start_of
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.service import HandoffService

Handler = Callable[[web.Request], Awaitable[web.Response]]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Routes:
    """The handlers, in front of one service."""

    def __init__(self, service: HandoffService) -> None:
        self._service = service

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/health", self._health),
            ("GET", "/v1/handoffs", self._list),
            ("POST", "/v1/handoffs", self._start),
            ("GET", "/v1/handoffs/{id}", self._show),
            ("DELETE", "/v1/handoffs/{id}", self._cancel),
            ("GET", "/v1/handoffs/{id}/story", self._story),
            ("GET", "/v1/handoffs/{id}/journal", self._journal),
            *(("POST", f"/v1/handoffs/{{id}}/{action}", self._asking(action)) for action in Action),
            ("GET", "/v1/teams", self._teams),
            ("GET", "/v1/teams/{id}", self._team),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return _json(await self._service.health())

    async def _list(self, request: web.Request) -> web.Response:
        asked = listing_of(request.query.items())
        found = await self._service.list(open_only=asked.state == "open", limit=asked.limit)
        return _json({"handoffs": found})

    async def _start(self, request: web.Request) -> web.Response:
        asked = start_of(await _body(request))
        view = await self._service.start(
            destination=asked.destination,
            channel=asked.channel or "",
            qualifier=asked.qualifier or "",
            mode=asked.mode,
            lead_name=asked.name,
            lead_number=asked.number,
            summary=asked.summary,
            details=asked.details,
            holds=asked.holds,
            return_to=asked.return_to,
            requested_by=user_of(request),
        )
        return _json(view, HTTPStatus.CREATED, {"Location": f"/v1/handoffs/{view.id}"})

    async def _show(self, request: web.Request) -> web.Response:
        return _json(await self._service.show(_id(request)))

    async def _cancel(self, request: web.Request) -> web.Response:
        return _json(await self._service.cancel(_id(request), user_of(request)))

    def _asking(self, action: Action) -> Handler:
        async def ask(request: web.Request) -> web.Response:
            nothing_of(await _body(request))
            return _json(await self._service.ask(_id(request), action, user_of(request)))

        return ask

    async def _story(self, request: web.Request) -> web.Response:
        return _json({"story": await self._service.story(_id(request))})

    async def _journal(self, request: web.Request) -> web.Response:
        return _json({"journal": await self._service.journal(_id(request))})

    async def _teams(self, _: web.Request) -> web.Response:
        return _json({"teams": await self._service.teams()})

    async def _team(self, request: web.Request) -> web.Response:
        return _json(await self._service.team(_team_id(request)))


async def _body(request: web.Request) -> bytes:
    """Raises Problem when it does not arrive whole."""
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "malformed", "the body did not arrive whole", "send the request again"
        ) from error


def _id(request: web.Request) -> str:
    """A handoff's id, or a piece of one. What cannot be an id is no handoff, and never reaches a database."""
    return _plain_id(request, "handoff", "see `asterisk-warm handoff list --all`")


def _team_id(request: web.Request) -> str:
    return _plain_id(request, "team", "see `asterisk-warm team list`")


def _plain_id(request: web.Request, what: str, remedy: str) -> str:
    given = request.match_info["id"]
    if not _ID.fullmatch(given):
        raise Refused("not_found", f"that is not the id of a {what}", remedy)
    return given


def _json(
    answer: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(answer), content_type="application/json", headers=headers
    )
