"""Who is really free, measured: how long a decision takes, a reservation, and the time until a freed agent's
phone rings. `python -m asterisk_warm.lab.bench_agents`; part of `make bench`.

On a real Asterisk one agent is in an ordinary call while a lead waits. The agent hangs up: from that BYE to
the INVITE of the offer, both read from a capture, beside Asterisk's own Queue() with the same phone."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from asterisk_warm.lab.bench_reserving import reservations
from asterisk_warm.lab.bench_routing import AGENTS, LEADS, Row, decisions, row, turns
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.network import PrivateNetworkRefused, enter_private_network
from asterisk_warm.lab.rawphones import HastyPhone, HostileLead
from asterisk_warm.lab.root import find_or_build, installed
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ
from asterisk_warm.lab.traffic import Traffic

PHONE = "a0"
DEVICE = f"PJSIP/{PHONE}"
FREED, READY, QUEUE = "hangs up", "ready by the API", "hangs up, Queue()"
WAYS = (FREED, READY, QUEUE)
PATIENCE = 10.0
PHASE_SECONDS = 1.0
"""The agent is free at any moment of Queue()'s own second between two tries."""
SETTLE_SECONDS, PAUSE_SECONDS = 0.3, 40.0

TEAM = {"name": "Waiting", "agents": [PHONE], "wait_seconds": 60, "missed_offers": 0}
DIALPLAN = f"""
exten => waiting,1,Gosub(warm-handoff,s,1(waiting))
exten => queued,1,Answer()
 same => n,Queue(bench,,,,60)
exten => ordinary,1,Dial({DEVICE},20)
"""
QUEUES = {
    "queues.conf": "[general]\nautofill = yes\n[bench]\nstrategy = ringall\ntimeout = 20\nretry = 1\n"
    f"ringinuse = no\njoinempty = yes\nleavewhenempty = no\nmember => {DEVICE}\n"
}
"""With the shortest `retry` that there is."""


@dataclass(frozen=True)
class Scene:
    """One way, once. Moments are epoch seconds."""

    way: str
    ordinary: str
    """The SIP Call-ID of the call that the agent ended; empty: none."""
    offer: str
    ready_at: float
    """When the API was asked."""


class Agent:
    """The agent whose phone it is, and the leads who wait for them."""

    def __init__(self, stage: Stage, phone: HastyPhone) -> None:
        self._stage, self._phone = stage, phone

    async def play(self, way: str) -> Scene:
        """Raises TimeoutError."""
        scene = await (self._made_ready() if way == READY else self._hung_up(way))
        await asyncio.wait_for(self._phone.ended.wait(), PATIENCE)
        await self._stage.nothing_left(PATIENCE)
        return scene

    async def _hung_up(self, way: str) -> Scene:
        async with self._lead("ordinary", 1) as caller:
            await self._phone.rings(PATIENCE)
            ordinary = self._phone.call_id
            self._phone.answer()
            await caller.answered()
            async with self._lead("queued" if way == QUEUE else "waiting", 0) as lead:
                await self._waits(lead, way)
                await self._phone.hang_up_at(time.time())
                await self._phone.rings(PATIENCE)
        return Scene(way, ordinary, self._phone.call_id, 0.0)

    async def _made_ready(self) -> Scene:
        # With an end: nobody waits for an agent of whom nothing says that they come back.
        await self._ask("pause", {"until": time.time() + PAUSE_SECONDS})
        async with self._lead("waiting", 0) as lead:
            await self._waits(lead, READY)
            ready_at = time.time()
            await self._ask("ready", {})
            await self._phone.rings(PATIENCE)
        return Scene(READY, "", self._phone.call_id, ready_at)

    def _lead(self, extension: str, number: int) -> HostileLead:
        who = f'"Lead" <sip:+155500{number}@bench>'
        return HostileLead(self._stage.pbx.sip, extension, who, tone_hz=LEAD_HZ[number])

    async def _waits(self, lead: HostileLead, way: str) -> None:
        """Until the lead hears music, and a moment more."""
        await lead.answered(PATIENCE)
        if way != QUEUE:
            await asyncio.to_thread(self._stage.daemon.wait_for, _waiting, seconds=PATIENCE)
        await asyncio.sleep(SETTLE_SECONDS + random.uniform(0, PHASE_SECONDS))

    async def _ask(self, what: str, body: Mapping[str, float]) -> None:
        path = f"/v1/agents/{PHONE}/{what}"
        status, answer = await asyncio.to_thread(self._stage.daemon.request, "POST", path, body)
        if status != 200:
            raise RuntimeError(f"POST {path}: {answer}")


