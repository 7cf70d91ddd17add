"""CalDAV: on a real server, Radicale; and answers of others that it does not give."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from real_calendars import PASSWORD, USER, Radicale

from asterisk_warm.calendars.calendars import Calendars
from asterisk_warm.calendars.source import CalendarSource
from asterisk_warm.core.presence import Busy, Calendar, Presence, Seen, Why, why_not

HOUR = 3600


def event(start: float, summary: str, *more: str, uid: str = "1") -> bytes:
    """Of an hour."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
        f"DTSTART:{datetime.fromtimestamp(start, UTC):%Y%m%dT%H%M%SZ}", "DURATION:PT1H", f"SUMMARY:{summary}",
        *more, "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


Make = Callable[..., Calendars]


@pytest.fixture
async def one() -> AsyncIterator[Make]:
    """The calendar of agent `ana`."""
    made: list[Calendars] = []

    def make(url: str, password: str = PASSWORD) -> Calendars:
        calendars = Calendars({"work": CalendarSource(caldav=url, user=USER, password=password)}, 60, 900)
        calendars.watch({"ana": ("work", "Europe/Berlin")})
        made.append(calendars)
        return calendars

    yield make
    for each in made:
        await each.close()


async def read(calendars: Calendars) -> Calendar:
    calendar = await calendars.refresh("ana")
    assert calendar is not None
    return calendar


@pytest.fixture
async def radicale(tmp_path: Path) -> AsyncIterator[Radicale]:
    server = Radicale(tmp_path)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def test_given_a_real_server_when_its_events_change_then_the_agent_is_busy_when_they_say(
    radicale: Radicale, one: Make
) -> None:
    now = int(time.time()) // 60 * 60
    calendars = one(await radicale.make("/ana/office/"))
    assert (await read(calendars)).busy == ()

    await radicale.put("/ana/office/1.ics", event(now - 600, "Stand & deliver <ü>"))
    await radicale.put(
        "/ana/office/2.ics", event(now - 40 * 24 * HOUR + 7200, "Daily", "RRULE:FREQ=DAILY", uid="2")
    )
    await radicale.put("/ana/office/3.ics", event(now + 30 * 24 * HOUR, "Later", uid="3"))
    busy = (await read(calendars)).busy
    assert Busy(now - 600, now + 3000, "Stand & deliver <ü>") in busy
    assert [one for one in busy if one.what == "Daily"] == [
        Busy(now + 7200 + day * 24 * HOUR, now + 10800 + day * 24 * HOUR, "Daily") for day in range(-1, 8)
    ]
    assert len(busy) == 10

    await radicale.put("/ana/office/1.ics", event(now + 3 * HOUR, "Moved", "TRANSP:TRANSPARENT"))
    await radicale.delete("/ana/office/2.ics")
    assert (await read(calendars)).busy == ()
    await radicale.put("/ana/office/1.ics", event(now + 3 * HOUR, "Moved"))
    assert (await read(calendars)).busy == (Busy(now + 3 * HOUR, now + 4 * HOUR, "Moved"),)


async def test_given_a_real_server_when_it_goes_and_comes_back_then_the_last_reading_stays_meanwhile(
    radicale: Radicale, one: Make
) -> None:
    now = int(time.time())
    calendars = one(await radicale.make("/ana/office/"))
    await radicale.put("/ana/office/1.ics", event(now, "Standup"))
    before = await read(calendars)
    await radicale.stop()
    gone = await read(calendars)
    assert gone.busy == before.busy == (Busy(now, now + HOUR, "Standup"),)
    assert gone.read_at == before.read_at
    assert "is not reached: Connection refused" in gone.error
    later = gone.read_at + 901 if gone.read_at else 0
    (stale,) = why_not(Presence("ana"), Seen(calendar=gone), later)
    assert (stale.why, gone.error in stale.words) == (Why.STALE, True)

    await radicale.start()
    back = await read(calendars)
    assert (back.error, back.busy) == ("", before.busy)
    assert back.read_at and before.read_at and back.read_at > before.read_at

    await radicale.delete("/ana/office/")
    assert "has no calendar at this URL" in (await read(calendars)).error


async def test_given_a_real_server_when_it_refuses_then_the_words_say_what_to_do_and_hold_no_password(
    radicale: Radicale, one: Make
) -> None:
    url = await radicale.make("/ana/office/")
    for calendars, words in (
        (one(url, "wrong"), "refuses the user or the password"),
        (one(radicale.url + "/ana/"), "caldav must be the URL of one calendar"),
        (one(radicale.url + "/ana/nothing/"), "has no calendar at this URL"),
        (one(radicale.url + "/ben/office/"), "does not allow that user to read it"),
    ):
        calendar = await read(calendars)
        assert words in calendar.error
        assert "wrong" not in calendar.error
        assert calendar.read_at is None


