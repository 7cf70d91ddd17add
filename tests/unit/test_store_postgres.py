"""What is particular to PostgreSQL: daemons side by side, several writes together, a server that fails."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from store_databases import PostgresServer, entry, shared_server

from asterisk_warm.core.presence import By
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.store import Database, SqlAgents, SqlJournal, StoreError, session
from asterisk_warm.store.statements import Driver

ANA = AgentRecord("ana", "Ana", "PJSIP/ana")


@pytest.fixture
def url() -> str:
    return shared_server().create()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await Database.open(url) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One that may be stopped."""
    server = PostgresServer()
    yield server
    server.remove()


def end_sessions() -> None:
    """Cut every connection, as a failing network would."""
    with shared_server().connect("postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


# ---- daemons ----


async def test_given_a_running_daemon_when_another_starts_then_it_names_it(
    database: Database, url: str
) -> None:
    with pytest.raises(
        StoreError, match=r"another daemon has the database open: asterisk-warm \d+ on "
    ) as raised:
        await Database.open(url)
    assert raised.value.remedy
    await database.close()
    await (await Database.open(url)).close()


async def test_given_a_daemon_from_before_there_were_nodes_then_nobody_opens_its_database(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OPENING_SECONDS", 0.1)
    found = re.search(r"/(warm\d+)", url)
    assert found is not None
    with shared_server().connect(found[1]) as old:
        old.execute("SELECT pg_advisory_lock(%s)", (int.from_bytes(b"warm", "big"),))
        with pytest.raises(StoreError, match="another daemon has the database open") as raised:
            await Database.open(url)
        assert raised.value.remedy == "stop it first"
    await (await Database.open(url)).close()


async def test_given_a_daemon_that_stands_still_in_the_middle_of_a_write_then_the_others_go_on(
    url: str,
) -> None:
    stuck, go_on = threading.Event(), threading.Event()

    def stand_still(driver: Driver) -> None:
        driver.execute("UPDATE marks SET mark = mark + 1", ())
        if not stuck.is_set():
            stuck.set()
            assert go_on.wait(30)

    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        store = SqlAgents(west)
        writing = asyncio.create_task(east.write(stand_still))
        assert await asyncio.to_thread(stuck.wait, 10)
        async with asyncio.timeout(10):
            await store.save_agents([ANA], By("eva", "cli"), 1.0)
        assert await store.mark() == 2
        go_on.set()
        await writing  # Its session was ended, so it is written on a new one.
        assert await store.mark() == 3


async def test_given_several_writes_together_on_two_daemons_then_they_do_not_wait_for_each_other_in_a_circle(
    url: str,
) -> None:
    agents = [replace(ANA, id=f"agent-{number}") for number in range(10)]
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlAgents(east), SqlAgents(west)]
        await stores[0].save_agents(agents, By("eva", "cli"), 1.0)
        for _ in range(20):
            seen = [one.presence for one in await stores[0].agents()]
            orders = zip(stores, (seen, seen[::-1]), strict=True)
            results = await asyncio.gather(
                *(store.save_presence(one, one.evolve(missed=1)) for store, order in orders for one in order)
            )
            assert len([one for one in results if one is not None]) == len(agents)
        deadlocks = await east.read(
            lambda connection: connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar()
        )
        assert deadlocks == 0


# ---- writes together ----


async def test_given_many_writes_at_once_then_few_transactions_and_all_in_order(database: Database) -> None:
    journal = SqlJournal(database)
    results = await asyncio.gather(
        *(journal.commit(entry(event_id=str(number), commands=[("Ring", b"{}")])) for number in range(100))
    )
    ids = [outbox_id for (outbox_id,) in results if results]
    assert ids == sorted(ids)
    transactions = await database.read(
        lambda connection: connection.execute(
            text("SELECT count(DISTINCT xmin::text) FROM handoff_events")
        ).scalar()
    )
    assert transactions < 10
    stored = await database.read(
        lambda connection: (
            connection.execute(text("SELECT event_id FROM handoff_events ORDER BY seq")).scalars().all()
        )
    )
    assert stored == [str(number) for number in range(100)]


async def test_given_one_of_several_writes_fails_then_the_others_do_not(database: Database) -> None:
    def fails(driver: Driver) -> None:
        driver.execute("INSERT INTO handoff_outbox (id) VALUES (1)", ())

    def refuses(driver: Driver) -> None:
        raise KeyError("of its own")

    journal = SqlJournal(database)
    results = await asyncio.gather(
        journal.commit(entry(event_id="1")),
        journal.commit(entry(event_id="2")),
        database.write(fails),
        journal.commit(entry(event_id="2")),
        database.write(refuses),
        journal.commit(entry(event_id="3")),
        return_exceptions=True,
    )
    assert [results[index] for index in (0, 1, 3, 5)] == [(), (), None, ()]
    assert isinstance(results[2], StoreError) and isinstance(results[4], KeyError)
    assert [event.seq for event in await journal.events("warm-1")] == [1, 2, 3]


async def test_given_a_caller_who_no_longer_waits_then_it_is_written_all_the_same(database: Database) -> None:
    journal = SqlJournal(database)
    impatient = asyncio.create_task(journal.commit(entry(event_id="1")))
    await asyncio.sleep(0)
    impatient.cancel()
    await journal.commit(entry(event_id="2"))
    assert len(await journal.events("warm-1")) == 2
    assert impatient.cancelled()


# ---- a server that fails ----


async def test_given_a_cut_connection_then_the_next_write_and_read_connect_again(
    database: Database, url: str
) -> None:
    journal = SqlJournal(database)
    await journal.commit(entry(event_id="1"))
    await journal.events("warm-1")
    end_sessions()
    assert await journal.commit(entry(event_id="2")) == ()
    assert len(await journal.events("warm-1")) == 2
    with pytest.raises(StoreError, match="another daemon"):  # The lock is ours again.
        await Database.open(url)


async def test_given_a_lost_session_that_the_server_still_keeps_then_it_is_ended_and_the_lock_is_ours(
    database: Database,
) -> None:
    journal = SqlJournal(database)
    driver = await database.write(lambda driver: driver)
    assert isinstance(driver, psycopg.Connection)
    # Nothing passes any more, and the server is not told: its socket stays open in a copy.
    copy = os.dup(driver.fileno())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, driver.fileno())
    os.close(nothing)
    try:
        assert await journal.commit(entry()) == ()
    finally:
        os.close(copy)


