"""Agents from a file: CSV, or YAML with `agents:` (and `teams:`) as in the configuration, or a whole one.

What is wrong with one agent keeps nobody else out: `read_agents` returns those who are good, and every fault.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter

from asterisk_warm.config import agents_csv, checks_people
from asterisk_warm.config.errors import ConfigError, ConfigErrors, KeyPath, dotted, fatal
from asterisk_warm.config.faults import part
from asterisk_warm.config.models import SECRETS
from asterisk_warm.config.people import AgentEntry, TeamEntry
from asterisk_warm.config.roster import Levels, agent_record, agent_settings, levels, teams_of
from asterisk_warm.config.text_file import Wanted, text_of
from asterisk_warm.config.values import Identifier, nearest
from asterisk_warm.config.written import Written
from asterisk_warm.config.yaml_source import Source, parse
from asterisk_warm.core.roster import AgentRecord

_WANTED = Wanted(
    "a CSV or YAML file",
    "agents.csv",
    "a CSV or YAML file of agents",
    "a file of agents; is this the right one?",
)
_YAML = (".yaml", ".yml")
_ENDINGS = (".csv", *_YAML)
_FIELDS = frozenset(field.name for field in fields(AgentRecord))

_AGENT = TypeAdapter(dict[Identifier, AgentEntry])
_TEAM = TypeAdapter(dict[Identifier, TeamEntry])
_TIERS = TypeAdapter(dict[Identifier, Annotated[int, Field(ge=1, le=9)]])

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class AgentsFile:
    """``good`` is by id, ``faults`` in the order of the lines.

    ``given`` are the fields of `AgentRecord` of which the file says something; the others have their
    defaults. Who imports an agent that is known already may leave what is not given as it is.
    """

    good: tuple[AgentRecord, ...]
    faults: tuple[ConfigError, ...]
    given: frozenset[str]


def read_agents(
    path: Path, *, teams: Collection[str] | None = None, calendars: Collection[str] | None = None
) -> AgentsFile:
    """Read the agents of the file at ``path``; ``teams`` and ``calendars`` are the ids there are (None: any).

    Never raises: what is wrong with the file as a whole is a fault as well.
    """
    try:
        reading = _yaml(path) if path.suffix.lower() in _YAML else _csv(path)
    except ConfigErrors as errors:
        return AgentsFile((), tuple(errors.errors), frozenset())
    reading.check(teams, calendars)
    return reading.result()


def _csv(path: Path) -> _Reading:
    if path.suffix.lower() not in _ENDINGS:
        expected = f"a name that ends in {', '.join(_ENDINGS)}"
        raise fatal(str(path), "the name of the file does not say what it is", expected=expected)
    source = Source(str(path), {})
    found = agents_csv.read(text_of(path, _WANTED), source)
    return _Reading(source, _FIELDS & set(found.columns), found.teams)


def _yaml(path: Path) -> _Reading:
    source = parse(text_of(path, _WANTED), str(path), SECRETS)
    # Of a whole configuration, the rest is none of our business.
    source.errors[:] = [error for error in source.errors if error.path.startswith(("agents", "teams"))]
    return _Reading(source, _FIELDS if "teams" in source.values else _FIELDS - {"teams"}, {})


class _Reading:
    """What was read, whatever kind of file it was; ``teams`` where an agent's teams are given with them."""

    def __init__(
        self, source: Source, given: frozenset[str], teams: Mapping[str, Mapping[str, object]]
    ) -> None:
        self._source = source
        self._given = given
        self._faulty = set(source.broken)
        self._written = Written(source, self._faulty)
        self._agents = dict(self._entries("agents", _AGENT))
        self._teams = {id: (entry.agents, entry.tiers) for id, entry in self._entries("teams", _TEAM)}
        self._own_teams = {
            id: part(source, _TIERS, tiers, ("agents", id, "teams"), self._faulty) or {}
            for id, tiers in teams.items()
        }

    def _entries(self, section: str, kind: TypeAdapter[dict[str, E]]) -> Iterator[tuple[str, E]]:
        """One by one, so that what is wrong with one keeps no other out."""
        written = self._source.values.get(section, {})
        if not isinstance(written, dict):
            part(self._source, kind, written, (section,), self._faulty)
            return
        for id, entry in written.items():
            if found := part(self._source, kind, {id: entry}, (section,), self._faulty):
                yield from found.items()

    def check(self, teams: Collection[str] | None, calendars: Collection[str] | None) -> None:
        """What is wrong between agents that are each well formed, and with what they name."""
        checks_people.check(self._written)
        if teams is not None:
            self._known("team", teams, ((("teams", team), team) for team in self._teams))
            for id, tiers in self._own_teams.items():
                self._known("team", teams, ((("agents", id, "teams", team), team) for team in tiers))
        if calendars is not None:
            named = ((id, entry.calendar) for id, entry in self._agents.items() if entry.calendar)
            self._known("calendar", calendars, ((("agents", id, "calendar"), name) for id, name in named))
        if not self._written.mapping(("agents",)) and not self._source.errors:
            self._source.report((), "there are no agents in the file", expected="an agent at least")

    def _known(self, what: str, known: Collection[str], named: Iterator[tuple[KeyPath, str]]) -> None:
        for path, name in named:
            if name not in known:
                message = f'{dotted(path)}: there is no {what} "{name}"'
                expected = ", ".join(sorted(known)[:10]) or f"a {what} that is there"
                likely = nearest(name, known)
                self._written.report_name(path, message, expected=expected, suggestion=likely)

    def result(self) -> AgentsFile:
        good = [
            agent_record(agent_settings(id, self._agents[id]), self._teams_of(id))
            for id in sorted(self._agents.keys() - self._bad())
        ]
        return AgentsFile(tuple(good), tuple(ConfigErrors(self._source.errors).errors), self._given)

    def _teams_of(self, agent: str) -> Levels:
        return levels(self._own_teams[agent]) if agent in self._own_teams else teams_of(agent, self._teams)

    def _bad(self) -> set[str]:
        """Those with a fault, and the members of teams with a fault: nobody knows what was meant for them."""
        faulty = {path[:2] for path in self._source.reported if len(path) > 1}
        bad = {str(id) for section, id in faulty if section == "agents"}
        for team in (str(id) for section, id in faulty if section == "teams"):
            bad |= {agent for _, agent in self._written.members(team)}
        return bad
