"""Migrations: from nothing and from each earlier version, on each kind of database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from store_databases import KINDS, entry, new_database

from asterisk_warm.store import Database, SqlJournal, StoreError
from asterisk_warm.store.migrate import VERSION_TABLE, current, migrations, upgrade
from asterisk_warm.store.tables import metadata

REVISIONS = [step.revision for step in ScriptDirectory.from_config(migrations()).walk_revisions()][::-1]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(request.param, tmp_path)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_given_the_migrations_then_they_are_one_line_of_numbers() -> None:
    for number, revision in enumerate(REVISIONS, start=1):
        assert revision == f"{number:04}"


@pytest.mark.parametrize("revision", [None, *REVISIONS])
def test_given_any_earlier_version_when_upgraded_then_the_tables_are_those_of_the_code(
    connection: Connection, revision: str | None
) -> None:
    if revision is not None:
        upgrade(connection, "here", revision)
        assert current(connection) == revision
    upgrade(connection, "here")
    assert current(connection) == REVISIONS[-1]
    context = MigrationContext.configure(
        connection,
        opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True},
    )
    assert compare_metadata(context, metadata) == []
    upgrade(connection, "here")  # Nothing is left to do.
    assert current(connection) == REVISIONS[-1]


def test_given_sqlite_then_the_migrations_make_word_for_word_what_the_code_would(tmp_path: Path) -> None:
    # Alembic's comparison leaves out conditions of indexes, WITHOUT ROWID and when foreign keys are checked.
    def schema(name: str, migrate: bool) -> dict[str, str]:
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        with engine.begin() as connection:
            if migrate:
                upgrade(connection, "here")
            else:
                metadata.create_all(connection)
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        engine.dispose()
        return {row.name: normal(row.sql) for row in rows if row.name != VERSION_TABLE}

    def normal(sql: str) -> str:
        # The order of columns and constraints in CREATE TABLE says nothing.
        head, _, body = re.sub(r"\s+", " ", sql).partition("(")
        parts = sorted(part.strip(" )") for part in re.split(r", (?![^(]*\))", body))
        return f"{head}({' | '.join(parts)}"

    assert schema("migrated.db", migrate=True) == schema("created.db", migrate=False)


async def test_given_a_newer_database_then_it_is_refused_and_left_alone(url: str) -> None:
    async with await Database.open(url) as database:
        await SqlJournal(database).commit(entry())
    set_revision(url, "9999")
    with pytest.raises(StoreError, match=r"newer than this program.*9999.*" + REVISIONS[-1]) as raised:
        await Database.open(url)
    assert raised.value.remedy
    set_revision(url, REVISIONS[-1])
    async with await Database.open(url) as database:
        assert await SqlJournal(database).get("warm-1") is not None


def set_revision(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {VERSION_TABLE} SET version_num = :revision"), {"revision": revision}
        )
    engine.dispose()


async def test_given_a_migration_that_fails_then_nothing_of_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "warm.db"
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("CREATE TABLE handoff_outbox (other TEXT)")
        earlier.execute(f"PRAGMA application_id = {int.from_bytes(b'warm', 'big')}")
    with pytest.raises(StoreError, match="handoff_outbox already exists"):
        await Database.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("SELECT name FROM sqlite_master").fetchall() == [("handoff_outbox",)]
