"""The route of the screens."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import hdrs, web

from asterisk_warm.api.access import PROTOCOL, SCREEN, protocols
from asterisk_warm.api.faults import Faults, parameters
from asterisk_warm.api.handling import Handler
from asterisk_warm.api.peer import TOKEN, agent_of
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.engine.agents.service import AgentService


class ScreenRoutes:
    def __init__(self, screens: ScreenHub, tokens: Tokens, agents: AgentService) -> None:
        self._screens = screens
        self._tokens = tokens
        self._agents = agents

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [("GET", SCREEN, self._serve)]

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        agent = self._agents.show(agent_of(request) or _agent(request)).id
        _websocket(request)
        token = request.get(TOKEN)

        async def valid() -> bool:
            return token is None or await self._tokens.holds(token)

        return await self._screens.serve(request, agent, token.id if token is not None else "", valid)


def _agent(request: web.Request) -> str:
    """Raises Problem (422)."""
    faults = Faults()
    agent = parameters(request.query.items(), ("agent",), faults).get("agent", "")
    if not agent:
        faults.add("?agent", "must be given", "say whose screen it is")
    faults.settle()
    return agent


def _websocket(request: web.Request) -> None:
    """Raises Problem (422, 426). What it is not told of, aiohttp would log, with the token in it."""
    offered = protocols(request)
    if offered and PROTOCOL not in offered:
        faults = Faults()
        faults.add("Sec-WebSocket-Protocol", f"{PROTOCOL} is not among them", f"offer {PROTOCOL} as well")
        faults.settle()
    if not web.WebSocketResponse(protocols=(PROTOCOL,)).can_prepare(request):
        raise Problem(
            HTTPStatus.UPGRADE_REQUIRED,
            "upgrade",
            "this is a WebSocket, and the request does not ask for one as RFC 6455 has it",
            "connect with a WebSocket client",
            headers={hdrs.UPGRADE: "websocket"},
        )
