"""Agents, teams and presence, on each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace

import pytest
from sqlalchemy import Connection, text
from store_databases import entry

from asterisk_warm.core.presence import By, Declared, Lease, Presence, reserve
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord
from asterisk_warm.engine.agents.ports import AgentStore, Change
from asterisk_warm.store import Database, SqlAgents, SqlJournal, StoreError

EVA = By("eva", "cli")
SALES = TeamRecord("sales", "Sales", "700")
CARE = TeamRecord("care", "Care")
ANA = AgentRecord(
    id="ana",
    name="Ana María \U0001f600",
    endpoint="PJSIP/ana",
    number="201",
    teams=(("care", 2), ("sales", 1)),
    skills=(("german", 3), ("spanish", 10)),
    at_once=2,
    hints=("Custom:desk", "201@from-internal"),
    dnd="Custom:DND201",
    timezone="Europe/Madrid",
    shifts=("mon-fri 09:00-17:30",),
    calendar="work",
    language="es",
)
BEN = AgentRecord("ben", "Ben", "PJSIP/ben")
EVERYTHING = Presence(
    agent="ana",
    version=0,
    declared=Declared.PAUSED,
    reason="lunch 🍲",
    until=17.25,
    since=3.5,
    by=EVA,
    wrapup_until=4.5,
    idle_since=5.5,
    offered_at=6.5,
    missed=2,
    offer=Lease("warm-1", "warm", 20.125),
    talks=(Lease("warm-2", "warm", 30.5), Lease("warm-3", "other", 31.5)),
)


@pytest.fixture
async def store(database: Database) -> AgentStore:
    """With two teams and two agents."""
    store = SqlAgents(database)
    await store.seed([], [SALES, CARE], 1.0)
    await store.save_agents([BEN, ANA], EVA, 2.0)
    return store


async def presence_of(store: AgentStore, agent: str) -> Presence:
    (found,) = (one.presence for one in await store.agents() if one.record.id == agent)
    return found


# -- who they are ------------------------------------------------------------------------------------------------


async def test_given_a_new_database_then_there_is_nobody(database: Database) -> None:
    store: AgentStore = SqlAgents(database)
    assert (await store.agents(), await store.teams()) == ([], [])
    assert await store.history("ana", 5) == []
    assert await store.last_agent("+15551234567") is None
    assert await store.talk_seconds("sales", 5) == []
    assert await store.remove_agent("ana", EVA, 1.0) is False
    assert await store.save_presence(Presence("ana"), Presence("ana")) is None


async def test_given_agents_when_read_back_then_everything_is_there_and_their_presence_is_new(
    store: AgentStore,
) -> None:
    assert all(getattr(ANA, one.name) for one in fields(ANA)), "a field is not tried"
    found = await store.agents()
    assert [one.record for one in found] == [ANA, BEN]
    assert [one.presence for one in found] == [Presence("ana"), Presence("ben")]
    assert await store.teams() == [CARE, SALES]


async def test_given_an_agent_when_saved_again_then_they_are_replaced_and_their_presence_stays(
    store: AgentStore,
) -> None:
    saved = await store.save_presence(Presence("ana"), EVERYTHING)
    other = AgentRecord("ana", "Ana", "PJSIP/2", teams=(("sales", 5),), skills=(("german", 1),))
    await store.save_agents([other], EVA, 3.0)
    assert [one.record for one in await store.agents()] == [other, BEN]
    assert await presence_of(store, "ana") == saved


async def test_given_a_team_that_is_not_there_then_nothing_is_saved_and_it_is_told_where(
    store: AgentStore,
) -> None:
    lost = replace(BEN, teams=(("support", 1),))
    with pytest.raises(StoreError, match=r"agent ben: there is no team 'support'; add it to `teams`"):
        await store.save_agents([replace(ANA, name="Changed"), lost], EVA, 3.0)
    with pytest.raises(StoreError, match=r"agent ben: there is no team 'support'"):
        await store.seed([lost], [SALES, CARE], 3.0)
    assert [one.record for one in await store.agents()] == [ANA, BEN]


async def test_given_an_agent_when_removed_then_their_history_stays_and_their_presence_does_not(
    store: AgentStore,
) -> None:
    saved = await store.save_presence(Presence("ana"), EVERYTHING)
    assert saved is not None
    assert await store.remove_agent("ana", EVA, 4.0) is True
    assert await store.remove_agent("ana", EVA, 4.0) is False
    assert [one.record for one in await store.agents()] == [BEN]
    assert await store.save_presence(saved, saved) is None
    lines = [(line.what, line.by, line.at) for line in await store.history("ana", 9)]
    assert lines == [("removed", EVA, 4.0), ("added", EVA, 2.0)]


async def test_given_an_agent_who_comes_back_then_nothing_of_before_is_taken_for_the_present(
    store: AgentStore,
) -> None:
    saved = await store.save_presence(Presence("ana"), EVERYTHING)
    assert saved is not None
    await store.remove_agent("ana", EVA, 4.0)
    await store.save_agents([ANA], EVA, 5.0)
    back = await presence_of(store, "ana")
    assert back == Presence("ana", version=back.version)
    for before in (Presence("ana"), saved):
        assert await store.save_presence(before, saved) is None
    assert await store.save_presence(back, reserve(back, Lease("warm-9", "warm", 9.0), 1.0))


# -- presence ----------------------------------------------------------------------------------------------------


async def test_given_a_presence_when_saved_then_all_of_it_is_read_back(store: AgentStore) -> None:
    default = Presence("ana")
    same = [
        one.name for one in fields(default) if getattr(EVERYTHING, one.name) == getattr(default, one.name)
    ]
    assert same == ["agent", "version"], "a field is not tried"
    saved = await store.save_presence(Presence("ana"), EVERYTHING)
    assert saved == EVERYTHING.evolve(version=1)
    assert await presence_of(store, "ana") == saved
    assert await SqlAgents(store._database).presence("ana") == saved  # type: ignore[attr-defined]
    assert await presence_of(store, "ben") == Presence("ben")
    empty = await store.save_presence(saved, Presence("ana"))
    assert empty == Presence("ana", version=2) == await presence_of(store, "ana")


async def test_given_somebody_was_faster_then_nothing_is_written(store: AgentStore) -> None:
    first = await store.save_presence(Presence("ana"), Presence("ana", missed=1))
    mark = await store.mark()
    line = Change("ana", 9.0, "ready", "", None, EVA)
    for version in (0, 2, 7):
        assert await store.save_presence(Presence("ana", version), EVERYTHING, line) is None
    assert await presence_of(store, "ana") == first
    assert [one.what for one in await store.history("ana", 9)] == ["added"]
    assert await store.mark() == mark


async def test_given_many_who_reserve_at_once_then_one_has_them(store: AgentStore) -> None:
    seen = await presence_of(store, "ben")
    results = await asyncio.gather(
        *(
            store.save_presence(seen, reserve(seen, Lease(f"warm-{number}", "warm", 9.0), 1.0))
            for number in range(20)
        )
    )
    (won,) = (one for one in results if one is not None)
    assert won == await presence_of(store, "ben")


async def test_given_changes_then_the_history_tells_them_newest_first(store: AgentStore) -> None:
    presence = Presence("ben")
    told = [Change("ben", float(at), "paused", f"for {at}", at + 0.5, By("ben", "code")) for at in range(5)]
    for line in told:
        saved = await store.save_presence(presence, presence.evolve(reason=line.reason), line)
        assert saved is not None
        presence = saved
    saved = await store.save_presence(presence, presence, replace(told[0], until=None))
    assert await store.history("ben", 3) == [replace(told[0], until=None), told[4], told[3]]
    assert len(await store.history("ben", 99)) == 7


async def test_given_words_with_every_sort_of_character_then_they_are_kept_as_far_as_can_be(
    store: AgentStore,
) -> None:
    words = "a\0b'\";--%s\u202e\U0001f600\ud800"
    kept = "a\ufffdb'\";--%s\u202e\U0001f600?"
    after = Presence("ana", reason=words, by=By(words, "api"))
    saved = await store.save_presence(
        Presence("ana"), after, Change("ana", 1.0, "paused", words, None, after.by)
    )
    assert (
        saved == after.evolve(version=1, reason=kept, by=By(kept, "api")) == await presence_of(store, "ana")
    )
    (line, *_) = await store.history("ana", 1)
    assert (line.reason, line.by) == (kept, By(kept, "api"))


# -- the mark ----------------------------------------------------------------------------------------------------


async def test_given_any_change_then_the_mark_changes_and_without_one_it_does_not(store: AgentStore) -> None:
    marks = [await store.mark()]

    async def changed() -> bool:
        marks.append(await store.mark())
        return marks[-1] != marks[-2]

    assert not await changed()
    await store.save_presence(Presence("ana"), EVERYTHING)
    assert await changed()
    await store.save_agents([replace(BEN, name="Benjamin")], EVA, 3.0)
    assert await changed()
    await store.save_agents([replace(BEN, name="Benjamin")], EVA, 3.0)
    assert not await changed()
    await store.seed([], [SALES, replace(CARE, name="Customer care")], 4.0)
    assert await changed()
    await store.seed([], [SALES, replace(CARE, name="Customer care")], 4.0)
    assert not await changed()
    await store.remove_agent("ana", EVA, 5.0)
    assert await changed()
    await store.remove_agent("ana", EVA, 5.0)
    assert not await changed()
    assert marks == sorted(marks)


# -- seeding -----------------------------------------------------------------------------------------------------


async def test_given_an_edited_file_and_an_edited_store_then_neither_loses_its_changes(
    store: AgentStore,
) -> None:
    cleo = AgentRecord("cleo", "Cleo", "PJSIP/cleo", "203", teams=(("sales", 1),))
    assert await store.seed([cleo], [SALES, CARE], 3.0) == ()
    await store.save_agents([replace(cleo, number="9", teams=(("care", 1), ("sales", 1)))], EVA, 4.0)
    edited = replace(cleo, name="Cleo B.", teams=(("sales", 2),), skills=(("german", 2),))
    assert await store.seed([edited], [SALES, CARE], 5.0) == ()
    found = {one.record.id: one.record for one in await store.agents()}
    assert found["cleo"] == replace(edited, number="9", teams=(("care", 1), ("sales", 2)))
    assert (found["ana"], found["ben"]) == (ANA, BEN)


async def test_given_a_conflict_then_the_store_keeps_its_own_and_it_is_told_at_every_start(
    store: AgentStore, url: str
) -> None:
    cleo = AgentRecord("cleo", "Cleo", "PJSIP/cleo", hints=("Custom:desk",), skills=(("german", 1),))
    await store.seed([cleo], [SALES, CARE], 3.0)
    ours = replace(cleo, hints=("Custom:sofa",), skills=())
    await store.save_agents([ours], EVA, 4.0)
    theirs = replace(cleo, hints=(), skills=(("german", 2),))
    told = (
        Conflict("agent cleo", "hints", "Custom:sofa", ""),
        Conflict("agent cleo", "skill german", "missing", "level 2"),
    )
    for _ in range(2):
        assert set(await store.seed([theirs], [SALES, CARE], 5.0)) == set(told)
        assert ours in [one.record for one in await store.agents()]
    await store.save_agents([theirs], EVA, 6.0)
    assert await store.seed([theirs], [SALES, CARE], 7.0) == ()


async def test_given_an_agent_gone_from_the_file_then_they_are_removed_unless_edited(
    store: AgentStore,
) -> None:
    cleo, dan = (AgentRecord(id, id, f"PJSIP/{id}", teams=(("care", 1),)) for id in ("cleo", "dan"))
    await store.seed([cleo, dan], [SALES, CARE], 3.0)
    await store.save_agents([replace(dan, number="9")], EVA, 4.0)
    told = await store.seed([], [SALES], 5.0)
    assert [(one.what, one.stored, one.seeded) for one in told] == [
        ("agent dan", "edited", "removed"),
        ("team care", "the team of ana, dan", "removed"),
    ]
    assert [one.record.id for one in await store.agents()] == ["ana", "ben", "dan"]
    assert [one.id for one in await store.teams()] == ["care", "sales"]
    for agent in (ANA, replace(dan, number="9")):
        await store.save_agents([replace(agent, teams=())], EVA, 6.0)
    await store.seed([], [SALES], 7.0)
    assert [one.id for one in await store.teams()] == ["sales"]


async def test_given_a_file_of_another_node_then_it_removes_nothing_that_it_has_not_brought(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        ana, ben = replace(ANA, teams=()), BEN
        await SqlAgents(east).seed([ana], [SALES], 1.0)
        assert await SqlAgents(west).seed([ben], [SALES, CARE], 2.0) == ()
        assert await SqlAgents(east).seed([ana], [SALES], 3.0) == ()
        assert [one.record for one in await SqlAgents(west).agents()] == [ana, ben]
        # A change that has come to both files is no conflict.
        for database in (east, west):
            assert await SqlAgents(database).seed([replace(ana, number="1"), ben], [SALES, CARE], 4.0) == ()
        assert [one.record.number for one in await SqlAgents(east).agents()] == ["1", ""]


# -- who has talked to whom --------------------------------------------------------------------------------------


async def test_given_talks_then_the_last_agent_of_a_number_and_how_long_they_were(
    store: AgentStore, database: Database
) -> None:
    journal = SqlJournal(database)
    talks = [
        ("1", "sales", "COMPLETED", "ana", 10.0, 70.5),
        ("1", "sales", "COMPLETED", "ben", 20.0, 50.0),
        ("1", "sales", "CONNECTED", "ana", 30.0, None),
        ("1", "sales", "COMPLETED", "", 40.0, 41.0),
        ("1", "sales", "ABANDONED", "", None, None),
        ("2", "care", "COMPLETED", "ana", 15.0, 16.25),
        ("", "care", "COMPLETED", "ana", 25.0, 26.0),
    ]
    for index, (number, team, state, agent, joined_at, ended_at) in enumerate(talks):
        await journal.commit(
            entry(
                f"warm-{index}",
                lead_number=number,
                team=team,
                state=state,
                agent=agent,
                joined_at=joined_at,
                ended_at=ended_at,
            )
        )
    assert await store.last_agent("1") == "ben"
    assert await store.last_agent("2") == "ana"
    assert await store.last_agent("3") is None
    assert await store.last_agent("") is None, "all who withhold their number are not one lead"
    assert await store.talk_seconds("sales", 9) == [1.0, 30.0, 60.5]
    assert await store.talk_seconds("sales", 1) == [1.0]
    assert await store.talk_seconds("support", 9) == []


# -- what fails --------------------------------------------------------------------------------------------------


async def test_given_a_read_that_fails_then_a_store_error(store: AgentStore, database: Database) -> None:
    await database.write(lambda driver: driver.execute("ALTER TABLE presence RENAME TO elsewhere", ()))
    with pytest.raises(StoreError, match="presence"):
        await store.agents()
    with pytest.raises(StoreError, match="presence"):
        await store.save_presence(Presence("ana"), EVERYTHING)


async def test_given_a_line_that_cannot_be_written_then_the_presence_is_not_either(
    store: AgentStore, database: Database
) -> None:
    await database.write(lambda driver: driver.execute("DROP TABLE presence_history", ()))
    with pytest.raises(StoreError, match="presence_history"):
        await store.save_presence(Presence("ana"), EVERYTHING, Change("ana", 1.0, "ready", "", None, EVA))
    assert await presence_of(store, "ana") == Presence("ana")


async def test_given_the_tables_then_a_removed_agent_leaves_no_membership_or_skill(
    store: AgentStore, database: Database
) -> None:
    def rows(connection: Connection) -> list[int | None]:
        names = ("team_members", "agent_skills")
        return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in names]

    assert await database.read(rows) == [2, 2]
    await store.remove_agent("ana", EVA, 3.0)
    assert await database.read(rows) == [0, 0]
