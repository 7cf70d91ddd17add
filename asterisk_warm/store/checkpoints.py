"""Moving what was committed from SQLite's write-ahead log into the database file, where nobody waits for it.

SQLite would do it in every thousandth page's commit, in the event loop, with several fsyncs: 5 to 20 ms.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from types import TracebackType
from typing import Self

import structlog

DUE = 200
"""Commits after which a quiet moment is waited for; an entry takes some 8 pages, so the log is 7 MB long."""

OVERDUE = 2000
"""Commits after which it is done even if it is never quiet."""

QUIET = 0.5
"""Seconds without a commit."""

log = structlog.get_logger(__name__)


class Checkpoints:
    """Runs checkpoints in a thread of its own, on a connection of its own.

    SQLite before 3.51.3 can damage a database when a checkpoint starts on a log that is checkpointed in full,
    at the moment at which a commit starts that log anew (sqlite.org/wal.html, "WAL-reset bug"). That cannot
    happen here: nobody else checkpoints, and each checkpoint ends with a write, so that the next one finds a
    log with something left to move, which no commit starts anew.
    """

    def __init__(self, writer: sqlite3.Connection, checkpointer: sqlite3.Connection, place: str) -> None:
        self.writing = Lock()
        """Hold it while using the writer's connection."""
        self._writer = writer
        self._checkpointer = checkpointer
        self._place = place
        self._commits = 0
        self._closing = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._running: Future[None] | None = None

    def __enter__(self) -> Self:
        self._truncate()  # What a killed daemon has left.
        self._start_anew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.shutdown(wait=True)
        self._truncate()

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
        try:
            self._move()
            with self.writing:
                self._move()  # What was committed meanwhile, if anything: now the log can start anew.
                self._start_anew()
        except sqlite3.Error as error:
            # Nothing is lost: the log keeps it, and the next checkpoint tries again.
            log.warning("checkpoint failed", database=self._place, error=str(error))

    def _wait_for_quiet(self) -> None:
        before = 0
        while before != self._commits < OVERDUE:
            before = self._commits
            self._closing.wait(QUIET)

    def _move(self) -> None:
        self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _start_anew(self) -> None:
        """The first write to a new log waits for an fsync: make it here, in place of an agent's accept."""
        (application,) = self._writer.execute("PRAGMA application_id").fetchone()
        write_header(self._writer, application)

    def _truncate(self) -> None:
        """Only while nobody else uses the database."""
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def write_header(driver: sqlite3.Connection, application: int) -> None:
    """Write the database's first page, with our id in it."""
    driver.execute(f"PRAGMA application_id = {application:d}")
