"""The handoff gap, measured from RTP, beside the same scene done by Asterisk alone: `make bench`.

One run, both ways in turn: a lead waits with music, three agents ring, one answers and presses 1. T0 is the
first RFC 4733 END packet of that digit; the gap to the lead is the first frame with the agent's tone at the
lead, and back."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from asterisk_warm.lab import bench_agents, bench_briefing, bench_qualifier, bench_screens
from asterisk_warm.lab.bench_figures import (
    NATIVE,
    WARM,
    Figures,
    Ids,
    Meter,
    figures,
    gaps,
    invite_after,
    show,
)
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.network import PrivateNetworkRefused, enter_private_network
from asterisk_warm.lab.rawphones import ExactPhone, HostileLead
from asterisk_warm.lab.root import find_or_build, installed
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ

PER_TEAM = 3
ACCEPTS_PER_SECOND = 20.0
PATIENCE = 20.0
SETTLE_SECONDS = 1.5
"""From the last lead's coming to the first accept."""
TALK_SECONDS = 0.4
FIRST_WORDS = 8
"""Leads of whom nothing has been spoken before."""
_LINES = {"briefing": "A lead for {team}.", "taken": "Another agent took this call."}
"""Alike for all, so that rendering speech is no part of what is measured."""


class Crew:
    """One lead's number and the three phones of one team."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage, self.number = stage, number
        self._agent_hz = AGENT_HZ[number % len(AGENT_HZ)]
        self._lead_hz = LEAD_HZ[number % len(LEAD_HZ)]
        sip, password = stage.pbx.sip, stage.pbx.sip_password
        self.phones = [
            ExactPhone(sip, password, f"a{phone}", tone_hz=self._agent_hz) for phone in _phones(number)
        ]

    async def play(self, way: str, accept: asyncio.Future[None] | None = None) -> Ids:
        """One scene. With `accept` the agent waits for it before pressing. Raises TimeoutError, or
        RuntimeError when the lead's call is refused."""
        return await self._play(f"{'native' if way == NATIVE else 'team'}{self.number}", "Lead", accept)

    async def first_words(self, number: int) -> Ids:
        """A scene whose briefing has to be rendered."""
        return await self._play("words", f"Grant Weatherly the {number}th", None)

    async def _play(self, extension: str, name: str, accept: asyncio.Future[None] | None) -> Ids:
        who = f'"{name}" <sip:+1555{self.number:04d}@bench>'
        winner, *losers = self.phones
        async with HostileLead(self.stage.pbx.sip, extension, who, tone_hz=self._lead_hz) as lead:
            await asyncio.gather(*(phone.rings(PATIENCE) for phone in self.phones))
            winner.answer()
            await lead.answered(PATIENCE)
            if accept is not None:
                await accept
            # At any phase of Asterisk's own 20 ms: the digit must not keep step with the music.
            await winner.press_at("1", time.time() + 0.3 + random.uniform(0, 0.02))
            for phone in losers:
                await asyncio.wait_for(phone.ended.wait(), PATIENCE)
            await asyncio.sleep(TALK_SECONDS)
            ids = Ids(lead.call_id, winner.call_id, self._lead_hz, self._agent_hz)
        await asyncio.wait_for(winner.ended.wait(), PATIENCE)
        return ids


def _phones(crew: int) -> range:
    return range(crew * PER_TEAM, (crew + 1) * PER_TEAM)


def dialplan(crews: int) -> str:
    """The same scene by Asterisk's own means: Dial() with a confirming Gosub."""
    lines = ["exten => words,1,Gosub(warm-handoff,s,1(words))", " same => n,Hangup()"]
    for crew in range(crews):
        phones = "&".join(f"PJSIP/a{phone}" for phone in _phones(crew))
        lines.append(f"exten => native{crew},1,Answer()")
        lines.append(f" same => n,Dial({phones},30,mU(bench-confirm))")
        lines.append(f"exten => team{crew},1,Gosub(warm-handoff,s,1(team{crew}))")
        lines.append(" same => n,Hangup()")
    lines += ["[bench-confirm]", "exten => s,1,Read(KEY,demo-congrats,1,,1,30)"]
    lines += [' same => n,GotoIf($["${KEY}"="1"]?yes)', " same => n,Set(GOSUB_RESULT=CONTINUE)"]
    lines += [" same => n(yes),Return()", ""]
    return "\n".join(lines)


