"""Agents without a disk and without Asterisk: the store's contract in memory, and devices and calendars that the
test sets. The real ones have tests of their own; this one is for clocks that stand still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from asterisk_warm.core.handoff.model import Agent
from asterisk_warm.core.presence import By, Calendar, Presence
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord
from asterisk_warm.engine.agents.ports import Change, StoredAgent
from asterisk_warm.engine.directory import Team


async def nothing(_: str) -> None:
    """What takes place meanwhile, as a rule."""


class MemoryAgents:
    """Satisfies `engine.agents.ports.AgentStore`. `meanwhile` is awaited with the name of each method: while its
    request is on the way, and for those that write also while the answer is. It may let others go on, or fail."""

    def __init__(self, agents: Iterable[AgentRecord] = (), teams: Iterable[TeamRecord] = ()) -> None:
        self.records = {record.id: record for record in agents}
        self.team_records = {record.id: record for record in teams}
        self.presences = {id: Presence(id) for id in self.records}
        self.changes: list[Change] = []
        self.talked: dict[str, str] = {}
        self.talk_lengths: list[float] = []
        self.meanwhile: Callable[[str], Awaitable[None]] = nothing
        self._mark = 0

    async def agents(self) -> Sequence[StoredAgent]:
        found = [StoredAgent(record, self.presences[id]) for id, record in sorted(self.records.items())]
        await self.meanwhile("agents")
        return found

    async def presence(self, agent: str) -> Presence | None:
        found = self.presences.get(agent)
        await self.meanwhile("presence")
        return found

    async def teams(self) -> Sequence[TeamRecord]:
        found = [record for _, record in sorted(self.team_records.items())]
        await self.meanwhile("teams")
        return found

    async def save_presence(
        self, before: Presence, after: Presence, change: Change | None = None
    ) -> Presence | None:
        await self.meanwhile("save_presence")
        stored = self.presences.get(after.agent)
        if stored is None or stored.version != before.version:
            return None
        self._mark += 1
        kept = self.presences[after.agent] = replace(after, version=before.version + 1)
        if change is not None:
            self.changes.append(change)
        await self.meanwhile("presence_saved")
        return kept

    async def seed(
        self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord], now: float
    ) -> Sequence[Conflict]:
        self.team_records |= {record.id: record for record in teams}
        await self.save_agents(agents, By("test", "daemon"), now)
        return ()

    async def save_agents(self, agents: Sequence[AgentRecord], by: By, now: float) -> None:
        await self.meanwhile("save_agents")
        self._mark += 1
        for record in agents:
            self.records[record.id] = record
            self.presences.setdefault(record.id, Presence(record.id))

    async def remove_agent(self, agent: str, by: By, now: float) -> bool:
        await self.meanwhile("remove_agent")
        self._mark += 1
        self.presences.pop(agent, None)
        return self.records.pop(agent, None) is not None

    async def history(self, agent: str, limit: int) -> Sequence[Change]:
        await self.meanwhile("history")
        return [change for change in reversed(self.changes) if change.agent == agent][:limit]

    async def mark(self) -> int:
        found = self._mark
        await self.meanwhile("mark")
        return found

    async def last_agent(self, lead_number: str) -> str | None:
        await self.meanwhile("last_agent")
        return self.talked.get(lead_number)

    async def talk_seconds(self, team: str, limit: int) -> Sequence[float]:
        await self.meanwhile("talk_seconds")
        return self.talk_lengths[:limit]


def store_of(teams: Iterable[Team], agents: Iterable[Agent] = ()) -> MemoryAgents:
    """A store that has the agents of these teams, and these."""
    teams = tuple(teams)
    found: dict[str, AgentRecord] = {a.id: record_of(a) for a in agents}
    for team in teams:
        for agent in team.agents:
            known = found.get(agent.id, record_of(agent))
            found[agent.id] = replace(known, teams=tuple(sorted({*known.teams, (team.id, agent.tier)})))
    return MemoryAgents(found.values(), [TeamRecord(team.id, team.name, team.number) for team in teams])


def record_of(agent: Agent) -> AgentRecord:
    return AgentRecord(
        agent.id, agent.name, agent.endpoint, agent.number, skills=agent.skills, language=agent.language
    )


class SetDevices:
    """Satisfies `engine.agents.ports.Devices`: the test says what they are. `otherwise` answers for those it has
    said nothing of."""

    def __init__(self, otherwise: Callable[[str], str] = lambda _: "NOT_INUSE") -> None:
        self._states: dict[str, str] = {}
        self._otherwise = otherwise
        self._changed: Callable[[str], None] = lambda _: None
        self.watched: Sequence[str] = ()

    def watch(self, names: Sequence[str]) -> None:
        self.watched = names

    def state(self, name: str) -> str:
        return self._states.get(name) or self._otherwise(name)

    def listen(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def set(self, name: str, state: str) -> None:
        self._states[name] = state
        self._changed(name)

    def moved(self, name: str = "") -> None:
        """Whatever `otherwise` answers may have changed."""
        self._changed(name)


class SetCalendars:
    """Satisfies `engine.agents.ports.Calendars`."""

    def __init__(self) -> None:
        self._of: dict[str, Calendar] = {}
        self._changed: Callable[[str], None] = lambda _: None
        self.watched: Mapping[str, tuple[str, str]] = {}

    def watch(self, agents: Mapping[str, tuple[str, str]]) -> None:
        self.watched = agents

    def of(self, agent: str) -> Calendar | None:
        return self._of.get(agent)

    def listen(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def set(self, agent: str, calendar: Calendar) -> None:
        self._of[agent] = calendar
        self._changed(agent)
