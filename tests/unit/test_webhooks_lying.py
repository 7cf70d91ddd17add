"""Receivers that speak HTTP badly, slowly or not at all: none of them is believed, waited for or read for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_databases import new_database
from webhook_stage import SECONDS, Talk, endpoint, notice, over, read_request, serving, speaking, tried, until

from asterisk_warm.engine.screens.ports import Delivery
from asterisk_warm.store import Database, SqlDeliveries
from asterisk_warm.webhooks import Webhooks, lane
from asterisk_warm.webhooks.lane import AT_ONCE
from asterisk_warm.webhooks.schedule import Schedule

LATER = Schedule([3600.0], lambda: 1.0)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlDeliveries]:
    async with await Database.open(new_database("sqlite", tmp_path)) as opened:
        yield SqlDeliveries(opened)


def saying(*parts: bytes) -> Talk:
    """Say that, whatever was asked, then hang up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()

    return talk


def saying_then_nothing(part: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(part)
        await writer.drain()
        await reader.read()  # Until the other side hangs up.

    return talk


async def sent(store: SqlDeliveries, url: str, seconds: float = SECONDS) -> Delivery:
    """What became of one attempt."""
    webhooks = Webhooks(store, [endpoint(url, timeout_seconds=seconds)], schedule=LATER)
    try:
        async with asyncio.timeout(SECONDS):
            await (await webhooks.tell(notice()))
        (stored,) = await store.list("", "all", 9)
        return await until(store, stored.id, tried)
    finally:
        await webhooks.close()


@pytest.mark.parametrize(
    "parts",
    [
        (OK + b"Content-Length: 0\r\n\r\n",),
        (OK + b"Content-Length: 1000\r\n\r\ntoo short",),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"),
        (OK + b"Set-Cookie: a=b\r\nRetry-After: 5\r\n\r\n",),
    ],
)
async def test_given_a_good_status_then_it_has_arrived_whatever_else_is_said(
    store: SqlDeliveries, parts: tuple[bytes, ...]
) -> None:
    async with speaking(saying(*parts)) as url:
        became = await sent(store, url)
    assert (became.error, became.attempts, over(became)) == ("", 1, True)


@pytest.mark.parametrize(
    "garbage",
    [
        b"Content-Length: 0\r\n\r\n" + b"\0\xff garbage " * 1000,
        b"Content-Length: 2\r\n\r\ntoo long by far",
        b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    ],
)
async def test_given_a_good_status_in_one_piece_with_garbage_then_it_is_one_attempt_and_its_end(
    store: SqlDeliveries, garbage: bytes
) -> None:
    async with speaking(saying(OK + garbage)) as url:
        became = await sent(store, url)
    # Whether the garbage is seen before the status counts is a matter of how the pieces come in.
    assert became.error in ("", "does not answer as a web server does (ClientResponseError)")
    assert (became.attempts, over(became)) == (1, became.error == "")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "broke off its answer"),
        ((b"HTTP/1.1 20",), "broke off its answer"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), "does not answer as a web server does"),
        ((b"HTTP/1.1 two hundred\r\n\r\n",), "does not answer as a web server does"),
        ((OK + b"X: " + b"a" * 100_000 + b"\r\n\r\n",), "does not answer as a web server does"),
        ((OK + b"Content-Length: minus one\r\n\r\n",), "does not answer as a web server does"),
        ((b"HTTP/1.1 500 " + b"a" * 100_000 + b"\r\n\r\n",), "does not answer as a web server does"),
    ],
)
async def test_given_no_good_status_then_it_has_not_arrived_and_the_words_say_why(
    store: SqlDeliveries, parts: tuple[bytes, ...], words: str
) -> None:
    async with speaking(saying(*parts)) as url:
        became = await sent(store, url)
    assert became.error.startswith(words)
    assert (became.attempts, became.delivered_at, over(became)) == (1, None, False)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 ", OK, OK + b"Content-Length: 0\r\n"])
async def test_given_no_answer_then_it_is_not_waited_for_longer_than_the_limit(
    store: SqlDeliveries, part: bytes
) -> None:
    async with speaking(saying_then_nothing(part)) as url:
        became = await sent(store, url, 0.2)
    assert became.error == "did not answer within 0.2 s"


async def test_given_a_good_status_and_a_body_that_does_not_come_then_it_has_arrived_at_once(
    store: SqlDeliveries,
) -> None:
    async with speaking(saying_then_nothing(OK + b"Content-Length: 1000\r\n\r\n")) as url:
        webhooks = Webhooks(store, [endpoint(url)], schedule=LATER)
        async with asyncio.timeout(SECONDS):
            await (await webhooks.tell(notice()))
        (stored,) = await store.list("", "all", 9)
        became = await until(store, stored.id, tried)
        assert (became.error, over(became)) == ("", True)
        assert webhooks._lanes[0]._new, "it is still being read from"
        await webhooks.close()


async def test_given_words_of_waiting_without_end_then_it_is_not_waited_for_longer_than_the_limit(
    store: SqlDeliveries,
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)

    async with speaking(talk) as url:
        became = await sent(store, url, 0.3)
    assert became.error == "did not answer within 0.3 s"


