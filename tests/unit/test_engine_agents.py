"""What can be asked about agents, and for them, and what is refused. Engine, store and journal are real; Asterisk is
the simulator of `tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from lead_memory import lead_of, unknown_leads, written
from property.handoffs import AGENTS, policy
from property.history import connected
from property.model_asterisk import LEAD, ModelPbx, World, lead_at_door
from staff_memory import SetCalendars, SetDevices, nothing

from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.presence import By, Calendar, Declared, Lease, reserve
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord
from asterisk_warm.core.routing import Routing
from asterisk_warm.engine.agents import service
from asterisk_warm.engine.agents.ports import Change
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.calls import AtDoor
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.views import Health
from asterisk_warm.store import Database, SqlAgents, SqlJournal

EVA = By("eva", "cli")
SALES = TeamRecord("sales", "Sales")
ANA = AgentRecord("ana", "Ana", "PJSIP/ana", "201", teams=(("sales", 1),), skills=(("spanish", 7),))
BEN = AgentRecord("ben", "Ben", "PJSIP/ben", teams=(("sales", 2),))
PATIENCE = 5.0


class Store(SqlAgents):
    """The real one, which can be made to fail."""

    meanwhile = staticmethod(nothing)

    async def save_presence(self, *what: Any) -> Any:
        await self.meanwhile("save_presence")
        return await super().save_presence(*what)

    async def save_agents(self, *what: Any) -> None:
        await self.meanwhile("save_agents")
        await super().save_agents(*what)

    async def remove_agent(self, *what: Any) -> bool:
        await self.meanwhile("remove_agent")
        return await super().remove_agent(*what)

    async def history(self, agent: str, limit: int) -> Sequence[Change]:
        await self.meanwhile("history")
        return await super().history(agent, limit)

    async def last_agent(self, lead_number: str) -> str | None:
        await self.meanwhile("last_agent")
        return await super().last_agent(lead_number)

    async def talk_seconds(self, team: str, limit: int) -> Sequence[float]:
        await self.meanwhile("talk_seconds")
        return await super().talk_seconds(team, limit)

    def fails(self, method: str) -> None:
        async def fail(what: str) -> None:
            if what == method:
                raise JournalError("disk full")

        self.meanwhile = fail  # type: ignore[method-assign]


class Stage:
    def __init__(self, database: Database) -> None:
        self.store = Store(database)
        self.world = World(self._told, time.time)
        self.pbx = ModelPbx(self.world, at_once=True)
        self.devices, self.calendars = SetDevices(), SetCalendars()
        sales = Team("sales", "Sales", AGENTS, policy(routing=Routing(wait_seconds=60.0)))
        self.journal = SqlJournal(database)
        self.engine = Engine(
            journal=self.journal,
            store=self.store,
            pbx=self.pbx,
            speaker=self.pbx,
            devices=self.devices,
            calendars=self.calendars,
            lamps=None,
            directory=Directory({"sales": sales}),
            node="warm",
            zone=UTC,
            speech_seconds=1.0,
            reachable=_at_once,
            health=_health,
            **unknown_leads(),
        )
        self.agents = self.engine.agents
        self.moved = asyncio.Event()
        self.world.whose = self.engine.handoffs.leg_of

    def _told(self, handoff: str, event: Event) -> None:
        self.engine.handoffs.post(handoff, event)
        self.moved.set()

    async def until(self, what: Callable[[], object]) -> None:
        """Looked at whenever anything has been told to, or written by, the engine, and soon after."""
        async with asyncio.timeout(PATIENCE):
            while not what():
                self.moved.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.moved.wait(), 0.02)

    def _end_playbacks(self) -> bool:
        for playback in list(self.world.playbacks):
            self.world.playback_ends(playback)
        return bool(self.world.lead and self.world.lead.talks_to)

    async def lead_calls(self) -> str:
        self.world.lead_calls()
        self.engine.handoffs.entered(AtDoor(lead_at_door(LEAD), "sales", []))
        leg = self.engine.handoffs.leg_of(LEAD)
        assert leg is not None
        return leg[0]

    async def seen(self, what: Any) -> Any:
        """What a change shows of everybody, as soon as `what` holds of it."""
        version = -1
        async with asyncio.timeout(PATIENCE):
            while True:
                version, shown = await self.agents.watch(version, PATIENCE)
                by_id = {one.id: one for one in shown}
                if what(by_id):
                    return by_id

    async def stored(self, agent: str) -> Any:
        return await self.store.presence(agent)


async def _at_once() -> None:
    pass


async def _health(open_handoffs: int) -> Health:
    return Health("test", "model", True, True, open_handoffs, ())


@asynccontextmanager
async def opened(folder: Path, initial: Declared = Declared.READY) -> AsyncIterator[Stage]:
    async with await Database.open(f"sqlite:///{folder / 'warm.db'}") as database:
        stage = Stage(database)
        await stage.engine.begin([ANA, BEN], [SALES], initial)
        running = asyncio.create_task(stage.engine.run())
        yield stage
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.engine.stop()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path) as stage:
        yield stage


async def refused(work: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


# -- seeing --------------------------------------------------------------------------------------------------


async def test_given_an_agent_then_all_of_them_is_shown(stage):
    ana = stage.agents.show("ana")
    assert (ana.name, ana.endpoint, ana.number, ana.teams, ana.skills) == (
        *("Ana", "PJSIP/ana", "201"),
        *({"sales": 1}, {"spanish": 7}),
    )
    assert (ana.free, ana.why, ana.declared, ana.device) == (True, (), "ready", "NOT_INUSE")
    assert [one.id for one in stage.agents.list()] == ["ana", "ben"]


async def test_given_a_name_then_the_agent_is_found_by_it_if_it_is_one_agents(stage):
    assert stage.agents.show("ANA").id == "ana"
    await stage.agents.save([replace(BEN, id="ana2", name="Ana", endpoint="PJSIP/ana2")], EVA)
    with pytest.raises(Refused, match='no agent "Ana"'):
        stage.agents.show("Ana")


async def test_given_an_unknown_agent_then_not_found(stage):
    for work in (
        stage.agents.declare("zoe", Declared.READY, EVA),
        stage.agents.toggle("zoe", EVA),
        stage.agents.wrap_up("zoe", 0.0, EVA),
        stage.agents.history("zoe", 10),
        stage.agents.remove("zoe", EVA),
    ):
        error = await refused(work)
        assert (error.kind, error.remedy) == ("not_found", "see `asterisk-warm agent list`")
    with pytest.raises(Refused, match="no agent has the phone PJSIP/zoe"):
        stage.agents.by_endpoint("PJSIP/zoe")
    assert stage.agents.by_endpoint("pjsip/ANA") == "ana"


async def test_given_a_hostile_name_then_the_answer_is_clean_and_short(stage):
    with pytest.raises(Refused) as caught:
        stage.agents.show("a\r\nX: y" + "z" * 500)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 80


async def test_given_a_calendar_then_it_is_shown_with_its_age(stage):
    await stage.agents.save([replace(ANA, calendar="work")], EVA)
    stage.calendars.set("ana", Calendar((), time.time() - 100.0, 60.0, "no answer"))
    shown = stage.agents.show("ana")
    assert (shown.calendar.name, shown.calendar.stale, shown.calendar.error) == ("work", True, "no answer")
    assert [one.code for one in shown.why] == ["stale"]


# -- declaring -----------------------------------------------------------------------------------------------


async def test_given_a_pause_then_it_is_shown_with_reason_end_and_who_said_so(stage):
    end = time.time() + 600
    shown = await stage.agents.declare("ana", Declared.PAUSED, EVA, "lunch", end)
    assert (shown.declared, shown.reason, shown.until, shown.by, shown.source) == (
        *("paused", "lunch", end),
        *("eva", "cli"),
    )
    assert [(one.code, one.words, one.until) for one in shown.why] == [("paused", "paused: lunch", end)]
    (line,) = [line for line in await stage.agents.history("ana", 10) if line.what == "paused"]
    assert (line.reason, line.until, line.by, line.source) == ("lunch", end, "eva", "cli")


async def test_given_a_reason_with_control_characters_then_it_is_cleaned_and_cut(stage):
    shown = await stage.agents.declare("ana", Declared.PAUSED, EVA, "a\nb" + "x" * 200)
    assert "\n" not in shown.reason
    assert len(shown.reason) == service.REASON_LIMIT


@pytest.mark.parametrize("seconds", [-1.0, 0.0, service.PAUSE_AT_MOST + 60.0])
async def test_given_an_end_that_cannot_be_then_refused(stage, seconds):
    error = await refused(stage.agents.declare("ana", Declared.PAUSED, EVA, "", time.time() + seconds))
    assert error.kind == "invalid"
    assert stage.agents.show("ana").declared == "ready"


@pytest.mark.parametrize("declared", [Declared.READY, Declared.OFFLINE])
async def test_given_an_end_of_what_has_none_then_refused(stage, declared):
    error = await refused(stage.agents.declare("ana", declared, EVA, "", time.time() + 60))
    assert (error.kind, error.remedy) == ("invalid", "leave the end out")


async def test_given_a_toggle_then_from_ready_to_paused_and_from_all_else_to_ready(stage):
    assert (await stage.agents.toggle("ana", EVA)).declared == "paused"
    assert (await stage.agents.toggle("ana", EVA)).declared == "ready"
    await stage.agents.declare("ana", Declared.OFFLINE, EVA)
    assert (await stage.agents.toggle("ana", EVA)).declared == "ready"


async def test_given_a_wrap_up_then_it_can_be_extended_and_ended(stage):
    shown = await stage.agents.wrap_up("ana", 60.0, EVA)
    assert shown.wrapup_until == pytest.approx(time.time() + 60.0, abs=2.0)
    assert not shown.free
    assert (await stage.agents.wrap_up("ana", 600.0, EVA)).wrapup_until > shown.wrapup_until + 500
    assert (await stage.agents.wrap_up("ana", 0.0, EVA)).free


@pytest.mark.parametrize("seconds", [-0.1, service.WRAPUP_AT_MOST + 1, float("nan"), float("inf")])
async def test_given_a_wrap_up_of_no_sensible_length_then_refused(stage, seconds):
    assert (await refused(stage.agents.wrap_up("ana", seconds, EVA))).kind == "invalid"


async def test_given_the_store_fails_then_unreachable_and_nothing_has_changed(stage):
    stage.store.fails("save_presence")
    for work in (
        stage.agents.declare("ana", Declared.OFFLINE, EVA),
        stage.agents.toggle("ana", EVA),
        stage.agents.wrap_up("ana", 60.0, EVA),
    ):
        assert "disk full" in (error := await refused(work)).message
        assert error.kind == "unreachable"
    assert stage.agents.show("ana").free
    stage.store.fails("history")
    assert (await refused(stage.agents.history("ana", 10))).kind == "unreachable"


# -- pauses in Asterisk's queues -----------------------------------------------------------------------------


async def test_given_a_member_paused_in_a_queue_then_the_agent_is_until_they_are_back_there(stage):
    await stage.agents.queue_paused("pjsip/ana", True, "lunch")
    ana = stage.agents.show("ana")
    assert (ana.declared, ana.reason, ana.source) == ("paused", "lunch", "queue")
    await stage.agents.queue_paused("PJSIP/ana", False, "")
    assert stage.agents.show("ana").declared == "ready"


async def test_given_what_was_said_elsewhere_then_a_queue_does_not_change_it(stage):
    await stage.agents.declare("ana", Declared.PAUSED, EVA, "training")
    await stage.agents.queue_paused("PJSIP/ana", True, "lunch")
    await stage.agents.queue_paused("PJSIP/ana", False, "")
    assert stage.agents.show("ana").reason == "training"
    await stage.agents.declare("ana", Declared.OFFLINE, EVA)
    await stage.agents.queue_paused("PJSIP/ana", True, "lunch")
    assert stage.agents.show("ana").declared == "offline"


async def test_given_a_member_of_many_queues_then_they_are_paused_once(stage):
    await asyncio.gather(*(stage.agents.queue_paused("PJSIP/ana", True, "lunch") for _ in range(20)))
    assert (await stage.stored("ana")).version == 1


async def test_given_a_member_who_is_no_agent_or_a_store_that_fails_then_nothing_is_raised(stage):
    await stage.agents.queue_paused("PJSIP/zoe", True, "")
    stage.store.fails("save_presence")
    await stage.agents.queue_paused("PJSIP/ana", True, "")
    assert stage.agents.show("ana").declared == "ready"


# -- watching ------------------------------------------------------------------------------------------------


async def test_given_who_watches_then_a_change_is_shown_at_once(stage):
    version, _ = await stage.agents.watch(-1, 0.0)
    watching = asyncio.create_task(stage.agents.watch(version, 60.0))
    await asyncio.sleep(0)
    began = time.monotonic()
    stage.devices.set("PJSIP/ana", "INUSE")
    after, shown = await watching
    assert time.monotonic() - began < service.WATCH_GAP_SECONDS
    assert after > version
    assert [one.free for one in shown] == [False, True]


async def test_given_nothing_changes_then_the_answer_comes_when_the_time_is_over(stage):
    version, _ = await stage.agents.watch(-1, 0.0)
    after, shown = await stage.agents.watch(version, 0.05)
    assert (after, len(shown)) == (version, 2)


async def test_given_many_watch_and_much_changes_then_it_is_made_ready_seldom_and_once_for_all(stage):
    made = []
    list_all = stage.agents.list

    def counted() -> Any:
        made.append(1)
        return list_all()

    stage.agents.list = counted
    version, _ = await stage.agents.watch(-1, 0.0)
    made.clear()

    async def watches(until: float) -> int:
        last, answers = version, 0
        while time.monotonic() < until:
            last, shown = await stage.agents.watch(last, 1.0)
            answers += 1
        assert [one.device for one in shown] == ["RINGING", "NOT_INUSE"]
        return answers

    end = time.monotonic() + 2 * service.WATCH_GAP_SECONDS
    watching = [asyncio.create_task(watches(end)) for _ in range(20)]
    number = 0
    while time.monotonic() < end:
        stage.devices.set("PJSIP/ana", ("INUSE", "NOT_INUSE")[number % 2])
        number += 1
        await asyncio.sleep(0.001)
    stage.devices.set("PJSIP/ana", "RINGING")
    answers = await asyncio.gather(*watching)
    assert number > 20
    assert len(made) <= 5
    assert max(answers) <= 5


async def test_given_a_version_of_an_earlier_daemon_then_everything_is_shown_at_once(stage, tmp_path):
    earlier, _ = await stage.agents.watch(-1, 0.0)
    async with opened(tmp_path / "later") as later:
        async with asyncio.timeout(PATIENCE):
            version, shown = await later.agents.watch(earlier, 60.0)
        assert version != earlier
        assert len(shown) == 2


# -- teams ---------------------------------------------------------------------------------------------------


async def test_given_a_team_then_who_is_free_and_why_the_others_are_not(stage):
    stage.devices.set("PJSIP/ben", "INUSE")
    team = await stage.agents.team("sales")
    assert [(one.id, one.free, one.why) for one in team.agents] == [
        ("ana", True, ""),
        ("ben", False, "in a call"),
    ]
    assert (team.free, team.waiting, team.expected_wait) == (1, 0, 0)
    assert [one.id for one in await stage.agents.teams()] == ["sales"]
    available = await stage.agents.available("sales")
    assert (available.free, available.names) == (("ana",), ("Ana",))
    assert (await refused(stage.agents.team("nobody"))).kind == "not_found"
    assert (await refused(stage.agents.available("nobody"))).kind == "not_found"


async def test_given_a_lead_who_waits_then_the_next_one_waits_longer(stage):
    for phone in ("PJSIP/ana", "PJSIP/ben"):
        stage.devices.set(phone, "INUSE")
    await stage.lead_calls()
    await stage.until(lambda: stage.agents.waiting("sales"))
    available = await stage.agents.available("sales")
    assert (available.free, available.waiting) == ((), 1)
    assert available.expected_wait == service.TALK_SECONDS


async def test_given_how_long_talks_were_cannot_be_read_then_it_is_guessed(stage):
    for phone in ("PJSIP/ana", "PJSIP/ben"):
        stage.devices.set(phone, "INUSE")
    stage.store.fails("talk_seconds")
    assert (await stage.agents.available("sales")).expected_wait == service.TALK_SECONDS


# -- leads ---------------------------------------------------------------------------------------------------


async def test_given_a_lead_who_talked_to_an_agent_then_their_number_tells_so(stage):
    assert (await stage.agents.lead("+15550100")).count == 0
    handoff = await stage.lead_calls()
    await stage.seen(lambda shown: shown["ana"].offered == handoff)
    await stage.until(
        lambda: all(leg.dialed for leg in stage.world.agents().values()) and stage.world.agents()
    )
    stage.world.agent_answers(1)
    stage.world.agent_presses(1, "1")
    shown = await stage.seen(lambda shown: shown["ana"].talks == (handoff,))
    assert shown["ana"].offered is None
    await stage.until(stage._end_playbacks)
    stage.world.lead_hangs_up()
    await stage.seen(lambda shown: not shown["ana"].talks)
    lead = await stage.agents.lead("+15550100")
    assert (lead.count, lead.agent, lead.handoff, lead.state) == (1, "ana", handoff, "COMPLETED")
    stage.store.fails("last_agent")
    assert (await refused(stage.agents.lead("+15550100"))).kind == "unreachable"


async def test_given_a_lead_with_a_number_in_e164_then_any_way_to_write_it_finds_what_was_before(stage):
    for at, (id, lead) in enumerate(
        {
            "warm-old": lead_of("2025550123"),
            "warm-new": lead_of("(202) 555-0123", "+12025550123"),
        }.items()
    ):
        await written(stage.journal, connected(handoff=id, at=1000.0 + at, lead=lead))
    assert (await stage.agents.lead("+1 202 555 0123")).handoff == "warm-new"
    found = await stage.agents.lead("2025550123")
    assert (found.count, found.handoff) == (1, "warm-old"), (
        "without a region nobody knows of what country it is"
    )
    stage.agents._key = lambda number: "+12025550123"
    found = await stage.agents.lead("2025550123")
    assert (found.count, found.handoff) == (2, "warm-new")


# -- who they are --------------------------------------------------------------------------------------------


async def test_given_a_new_agent_then_they_are_shown_watched_and_in_their_team(stage):
    cy = AgentRecord("cy", "Cy", "PJSIP/cy", teams=(("sales", 1),))
    (shown,) = await stage.agents.save([cy], EVA)
    assert (shown.id, shown.free) == ("cy", True)
    assert "PJSIP/cy" in stage.devices.watched
    assert [one.id for one in (await stage.agents.team("sales")).agents] == ["ana", "ben", "cy"]


async def test_given_what_cannot_be_saved_then_refused_and_nothing_is(stage):
    cy = AgentRecord("cy", "Cy", "PJSIP/cy", teams=(("sales", 1),))
    for other, kind, words in (
        (replace(cy, id="dee", teams=(("support", 1),)), "not_found", 'no team "support"'),
        (replace(cy, id="dee", endpoint="pjsip/ANA"), "conflict", "is the phone of ana already"),
        (replace(cy, id="dee"), "conflict", "is the phone of cy already"),
    ):
        error = await refused(stage.agents.save([cy, other], EVA))
        assert error.kind == kind
        assert words in error.message
    assert [one.id for one in stage.agents.list()] == ["ana", "ben"]
    stage.store.fails("save_agents")
    assert (await refused(stage.agents.save([cy], EVA))).kind == "unreachable"


async def test_given_two_who_exchange_their_phones_then_that_is_saved(stage):
    await stage.agents.save([replace(ANA, endpoint="PJSIP/ben"), replace(BEN, endpoint="PJSIP/ana")], EVA)
    assert stage.agents.by_endpoint("PJSIP/ana") == "ben"


async def test_given_an_import_of_very_many_then_it_is_checked_in_no_time(stage):
    many = [AgentRecord(f"a{n}", f"A {n}", f"PJSIP/a{n}") for n in range(3000)]
    began = time.process_time()
    stage.agents._check(many)
    assert time.process_time() - began < 1.0


async def test_given_an_agent_who_is_removed_then_they_are_gone_and_their_history_is_not(stage):
    await stage.agents.remove("ana", EVA)
    assert [one.id for one in stage.agents.list()] == ["ben"]
    assert (await refused(stage.agents.remove("ana", EVA))).kind == "not_found"
    assert [line.what for line in await stage.store.history("ana", 10)][-1] == "added"
    stage.store.fails("remove_agent")
    assert (await refused(stage.agents.remove("ben", EVA))).kind == "unreachable"


async def test_given_an_agent_in_a_handoff_then_they_are_removed_only_after_it(stage):
    staff, now = stage.engine.staff, time.time()
    await staff.change("ana", lambda p: reserve(p, Lease("warm-1", "east", now + 0.1), now))
    error = await refused(stage.agents.remove("ana", EVA))
    assert (error.kind, error.remedy) == ("conflict", "pause them, and wait for its end")
    # The daemon of that handoff is dead: its lease ends by itself, and stands in the way of nothing.
    await stage.seen(lambda shown: shown["ana"].offered is None)
    await stage.agents.remove("ana", EVA)


# -- the beginning -------------------------------------------------------------------------------------------


async def test_given_a_first_start_then_who_is_new_is_what_is_configured_and_later_what_they_said(tmp_path):
    async with opened(tmp_path, Declared.OFFLINE) as stage:
        assert [one.declared for one in stage.agents.list()] == ["offline", "offline"]
        assert stage.agents.show("ana").reason == "not ready yet"
        await stage.agents.declare("ana", Declared.READY, EVA)
        (cy,) = await stage.agents.save([AgentRecord("cy", "Cy", "PJSIP/cy")], EVA)
        assert cy.declared == "offline", "who is added later is new as well"
    async with opened(tmp_path, Declared.OFFLINE) as stage:
        assert [one.declared for one in stage.agents.list()] == ["ready", "offline", "offline"]


async def test_given_a_file_and_a_store_that_differ_then_the_conflicts_are_told(tmp_path):
    async with opened(tmp_path) as stage:
        await stage.agents.save([replace(ANA, number="299")], EVA)
        again = replace(ANA, number="250")
        conflicts = await stage.engine.begin([again, BEN], [SALES])
        assert list(conflicts) == [Conflict("agent ana", "number", "299", "250")]
        assert stage.agents.show("ana").number == "299"
