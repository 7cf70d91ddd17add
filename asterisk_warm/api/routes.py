"""The routes, and what each does: read the request, ask the service, show the answer."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from asterisk_warm.api.agent_routes import AgentRoutes
from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.lead_routes import LeadRoutes
from asterisk_warm.api.outward_routes import OutwardRoutes
from asterisk_warm.api.peer import user_of
from asterisk_warm.api.qualification_routes import QualificationRoutes
from asterisk_warm.api.reading import listing_of, nothing_of, start_of
from asterisk_warm.api.screen_routes import ScreenRoutes
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.script_routes import ScriptRoutes
from asterisk_warm.api.services import Services
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.core.handoff.policy import Action


class Routes:
    """The handlers, in front of the services."""

    def __init__(self, services: Services, screens: ScreenHub, tokens: Tokens) -> None:
        agents = services.agents
        self._service = services.handoffs
        self._qualifications = services.qualifications
        self._agents = AgentRoutes(agents)
        self._others = (
            LeadRoutes(services.leads),
            ScriptRoutes(services.scripts),
            QualificationRoutes(services.qualifications),
            OutwardRoutes(services.deliveries, tokens, screens, agents),
            ScreenRoutes(screens, tokens, agents),
        )

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
            *self._agents.table(),
            *(route for routes in self._others for route in routes.table()),
        ]

    def end(self) -> None:
        """Nobody is to be waited for any more."""
        self._agents.end()

    async def _health(self, _: web.Request) -> web.Response:
        return json(await self._service.health())

    async def _list(self, request: web.Request) -> web.Response:
        asked = listing_of(request.query.items())
        found = await self._service.list(open_only=asked.state == "open", limit=asked.limit)
        return json({"handoffs": found})

    async def _start(self, request: web.Request) -> web.Response:
        asked = start_of(await body(request))
        if asked.qualification:
            await self._qualifications.show(asked.qualification)  # Refused where there is none.
        view = await self._service.start(
            destination=asked.destination,
            channel=asked.channel or "",
            qualifier=asked.qualifier or "",
            mode=asked.mode,
            lead_name=asked.name,
            lead_number=asked.number,
            summary=asked.summary,
            details=asked.details,
            language=asked.language,
            qualification=asked.qualification,
            holds=asked.holds,
            routing=asked.routing,
            return_to=asked.return_to,
            requested_by=user_of(request),
        )
        return json(view, HTTPStatus.CREATED, {"Location": f"/v1/handoffs/{view.id}"})

    async def _show(self, request: web.Request) -> web.Response:
        return json(await self._service.show(_id(request)))

    async def _cancel(self, request: web.Request) -> web.Response:
        return json(await self._service.cancel(_id(request), user_of(request)))

    def _asking(self, action: Action) -> Handler:
        async def ask(request: web.Request) -> web.Response:
            nothing_of(await body(request))
            return json(await self._service.ask(_id(request), action, user_of(request)))

        return ask

    async def _story(self, request: web.Request) -> web.Response:
        return json({"story": await self._service.story(_id(request))})

    async def _journal(self, request: web.Request) -> web.Response:
        return json({"journal": await self._service.journal(_id(request))})


def _id(request: web.Request) -> str:
    """A handoff's id, or a piece of one. What cannot be an id is no handoff, and never reaches a database."""
    return plain_id(request, "handoff", "see `asterisk-warm handoff list --all`")
