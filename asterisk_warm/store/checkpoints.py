"""Moving what was committed from SQLite's write-ahead log into the database file, where nobody waits for it.

SQLite would do it in every thousandth page's commit, in the event loop, with several fsyncs: 5 to 20 ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Self

import structlog

from asterisk_warm.store.lock import FileLock

DUE = 200
"""Commits after which a quiet moment is waited for; an entry takes some 8 pages, so the log is 7 MB long."""

OVERDUE = 2000
"""Commits after which it is done even if it is never quiet."""

QUIET = 0.5
"""Seconds without a commit."""

log = structlog.get_logger(__name__)


class Checkpoints:
    """Runs checkpoints in a thread of its own, on two connections of its own.

    SQLite before 3.51.3 can damage a database when a checkpoint starts on a log that is checkpointed in full,
    at the moment at which a commit starts that log anew (sqlite.org/wal.html, "WAL-reset bug"). That cannot
    happen here. Of all processes only the one that holds the lock checkpoints, so while something of the log
    is left to move, no commit starts it anew: each run begins with a write. What was committed while the log
    was moved is moved while nobody can commit. And each run ends with a write, which starts the log anew.

    There is no last checkpoint at the end: SQLite makes one when the last connection of all processes closes.
    """

    def __init__(
        self, guard: sqlite3.Connection, checkpointer: sqlite3.Connection, lock: FileLock, place: str
    ) -> None:
        self.need_writer = False
        """Writes of this process have to wait a moment, or a checkpoint would hardly get its turn."""
        self._guard = guard
        self._checkpointer = checkpointer
        self._lock = lock
        self._place = place
        self._commits = 0
        self._closing = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._running: Future[None] | None = None

    def __enter__(self) -> Self:
        self._try()  # What a killed daemon has left.
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.shutdown(wait=True)

    def committed(self) -> None:
        """Count a commit, and start a checkpoint when it is time."""
        self._commits += 1
        if self._commits >= DUE and (self._running is None or self._running.done()):
            self._running = self._thread.submit(self._checkpoint)

    def _checkpoint(self) -> None:
        self._wait_for_quiet()
        if self._closing.is_set():
            return
        self._commits = 0
        self._try()

    def _try(self) -> None:
        try:
            self._run()
        except (sqlite3.Error, OSError) as error:
            # Nothing is lost: the log keeps it, and the next checkpoint tries again.
            log.warning("checkpoint failed", database=self._place, error=str(error))

    def _wait_for_quiet(self) -> None:
        before = 0
        while before != self._commits < OVERDUE:
            before = self._commits
            self._closing.wait(QUIET)

    def _run(self) -> None:
        """Unless another process is at it."""
        if not self._lock.take():
            return
        try:
            self._first(self._write)
            self._move()
            self._first(self._finish)
        finally:
            self._lock.release()

    def _first(self, act: Callable[[], None]) -> None:
        self.need_writer = True
        try:
            act()
        finally:
            self.need_writer = False

    def _finish(self) -> None:
        self._guard.execute("BEGIN IMMEDIATE")
        try:
            self._move()  # What was committed meanwhile, if anything: now the log can start anew.
        finally:
            self._guard.execute("COMMIT")
        self._write()

    def _move(self) -> None:
        self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _write(self) -> None:
        """The first write to a new log waits for an fsync: make it here, in place of an agent's accept."""
        (application,) = self._guard.execute("PRAGMA application_id").fetchone()
        write_header(self._guard, application)


def write_header(driver: sqlite3.Connection, application: int) -> None:
    """Write the database's first page, with our id in it."""
    driver.execute(f"PRAGMA application_id = {application:d}")
