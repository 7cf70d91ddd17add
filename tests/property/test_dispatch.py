"""Several daemons on one store, many leads, few agents, who pause, call, decline, let ring out and hang up;
daemons are killed and start again, in the middle of whatever they do. Each daemon is the whole engine upon an
Asterisk of its own (the simulated one), all of them ring the same phones, and the clock is the test's.

Whatever happens: nobody's phone is rung for two leads at once, nobody is reserved who is not free, the oldest is
first, every lead reaches an end, and when all is over nobody is reserved any more."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from lead_memory import unknown_leads
from property.handoffs import policy
from property.model_asterisk import Leg, ModelPbx, World, lead_at_door
from property.model_engine import Loop, MemoryJournal
from staff_memory import MemoryAgents, SetCalendars, SetDevices, store_of

from asterisk_warm.core import presence as core
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.agents import seeker
from asterisk_warm.core.handoff.ids import parse_agent_leg
from asterisk_warm.core.handoff.model import Agent, Handoff, Outcome
from asterisk_warm.core.presence import By, Declared, Presence, Rules, Seen
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.engine import codec
from asterisk_warm.engine.agents.dispatcher import LEASE_SECONDS
from asterisk_warm.engine.agents.ports import Change
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.ports.calls import AtDoor
from asterisk_warm.engine.ports.journal import Entry, JournalError
from asterisk_warm.engine.views import Health

NODES = ("east", "west", "north")
AGENTS = tuple(Agent(name, name.title(), f"PJSIP/{name}") for name in ("ana", "ben", "cy", "dee"))
RULES = Rules(wrapup_seconds=5.0, missed_offers=3)
WAIT = 60.0
TEAMS = {
    "all": Team("all", "All", AGENTS[:3], policy(routing=Routing(wait_seconds=WAIT), agents=RULES)),
    "idle": Team(
        "idle",
        "Idle",
        AGENTS[1:],
        policy(routing=Routing(Strategy.LONGEST_IDLE, 1, 8.0, wait_seconds=WAIT), agents=RULES),
    ),
    "robin": Team(
        "robin",
        "Robin",
        AGENTS,
        policy(routing=Routing(Strategy.ROUND_ROBIN, 2, wait_seconds=WAIT, sticky_seconds=5.0), agents=RULES),
    ),
}
LONGEST = 120.0 + 120.0 + 10 * 15.0 + 60.0
"""Seconds until all is over when nobody does anything more but hang up."""

_node: contextvars.ContextVar[str] = contextvars.ContextVar("node", default="")


class NodesLoop(Loop):
    """Knows whose each task is, so that one daemon can be killed alone; and goes on by single turns."""

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[asyncio.Task[Any], str] = {}
        self.is_quiet: Callable[[], None] = lambda: None

    def settle(self) -> None:
        super().settle()
        self.is_quiet()

    def _new_task(self, *what: Any, **options: Any) -> asyncio.Task[Any]:
        task = super()._new_task(*what, **options)
        self.owners[task] = _node.get()
        return task

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.call_soon(self.stop)
            self.run_forever()

    def kill(self, node: str) -> None:
        for task, owner in list(self.owners.items()):
            if owner == node:
                task.cancel()
                del self.owners[task]
        self.settle()


class Hall(World):
    """An Asterisk with many leads: legs of agents go by their channels."""

    teams: dict[str, str]

    def agents(self) -> dict[Any, Leg]:
        return {leg.id: leg for leg in self.legs.values() if parse_agent_leg(leg.id) is not None}

    def _at_door(self) -> list[AtDoor]:
        return [
            AtDoor(lead_at_door(leg.id), self.teams[leg.id], ())
            for leg in self.legs.values()
            if leg.in_app and leg.id in self.teams
        ]


class Phones:
    """The agents' phones: they ring in any Asterisk."""

    def __init__(self) -> None:
        self.endpoints: dict[str, str] = {}
        """Leg → phone."""
        self.calls: set[str] = set()
        """Phones in a call that is not ours."""
        self.worlds: list[Hall] = []

    def legs(self, endpoint: str) -> list[Leg]:
        found = (leg for world in self.worlds for leg in world.agents().values())
        return [leg for leg in found if self.endpoints[leg.id] == endpoint]

    def state(self, endpoint: str) -> str:
        legs = self.legs(endpoint)
        if endpoint in self.calls or any(leg.up for leg in legs):
            return "INUSE"
        return "RINGING" if any(leg.dialed for leg in legs) else "NOT_INUSE"


