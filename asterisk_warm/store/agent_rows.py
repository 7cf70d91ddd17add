"""Agents, teams and presence as rows of their tables, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from asterisk_warm.core.presence import By, Declared, Lease, Presence
from asterisk_warm.core.roster import AgentRecord, TeamRecord, Value
from asterisk_warm.engine.agents.ports import Change
from asterisk_warm.store.statements import Values
from asterisk_warm.store.texts import storable

_encode = msgspec.json.Encoder().encode
_names = msgspec.json.Decoder(tuple[str, ...])
_talks = msgspec.json.Decoder(tuple[Lease, ...])
_facts = msgspec.json.Decoder(dict[str, Value])

# Rows come in the order of the columns in tables.py.


def agent_values(record: AgentRecord, by: By, now: float) -> Values:
    return {
        "id": record.id,
        "name": storable(record.name),
        "endpoint": record.endpoint,
        "number": record.number,
        "at_once": record.at_once,
        "hints": json(record.hints),
        "dnd": record.dnd,
        "timezone": record.timezone,
        "shifts": json(record.shifts),
        "calendar": record.calendar,
        "language": record.language,
        "updated_at": now,
        "updated_by": storable(by.who),
    }


def agent_of(row: Any, teams: Iterable[tuple[str, int]], skills: Iterable[tuple[str, int]]) -> AgentRecord:
    id, name, endpoint, number, at_once, hints, dnd, timezone, shifts, calendar, language, *_ = row
    return AgentRecord(
        id=id,
        name=name,
        endpoint=endpoint,
        number=number,
        teams=tuple(sorted(teams)),
        skills=tuple(sorted(skills)),
        at_once=at_once,
        hints=_names.decode(hints),
        dnd=dnd,
        timezone=timezone,
        shifts=_names.decode(shifts),
        calendar=calendar,
        language=language,
    )


def team_values(record: TeamRecord) -> Values:
    return {"id": record.id, "name": storable(record.name), "number": record.number}


def presence_values(presence: Presence) -> Values:
    offer = presence.offer
    return {
        "agent": presence.agent,
        "version": presence.version,
        "declared": presence.declared.value,
        "reason": presence.reason,
        "until": presence.until,
        "since": presence.since,
        "by_who": presence.by.who,
        "by_source": presence.by.source,
        "wrapup_until": presence.wrapup_until,
        "idle_since": presence.idle_since,
        "offered_at": presence.offered_at,
        "missed": presence.missed,
        "offer_handoff": offer and offer.handoff,
        "offer_node": offer and offer.node,
        "offer_until": offer and offer.until,
        "talks": json(presence.talks),
    }


def presence_of(row: Any) -> Presence:
    agent, version, declared, reason, until, since, who, source, *rest = row
    wrapup_until, idle_since, offered_at, missed, *offer, talks = rest
    return Presence(
        agent=agent,
        version=version,
        declared=Declared(declared),
        reason=reason,
        until=until,
        since=since,
        by=By(who, source),
        wrapup_until=wrapup_until,
        idle_since=idle_since,
        offered_at=offered_at,
        missed=missed,
        offer=None if offer[0] is None else Lease(*offer),
        talks=_talks.decode(talks),
    )


def as_stored(presence: Presence) -> Presence:
    """With what can be kept of the words that people gave."""
    by = By(storable(presence.by.who), storable(presence.by.source))
    return presence.evolve(reason=storable(presence.reason), by=by)


def change_values(change: Change) -> Values:
    return {
        "agent": change.agent,
        "at": change.at,
        "what": storable(change.what),
        "reason": storable(change.reason),
        "until": change.until,
        "by_who": storable(change.by.who),
        "by_source": storable(change.by.source),
    }


def change_of(row: Any) -> Change:
    _, agent, at, what, reason, until, who, source = row
    return Change(agent, at, what, reason, until, By(who, source))


def facts_from(text: str) -> Mapping[str, Value]:
    return _facts.decode(text)


def json(value: Any) -> str:
    return _encode(value).decode()