async def test_given_a_body_without_end_then_little_of_it_is_read_and_the_connection_closed(
    store: SqlDeliveries,
) -> None:
    written = 0
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(OK + b"\r\n")
        try:
            while True:
                writer.write(b"a" * 1024)
                await writer.drain()
                written += 1024
        finally:
            closed.set()

    async with speaking(talk) as url:
        webhooks = Webhooks(store, [endpoint(url)], schedule=LATER)
        await (await webhooks.tell(notice()))
        async with asyncio.timeout(SECONDS):
            await closed.wait()
        (stored,) = await store.list("", "all", 9)
        became = await until(store, stored.id, tried)
        await webhooks.close()
    assert (became.error, over(became)) == ("", True)
    # What was not read is in the buffers of both sides.
    assert written < 16 * 1024 * 1024


async def test_given_a_connection_that_was_closed_meanwhile_then_the_next_notice_arrives_all_the_same(
    store: SqlDeliveries,
) -> None:
    connections = 0
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        if connections == 1:
            # It stays open until the next request has come, and then is gone.
            await reader.readexactly(1)
            writer.transport.abort()
            closed.set()

    async with speaking(talk) as url:
        webhooks = Webhooks(store, [endpoint(url)], schedule=LATER)
        for number in (1, 2):
            await (await webhooks.tell(notice(number)))
        became = [await until(store, one.id, tried) for one in await store.list("", "all", 9)]
        await webhooks.close()
    assert (connections, closed.is_set()) == (2, True)
    assert [(one.attempts, over(one)) for one in became] == [(1, True)] * 2


async def test_given_a_redirect_then_nobody_is_sent_the_lead_who_was_not_configured(
    store: SqlDeliveries,
) -> None:
    async with serving() as elsewhere, serving() as here:
        here.statuses, here.headers = [302], {"Location": elsewhere.url}
        became = await sent(store, here.url)
        assert became.error.startswith("redirects (302)")
        assert (here.ids, elsewhere.ids) == (["warm-1.1.made"], [])


# -- many, and slow ----------------------------------------------------------------------------------------------


async def test_given_an_endpoint_that_never_answers_then_others_have_everything_at_once(
    store: SqlDeliveries,
) -> None:
    async with serving() as dead, serving() as alive:
        dead.hold.clear()
        both = [endpoint(dead.url, "dead", timeout_seconds=SECONDS), endpoint(alive.url, "alive")]
        webhooks = Webhooks(store, both, schedule=LATER)
        running = asyncio.create_task(webhooks.run())
        for number in range(200):
            await webhooks.tell(notice(number))
        await alive.requests(200)
        assert set(alive.ids) == {notice(number).id for number in range(200)}
        await dead.requests(AT_ONCE)
        assert dead.busiest == AT_ONCE == len(dead.ids)
        assert alive.busiest <= AT_ONCE
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    pending = await store.list("dead", "pending", 999)
    assert len(pending) == 200, "all that it has not taken is in the outbox"


async def test_given_an_endpoint_that_leaves_one_without_an_answer_then_the_next_does_not_wait_for_it(
    store: SqlDeliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SLOW_SECONDS", 0.05)
    async with serving() as dead:
        dead.hold.clear()
        webhooks = Webhooks(store, [endpoint(dead.url, timeout_seconds=SECONDS)], schedule=LATER)
        first = asyncio.ensure_future(await webhooks.tell(notice(1)))
        await dead.requests(1)
        await asyncio.wait({first}, timeout=0.1)
        async with asyncio.timeout(SECONDS / 2):
            await (await webhooks.tell(notice(2)))
        assert not first.done()
        await dead.requests(2)
        dead.hold.set()
        await first
        for one in await store.list("", "all", 9):
            await until(store, one.id, over)
        # It is back: the next one is awaited again.
        dead.hold.clear()
        third = asyncio.ensure_future(await webhooks.tell(notice(3)))
        await dead.requests(3)
        assert not third.done()
        dead.hold.set()
        await third
        await webhooks.close()


async def test_given_a_long_backlog_then_what_is_new_does_not_wait_behind_it(store: SqlDeliveries) -> None:
    async with serving() as slow:
        ago = time.time() - 1000
        old = [
            Delivery(0, f"old-{number}", "crm", "offer.made", b"{}", ago, ago + number)
            for number in range(300)
        ]
        await store.add(old)
        slow.hold.clear()
        webhooks = Webhooks(store, [endpoint(slow.url, timeout_seconds=SECONDS)], schedule=LATER)
        running = asyncio.create_task(webhooks.run())
        await slow.requests(4)
        assert slow.ids == ["old-0", "old-1", "old-2", "old-3"], "the oldest first"
        arrivals = [asyncio.ensure_future(await webhooks.tell(notice(number))) for number in range(4)]
        await slow.requests(8)
        assert set(slow.ids[4:]) == {notice(number).id for number in range(4)}
        slow.hold.set()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*arrivals)
        await slow.requests(304)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert slow.busiest <= AT_ONCE
        assert len(set(slow.ids)) == 304 == len(slow.ids)


async def test_given_a_crowd_of_new_notices_then_all_are_awaited_and_none_is_sent_twice(
    store: SqlDeliveries,
) -> None:
    async with serving() as server:
        webhooks = Webhooks(store, [endpoint(server.url)], schedule=LATER)
        running = asyncio.create_task(webhooks.run())
        start = time.monotonic()
        arrivals = await asyncio.gather(*(webhooks.tell(notice(number)) for number in range(60)))
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*arrivals)
        assert len(server.ids) == 60, f"after {time.monotonic() - start} s"
        for one in await store.list("crm", "all", 99):
            await until(store, one.id, over)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(set(server.ids)) == 60
    assert len(await store.list("crm", "delivered", 99)) == 60
