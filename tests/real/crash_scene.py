"""Several handoffs side by side, each in a state of its own, through one `kill -9` of the daemon and one restart."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from crash_gate import Gate

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.daemon import DaemonFailed
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import MUSIC_HZ, Hearing, chord, write_wav
from asterisk_warm.lab.traffic import Traffic

FINAL = ("COMPLETED", "RETURNED", "ABANDONED", "FAILED")
COMFORT_HZ = 3000
"""Our announcements are a tone in these scenes, so that a silence is told from a pause between words."""
COMFORT_SECONDS = 2.5
AGENT_TONES = (*range(700, 1700, 50), *range(2800, 3000, 50), *range(3050, 3300, 50))
LEAD_TONES = tuple(range(1750, 2750, 50))
AGENTS = {f"a{n}": "Ana Lopez" for n in range(len(AGENT_TONES))}
"""All of one name: what is spoken is rendered once."""
RESUMED_SECONDS = 5.0
"""From the restart to every handoff's having been compared with what Asterisk has."""
HEALED_SECONDS = 0.7
"""From then to the lead's hearing somebody or something again, where nobody was left with them."""
STEADY_FRAMES = 12
_TICK = 0.04


@dataclass(frozen=True)
class Case:
    """One handoff: how it is brought to where the daemon dies, what happens while it is away, and how it must go on."""

    name: str
    prepare: Callable[[Act], Awaitable[None]]
    at_last: Callable[[Act], Awaitable[None]]
    meanwhile: Callable[[Act], Awaitable[None]]
    after: Callable[[Act], Awaitable[None]]
    state: str
    """In the journal when the daemon died; "" when it knew nothing of the lead yet."""
    style: str = "plain"
    """Of its team."""
    agents: int = 1
    first: bool = False
    """Whether `at_last` may take seconds: then the others wait for it."""
    music: bool = True
    """Whether the lead hears music or an announcement all through the outage."""
    invites: int = 1
    """To each agent, in all."""


TEMPLATES = {"introduction": "I am connecting you to {agent} now"}
"""In one breath."""
STYLES: dict[str, dict[str, Any]] = {
    "plain": {"introduction": False, "comfort_seconds": 0},
    "introduced": {"comfort_seconds": 0, "templates": TEMPLATES},
    "comforted": {"introduction": False, "comfort_seconds": 2},
    "patient": {"introduction": False, "comfort_seconds": 0, "wait_seconds": 120},
    "blind": {"mode": "blind", "introduction": False, "comfort_seconds": 0},
    "blind-introduced": {"mode": "blind", "comfort_seconds": 0, "templates": TEMPLATES},
}


class GatedStage(Stage):
    """A stage whose daemon reaches Asterisk through a gate."""

    def __init__(self, root: Root, workdir: Path, *, settings: Mapping[str, Any], **given: Any) -> None:
        super().__init__(root, workdir, settings=settings, **given)
        self.gate = Gate(self.pbx.config.ari_port)

    def __enter__(self) -> Self:
        self.gate.__enter__()
        pbx = self.pbx
        ari = {
            "url": f"http://127.0.0.1:{self.gate.port}",
            "user": pbx.ari_user,
            "password": pbx.ari_password,
        }
        ami = {"host": pbx.ami_host, "port": pbx.ami_port, "user": pbx.ami_user, "password": pbx.ami_secret}
        self._settings = {**(self._settings or {}), "asterisk": {"ari": ari, "ami": ami}}
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            super().__exit__()
        finally:
            self.gate.__exit__(None, None, None)