class HallPbx(ModelPbx):
    """Carries out every order at once, and sees to it that nobody is rung twice."""

    phones: Phones

    async def ring(self, leg: str, lead: str, endpoint: str, *rest: Any) -> None:
        others = [other.id for other in self.phones.legs(endpoint) if other.id != leg]
        assert not others, f"{endpoint} is rung by {leg}, and has {others}"
        self.phones.endpoints[leg] = endpoint
        await super().ring(leg, lead, endpoint, *rest)


class HallStore(MemoryAgents):
    """The store of all, which sees to it that only who is free is reserved."""

    machine: Machine

    async def save_presence(
        self, before: Presence, after: Presence, change: Change | None = None
    ) -> Presence | None:
        # What becomes of them while the write is on the way no daemon can know.
        reasons, offer = core.why_not(before, self.machine.seen(after.agent), time.time()), after.offer
        kept = await super().save_presence(before, after, change)
        if kept is not None and offer is not None and after.offered_at != before.offered_at:
            assert not reasons, f"{after.agent} was reserved for {offer.handoff}, and {reasons}"
            self.machine.was_reserved(after.agent, offer.handoff)
        return kept


class Node:
    """A daemon, and the Asterisk beside it."""

    def __init__(self, name: str, machine: Machine) -> None:
        self.name, self.machine = name, machine
        self.world = Hall(self._told, machine.loop.time)
        self.world.teams = {}
        self.world.whose = lambda channel: self.service.leg_of(channel) if self.running else None
        self.pbx = HallPbx(self.world, at_once=True)
        self.pbx.phones = machine.phones
        machine.phones.worlds.append(self.world)
        self.journal = MemoryJournal()
        self.devices = SetDevices(machine.phones.state)
        self.engine: Engine | None = None
        self._read: dict[str, tuple[Entry, Handoff]] = {}

    @property
    def running(self) -> bool:
        return self.engine is not None

    @property
    def service(self) -> Any:
        assert self.engine is not None
        return self.engine.handoffs

    def _told(self, handoff: str, event: ev.Event) -> None:
        self.machine.devices_moved()
        if self.engine is not None:
            self.here(self.engine.handoffs.post, handoff, event)

    def here(self, what: Any, *arguments: Any) -> Any:
        """In this daemon's name: whatever tasks come of it are its own."""
        context = contextvars.copy_context()
        context.run(_node.set, self.name)
        return context.run(what, *arguments)

    def start(self) -> None:
        self.here(self._start)

    def _start(self) -> None:
        self.engine = Engine(
            journal=self.journal,
            store=self.machine.store,
            pbx=self.pbx,
            speaker=self.pbx,
            devices=self.devices,
            calendars=SetCalendars(),
            lamps=None,
            directory=Directory(TEAMS),
            node=self.name,
            zone=UTC,
            speech_seconds=10.0,
            reachable=_at_once,
            health=_health,
            **unknown_leads(),
        )
        self.machine.loop.create_task(self._run(self.engine))

    async def _run(self, engine: Engine) -> None:
        await engine.begin((), ())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(engine.run())
            tasks.create_task(engine.handoffs.recover())

    def kill(self) -> None:
        assert self.engine is not None
        self.engine.staff.stop()
        self.engine = None
        self.machine.loop.kill(self.name)

    def handoffs(self) -> list[Handoff]:
        """As the journal has them."""
        return [self._handoff(kept.entries[-1]) for kept in self.journal.kept.values()]

    def _handoff(self, last: Entry) -> Handoff:
        known = self._read.get(last.handoff)
        if known is None or known[0] is not last:
            known = self._read[last.handoff] = last, codec.decode_handoff(last.snapshot_json)
        return known[1]


async def _at_once() -> None:
    pass


