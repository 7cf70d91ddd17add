"""A CRM over HTTP, as a real server: in time, late, dead, lying, huge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from asterisk_warm.crm import Fields, HttpCrm
from asterisk_warm.crm import http as http_module
from asterisk_warm.crm.breaker import FAILURES, REST_SECONDS
from asterisk_warm.engine.leads.ports import Crm, LookedUp, LookUpFailed

NUMBER = "+15551230001"
FIELDS = Fields("/contact/name", "/contact/wish", "/contact/lang", {"plan": "/contact/plan"})
GRANT = b'{"contact": {"name": "Grant Weatherly", "wish": "home insurance", "lang": "ES", "plan": 3}}'
FOUND = LookedUp("Grant Weatherly", "home insurance", "es", (("plan", "3"),))

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Answer:
    async def send(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return send


class Server:
    """Answers every request in one way, byte for byte, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = answer(GRANT)
        self.asked: list[str] = []
        self.came = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
                self.came.set()
                await self.gate.wait()
                await self.answer(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        for writer in self._open:
            writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = listening.sockets[0].getsockname()[1]
    yield running
    running.gate.set()
    running.end()
    listening.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def asking(
    server: Server,
    *,
    path: str = "/leads/{number}",
    budget: float = 20.0,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[HttpCrm]:
    crm = HttpCrm(f"{server.url}{path}", FIELDS, budget_seconds=budget, clock=clock)
    try:
        yield crm
    finally:
        await crm.close()


async def failure(crm: Crm, number: str = NUMBER) -> str:
    with pytest.raises(LookUpFailed) as failed:
        await crm.look_up(number)
    return str(failed.value)


async def test_given_a_known_lead_then_what_is_known_is_found_and_kept(server: Server) -> None:
    async with asking(server) as crm:
        assert await crm.look_up(NUMBER) == FOUND
        assert await crm.look_up(NUMBER) == FOUND
    assert len(server.asked) == 1
    assert server.asked[0].startswith("GET /leads/%2B15551230001 HTTP/1.1\r\n")
    assert "authorization" not in server.asked[0].lower()


@pytest.mark.parametrize("number", ["+1 555?a=b&c#d", "../../admin", "+1\r\nX-Evil: 1", "é/%2e"])
async def test_given_any_number_then_it_stays_one_part_of_the_address(server: Server, number: str) -> None:
    async with asking(server, path="/leads/{number}/x?n={number}") as crm:
        await crm.look_up(number)
    target = server.asked[0].split(" ")[1]
    path, _, query = target.partition("?")
    assert path.count("/") == 3 and query.count("&") == 0 and "#" not in target
    assert "x-evil" not in server.asked[0].lower().split("\r\n", 1)[1]


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({"user": "warm", "password": "pässword:x"}, "Authorization: Basic d2FybTpww6Rzc3dvcmQ6eA=="),
        ({"token": "abc.def"}, "Authorization: Bearer abc.def"),
        ({"headers": {"X-Api-Key": "k"}}, "X-Api-Key: k"),
    ],
)
async def test_given_credentials_then_they_are_sent(
    server: Server, credentials: dict[str, str], sent: str
) -> None:
    crm = HttpCrm(f"{server.url}/{{number}}", FIELDS, **credentials)  # type: ignore[arg-type]
    await crm.look_up(NUMBER)
    await crm.close()
    assert sent in server.asked[0].split("\r\n")


@pytest.mark.parametrize(
    "nobody",
    [answer(b"", "404 Not Found"), answer(b"", "410 Gone"), answer(b"{}"), answer(b'{"contact": []}')],
)
async def test_given_a_lead_nobody_knows_then_that_is_kept_too(server: Server, nobody: Answer) -> None:
    server.answer = nobody
    clock = Clock()
    async with asking(server, clock=clock) as crm:
        assert await crm.look_up(NUMBER) is None
        clock.now += 299
        assert await crm.look_up(NUMBER) is None
        assert len(server.asked) == 1
        server.answer = answer(GRANT)
        clock.now += 2
        assert await crm.look_up(NUMBER) == FOUND


async def test_given_no_cache_then_each_look_up_asks(server: Server) -> None:
    crm = HttpCrm(f"{server.url}/{{number}}", FIELDS, cache_seconds=0, budget_seconds=20)
    for _ in range(2):
        assert await crm.look_up(NUMBER) == FOUND
    await crm.close()
    assert len(server.asked) == 2


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


async def drip_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X: y\r\n")
        await asyncio.sleep(0.02)


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("slow", [drip, drip_headers, never])
async def test_given_a_slow_crm_then_no_lead_waits_longer_than_the_budget(
    server: Server, slow: Answer
) -> None:
    server.answer = slow
    async with asking(server, budget=0.3) as crm:
        began, turns = time.monotonic(), 0
        looking = asyncio.create_task(failure(crm))
        while not looking.done():
            await asyncio.sleep(0)
            turns += 1
        assert await looking == "the CRM did not answer within 0.3 s"
        assert time.monotonic() - began >= 0.29
        assert turns > 10, "the loop was free meanwhile"


