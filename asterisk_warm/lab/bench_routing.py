"""What deciding about agents costs, without Asterisk: the plan over all leads and agents, and the turn of the
engine that it is a part of. In CPU time, which others on the machine do not make longer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from asterisk_warm.core.handoff.agents import seeker
from asterisk_warm.core.handoff.events import AgentsFound, Event
from asterisk_warm.core.handoff.model import Agent, Handoff, Lead
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, Templates
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.presence import Calendar, Reason, Why
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.core.routing import Routing, Seeker, Standing, Strategy, plan
from asterisk_warm.engine.agents.dispatcher import Dispatcher
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.lab.bench_figures import middle, p99
from asterisk_warm.store import Database, SqlAgents

AGENTS, LEADS = 1000, 100
FREE = {"half of them free": AGENTS // 2, "5 free": 5}
PATIENCE = 20.0
BUSY = Reason(Why.DEVICE, "in a call", passes=True)
ROUTING = Routing(fanout=3, widen_seconds=10.0, relax_seconds=15.0, sticky_seconds=5.0, wait_seconds=120.0)


@dataclass(frozen=True)
class Row:
    """Milliseconds."""

    what: str
    n: int
    median: float
    p99: float


def row(what: str, values: Sequence[float]) -> Row:
    return Row(what, len(values), middle(values), p99(values))


# -- the plan ------------------------------------------------------------------------------------------------


def decisions(rounds: int) -> list[Row]:
    """The plan of each strategy: all agents are in one team, for which all leads wait."""
    rows = []
    for strategy in Strategy:
        for words, free in FREE.items():
            chance = random.Random(free)
            worlds = [_world(strategy, free, chance) for _ in range(rounds)]
            rows.append(row(f"{strategy.value}, {words}", [_plan_ms(*world) for world in worlds]))
    return rows


def _world(
    strategy: Strategy, free: int, chance: random.Random
) -> tuple[list[Seeker], dict[str, Standing], float]:
    now = time.time()
    routing = _routing(strategy)
    team = _team(chance)
    eligible = {agent.id for agent in chance.sample(team, free)}
    standings = {
        agent.id: Standing(
            () if agent.id in eligible else (BUSY,),
            now - chance.random() * 3600,
            now - chance.random() * 3600,
        )
        for agent in team
    }
    leads = [_lead(number, team, routing, now - chance.random() * 60) for number in range(LEADS)]
    return [found for lead in leads if (found := seeker(lead, chance.choice(team).id))], standings, now


def _routing(strategy: Strategy) -> Routing:
    skills = (("spanish", 5),) if strategy is Strategy.SKILLS else ()
    return replace(ROUTING, strategy=strategy, skills=skills)


def _plan_ms(seekers: Sequence[Seeker], standings: Mapping[str, Standing], now: float) -> float:
    began = time.process_time()
    plan(seekers, standings, now)
    return (time.process_time() - began) * 1000


def _team(chance: random.Random) -> tuple[Agent, ...]:
    return tuple(
        Agent(
            f"a{number}",
            f"Agent {number}",
            f"PJSIP/a{number}",
            tier=chance.randint(1, 3),
            skills=(("spanish", chance.randint(1, 10)),),
        )
        for number in range(AGENTS)
    )


def _lead(number: int, team: tuple[Agent, ...], routing: Routing, since: float) -> Handoff:
    words = Templates("{name}", "", "", "")
    return Handoff(
        id=f"warm-{number}",
        team="sales",
        team_name="Sales",
        lead=Lead(f"lead-{number}", f"Lead {number}", f"+1555{number:04d}", ""),
        agents=team,
        policy=Policy(Mode.AUTO, 25.0, 30.0, 600.0, 0.0, "default", False, Keys(), words, routing=routing),
        requested_by="bench",
        return_to=None,
        state=State.SEEKING,
        requested_at=since,
        hold_until=since + 600.0,
    )


# -- a turn of the engine ------------------------------------------------------------------------------------


class _Phones:
    """Satisfies `engine.agents.ports.Devices`: all are in a call but one."""

    def __init__(self) -> None:
        self._free = ""
        self._changed: Callable[[str], None] = lambda _: None

    def watch(self, names: Sequence[str]) -> None:
        pass

    def state(self, name: str) -> str:
        return "NOT_INUSE" if name == self._free else "INUSE"

    def listen(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def free(self, name: str) -> None:
        """From now on that one; the former is in a call again."""
        former, self._free = self._free, name
        self._changed(former or name)
        self._changed(name or former)


class _NoCalendars:
    """Satisfies `engine.agents.ports.Calendars`."""

    def watch(self, agents: Mapping[str, tuple[str, str]]) -> None:
        pass

    def of(self, agent: str) -> Calendar | None:
        return None

    def listen(self, changed: Callable[[str], None]) -> None:
        pass


class _Leads:
    """Takes what the handoffs are told: who is found for one has become busy again at once."""

    def __init__(self, phones: _Phones) -> None:
        self._phones = phones
        self.found = asyncio.Queue[float]()
        self.quiet = asyncio.Queue[str]()

    async def tell(self, handoff: str, event: Event) -> bool:
        if isinstance(event, AgentsFound) and event.free:
            self.found.put_nowait(time.process_time())
            self._phones.free("")
        else:
            self.quiet.put_nowait(handoff)
        return True


async def turns(folder: Path, rounds: int) -> list[Row]:
    """All agents are in a call, all leads wait; one agent hangs up. From the change of the device's state to
    when the handoff is told that the agent is reserved for it; and the plan's part of that."""
    chance, phones = random.Random(1), _Phones()
    team = _team(chance)
    async with await Database.open(f"sqlite:///{folder / 'turns.db'}", "bench") as database:
        store = SqlAgents(database)
        await store.seed([_record(agent) for agent in team], [TeamRecord("sales", "Sales")], time.time())
        staff = Staff(store, phones, _NoCalendars(), UTC, lambda *_: None)
        await staff.open()
        now = time.time()
        routing = _routing(Strategy.LONGEST_IDLE)
        handoffs = [_lead(number, team, routing, now - number / 10) for number in range(LEADS)]
        took = await _turns(staff, phones, handoffs, rounds)
        seekers = [found for handoff in handoffs if (found := seeker(handoff))]
        planned = []
        for number in range(rounds):
            phones.free(f"PJSIP/a{number % AGENTS}")
            standings = {agent.id: staff.standing(agent.id) for agent in team}
            planned.append(_plan_ms(seekers, standings, time.time()))
        staff.stop()
    return [
        row("a turn: from a device state to the handoff being told", took),
        row("of it, the plan", planned),
    ]


async def _turns(staff: Staff, phones: _Phones, handoffs: Iterable[Handoff], rounds: int) -> list[float]:
    dispatcher, leads, changed = Dispatcher(staff, "bench"), _Leads(phones), asyncio.Event()
    staff.listen(lambda _: changed.set())
    running = asyncio.create_task(dispatcher.run(leads.tell))
    took = []
    try:
        async with asyncio.timeout(PATIENCE + rounds):
            for handoff in handoffs:
                dispatcher.changed(handoff)
            for _ in range(LEADS):
                await leads.quiet.get()
            for number in range(rounds):
                began = time.process_time()
                phones.free(f"PJSIP/a{number % AGENTS}")
                took.append((await leads.found.get() - began) * 1000)
                while not _released(staff, f"a{number % AGENTS}"):
                    changed.clear()
                    await changed.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await dispatcher.stop()
    return took


def _released(staff: Staff, agent: str) -> bool:
    found = staff.get(agent)
    return found is not None and found.presence.offer is None


def _record(agent: Agent) -> AgentRecord:
    return AgentRecord(
        agent.id, agent.name, agent.endpoint, teams=(("sales", agent.tier),), skills=agent.skills
    )
