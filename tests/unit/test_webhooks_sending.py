"""Webhooks: signed, stored before they are sent, sent again until they have arrived; on each kind of database."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from standardwebhooks import Webhook, WebhookVerificationError
from store_databases import KINDS, new_database
from structlog.testing import capture_logs
from webhook_stage import (
    OTHER,
    SECONDS,
    SECRET,
    Server,
    endpoint,
    notice,
    over,
    serving,
    tried,
    until,
    until_gone,
)

from asterisk_warm.engine.screens.ports import Receiver
from asterisk_warm.store import Database, SqlDeliveries, StoreError
from asterisk_warm.webhooks import Endpoint, Webhooks, lane
from asterisk_warm.webhooks import webhooks as of_webhooks
from asterisk_warm.webhooks.schedule import DELAYS, HOUR, Schedule
from asterisk_warm.webhooks.webhooks import NOT_CONFIGURED

SOON = Schedule([0.05, 0.05], lambda: 1.0)
LATER = Schedule([3600.0], lambda: 1.0)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(request.param, tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlDeliveries]:
    async with await Database.open(url) as opened:
        yield SqlDeliveries(opened)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@asynccontextmanager
async def sending(
    store: SqlDeliveries,
    *endpoints: Endpoint,
    schedule: Schedule = SOON,
    now: Callable[[], float] = time.time,
    run: bool = True,
) -> AsyncIterator[Webhooks]:
    webhooks = Webhooks(store, endpoints, now, schedule=schedule)
    running = asyncio.create_task(webhooks.run()) if run else None
    try:
        yield webhooks
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await webhooks.close()


@asynccontextmanager
async def daemon(url: str, *endpoints: Endpoint, run: bool = True) -> AsyncIterator[Webhooks]:
    async with (
        await Database.open(url) as database,
        sending(SqlDeliveries(database), *endpoints, run=run) as one,
    ):
        yield one


async def told(webhooks: Receiver, *numbers: int) -> None:
    """Tell, and wait until all have it, or have not taken it."""
    arrivals = [await webhooks.tell(notice(number)) for number in numbers]
    async with asyncio.timeout(SECONDS):
        for arrival in arrivals:
            await arrival


# -- what is sent ------------------------------------------------------------------------------------------------


async def test_given_a_notice_then_it_is_there_as_the_standard_says(
    store: SqlDeliveries, server: Server
) -> None:
    words = 'Ana "María" ${SHELL(id)}\r\n, & <b> \u202e\U0001f600\0' + "ß" * 65536
    async with sending(store, endpoint(server.url)) as webhooks:
        arrival = await webhooks.tell(notice(lead={"name": words}))
        await arrival
        assert server.ids == ["warm-1.1.made"]
        assert server.got == [
            {
                "type": "offer.made",
                "timestamp": "1970-01-01T00:16:40.250000Z",
                "data": {"number": 1, "lead": {"name": words}},
            }
        ]
        (stored,) = await webhooks.list("crm", "all", 9)
        became = await until(store, stored.id, over)
        assert (became.attempts, became.error) == (1, "") and became.delivered_at is not None
        assert await webhooks.list("crm", "delivered", 9) == [became]


@pytest.mark.parametrize("secret", [SECRET, OTHER])
async def test_given_two_secrets_then_who_has_either_believes_it(
    store: SqlDeliveries, server: Server, secret: str
) -> None:
    server.secret = secret
    async with sending(store, endpoint(server.url, secrets=(SECRET, OTHER))) as webhooks:
        await told(webhooks, 1)
    assert server.ids == ["warm-1.1.made"]


def test_given_another_secret_or_another_body_then_it_is_not_believed() -> None:
    headers = dict(endpoint("http://x/").headers("id-1", time.time(), b"{}"))
    assert Webhook(SECRET).verify(b"{}", headers) == {}
    for secret, body in ((OTHER, b"{}"), (SECRET, b"{} ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_given_a_secret_that_is_none_then_an_endpoint_is_not_made_of_it() -> None:
    with pytest.raises(ValueError, match="base64"):
        endpoint("http://x/", secrets=("whsec_MfK*",))


async def test_given_several_endpoints_then_each_has_what_it_wants_once(
    store: SqlDeliveries, server: Server
) -> None:
    async with serving() as other:
        both = endpoint(server.url), endpoint(other.url, "erp", kinds=frozenset({"offer.closed"}))
        async with sending(store, *both) as webhooks:
            for kind in ("offer.made", "offer.closed", "handoff.ended", "offer.made"):
                await (await webhooks.tell(notice(kind=kind)))
        assert server.ids == ["warm-1.1.made", "warm-1.1.closed"]
        assert other.ids == ["warm-1.1.closed"]


async def test_given_a_receiver_that_takes_its_time_then_it_is_stored_at_once_and_awaited_until_it_has_it(
    store: SqlDeliveries, server: Server
) -> None:
    server.hold.clear()
    async with sending(store, endpoint(server.url)) as webhooks:
        arrival = asyncio.ensure_future(await webhooks.tell(notice()))
        (stored,) = await store.list("crm", "pending", 9)
        await server.requests(1)
        assert not arrival.done()
        # Who stops waiting stops nothing.
        arrival.cancel()
        server.hold.set()
        assert (await until(store, stored.id, over)).delivered_at is not None
    assert server.ids == ["warm-1.1.made"]


# -- what fails --------------------------------------------------------------------------------------------------


async def test_given_failures_then_it_is_sent_again_by_the_schedule_until_it_has_arrived(
    store: SqlDeliveries, server: Server
) -> None:
    server.statuses = [500, 503]
    with capture_logs() as logs:
        async with sending(store, endpoint(server.url)) as webhooks:
            await told(webhooks, 1)
            (stored,) = await webhooks.list("", "all", 9)
            became = await until(store, stored.id, over)
    assert (became.attempts, became.error) == (3, "") and became.delivered_at is not None
    assert server.ids == ["warm-1.1.made"] * 3
    assert server.got[0] == server.got[2]
    words = [(line["event"], line.get("why")) for line in logs if line["log_level"] != "debug"]
    assert words == [("a webhook fails", "answers 500 Internal Server Error"), ("a webhook is back", None)]


async def test_given_only_failures_then_it_is_given_up_and_can_be_replayed(
    store: SqlDeliveries, server: Server
) -> None:
    server.statuses = [500, 403, 599]
    async with sending(store, endpoint(server.url)) as webhooks:
        await told(webhooks, 1)
        (stored,) = await webhooks.list("", "all", 9)
        became = await until(store, stored.id, over)
        assert (became.attempts, became.delivered_at, became.error) == (3, None, "answers 599")
        assert await webhooks.list("crm", "failed", 9) == [became]
        assert await webhooks.replay([stored.id, 77]) == 1
        again = await until(store, stored.id, lambda one: one.delivered_at is not None)
        assert (again.attempts, again.error) == (1, "")
        assert await webhooks.replay([stored.id]) == 1, "also what has arrived"
        await server.requests(5)
    assert server.ids == ["warm-1.1.made"] * 5


@pytest.mark.parametrize(
    ("status", "headers", "words", "seconds"),
    [
        (500, {"Retry-After": "7000"}, "answers 500 Internal Server Error", 3600),
        (429, {"Retry-After": "7000"}, "answers 429 Too Many Requests", 7000),
        (503, {"Retry-After": "7"}, "answers 503 Service Unavailable", 3600),
        (503, {"Retry-After": "99999999999999"}, "answers 503 Service Unavailable", 24 * HOUR),
        (503, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, "answers 503 Service Unavailable", 24 * HOUR),
        (429, {"Retry-After": "soon; ²"}, "answers 429 Too Many Requests", 3600),
        (
            307,
            {"Location": "/elsewhere"},
            "redirects (307), which is not followed: configure the URL there",
            3600,
        ),
        (401, {}, "refuses the request (401): see whether it checks signatures with the right secret", 3600),
        (410, {}, "wants no more (410 Gone): take the webhook out of the configuration", None),
    ],
)
async def test_given_an_answer_then_the_words_say_what_to_do_and_it_is_heeded_when_to_come_again(
    store: SqlDeliveries,
    server: Server,
    status: int,
    headers: dict[str, str],
    words: str,
    seconds: float | None,
) -> None:
    server.statuses, server.headers = [status], headers
    async with sending(store, endpoint(server.url), schedule=LATER) as webhooks:
        start = time.time()
        await told(webhooks, 1)
        (stored,) = await webhooks.list("", "all", 9)
        became = await until(store, stored.id, tried)
        end = time.time()
    (failing,) = webhooks.failing
    assert (failing.webhook, failing.why) == ("crm", words) and start <= failing.since <= end
    assert became.error == words
    assert server.ids == ["warm-1.1.made"]
    if seconds is None:
        assert became.next_at is None
    else:
        assert became.next_at is not None
        assert start + seconds <= became.next_at <= end + seconds


async def test_given_a_webhook_that_goes_on_failing_then_it_is_told_since_when(
    store: SqlDeliveries, server: Server
) -> None:
    server.statuses = [401, 500]
    start = time.time()
    async with sending(store, endpoint(server.url), schedule=LATER) as webhooks:
        assert webhooks.failing == []
        await told(webhooks, 1)
        (first,) = await webhooks.list("", "all", 9)
        await until(store, first.id, tried)
        between = time.time()
        await told(webhooks, 2)
        (second, _) = await webhooks.list("", "all", 9)
        await until(store, second.id, tried)
        (failing,) = webhooks.failing
    assert failing.why == "answers 500 Internal Server Error"
    assert start <= failing.since <= between


async def test_given_nobody_there_then_the_words_say_so_and_no_address(store: SqlDeliveries) -> None:
    url = f"http://127.0.0.1:{unused_port()}/hook?key=secret"
    async with sending(store, endpoint(url), schedule=LATER) as webhooks:
        await told(webhooks, 1)
        (stored,) = await webhooks.list("", "all", 9)
        became = await until(store, stored.id, tried)
    assert became.error == "is not reached: Connection refused"


async def test_given_an_endpoint_that_fails_then_the_next_notice_does_not_wait_for_it(
    store: SqlDeliveries, server: Server
) -> None:
    server.statuses = [500]
    async with sending(store, endpoint(server.url), schedule=LATER) as webhooks:
        await told(webhooks, 1)
        server.hold.clear()
        await told(webhooks, 2)
        await server.requests(2)
        server.hold.set()
        (second, _) = await webhooks.list("", "all", 9)
        await until(store, second.id, over)
        assert webhooks.failing == []
        # It is back: the next one is awaited again.
        server.hold.clear()
        arrival = asyncio.ensure_future(await webhooks.tell(notice(3)))
        await server.requests(3)
        assert not arrival.done()
        server.hold.set()
        await arrival


async def test_given_a_certificate_that_nobody_signed_then_the_lead_is_not_sent(
    store: SqlDeliveries, own_certificate: ssl.SSLContext
) -> None:
    secure = TestServer(web.Application())
    await secure.start_server(ssl=own_certificate)
    address = f"https://127.0.0.1:{secure.port}/?key=secret"
    async with sending(store, endpoint(address), schedule=LATER) as webhooks:
        await told(webhooks, 1)
        (stored,) = await webhooks.list("", "all", 9)
        became = await until(store, stored.id, tried)
    await secure.close()
    assert became.error.startswith("has a certificate that is not trusted: ")
    assert "secret" not in became.error


async def test_given_an_outbox_that_fails_then_a_store_error(url: str, server: Server) -> None:
    async with await Database.open(url) as database:
        await rename(database, "webhook_deliveries", "elsewhere")
        async with sending(SqlDeliveries(database), endpoint(server.url)) as webhooks:
            with pytest.raises(StoreError, match="webhook_deliveries"):
                await webhooks.tell(notice())
    assert server.ids == []


async def test_given_an_outbox_that_fails_for_a_while_then_it_goes_on_with_what_is_due(
    url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "STORE_RETRY_SECONDS", 0.05)
    server.statuses = [500]
    server.hold.clear()
    with capture_logs() as logs:
        async with (
            await Database.open(url) as database,
            sending(SqlDeliveries(database), endpoint(server.url)) as one,
        ):
            arrival = await one.tell(notice())
            await server.requests(1)
            await rename(database, "webhook_deliveries", "elsewhere")
            server.hold.set()
            await arrival
            await logged(logs, "a delivery was not noted")
            await logged(logs, "the outbox of webhooks fails")
            await rename(database, "elsewhere", "webhook_deliveries")
            (stored,) = await one.list("", "pending", 9)
            assert stored.attempts == 0, "nothing is known of the attempt"
            await one.replay([stored.id])
            assert (await until(SqlDeliveries(database), stored.id, over)).delivered_at is not None
    assert server.ids == ["warm-1.1.made"] * 2


async def rename(database: Database, before: str, after: str) -> None:
    await database.write(lambda driver: driver.execute(f"ALTER TABLE {before} RENAME TO {after}", ()))


async def logged(logs: Sequence[MutableMapping[str, Any]], event: str) -> None:
    deadline = time.monotonic() + SECONDS
    while all(line["event"] != event for line in list(logs)):
        assert time.monotonic() < deadline, logs
        await asyncio.sleep(0.01)


# -- restarts, and several daemons -------------------------------------------------------------------------------


async def test_given_a_restart_in_between_then_what_has_not_arrived_is_sent(url: str, server: Server) -> None:
    server.statuses = [500]
    async with daemon(url, endpoint(server.url), run=False) as webhooks:
        await told(webhooks, 1)
    async with daemon(url, endpoint(server.url)):
        await server.requests(2)
    assert server.ids == ["warm-1.1.made"] * 2


async def test_given_a_notice_at_the_very_end_then_it_is_kept_for_the_next_start(
    url: str, server: Server
) -> None:
    async with daemon(url, endpoint(server.url)) as webhooks:
        await webhooks.close()
        await told(webhooks, 1)
        (stored,) = await webhooks.list("", "pending", 9)
        assert stored.attempts == 0
    async with daemon(url, endpoint(server.url)):
        await server.requests(1)
    assert server.ids == ["warm-1.1.made"]


async def test_given_an_end_in_the_middle_of_an_attempt_then_it_is_made_again_after_a_while(
    url: str, server: Server
) -> None:
    server.hold.clear()
    async with daemon(url, endpoint(server.url)) as webhooks:
        await webhooks.tell(notice())
        await server.requests(1)
    server.hold.set()
    async with await Database.open(url) as database:
        store = SqlDeliveries(database)
        (stored,) = await store.list("", "pending", 9)
        assert stored.next_at is not None and 10 < stored.next_at - time.time() <= 30
        assert await store.due("crm", time.time(), time.time() + 1, 9) == []
        async with sending(store, endpoint(server.url), now=lambda: time.time() + 31):
            assert (await until(store, stored.id, over)).delivered_at is not None
    assert server.ids == ["warm-1.1.made"] * 2


async def test_given_several_daemons_then_each_notice_is_sent_by_one(url: str, server: Server) -> None:
    async with AsyncExitStack() as opened:
        stores = [
            SqlDeliveries(await opened.enter_async_context(await Database.open(url, node)))
            for node in ("east", "west")
        ]
        async with sending(stores[0], endpoint(f"http://127.0.0.1:{unused_port()}/"), run=False) as dead:
            await told(dead, *range(40))
        await stores[0].replay([one.id for one in await stores[0].list("", "all", 99)], time.time())
        for store in stores:
            await opened.enter_async_context(sending(store, endpoint(server.url)))
        await server.requests(40)
        for one in await stores[0].list("", "all", 99):
            await until(stores[0], one.id, over)
    assert sorted(server.ids) == sorted(notice(number).id for number in range(40))


async def test_given_a_webhook_taken_out_when_started_again_then_its_deliveries_end_and_wait_for_its_return(
    url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_webhooks, "ABANDON_AT_ONCE", 2)
    server.statuses = [500] * 5
    async with daemon(url, endpoint(server.url, "old"), run=False) as webhooks:
        await told(webhooks, *range(5))
    with capture_logs() as logs:
        async with daemon(url, endpoint(server.url)) as webhooks:
            await logged(logs, "deliveries given up")
            gone = await webhooks.list("old", "failed", 9)
            assert {(one.delivered_at, one.error) for one in gone} == {(None, NOT_CONFIGURED)}
            assert await webhooks.list("", "pending", 9) == []
            assert await webhooks.replay([one.id for one in gone]) == 0
    (line,) = [line for line in logs if line["event"] == "deliveries given up"]
    assert (line["log_level"], line["webhook"], line["count"]) == ("warning", "old", 5)
    server.ids.clear()
    server.statuses.clear()
    async with daemon(url, endpoint(server.url, "old")) as webhooks:
        assert await webhooks.replay([one.id for one in gone]) == 5
        await server.requests(5)
    assert sorted(server.ids) == sorted(one.notice for one in gone)


async def test_given_another_daemon_that_has_the_webhook_then_its_deliveries_are_left_to_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "LOOK_SECONDS", 0.1)
    nobody = endpoint(f"http://127.0.0.1:{unused_port()}/", "old")
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        store = SqlDeliveries(east)
        async with sending(store, nobody, schedule=LATER) as other:
            await told(other, 1)
            (waiting,) = await other.list("old", "pending", 9)
            async with sending(SqlDeliveries(west)) as webhooks:
                assert await webhooks.replay([waiting.id]) == 1, "it can be replayed here"
                await until(store, waiting.id, tried)
        later = time.time() + 8 * 24 * HOUR
        async with sending(SqlDeliveries(west), now=lambda: later):
            assert (await until(store, waiting.id, over)).error == NOT_CONFIGURED


async def test_given_an_outbox_that_fails_at_the_start_then_it_is_tidied_up_when_it_is_back(
    url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_webhooks, "TIDY_RETRY_SECONDS", 0.05)
    async with await Database.open(url) as database:
        store = SqlDeliveries(database)
        async with sending(
            store, endpoint(f"http://127.0.0.1:{unused_port()}/", "old"), run=False
        ) as webhooks:
            await told(webhooks, 1)
            (waiting,) = await webhooks.list("old", "pending", 9)
        await rename(database, "webhook_senders", "elsewhere")
        with capture_logs() as logs:
            async with sending(store, endpoint(server.url)):
                await logged(logs, "the outbox of webhooks was not tidied up")
                await rename(database, "elsewhere", "webhook_senders")
                assert (await until(store, waiting.id, over)).error == NOT_CONFIGURED


async def test_given_old_deliveries_when_run_then_those_that_are_over_are_forgotten(
    store: SqlDeliveries,
) -> None:
    old = time.time() - 31 * 24 * HOUR
    async with sending(store, endpoint(f"http://127.0.0.1:{unused_port()}/"), run=False) as webhooks:
        await told(webhooks, 1, 2)
        one, two = await webhooks.list("", "all", 9)
    await store.save(replace(one, next_at=None, delivered_at=old))
    await store.save(replace(two, next_at=None, delivered_at=old + 2 * 24 * HOUR))
    async with sending(store) as webhooks:
        await until_gone(store, one.id)
        assert [left.id for left in await webhooks.list("", "all", 9)] == [two.id]


# -- the schedule ------------------------------------------------------------------------------------------------


def test_given_failures_then_there_are_ten_attempts_within_four_days() -> None:
    schedule = Schedule(jitter=lambda: 1.0)
    at, moments = 0.0, []
    while (following := schedule.next_at(len(moments) + 1, at)) is not None:
        at = following
        moments.append(at)
    assert moments[:3] == [5.0, 305.0, 2105.0]
    assert len(moments) == len(DELAYS) == 9
    assert 72 * HOUR < at < 96 * HOUR


def test_given_the_usual_jitter_then_it_is_ten_percent_at_most() -> None:
    found = [Schedule().next_at(1, 100.0) for _ in range(500)]
    assert all(at is not None and 104.5 <= at <= 105.5 for at in found)
    assert len(set(found)) > 400


@pytest.mark.parametrize(
    ("wish", "at"), [(0.0, 105.0), (3.0, 105.0), (60.0, 160.0), (1e12, 100.0 + 24 * HOUR)]
)
def test_given_a_wish_then_it_is_never_sooner_and_a_day_later_at_most(wish: float, at: float) -> None:
    assert Schedule(jitter=lambda: 1.0).next_at(1, 100.0, wish) == at
