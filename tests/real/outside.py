"""Other systems, as a daemon meets them: a CRM that can be made slow, dead or lying, and a webhook's receiver."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

T = TypeVar("T")
Json = dict[str, Any]
PORT = 28093
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _nobody(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


class Outside:
    """Other systems, in a thread: a CRM that knows nobody until it is told (`answers`, by number), and a webhook's receiver."""

    def __init__(self) -> None:
        self.answers: dict[str, Answering] = {}
        self.asked: list[str] = []
        """Numbers that the CRM was asked for."""
        self.told: list[Json] = []
        """What the webhook was told."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="outside", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner = self._do(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def news(self, kind: str, **about: str) -> list[Json]:
        """What was told of that kind; the same news told again counts once."""
        told = {one["id"]: one["data"] for one in list(self.told) if one["type"] == kind}
        return [data for data in told.values() if about.items() <= data.items()]

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/leads/{number}", self._look_up)
        app.router.add_post("/hook", self._hear)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", PORT).start()
        return runner

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        self.asked.append(number)
        return await self.answers.get(number, _nobody)(request)

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        self.told.append({**await request.json(), "id": request.headers["webhook-id"]})
        return web.Response()
