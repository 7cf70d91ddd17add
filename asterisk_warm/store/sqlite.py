"""SQLite: one file, one daemon, one writer connection that is used in the event loop."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event

from asterisk_warm.store.checkpoints import Checkpoints, write_header
from asterisk_warm.store.errors import StoreError, driver_error
from asterisk_warm.store.lock import FileLock
from asterisk_warm.store.migrate import upgrade
from asterisk_warm.store.statements import Driver

T = TypeVar("T")

APPLICATION_ID = int.from_bytes(b"warm", "big")
"""In the header of each of our files; `file` and SQLite's `PRAGMA application_id` show it."""

_EVERY_CONNECTION = (
    "PRAGMA busy_timeout = 1000",  # ms; only a stranger's program can make us wait
    "PRAGMA wal_autocheckpoint = 0",  # see checkpoints.py
    "PRAGMA synchronous = NORMAL",  # no fsync for a commit
)


class SqliteWriter:
    """Writes in the caller's thread, the event loop's, without handing over to another."""

    def __init__(
        self, driver: sqlite3.Connection, checkpoints: Checkpoints, place: str, owned: ExitStack
    ) -> None:
        self._driver = driver
        self._checkpoints = checkpoints
        self._place = place
        self._owned = owned

    async def write(self, fn: Callable[[Driver], T]) -> T:
        driver = self._driver
        with self._checkpoints.writing:
            try:
                driver.execute("BEGIN IMMEDIATE")
                result = fn(driver)
                driver.execute("COMMIT")
            except BaseException as error:
                driver.rollback()  # Does nothing when it was BEGIN that failed.
                if isinstance(error, sqlite3.Error):
                    raise driver_error(self._place, error) from error
                raise
        self._checkpoints.committed()
        return result

    async def close(self) -> None:
        self._owned.close()


def open_sqlite(url: URL, place: str) -> tuple[SqliteWriter, Engine]:
    """Return the writer and an engine for readers. Raises StoreError, or an error `store_errors` knows."""
    path = _path(url, place)
    with ExitStack() as opened:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        opened.enter_context(FileLock(path.with_name(path.name + ".lock"), place))
        # Made before SQLite would, because SQLite lets everybody read: there are names and numbers in it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))

        writers = _engine(url, "BEGIN IMMEDIATE", _EVERY_CONNECTION)
        opened.callback(writers.dispose)
        connection = opened.enter_context(writers.connect())
        driver = _driver(connection)
        _refuse_foreign(driver, place)
        _set_up(driver, place)
        with connection.begin():
            upgrade(connection, place)
        driver.execute("PRAGMA foreign_keys = ON")

        checkpointer = opened.enter_context(writers.connect())
        checkpoints = opened.enter_context(Checkpoints(driver, _driver(checkpointer), place))
        readers = _engine(url, "BEGIN", (*_EVERY_CONNECTION, "PRAGMA query_only = ON"))
        return SqliteWriter(driver, checkpoints, place, opened.pop_all()), readers


def _path(url: URL, place: str) -> Path:
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise StoreError(place, "the URL does not give the path of a file", "write sqlite:////path/file.db")
    return Path(name).resolve()


def _engine(url: URL, begin: str, pragmas: Sequence[str]) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None  # The module begins no transactions of its own.
        for pragma in pragmas:
            driver.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _refuse_foreign(driver: sqlite3.Connection, place: str) -> None:
    (application,) = driver.execute("PRAGMA application_id").fetchone()
    (tables,) = driver.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application, tables) != (0, 0):
        raise StoreError(
            place,
            "the file is the database of another program",
            "give the path of another file in `database`",
        )


def _set_up(driver: sqlite3.Connection, place: str) -> None:
    (mode,) = driver.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            place,
            "the file system does not allow a write-ahead log",
            "keep the database on a local disk",
        )
    write_header(driver, APPLICATION_ID)
