"""What the scenes about agents have in common: the whole daemon with agents of every kind, their presence as the API
tells it and when it did, and what must be so of everybody at the end."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scene import DIALPLAN, TONE_TEAMS, api, command, record_prompts, until

from asterisk_warm.lab.daemon import Daemon
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

Json = dict[str, Any]

AGENTS = {
    "ana": "Ana Lopez",
    "ben": "Ben Okafor",
    "cleo": "Cleo Martin",
    "dora": "Dora Weiss",
    "eve": "Eve Stone",
}
AT_ONCE = 2.0
"""Seconds that a single change may take on a machine that may be very busy."""
MEDIAN = 0.2
"""Seconds that the median of several may."""
QUIET = {key: value for key, value in TONE_TEAMS["tones"].items() if key not in ("name", "agents")}
PATIENCE = 8.0

CALLS = """
exten => _call.,1,Dial(PJSIP/${EXTEN:4},20)
 same => n,Hangup(${HANGUPCAUSE})
exten => _pri[0-9].,1,Gosub(warm-handoff,s,1(${EXTEN:4},priority=${EXTEN:3:1}))
 same => n,Goto(lab-returned,s,1)
exten => _two[a-z].,1,Set(WARM_APP=warm_two)
 same => n,Gosub(warm-handoff,s,1(${EXTEN:3}))
 same => n,Goto(lab-returned,s,1)
exten => lunch,1,Answer()
 same => n,PauseQueueMember(,PJSIP/${CHANNEL(endpoint)},,lunch)
 same => n,Hangup()
exten => 205,hint,Custom:chair
"""
"""`callben`: an ordinary call. `pri5sales`: a lead of that priority. `twosales`: a lead of the second daemon."""


def team(*agents: str, **settings: object) -> Json:
    return {"name": "Team", "agents": list(agents), **QUIET, **settings}


@contextmanager
def playing(
    root: Root,
    sounds: Path,
    teams: Mapping[str, Json],
    *,
    agents: Mapping[str, Json] | None = None,
    settings: Mapping[str, Any] | None = None,
    dialplan: str = "",
    contexts: str = "",
    prompts: Callable[[Path], Path] = record_prompts,
) -> Iterator[Stage]:
    """Asterisk and a daemon that says tones. `agents`: what is said of some of them beside name and phone.
    `dialplan`: extensions for everybody; `contexts`: of their own."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    entries = {
        id: {"name": name, "endpoint": f"PJSIP/{id}", **(agents or {}).get(id, {})}
        for id, name in AGENTS.items()
    }
    with Stage(
        root,
        folder,
        teams={id: {**given, "name": id.title()} for id, given in teams.items()},
        agents=AGENTS,
        dialplan=CALLS + dialplan + DIALPLAN + contexts,
        sounds=sounds,
        settings={
            "sounds": {"directory": str(sounds), "prompts": str(prompts(folder / "prompts"))},
            "agents": entries,
            **(settings or {}),
        },
        extra={"queues.conf": "[general]\n[support]\nmember => PJSIP/ana\n"},
    ) as stage:
        yield stage
        complaints = stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@asynccontextmanager
async def on_stage(stage: Stage, *, record: bool = False) -> AsyncIterator[Phones]:
    """Phones for one scene; everybody is ready at its beginning, and nothing is left at its end."""
    for agent in AGENTS:
        await told(stage, agent, "wrapup", {"seconds": 0})
        await told(stage, agent, "ready")
    async with stage.phones(record=record) as phones:
        yield phones
    await stage.nothing_left()
    await nobody_reserved(stage)


async def nobody_reserved(stage: Stage, daemon: Daemon | None = None) -> None:
    """Wait until no agent is kept for any handoff."""
    kept: list[str] = []

    def none_left() -> bool:
        agents = (daemon or stage.daemon).request("GET", "/v1/agents")[1]["agents"]
        kept[:] = [f"{a['id']}: {a['offered']} {a['talks']}" for a in agents if a["offered"] or a["talks"]]
        return not kept

    try:
        await until(none_left, PATIENCE, "every lease released")
    except AssertionError:
        raise AssertionError(f"still reserved: {kept}") from None


# -- one agent -----------------------------------------------------------------------------------------------


async def told(stage: Stage, agent: str, what: str, body: object = None) -> Json:
    """Declare something for an agent through the API; what they have become by it."""
    status, answer = await api(stage, "POST", f"/v1/agents/{agent}/{what}", body)
    assert status == 200, answer
    return dict(answer)


async def shown(stage: Stage, agent: str) -> Json:
    status, answer = await api(stage, "GET", f"/v1/agents/{agent}")
    assert status == 200, answer
    return dict(answer)


async def agent_cli(stage: Stage, *words: str) -> str:
    """What `asterisk-warm agent …` says; it must succeed."""
    code, out, err = await command(stage, "agent", *words)
    assert code == 0, err
    return out


async def history(stage: Stage, agent: str, lines: int) -> list[tuple[str, str, str, str]]:
    """The newest lines of an agent's history, by the command: what, why, who, from where."""
    answer = json.loads(await agent_cli(stage, "history", agent, "--limit", str(lines), "--json"))
    return [(line["what"], line["reason"], line["by"], line["source"]) for line in answer["history"]]


class Seen:
    """Everybody as the API tells it, and when it did: some 10 ms later than it could."""

    def __init__(self, stage: Stage) -> None:
        self._daemon = stage.daemon
        self._told: list[tuple[float, dict[str, Json]]] = []
        self._more = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        async with asyncio.timeout(PATIENCE):
            while not self._told:
                await self._next()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def becomes(self, agent: str, *why: str, seconds: float = PATIENCE) -> float:
        """Wait until these are the codes of all reasons why they are not free (none: they are free); when
        that was told."""

        def now() -> bool:
            return codes(self._told[-1][1][agent]) == why

        try:
            async with asyncio.timeout(seconds):
                while not now():
                    await self._next()
        except TimeoutError:
            last = self._told[-1][1][agent]
            raise AssertionError(f"{agent} did not become {why or 'free'}: {last}") from None
        since = self._told[-1][0]
        for at, agents in reversed(self._told):
            if codes(agents[agent]) != why:
                break
            since = at
        return since

    def now(self, agent: str) -> Json:
        return self._told[-1][1][agent]

    async def _next(self) -> None:
        if self._task.done():
            self._task.result()
        self._more.clear()
        await self._more.wait()

    async def _follow(self) -> None:
        # Asked again and again: what waits for changes (`?after=`) is shown at most two of them a second.
        while True:
            _, answer = await asyncio.to_thread(self._daemon.request, "GET", "/v1/agents")
            agents = {agent["id"]: agent for agent in answer["agents"]}
            if not self._told or agents != self._told[-1][1]:
                self._told.append((time.time(), agents))
                self._more.set()
            await asyncio.sleep(0.01)


def codes(agent: Json) -> tuple[str, ...]:
    return tuple(reason["code"] for reason in agent["why"])


async def registered(phones: Phones, *agents: str) -> list[Phone]:
    return list(await asyncio.gather(*(phones.register(agent, tone_hz=700) for agent in agents)))
