"""SQLite: one file, one writer connection for each daemon, used in its event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event

from asterisk_warm.store.checkpoints import Checkpoints, write_header
from asterisk_warm.store.errors import StoreError, driver_error
from asterisk_warm.store.jobs import Job
from asterisk_warm.store.lock import Alone, FileLock
from asterisk_warm.store.migrate import adopt, is_ready, upgrade
from asterisk_warm.store.statements import Driver

T = TypeVar("T")

APPLICATION_ID = int.from_bytes(b"warm", "big")
"""In the header of each of our files; `file` and SQLite's `PRAGMA application_id` show it."""

OPENING_SECONDS = 5.0
"""How long one daemon waits while another opens the same file: there may be tables to change."""
BUSY_SECONDS = 1.0
"""How long a write waits while others are writing."""
RETRY_SECONDS = 0.001
GUARD_MILLISECONDS = 250
"""How long a checkpoint waits while others are writing."""

_EVERY_CONNECTION = (
    "PRAGMA busy_timeout = 5000",  # ms; of no effect on the writer, see below
    "PRAGMA wal_autocheckpoint = 0",  # see checkpoints.py
    "PRAGMA synchronous = NORMAL",  # no fsync for a commit
)


@dataclass(slots=True)
class _Waiting(Job):
    until: float = 0.0
    """Of the monotonic clock."""


class _Busy(Exception):
    """Somebody else is writing."""


class SqliteWriter:
    """Writes in the caller's thread, the event loop's, without handing over to another.

    While another process is writing, mostly for less than a millisecond, writes wait in order, and the event
    loop goes on meanwhile.
    """

    def __init__(
        self, driver: sqlite3.Connection, checkpoints: Checkpoints, place: str, owned: ExitStack
    ) -> None:
        self._driver = driver
        self._checkpoints = checkpoints
        self._place = place
        self._owned = owned
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def write(self, fn: Callable[[Driver], T]) -> T:
        if not self._waiting:
            with suppress(_Busy):
                return self._transact(fn)
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(fn, waiter, until=time.monotonic() + BUSY_SECONDS))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        result: T = await waiter
        return result

    async def close(self) -> None:
        if self._task is not None:
            await self._task
        self._owned.close()

    async def _work(self) -> None:
        while self._waiting:
            if self._carry_out(self._waiting[0]):
                self._waiting.popleft().tell()
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(RETRY_SECONDS)
        self._task = None

    def _carry_out(self, job: _Waiting) -> bool:
        """False: it is to be tried again."""
        try:
            job.result = self._transact(job.fn)
        except _Busy as busy:
            if time.monotonic() < job.until:
                return False
            job.error = driver_error(self._place, busy.__cause__ or busy)
        except Exception as error:  # noqa: BLE001 - raised again where the write is waited for
            job.error = error
        return True

    def _transact(self, fn: Callable[[Driver], T]) -> T:
        if self._checkpoints.need_writer:
            raise _Busy
        driver = self._driver
        try:
            _begin(driver)
            result = fn(driver)
            driver.execute("COMMIT")
        except BaseException as error:
            driver.rollback()  # Does nothing when it was BEGIN that failed.
            if isinstance(error, sqlite3.Error):
                raise driver_error(self._place, error) from error
            raise
        self._checkpoints.committed()
        return result


def _begin(driver: sqlite3.Connection) -> None:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise _Busy from error
        raise


def open_sqlite(url: URL, place: str, node: str) -> tuple[SqliteWriter, Engine]:
    """Return the writer and an engine for readers. Raises StoreError, or an error `store_errors` knows."""
    path = _path(url, place)
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    opening = FileLock(_beside(path, "lock"))  # A daemon from before there were nodes holds it to its end.
    with Alone(opening, place, "stop it first", OPENING_SECONDS), ExitStack() as opened:
        another = "stop it first, or give this one another `node` name"
        opened.enter_context(Alone(FileLock(_beside(path, f"{node}.lock")), place, another))
        _make(path)

        writers = _engine(url, "BEGIN IMMEDIATE", _EVERY_CONNECTION)
        opened.callback(writers.dispose)
        connection = opened.enter_context(writers.connect())
        driver = _driver(connection)
        _refuse_foreign(driver, place)
        _set_up(driver, place)
        readers = _engine(url, "BEGIN", (*_EVERY_CONNECTION, "PRAGMA query_only = ON"))
        opened.callback(readers.dispose)
        if not _is_ready(readers):
            with connection.begin():
                upgrade(connection, place)
                adopt(connection, node)
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA busy_timeout = 0")  # SQLite would sleep in the event loop.

        # The guard gives up before the writes that wait for it do.
        guard, checkpointer = (_driver(opened.enter_context(writers.connect())) for _ in range(2))
        guard.execute(f"PRAGMA busy_timeout = {GUARD_MILLISECONDS}")
        lock = FileLock(_beside(path, "checkpoint"))
        checkpoints = opened.enter_context(Checkpoints(guard, checkpointer, lock, place))
        return SqliteWriter(driver, checkpoints, place, opened.pop_all()), readers


def _beside(path: Path, end: str) -> Path:
    return path.with_name(f"{path.name}.{end}")


def _make(path: Path) -> None:
    """Make the file before SQLite would, which lets everybody read: there are names and numbers in it.

    One that is there is not touched: closing it would undo the locks that SQLite has on it in this process.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))


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
    (application,) = driver.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        write_header(driver, APPLICATION_ID)


def _is_ready(readers: Engine) -> bool:
    """Then a daemon that joins others, who may be writing without a pause, need not write to begin."""
    with readers.connect() as connection:
        return is_ready(connection)
