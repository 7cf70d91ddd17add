"""Several daemons on one database, each with a name of its own, on each kind of database."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from store_databases import KINDS, entry, new_database

from asterisk_warm.core.presence import By, Lease, Presence, reserve
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.store import Database, SqlAgents, SqlJournal, StoreError
from asterisk_warm.store.migrate import upgrade
from asterisk_warm.store.sqlite import APPLICATION_ID


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(request.param, tmp_path)


async def unsettled(database: Database) -> list[str]:
    return [one.id for one in await SqlJournal(database).unsettled()]


async def test_given_a_daemon_then_a_second_one_of_its_name_is_refused_and_one_of_another_is_not(
    url: str,
) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        assert (east.node, west.node) == ("east", "west")
        with pytest.raises(StoreError, match="another daemon has the database open: ") as raised:
            await Database.open(url, "east")
        assert "another `node` name" in raised.value.remedy
        await east.close()
        async with await Database.open(url, "east") as again:
            await SqlJournal(again).commit(entry())
            assert await SqlJournal(west).get("warm-1") is not None


async def test_given_a_read_that_nobody_waits_for_any_more_then_closing_waits_for_its_connection(
    url: str,
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def read(_: Connection) -> None:
        reading.set()
        go_on.wait()

    async with await Database.open(url) as database:
        waiting = asyncio.create_task(database.read(read))
        await asyncio.to_thread(reading.wait)
        waiting.cancel()
        await asyncio.wait({waiting})
        closing = asyncio.create_task(database.close())
        await asyncio.wait({closing}, timeout=0.05)
        assert not closing.done()
        go_on.set()
        await closing


@pytest.mark.parametrize("node", ["", "a b", "../east", ".east", "x" * 64, "öst"])
async def test_given_a_name_that_is_none_then_it_says_what_is_one(url: str, node: str) -> None:
    with pytest.raises(StoreError, match=r"no name for a daemon.*letters, digits") as raised:
        await Database.open(url, node)
    assert repr(node) in raised.value.place


async def test_given_several_who_open_a_new_database_at_once_then_all_have_it(url: str) -> None:
    opened = await asyncio.gather(*(Database.open(url, f"node-{number}") for number in range(4)))
    for number, database in enumerate(opened):
        await SqlJournal(database).commit(entry(f"warm-{number}"))
    assert len(await SqlJournal(opened[0]).list(open_only=True, limit=9)) == 4
    for database in opened:
        await database.close()


async def test_given_handoffs_of_several_daemons_then_each_takes_up_its_own(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        ids = await SqlJournal(east).commit(entry("warm-1", commands=[("Ring", b"{}")]))
        await SqlJournal(west).commit(entry("warm-2"))
        await SqlJournal(west).commit(entry("warm-3", settled=True))
        assert (await unsettled(east), await unsettled(west)) == (["warm-1"], ["warm-2"])
        assert len(await SqlJournal(west).list(open_only=False, limit=9)) == 3
        # Whoever goes on with a handoff has it.
        await SqlJournal(west).commit(entry("warm-1", "e2"))
        await SqlJournal(west).commit(entry("warm-2", "e2", node="east"))
        assert (await unsettled(east), await unsettled(west)) == (["warm-2"], ["warm-1"])
        (taken,) = await SqlJournal(west).unsettled()
        assert ids is not None and taken.pending == ((ids[0], "Ring", b"{}"),)


async def test_given_handoffs_from_before_there_were_nodes_then_they_are_whose_who_opens_first(
    url: str,
) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "here", "0001")
        if engine.dialect.name == "sqlite":
            connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
        for id, settled in (("warm-1", False), ("warm-2", True)):
            values = {
                **{"id": id, "seq": 1, "state": "OFFERING", "team": "sales", "lead_channel": "1.1"},
                **{"lead_name": "Ana", "lead_number": "1", "created_at": 1.5, "updated_at": 2.5},
                **{"settled": settled, "snapshot": '{"after": "e1"}'},
            }
            names = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO handoffs ({names}) VALUES ({places})"), values)
        connection.execute(
            text(
                "INSERT INTO handoff_events (handoff, seq, event_id, at, kind, event, state)"
                " VALUES ('warm-1', 1, 'e1', 1.5, 'LeadArrived', '{}', 'OFFERING')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO handoff_outbox (handoff, seq, position, kind, command)"
                " VALUES ('warm-1', 1, 0, 'Ring', '{}')"
            )
        )
    engine.dispose()
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        (found,) = await SqlJournal(east).unsettled()
        assert (found.id, found.snapshot_json, len(found.pending)) == ("warm-1", b'{"after": "e1"}', 1)
        assert await unsettled(west) == []
        row = await SqlJournal(west).get("warm-2")
        assert row is not None and (row.created_at, row.updated_at, row.settled) == (1.5, 2.5, True)
        assert [one.seq for one in await SqlJournal(west).events("warm-1")] == [1]
        assert await SqlJournal(east).commit(entry("warm-1", "e1")) is None
        assert await SqlJournal(east).commit(entry("warm-1", "e2")) == ()
        agents = SqlAgents(west)
        assert (await agents.agents(), await agents.teams(), await agents.mark()) == ([], [], 1)
        assert await agents.last_agent("1") is None


async def test_given_two_daemons_who_have_seen_the_same_then_one_of_them_reserves(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlAgents(east), SqlAgents(west)]
        await stores[0].seed([], [TeamRecord("sales", "Sales")], 1.0)
        await stores[1].save_agents([AgentRecord("ana", "Ana", "PJSIP/ana")], By("eva", "cli"), 1.0)
        for round in range(20):
            mark = await stores[0].mark()
            seen = await stores[0].presence("ana")
            assert seen is not None and seen.version == round
            results = await asyncio.gather(
                *(
                    store.save_presence(seen, reserve(seen, Lease(f"warm-{node}", node, 9.0), 1.0))
                    for store, node in zip(stores, ("east", "west"), strict=True)
                )
            )
            (won,) = (one for one in results if one is not None)
            assert [await store.presence("ana") for store in stores] == [won, won]
            assert await stores[1].mark() == mark + 1
            assert won == Presence("ana", version=round + 1, offered_at=1.0, offer=won.offer)


async def test_given_many_writes_of_two_daemons_then_each_ones_are_in_its_order(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        await asyncio.gather(
            *(
                SqlJournal(database).commit(entry(f"{database.node}-1", str(number)))
                for number in range(100)
                for database in (east, west)
            )
        )
        for database in (east, west):
            found = await SqlJournal(west).events(f"{database.node}-1")
            assert len(found) == 100

            def order(connection, handoff=f"{database.node}-1"):
                wanted = "SELECT event_id FROM handoff_events WHERE handoff = :handoff ORDER BY seq"
                return connection.execute(text(wanted), {"handoff": handoff}).scalars().all()

            assert await east.read(order) == [str(number) for number in range(100)]
