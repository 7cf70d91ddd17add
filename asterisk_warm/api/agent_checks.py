"""Agents that are each well formed, beside the teams and the agents that there are: everything that does not
go together. The service refuses it too, at the first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from asterisk_warm.api.faults import Faults, token
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.views import PresenceView


def check(
    records: Mapping[str, AgentRecord],
    there: Iterable[PresenceView],
    teams: Collection[str],
    faults: Faults,
) -> Collection[str]:
    """`records` by the JSON pointer to each, in order. Returns the pointers of those that have a fault."""
    named = {record.id for record in records.values()}
    kept = [agent for agent in there if agent.id not in named]
    phones = {agent.endpoint.casefold(): agent.id for agent in kept}
    numbers = {id: f"the id of {id}" for id in (*teams, *named, *(agent.id for agent in kept))}
    numbers |= {agent.number: f"the number of {agent.id}" for agent in kept if agent.number}
    bad = []
    for pointer, record in records.items():
        before = len(faults.found)
        _teams(record, pointer, teams, faults)
        _phone(record, pointer, phones, faults)
        _number(record, pointer, numbers, faults)
        if len(faults.found) > before:
            bad.append(pointer)
        else:
            phones[record.endpoint.casefold()] = record.id
            numbers |= {record.number: f"the number of {record.id}"} if record.number else {}
    return bad


def _teams(record: AgentRecord, pointer: str, teams: Collection[str], faults: Faults) -> None:
    for team, _ in record.teams:
        if team not in teams:
            faults.unknown("team", f"{pointer}/teams/{token(team)}", team, sorted(teams))


def _phone(record: AgentRecord, pointer: str, phones: Mapping[str, str], faults: Faults) -> None:
    """The agent is known by the phone: by whom a feature code is dialled, whose device state counts."""
    other = phones.get(record.endpoint.casefold(), record.id)
    if other != record.id:
        faults.add(
            f"{pointer}/endpoint",
            f"{record.endpoint} is the phone of {other} already",
            "give each agent a phone of their own",
        )


def _number(record: AgentRecord, pointer: str, numbers: Mapping[str, str], faults: Faults) -> None:
    """What a phone dials stands for one agent or team; their ids can be dialled as well."""
    taken = numbers.get(record.number, "") if record.number != record.id else ""
    if taken:
        faults.add(f"{pointer}/number", f"{record.number} is {taken} already", "give a number that is free")
