"""Published scripts in a table: satisfies `engine.qualifying.ports.ScriptStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from asterisk_warm.engine.qualifying.ports import ScriptVersion
from asterisk_warm.store.building import IDS, Builder
from asterisk_warm.store.database import Database
from asterisk_warm.store.lead_tables import scripts
from asterisk_warm.store.statements import Driver
from asterisk_warm.store.texts import key, storable


class SqlScripts:
    """How long a write takes is told at `Database`. All methods raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        build = Builder(database.dialect)
        latest = select(func.max(scripts.c.version)).where(scripts.c.script == bindparam("script"))
        following = func.coalesce(latest.scalar_subquery(), literal_column("0")) + literal_column("1")
        insert = build.insert(scripts, version=following)
        unless = insert.on_conflict_do_nothing(index_elements=["script", "version"])
        self._publish = build.statement(unless.returning(scripts.c.version))

    async def publish(self, script: str, source: str, by: str, now: float, note: str = "") -> ScriptVersion:
        """As the next version, which is the current one from now on."""
        values = {
            "script": key(script),
            "source": storable(source),
            "at": now,
            "by_who": storable(by),
            "note": storable(note),
        }

        def publish(driver: Driver) -> int:
            while (row := self._publish.run(driver, values).fetchone()) is None:
                pass  # Another daemon has just published that version: the next look finds it.
            return int(row[0])

        version = await self._database.write(publish)
        return ScriptVersion(key(script), version, storable(source), now, storable(by), storable(note))

    async def current(self, script: str) -> ScriptVersion | None:
        """The latest version."""
        found = await self._read(_of(script).limit(1))
        return found[0] if found else None

    async def version(self, script: str, version: int) -> ScriptVersion | None:
        if version not in IDS:
            return None
        found = await self._read(_of(script).where(scripts.c.version == version))
        return found[0] if found else None

    async def versions(self, script: str) -> Sequence[ScriptVersion]:
        """Newest first."""
        return await self._read(_of(script))

    async def scripts(self) -> Sequence[ScriptVersion]:
        """The current version of each, by id."""
        other = scripts.alias()
        latest = select(func.max(other.c.version)).where(other.c.script == scripts.c.script)
        current = scripts.c.version == latest.scalar_subquery()
        return await self._read(select(scripts).where(current).order_by(scripts.c.script))

    async def _read(self, query: Any) -> Sequence[ScriptVersion]:
        return await self._database.read(
            lambda connection: [ScriptVersion(*row) for row in connection.execute(query)]
        )


def _of(script: str) -> Any:
    return select(scripts).where(scripts.c.script == key(script)).order_by(scripts.c.version.desc())
