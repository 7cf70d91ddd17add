"""The one PostgreSQL session of a daemon that writes, and that keeps others of its name out."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Dialect, text
from sqlalchemy.exc import OperationalError

from asterisk_warm.store.errors import StoreError

OPENING_SECONDS = 5.0
"""How long one daemon waits while another opens the same database: there may be tables to change."""

_KEY = int.from_bytes(b"warm", "big")

_HOLDER = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s AND datname = current_database()
"""

# Its process id alone would not do: the server may have given it to somebody else's session.
_END_OURS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND application_name = current_setting('application_name')
"""

_SETTINGS = """
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '2s'
"""
"""So that a daemon that stands still in the middle of a transaction (a paused machine) does not keep the
others from writing for long."""


class Session:
    """A connection that holds the node's advisory lock for as long as it lives, made anew when it was lost.

    A pooler that shares sessions (pgbouncer in transaction mode) must not be between.
    """

    def __init__(self, dialect: Dialect, url: URL, place: str, node: str) -> None:
        self._dialect = dialect
        self._url = url
        self._place = place
        self._key = int.from_bytes(sha256(node.encode()).digest()[:4], "big", signed=True)
        self._driver: psycopg.Connection[Any] | None = None
        self._process = 0
        """The server's process of the latest session."""

    @property
    def is_lost(self) -> bool:
        return self._driver is None or self._driver.closed

    def driver(self) -> psycopg.Connection[Any]:
        """The connection. Raises psycopg.Error if there is no server, StoreError if another has the lock."""
        if self._driver is None or self._driver.closed:
            self._driver = self._connect()
        return self._driver

    def roll_back(self) -> None:
        """Undo what was not committed; a connection that can not even do that is given up."""
        if self._driver is not None:
            try:
                self._driver.rollback()
            except psycopg.Error:
                self._driver.close()

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()

    def _connect(self) -> psycopg.Connection[Any]:
        arguments, options = self._dialect.create_connect_args(self._url)
        driver = psycopg.connect(*arguments, **options, autocommit=True)
        try:
            # The server may not have noticed yet that the session before was lost, and keep the lock for it.
            driver.execute(_END_OURS, (self._process,))
            self._lock(driver)
            driver.execute(_SETTINGS)
            driver.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        except BaseException:
            driver.close()
            raise
        driver.autocommit = False
        self._process = driver.info.backend_pid
        return driver

    def _lock(self, driver: psycopg.Connection[Any]) -> None:
        driver.execute("SET lock_timeout = '1s'")
        try:
            driver.execute("SELECT pg_advisory_lock(%s, %s)", (_KEY, self._key))
        except psycopg.errors.LockNotAvailable as error:
            # The catalogue shows the second key without its sign.
            holder = driver.execute(_HOLDER, (_KEY, self._key % 2**32)).fetchone()
            raise StoreError(
                self._place,
                f"another daemon has the database open: {holder[0] if holder else 'unknown'}",
                "stop it first, or give this one another `node` name",
            ) from error


def one_at_a_time(connection: Connection, place: str) -> None:
    """Until the end of the transaction nobody else changes tables. Raises StoreError."""
    connection.execute(text(f"SET LOCAL lock_timeout = {OPENING_SECONDS * 1000:.0f}"))
    try:
        # A daemon from before there were nodes holds this lock to its end.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY})
    except OperationalError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        raise StoreError(place, "another daemon has the database open", "stop it first") from error
