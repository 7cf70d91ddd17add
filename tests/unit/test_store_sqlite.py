"""What is particular to SQLite: daemons and the file, checkpoints, crashes, and faults of the disk."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from store_daemons import Daemons, check_prefix
from store_databases import entry

from asterisk_warm.core.leads import LeadRecord
from asterisk_warm.store import (
    Database,
    SqlAgents,
    SqlDeliveries,
    SqlJournal,
    SqlLeads,
    SqlQualifications,
    SqlScripts,
    SqlTokens,
    StoreError,
    checkpoints,
)
from asterisk_warm.store.database import READS_AT_ONCE
from asterisk_warm.store.statements import Driver

LOCKS = ("warm.db.lock", "warm.db.warm.lock", "warm.db.checkpoint")


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


async def refusal(url: str) -> StoreError:
    with pytest.raises(StoreError) as raised:
        await Database.open(url)
    return raised.value


# ---- reads that do not end ----


async def test_given_reads_that_do_not_end_then_other_work_has_threads_and_what_nobody_waits_for_is_not_read(
    tmp_path: Path,
) -> None:
    ended, read = threading.Event(), list[str]()
    async with await Database.open(url_of(tmp_path / "warm.db")) as database:
        endless = [
            asyncio.ensure_future(database.read(lambda _: ended.wait(30))) for _ in range(READS_AT_ONCE)
        ]
        given_up = asyncio.ensure_future(database.read(lambda _: read.append("given up")))
        await asyncio.sleep(0)
        given_up.cancel()
        try:
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(lambda: "other work") == "other work"
        finally:
            ended.set()
        assert all(await asyncio.gather(*endless))
        assert await database.read(lambda _: "after it") == "after it"
    assert read == []


# ---- the file ----


async def test_given_no_folder_then_it_is_made_and_only_we_and_our_group_may_look(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "warm.db"
    async with await Database.open(url_of(path)) as database:
        await SqlJournal(database).commit(entry())
        modes = modes_in(path.parent)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    assert set(modes) == {"warm.db", "warm.db-wal", "warm.db-shm", *LOCKS}
    assert not any(mode & 0o007 for mode in modes.values())


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_given_an_end_in_order_then_the_database_is_one_file(tmp_path: Path) -> None:
    async with await Database.open(url_of(tmp_path / "warm.db")) as database:
        await SqlJournal(database).commit(entry())
    assert set(modes_in(tmp_path)) == {"warm.db", *LOCKS}


async def test_given_the_durability_that_is_promised_then_sqlite_is_set_so(tmp_path: Path) -> None:
    def settings(driver: Driver) -> list[object]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys")
        return [driver.execute(f"PRAGMA {name}", ()).fetchone()[0] for name in names]

    async with await Database.open(url_of(tmp_path / "warm.db")) as database:
        assert await database.write(settings) == ["wal", 1, 0, 1]


async def test_given_any_read_then_no_table_is_searched_from_end_to_end(tmp_path: Path) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, sql: str, values: tuple[object, ...], *_: object) -> None:
        if sql.startswith("SELECT"):
            asked.append((sql, values))

    async with await Database.open(url_of(tmp_path / "warm.db")) as database:
        journal = SqlJournal(database)
        event.listen(Engine, "before_cursor_execute", note)
        try:
            await journal.unsettled()
            await journal.events("warm-1")
            await journal.get("warm-1")
            await journal.list(open_only=True, limit=5)
            await journal.list(open_only=False, limit=5)
            await journal.of_lead("1", 5)
            await journal.of_agent("ana", 5)
            agents = SqlAgents(database)
            await agents.presence("ana")
            await agents.history("ana", 5)
            await agents.mark()
            await agents.last_agent("1")
            await agents.talk_seconds("sales", 5)
            await read_leads(database)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 28
    with closing(sqlite3.connect(tmp_path / "warm.db")) as check:
        for sql, values in asked:
            plan = [row[3] for row in check.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert all("USING" in step or "SUBQUERY" in step or "ORDER BY" in step for step in plan), (
                sql,
                plan,
            )
            # In the order of an index, a search ends as soon as there is enough.
            assert not any("SCAN" in step and "_index" not in step for step in plan), (sql, plan)


async def read_leads(database: Database) -> None:
    """All that is read of leads, scripts, qualifications, webhooks and tokens but the few there are of all."""
    leads, scripts, qualifications = SqlLeads(database), SqlScripts(database), SqlQualifications(database)
    await leads.save_leads([LeadRecord("+1")], "eva", 1.0)
    await leads.lead("+1")  # Two statements, as the next.
    await leads.leads("", 5)
    await leads.outcomes_of_handoff("warm-1")
    await leads.outcomes_of_lead("+1", 5)
    await scripts.current("insurance")
    await scripts.version("insurance", 1)
    await qualifications.get("qual-1")
    await qualifications.of_lead("+1", 5)
    await qualifications.list(5, open_only=True)
    await qualifications.list(5, open_only=False)
    await SqlDeliveries(database).next_due("crm")
    await SqlTokens(database).by_hash("a")


# ---- daemons ----


@pytest.fixture
def other_daemon(tmp_path: Path) -> Iterator[int]:
    """The process id of a daemon that has `warm.db` open."""
    with Daemons(url_of(tmp_path / "warm.db")) as daemons:
        process_id = daemons.start(0)
        daemons.reply()
        yield process_id


async def test_given_a_running_daemon_when_another_starts_then_it_names_it(
    tmp_path: Path, other_daemon: int
) -> None:
    error = await refusal(url_of(tmp_path / "warm.db"))
    assert str(other_daemon) in error.problem and "another daemon" in error.problem and error.remedy
    (tmp_path / "link.db").symlink_to("warm.db")
    assert "another daemon" in str(await refusal(url_of(tmp_path / "link.db")))


async def test_given_a_daemon_that_was_killed_then_the_next_one_starts(tmp_path: Path) -> None:
    with Daemons(url_of(tmp_path / "warm.db")) as daemons:
        daemons.start(0)
        daemons.reply()
        daemons.kill()
        async with await Database.open(url_of(tmp_path / "warm.db")) as database:
            assert await SqlJournal(database).events("warm-0")


async def test_given_an_open_that_fails_then_the_lock_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "warm.db"
    path.write_bytes(b"no database at all" * 100)
    await refusal(url_of(path))
    path.unlink()
    await (await Database.open(url_of(path))).close()


# ---- faults ----


async def test_given_a_file_that_is_no_database_then_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "warm.db"
    path.write_bytes(b"no database at all" * 100)
    error = await refusal(url_of(path))
    assert error.place == str(path) and "not an SQLite database" in error.problem and error.remedy
    assert path.read_bytes() == b"no database at all" * 100


async def test_given_the_database_of_another_program_then_it_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "astdb.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE astdb (key TEXT, value TEXT)")
    before = path.read_bytes()
    assert "another program" in (await refusal(url_of(path))).problem
    assert path.read_bytes() == before


async def test_given_a_folder_that_cannot_be_made_then_place_and_reason() -> None:
    error = await refusal("sqlite:////sys/asterisk-warm/warm.db")  # Not even root may.
    assert error.place == "/sys/asterisk-warm/warm.db" and "not permitted" in error.problem and error.remedy


async def test_given_a_path_through_a_file_then_place_and_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "warm.db", tmp_path / "file" / "deeper" / "warm.db", tmp_path):
        error = await refusal(url_of(path))
        assert error.place == str(path) and "folder is needed" in error.problem


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:warm.db?uri=true"])
async def test_given_a_url_without_a_file_then_it_says_so(url: str) -> None:
    assert "path of a file" in (await refusal(url)).problem


@pytest.mark.parametrize("url", ["", "warm.db", "mysql://ana:secret@db/warm", "postgresql://a:secret@h:x/y"])
async def test_given_a_url_of_something_else_then_it_says_so_without_the_password(url: str) -> None:
    error = await refusal(url)
    assert error.remedy and "secret" not in str(error)


async def test_given_a_full_disk_then_nothing_is_torn_and_it_goes_on_when_there_is_space(
    tmp_path: Path,
) -> None:
    async with await Database.open(url_of(tmp_path / "warm.db")) as database:
        journal = SqlJournal(database)
        await journal.commit(entry())
        await database.write(
            lambda driver: driver.execute("PRAGMA max_page_count = 1", ())
        )  # no more than now
        big = entry(event_id="e2", snapshot_json=b"9" * 100_000, commands=[("Ring", b"{}")])
        with pytest.raises(StoreError, match="disk is full"):
            await journal.commit(big)
        assert [one.seq for one in await journal.events("warm-1")] == [1]
        assert [handoff.pending for handoff in await journal.unsettled()] == [()]
        await database.write(lambda driver: driver.execute("PRAGMA max_page_count = 1000000", ()))
        ids = await journal.commit(big)
        assert ids is not None and len(ids) == 1


async def test_given_a_stranger_who_is_writing_then_a_store_error_and_later_it_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "warm.db"
    async with await Database.open(url_of(path)) as database:
        journal = SqlJournal(database)
        with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another program is writing") as raised:
                await journal.commit(entry())
            assert raised.value.remedy
            stranger.execute("ROLLBACK")
        assert await journal.commit(entry()) == ()


# ---- checkpoints ----


def log_state(path: Path) -> tuple[int, int]:
    """How many pages the write-ahead log holds, and how many of them are in the database file already."""
    index = path.with_name(path.name + "-shm").read_bytes()  # sqlite.org/walformat.html
    return struct.unpack_from("=I", index, 16)[0], struct.unpack_from("=I", index, 96)[0]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


async def test_given_a_finished_checkpoint_then_the_log_has_been_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither the next commit pays for it, nor can the next checkpoint meet it (SQLite's WAL-reset bug).
    monkeypatch.setattr(checkpoints, "QUIET", 0.0)
    path = tmp_path / "warm.db"
    async with await Database.open(url_of(path)) as database:
        assert log_state(path) == (1, 0)
        for number in range(checkpoints.DUE - 1):
            await SqlJournal(database).commit(entry(event_id=str(number)))
        pages, moved = log_state(path)
        assert pages > checkpoints.DUE and moved == 0
        await SqlJournal(database).commit(entry(event_id="due"))
        await asyncio.to_thread(wait_until, lambda: log_state(path) == (1, 0))


async def test_given_enough_commits_then_the_log_moves_into_the_file_and_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "DUE", 20)
    monkeypatch.setattr(checkpoints, "QUIET", 0.0)
    path = tmp_path / "warm.db"
    async with await Database.open(url_of(path)) as database:
        journal = SqlJournal(database)
        empty = path.stat().st_size
        async with asyncio.timeout(30):
            number = 0
            while path.stat().st_size == empty:
                number += 1
                await journal.commit(entry(event_id=str(number), snapshot_json=b"1" * 4000))
                await asyncio.sleep(0)
        length = (tmp_path / "warm.db-wal").stat().st_size
        for more in range(20 * number):
            await journal.commit(entry(event_id=f"more {more}", snapshot_json=b"2" * 4000))
            await asyncio.sleep(0)
        assert (tmp_path / "warm.db-wal").stat().st_size < 10 * length
        assert len(await journal.events("warm-1")) == 21 * number
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# ---- crashes ----


async def test_given_kill_9_at_any_moment_then_the_journal_holds_whole_entries_up_to_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "warm.db"
    moments = random.Random(7)
    starts: list[int] = []
    stored = 0
    with Daemons(url_of(path)) as daemons:
        for _ in range(20):
            starts.append(stored)
            daemons.start(stored)
            told = [daemons.reply() for _ in range(moments.randint(0, 25))] + daemons.kill()
            stored = await check_prefix(url_of(path), starts)
            # The last one may have been committed and not told any more.
            assert stored - starts[-1] in (len(told), len(told) + 1)
    assert stored > 100
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert check.execute("PRAGMA foreign_key_check").fetchall() == []
