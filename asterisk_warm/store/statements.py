"""The statements an entry is written with: SQLAlchemy compiles them once, and the driver runs them.

An agent's accept waits for an entry to be written, mostly after some idle moments, when the processor's
caches have forgotten us. Measured so, an entry in SQLite took 1.2 ms when SQLAlchemy executed it, 0.3 ms when
the driver did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Dialect, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from asterisk_warm.store.tables import events, handoffs, outbox

Values = Mapping[str, object]


class Cursor(Protocol):
    """What is used of a driver's cursor."""

    def executemany(self, sql: Any, several: Sequence[Any], /) -> Any: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Sequence[Any]: ...


class Driver(Protocol):
    """What is used of a connection of `sqlite3` or `psycopg`, within a transaction."""

    def execute(self, sql: Any, values: Any, /) -> Cursor: ...

    def cursor(self) -> Cursor: ...


class Reading:
    """A reader's connection of SQLAlchemy as a driver's: errors come in SQLAlchemy's classes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Any, /) -> Cursor:
        # A list would be taken for several sets of values.
        bound = tuple(values) if isinstance(values, list) else values
        return cast(Cursor, self._connection.exec_driver_sql(sql, bound))

    def cursor(self) -> Cursor:
        raise NotImplementedError("only writers write several rows")


class Statement:
    """One compiled statement; its values are given by the names of its bind parameters."""

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = compiled.string
        self._order: Sequence[str] | None = compiled.positiontup

    def run(self, driver: Driver, values: Values) -> Cursor:
        return driver.execute(self._sql, self._bound(values))

    def run_each(self, driver: Driver, several: Sequence[Values]) -> None:
        """Run it once for each of several values."""
        driver.cursor().executemany(self._sql, [self._bound(values) for values in several])

    def _bound(self, values: Values) -> Any:
        # SQLite takes values by position, PostgreSQL by name.
        return values if self._order is None else [values[name] for name in self._order]


class Statements:
    """The statements for one dialect. The names of bind parameters are those of the columns."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        self.event = Statement(self._event(), dialect)
        self.handoff = Statement(self._handoff(), dialect)
        self.done = Statement(
            outbox.update()
            .where(outbox.c.id == bindparam("outbox_id"), outbox.c.done_at.is_(None))
            .values(done_at=bindparam("at")),
            dialect,
        )
        self.commands = lru_cache(maxsize=64)(self._commands)

    def _event(self) -> ClauseElement:
        """Insert an event and return its seq; no row for one that is there already."""
        latest = select(handoffs.c.seq).where(handoffs.c.id == bindparam("handoff")).scalar_subquery()
        seq = func.coalesce(latest, literal_column("0")) + literal_column("1")
        values: dict[str, Any] = {
            column.name: bindparam(column.name) for column in events.c if column.name != "seq"
        }
        return (
            self._insert(events)
            .values(seq=seq, **values)
            .on_conflict_do_nothing(index_elements=["handoff", "event_id"])
            .returning(events.c.seq)
        )

    def _handoff(self) -> ClauseElement:
        """Insert a handoff, or make it what it is now."""
        insert = self._insert(handoffs).values({column.name: bindparam(column.name) for column in handoffs.c})
        kept = ("id", "created_at")
        changed = {
            column.name: insert.excluded[column.name] for column in handoffs.c if column.name not in kept
        }
        return insert.on_conflict_do_update(index_elements=["id"], set_=changed)

    def _commands(self, count: int) -> Statement:
        """Insert that many commands: `kind_0`, `command_0`, `kind_1`, …; returns (position, id) of each."""
        rows: list[dict[str, Any]] = [
            {
                "handoff": bindparam("handoff"),
                "seq": bindparam("seq"),
                "position": literal_column(str(position)),
                "kind": bindparam(f"kind_{position}"),
                "command": bindparam(f"command_{position}"),
            }
            for position in range(count)
        ]
        clause = self._insert(outbox).values(rows).returning(outbox.c.position, outbox.c.id)
        return Statement(clause, self._dialect)
