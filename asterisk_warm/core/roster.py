"""Who the agents and teams are, and how an edited configuration file and an edited store come together:
neither loses the other's changes silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as the store has them, and as a configuration file or a CSV seeds them."""

    id: str
    name: str
    endpoint: str
    """What is dialled: `PJSIP/ana`."""
    number: str = ""
    teams: tuple[tuple[str, int], ...] = ()
    """(team id, tier), sorted; tier 1 is offered leads first."""
    skills: tuple[tuple[str, int], ...] = ()
    """(skill, level from 1 to 10), sorted."""
    at_once: int = 1
    """How many handoffs they may have at once."""
    hints: tuple[str, ...] = ()
    """Further devices (`Custom:desk`) and hints (`201@from-internal`) whose state counts for them."""
    dnd: str = ""
    """The device or hint that says do-not-disturb (`Custom:DND201`); empty: none."""
    timezone: str = ""
    """IANA name, for shifts and all-day events; empty: the machine's."""
    shifts: tuple[str, ...] = ()
    """`mon-fri 09:00-17:30`; empty: always on."""
    calendar: str = ""
    """Name of a configured calendar; empty: none."""
    language: str = ""
    """What they are briefed in (`es`); empty: that of the team."""


@dataclass(frozen=True, slots=True)
class TeamRecord:
    id: str
    name: str
    number: str = ""
    """As a phone's Transfer key may dial it; empty: none."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The configuration file and the store have both changed the same thing; the store keeps its own."""

    what: str
    """`agent ana` or `team sales`."""
    field: str
    stored: str
    """As the store has it, in words."""
    seeded: str
    """As the file has it."""

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.field} is {self.stored or 'empty'} here, and {self.seeded or 'empty'} in "
            f"the configuration; make them alike, or take the file's with `asterisk-warm agent import`"
        )


@dataclass(frozen=True, slots=True)
class Roster:
    """All agents and teams, by id."""

    agents: Mapping[str, AgentRecord] = field(default_factory=dict)
    teams: Mapping[str, TeamRecord] = field(default_factory=dict)


# -- a file and the store come together ----------------------------------------------------------------------