class CrashStage(GatedStage):
    """With a team for every case."""

    def __init__(self, root: Root, workdir: Path, sounds: Path, plans: Sequence[Sequence[Case]]) -> None:
        teams: dict[str, dict[str, Any]] = {}
        for number, plan in enumerate(plans):
            for slot, case, agents in cast(plan):
                teams[f"team{number}-{slot}"] = {"name": "Sales", "agents": agents, **STYLES[case.style]}
        teams["sales"] = {"name": "Sales", "agents": ["a0", "a1"], **STYLES["plain"]}
        self._prompts = workdir / "prompts"
        settings = {"sounds": {"directory": str(sounds), "prompts": str(self._prompts)}}
        super().__init__(root, workdir, teams=teams, agents=AGENTS, sounds=sounds, settings=settings)

    def __enter__(self) -> Self:
        self._prompts.mkdir()
        for name in ("comfort", "comfort-2", "comfort-3"):
            write_wav(self._prompts / f"{name}.wav", chord((COMFORT_HZ,), COMFORT_SECONDS))
        return super().__enter__()

    def journalled(self) -> dict[str, str]:
        """State by the lead's number, as a killed daemon has left it in its database."""
        with closing(sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True)) as database:
            return dict(database.execute("select lead_number, state from handoffs order by created_at"))


def cast(plan: Sequence[Case]) -> list[tuple[int, Case, list[str]]]:
    """(slot, case, the ids of its agents): nobody is in two handoffs."""
    free = iter(AGENTS)
    return [(slot, case, [next(free) for _ in range(case.agents)]) for slot, case in enumerate(plan)]


