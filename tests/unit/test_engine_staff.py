"""The agents as a daemon knows them, while others change them, time passes and the world moves. The store is the
real one, in SQLite, but where the clock must stand still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from property.model_engine import Loop
from staff_memory import MemoryAgents, SetCalendars, SetDevices, nothing

from asterisk_warm.core.presence import (
    By,
    Calendar,
    Declared,
    Ended,
    Lease,
    Presence,
    Rules,
    Why,
    declare,
    release,
    reserve,
    talk,
    wrap_up,
)
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.engine.agents.ports import AgentStore, Change
from asterisk_warm.engine.agents.staff import TRIES, Staff
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.store import Database, SqlAgents

EVA, BOB = By("eva", "cli"), By("bob", "api")
SALES = TeamRecord("sales", "Sales")
ANA = AgentRecord("ana", "Ana", "PJSIP/Ana", teams=(("sales", 1),), hints=("Custom:desk",), dnd="Custom:DND1")
BEN = AgentRecord("ben", "Ben", "PJSIP/ben", teams=(("sales", 1),), hints=("Custom:desk",))
PATIENCE = 5.0


class Watched(SqlAgents):
    """The real store, which lets the test act while it is at work."""

    meanwhile = staticmethod(nothing)

    async def save_presence(self, *what: Any) -> Presence | None:
        await self.meanwhile("save_presence")
        return await super().save_presence(*what)

    async def agents(self) -> Any:
        found = await super().agents()
        await self.meanwhile("agents")
        return found


class Stage:
    def __init__(self, store: AgentStore) -> None:
        self.store: Any = store
        self.devices, self.calendars = SetDevices(), SetCalendars()
        self.rosters: list[tuple[Sequence[AgentRecord], Sequence[TeamRecord]]] = []
        self.staff = Staff(store, self.devices, self.calendars, UTC, lambda *who: self.rosters.append(who))
        self.told: list[str] = []
        self.moved = asyncio.Event()
        self.staff.listen(self._heard)

    def _heard(self, agent: str) -> None:
        self.told.append(agent)
        self.moved.set()

    async def lines(self, agent: str) -> list[Change]:
        """Of the history, newest first, after the first one: that they were added."""
        return list(await self.store.history(agent, 10))[:-1]

    def why(self, agent: str) -> list[Why]:
        return [reason.why for reason in self.staff.why_not(agent, time.time())]

    def presence(self, agent: str) -> Presence:
        found = self.staff.get(agent)
        assert found is not None
        return found.presence

    async def declares(self, agent: str, declared: Declared, by: By, reason: str = "") -> None:
        await self.staff.change(agent, lambda p: declare(p, declared, time.time(), by, reason), by)


async def until(stage: Stage, what: Callable[[], object]) -> None:
    """Wait until it is so; looked at after whatever the stage is told, and whatever the store is asked."""
    async with asyncio.timeout(PATIENCE):
        while not what():
            stage.moved.clear()
            await stage.moved.wait()


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("asterisk_warm.engine.agents.staff.LOOK_SECONDS", 0.01)
    async with await Database.open(f"sqlite:///{tmp_path / 'warm.db'}") as database:
        store = Watched(database)
        await store.seed([ANA, BEN], [SALES], time.time())
        stage = Stage(store)
        await stage.staff.open()
        stage.told.clear()
        yield stage
        stage.staff.stop()


# -- changes -------------------------------------------------------------------------------------------------


async def test_given_a_change_then_it_is_written_known_told_and_in_the_history(stage):
    await stage.declares("ana", Declared.PAUSED, EVA, "lunch")
    assert (await stage.store.presence("ana")) == stage.presence("ana")
    assert stage.presence("ana").reason == "lunch"
    assert stage.told == ["ana"]
    (line,) = await stage.lines("ana")
    assert (line.what, line.reason, line.by) == ("paused", "lunch", EVA)


async def test_given_no_change_then_nothing_is_written(stage):
    await stage.declares("ana", Declared.READY, EVA)
    assert stage.presence("ana").version == 0
    assert stage.told == []
    assert await stage.lines("ana") == []


async def test_given_another_writer_was_faster_then_the_change_is_made_to_what_they_wrote(stage):
    async def bob_is_faster(what: str) -> None:
        if what == "save_presence":
            stage.store.meanwhile = nothing
            before = await stage.store.presence("ana")
            await SqlAgents.save_presence(stage.store, before, wrap_up(before, time.time() + 60, time.time()))

    stage.store.meanwhile = bob_is_faster
    await stage.declares("ana", Declared.PAUSED, EVA, "lunch")
    ana = await stage.store.presence("ana")
    assert ana.declared is Declared.PAUSED
    assert ana.wrapup_until > time.time()
    assert ana == stage.presence("ana")


async def test_given_many_change_one_agent_at_once_then_no_change_is_lost(stage):
    def one_more(presence: Presence) -> Presence:
        return presence.evolve(missed=presence.missed + 1)

    async def others(_: str) -> None:
        await asyncio.sleep(0)

    stage.store.meanwhile = others
    await asyncio.gather(*(stage.staff.change("ana", one_more) for _ in range(TRIES)))
    assert (await stage.store.presence("ana")).missed == TRIES


async def test_given_others_are_always_faster_then_it_is_given_up_with_the_reason(stage):
    async def always(what: str) -> None:
        if what == "save_presence":
            before = await stage.store.presence("ana")
            await SqlAgents.save_presence(stage.store, before, before.evolve(missed=before.missed + 1))

    stage.store.meanwhile = always
    with pytest.raises(JournalError, match="ana changed 8 times"):
        await stage.declares("ana", Declared.PAUSED, EVA)


async def test_given_an_agent_removed_while_they_are_changed_then_they_are_gone(stage):
    async def removed(what: str) -> None:
        if what == "save_presence":
            await stage.store.remove_agent("ana", BOB, time.time())

    stage.store.meanwhile = removed
    assert await stage.staff.change("ana", lambda p: p.evolve(missed=1)) is None
    assert stage.staff.get("ana") is None
    assert [reason.words for reason in stage.staff.why_not("ana", time.time())] == ["not an agent any more"]
    assert await stage.staff.change("ana", lambda p: p.evolve(missed=1)) is None


async def test_given_an_agent_removed_and_added_again_unnoticed_then_they_can_be_changed(stage):
    for reason in ("tea", "lunch"):
        await stage.declares("ana", Declared.PAUSED, EVA, reason)
    await stage.store.remove_agent("ana", BOB, time.time())
    await stage.store.save_agents([ANA], BOB, time.time())
    await stage.declares("ana", Declared.OFFLINE, EVA)
    assert (await stage.store.presence("ana")).declared is Declared.OFFLINE
    await stage.store.remove_agent("ana", BOB, time.time())
    await stage.store.save_agents([ANA], BOB, time.time())
    await stage.staff.reload()
    assert stage.presence("ana") == Presence("ana", stage.presence("ana").version)


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        (lambda p, now: wrap_up(p, now + 60, now), ["wrapping up"]),
        (lambda p, now: reserve(p, Lease("warm-1", "warm", now + 60), now), []),
        (lambda p, now: talk(p, Lease("warm-1", "warm", now + 60), now), []),
    ],
)
async def test_given_what_people_care_for_then_it_is_in_the_history(stage, how, lines):
    await stage.staff.change("ana", lambda p: how(p, time.time()), EVA)
    assert [line.what for line in await stage.lines("ana")] == lines


async def test_given_a_wrap_up_after_a_talk_that_is_ended_early_then_both_are_in_the_history(stage):
    now = time.time()
    rules = Rules(wrapup_seconds=30.0)
    await stage.staff.change("ana", lambda p: talk(p, Lease("warm-1", "warm", now + 60), now))
    await stage.staff.change("ana", lambda p: release(p, "warm-1", Ended.TALKED, rules, now))
    await stage.staff.change("ana", lambda p: wrap_up(p, 0.0, time.time()), EVA)
    lines = await stage.lines("ana")
    assert [(line.what, line.by.source) for line in lines] == [
        ("wrap-up ended", "cli"),
        ("wrapping up", "daemon"),
    ]
    assert lines[1].until == pytest.approx(now + 30.0)


async def test_given_a_pause_that_is_extended_then_the_line_tells_when_that_was_said(stage):
    before = time.time()
    await stage.staff.change("ana", lambda p: declare(p, Declared.PAUSED, before - 100, EVA, "lunch"), EVA)
    later = before + 600
    await stage.staff.change(
        "ana", lambda p: declare(p, Declared.PAUSED, time.time(), EVA, "lunch", later), EVA
    )
    line = (await stage.lines("ana"))[0]
    assert line.until == later
    assert line.at >= before, "the pause is older, what was said of it is not"


# -- what the world says -------------------------------------------------------------------------------------


async def test_given_devices_then_those_of_all_agents_are_watched(stage):
    assert set(stage.devices.watched) == {"PJSIP/Ana", "PJSIP/ben", "Custom:desk", "Custom:DND1"}


async def test_given_a_device_that_changes_then_the_agents_for_whom_it_counts_are_told(stage):
    stage.devices.set("PJSIP/ben", "INUSE")
    assert (stage.told, stage.why("ben"), stage.why("ana")) == (["ben"], [Why.DEVICE], [])
    stage.devices.set("Custom:desk", "BUSY")
    assert stage.told == ["ben", "ana", "ben"]
    assert stage.why("ana") == [Why.DEVICE]
    stage.devices.set("Custom:DND1", "INUSE")
    assert stage.why("ana") == [Why.DEVICE, Why.DND]
    stage.devices.moved()
    assert stage.told[-1] == ""
    stage.devices.set("PJSIP/nobody", "INUSE")
    assert stage.told[-1] == ""


async def test_given_a_device_that_changes_then_routing_sees_it(stage):
    assert stage.staff.standing("ana").reasons == ()
    stage.devices.set("PJSIP/Ana", "UNAVAILABLE")
    (reason,) = stage.staff.standing("ana").reasons
    assert reason.why is Why.UNREACHABLE


async def test_given_an_endpoint_in_other_letters_then_it_is_the_same(stage):
    assert stage.staff.by_endpoint("pjsip/ANA").record == ANA
    assert stage.staff.by_endpoint("PJSIP/nobody") is None


async def test_given_a_calendar_then_the_agent_is_told_when_it_was_read(stage):
    await stage.store.save_agents([replace(ANA, calendar="work", timezone="Europe/Berlin")], EVA, time.time())
    await stage.staff.reload()
    assert stage.calendars.watched == {"ana": ("work", "Europe/Berlin")}
    stage.told.clear()
    stage.calendars.set("ana", Calendar((), None, 60.0))
    assert (stage.told, stage.why("ana")) == (["ana"], [Why.STALE])


# -- other daemons -------------------------------------------------------------------------------------------


@pytest.fixture
async def running(stage: Stage) -> AsyncIterator[Stage]:
    task = asyncio.create_task(stage.staff.run())
    yield stage
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_given_another_daemon_changes_presence_then_only_that_agent_is_told(running):
    other = Stage(running.store)
    await other.staff.open()
    await other.declares("ben", Declared.PAUSED, BOB, "tea")
    await until(running, lambda: running.told)
    assert running.told == ["ben"]
    assert running.why("ben") == [Why.PAUSED]
    assert len(running.rosters) == 1, "the roster is the same"


async def test_given_another_daemon_changes_who_they_are_then_everything_follows(running):
    cy = AgentRecord("cy", "Cy", "PJSIP/cy", teams=(("sales", 2),))
    await running.store.save_agents([cy], BOB, time.time())
    await until(running, lambda: running.staff.get("cy"))
    agents, teams = running.rosters[-1]
    assert [agent.id for agent in agents] == ["ana", "ben", "cy"]
    assert [team.id for team in teams] == ["sales"]
    assert "PJSIP/cy" in running.devices.watched
    assert running.told == [""]


async def test_given_our_own_writes_then_not_everything_is_read_again(running):
    reads = []
    looks = []

    async def count(what: str) -> None:
        if what == "agents":
            reads.append(what)

    mark = running.store.mark

    async def looked() -> int:
        looks.append(1)
        running.moved.set()
        return await mark()

    running.store.meanwhile, running.store.mark = count, looked
    for number in range(20):
        await running.declares("ana", Declared.PAUSED, EVA, str(number))
    await until(running, lambda: len(looks) > 5)
    assert reads == []


async def test_given_a_write_of_ours_while_everything_is_read_then_it_is_not_undone(stage):
    async def a_write(what: str) -> None:
        if what == "agents":
            stage.store.meanwhile = nothing
            await stage.declares("ana", Declared.PAUSED, EVA, "lunch")

    stage.store.meanwhile = a_write
    await stage.staff.reload()
    assert stage.presence("ana").reason == "lunch"


async def test_given_two_readings_at_once_then_the_older_one_does_not_come_in_last(stage):
    async def removed_while_the_first_reads(what: str) -> None:
        if what == "agents":
            stage.store.meanwhile = nothing
            await stage.store.remove_agent("ana", BOB, time.time())
            second = asyncio.ensure_future(stage.staff.reload())
            await asyncio.wait([second], timeout=0.1)
            seconds.append(second)

    seconds: list[asyncio.Future[None]] = []
    stage.store.meanwhile = removed_while_the_first_reads
    await stage.staff.reload()
    await seconds[0]
    assert stage.staff.get("ana") is None


async def test_given_a_store_that_cannot_be_read_then_it_is_looked_at_again(running, monkeypatch):
    mark = running.store.mark
    failed = []

    async def fails() -> int:
        if len(failed) < 3:
            failed.append(1)
            running.moved.set()
            raise JournalError("away")
        return await mark()

    running.store.mark = fails
    other = Stage(running.store)
    await until(running, lambda: len(failed) == 3)
    await other.staff.open()
    await other.declares("ben", Declared.OFFLINE, BOB)
    await until(running, lambda: running.why("ben") == [Why.OFFLINE])


# -- time ----------------------------------------------------------------------------------------------------


class Clock:
    """A stage on a clock that stands still."""

    def __init__(self, loop: Loop, *agents: AgentRecord) -> None:
        self.loop = loop
        self.store = MemoryAgents(agents, [SALES])
        self.stage = Stage(self.store)
        self.staff = self.stage.staff
        self.do(self.staff.open())
        self.stage.told.clear()

    def do(self, work: Any) -> Any:
        task = self.loop.create_task(work)
        self.loop.settle()
        return task.result()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    loop = Loop()
    monkeypatch.setattr(time, "time", loop.time)
    yield loop
    assert loop.crashed() == []
    loop.cancel_everything()
    loop.close()


def test_given_a_pause_with_an_end_then_it_ends_by_itself_and_that_is_written(loop):
    clock = Clock(loop, ANA)
    end = loop.now + 600
    clock.do(
        clock.staff.change("ana", lambda p: declare(p, Declared.PAUSED, time.time(), EVA, "lunch", end), EVA)
    )
    clock.stage.told.clear()
    loop.advance(599)
    assert clock.staff.standing("ana").reasons
    loop.advance(2)
    assert clock.staff.standing("ana").reasons == ()
    assert "ana" in clock.stage.told
    ana = clock.store.presences["ana"]
    assert (ana.declared, ana.since, ana.by.source) == (Declared.READY, end, "daemon")
    assert [(line.what, line.at, line.by.source) for line in clock.store.changes][1:] == [
        ("ready", end, "daemon")
    ]


def test_given_a_pause_that_ends_as_the_agent_goes_offline_then_that_was_them(loop):
    clock = Clock(loop, ANA)
    end = loop.now + 600
    clock.do(
        clock.staff.change("ana", lambda p: declare(p, Declared.PAUSED, time.time(), EVA, "lunch", end), EVA)
    )

    async def another_daemon_was_told(what: str) -> None:
        if what == "save_presence":
            clock.store.meanwhile = nothing
            before = clock.store.presences["ana"]
            after = declare(before, Declared.OFFLINE, time.time(), BOB, "home")
            await clock.store.save_presence(before, after)

    clock.store.meanwhile = another_daemon_was_told
    loop.advance(601)
    assert (clock.store.presences["ana"].declared, clock.store.presences["ana"].by) == (Declared.OFFLINE, BOB)


def test_given_the_end_of_a_pause_cannot_be_written_then_it_is_over_all_the_same(loop):
    clock = Clock(loop, ANA)
    end = loop.now + 600
    clock.do(
        clock.staff.change("ana", lambda p: declare(p, Declared.PAUSED, time.time(), EVA, "lunch", end), EVA)
    )

    async def away(_: str) -> None:
        raise JournalError("away")

    clock.store.meanwhile = away
    loop.advance(601)
    assert clock.staff.standing("ana").reasons == ()


def test_given_a_wrap_up_then_the_agent_is_told_of_at_its_end(loop):
    clock = Clock(loop, ANA)
    clock.do(clock.staff.change("ana", lambda p: wrap_up(p, time.time() + 30, time.time())))
    clock.stage.told.clear()
    loop.advance(29)
    assert clock.stage.told == []
    loop.advance(2)
    assert (clock.stage.told, clock.stage.why("ana")) == (["ana"], [])


def test_given_a_shift_then_it_begins_and_ends_at_its_times(loop):
    # The clock begins on Monday, 12 January 1970, at 13:46:40.
    clock = Clock(loop, replace(ANA, shifts=("mon 14:00-14:30",)), BEN)
    assert clock.stage.why("ana") == [Why.SHIFT]
    loop.advance(13 * 60 + 21)
    assert (clock.stage.told, clock.staff.standing("ana").reasons) == (["ana"], ())
    loop.advance(30 * 60)
    assert [reason.why for reason in clock.staff.standing("ana").reasons] == [Why.SHIFT]


def test_given_many_whose_shift_begins_then_each_is_told_of_once(loop):
    many = [AgentRecord(f"a{n:03}", f"A{n}", f"PJSIP/a{n}", shifts=("mon 14:00-14:30",)) for n in range(300)]
    clock = Clock(loop, *many)
    loop.advance(13 * 60 + 21)
    assert sorted(clock.stage.told) == [agent.id for agent in many]


def test_given_the_clock_is_set_forward_then_what_is_over_is_soon_seen_to_be(loop, monkeypatch):
    clock = Clock(loop, ANA)
    clock.do(clock.staff.change("ana", lambda p: wrap_up(p, time.time() + 3000, time.time())))
    loop.create_task(clock.staff.run())
    loop.settle()
    assert clock.staff.standing("ana").reasons
    monkeypatch.setattr(time, "time", lambda: loop.now + 3600)
    loop.advance(1.5)
    assert clock.staff.standing("ana").reasons == ()


def test_given_the_clock_is_set_back_then_nothing_goes_round_in_circles(loop, monkeypatch):
    clock = Clock(loop, ANA)
    clock.do(clock.staff.change("ana", lambda p: wrap_up(p, time.time() + 30, time.time())))
    clock.stage.told.clear()
    monkeypatch.setattr(time, "time", lambda: loop.now - 3600)
    loop.advance(600)
    assert clock.stage.told == []
    loop.advance(3600 - 500)
    assert clock.stage.told == ["ana"]


def test_given_it_is_stopped_then_time_changes_nothing_any_more(loop):
    clock = Clock(loop, ANA)
    clock.do(clock.staff.change("ana", lambda p: wrap_up(p, time.time() + 30, time.time())))
    clock.stage.told.clear()
    clock.staff.stop()
    loop.advance(60)
    assert clock.stage.told == []