Value = str | int | tuple[str, ...]
Facts = Mapping[str, Value]
"""A record, taken apart into what is changed by itself: its fields, and each membership (`team sales`) and
skill (`skill spanish`). What is missing is not there, or was never seeded."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """What was last taken over from a configuration file: the facts of its agents and teams, by id."""

    agents: Mapping[str, Facts] = field(default_factory=dict)
    teams: Mapping[str, Facts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merged:
    roster: Roster
    """What the store is to have."""
    seeds: Seeds
    """What is to be remembered of the file; where there is a conflict, what was before, so that it is found
    again."""
    conflicts: tuple[Conflict, ...]


def merge(base: Seeds, stored: Roster, seeded: Roster) -> Merged:
    """Bring a configuration file (`seeded`) into the store, knowing what was last taken over of it (`base`).

    What only the file has changed is taken over; what only the store has changed is kept; where both have
    changed the same thing the store keeps its own. A team of the file always exists, and so does one that
    somebody is still in.
    """
    agents = {
        id: _merge_one(AgentRecord, id, base.agents.get(id), stored.agents.get(id), seeded.agents.get(id))
        for id in _ids(base.agents, stored.agents, seeded.agents)
    }
    kept = _records(AgentRecord, agents)
    members: dict[str, list[str]] = {}
    for agent in kept.values():
        for team, _ in agent.teams:
            members.setdefault(team, []).append(agent.id)
    teams = {
        id: _merge_one(
            *(TeamRecord, id, base.teams.get(id), stored.teams.get(id), seeded.teams.get(id)),
            ", ".join(members.get(id, ())),
        )
        for id in _ids(base.teams, stored.teams, seeded.teams)
    }
    return Merged(
        Roster(kept, _records(TeamRecord, teams)),
        Seeds(_seeds(agents), _seeds(teams)),
        tuple(conflict for one in (*agents.values(), *teams.values()) for conflict in one.conflicts),
    )


@dataclass(frozen=True, slots=True)
class _One:
    """What becomes of one agent or team."""

    facts: Facts | None
    """None: it is not in the store."""
    seed: Facts | None
    """None: nothing of the file is remembered."""
    conflicts: tuple[Conflict, ...] = ()


def _merge_one(
    kind: type[Any], id: str, seed: Facts | None, ours: Any | None, theirs: Any | None, members: str = ""
) -> _One:
    """`members` are those who would be left without it, in words."""
    what = f"{_KINDS[kind]} {id}"
    # A field that the file has never said anything of counts as seeded with its default.
    base = None if seed is None else {**_untouched(kind), **seed}
    stored = None if ours is None else facts_of(ours)
    seeded = None if theirs is None else facts_of(theirs)
    if seeded is None:
        return _gone_from_file(what, base, stored, members)
    if stored is None:
        return _gone_from_store(what, None if kind is TeamRecord else base, seeded)
    return _both(what, base or _untouched(kind), stored, seeded)


def _gone_from_file(what: str, base: Facts | None, stored: Facts | None, members: str) -> _One:
    if stored is None:
        return _One(None, None)
    if base is None:
        return _One(stored, None)
    if stored == base and not members:
        return _One(None, None)
    became = f"the team of {members}" if members else "edited"
    return _One(stored, base, (Conflict(what, "it", became, "removed"),))


def _gone_from_store(what: str, base: Facts | None, seeded: Facts) -> _One:
    if base is None:
        return _One(seeded, seeded)
    if base == seeded:
        return _One(None, base)
    return _One(None, base, (Conflict(what, "it", "removed", "changed"),))


def _both(what: str, base: Facts, stored: Facts, seeded: Facts) -> _One:
    facts: dict[str, Value | None] = {}
    seed: dict[str, Value | None] = {}
    conflicts: list[Conflict] = []
    for key in dict.fromkeys((*seeded, *stored, *base)):
        was, ours, theirs = base.get(key), stored.get(key), seeded.get(key)
        facts[key], seed[key] = (theirs if ours == was else ours), theirs
        if was not in (ours, theirs) and ours != theirs:
            conflicts.append(Conflict(what, key, _words(key, ours), _words(key, theirs)))
            seed[key] = was
    return _One(_there(facts), _there(seed), tuple(conflicts))


def _there(facts: Mapping[str, Value | None]) -> Facts:
    return {key: value for key, value in facts.items() if value is not None}


# -- records and their facts ---------------------------------------------------------------------------------

_KINDS = {AgentRecord: "agent", TeamRecord: "team"}
_ENTRIES = {"teams": ("team", "tier"), "skills": ("skill", "level")}
"""Fields of which each entry is a fact of its own: (what it is, what its number is)."""
_NUMBERS = dict(_ENTRIES.values())


def facts_of(record: AgentRecord | TeamRecord) -> Facts:
    facts: dict[str, Value] = {}
    for one in fields(record):
        value = getattr(record, one.name)
        if one.name in _ENTRIES:
            entry, _ = _ENTRIES[one.name]
            facts |= {f"{entry} {name}": number for name, number in value}
        elif one.name != "id":
            facts[one.name] = value
    return facts


def _record(kind: type[Any], id: str, facts: Facts) -> Any:
    values: dict[str, Any] = {"id": id}
    for one in fields(kind):
        if one.name in _ENTRIES:
            entry, _ = _ENTRIES[one.name]
            values[one.name] = tuple(sorted(_entries(entry, facts)))
        elif one.name in facts:
            values[one.name] = facts[one.name]
    return kind(**values)


def _entries(entry: str, facts: Facts) -> Iterable[tuple[str, Value]]:
    for key, value in facts.items():
        kind, _, name = key.partition(" ")
        if name and kind == entry:
            yield name, value


def _untouched(kind: type[Any]) -> Facts:
    return {
        one.name: one.default
        for one in fields(kind)
        if one.default is not MISSING and one.name not in _ENTRIES
    }


def _ids(*several: Mapping[str, object]) -> Iterable[str]:
    return sorted({id for one in several for id in one})


def _records(kind: type[Any], merged: Mapping[str, _One]) -> dict[str, Any]:
    return {id: _record(kind, id, one.facts) for id, one in merged.items() if one.facts is not None}


def _seeds(merged: Mapping[str, _One]) -> Mapping[str, Facts]:
    return {id: one.seed for id, one in merged.items() if one.seed is not None}


def _words(key: str, value: Value | None) -> str:
    if value is None:
        return "missing"
    number = _NUMBERS.get(key.partition(" ")[0], "")
    return f"{number} {value}" if number else ", ".join(value) if isinstance(value, tuple) else str(value)