async def test_given_a_server_that_stops_then_store_errors_until_it_is_back(server: PostgresServer) -> None:
    async with await Database.open(server.create()) as database:
        journal = SqlJournal(database)
        await journal.commit(entry(event_id="1"))
        server.stop()
        results = await asyncio.gather(
            *(journal.commit(entry(event_id=f"lost {number}")) for number in range(3)), return_exceptions=True
        )
        for result in results:
            assert isinstance(result, StoreError) and "does not answer" in result.problem and result.remedy
        with pytest.raises(StoreError, match="does not answer"):
            await journal.events("warm-1")
        server.start()
        assert await journal.commit(entry(event_id="2")) == ()
        assert [event.seq for event in await journal.events("warm-1")] == [1, 2]


# ---- faults at start ----


async def test_given_no_server_then_it_says_so_without_the_password() -> None:
    with pytest.raises(StoreError, match="does not answer") as raised:
        await Database.open("postgresql://ana:secret@127.0.0.1:1/warm")
    assert raised.value.remedy and "secret" not in str(raised.value)


async def test_given_no_such_database_then_it_says_how_to_make_it(url: str) -> None:
    with pytest.raises(StoreError, match=r"refuses the connection.*does not exist") as raised:
        await Database.open(re.sub(r"/warm\d+", "/cold", url, count=1))
    assert "createdb" in raised.value.remedy


async def test_given_no_driver_then_it_says_what_to_install(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "asterisk_warm.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="psycopg is needed") as raised:
        await Database.open(url)
    assert "asterisk-warm[postgres]" in raised.value.remedy
