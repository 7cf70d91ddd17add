"""What the tests of AGI stand on: agents and leads in memory, real qualifications over stores in memory, and peers who
speak AGI by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Self

from asterisk_warm.agi.ports import Services
from asterisk_warm.agi.session import Reply
from asterisk_warm.core.leads import Disposition, LeadRecord
from asterisk_warm.core.presence import By, Declared, Presence, Seen, at, declare, why_not, wrap_up
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.core.script.model import Script
from asterisk_warm.engine.agents.ports import StoredAgent
from asterisk_warm.engine.agents.views import Available, LeadHistory, PresenceView, presence_view
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.leads.views import LeadRecordView, OutcomeView
from asterisk_warm.engine.ports.pbx import PbxUnreachable
from asterisk_warm.engine.ports.speech import SpeechUnavailable
from asterisk_warm.engine.qualifying.ports import ScriptVersion
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.service import QualificationService

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
class MemoryLeads:
    """`records` by number; `talks` is the latest handoff of each agent who has talked to a lead."""

    records: dict[str, LeadRecordView] = field(default_factory=dict)
    talks: dict[str, str] = field(default_factory=dict)
    outcomes: list[OutcomeView] = field(default_factory=list)
    dispositions: Mapping[str, Disposition] = field(
        default_factory=lambda: {
            "sold": Disposition("sold", "Sold", "1"),
            "callback": Disposition("callback", "Call back", "2"),
        }
    )

    async def show(self, number: str) -> LeadRecordView:
        if number not in self.records:
            raise Refused("not_found", f"no lead {number}", "see asterisk-warm lead list")
        return self.records[number]

    async def outcome_of_agent(self, agent: str, disposition: str, by: By, note: str = "") -> OutcomeView:
        if agent not in self.talks:
            raise Refused("not_found", f"{agent} has not talked to a lead yet")
        found = self.dispositions[disposition]
        view = OutcomeView(self.talks[agent], found.id, found.name, note, NOW, by.who, by.source)
        self.outcomes.append(view)
        return view


@dataclass
class MemoryRecordings:
    """`forgotten` are those that were deleted again."""

    forgotten: list[str] = field(default_factory=list)
    reachable: bool = True

    async def forget_recording(self, recording: str) -> None:
        if not self.reachable:
            raise PbxUnreachable("Asterisk does not answer")
        self.forgotten.append(recording)


@dataclass
class MemorySpeaker:
    """Every prompt is there; `said` is what was to be rendered, `languages` in which, `text_of` what a sound says."""

    works: bool = True
    said: list[str] = field(default_factory=list)
    languages: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    """While it is there and not set, nothing is rendered."""

    async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
        if self.gate is not None:
            await self.gate.wait()
        if not self.works:
            raise SpeechUnavailable("no engine works")
        self.said += lines
        self.languages.update(dict.fromkeys(lines, language))
        return tuple(f"sound:/cache/{self.said.index(line) + 1}" for line in lines)

    def text_of(self, sound: str) -> str:
        return self.said[int(sound.removeprefix("/cache/")) - 1] if sound.startswith("/cache/") else sound

    def spoken(self, text: str, language: str = "") -> str | None:
        return None

    def prompt(self, name: str, language: str = "") -> str:
        return f"sound:/prompts/{name}"


# -- qualifications ------------------------------------------------------------------------------------------


class MemoryScripts:
    """A script's source is a name that `Desk.read` knows."""

    def __init__(self) -> None:
        self.published: list[ScriptVersion] = []

    async def publish(self, script: str, source: str, by: str, now: float, note: str = "") -> ScriptVersion:
        version = ScriptVersion(script, len(await self.versions(script)) + 1, source, now, by, note)
        self.published.append(version)
        return version

    async def current(self, script: str) -> ScriptVersion | None:
        return next(iter(await self.versions(script)), None)

    async def version(self, script: str, version: int) -> ScriptVersion | None:
        return next((one for one in await self.versions(script) if one.version == version), None)

    async def versions(self, script: str) -> Sequence[ScriptVersion]:
        return [one for one in reversed(self.published) if one.script == script]

    async def scripts(self) -> Sequence[ScriptVersion]:
        return list({one.script: one for one in self.published}.values())


class MemoryQualifications:
    def __init__(self) -> None:
        self.kept: dict[str, Qualification] = {}

    async def save(self, qualification: Qualification) -> Qualification | None:
        there = self.kept.get(qualification.id)
        if there is not None and there.revision != qualification.revision:
            return None
        self.kept[qualification.id] = replace(qualification, revision=qualification.revision + 1)
        return self.kept[qualification.id]

    async def get(self, id: str) -> Qualification | None:
        return self.kept.get(id)

    async def of_lead(self, number: str, limit: int) -> Sequence[Qualification]:
        mine = [one for one in self.kept.values() if one.lead == number]
        return sorted(mine, key=lambda one: one.updated_at, reverse=True)[:limit]

    async def list(self, limit: int, *, open_only: bool) -> Sequence[Qualification]:
        return [one for one in self.kept.values() if not (open_only and one.ended_at)][-limit:][::-1]


