"""Several processes on one SQLite file: who waits for whom, and who moves the log into the file."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from store_daemons import Daemons, check_prefix
from store_databases import entry

from asterisk_warm.store import Database, SqlJournal, StoreError, checkpoints, sqlite
from asterisk_warm.store.lock import FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warm.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


async def longest_pause(seconds: float) -> float:
    """Of the event loop."""
    longest, end = 0.0, time.monotonic() + seconds
    while (before := time.monotonic()) < end:
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    return longest


async def test_given_another_process_is_writing_then_writes_wait_in_order_and_the_event_loop_goes_on(
    path: Path, url: str
) -> None:
    async with await Database.open(url) as database:
        journal = SqlJournal(database)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writes = [
                asyncio.create_task(journal.commit(entry(event_id=str(number)))) for number in range(10)
            ]
            assert await longest_pause(0.4) < 0.2
            assert not any(write.done() for write in writes)
            writes[3].cancel()
            other.execute("ROLLBACK")
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert [result == () for result in results] == [number != 3 for number in range(10)]
        # Who does not wait any longer has written all the same.
        assert [one.event for one in await journal.events("warm-1")] == ["AgentAnswered"] * 10
        assert await journal.commit(entry(event_id="3")) is None


async def test_given_writes_that_wait_when_one_fails_then_the_others_do_not(path: Path, url: str) -> None:
    def refuse(driver: object) -> None:
        raise KeyError("of its own")

    async with await Database.open(url) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            jobs = [SqlJournal(database).commit(entry(event_id="1")), database.write(refuse)]
            jobs.append(SqlJournal(database).commit(entry(event_id="2")))
            writes = [asyncio.create_task(job) for job in jobs]
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert (results[0], type(results[1]), results[2]) == ((), KeyError, ())


async def test_given_an_end_while_a_write_waits_then_it_is_written_first(path: Path, url: str) -> None:
    database = await Database.open(url)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(SqlJournal(database).commit(entry()))
        await asyncio.sleep(0)
        closed = asyncio.create_task(database.close())
        await asyncio.sleep(0.02)
        assert not closed.done()
        other.execute("ROLLBACK")
    await closed
    assert await write == ()


async def test_given_others_who_write_without_a_pause_then_a_daemon_can_join_them(
    path: Path, url: str
) -> None:
    async with await Database.open(url, "east"):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with await Database.open(url, "west") as west:
                assert await SqlJournal(west).unsettled() == []
                other.execute("ROLLBACK")
                assert await SqlJournal(west).commit(entry()) == ()


async def test_given_a_daemon_from_before_there_were_nodes_then_nobody_opens_its_database(
    path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "OPENING_SECONDS", 0.1)
    old = FileLock(path.with_name("warm.db.lock"))
    assert old.take()
    with pytest.raises(StoreError, match="another daemon has the database open: process") as raised:
        await Database.open(url)
    assert raised.value.remedy == "stop it first"
    old.release()
    await (await Database.open(url)).close()


def size_of(path: Path) -> int:
    return path.stat().st_size


async def test_given_a_process_that_checkpoints_then_no_other_one_does(
    path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "DUE", 20)
    monkeypatch.setattr(checkpoints, "QUIET", 0.0)
    async with await Database.open(url) as database:
        journal = SqlJournal(database)
        other = FileLock(path.with_name("warm.db.checkpoint"))
        assert other.take()
        size = size_of(path)
        for number in range(200):
            await journal.commit(entry(event_id=str(number), snapshot_json=b"1" * 4000))
            await asyncio.sleep(0.001)
        assert size_of(path) == size
        other.release()
        async with asyncio.timeout(20):
            while size_of(path) == size:
                number += 1
                await journal.commit(entry(event_id=str(number), snapshot_json=b"1" * 4000))
                await asyncio.sleep(0.001)


async def test_given_four_daemons_that_write_checkpoint_and_are_killed_then_each_journal_is_whole(
    path: Path, url: str
) -> None:
    moments = random.Random(7)
    nodes = [f"node-{number}" for number in range(4)]
    starts: dict[str, list[int]] = {node: [] for node in nodes}
    stored = dict.fromkeys(nodes, 0)
    with ExitStack() as stack:
        daemons = {node: stack.enter_context(Daemons(url, node)) for node in nodes}
        for _ in range(3):
            for node in nodes:
                starts[node].append(stored[node])
                daemons[node].start(stored[node])
            told = {
                node: [daemons[node].reply() for _ in range(moments.randint(0, 80))]
                for node in moments.sample(nodes, 4)
            }
            for node in moments.sample(nodes, 4):
                told[node] += daemons[node].kill()
            for node in nodes:
                stored[node] = await check_prefix(url, starts[node], node)
                assert stored[node] - starts[node][-1] in (len(told[node]), len(told[node]) + 1)
    assert min(stored.values()) > 50
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert check.execute("PRAGMA foreign_key_check").fetchall() == []
