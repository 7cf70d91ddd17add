"""The API's server: aiohttp on a unix socket, and at an address of the network where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from asterisk_warm.api import network, unix_socket
from asterisk_warm.api.access import Next, guard
from asterisk_warm.api.handling import BODY_AT_MOST
from asterisk_warm.api.network import HEAD_SECONDS, LINGER_SECONDS, Network
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.quiet import LOGGER
from asterisk_warm.api.request_id import named, request_id
from asterisk_warm.api.routes import Routes
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.services import Services
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError

log = structlog.get_logger(__name__)

FINISH_SECONDS = 2.0
"""How long requests that are under way may take when the daemon stops."""
_SERVER: Mapping[str, Any] = {
    "access_log": None,
    "logger": LOGGER,
    "shutdown_timeout": FINISH_SECONDS,
    # A body is taken as it comes: nothing that asks here needs to compress it.
    "auto_decompress": False,
}
"""Of both servers."""


class Api:
    """The HTTP API in front of the services; docs/api.md."""

    def __init__(
        self,
        services: Services,
        socket: Path,
        *,
        screens: ScreenHub,
        tokens: Tokens,
        network: Network | None = None,
    ) -> None:
        self._socket = socket
        self._network = network
        self._screens = screens
        self._routes = Routes(services, screens, tokens)
        near = self._app(named, _problems)
        far = self._app(named, _private, _problems, guard(tokens, services.handoffs))
        self._near = web.AppRunner(near, **_SERVER)
        self._far = web.AppRunner(
            far, **_SERVER, keepalive_timeout=HEAD_SECONDS, lingering_time=LINGER_SECONDS
        )
        self._servers: list[asyncio.Server] = []
        self._mine: unix_socket.Bound | None = None

    def _app(self, *middlewares: Middleware) -> web.Application:
        app = web.Application(middlewares=middlewares, client_max_size=BODY_AT_MOST)
        for method, path, handler in self._routes.table():
            app.router.add_route(method, path, handler)
        return app

    async def start(self) -> None:
        """Listen. Raises unix_socket.CannotListen (an OSError), in words."""
        self._mine = unix_socket.bind(self._socket)
        try:
            near = await _handler(self._near)
            loop = asyncio.get_running_loop()
            self._servers.append(await loop.create_unix_server(near, sock=self._mine.socket))
            log.info("api listens", socket=str(self._socket))
            if self._network is not None:
                self._servers.append(await network.listen(self._network, await _handler(self._far)))
                log.info("api listens", address=self._network.address, port=self.port)
        except BaseException:
            await self.stop()
            raise

    @property
    def port(self) -> int:
        """Where it listens in the network; 0: nowhere."""
        near_and_far = self._servers[1:]
        return int(near_and_far[0].sockets[0].getsockname()[1]) if near_and_far else 0

    async def stop(self) -> None:
        """Take no more requests, let those under way finish, close the screens, and remove the socket."""
        if self._mine is not None:
            self._mine.remove()
        # Nobody finds the socket any more; who has connected already is taken. A connection that asyncio has
        # accepted, but not begun, when its server is closed, it forgets and never closes.
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        self._routes.end()
        await self._screens.end()
        await asyncio.gather(self._near.cleanup(), self._far.cleanup())
        self._servers.clear()
        self._mine = None


async def _handler(runner: web.AppRunner) -> web.Server:
    await runner.setup()
    assert runner.server is not None, "set up"
    return runner.server


@web.middleware
async def _private(request: web.Request, handler: Next) -> web.StreamResponse:
    """No proxy and no browser keeps what is said of a lead, or takes it for something else."""
    answer = await handler(request)
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer


@web.middleware
async def _problems(request: web.Request, handler: Next) -> web.StreamResponse:
    """Whatever goes wrong is answered as problem details, and what is our own fault is logged."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except Refused as refused:
        return Problem.of(refused).response()
    except JournalError as error:
        log.warning(
            "the API could not read or write",
            path=request.path,
            request_id=request_id(request),
            error=str(error),
        )
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unreachable",
            "the database cannot be used now",
            "the daemon's log has the reason",
        ).response()
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
