"""The API's server: aiohttp on a unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

import structlog
from aiohttp import web

from asterisk_warm.api import unix_socket
from asterisk_warm.api.handling import BODY_AT_MOST
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.request_id import named, request_id
from asterisk_warm.api.routes import Routes
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.service import HandoffService

log = structlog.get_logger(__name__)

FINISH_SECONDS = 2.0
"""How long requests that are under way may take when the daemon stops."""


class Api:
    """The HTTP API in front of the services; docs/api.md."""

    def __init__(self, service: HandoffService, agents: AgentService, socket: Path) -> None:
        self._socket = socket
        app = web.Application(middlewares=[named, _problems], client_max_size=BODY_AT_MOST)
        self._routes = Routes(service, agents)
        for method, path, handler in self._routes.table():
            app.router.add_route(method, path, handler)
        # A body is taken as it comes: nothing that asks over this socket needs to compress it.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=FINISH_SECONDS, auto_decompress=False
        )
        self._server: asyncio.Server | None = None
        self._mine: unix_socket.Bound | None = None

    async def start(self) -> None:
        """Listen. Raises unix_socket.CannotListen (an OSError), in words."""
        self._mine = unix_socket.bind(self._socket)
        await self._runner.setup()
        handler = self._runner.server
        assert handler is not None, "set up"
        self._server = await asyncio.get_running_loop().create_unix_server(handler, sock=self._mine.socket)
        log.info("api listens", socket=str(self._socket))

    async def stop(self) -> None:
        """Take no more requests, let those under way finish, and remove the socket."""
        if self._mine is not None:
            self._mine.remove()
        # Nobody finds the socket any more; who has connected already is taken. A connection that asyncio has
        # accepted, but not begun, when its server is closed, it forgets and never closes.
        for _ in range(3):
            await asyncio.sleep(0)
        if self._server is not None:
            self._server.close()
        self._routes.end()
        await self._runner.cleanup()
        self._server = self._mine = None


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Whatever goes wrong is answered as problem details, and what is our own fault is logged."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except Refused as refused:
        return Problem.of(refused).response()
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        return _of_http(request, error).response()
    except Exception:
        log.exception(
            "the API failed", method=request.method, path=request.path, request_id=request_id(request)
        )
        return Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "the daemon could not answer",
            "its log has the reason",
        ).response()


def _of_http(request: web.Request, error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method",
            f"this cannot be done with {request.method}",
            f"use {allowed}",
            headers={"Allow": allowed},
        )
    return Problem(
        HTTPStatus.NOT_FOUND, "not_found", "there is nothing at this path", "see the routes in docs/api.md"
    )