def make_stage(asterisk: str, crews: int, folder: Path) -> Stage:
    """Asterisk, the daemon and a team for each crew; `asterisk` is "installed", "22" or "16"."""
    # Before the private network, which has no mirror.
    found = installed() if asterisk == "installed" else None
    root = found or find_or_build("16" if asterisk == "16" else "22", Path(".cache"), print)
    try:
        enter_private_network()
    except PrivateNetworkRefused as refused:
        print(refused)
    phones = max(crews * PER_TEAM, len(bench_screens.AGENTS))
    agents = {f"a{phone}": f"Agent {phone}" for phone in range(phones)}
    teams: dict[str, dict[str, Any]] = {
        f"team{crew}": {"name": f"Team {crew}", "agents": [f"a{phone}" for phone in _phones(crew)]}
        for crew in range(crews)
    }
    words = {**_LINES, "briefing": "{name} is waiting, and calls about a loan for a house."}
    teams["words"] = {**teams["team0"], "name": "Words", "templates": words}
    handoff = {"introduction": False, "comfort_seconds": 0, "templates": _LINES}
    settings = {"handoff": handoff, "log": {"level": "warning", "format": "json"}}
    teams["qualified"] = bench_qualifier.TEAM
    teams["waiting"] = bench_agents.TEAM
    plan = bench_screens.DIALPLAN + bench_agents.DIALPLAN + bench_qualifier.DIALPLAN + dialplan(crews)
    extra = {**bench_qualifier.FEATURES, **bench_agents.QUEUES}
    return Stage(root, folder, agents=agents, teams=teams, dialplan=plan, settings=settings, extra=extra)


async def alone(crew: Crew, scenes: int) -> dict[str, list[Ids]]:
    """Scenes one at a time, both ways in turn."""
    ids: dict[str, list[Ids]] = {NATIVE: [], WARM: []}
    for number in range(scenes):
        for way in (NATIVE, WARM) if number % 2 else (WARM, NATIVE):
            ids[way].append(await crew.play(way))
    return ids


async def together(crews: Sequence[Crew], way: str, meter: Meter) -> tuple[list[Ids], float]:
    """All crews' leads held at once, then 20 accepts a second. Returns the scenes that came to their end,
    and the daemon's memory while all were held."""
    loop = asyncio.get_running_loop()
    gates = [loop.create_future() for _ in crews]
    scenes = []
    for crew, gate in zip(crews, gates, strict=True):
        scenes.append(asyncio.create_task(crew.play(way, gate)))
        await asyncio.sleep(1 / ACCEPTS_PER_SECOND)
    await asyncio.sleep(SETTLE_SECONDS)
    memory = meter.memory()
    for gate in gates:
        gate.set_result(None)
        await asyncio.sleep(1 / ACCEPTS_PER_SECOND)
    ended = await asyncio.gather(*scenes, return_exceptions=True)
    ids = []
    for scene in ended:
        if isinstance(scene, Ids):
            ids.append(scene)
        elif not isinstance(scene, (TimeoutError, RuntimeError)):
            raise scene
    return ids, memory


