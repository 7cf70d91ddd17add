"""Calendars to test with: one event, an HTTP server that says what it is told to, a clock that stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

from asterisk_warm.calendars.calendars import Calendars
from asterisk_warm.calendars.source import CalendarSource
from asterisk_warm.core.presence import Busy, Calendar

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
SECRET = "hunter2"


def at(hour: int, what: str = "Standup") -> bytes:
    """A calendar with one event, of an hour, on the day of `NOW`."""
    lines = f"DTSTART:20261128T{hour:02}0000Z\r\nDURATION:PT1H\r\nSUMMARY:{what}"
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()


def busy(hour: int, what: str = "Standup") -> tuple[Busy, ...]:
    start = NOW + (hour - 12) * HOUR
    return (Busy(start, start + HOUR, what),)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


Make = Callable[..., Calendars]


@asynccontextmanager
async def making(clock: Clock) -> AsyncIterator[Make]:
    """A function that makes calendars of one source, which is that of agent `ana`."""
    made: list[Calendars] = []

    def one(**settings: object) -> Calendars:
        calendars = Calendars({"work": CalendarSource(**settings)}, 60, 900, clock=clock)  # type: ignore[arg-type]
        calendars.watch({"ana": ("work", "")})
        made.append(calendars)
        return calendars

    yield one
    for calendars in made:
        await calendars.close()


async def read(calendars: Calendars, agent: str = "ana") -> Calendar:
    calendar = await calendars.refresh(agent)
    assert calendar is not None
    return calendar


class Server:
    """Says what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.body, self.status = at(10), 200
        self.headers: dict[str, str] = {}
        self.asked: list[web.Request] = []
        self.never = False
        self.waiting, self.go_on = asyncio.Event(), asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.never and request.method == "GET":
            self.waiting.set()
            await self.go_on.wait()
        etag = self.headers.get("ETag")
        if etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", server.handle)
    async with TestServer(app) as running:
        server.url = str(running.make_url(f"/{SECRET}/ana.ics"))
        yield server