# -- what Radicale does not say -------------------------------------------------------------------------------

STANDUP = event(1_700_000_000, "Standup").decode()
OK = "<D:status>HTTP/1.1 200 OK</D:status>"


def response(href: str, data: str = "", status: str = OK) -> str:
    text = f"<C:calendar-data>{data}</C:calendar-data>" if data else ""
    return (
        f"<D:response><D:href>{href}</D:href>"
        f"<D:propstat><D:prop><D:getetag>1</D:getetag>{text}</D:prop>{status}</D:propstat>"
        "<D:propstat><D:prop><C:nothing/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
        "</D:response>"
    )


def multistatus(*responses: str) -> str:
    names = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return f'<?xml version="1.0"?><D:multistatus {names}>{"".join(responses)}</D:multistatus>'


class Server:
    """Answers in order, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, await request.text()))
        if request.path == "/old/":
            raise web.HTTPPermanentRedirect("/dav/ana/")
        return web.Response(status=207, text=self.answers.pop(0), content_type="application/xml")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", server.handle)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/"))
        yield server


def soon(uid: str) -> str:
    return event(int(time.time()) + int(uid) * 7200, f"Event {uid}", uid=uid).decode()


Told = Callable[..., Awaitable[Calendar]]


@pytest.fixture
def told(server: Server, one: Make) -> Told:
    """What is read when the server answers so."""

    async def read_them(*answers: str, path: str = "dav/ana/") -> Calendar:
        server.answers = list(answers)
        return await read(one(server.url + path))

    return read_them


async def test_given_events_that_are_only_named_when_read_then_they_are_asked_for_by_name(
    server: Server, told: Told
) -> None:
    calendar = await told(
        multistatus(
            response("1.ics", soon("1")), response("a%20b.ics"), response("/dav/ana/3.ics?x=1&amp;y")
        ),
        multistatus(response("/dav/ana/a%20b.ics", soon("2")), response("/dav/ana/3.ics", soon("3"))),
        path="old/",
    )
    assert [busy.what for busy in calendar.busy] == ["Event 1", "Event 2", "Event 3"]
    assert [method for method, _ in server.asked] == ["REPORT"] * 4  # two of them where it was before
    assert "<D:href>/dav/ana/a%20b.ics</D:href><D:href>/dav/ana/3.ics</D:href>" in server.asked[-1][1]


async def test_given_an_event_that_goes_between_two_questions_when_read_then_the_others_count(
    told: Told,
) -> None:
    gone = "<D:response><D:href>2.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
    names = multistatus(response("1.ics"), response("2.ics"))
    calendar = await told(names, multistatus(response("1.ics", soon("1")), gone))
    assert ([busy.what for busy in calendar.busy], calendar.error) == (["Event 1"], "")


NOT_ALL = "<D:response><D:href>/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["<html><body>Log in</body>"], "does not answer as a CalDAV server does"),
        (["<html/>"], "no multistatus"),
        (["\x00"], "does not answer as a CalDAV server does"),
        ([BOMB + multistatus(response("1.ics", STANDUP))], "an answer with a DOCTYPE"),
        (['<?xml version="1.0" encoding="klingon"?><a/>'], "does not answer as a CalDAV server does"),
        ([multistatus(response("1.ics", STANDUP), NOT_ALL)], "gives only a part of the events"),
        ([multistatus(NOT_ALL.replace("507", "403"))], "answers 403 for one of the events"),
        ([multistatus(NOT_ALL.replace("HTTP/1.1 507", "what"))], "answers 500 for one of the events"),
        (
            [multistatus(response("1.ics")), multistatus(response("1.ics"))],
            "names events that it does not give",
        ),
        ([multistatus(response("1.ics")), multistatus()], "names 1 events, but gives 0"),
        ([multistatus(response("http://[")), ""], "names an event by what is no URL"),
        ([multistatus(), multistatus(response("/dav/ana/"))], "something else"),
        ([multistatus(response("1.ics", "BEGIN:VCALENDAR"))], "END:VCALENDAR is missing"),
    ],
)
async def test_given_an_odd_answer_when_read_then_it_does_not_pass_for_free_time(
    told: Told, answers: list[str], words: str
) -> None:
    calendar = await told(*answers)
    assert words in calendar.error
    assert calendar.read_at is None