class Bench:
    """One run: alone, then each load, both ways after one another."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        self.rows: list[Figures] = []
        self.first_words: list[float] = []

    async def run(self, scenes: int, loads: Sequence[int]) -> None:
        crews = [Crew(self._stage, number) for number in range(max([1, *loads]))]
        async with AsyncExitStack() as registered:
            for crew in crews:
                for phone in crew.phones:
                    await registered.enter_async_context(phone)
            await self._alone(crews[0], scenes)
            await self._words(crews[0])
            idle = self._meter().memory()
            for load in loads:
                for way in (NATIVE, WARM):
                    await self._load(crews[:load], way, idle)
                    await self._stage.nothing_left(PATIENCE)

    async def _alone(self, crew: Crew, scenes: int) -> None:
        print(f"  {scenes} scenes each way, one at a time")
        with Capture(self._folder / "alone.pcap") as capture:
            meter = self._meter()
            ids = await alone(crew, scenes)
            asterisk, daemon = meter.cpu(scenes)
            traffic = capture.traffic()
        # The ways take turns: Asterisk's work is that of one scene of each.
        for way in (NATIVE, WARM):
            self.rows.append(figures(way, 1, scenes, gaps(traffic, ids[way]), (asterisk / 2, daemon)))

    async def _words(self, crew: Crew) -> None:
        print(f"  {FIRST_WORDS} briefings that were never spoken before")
        with Capture(self._folder / "words.pcap") as capture:
            ids = [await crew.first_words(number) for number in range(1, FIRST_WORDS + 1)]
            traffic = capture.traffic()
        self.first_words = [invite_after(traffic, scene) for scene in ids]

    async def _load(self, crews: Sequence[Crew], way: str, idle: float) -> None:
        load = len(crews)
        print(f"  {load} leads at once: {way}")
        with Capture(self._folder / f"{load}-{way.split()[0]}.pcap") as capture:
            meter = self._meter()
            ids, held = await together(crews, way, meter)
            cpu = meter.cpu(load)
            traffic = capture.traffic()
        memory = (held, max(0.0, held - idle) / load) if way == WARM else (None, None)
        self.rows.append(figures(way, load, load, gaps(traffic, ids), cpu, memory))

    def _meter(self) -> Meter:
        return Meter(self._stage.pbx.pid, self._stage.daemon.pid)


QUICK = {"scenes": 10, "loads": "10", "qualifier": 5, "agents": 5, "screens": 5, "briefings": 10}
"""What `--quick` makes of it: figures to look at, not to tell others."""


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--asterisk", default="22", choices=("22", "16", "installed"))
    parser.add_argument("--scenes", type=int, default=100, help="scenes alone, each way")
    parser.add_argument("--loads", default="30,100", help="how many handoffs at once, by comma")
    parser.add_argument("--qualifier", type=int, default=30, help="handoffs by a qualifier, each way")
    parser.add_argument("--agents", type=int, default=30, help="how often each of what agents cost")
    parser.add_argument(
        "--screens", type=int, default=25, help="leads each way for twenty agents with screens"
    )
    parser.add_argument(
        "--briefings", type=int, default=60, help="leads whose briefing is spoken, each language"
    )
    parser.add_argument("--quick", action="store_true", help="a few of each, instead of these numbers")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args()
    if asked.quick:
        vars(asked).update(QUICK)
    return asked


def main() -> None:
    asked, told = _asked(), Console(width=110)
    loads = [int(load) for load in asked.loads.split(",") if load]
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    figures: dict[str, Any] = {}
    try:
        if asked.briefings:
            spoken = uvloop.run(bench_briefing.run(folder, asked.briefings))
            bench_briefing.show(told, spoken)
            figures["briefings"] = [asdict(row) for row in spoken]
        with make_stage(asked.asterisk, max([1, *loads]), folder) as stage:
            _on(stage, folder, asked, loads, told, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1))


def _on(
    stage: Stage,
    folder: Path,
    asked: argparse.Namespace,
    loads: Sequence[int],
    told: Console,
    figures: dict[str, Any],
) -> None:
    """Everything that takes an Asterisk; each is shown as soon as it is there."""
    if asked.scenes:
        bench = Bench(stage, folder)
        uvloop.run(bench.run(asked.scenes, loads))
        show(told, asked.asterisk, bench.rows, bench.first_words)
        figures |= {"rows": [asdict(row) for row in bench.rows], "first_words_ms": bench.first_words}
    if asked.qualifier:
        by_qualifier = uvloop.run(bench_qualifier.run(stage, folder, asked.qualifier))
        bench_qualifier.show(told, by_qualifier)
        figures["qualifier"] = [asdict(row) for row in by_qualifier]
    if asked.agents:
        of_agents = uvloop.run(bench_agents.run(stage, folder, asked.agents))
        bench_agents.show(told, of_agents)
        figures["agents"] = asdict(of_agents)
    if asked.screens:
        screens = uvloop.run(bench_screens.run(stage, folder, asked.screens))
        bench_screens.show(told, screens)
        figures["screens"] = [asdict(row) for row in screens]


if __name__ == "__main__":
    main()
