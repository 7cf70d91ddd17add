"""Agents, teams and presence in tables: satisfies `engine.agents.ports.AgentStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, select

from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.presence import By, Presence
from asterisk_warm.core.roster import AgentRecord, Conflict, Roster, TeamRecord
from asterisk_warm.engine.agents.ports import Change, StoredAgent
from asterisk_warm.store.agent_rows import as_stored, change_of, change_values, presence_of, presence_values
from asterisk_warm.store.agent_statements import AgentStatements
from asterisk_warm.store.database import Database
from asterisk_warm.store.rosters import read_roster, remove_agent, seed, write_roster
from asterisk_warm.store.statements import Driver, Reading
from asterisk_warm.store.tables import handoffs, history
from asterisk_warm.store.texts import storable

T = TypeVar("T")

_TALKED = (handoffs.c.state == State.COMPLETED.value, handoffs.c.joined_at.is_not(None))


class SqlAgents:
    """Who the agents are, and whether they can be offered a lead.

    An agent is reserved by `save_presence`, one conditional UPDATE: of several daemons that have seen the
    same presence and reserve at once, one succeeds. How long a write takes is told at `Database`. All methods
    raise StoreError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = AgentStatements(database.dialect)

    # -- reading ---------------------------------------------------------------------------------------------

    async def agents(self) -> Sequence[StoredAgent]:
        """All of them, by id. A new one's presence is version 0."""
        return await self._read(lambda driver: _agents(driver, self._statements))

    async def presence(self, agent: str) -> Presence | None:
        """Of one agent, as it is now; None when there is no such agent."""
        row = await self._read(
            lambda driver: self._statements.presence.run(driver, {"agent": agent}).fetchone()
        )
        return None if row is None else presence_of(row)

    async def teams(self) -> Sequence[TeamRecord]:
        """By id."""
        rows = await self._read(lambda driver: self._statements.teams.run(driver, {}).fetchall())
        return [TeamRecord(*row) for row in rows]

    async def history(self, agent: str, limit: int) -> Sequence[Change]:
        """Newest first."""
        return await self._database.read(lambda connection: _history(connection, agent, limit))

    async def mark(self) -> int:
        """Changes with every change of agents, teams or presence, by whichever daemon."""
        (mark,) = await self._read(lambda driver: self._statements.mark.run(driver, {}).fetchone())
        return int(mark)

    async def last_agent(self, lead_number: str) -> str | None:
        """Id of the agent who last talked to the lead of that number; None: nobody, or it is withheld."""
        number = storable(lead_number)
        return (
            await self._database.read(lambda connection: _last_agent(connection, number)) if number else None
        )

    async def talk_seconds(self, team: str, limit: int) -> Sequence[float]:
        """How long the latest talks of a team's agents with leads were, latest first."""
        return await self._database.read(lambda connection: _talk_seconds(connection, team, limit))

    # -- writing ---------------------------------------------------------------------------------------------

    async def save_presence(
        self, before: Presence, after: Presence, change: Change | None = None
    ) -> Presence | None:
        """Write `after` (and the line of history), if `before.version` is still what is stored; returns what
        is stored now, with its new version. None: somebody was faster, or there is no such agent any more;
        nothing was written."""
        stored = as_stored(after).evolve(agent=before.agent, version=before.version + 1)
        values = {**presence_values(stored), "before": before.version}

        def save(driver: Driver) -> bool:
            self._statements.lock.run(driver, {})
            if self._statements.save.run(driver, values).fetchone() is None:
                return False
            if change is not None:
                self._statements.line.run(driver, change_values(change))
            self._statements.count.run(driver, {})
            return True

        return stored if await self._database.write(save) else None

    async def seed(
        self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord], now: float
    ) -> Sequence[Conflict]:
        """Bring what this daemon's configuration file says into the store; returns what was changed in both,
        where the store has kept its own. Raises StoreError for an agent in a team that does not exist."""
        seeded = Roster({agent.id: agent for agent in agents}, {team.id: team for team in teams})
        return await self._database.write(
            lambda driver: seed(driver, self._statements, self._database.node, seeded, now)
        )

    async def save_agents(self, agents: Sequence[AgentRecord], by: By, now: float) -> None:
        """Add agents, or replace what is known of them; all or nothing. Raises StoreError for an agent in a
        team that does not exist."""

        def save(driver: Driver) -> None:
            self._statements.lock.run(driver, {})
            before = read_roster(driver, self._statements)
            after = Roster({**before.agents, **{agent.id: agent for agent in agents}}, before.teams)
            write_roster(driver, self._statements, before, after, by, now)

        await self._database.write(save)

    async def remove_agent(self, agent: str, by: By, now: float) -> bool:
        """False when there is none. Their history stays."""

        def remove(driver: Driver) -> bool:
            self._statements.lock.run(driver, {})
            removed = remove_agent(driver, self._statements, agent, by, now)
            if removed:
                self._statements.count.run(driver, {})
            return removed

        return await self._database.write(remove)

    async def _read(self, fn: Callable[[Driver], T]) -> T:
        return await self._database.read(lambda connection: fn(Reading(connection)))


def _agents(driver: Driver, statements: AgentStatements) -> Sequence[StoredAgent]:
    presences = {row[0]: row for row in statements.presences.run(driver, {}).fetchall()}
    return [
        StoredAgent(record, presence_of(presences[id]))
        for id, record in read_roster(driver, statements).agents.items()
    ]


def _history(connection: Connection, agent: str, limit: int) -> Sequence[Change]:
    lines = select(history).where(history.c.agent == agent).order_by(history.c.id.desc()).limit(limit)
    return [change_of(row) for row in connection.execute(lines)]


def _last_agent(connection: Connection, lead_number: str) -> str | None:
    latest = (
        select(handoffs.c.agent)
        .where(handoffs.c.lead_number == lead_number, handoffs.c.agent != "", *_TALKED)
        .order_by(handoffs.c.joined_at.desc())
        .limit(1)
    )
    return connection.execute(latest).scalar_one_or_none()


def _talk_seconds(connection: Connection, team: str, limit: int) -> Sequence[float]:
    talks = (
        select(handoffs.c.ended_at - handoffs.c.joined_at)
        .where(handoffs.c.team == team, handoffs.c.ended_at.is_not(None), *_TALKED)
        .order_by(handoffs.c.joined_at.desc())
        .limit(limit)
    )
    return connection.execute(talks).scalars().all()
