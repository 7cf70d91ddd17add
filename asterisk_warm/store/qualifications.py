"""Qualifications in a table: satisfies `engine.qualifying.ports.QualificationStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import bindparam, literal_column, select

from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.store.building import Builder, bound
from asterisk_warm.store.database import Database
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.lead_tables import qualifications
from asterisk_warm.store.texts import kept, key

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Qualification).decode

_NEWEST = qualifications.c.updated_at.desc(), qualifications.c.id.desc()


class SqlQualifications:
    """Each is one document. A change is one conditional UPDATE: of several who have seen the same revision,
    one succeeds. How long a write takes is told at `Database`. All methods raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        build = Builder(database.dialect)
        id, revision = qualifications.c.id, qualifications.c.revision
        self._new = build.statement(build.new(qualifications, ["id"]).returning(id))
        changed: dict[str, Any] = {**bound(qualifications), "revision": revision + literal_column("1")}
        del changed["id"]
        self._change = build.statement(
            qualifications.update()
            .where(id == bindparam("id"), revision == bindparam("before"))
            .values(changed)
            .returning(id)
        )

    async def save(self, qualification: Qualification) -> Qualification | None:
        """Insert (revision 0), or write the next revision if nobody else has since; returns what is stored
        now, with its new revision. None: somebody was faster, nothing was written."""
        before = qualification.revision
        document = _encode(replace(kept(qualification), revision=before + 1))
        stored = _read_back(qualification.id, document)
        values = {
            "id": key(stored.id),
            "revision": stored.revision,
            "before": before,
            "lead": key(stored.lead),
            "updated_at": stored.updated_at,
            "ended": stored.ended_at is not None,
            "document": document.decode(),
        }
        save = self._change if before else self._new
        written = await self._database.write(lambda driver: save.run(driver, values).fetchone())
        return None if written is None else stored

    async def get(self, id: str) -> Qualification | None:
        found = await self._read(_documents().where(qualifications.c.id == key(id)))
        return found[0] if found else None

    async def of_lead(self, number: str, limit: int) -> Sequence[Qualification]:
        """By when they were last changed, newest first; of nobody, when the number is empty."""
        if not number:
            return ()
        of_them = _documents().where(qualifications.c.lead == key(number))
        return await self._read(of_them.order_by(*_NEWEST).limit(limit))

    async def list(self, limit: int, *, open_only: bool) -> Sequence[Qualification]:
        """By when they were last changed, newest first."""
        query = _documents().order_by(*_NEWEST).limit(limit)
        return await self._read(query.where(~qualifications.c.ended) if open_only else query)

    async def _read(self, query: Any) -> Sequence[Qualification]:
        documents = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [_decode(document) for document in documents]


def _documents() -> Any:
    return select(qualifications.c.document)


def _read_back(id: str, document: bytes) -> Qualification:
    """One that cannot be read would spoil every list that it is in. Raises StoreError."""
    try:
        return _decode(document)
    except msgspec.ValidationError as error:
        raise StoreError(f"qualification {id!r}", f"it cannot be stored: {error}") from error
