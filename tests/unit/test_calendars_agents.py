"""The calendars of all agents: watched, shared, read again and again; and what may be configured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from calendar_stage import HOUR, NOW, SECRET, Clock, Server, busy, read, serving
from structlog.testing import capture_logs

from asterisk_warm.calendars import web as calendar_web
from asterisk_warm.calendars.calendars import Calendars
from asterisk_warm.calendars.source import CalendarSource, Span
from asterisk_warm.core.presence import Calendar


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    return server.url


async def test_given_agents_when_watched_then_those_with_the_same_calendar_and_zone_share_a_reading(
    server: Server, url: str, clock: Clock
) -> None:
    calendars = Calendars({"work": CalendarSource(url=url)}, 60, 900, clock=clock)
    told: list[str] = []
    calendars.listen(told.append)
    berlin = ("work", "Europe/Berlin")
    calendars.watch({"ana": berlin, "ben": berlin, "cleo": ("work", "Asia/Tokyo"), "dan": ("gone", "")})
    assert (await read(calendars)).busy == busy(10)
    assert sorted(told) == ["ana", "ben"]
    assert calendars.of("ben") is calendars.of("ana")
    assert calendars.of("cleo") == Calendar((), None, 900)
    assert calendars.of("dan") == Calendar((), None, 900, 'no calendar "gone" is configured (there is: work)')
    assert calendars.of("eve") is None
    assert await calendars.refresh("eve") is None
    assert await calendars.refresh("dan") == calendars.of("dan")

    calendars.watch({"ben": berlin, "ana": ("work", "Mars/Olympus"), "cleo": ("work", "Europe")})
    assert (await read(calendars, "ben")).busy == busy(10)
    for agent, zone in (("ana", "Mars/Olympus"), ("cleo", "Europe")):
        wrong = calendars.of(agent)
        assert wrong is not None
        assert wrong.error == f'there is no time zone "{zone}": an IANA name is needed, such as Europe/Berlin'
    await calendars.close()


async def test_given_it_runs_when_calendars_are_watched_then_they_are_read_again_and_again(
    server: Server, url: str
) -> None:
    calendars = Calendars(
        {"work": CalendarSource(url=url), "home": CalendarSource(url=f"{url}?home")}, 0.05, 900
    )
    told: asyncio.Queue[str] = asyncio.Queue()
    calendars.listen(told.put_nowait)
    running = asyncio.create_task(calendars.run())
    async with asyncio.timeout(20):
        calendars.watch({"ana": ("work", "")})
        assert [await told.get() for _ in range(3)] == ["ana"] * 3
        calendars.watch({"ben": ("home", "")})
        while await told.get() != "ben":
            pass
        asked = len(server.asked)
        assert [await told.get() for _ in range(3)] == ["ben"] * 3
        assert {request.query_string for request in server.asked[asked:]} == {"home"}
        server.never = True
        await server.waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("calendar ")]


async def test_given_more_calendars_than_may_be_fetched_at_once_when_read_then_each_waits_for_its_turn(
    server: Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_web, "CONNECTIONS", 1)
    calendars = Calendars({name: CalendarSource(url=url) for name in "ab"}, 60, 900)
    calendars.watch({name: (name, "") for name in "ab"})
    server.never = True
    async with asyncio.timeout(20):
        first = asyncio.create_task(calendars.refresh("a"))
        await server.waiting.wait()
        second = asyncio.create_task(calendars.refresh("b"))
        # Were it on its way, it would be there before what is sent after it.
        async with aiohttp.ClientSession() as session:
            await session.head(url)
        assert [request.method for request in server.asked] == ["GET", "HEAD"]
        server.go_on.set()
        assert all(calendar and not calendar.error for calendar in await asyncio.gather(first, second))
    assert len(server.asked) == 3
    await calendars.close()


async def test_given_it_runs_when_somebody_who_is_told_fails_then_it_is_logged_and_goes_on(
    server: Server, url: str
) -> None:
    calendars = Calendars({"work": CalendarSource(url=url)}, 0.05, 900)
    calendars.watch({"ana": ("work", "")})
    told: asyncio.Queue[str] = asyncio.Queue()

    def fail(agent: str) -> None:
        told.put_nowait(agent)
        raise RuntimeError("no such agent")

    calendars.listen(fail)
    with capture_logs() as logged:
        running = asyncio.create_task(calendars.run())
        async with asyncio.timeout(20):
            assert [await told.get() for _ in range(3)] == ["ana"] * 3
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert logged[0]["event"] == "calendar not read, through a fault of ours"


async def test_given_a_calendar_that_is_being_read_when_nobody_needs_it_any_more_then_nobody_is_told(
    server: Server, url: str
) -> None:
    calendars = Calendars({"work": CalendarSource(url=url)}, 60, 900)
    calendars.watch({"ana": ("work", "")})
    told: list[str] = []
    calendars.listen(told.append)
    server.never = True
    reading = asyncio.create_task(calendars.refresh("ana"))
    async with asyncio.timeout(20):
        await server.waiting.wait()
        calendars.watch({})
        server.go_on.set()
        assert await reading is None
    assert told == []
    await calendars.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "one of file, url and caldav, not none"),
        ({"url": "https://a/b", "caldav": "https://a/b"}, "not url and caldav"),
        ({"file": Path("/a"), "password": "x"}, "takes no user and no password"),
        ({"url": "https://a/b", "password": "x"}, "needs its user, too"),
        ({"url": "https://a/b", "user": "a:b"}, "cannot hold a colon"),
        ({"url": f"ftp://a/{SECRET}"}, "url of a calendar must be like https://"),
        ({"caldav": SECRET}, "caldav of a calendar must be like https://"),
        ({"url": f"http://a:99999/{SECRET}"}, "url of a calendar must be like https://"),
        ({"url": f"https://ana:{SECRET}@a/b"}, "use the settings user and password instead"),
    ],
)
def test_given_what_is_no_calendar_when_configured_then_it_is_refused_in_words_without_secrets(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        CalendarSource(**settings)  # type: ignore[arg-type]
    assert SECRET not in str(refused.value)


def test_given_a_webcal_address_when_configured_then_it_is_https() -> None:
    assert str(CalendarSource(url="webcal://a.example/b?c=d").address) == "https://a.example/b?c=d"
    assert SECRET not in repr(CalendarSource(url=f"https://a/{SECRET}", user="a", password=SECRET))
    assert Span.around(NOW) == Span(NOW - 24 * HOUR, NOW + 8 * 24 * HOUR)
