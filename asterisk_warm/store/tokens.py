"""Who may use the API over the network, in a table: satisfies `engine.screens.ports.TokenStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, select

from asterisk_warm.engine.screens.ports import Token
from asterisk_warm.store.building import Builder
from asterisk_warm.store.database import Database
from asterisk_warm.store.notice_tables import tokens
from asterisk_warm.store.texts import kept, key


class SqlTokens:
    """How long a write takes is told at `Database`. All methods raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        build = Builder(database.dialect)
        self._add = build.statement(build.insert(tokens))
        self._revoke = build.statement(
            tokens.update()
            .where(tokens.c.id == bindparam("token"), tokens.c.revoked_at.is_(None))
            .values(revoked_at=bindparam("now"))
            .returning(tokens.c.id)
        )

    async def add(self, token: Token) -> None:
        values = asdict(kept(token))
        await self._database.write(lambda driver: self._add.run(driver, values))

    async def by_hash(self, hash: str) -> Token | None:
        """One that is not revoked."""
        found = await self._read(_ALL.where(tokens.c.hash == key(hash), tokens.c.revoked_at.is_(None)))
        return found[0] if found else None

    async def list(self) -> Sequence[Token]:
        """Oldest first, also those that are revoked."""
        return await self._read(_ALL.order_by(tokens.c.created_at, tokens.c.id))

    async def revoke(self, id: str, now: float) -> bool:
        """False when there is none of that id that is not revoked yet."""
        values = {"token": key(id), "now": now}
        return await self._database.write(
            lambda driver: self._revoke.run(driver, values).fetchone() is not None
        )

    async def _read(self, query: Any) -> Sequence[Token]:
        return await self._database.read(
            lambda connection: [Token(*row) for row in connection.execute(query)]
        )


_ALL = select(tokens)
