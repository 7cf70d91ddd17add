"""Receivers of webhooks to test with: one that checks every signature, with somebody else's code, and some that
speak HTTP badly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from asterisk_warm.engine.screens.ports import Delivery, DeliveryStore, Notice
from asterisk_warm.webhooks import Endpoint

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SECONDS = 60.0
"""Longest wait for something that comes within moments on a machine that is not busy."""


def notice(number: int | str = 1, kind: str = "offer.made", **data: Any) -> Notice:
    return Notice(
        f"warm-{number}.1.{kind.rpartition('.')[2]}", kind, 1000.25, "ana", {"number": number, **data}
    )


def endpoint(url: str, name: str = "crm", **changes: Any) -> Endpoint:
    values: dict[str, Any] = {
        "name": name,
        "url": url,
        "secrets": (SECRET,),
        "kinds": frozenset({"offer.made", "offer.closed"}),
        "timeout_seconds": 10.0,
    }
    return Endpoint(**{**values, **changes})


class Server:
    """Answers what it is told to, and keeps what has come in."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = SECRET
        self.statuses: list[int] = []
        """Of the next answers; then 204."""
        self.headers: dict[str, str] = {}
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.hold = asyncio.Event()
        """Cleared, no request is answered."""
        self.hold.set()
        self.busy = self.busiest = 0
        self._more = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        # Raises, and so answers 500, for a signature that is wrong.
        payload = Webhook(self.secret).verify(body, dict(request.headers))
        async with self._more:
            self.ids.append(request.headers["webhook-id"])
            self.got.append(payload)
            self._more.notify_all()
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await self.hold.wait()
        finally:
            self.busy -= 1
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers=self.headers)

    async def requests(self, count: int) -> None:
        """Wait until there have been so many."""
        async with asyncio.timeout(SECONDS), self._more:
            await self._more.wait_for(lambda: len(self.ids) >= count)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{anything:.*}", server.handle)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/hook"))
        yield server
        server.hold.set()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(talk: Talk) -> AsyncIterator[str]:
    """A server that does with each connection what `talk` does, as a URL."""
    talks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The other side has hung up, or the test is over.
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of one; raises IncompleteReadError when there is none any more."""
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = (
        line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return await reader.readexactly(int(length))


async def until(store: DeliveryStore, id: int, holds: Callable[[Delivery], bool]) -> Delivery:
    """Wait until it holds of a delivery."""
    found = await _until(store, id, lambda one: one is not None and holds(one))
    assert found is not None
    return found


async def until_gone(store: DeliveryStore, id: int) -> None:
    await _until(store, id, lambda one: one is None)


async def _until(store: DeliveryStore, id: int, holds: Callable[[Delivery | None], bool]) -> Delivery | None:
    deadline = time.monotonic() + SECONDS
    while not holds(found := await store.get(id)):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.01)
    return found


def over(delivery: Delivery) -> bool:
    return delivery.next_at is None


def tried(delivery: Delivery) -> bool:
    return delivery.attempts > 0
