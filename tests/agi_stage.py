"""What the tests of AGI stand on: agents in memory, with the presence of `core`, and peers who speak AGI by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from asterisk_warm.core.presence import By, Declared, Presence, Seen, at, declare, why_not, wrap_up
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.ports import StoredAgent
from asterisk_warm.engine.agents.views import Available, LeadHistory, PresenceView, presence_view
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports import SpeechUnavailable

NOW = 1_800_000_000.0
SECONDS = 10.0
"""How long a test waits for what must come."""


@dataclass
class MemoryAgents:
    """Ana, Ben and Cleo of team `sales`."""

    names: dict[str, str] = field(
        default_factory=lambda: {"ana": "Ana Lopez", "ben": "Ben Okafor", "cleo": "Cleo Martin"}
    )
    presences: dict[str, Presence] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    leads: dict[str, LeadHistory] = field(default_factory=dict)
    now: float = NOW
    gate: asyncio.Event | None = None
    """While it is there and not set, `available` does not answer."""
    asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released once for each who waits there."""

    def by_endpoint(self, endpoint: str) -> str:
        agent = endpoint.removeprefix("PJSIP/")
        if endpoint == agent or agent not in self.names:
            raise Refused(
                "not_found", f"no agent has the endpoint {endpoint}", "see asterisk-warm agent list"
            )
        return agent

    def show(self, agent: str) -> PresenceView:
        presence = at(self._presence(agent), self.now)
        seen = self.seen.get(agent, Seen("NOT_INUSE"))
        stored = StoredAgent(AgentRecord(agent, self.names[agent], f"PJSIP/{agent}"), presence)
        return presence_view(stored, presence, seen, why_not(presence, seen, self.now), self.now)

    async def declare(
        self, agent: str, declared: Declared, by: By, reason: str = "", until: float | None = None
    ) -> PresenceView:
        self.presences[agent] = declare(self._presence(agent), declared, self.now, by, reason, until)
        return self.show(agent)

    async def toggle(self, agent: str, by: By) -> PresenceView:
        ready = self._presence(agent).declared is Declared.READY
        return await self.declare(agent, Declared.PAUSED if ready else Declared.READY, by)

    async def wrap_up(self, agent: str, seconds: float, by: By) -> PresenceView:
        presence = wrap_up(self._presence(agent), self.now + seconds, self.now)
        self.presences[agent] = presence.evolve(by=by)
        return self.show(agent)

    async def available(self, team: str) -> Available:
        if self.gate is not None:
            self.asking.release()
            await self.gate.wait()
        if team != "sales":
            raise Refused("not_found", f"there is no team {team!r}", "see asterisk-warm team list")
        free = [agent for agent in self.names if self.show(agent).free]
        return Available(team, tuple(free), tuple(self.names[agent] for agent in free), 2, 41.6)

    async def asked(self, count: int) -> None:
        """Wait until so many wait at the gate."""
        async with asyncio.timeout(SECONDS):
            for _ in range(count):
                await self.asking.acquire()

    async def lead(self, number: str) -> LeadHistory:
        return self.leads.get(number, LeadHistory(number, 0, "", "", "", "", None))

    def _presence(self, agent: str) -> Presence:
        if agent not in self.names:
            raise Refused("not_found", f"there is no agent {agent!r}", "see asterisk-warm agent list")
        return self.presences.get(agent) or Presence(agent)


@dataclass
class MemorySpeaker:
    """Every prompt is there; `said` is what was to be rendered."""

    works: bool = True
    said: list[str] = field(default_factory=list)

    async def prepare(self, lines: Sequence[str]) -> Sequence[str]:
        if not self.works:
            raise SpeechUnavailable("no engine works")
        self.said += lines
        return tuple(f"sound:/cache/{len(self.said)}" for _ in lines)

    def spoken(self, text: str) -> str | None:
        return None

    def prompt(self, name: str) -> str:
        return f"sound:/prompts/{name}"


# -- peers ---------------------------------------------------------------------------------------------------

_SET = re.compile(r'SET VARIABLE (\w+) "(.*)"')


def environment(
    script: str, *arguments: str, channel: str = "PJSIP/ana-0000001f", context: str = "", caller: str = ""
) -> bytes:
    """As Asterisk 22 writes it."""
    lines = [
        *("agi_network: yes", f"agi_network_script: {script}", f"agi_request: agi://127.0.0.1/{script}"),
        *(f"agi_channel: {channel}", "agi_language: en", "agi_type: PJSIP", "agi_uniqueid: 1795836561.1"),
        *(f"agi_callerid: {caller or 'unknown'}", "agi_calleridname: unknown", f"agi_context: {context}"),
        *("agi_extension: s", "agi_priority: 6", "agi_accountcode: ", "agi_threadid: 140628354868928"),
        *(f"agi_arg_{n}: {argument}" for n, argument in enumerate(arguments, 1)),
    ]
    return "".join(f"{line}\n" for line in (*lines, "")).encode()


class Peer:
    """One connection, spoken by hand. `variables` is what it was told, `lines` everything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.lines: list[str] = []
        self.variables: dict[str, str] = {}

    @classmethod
    async def connect(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def line(self) -> str:
        """The next line; empty at the end."""
        line = await asyncio.wait_for(self.reader.readline(), SECONDS)
        return line.decode().removesuffix("\n")

    async def obey(self, **values: str) -> str:
        """Do as Asterisk does until the other side ends; returns WARM_RESULT. `values`: variables of the channel,
        URI-encoded."""
        while line := await self.line():
            self.lines.append(line)
            if line == "failure":
                break
            match = _SET.fullmatch(line)
            if match is not None:
                self.variables[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
            wanted = re.search(r"URIENCODE\(\$\{(\w+)\}", line)
            value = f" ({values.get(wanted[1], '')})" if wanted is not None else ""
            self.send(f"200 result=1{value}\n".encode())
        self.close()
        return self.variables.get("WARM_RESULT", "")

    @property
    def failed(self) -> bool:
        """As AGISTATUS would say."""
        return bool(self.lines) and self.lines[-1] == "failure"

    async def closed(self) -> bytes:
        """Wait until the other side has closed; returns what it sent until then."""
        try:
            return await asyncio.wait_for(self.reader.read(), SECONDS)
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.writer.close()