async def test_given_an_answer_that_comes_too_late_then_it_serves_the_next_call(server: Server) -> None:
    server.gate.clear()
    async with asking(server, budget=0.05) as crm:
        assert "within" in await failure(crm)
        asked = crm._asking[NUMBER]
        server.gate.set()
        await asyncio.wait({asked})
        assert await crm.look_up(NUMBER) == FOUND
    assert len(server.asked) == 1


async def test_given_many_calls_of_one_lead_then_the_crm_is_asked_once(server: Server) -> None:
    server.gate.clear()
    async with asking(server) as crm:
        looking = [asyncio.create_task(crm.look_up(NUMBER)) for _ in range(20)]
        await server.came.wait()
        looking.pop().cancel()
        server.gate.set()
        assert set(await asyncio.gather(*looking)) == {FOUND}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (answer(b"<html>hello"), "the CRM does not answer with JSON"),
        (answer(b""), "the CRM does not answer with JSON"),
        (answer(b'{"contact": {"name": "\xff"}}'), "the CRM does not answer with JSON"),
        (answer(b"[" * 100_000), "the CRM does not answer with JSON"),
        (answer(b"9" * 100_000), "the CRM does not answer with JSON"),
        (answer(b'"' + b"a" * 300_000 + b'"'), "the CRM answers with more than 256 kB"),
        (answer(b"oops", "500 Internal Server Error"), "the CRM has failed (500)"),
        (
            answer(b"", "401 Unauthorized"),
            "the CRM refuses the request: see leads.crm for its url, user and token",
        ),
        (answer(b"", "302 Found", "Location: http://127.0.0.1:1/x"), "the CRM answers from another address"),
        (answer(b"", "204 No Content"), None),
    ],
    ids=["html", "empty", "no-utf8", "deep", "number", "huge", "500", "401", "redirect", "204"],
)
async def test_given_a_crm_that_answers_with_something_else_then_that_is_said(
    server: Server, lie: Answer, why: str | None
) -> None:
    server.answer = lie
    async with asking(server) as crm:
        if why is None:
            assert await crm.look_up(NUMBER) is None
        else:
            assert (await failure(crm)).startswith(why)
    assert len(server.asked) == 1


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 what?\r\n\r\n")


async def short(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("broken", [garbage, short, endless])
async def test_given_a_broken_crm_then_it_is_a_failure_and_nothing_worse(
    server: Server, broken: Answer
) -> None:
    server.answer = broken
    async with asking(server) as crm:
        assert (await failure(crm)).startswith(("the CRM could not be asked", "the CRM answers with more"))


async def test_given_a_dead_crm_then_it_is_soon_left_alone_and_asked_again_later(server: Server) -> None:
    clock = Clock()
    server.answer = answer(b"", "500 Oops")
    async with asking(server, clock=clock) as crm:
        for n in range(FAILURES):
            assert await failure(crm, f"+1555{n}") == "the CRM has failed (500)"
        assert (
            await failure(crm)
            == "the CRM is not asked: it is left alone for another 15 s, after it has failed (500)"
        )
        assert len(server.asked) == FAILURES
        clock.now += REST_SECONDS
        assert "(500)" in await failure(crm)
        assert "is not asked" in await failure(crm)
        assert len(server.asked) == FAILURES + 1
        clock.now += REST_SECONDS
        server.answer = answer(GRANT)
        assert await crm.look_up(NUMBER) == FOUND
        server.answer = answer(b"", "500 Oops")
        for n in range(FAILURES):
            assert "(500)" in await failure(crm, f"+1666{n}")


async def test_given_a_crm_that_hangs_then_no_more_than_some_look_ups_pay_for_it(server: Server) -> None:
    server.gate.clear()
    async with asking(server, budget=0.02) as crm:
        for n in range(FAILURES):
            assert "within" in await failure(crm, f"+1555{n}")
        began = time.process_time()
        for n in range(100):
            assert "is not asked" in await failure(crm, f"+1666{n}")
        assert time.process_time() - began < 1
    assert len(server.asked) <= FAILURES


async def test_given_nobody_there_then_it_is_said_without_the_number(server: Server) -> None:
    crm = HttpCrm("http://127.0.0.1:1/{number}?key=secret", FIELDS, budget_seconds=20)
    told = await failure(crm)
    assert told.startswith("the CRM could not be asked: ") and "secret" not in told and "1555" not in told
    await crm.close()


async def test_given_a_look_up_under_way_when_closed_then_it_ends(server: Server) -> None:
    server.gate.clear()
    async with asking(server) as crm:
        looking = asyncio.create_task(crm.look_up(NUMBER))
        await server.came.wait()
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_given_an_answer_that_never_ends_then_even_the_late_wait_has_an_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "LATE_SECONDS", 0.1)
    server.answer = never
    async with asking(server) as crm:
        assert await failure(crm) == "the CRM could not be asked: TimeoutError"