class Watch:
    """The newest handoffs of so many leads, asked for all along, by the lead's number; silent while the daemon is away."""

    def __init__(self, stage: Stage, leads: int) -> None:
        self._stage = stage
        self._most = 2 * leads
        self._seen: dict[str, dict[str, Any]] = {}

    async def run(self) -> None:
        while True:
            try:
                found = await asyncio.to_thread(self._stage.daemon.handoffs, self._most)
                self._seen = {view["lead"]["number"]: view for view in reversed(found)}
            except OSError:
                pass
            await asyncio.sleep(_TICK)

    async def until(
        self, number: str, what: Callable[[dict[str, Any]], bool], seconds: float = 10.0
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not (number in self._seen and what(self._seen[number])):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {json.dumps(self._seen.get(number))[:1500]}")
            await asyncio.sleep(_TICK)
        return self._seen[number]


@dataclass
class Act:
    """A case being played."""

    scene: CrashScene
    case: Case
    team: str
    lead: Phone
    lead_hz: int
    agents: list[Phone]
    agents_hz: list[int]
    offers: list[Call] = field(default_factory=list)
    call: Call = field(init=False)
    handoff: dict[str, Any] = field(init=False)
    """As it was last seen by `until`."""

    @property
    def number(self) -> str:
        return self.lead.name

    async def until(self, what: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> None:
        self.handoff = await self.scene.watch.until(self.number, what, seconds)

    async def in_state(self, *states: str, seconds: float = 10.0) -> None:
        await self.until(lambda view: view["state"] in states, seconds)

    async def settled(self) -> None:
        await self.until(lambda view: view["settled"], 15)

    async def journal(self) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.scene.stage.daemon.journal, self.handoff["id"])

    async def journal_has(self, what: Callable[[list[dict[str, Any]]], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not what(lines := await self.journal()):
            assert time.monotonic() < deadline, [line["event"] for line in lines]
            await asyncio.sleep(_TICK)

    async def dial(self) -> None:
        self.call = await self.lead.dial(self.team)

    async def hears_agent(self, agent: int = 0) -> None:
        """Wait until the two hear each other."""
        since = time.time()

        def both(traffic: Traffic) -> bool:
            lead = traffic.heard_at(self.call.call_id).between(since, time.time())
            heard = traffic.heard_at(self.offers[agent].call_id).between(since, time.time())
            return lead.hears(self.agents_hz[agent], frames=5) and heard.hears(self.lead_hz, frames=5)

        await self.scene.heard(both)


class CrashScene:
    """One plan, played: `async with` it, then `play(delay)`, then `check()`."""

    def __init__(
        self, stage: CrashStage, number: int, plan: Sequence[Case], phones: Phones, capture: Capture
    ):
        self.stage, self.phones, self.capture = stage, phones, capture
        self.watch = Watch(stage, len(plan))
        self.door = asyncio.Lock()
        """Held while the next request of a kind must be this act's."""
        self._number = number
        self._plan = plan
        self._reading, self._read_at = asyncio.Lock(), 0.0
        self._latest: Traffic
        self.acts: list[Act] = []
        self.control: Call
        """Hears Asterisk's music, and has nothing to do with the daemon."""
        self.killed_at = self.launched_at = self.ready_at = self.kept_waiting = 0.0

    async def play(self, delay: float, end: Callable[[], None] | None = None) -> None:
        """`delay`: seconds from the daemon's death to its restart. `end` ends it in another way than `kill -9`."""
        watching = asyncio.create_task(self.watch.run())
        try:
            await self._set()
            await _all(self.acts, lambda act: act.case.prepare(act))
            await _all([act for act in self.acts if act.case.first], lambda act: act.case.at_last(act))
            await _all([act for act in self.acts if not act.case.first], lambda act: act.case.at_last(act))
            (end or self.stage.daemon.kill)()
            self.killed_at = time.time()
            self._as_planned()
            await _all(self.acts, lambda act: act.case.meanwhile(act))
            await asyncio.sleep(max(0.0, self.killed_at + delay - time.time()))
            self.launched_at = time.time()
            self.stage.daemon.launch()  # in this thread: it dies with the one that started it
            await asyncio.to_thread(self.stage.daemon.wait_ready)
            self.ready_at = time.time()
            await _all(self.acts, lambda act: act.case.after(act))
            await _all(self.acts, lambda act: act.settled())
            self.kept_waiting = _kept_waiting(self.stage.daemon.pid)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _set(self) -> None:
        self.control = await self.phones.lead("Control", "+15550000000").dial("music")
        await self.control.answered()
        for slot, case, agents in cast(self._plan):
            tones = [AGENT_TONES[int(agent[1:])] for agent in agents]
            registered = await asyncio.gather(
                *(self.phones.register(a, tone_hz=hz) for a, hz in zip(agents, tones, strict=True))
            )
            number = f"+1555{self._number:02}{int(time.time()) % 1000:03}{slot:02}"
            lead = self.phones.lead("Grant Weatherly", number, tone_hz=LEAD_TONES[slot])
            team = f"team{self._number}-{slot}"
            self.acts.append(Act(self, case, team, lead, LEAD_TONES[slot], list(registered), tones))

    def _as_planned(self) -> None:
        journalled = self.stage.journalled()
        states = {act.case.name: journalled.get(act.number, "") for act in self.acts}
        planned = {act.case.name: act.case.state for act in self.acts}
        assert states == planned, {name: state for name, state in states.items() if state != planned[name]}

    async def heard(self, what: Callable[[Traffic], bool], seconds: float = 15.0) -> None:
        """Wait until what was sent says so."""
        deadline = time.monotonic() + seconds
        while not what(await self._traffic()):
            assert time.monotonic() < deadline, f"not heard within {seconds:g} s"

    async def _traffic(self) -> Traffic:
        """Read for all who wait for it, a few times a second."""
        since = time.monotonic()
        async with self._reading:
            if self._read_at < since:
                await asyncio.sleep(0.15)
                self._read_at = time.monotonic()
                self._latest = await asyncio.to_thread(self.capture.traffic)
            return self._latest

    # -- afterwards --------------------------------------------------------------------------------

    def resumed_after(self) -> float:
        """Seconds from the restart until the last handoff had been compared with what Asterisk has."""
        firsts = [
            min(
                line["at"]
                for line in self.stage.daemon.journal(act.handoff["id"])
                if line["at"] > self.launched_at
            )
            for act in self.acts
        ]
        return max(firsts) - self.launched_at

    def check(self) -> None:
        """What must be so whatever happened; all faults at once."""
        traffic = self.capture.traffic()
        faults = [f"{act.case.name}: {fault}" for act in self.acts for fault in self._faults(act, traffic)]
        resumed = self.resumed_after()
        if resumed - self.kept_waiting > RESUMED_SECONDS:
            faults.append(
                f"resumed {resumed:.1f} s after the restart, {self.kept_waiting:.1f} s of it kept waiting"
            )
        generic = re.findall(r"Playing '.*/prompts/(?:briefing|introduction)\b", self.stage.pbx.log())
        if generic:
            faults.append(f"spoken without the lead's name: {generic}")
        assert not faults, "\n".join(faults)

    def _faults(self, act: Act, traffic: Traffic) -> list[str]:
        faults = []
        journal = self.stage.daemon.journal(act.handoff["id"])
        ends = [line["state"] for line in journal if line["state"] in FINAL]
        if len(set(ends)) != 1 or ends[-1] != act.handoff["state"] or not act.handoff["reason"]:
            faults.append(f"ended as {ends} because {act.handoff['reason']!r}")
        for agent in act.agents:
            if len(traffic.dialogs_to(agent.name)) > act.case.invites:
                faults.append(f"{agent.name} was rung {len(traffic.dialogs_to(agent.name))} times")
        return faults + self._dead_air(act, traffic)

    def _dead_air(self, act: Act, traffic: Traffic) -> list[str]:
        faults = []
        heard = traffic.heard_at(act.call.call_id)
        strangers = set(AGENT_TONES) - set(act.agents_hz)
        over = act.call.ended_at or time.time()
        if act.case.music and over > self.launched_at:
            window = (self.killed_at - 0.1, self.ready_at)
            silence = heard.longest_silence(*window)
            # What Asterisk's own music stops for is the machine's fault; on a machine that keeps a process waiting
            # for a second, single threads stop too.
            machine = traffic.heard_at(self.control.call_id).longest_silence(*window)
            if silence > 0.1 + machine + (0.1 if self.kept_waiting > 1 else 0):
                faults.append(f"the lead heard nothing for {silence:.2f} s of the outage")
            if not heard.between(self.killed_at - COMFORT_SECONDS, self.ready_at).hears(*MUSIC_HZ, frames=2):
                faults.append("the lead heard no music during the outage")
        healed = self.ready_at + HEALED_SECONDS + self.kept_waiting
        if over > healed + 0.1:
            silence = heard.longest_silence(healed, over - 0.1)
            if silence > 0.35:
                faults.append(f"the lead heard nothing for {silence:.2f} s after the restart")
        two_seconds = heard.times[100:] - heard.times[:-100]
        if len(two_seconds) and two_seconds.min() < 1.5:
            faults.append("two sounds took turns at the lead, frame by frame")
        met = [hz for hz in strangers if _steady(heard, hz)]
        if met:
            faults.append(f"the lead heard others' agents: {met}")
        return faults


def _steady(heard: Hearing, hz: int) -> bool:
    """Is it a phone's tone that is heard, and not just a voice that comes by?"""
    runs = np.split(has := heard.has(hz), np.flatnonzero(np.diff(has)) + 1)
    return any(len(run) >= STEADY_FRAMES and run[0] for run in runs if len(run))


def _kept_waiting(pid: int) -> float:
    """Seconds in which the process could have run, had the machine not been busy with others."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


async def _all(acts: Sequence[Act], what: Callable[[Act], Awaitable[None]]) -> None:
    """For all acts at once; every failure is told, with the act's name."""
    results = await asyncio.gather(*(what(act) for act in acts), return_exceptions=True)
    failures = [
        f"{act.case.name}: {type(result).__name__}: {result}"
        for act, result in zip(acts, results, strict=True)
        if isinstance(result, (AssertionError, OSError, TimeoutError, DaemonFailed, KeyError, IndexError))
    ]
    others = [result for result in results if isinstance(result, BaseException)]
    assert not failures, "\n".join(failures)
    if others:
        raise others[0]


def count_orders(journal: Sequence[dict[str, Any]], command: str, **detail: Any) -> int:
    orders = [order for line in journal for order in line["commands"] if order["command"] == command]
    return sum(all(order["detail"].get(key) == value for key, value in detail.items()) for order in orders)
