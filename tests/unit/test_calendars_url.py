"""Calendars by HTTP: sent when they change, kept when they fail; and texts that cannot be understood."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from calendar_stage import HOUR, NOW, SECRET, Clock, Make, Server, at, busy, making, read, serving
from structlog.testing import capture_logs

from asterisk_warm.calendars import process
from asterisk_warm.calendars import web as calendar_web
from asterisk_warm.core.presence import Calendar


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make(clock: Clock) -> AsyncIterator[Make]:
    async with making(clock) as one:
        yield one


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    return server.url


async def test_given_a_url_when_read_again_then_it_is_sent_again_only_when_changed(
    make: Make, clock: Clock, server: Server, url: str
) -> None:
    server.headers = {"ETag": '"1"', "Last-Modified": "Sat, 28 Nov 2026 11:00:00 GMT"}
    calendars = make(url=url, user="ana", password="s:ecret ü")
    assert await read(calendars) == Calendar(busy(10), NOW, 900)
    clock.now += 60
    assert await read(calendars) == Calendar(busy(10), NOW + 60, 900)
    asked = server.asked[-1].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"1"', "Sat, 28 Nov 2026 11:00:00 GMT")
    assert asked["Authorization"].startswith("Basic ")
    server.headers, server.body = {"ETag": '"2"'}, at(15)
    assert (await read(calendars)).busy == busy(15)
    clock.now += HOUR
    await read(calendars)
    assert "If-None-Match" not in server.asked[-1].headers


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "wants a user and a password"),
        (403, "does not allow that user to read it"),
        (404, "has no calendar at this URL"),
        (429, "asked too often"),
        (500, "answers 500 Internal Server Error"),
        (599, "answers 599"),
        (304, "answers 304 Not Modified"),
    ],
)
async def test_given_a_refusal_when_read_then_the_words_say_what_to_do(
    make: Make, server: Server, url: str, status: int, words: str
) -> None:
    server.status, server.body = status, b""
    calendar = await read(make(url=url))
    assert words in calendar.error
    assert SECRET not in calendar.error
    assert calendar.read_at is None


async def test_given_a_server_that_is_out_of_order_when_read_then_the_words_say_how(
    make: Make, server: Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        "is not reached: Connection refused"
        in (await read(make(url=f"http://127.0.0.1:{unused_port()}"))).error
    )
    assert "there is no server nowhere.invalid" in (await read(make(url="http://nowhere.invalid/"))).error
    tls = (await read(make(url=url.replace("http:", "https:")))).error
    assert "does not speak TLS there" in tls
    server.body = b" " * (calendar_web.MOST_BYTES + 1)
    assert "sends more than 5 MB" in (await read(make(url=url))).error
    server.never = True
    monkeypatch.setattr(calendar_web, "NETWORK_SECONDS", 0.2)
    assert "did not answer within 0.2 s" in (await read(make(url=url))).error


@pytest.mark.parametrize(
    "garbage", [b"220 mail ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nBEGIN:", b""]
)
async def test_given_a_server_that_speaks_otherwise_when_read_then_the_words_hold_no_url(
    make: Make, garbage: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        writer.close()

    odd = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with odd:
        port = odd.sockets[0].getsockname()[1]
        error = (await read(make(url=f"http://127.0.0.1:{port}/{SECRET}"))).error
    assert error.startswith(f"127.0.0.1:{port} ")
    assert SECRET not in error


async def test_given_a_certificate_nobody_signed_when_read_then_it_is_not_trusted(
    make: Make, own_certificate: ssl.SSLContext
) -> None:
    secure = TestServer(web.Application())
    await secure.start_server(ssl=own_certificate)
    error = (await read(make(url=f"https://127.0.0.1:{secure.port}/{SECRET}"))).error
    await secure.close()
    assert "has a certificate that is not trusted" in error
    assert SECRET not in error


async def test_given_redirects_when_read_then_they_are_followed_on_the_same_server_only(
    make: Make, server: Server, url: str
) -> None:
    other = Server()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", other.handle)

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def round_and_round_it_goes(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/round")

    here = web.Application()
    here.router.add_get("/moved", moved)
    here.router.add_get("/round", round_and_round_it_goes)
    here.router.add_get("/new/ana.ics", server.handle)
    async with TestServer(app) as elsewhere, TestServer(here) as running:
        start = str(running.make_url("/moved?to="))
        assert (await read(make(url=f"{start}new/ana.ics", user="a", password="b"))).busy == busy(10)
        away = str(elsewhere.make_url(f"/{SECRET}"))
        error = (await read(make(url=start + away, user="a", password="b"))).error
        assert "redirects to http://127.0.0.1, which is not followed: configure the URL there" in error
        assert other.asked == []
        assert "redirects to nowhere" in (await read(make(url=f"{start}http://["))).error
        for_ever = str(running.make_url("/round"))
        assert "redirects more than 5 times" in (await read(make(url=for_ever))).error


# -- texts that cannot be understood -----------------------------------------------------------------------------


async def test_given_a_text_that_is_wrong_when_it_stays_the_same_then_it_is_not_tried_again_and_told_once(
    make: Make, clock: Clock, server: Server, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calendars = make(url=url)
    with capture_logs() as logged:
        assert (await read(calendars)).busy == busy(10)
        server.body = at(10).replace(b"DURATION:PT1H", b"RRULE:FREQ=SECONDLY")
        wrong = await read(calendars)
        assert wrong.busy == busy(10)
        assert wrong.error.startswith('the event "Standup" recurs secondly')
        with monkeypatch.context() as patched:
            patched.setattr(process, "_IMPORTED_FROM", tmp_path / "nowhere")  # no worker can start
            assert await read(calendars) == wrong
        server.body = at(11)
        clock.now += 60
        assert await read(calendars) == Calendar(busy(11), NOW + 60, 900)
    assert [(line["event"], line["log_level"]) for line in logged] == [
        ("calendar not read", "warning"),
        ("calendar read again", "info"),
    ]


async def test_given_a_worker_that_dies_or_hangs_when_read_then_the_words_say_so_and_it_is_gone(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ana.ics"
    file.write_bytes(at(10))
    package = tmp_path / "asterisk_warm" / "calendars"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    worker = package / "worker.py"
    monkeypatch.setattr(process, "_IMPORTED_FROM", tmp_path)
    calendars = make(file=file)

    worker.write_text("import os; os.abort()")
    assert "the calendar worker ended with status -6" in (await read(calendars)).error
    worker.write_text("raise SystemExit('no memory')")
    assert "the calendar worker ended with status 1 (no memory)" in (await read(calendars)).error
    worker.write_text(
        f"import os, time; open('{tmp_path}/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    )
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 3)
    async with asyncio.timeout(20):
        assert "not understood within 3 s" in (await read(calendars)).error
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
