"""Reading and writing who the agents and teams are, within a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from asterisk_warm.core.presence import DAEMON, By, Presence
from asterisk_warm.core.roster import (
    AgentRecord,
    Conflict,
    Facts,
    Roster,
    Seeds,
    TeamRecord,
    merge,
)
from asterisk_warm.engine.agents.ports import Change
from asterisk_warm.store.agent_rows import (
    agent_of,
    agent_values,
    change_values,
    facts_from,
    json,
    presence_values,
    team_values,
)
from asterisk_warm.store.agent_statements import AgentStatements
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.statements import Cursor, Driver

T = TypeVar("T")


def read_roster(driver: Driver, statements: AgentStatements) -> Roster:
    skills, members = _pairs(statements.skills.run(driver, {})), _pairs(statements.members.run(driver, {}))
    return Roster(
        {
            row[0]: agent_of(row, members.get(row[0], ()), skills.get(row[0], ()))
            for row in statements.agents.run(driver, {}).fetchall()
        },
        {row[0]: TeamRecord(*row) for row in statements.teams.run(driver, {}).fetchall()},
    )


def seed(
    driver: Driver, statements: AgentStatements, node: str, seeded: Roster, now: float
) -> tuple[Conflict, ...]:
    """See `engine.agents.ports.AgentStore.seed`. What was last seeded is kept for each daemon: their files
    may differ, and none removes what only another's file has brought."""
    statements.lock.run(driver, {})
    base, stored = _read_seeds(driver, statements, node), read_roster(driver, statements)
    merged = merge(base, stored, seeded)
    write_roster(driver, statements, stored, merged.roster, DAEMON, now)
    if merged.seeds != base:
        _write_seeds(driver, statements, node, merged.seeds)
    return merged.conflicts


def write_roster(
    driver: Driver, statements: AgentStatements, before: Roster, after: Roster, by: By, now: float
) -> None:
    """Write what differs. Raises StoreError for an agent in a team that does not exist."""
    _check_teams(after)
    new_teams = _differing(before.teams, after.teams)
    changed = _differing(before.agents, after.agents)
    gone = [id for id in before.agents if id not in after.agents]
    gone_teams = [id for id in before.teams if id not in after.teams]
    statements.put_team.run_each(driver, [team_values(team) for team in new_teams])
    for agent in changed:
        _write_agent(driver, statements, agent, by, now)
        what = "changed" if agent.id in before.agents else "added"
        _note(driver, statements, agent.id, what, by, now)
    for id in gone:
        remove_agent(driver, statements, id, by, now)
    statements.drop_team.run_each(driver, [{"team": id} for id in gone_teams])
    if new_teams or changed or gone or gone_teams:
        statements.count.run(driver, {})


def remove_agent(driver: Driver, statements: AgentStatements, agent: str, by: By, now: float) -> bool:
    """Memberships and skills go with them; False when there is no such agent."""
    if statements.drop_agent.run(driver, {"agent": agent}).fetchone() is None:
        return False
    statements.reset.run(driver, presence_values(Presence(agent)))
    _note(driver, statements, agent, "removed", by, now)
    return True


def _write_agent(
    driver: Driver, statements: AgentStatements, record: AgentRecord, by: By, now: float
) -> None:
    statements.put_agent.run(driver, agent_values(record, by, now))
    statements.new_presence.run(driver, presence_values(Presence(record.id)))
    statements.drop_skills.run(driver, {"agent": record.id})
    statements.drop_members.run(driver, {"agent": record.id})
    statements.put_skill.run_each(
        driver, [{"agent": record.id, "skill": skill, "level": level} for skill, level in record.skills]
    )
    statements.put_member.run_each(
        driver, [{"agent": record.id, "team": team, "tier": tier} for team, tier in record.teams]
    )


def _note(driver: Driver, statements: AgentStatements, agent: str, what: str, by: By, now: float) -> None:
    statements.line.run(driver, change_values(Change(agent, now, what, "", None, by)))


def _check_teams(roster: Roster) -> None:
    for agent in roster.agents.values():
        for team, _ in agent.teams:
            if team not in roster.teams:
                raise StoreError(
                    f"agent {agent.id}",
                    f"there is no team {team!r}",
                    "add it to `teams` in the configuration, or take the agent out of it",
                )


def _differing(before: Mapping[str, T], after: Mapping[str, T]) -> list[T]:
    return [record for id, record in after.items() if before.get(id) != record]


def _pairs(found: Cursor) -> Mapping[str, list[tuple[str, int]]]:
    pairs: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for agent, name, number in found.fetchall():
        pairs[agent].append((name, number))
    return pairs


def _read_seeds(driver: Driver, statements: AgentStatements, node: str) -> Seeds:
    found: dict[str, dict[str, Facts]] = {"agent": {}, "team": {}}
    for kind, id, facts in statements.seeds.run(driver, {"node": node}).fetchall():
        found[kind][id] = facts_from(facts)
    return Seeds(found["agent"], found["team"])


def _write_seeds(driver: Driver, statements: AgentStatements, node: str, seeds: Seeds) -> None:
    statements.drop_seeds.run(driver, {"node": node})
    statements.put_seed.run_each(
        driver,
        [
            {"node": node, "kind": kind, "id": id, "facts": json(facts)}
            for kind, several in (("agent", seeds.agents), ("team", seeds.teams))
            for id, facts in several.items()
        ],
    )
