"""The handoff gap, measured from RTP, beside the same scene done by Asterisk alone: `make bench`.

One run, both ways interleaved: a lead waits with music, three agents ring, one answers and presses 1. T0 is
the first RFC 4733 END packet of that digit; the gap to the lead is the first frame with the agent's tone at
the lead, and back."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.network import PrivateNetworkRefused, enter_private_network
from asterisk_warm.lab.rawphones import ExactPhone, HostileLead
from asterisk_warm.lab.root import find_or_build, installed
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ
from asterisk_warm.lab.traffic import Traffic

PER_TEAM = 3
ACCEPTS_PER_SECOND = 20.0
NATIVE, WARM = "Asterisk alone", "asterisk_warm"
TALK_SECONDS = 0.4
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ids:
    """A scene in the capture: the SIP Call-IDs of the lead's and the winning agent's call."""

    lead: str
    agent: str


@dataclass(frozen=True)
class Figures:
    """Milliseconds, but for the last four: share of a core, and KiB."""

    way: str
    concurrent: int
    scenes: int
    to_lead: float
    to_lead_p99: float
    to_agent: float
    to_agent_p99: float
    first_invite: float
    asterisk_cpu: float
    daemon_cpu: float
    daemon_rss_kib: float
    kib_per_handoff: float | None


class Crew:
    """One lead's number and the three phones of one team."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage, self.number = stage, number
        first = number * PER_TEAM
        pbx = stage.pbx
        self.phones = [
            ExactPhone(pbx.sip, pbx.sip_password, f"a{first + n}", tone_hz=AGENT_HZ[number % len(AGENT_HZ)])
            for n in range(PER_TEAM)
        ]

    async def play(self, way: str, accept_at: asyncio.Future[None] | None = None) -> Ids:
        """One scene. With `accept_at` the agent waits for it before pressing."""
        extension = f"{'native' if way == NATIVE else 'team'}{self.number}"
        tone = LEAD_HZ[self.number % len(LEAD_HZ)]
        who = f'"Lead {self.number}" <sip:+1555{self.number:04d}@bench>'
        async with HostileLead(self.stage.pbx.sip, extension, who, tone_hz=tone) as lead:
            await asyncio.gather(*(phone.rings(20) for phone in self.phones))
            winner = self.phones[0]
            winner.answer()
            await lead.answered(20)
            if accept_at is not None:
                await accept_at
            # At any phase of Asterisk's own 20 ms: the digit must not keep step with the music.
            await winner.press_at("1", time.time() + 0.3 + random.uniform(0, 0.02))
            await asyncio.gather(*(phone.ended.wait() for phone in self.phones[1:]))
            await asyncio.sleep(TALK_SECONDS)
            ids = Ids(lead.call_id, winner.call_id)
        await asyncio.wait_for(winner.ended.wait(), 10)
        return ids


def dialplan(crews: int) -> str:
    """The same scene by Asterisk's own means: Dial() with a confirming Gosub."""
    lines = []
    for crew in range(crews):
        phones = "&".join(f"PJSIP/a{crew * PER_TEAM + n}" for n in range(PER_TEAM))
        lines.append(f"exten => native{crew},1,Answer()")
        lines.append(f" same => n,Dial({phones},30,mU(bench-confirm))")
        lines.append(f"exten => team{crew},1,Gosub(warm-handoff,s,1(team{crew}))")
        lines.append(" same => n,Hangup()")
    lines += ["[bench-confirm]", "exten => s,1,Read(KEY,demo-congrats,1,,1,30)"]
    lines += [' same => n,GotoIf($["${KEY}"="1"]?yes)', " same => n,Set(GOSUB_RESULT=CONTINUE)"]
    lines += [" same => n(yes),Return()", ""]
    return "\n".join(lines)


