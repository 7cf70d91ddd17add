"""The screen before the ring, measured: what it costs that an agent sees the lead first.
`python -m asterisk_warm.lab.bench_screens`; part of `make bench`.

Leads for twenty agents whose phones refuse: nobody is told, or each agent's screen, or a webhook beside it.
INVITEs are read from a capture, pops are noted as they come in, all by the clock of one machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web
from rich.console import Console
from rich.table import Table

from asterisk_warm.lab.bench_figures import middle, p99
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.daemon import Daemon
from asterisk_warm.lab.network import PrivateNetworkRefused, enter_private_network
from asterisk_warm.lab.rawphones import HostileLead, RefusingPhone
from asterisk_warm.lab.root import find_or_build, installed
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import LEAD_HZ
from asterisk_warm.lab.traffic import Traffic

NOBODY, SCREENS, HOOKED = "nobody is told", "screens", "screens and a webhook"
WAYS = (NOBODY, SCREENS, HOOKED)
AGENTS = tuple(f"a{number}" for number in range(20))
BLOCK = 5
"""Leads in a row, before it is another way's turn."""
API_PORT, HOOK_PORT = 28083, 28084
PATIENCE = 20.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LINES = {"briefing": "A lead for {team}.", "taken": "Another agent took this call."}
TEAM = {
    "name": "Crowd",
    "agents": list(AGENTS),
    "templates": LINES,
    "introduction": False,
    "comfort_seconds": 0,
}
DIALPLAN = "\nexten => crowd,1,Gosub(warm-handoff,s,1(crowd))\n same => n,Hangup()\n"

Offer = tuple[str, str]
"""(handoff, agent)."""


@dataclass
class Pops:
    """When the last of those who are told of an offer had it, in epoch seconds."""

    at: dict[Offer, float] = field(default_factory=dict)

    def take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "offer.made":
            data = message["data"]
            self.at[data["handoff"], data["agent"]["id"]] = time.time()


@dataclass(frozen=True)
class Row:
    """Milliseconds."""

    way: str
    n: int
    ring: float
    """From the lead's INVITE to the agent's."""
    ring_p99: float
    ahead: float | None
    """From the pop to the agent's INVITE; None where nobody is told."""
    ahead_p99: float | None
    ahead_least: float | None


# -- who is told ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def _screen(
    session: aiohttp.ClientSession, daemon: Daemon, agent: str, pops: Pops
) -> AsyncIterator[None]:
    """One agent's, opened as a browser does."""
    asked = {"agent": agent, "note": "bench"}
    status, answer = await asyncio.to_thread(daemon.request, "POST", "/v1/tokens", asked)
    if status != 201:
        raise RuntimeError(f"no token for {agent}: {answer}")
    protocols = ("warm.v1", f"warm.bearer.{answer['secret']}")
    async with session.ws_connect(f"http://127.0.0.1:{API_PORT}/v1/screen", protocols=protocols) as socket:
        await socket.receive(PATIENCE)  # hello

        async def read() -> None:
            async for message in socket:
                pops.take(json.loads(message.data))

        reading = asyncio.create_task(read())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])


