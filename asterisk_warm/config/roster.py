"""Agents as the configuration has them, and as the store is seeded with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asterisk_warm.config.people import AgentEntry
from asterisk_warm.core.roster import AgentRecord

Levels = tuple[tuple[str, int], ...]
"""(skill, level) or (agent, tier), sorted."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """An agent; ``endpoint`` is safe to dial as it stands. ``number`` is what a phone dials for the agent.

    ``hints`` and ``dnd`` are devices or hints of Asterisk's, ``calendar`` is an id of ``calendars.sources``.
    """

    id: str
    name: str
    endpoint: str
    number: str | None = None
    skills: Levels = ()
    at_once: int = 1
    hints: tuple[str, ...] = ()
    dnd: str | None = None
    timezone: str | None = None
    shifts: tuple[str, ...] = ()
    calendar: str | None = None
    language: str | None = None


Teams = Mapping[str, tuple[Collection[str], Mapping[str, int]]]
"""Team id → the ids of its agents, and the tiers of those who are not of tier 1."""


def agent_settings(id: str, entry: AgentEntry) -> AgentSettings:
    return AgentSettings(id=id, **vars(entry) | {"skills": levels(entry.skills)})


def levels(written: Mapping[str, int]) -> Levels:
    return tuple(sorted(written.items()))


def teams_of(agent: str, teams: Teams) -> Levels:
    """The teams that an agent is in, with the tier in each."""
    return levels({id: tiers.get(agent, 1) for id, (members, tiers) in teams.items() if agent in members})


def agent_record(agent: AgentSettings, teams: Levels) -> AgentRecord:
    """The agent as the store has them."""
    return AgentRecord(
        id=agent.id,
        name=agent.name,
        endpoint=agent.endpoint,
        number=agent.number or "",
        teams=teams,
        skills=agent.skills,
        at_once=agent.at_once,
        hints=agent.hints,
        dnd=agent.dnd or "",
        timezone=agent.timezone or "",
        shifts=agent.shifts,
        calendar=agent.calendar or "",
        language=agent.language or "",
    )