def make_stage(root_version: str, crews: int, folder: Path) -> Stage:
    # Before the private network, which has no mirror.
    found = installed() if root_version == "installed" else None
    root = found or find_or_build("16" if root_version == "16" else "22", Path(".cache"), print)
    try:
        enter_private_network()
    except PrivateNetworkRefused as refused:
        print(refused)
    agents = {f"a{n}": f"Agent {n}" for n in range(crews * PER_TEAM)}
    teams = {
        f"team{c}": {"name": f"Team {c}", "agents": [f"a{c * PER_TEAM + n}" for n in range(PER_TEAM)]}
        for c in range(crews)
    }
    # The lines are alike for all, so that rendering speech is no part of what is measured.
    handoff = {
        "introduction": False,
        "comfort_seconds": 0,
        "templates": {"briefing": "A lead for {team}.", "taken": "Another agent took this call."},
    }
    settings = {"handoff": handoff, "log": {"level": "warning", "format": "json"}}
    return Stage(root, folder, agents=agents, teams=teams, dialplan=dialplan(crews), settings=settings)


async def alone(crew: Crew, scenes: int, capture: Capture) -> dict[str, list[Ids]]:
    """Scenes one at a time, both ways in turn."""
    ids: dict[str, list[Ids]] = {NATIVE: [], WARM: []}
    for number in range(scenes):
        for way in (NATIVE, WARM) if number % 2 else (WARM, NATIVE):
            ids[way].append(await crew.play(way))
        print(f"\r  alone: {number + 1}/{scenes}", end="", flush=True)
    print()
    return ids


async def together(crews: Sequence[Crew], way: str) -> list[Ids]:
    """All crews' leads held at once, then 20 accepts a second."""
    loop = asyncio.get_running_loop()
    gates = [loop.create_future() for _ in crews]
    scenes = []
    for crew, gate in zip(crews, gates, strict=True):
        scenes.append(asyncio.create_task(crew.play(way, gate)))
        await asyncio.sleep(1 / ACCEPTS_PER_SECOND)
    await asyncio.sleep(1.5)
    for gate in gates:
        gate.set_result(None)
        await asyncio.sleep(1 / ACCEPTS_PER_SECOND)
    return list(await asyncio.gather(*scenes))


def gaps(traffic: Traffic, ids: Sequence[Ids]) -> tuple[list[float], list[float], list[float]]:
    """(to the lead, to the agent, request → first INVITE), in milliseconds."""
    to_lead: list[float] = []
    to_agent: list[float] = []
    invites: list[float] = []
    for scene in ids:
        lead, agent = traffic.dialog(scene.lead), traffic.dialog(scene.agent)
        accepted = traffic.keys_of(scene.agent)[-1].released_at
        at_lead, at_agent = traffic.heard_at(scene.lead), traffic.heard_at(scene.agent)
        agent_hz = max(AGENT_HZ, key=lambda hz: int(traffic.said_at(scene.agent).has(hz).sum()))
        lead_hz = max(LEAD_HZ, key=lambda hz: int(traffic.said_at(scene.lead).has(hz).sum()))
        for ear, hz, into in ((at_lead, agent_hz, to_lead), (at_agent, lead_hz, to_agent)):
            first = ear.first_frame_with(hz, after=accepted - 0.05)
            into.append(float("nan") if first is None else (first - accepted) * 1000)
        invites.append((agent.invited_at - lead.invited_at) * 1000)
    return to_lead, to_agent, invites


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_kib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


class Meter:
    """CPU of Asterisk and the daemon over a stretch, and the daemon's memory at its end."""

    def __init__(self, stage: Stage) -> None:
        self._pids = (stage.pbx.pid, daemon_pid(stage))
        self._began = time.monotonic()
        self._cpu = [cpu_seconds(pid) for pid in self._pids]
        self.rss = rss_kib(self._pids[1])

    def read(self) -> tuple[float, float, float]:
        """(Asterisk's share of a core, the daemon's, the daemon's RSS in KiB)."""
        passed = time.monotonic() - self._began
        used = [
            (cpu_seconds(pid) - before) / passed for pid, before in zip(self._pids, self._cpu, strict=True)
        ]
        return used[0], used[1], rss_kib(self._pids[1])