def _waiting(handoff: Mapping[str, Any]) -> bool:
    return handoff["state"] == "SEEKING" and bool(handoff["not_free"])


async def offers(stage: Stage, folder: Path, scenes: int) -> list[Row]:
    """All ways in turn, so many times."""
    print(f"  {scenes} times each way: a lead waits, the agent is free again")
    await asyncio.to_thread(stage.pbx.cli, "module load app_queue.so")
    played: list[Scene] = []
    with Capture(folder / "agents.pcap") as capture:
        sip, password = stage.pbx.sip, stage.pbx.sip_password
        async with HastyPhone(sip, password, PHONE, tone_hz=AGENT_HZ[0]) as phone:
            agent = Agent(stage, phone)
            await agent.play(FREED)  # The first briefing is still to be spoken.
            for number in range(scenes):
                played += [await agent.play(way) for way in random.sample(WAYS, len(WAYS))]
                if number % 10 == 9:
                    print(f"  {number + 1} of {scenes}", flush=True)
        traffic = capture.traffic()
    return _offer_rows(traffic, played)


def _offer_rows(traffic: Traffic, played: Sequence[Scene]) -> list[Row]:
    return [row(way, [_rang_after(traffic, one) for one in played if one.way == way]) for way in WAYS]


def _rang_after(traffic: Traffic, scene: Scene) -> float:
    """From when the agent was free to the INVITE at their phone, in milliseconds."""
    return (traffic.dialog(scene.offer).invited_at - _free_at(traffic, scene)) * 1000


def _free_at(traffic: Traffic, scene: Scene) -> float:
    ended = traffic.dialog(scene.ordinary).ended_at if scene.ordinary else scene.ready_at
    assert ended is not None, f"{scene.ordinary} has no end in the capture"
    return ended


@dataclass(frozen=True)
class Figures:
    decisions: list[Row]
    turns: list[Row]
    reservations: list[Row]
    offers: list[Row]


async def run(stage: Stage, folder: Path, scenes: int) -> Figures:
    rounds = 20 * scenes
    print(f"  {AGENTS} agents and {LEADS} leads: {scenes} decisions of each strategy")
    decided = await asyncio.to_thread(decisions, scenes)
    turned = await turns(folder, 2 * scenes)
    print(f"  {rounds} reservations, and as many that race")
    reserved = await reservations(folder, rounds)
    return Figures(decided, turned, reserved, await offers(stage, folder, scenes))


def show(console: Console, figures: Figures) -> None:
    many = f"{AGENTS} agents in one team, {LEADS} leads who wait: ms of CPU"
    _table(console, f"A decision for {many}", figures.decisions, 1)
    _table(console, f"A turn of the engine, {many}", figures.turns, 1)
    whole, planned = (one.median for one in figures.turns)
    console.print(f"the plan is {planned / whole:.0%} of the turn")
    _table(console, "A reservation in SQLite: ms", figures.reservations, 3)
    _table(console, "From free to the INVITE of the offer: ms", figures.offers, 1)
    ours = {one.what: one.median for one in figures.offers}
    console.print(
        f"a freed agent rings in {ours[FREED] / ours[QUEUE]:.3f} times what Asterisk's Queue() takes, "
        "which tries once a second"
    )


def _table(console: Console, title: str, rows: Sequence[Row], digits: int) -> None:
    console.print(f"\n{title}")
    table = Table(pad_edge=False)
    for name in ("what", "n", "median", "p99"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for one in rows:
        table.add_row(one.what, str(one.n), f"{one.median:.{digits}f}", f"{one.p99:.{digits}f}")
    console.print(table)


def _stage(asterisk: str, folder: Path) -> Stage:
    # Before the private network, which has no mirror.
    found = installed() if asterisk == "installed" else None
    root = found or find_or_build("16" if asterisk == "16" else "22", Path(".cache"), print)
    try:
        enter_private_network()
    except PrivateNetworkRefused as refused:
        print(refused)
    settings = {"log": {"level": "warning", "format": "json"}}
    return Stage(
        root,
        folder,
        agents={PHONE: "Agent"},
        teams={"waiting": TEAM},
        dialplan=DIALPLAN,
        settings=settings,
        extra=QUEUES,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_agents", description=__doc__)
    parser.add_argument("--asterisk", default="22", choices=("22", "16", "installed"))
    parser.add_argument("--scenes", type=int, default=30, help="how often each")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with _stage(asked.asterisk, folder) as stage:
            figures = uvloop.run(run(stage, folder, asked.scenes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(Console(width=100), figures)
    if asked.json:
        asked.json.write_text(json.dumps(asdict(figures), indent=1))


if __name__ == "__main__":
    main()