class Nobody:
    """No lead is known; nothing else of a LeadStore is asked here."""

    async def lead(self, number: str) -> LeadRecord | None:
        return None


@dataclass
class Desk:
    """All services, with scripts of the test's."""

    agents: MemoryAgents = field(default_factory=MemoryAgents)
    leads: MemoryLeads = field(default_factory=MemoryLeads)
    recordings: MemoryRecordings = field(default_factory=MemoryRecordings)
    kept: MemoryQualifications = field(default_factory=MemoryQualifications)
    read: dict[str, Script] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scripts = ScriptService(MemoryScripts(), lambda source, name: self.read[source])
        self.qualifications = QualificationService(
            self.kept,
            self.scripts,
            Nobody(),  # type: ignore[arg-type]
            region="US",
            zone=UTC,
        )

    async def publish(self, script: Script) -> None:
        source = f"{script.id} {len(self.read)}"
        self.read[source] = script
        await self.scripts.publish(source, By("test", "cli"))

    @property
    def services(self) -> Services:
        return Services(self.agents, self.leads, self.qualifications, self.scripts, self.recordings)


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


# -- callers -------------------------------------------------------------------------------------------------


@dataclass
class Speech:
    """What a caller says into a recording, and how that ends."""

    seconds: float
    key: str = "#"
    hangs_up: bool = False


GONE = "gone"
"""In place of keys: the caller hangs up."""


class Caller:
    """Does as Asterisk does with the commands of an interview, as far as a caller notices.

    `does` is what they do, each time that something is awaited of them: keys (none: ""), a Speech, GONE. What begins
    with `!` comes in the midst of what is played. `played` are the sounds, by what they say; `missing` those that
    Asterisk does not find."""

    def __init__(self, speaker: MemorySpeaker, does: Sequence[str | Speech] = (), **variables: str) -> None:
        self.hung_up = False
        self.does = list(does)
        self.played: list[str] = []
        self.recorded: list[str] = []
        self.commands: list[str] = []
        self.variables = {"ASTSPOOLDIR": "/spool", **variables}
        self.missing: set[str] = set()
        self._speaker = speaker
        self._keys = ""

    async def get(self, name: str) -> str:
        return self.variables.get(name, "")

    async def set(self, name: str, value: str) -> None:
        self.variables[name] = value

    async def command(self, line: str) -> Reply:
        await asyncio.sleep(0)
        self.commands.append(line)
        words = [
            quoted if line[at.start()] == '"' else at[0].strip()
            for at in re.finditer(r'"((?:[^"\\]|\\.)*)"|\S+', line)
            for quoted in (at[1],)
        ]
        if line.startswith("GET DATA") and words[2]:
            return self._play(words[2])
        acts: Mapping[str, Callable[[], Reply]] = {
            "ANSWER": lambda: Reply("0", None),
            "CHANNEL": lambda: Reply("6", None),
            "WAIT": self._wait,
            "GET": lambda: self._more(int(words[4])),
            "RECORD": lambda: self._record(words[2]),
        }
        return Reply("-1", None) if self.hung_up else acts[words[0]]()

    def _next(self) -> str | Speech:
        assert self.does, f"nothing more is awaited after {self.played[-3:]}"
        return self.does.pop(0)

    def _play(self, sound: str) -> Reply:
        if self.hung_up or sound in self.missing:
            return Reply("-1", None)
        self.played.append(self._speaker.text_of(sound))
        if self.does and str(self.does[0]).startswith("!"):
            return self._press(str(self._next())[1:], lambda key: Reply(key.replace("#", ""), None))
        return Reply("", "timeout")

    def _wait(self) -> Reply:
        return self._press(str(self._next()), lambda key: Reply(str(ord(key)) if key else "0", None))

    def _press(self, keys: str, reply: Callable[[str], Reply]) -> Reply:
        self.hung_up = keys == GONE
        self._keys = keys[1:]
        return Reply("-1", None) if self.hung_up else reply(keys[:1])

    def _more(self, most: int) -> Reply:
        keys, hash, _ = self._keys.partition("#")
        return Reply(keys[:most], None if hash or len(keys) >= most else "timeout")

    def _record(self, path: str) -> Reply:
        self.recorded.append(path)
        said = self._next()
        assert isinstance(said, Speech), f"speech is awaited, not {said!r}"
        self.hung_up = said.hangs_up
        end = (
            ("-1", "hangup")
            if said.hangs_up
            else (str(ord(said.key)), "dtmf")
            if said.key
            else ("9000", "timeout")
        )
        return Reply(*end, round(said.seconds * 8000))
