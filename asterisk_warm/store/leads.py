"""Leads, their consents and what came of calls, in tables: satisfies `engine.leads.ports.LeadStore`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select

from asterisk_warm.core.leads import Consent, LeadOutcome, LeadRecord, Purpose
from asterisk_warm.store.building import Builder
from asterisk_warm.store.database import Database
from asterisk_warm.store.lead_tables import consents, leads, outcomes
from asterisk_warm.store.statements import Driver, Values
from asterisk_warm.store.texts import KEY_LENGTH, kept, key

_encode = msgspec.json.Encoder().encode
_attributes = msgspec.json.Decoder(tuple[tuple[str, str], ...])


ASKED_AT_ONCE = 500
"""Numbers in one statement: databases take only so many values."""


class SqlLeads:
    """How long a write takes is told at `Database`. All methods raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        build = Builder(database.dialect)
        self._put = build.put(leads)
        self._new = build.statement(build.new(leads, ["number"]))
        self._remove = build.statement(
            leads.delete().where(leads.c.number == bindparam("number")).returning(leads.c.number)
        )
        self._consent = build.statement(build.new(consents, ["number", "digest"]))
        self._outcome = build.statement(build.insert(outcomes))

    # -- reading ---------------------------------------------------------------------------------------------

    async def lead(self, number: str) -> LeadRecord | None:
        query = select(leads).where(leads.c.number == key(number))
        found = await self._database.read(lambda connection: _leads(connection, query))
        return found[0] if found else None

    async def leads(self, after: str, limit: int) -> Sequence[LeadRecord]:
        """By number, those behind `after`."""
        query = select(leads).where(leads.c.number > key(after)).order_by(leads.c.number).limit(limit)
        return await self._database.read(lambda connection: _leads(connection, query))

    async def stored(self, numbers: Collection[str]) -> Collection[str]:
        """Those of these numbers that are a lead's."""
        asked = {key(number): number for number in numbers}
        found = await self._database.read(lambda connection: _stored(connection, list(asked)))
        return {asked[number] for number in found}

    async def outcomes_of_handoff(self, handoff: str) -> Sequence[LeadOutcome]:
        """Oldest first."""
        of_it = select(outcomes).where(outcomes.c.handoff == key(handoff))
        query = of_it.order_by(outcomes.c.at, outcomes.c.id)
        return await self._database.read(lambda connection: _outcomes(connection, query))

    async def outcomes_of_lead(self, number: str, limit: int) -> Sequence[LeadOutcome]:
        """Newest first; of nobody, when the number is empty."""
        if not number:
            return ()
        of_them = select(outcomes).where(outcomes.c.lead == key(number))
        query = of_them.order_by(outcomes.c.at.desc(), outcomes.c.id.desc()).limit(limit)
        return await self._database.read(lambda connection: _outcomes(connection, query))

    # -- writing ---------------------------------------------------------------------------------------------

    async def save_leads(self, leads: Sequence[LeadRecord], by: str, now: float) -> None:
        """Add leads, or replace what is known of them, all or nothing. Their consents are only ever added to:
        those that are stored already are not stored twice."""
        if not leads:
            return
        rows, given = await asyncio.to_thread(_rows, leads, kept(by), now)

        def save(driver: Driver) -> None:
            self._put.run_each(driver, rows)
            if given:
                self._consent.run_each(driver, given)

        await self._database.write(save)

    async def remove_lead(self, number: str) -> bool:
        """With consents; False when there is none. What came of their calls stays."""
        values = {"number": key(number)}
        return await self._database.write(
            lambda driver: self._remove.run(driver, values).fetchone() is not None
        )

    async def add_consent(self, number: str, consent: Consent, now: float) -> None:
        """The lead is added when they are not known yet."""
        record = _as_stored(LeadRecord(number, source=consent.source, consents=(consent,)))

        def add(driver: Driver) -> None:
            self._new.run(driver, _lead_values(record, record.source, now))
            self._consent.run(driver, _consent_values(record.number, record.consents[0], now))

        await self._database.write(add)

    async def add_outcome(self, outcome: LeadOutcome) -> None:
        values = _outcome_values(kept(outcome))
        await self._database.write(lambda driver: self._outcome.run(driver, values))


def _rows(leads: Sequence[LeadRecord], by: str, now: float) -> tuple[Sequence[Values], Sequence[Values]]:
    """Of leads and consents. In one order everywhere, so that on PostgreSQL two who save the same leads never
    wait for each other in a circle."""
    records = sorted(map(_as_stored, leads), key=lambda record: record.number)
    given = [_consent_values(one.number, consent, now) for one in records for consent in one.consents]
    return [_lead_values(record, by, now) for record in records], given


def _as_stored(record: LeadRecord) -> LeadRecord:
    stored = kept(record)
    return stored if len(stored.number) <= KEY_LENGTH else replace(stored, number=key(record.number))


def _lead_values(record: LeadRecord, by: str, now: float) -> Values:
    return {
        "number": record.number,
        "name": record.name,
        "language": record.language,
        "attributes": _encode(record.attributes).decode(),
        "source": record.source,
        "updated_at": now,
        "updated_by": by,
    }


def _consent_values(number: str, consent: Consent, now: float) -> Values:
    return {
        "number": number,
        "digest": sha256(_encode(consent)).hexdigest(),
        "purpose": consent.purpose.value,
        "granted": consent.granted,
        "basis": consent.basis,
        "shown": consent.shown,
        "at": consent.at,
        "source": consent.source,
        "added_at": now,
    }


def _outcome_values(outcome: LeadOutcome) -> Values:
    return {
        "handoff": key(outcome.handoff),
        "lead": key(outcome.lead),
        "disposition": outcome.disposition,
        "note": outcome.note,
        "at": outcome.at,
        "by_who": outcome.by,
        "source": outcome.source,
    }


def _leads(connection: Connection, query: Any) -> Sequence[LeadRecord]:
    rows = connection.execute(query).all()
    given = _consents(connection, [row.number for row in rows]) if rows else {}
    return [
        LeadRecord(
            number=row.number,
            name=row.name,
            language=row.language,
            attributes=_attributes.decode(row.attributes),
            source=row.source,
            consents=tuple(given.get(row.number, ())),
        )
        for row in rows
    ]


def _stored(connection: Connection, numbers: Sequence[str]) -> Sequence[str]:
    found: list[str] = []
    for start in range(0, len(numbers), ASKED_AT_ONCE):
        some = numbers[start : start + ASKED_AT_ONCE]
        found += connection.scalars(select(leads.c.number).where(leads.c.number.in_(some)))
    return found


def _consents(connection: Connection, numbers: Iterable[str]) -> Mapping[str, Sequence[Consent]]:
    """Of these leads, oldest first."""
    found: defaultdict[str, list[Consent]] = defaultdict(list)
    of_them = select(consents).where(consents.c.number.in_(numbers))
    for row in connection.execute(of_them.order_by(consents.c.at, consents.c.id)):
        consent = Consent(Purpose(row.purpose), row.granted, row.basis, row.shown, row.at, row.source)
        found[row.number].append(consent)
    return found


def _outcomes(connection: Connection, query: Any) -> Sequence[LeadOutcome]:
    return [
        LeadOutcome(row.handoff, row.lead, row.disposition, row.note, row.at, row.by_who, row.source)
        for row in connection.execute(query)
    ]
