"""All that a run needs, set up and cleared away: Asterisk, daemon, phones, capture; scene after scene."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from asterisk_warm.core.handoff.commands import JoinAgent
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Handoff
from asterisk_warm.core.handoff.story import Chapter
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.demo import folder, page
from asterisk_warm.lab.demo.folder import Played, envelope_of_call, envelope_of_traffic
from asterisk_warm.lab.demo.lanes import chart
from asterisk_warm.lab.demo.measured import Gap, gap, key_released_at
from asterisk_warm.lab.demo.scenes import (
    CALLER_ID,
    LEAD_NAME,
    LEAD_NUMBER,
    LINES,
    TEAMS,
    Play,
    Scene,
    announced,
    dialplan,
    introductions,
    on_stage,
)
from asterisk_warm.lab.demo.summary import summary, table
from asterisk_warm.lab.demo.terminal import Stagehand
from asterisk_warm.lab.demo.voices import Sounds, render
from asterisk_warm.lab.demo.watch import Watch
from asterisk_warm.lab.network import PrivateNetworkRefused, enter_private_network
from asterisk_warm.lab.phones import Phone
from asterisk_warm.lab.root import NoAsterisk, Root, find_or_build, installed
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.traffic import Traffic

ASTERISKS = ("auto", "22", "16", "installed")

_CHECKOUT = Path(__file__).parents[3]
# At the very first run the daemon renders the briefing while the lead waits.
_SETTINGS = {"speech": {"budget_seconds": 10}}

Say = Callable[[str], None]


def play(console: Console, asterisk: str, scenes: Sequence[Scene], out: Path) -> None:
    """Play the scenes and write `out`. Raises what the lab raises; the logs are then in `out/logs`."""
    began = time.monotonic()
    cache = _cache()
    sounds = cache / "demo-sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    with _working(console, "looking for an Asterisk") as say:
        root = _root(asterisk, cache, say)
        # After building, which needs the mirror; before anything starts a thread, which would stay outside.
        _enter_network(console)
        say("making the people's voices and the prompts")
        spoken = asyncio.run(render(sounds, LINES, introductions(), announced()))
    with (
        _workdir(out / "logs") as workdir,
        # What is drawn last is drawn while all else comes to its end.
        ThreadPoolExecutor(max_workers=1) as drawing,
        ExitStack() as stack,
    ):
        with _working(console, f"starting Asterisk {root.version} and the daemon"):
            stage = stack.enter_context(
                Stage(
                    root,
                    workdir,
                    teams=TEAMS,
                    dialplan=dialplan(sounds),
                    music="music",
                    sounds=sounds,
                    settings=_SETTINGS,
                    extra={"pjsip.conf": CALLER_ID},
                )
            )
            capture = stack.enter_context(Capture(workdir / "demo.pcap")) if shutil.which("tcpdump") else None
        console.print(f"Asterisk {root.version}, ready after {time.monotonic() - began:.1f} s", style="dim")
        evening = _Evening(console, stage, capture, spoken)
        played = asyncio.run(evening.play(scenes))
        saved = [drawing.submit(folder.save, one, out) for one in played]
    chapters = [one.result() for one in saved]
    index = page.write(chapters, root.version, time.strftime("%-d %B %Y, %H:%M"), out)
    console.print(f"\nwritten: {out}/ (begin with {index})", highlight=False, soft_wrap=True)
    console.print(f"all of it took {time.monotonic() - began:.1f} s", style="dim")


def _cache() -> Path:
    if (_CHECKOUT / "setup.cfg").exists():
        return (_CHECKOUT / ".cache").resolve()
    return Path.home() / ".cache" / "asterisk-warm"


def _root(asterisk: str, cache: Path, say: Say) -> Root:
    match asterisk:
        case "22" | "16":
            return find_or_build(asterisk, cache, say)
        case "auto":
            return installed() or find_or_build("22", cache, say)
        case _:
            found = installed()
            if found is None:
                raise NoAsterisk("no Asterisk of 16 or later is installed on this machine")
            return found


def _enter_network(console: Console) -> None:
    try:
        enter_private_network()
    except PrivateNetworkRefused as refused:
        console.print(f"using this machine's own loopback: {refused}", style="yellow", soft_wrap=True)


@contextmanager
def _working(console: Console, what: str) -> Iterator[Say]:
    """Shows what is being prepared: a moving line on a terminal, a line each elsewhere."""
    if console.is_terminal:
        with console.status(what) as status:
            yield lambda line: status.update(line[: console.width - 4])
    else:
        console.print(what, highlight=False)
        yield lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _workdir(logs: Path) -> Iterator[Path]:
    """A short-named folder that goes in any case; when something fails the logs are kept."""
    workdir = Path(tempfile.mkdtemp(prefix="warm-"))
    try:
        yield workdir
    except Exception:
        logs.mkdir(parents=True, exist_ok=True)
        for name, kept in (("daemon/daemon.log", "daemon.log"), ("log/full", "asterisk.log")):
            if (workdir / name).exists():
                shutil.copyfile(workdir / name, logs / kept)
        raise
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


@dataclass
class _Evening:
    console: Console
    stage: Stage
    capture: Capture | None
    sounds: Sounds

    async def play(self, scenes: Sequence[Scene]) -> list[Played]:
        async with self.stage.phones(record=True) as phones:
            lead = phones.lead(LEAD_NAME, LEAD_NUMBER)
            others = {who: await phones.register(who) for who in (QUALIFIER, *self.stage.agents)}
            return [await self._scene(scene, lead, others) for scene in scenes]

    async def _scene(self, scene: Scene, lead: Phone, others: Mapping[str, Phone]) -> Played:
        self.console.rule(f"[bold]{scene.number}. {scene.title}", align="left")
        self.console.print(scene.plot, style="italic")
        with Stagehand(self.console) as stagehand:
            async with (
                Watch(self.stage.daemon, stagehand.look) as watch,
                on_stage(lead, others, self.sounds.lines, watch) as on,
            ):
                await scene.play(on)
                await watch.until(lambda handoff: handoff.settled)
        await self.stage.nothing_left()
        played = await asyncio.to_thread(self._keep, scene, on)
        self.console.print()
        self.console.print(table(played.summary))
        return played

    def _keep(self, scene: Scene, on: Play) -> Played:
        told, calls = on.watch.chapters, {who: call for who, call in on.calls.items() if call.answered_at}
        handoff = told[-1].after
        end = max(call.ended_at or 0.0 for call in on.calls.values())
        traffic = self.capture.traffic() if self.capture else None
        measured = self._gap(traffic, told, calls) if traffic else None
        apart = _keys_apart(traffic, handoff, calls) if traffic else None
        silence = None
        if traffic and handoff.qualifier is not None:
            # Without a qualifier there is music, which may be silent now and then.
            ear = traffic.heard_at(calls[LEAD].call_id)
            silence = ear.longest_silence(handoff.requested_at, calls[LEAD].ended_at or end)
        return Played(
            scene=scene,
            chart=chart(told, end, on.watch.prelude),
            summary=summary(handoff, measured, apart, silence),
            gap=measured,
            heard={
                who: envelope_of_traffic(traffic, call) if traffic else envelope_of_call(call)
                for who, call in calls.items()
            },
            recordings=calls,
            handoff=self.stage.daemon.handoff(handoff.id),
            journal=on.watch.journal,
            story=self.stage.daemon.story(handoff.id),
        )

    def _gap(self, traffic: Traffic, told: Sequence[Chapter], calls: Mapping[str, Call]) -> Gap | None:
        handoff = told[-1].after
        if handoff.winner is None:
            return None
        agent = handoff.winner.agent.id
        orders = [order for chapter in told for order in chapter.commands if isinstance(order, JoinAgent)]
        spoken = bool(orders and orders[-1].introduction)
        return gap(
            traffic,
            calls[LEAD].call_id,
            calls[agent].call_id,
            handoff.policy.keys.accept,
            self.sounds.introductions.get(agent, 0.0) if spoken else 0.0,
            [calls[QUALIFIER].call_id] if QUALIFIER in calls else [],
        )


def _keys_apart(traffic: Traffic, handoff: Handoff, calls: Mapping[str, Call]) -> float | None:
    """Milliseconds between the accept keys, when more than one agent pressed it."""
    accept = handoff.policy.keys.accept
    pressed = [
        key_released_at(traffic, call.call_id, accept)
        for who, call in calls.items()
        if who not in (LEAD, QUALIFIER)
    ]
    moments = sorted(moment for moment in pressed if moment is not None)
    return (moments[-1] - moments[0]) * 1000 if len(moments) > 1 else None
