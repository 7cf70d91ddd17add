"""The journal, on each kind of database."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, select
from store_databases import entry

from asterisk_warm.engine.ports.journal import HandoffRow, Journal, StoredEvent, StoredHandoff
from asterisk_warm.store import Database, SqlJournal, StoreError
from asterisk_warm.store.tables import events, handoffs, outbox

RING = ("RingAgent", b'{"offer": 1}')
PLAY = ("PlayBriefing", b'{"offer": 1, "text": "\xc3\xa9"}')
JOIN = ("JoinBridge", b"{}")


@pytest.fixture
def journal(database: Database) -> Journal:
    return SqlJournal(database)


async def test_given_a_new_database_then_it_is_empty(journal: Journal) -> None:
    assert await journal.unsettled() == []
    assert await journal.list(open_only=False, limit=10) == []
    assert await journal.events("warm-1") == []
    assert await journal.get("warm-1") is None


async def test_given_an_entry_when_read_back_then_it_is_all_there(journal: Journal) -> None:
    ids = await journal.commit(entry(commands=[RING, PLAY, RING]))
    assert ids is not None and len(set(ids)) == 3 and list(ids) == sorted(ids)
    assert await journal.get("warm-1") == HandoffRow(
        id="warm-1",
        state="OFFERING",
        team="sales",
        lead_channel="1700000000.1",
        lead_name="Ana María",
        lead_number="+15551234567",
        created_at=1000.25,
        updated_at=1000.25,
        settled=False,
        snapshot_json=b'{"after": "e1"}',
    )
    assert await journal.events("warm-1") == [
        StoredEvent(
            seq=1,
            at=1000.25,
            event="AgentAnswered",
            event_json=b'{"event": "\xc3\xa9"}',
            state="OFFERING",
            commands=((*RING, None), (*PLAY, None), (*RING, None)),
        )
    ]
    assert await journal.unsettled() == [
        StoredHandoff(
            "warm-1", b'{"after": "e1"}', tuple((i, *c) for i, c in zip(ids, [RING, PLAY, RING], strict=True))
        )
    ]


async def test_given_another_event_then_the_handoff_is_what_it_became_and_keeps_its_beginning(
    journal: Journal,
) -> None:
    await journal.commit(entry(at=1.0))
    assert (
        await journal.commit(entry(event_id="e2", at=2.0, state="CONNECTED", lead_name="Eva", settled=True))
        == ()
    )
    row = await journal.get("warm-1")
    assert row is not None
    assert (row.created_at, row.updated_at, row.state, row.lead_name) == (1.0, 2.0, "CONNECTED", "Eva")
    assert (row.settled, row.snapshot_json) == (True, b'{"after": "e2"}')
    assert [(e.seq, e.at, e.state) for e in await journal.events("warm-1")] == [
        (1, 1.0, "OFFERING"),
        (2, 2.0, "CONNECTED"),
    ]


async def test_given_an_event_when_it_comes_again_then_nothing_changes(journal: Journal) -> None:
    ids = await journal.commit(entry(commands=[RING]))
    assert ids is not None
    before = await journal.events("warm-1"), await journal.get("warm-1"), await journal.unsettled()
    again = entry(at=9.0, snapshot_json=b'"other"', settled=True, commands=[PLAY], done=ids)
    assert await journal.commit(again) is None
    assert (await journal.events("warm-1"), await journal.get("warm-1"), await journal.unsettled()) == before
    await journal.commit(entry(event_id="e2"))
    assert [e.seq for e in await journal.events("warm-1")] == [1, 2]


async def test_given_an_event_id_of_another_handoff_then_it_is_no_duplicate(journal: Journal) -> None:
    assert await journal.commit(entry("warm-1", "e1")) == ()
    assert await journal.commit(entry("warm-2", "e1")) == ()


async def test_given_commands_when_marked_done_then_they_are_not_pending(journal: Journal) -> None:
    first = await journal.commit(entry(commands=[RING, PLAY]))
    assert first is not None
    second = await journal.commit(entry(event_id="e2", at=2.0, commands=[JOIN], done=[first[1]]))
    assert second is not None
    (found,) = await journal.unsettled()
    assert found.pending == ((first[0], *RING), (second[0], *JOIN))
    await journal.mark_done([first[0], *second], 3.0)
    assert [h.pending for h in await journal.unsettled()] == [()]
    done = [[done_at for *_, done_at in e.commands] for e in await journal.events("warm-1")]
    assert done == [[3.0, 2.0], [3.0]]


async def test_given_a_done_command_when_marked_again_then_it_keeps_its_time(journal: Journal) -> None:
    ids = await journal.commit(entry(commands=[RING]))
    assert ids is not None
    await journal.mark_done(ids, 5.0)
    await journal.mark_done([*ids, 10**6], 6.0)
    await journal.mark_done([], 7.0)
    assert (await journal.events("warm-1"))[0].commands == ((*RING, 5.0),)


async def test_given_handoffs_then_unsettled_are_oldest_first_and_listed_newest_first(
    journal: Journal,
) -> None:
    for number in (3, 1, 2, 4):
        await journal.commit(entry(f"warm-{number}", at=float(number), settled=number == 2, commands=[RING]))
    assert [h.id for h in await journal.unsettled()] == ["warm-1", "warm-3", "warm-4"]
    assert [h.id for h in await journal.list(open_only=True, limit=2)] == ["warm-4", "warm-3"]
    assert [h.id for h in await journal.list(open_only=False, limit=9)] == [
        "warm-4",
        "warm-3",
        "warm-2",
        "warm-1",
    ]


async def test_given_handoffs_of_several_leads_then_those_of_one_number_are_found_newest_first(
    journal: Journal,
) -> None:
    for number in range(6):
        await journal.commit(entry(f"warm-{number}", at=float(number), lead_number=str(number % 2)))
    assert [h.id for h in await journal.of_lead("1", limit=9)] == ["warm-5", "warm-3", "warm-1"]
    assert [h.id for h in await journal.of_lead("0", limit=1)] == ["warm-4"]
    assert await journal.of_lead("7", limit=9) == []


async def test_given_talks_then_those_of_an_agent_are_told_the_latest_talk_first(journal: Journal) -> None:
    for number in range(6):
        talk = {"agent": "ana", "joined_at": 100.0 - number} if number % 2 else {"agent": "ben"}
        await journal.commit(entry(f"warm-{number}", at=float(number), **talk))
    assert [h.id for h in await journal.of_agent("ana", limit=9)] == ["warm-1", "warm-3", "warm-5"]
    assert [h.id for h in await journal.of_agent("ana", limit=1)] == ["warm-1"]
    assert await journal.of_agent("ben", limit=9) == [], "who was offered a lead has not talked to them"


async def test_given_a_name_with_every_sort_of_character_then_it_is_kept_and_a_nul_is_replaced(
    journal: Journal,
) -> None:
    await journal.commit(entry(lead_name="a\0b'\";--%s\u202e\U0001f600", lead_number="\0"))
    row = await journal.get("warm-1")
    assert row is not None
    assert (row.lead_name, row.lead_number) == ("a\ufffdb'\";--%s\u202e\U0001f600", "\ufffd")


async def test_given_many_commands_then_their_ids_are_in_their_order(journal: Journal) -> None:
    commands = [(f"Kind{number}", f"{number}".encode()) for number in range(300)]
    ids = await journal.commit(entry(commands=commands))
    (found,) = await journal.unsettled()
    assert ids is not None
    assert list(found.pending) == [(i, *command) for i, command in zip(ids, commands, strict=True)]


async def test_given_a_closed_database_when_opened_again_then_all_is_there_and_goes_on(url: str) -> None:
    async with await Database.open(url) as database:
        first = await SqlJournal(database).commit(entry(commands=[RING]))
    async with await Database.open(url) as database:
        journal = SqlJournal(database)
        assert first is not None
        assert [h.pending for h in await journal.unsettled()] == [((first[0], *RING),)]
        assert await journal.commit(entry(commands=[RING])) is None
        second = await journal.commit(entry(event_id="e2", commands=[PLAY]))
        assert second is not None and second[0] > first[0]
        assert [e.seq for e in await journal.events("warm-1")] == [1, 2]


async def test_given_a_closed_database_then_it_says_so(url: str) -> None:
    database = await Database.open(url)
    await database.close()
    await database.close()
    with pytest.raises(StoreError, match="closed"):
        await SqlJournal(database).commit(entry())
    with pytest.raises(StoreError, match="closed"):
        await SqlJournal(database).unsettled()


async def test_given_readers_while_writing_then_each_sees_whole_entries(database: Database) -> None:
    journal = SqlJournal(database)
    count = 150
    finished = False

    def look(connection: Connection) -> int:
        found = connection.execute(select(handoffs.c.seq, handoffs.c.snapshot)).one_or_none()
        seqs = connection.execute(select(events.c.seq).order_by(events.c.seq)).scalars().all()
        commands = connection.execute(select(outbox.c.seq).order_by(outbox.c.id)).scalars().all()
        seq = 0 if found is None else found.seq
        assert list(seqs) == list(range(1, seq + 1))
        assert list(commands) == [s for s in range(1, seq + 1) for _ in range(2)]
        assert found is None or found.snapshot == f'{{"after": "e{seq}"}}'
        return seq

    async def read() -> list[int]:
        seen = []
        while not finished:
            seen.append(await database.read(look))
        return seen

    readers = [asyncio.create_task(read()) for _ in range(2)]
    for number in range(1, count + 1):
        await journal.commit(entry(event_id=f"e{number}", commands=[RING, PLAY]))
        await asyncio.sleep(0)
    finished = True
    for reader in readers:
        seen = await reader
        assert seen == sorted(seen) and len(seen) > 1
    assert await database.read(look) == count


async def test_given_a_write_that_fails_then_nothing_of_it_stays_and_the_next_one_works(
    database: Database,
) -> None:
    journal = SqlJournal(database)
    with pytest.raises(UnicodeDecodeError):  # The event is written by then.
        await journal.commit(entry(snapshot_json=b"\xff"))
    assert await journal.get("warm-1") is None and await journal.events("warm-1") == []
    with pytest.raises(StoreError):
        await database.write(lambda driver: driver.execute("SELECT 1 FROM nowhere", ()))
    assert await journal.commit(entry()) == ()


async def test_given_a_read_that_would_write_then_it_fails(database: Database) -> None:
    await SqlJournal(database).commit(entry())
    with pytest.raises(StoreError):
        await database.read(lambda connection: connection.execute(handoffs.delete()))


async def test_given_a_read_that_fails_then_a_store_error(database: Database) -> None:
    with pytest.raises(StoreError) as raised:
        await database.read(lambda connection: connection.exec_driver_sql("SELECT 1 FROM nowhere"))
    assert raised.value.place == database.place and "nowhere" in raised.value.problem