async def _health(open_handoffs: int) -> Health:
    return Health("test", "model", True, True, open_handoffs, ())


numbers = st.integers(0, 30)
EVA = By("eva", "cli")


class Machine(RuleBasedStateMachine):
    slow = False
    """Whether the store takes its time, so that others act meanwhile, and daemons are killed in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = NodesLoop()
        self.clock = pytest.MonkeyPatch()
        self.clock.setattr(time, "time", self.loop.time)
        self.phones = Phones()
        self.store = HallStore(*_store())
        self.store.machine = self
        self.store.meanwhile = self._meanwhile
        self.nodes = [Node(name, self) for name in NODES]
        self.leads = 0
        self.failed = False
        self.failures = 0
        """How many requests to the store fail next."""
        self.lost = False
        """Whether something was written, and nobody was told so."""
        self.loop.is_quiet = self._is_quiet
        self.waited: dict[str, list[Handoff]] = {}
        """Node → its leads for whom nobody was rung when all was quiet."""

    async def _meanwhile(self, what: str) -> None:
        if self.slow:
            await asyncio.sleep(0)
        if self.failures and what in ("save_presence", "presence_saved", "presence"):
            self.failures -= 1
            self.lost = self.lost or what == "presence_saved"
            raise JournalError("the store is away")

    # -- what is -------------------------------------------------------------------------------------------

    def seen(self, agent: str) -> Seen:
        return Seen(device=self.phones.state(f"PJSIP/{agent}"))

    def devices_moved(self) -> None:
        for node in self.nodes:
            if node.running:
                self.loop.call_soon(node.here, node.devices.moved)

    @property
    def running(self) -> list[Node]:
        return [node for node in self.nodes if node.running]

    def was_reserved(self, agent: str, handoff: str) -> None:
        """The oldest is first: of this daemon's leads of the same team, none who waits with nobody rung is older
        and has not been offered this agent."""
        if self.slow or self.failures:
            return  # Who was told something, or failed to be reserved, in that moment can be passed over.
        served = {one.offer.handoff for one in self.store.presences.values() if one.offer}
        for node in self.nodes:
            now = {one.id: one for one in node.handoffs()}
            mine = now.get(handoff)
            for older in self.waited.get(node.name, ()) if mine else ():
                one = None if older.id in served else seeker(now[older.id])
                if one and not one.ringing and older.requested_at < mine.requested_at:
                    assert older.team != mine.team or agent in one.tried, f"{agent} is for {older.id} first"

    def some(self, what: Sequence[Any], which: int) -> Any:
        return what[which % len(what)]

    def legs(self, *, up: bool) -> list[tuple[Node, Leg]]:
        return [
            (node, leg)
            for node in self.nodes
            for leg in node.world.agents().values()
            if leg.up is up and leg.dialed
        ]

    def leads_here(self) -> list[tuple[Node, str]]:
        return [(node, lead) for node in self.nodes for lead in node.world.teams if lead in node.world.legs]

    def go_on(self, turns: int = 0) -> None:
        """So many turns of the loop; 0: until nothing more follows."""
        if turns:
            self.loop.turns(turns)
            return
        self.loop.settle()

    def _is_quiet(self) -> None:
        for node in self.running if not self.slow else ():
            self.waited[node.name] = [h for h in node.handoffs() if (one := seeker(h)) and not one.ringing]

    # -- what happens --------------------------------------------------------------------------------------

    @initialize(
        nodes=st.integers(1, 3),
        turns=st.integers(0, 3),
        leads=st.lists(st.tuples(numbers, st.sampled_from(sorted(TEAMS))), min_size=1, max_size=6),
    )
    def it_begins(self, nodes: int, turns: int, leads: list[tuple[int, str]]) -> None:
        del self.nodes[nodes:]
        for node in self.nodes:
            node.start()
            self.go_on(turns if self.slow else 0)
        for which, team in leads:
            self.a_lead_calls(which, team, turns)

    @precondition(lambda self: self.running and self.leads < 12)
    @rule(which=numbers, team=st.sampled_from(sorted(TEAMS)), turns=st.integers(0, 12))
    def a_lead_calls(self, which: int, team: str, turns: int) -> None:
        node = self.some(self.running, which)
        self.leads += 1
        lead = f"lead-{self.leads}"
        node.world.legs[lead] = Leg(lead, up=True)
        node.world.teams[lead] = team
        self.loop.call_soon(node.here, node.service.entered, AtDoor(lead_at_door(lead), team, []))
        self.go_on(turns if self.slow else 0)
        self.loop.now += 0.01  # Nobody is older by chance.

    @precondition(lambda self: self.legs(up=False))
    @rule(which=numbers, turns=st.integers(0, 12))
    def an_agent_answers(self, which: int, turns: int) -> None:
        node, leg = self.some(self.legs(up=False), which)
        node.world.agent_answers(leg.id)
        self.go_on(turns if self.slow else 0)

    @precondition(lambda self: self.legs(up=True))
    @rule(which=numbers, digit=st.sampled_from("1112"), turns=st.integers(0, 12))
    def an_agent_presses(self, which: int, digit: str, turns: int) -> None:
        node, leg = self.some(self.legs(up=True), which)
        node.world.agent_presses(leg.id, digit)
        self.go_on(turns if self.slow else 0)

    @precondition(lambda self: self.legs(up=False))
    @rule(which=numbers, turns=st.integers(0, 12))
    def an_agent_takes_a_lead(self, which: int, turns: int) -> None:
        node, leg = self.some(self.legs(up=False), which)
        for step in (node.world.agent_answers, lambda leg: node.world.agent_presses(leg, "1")):
            if leg.id in node.world.legs:
                step(leg.id)
                self.go_on()
        self._end_playbacks()
        self.go_on(turns if self.slow else 0)

    @precondition(lambda self: self.legs(up=False))
    @rule(
        which=numbers,
        outcome=st.sampled_from([Outcome.NO_ANSWER, Outcome.NO_ANSWER, Outcome.DECLINED]),
        turns=st.integers(0, 12),
    )
    def an_agent_does_not_answer(self, which: int, outcome: Outcome, turns: int) -> None:
        node, leg = self.some(self.legs(up=False), which)
        node.world.agent_ends(leg.id, outcome)
        self.go_on(turns if self.slow else 0)

    @precondition(lambda self: self.legs(up=True))
    @rule(which=numbers, turns=st.integers(0, 12))
    def an_agent_hangs_up(self, which: int, turns: int) -> None:
        node, leg = self.some(self.legs(up=True), which)
        node.world.agent_ends(leg.id, Outcome.HUNG_UP)
        self.go_on(turns if self.slow else 0)

    @precondition(lambda self: self.leads_here())
    @rule(which=numbers, turns=st.integers(0, 12))
    def a_lead_hangs_up(self, which: int, turns: int) -> None:
        node, lead = self.some(self.leads_here(), which)
        node.world.ends(lead)
        self.go_on(turns if self.slow else 0)

    @rule(turns=st.integers(0, 12))
    def what_is_played_ends(self, turns: int) -> None:
        self._end_playbacks()
        self.go_on(turns if self.slow else 0)

    def _end_playbacks(self) -> None:
        for node in self.nodes:
            for playback in list(node.world.playbacks):
                node.world.playback_ends(playback)

    @precondition(lambda self: self.running)
    @rule(which=numbers, agent=st.sampled_from(AGENTS), declared=st.sampled_from(Declared), seconds=numbers)
    def an_agent_declares(self, which: int, agent: Agent, declared: Declared, seconds: int) -> None:
        node = self.some(self.running, which)
        until = time.time() + seconds if seconds and declared is Declared.PAUSED else None

        def how(presence: Presence) -> Presence:
            return core.declare(presence, declared, time.time(), EVA, "", until)

        async def change(staff: Staff) -> None:
            with contextlib.suppress(JournalError):
                await staff.change(agent.id, how, EVA)

        assert node.engine is not None
        staff = node.engine.staff
        self.loop.call_soon(node.here, lambda: self.loop.create_task(change(staff)))
        self.go_on(seconds if self.slow else 0)

    @rule(times=st.sampled_from([1, 1, 2, 3, 8]))
    def the_store_is_away(self, times: int) -> None:
        self.failures = times

    @rule(agent=st.sampled_from(AGENTS), calls=st.booleans(), turns=st.integers(0, 12))
    def an_agent_has_a_call_of_their_own(self, agent: Agent, calls: bool, turns: int) -> None:
        if calls and self.phones.state(agent.endpoint) == "NOT_INUSE":
            self.phones.calls.add(agent.endpoint)
        else:
            self.phones.calls.discard(agent.endpoint)
        self.devices_moved()
        self.go_on(turns if self.slow else 0)

    @rule(seconds=st.sampled_from([0.5, 2.0, 6.0, 26.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.advance(seconds)
        self.go_on()

    @precondition(lambda self: self.running)
    @rule(which=numbers)
    def a_daemon_is_killed(self, which: int) -> None:
        self.some(self.running, which).kill()
        self.go_on()

    @precondition(lambda self: len(self.running) < len(self.nodes))
    @rule(which=numbers, turns=st.integers(0, 12))
    def a_daemon_starts(self, which: int, turns: int) -> None:
        self.some([node for node in self.nodes if not node.running], which).start()
        self.go_on(turns if self.slow else 0)

    @rule()
    def all_settles(self) -> None:
        self.go_on()

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def no_task_has_crashed(self) -> None:
        # HallPbx and HallStore assert in the engine's tasks: nobody is rung twice, who is reserved was free.
        errors = self.loop.crashed()
        self.failed = self.failed or bool(errors)
        assert not errors, "".join(map(str, traceback.format_exception(errors[0])))

    @invariant()
    def nobody_is_offered_two_leads(self) -> None:
        rung: dict[str, list[str]] = {}
        for node in self.nodes:
            for leg in node.world.agents().values():
                rung.setdefault(self.phones.endpoints[leg.id], []).append(leg.id)
        assert all(len(legs) == 1 for legs in rung.values()), rung

    # -- the end ---------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if not self.failed:
                self._let_all_end()
                self._check_nothing_is_left()
        finally:
            for node in self.running:
                node.kill()
            self.loop.cancel_everything()
            self.clock.undo()
            self.loop.close()

    def _let_all_end(self) -> None:
        """Every daemon runs; phones ring out, talks end, and nobody does anything else."""
        self.phones.calls.clear()
        self.failures = 0
        for node in self.nodes:
            if not node.running:
                node.start()
        began = self.loop.now
        while True:
            self.go_on()
            self._end_playbacks()
            for node, leg in self.legs(up=True):
                if leg.id in node.world.legs:  # Not ended with another one.
                    node.world.agent_ends(leg.id, Outcome.HUNG_UP)
            self.go_on()
            self.no_task_has_crashed()
            self.nobody_is_offered_two_leads()
            if all(one.settled for node in self.nodes for one in node.handoffs()):
                break
            self.loop.advance(5.0)
            unsettled = [one for node in self.nodes for one in node.handoffs() if not one.settled]
            assert self.loop.now - began <= LONGEST, f"it does not end: {unsettled}"

    def _check_nothing_is_left(self) -> None:
        for node in self.nodes:
            left = [leg for leg in node.world.legs.values() if leg.in_app]
            assert not left, f"left in the application: {left}"
        # What failed is tried again; what nobody knows of ends by itself.
        self.loop.advance(LEASE_SECONDS if self.lost else 1.5)
        self.go_on()
        now = {id: core.at(one, time.time()) for id, one in self.store.presences.items()}
        reserved = {id: one for id, one in now.items() if one.offer or one.talks}
        assert not reserved, f"still reserved, though all is over: {reserved}"
        for node in self.nodes:
            assert node.engine is not None
            dispatcher = node.engine._dispatcher
            assert not dispatcher._handoffs and not dispatcher._kept and not dispatcher._dirty


class SlowMachine(Machine):
    slow = True


def _store() -> tuple[Any, Any]:
    store = store_of(TEAMS.values())
    return store.records.values(), store.team_records.values()


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


TestDispatch = Machine.TestCase
TestDispatch.settings = _settings(60)
TestSlowStore = SlowMachine.TestCase
TestSlowStore.settings = _settings(60)
