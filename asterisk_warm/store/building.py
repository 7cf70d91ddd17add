"""Statements that are alike for every table, for either kind of database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from asterisk_warm.store.statements import Statement

IDS = range(1, 2**31)
"""What a number in a key can be; nothing has another one."""


class Builder:
    """For one dialect. The names of bind parameters are those of the columns."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert

    def statement(self, clause: Any) -> Statement:
        """Compiled once."""
        return Statement(clause, self._dialect)

    def insert(self, table: Table, **values: Any) -> Any:
        """A row of `values`; of a column that is not among them by its bind parameter, or numbered by the
        database."""
        given = {name: value for name, value in bound(table).items() if table.c[name] is not _number(table)}
        return self._insert(table).values({**given, **values})

    def put(self, table: Table) -> Statement:
        """Insert a row, or make it what it is now."""
        insert = self._insert(table).values(bound(table))
        keys = [column.name for column in table.primary_key]
        changed = {column.name: insert.excluded[column.name] for column in table.c if column.name not in keys}
        return self.statement(insert.on_conflict_do_update(index_elements=keys, set_=changed))

    def new(self, table: Table, keys: Sequence[str]) -> Any:
        """Insert a row, unless there is one of these keys."""
        return self.insert(table).on_conflict_do_nothing(index_elements=keys)


def bound(table: Table) -> dict[str, Any]:
    return {column.name: bindparam(column.name) for column in table.c}


def _number(table: Table) -> Any:
    """The column that the database counts, if there is one."""
    return table.autoincrement_column