@asynccontextmanager
async def _hook(pops: Pops) -> AsyncIterator[None]:
    """Another system's server."""

    async def take(request: web.Request) -> web.Response:
        pops.take(json.loads(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", HOOK_PORT).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _told(daemon: Daemon, way: str, pops: Pops) -> AsyncIterator[None]:
    async with AsyncExitStack() as there:
        if way == HOOKED:
            await there.enter_async_context(_hook(pops))
        if way != NOBODY:
            session = await there.enter_async_context(aiohttp.ClientSession())
            for agent in AGENTS:
                await there.enter_async_context(_screen(session, daemon, agent, pops))
        yield


# -- the scenes ----------------------------------------------------------------------------------------------


class Crowd:
    """All agents, and the leads who call them, one at a time."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        self.ring: dict[str, list[float]] = {way: [] for way in WAYS}
        self.ahead: dict[str, list[float]] = {way: [] for way in WAYS}

    def daemon(self, way: str) -> Daemon:
        """In place of the stage's own."""
        stage, name = self._stage, f"screens-{WAYS.index(way)}"
        socket = stage.pbx.workdir / name / "api.sock"
        webhooks = {"bench": {"url": f"http://127.0.0.1:{HOOK_PORT}/hook", "secrets": [SECRET]}}
        settings = {
            "api": {"socket": str(socket), "address": "127.0.0.1", "port": API_PORT},
            "log": {"level": "warning", "format": "json"},
            "webhooks": webhooks if way == HOOKED else {},
        }
        return Daemon(
            stage.pbx,
            agents={agent: agent for agent in AGENTS},
            teams={"crowd": TEAM},
            sounds=stage.daemon.folder / "sounds",
            settings=settings,
            name=name,
        )

    async def block(self, daemon: Daemon, way: str, number: int) -> None:
        """So many leads, that way, and one before them whom nobody counts: what a daemon does for the first
        time takes longer."""
        pops, leads = Pops(), []
        await asyncio.to_thread(daemon.start)
        try:
            with Capture(self._folder / f"screens-{number}.pcap") as capture:
                async with _told(daemon, way, pops):
                    for _ in range(1 + BLOCK):
                        leads.append(await self._lead(daemon))
                traffic = capture.traffic()
        finally:
            await asyncio.to_thread(daemon.stop)
        self._measure(traffic, way, leads, pops)

    async def _lead(self, daemon: Daemon) -> str:
        """The SIP Call-ID of one whom everybody has refused."""
        before = len(await asyncio.to_thread(daemon.handoffs))
        who = '"Lead" <sip:+15550000@bench>'
        async with HostileLead(self._stage.pbx.sip, "crowd", who, tone_hz=LEAD_HZ[0]) as lead:
            await asyncio.wait_for(lead.ended.wait(), PATIENCE)
        await asyncio.to_thread(_settled, daemon, before)
        return lead.call_id

    def _measure(self, traffic: Traffic, way: str, leads: Sequence[str], pops: Pops) -> None:
        for agent in AGENTS:
            rung = traffic.dialogs_to(agent)
            if len(rung) != len(leads):
                raise RuntimeError(f"{way}: {agent} was rung {len(rung)} times for {len(leads)} leads")
            for lead, offer in list(zip(leads, rung, strict=True))[1:]:
                self.ring[way].append((offer.invited_at - traffic.dialog(lead).invited_at) * 1000)
                if way != NOBODY:
                    popped = pops.at[offer.invite.header("X-Warm-Handoff"), agent]
                    self.ahead[way].append((offer.invited_at - popped) * 1000)


def _settled(daemon: Daemon, before: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        there = daemon.handoffs()
        if len(there) > before and there[0]["settled"]:
            return
        time.sleep(0.02)
    raise TimeoutError("a handoff did not come to its end")


async def run(stage: Stage, folder: Path, leads: int) -> list[Row]:
    """All ways in turn, so many leads each, twenty offers a lead. The stage's own daemon rests meanwhile."""
    blocks = max(1, round(leads / BLOCK))
    print(f"  {blocks * BLOCK} leads for {len(AGENTS)} agents each way: the screen before the ring")
    crowd = Crowd(stage, folder)
    await asyncio.to_thread(stage.daemon.stop)
    try:
        daemons = {way: crowd.daemon(way) for way in WAYS}
        async with AsyncExitStack() as registered:
            for agent in AGENTS:
                phone = RefusingPhone(stage.pbx.sip, stage.pbx.sip_password, agent, 486, "Busy Here")
                await registered.enter_async_context(phone)
            for block in range(blocks):
                for way in random.sample(WAYS, len(WAYS)):
                    await crowd.block(daemons[way], way, block)
    finally:
        await asyncio.to_thread(stage.daemon.start)
    return [_row(way, crowd.ring[way], crowd.ahead[way]) for way in WAYS]


def _row(way: str, ring: Sequence[float], ahead: Sequence[float]) -> Row:
    told = (middle(ahead), p99(ahead), min(ahead)) if ahead else (None, None, None)
    return Row(way, len(ring), middle(ring), p99(ring), *told)


def show(console: Console, rows: Sequence[Row]) -> None:
    table = Table(title=f"The screen before the ring, {len(AGENTS)} agents at once: ms", pad_edge=False)
    for name in ("who is told", "offers", "lead → INVITE", "p99", "pop → INVITE", "p99", "least"):
        table.add_column(name, justify="left" if name == "who is told" else "right")
    for row in rows:
        ahead = (row.ahead, row.ahead_p99, row.ahead_least)
        told = [f"{value:.1f}" if value is not None else "" for value in ahead]
        table.add_row(row.way, str(row.n), f"{row.ring:.1f}", f"{row.ring_p99:.1f}", *told)
    console.print(table)
    nobody = rows[0]
    for row in rows[1:]:
        console.print(
            f"{row.way}: phones ring after {row.ring / nobody.ring:.2f} times what it takes "
            f"where nobody is told (p99 {row.ring_p99 / nobody.ring_p99:.2f})"
        )


def _stage(asterisk: str, folder: Path) -> Stage:
    # Before the private network, which has no mirror.
    found = installed() if asterisk == "installed" else None
    root = found or find_or_build("16" if asterisk == "16" else "22", Path(".cache"), print)
    with suppress(PrivateNetworkRefused):
        enter_private_network()
    agents = {agent: agent for agent in AGENTS}
    return Stage(root, folder, agents=agents, teams={"crowd": TEAM}, dialplan=DIALPLAN)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_screens", description=__doc__)
    parser.add_argument("--asterisk", default="22", choices=("22", "16", "installed"))
    parser.add_argument("--leads", type=int, default=25, help="how many each way, twenty offers each")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with _stage(asked.asterisk, folder) as stage:
            rows = uvloop.run(run(stage, folder, asked.leads))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(Console(width=110), rows)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