def daemon_pid(stage: Stage) -> int:
    """`setpriv` becomes the daemon itself: it execs."""
    return stage.daemon.pid


def p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]


def figures(
    way: str,
    concurrent: int,
    measured: tuple[list[float], list[float], list[float]],
    meter: tuple[float, float, float],
    grown: float | None,
) -> Figures:
    to_lead, to_agent, invites = measured
    return Figures(
        way,
        concurrent,
        len(to_lead),
        median(to_lead),
        p99(to_lead),
        median(to_agent),
        p99(to_agent),
        median(invites),
        meter[0],
        meter[1],
        meter[2],
        None if grown is None else grown / concurrent,
    )


async def run(stage: Stage, scenes: int, loads: Sequence[int], folder: Path) -> list[Figures]:
    out: list[Figures] = []
    crews = [Crew(stage, number) for number in range(max(loads, default=1))]
    async with AsyncExitStack() as registered:
        for crew in crews:
            for phone in crew.phones:
                await registered.enter_async_context(phone)
        with Capture(folder / "alone.pcap") as capture:
            meter = Meter(stage)
            ids = await alone(crews[0], scenes, capture)
            read = meter.read()
            traffic = capture.traffic()
        out += [figures(way, 1, gaps(traffic, ids[way]), read, None) for way in (NATIVE, WARM)]
        for load in loads:
            for way in (NATIVE, WARM):
                print(f"  {load} at once: {way}")
                with Capture(folder / f"load-{load}-{way.split()[0]}.pcap") as capture:
                    meter = Meter(stage)
                    before = meter.rss
                    together_ids = await together(crews[:load], way)
                    read = meter.read()
                    traffic = capture.traffic()
                grown = max(0.0, read[2] - before) if way == WARM else None
                out.append(figures(way, load, gaps(traffic, together_ids), read, grown))
    return out


def show(console: Console, version: str, rows: Sequence[Figures]) -> None:
    table = Table(title=f"From accept digit to sound, RTP, milliseconds (Asterisk {version})")
    for name in (
        "at once",
        "way",
        "→ lead",
        "p99",
        "→ agent",
        "p99",
        "1st INVITE",
        "CPU ast.",
        "CPU daemon",
        "RSS MiB",
        "KiB each",
    ):
        table.add_column(name, justify="left" if name == "way" else "right")
    for row in rows:
        ours = row.way == WARM
        table.add_row(
            str(row.concurrent),
            row.way,
            f"{row.to_lead:.1f}",
            f"{row.to_lead_p99:.1f}",
            f"{row.to_agent:.1f}",
            f"{row.to_agent_p99:.1f}",
            f"{row.first_invite:.0f}",
            f"{row.asterisk_cpu:.0%}",
            f"{row.daemon_cpu:.0%}",
            f"{row.daemon_rss_kib / 1024:.0f}" if ours else "",
            "" if row.kib_per_handoff is None else f"{row.kib_per_handoff:.0f}",
        )
    console.print(table)
    for load in sorted({row.concurrent for row in rows}):
        native, warm = (
            next(r for r in rows if r.concurrent == load and r.way == way) for way in (NATIVE, WARM)
        )
        console.print(
            f"  {load} at once: gap {warm.to_lead / native.to_lead:.2f} × Asterisk's own, "
            f"daemon {warm.daemon_cpu / warm.asterisk_cpu:.0%} of Asterisk's CPU"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--asterisk", default="22", choices=("22", "16", "installed"))
    parser.add_argument("--scenes", type=int, default=100, help="scenes alone, each way")
    parser.add_argument("--loads", default="30,100", help="how many handoffs at once, by comma")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args()
    loads = [int(load) for load in asked.loads.split(",") if load]
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with make_stage(asked.asterisk, max([1, *loads]), folder) as stage:
            rows = asyncio.run(run(stage, asked.scenes, loads, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(Console(width=130), asked.asterisk, rows)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
