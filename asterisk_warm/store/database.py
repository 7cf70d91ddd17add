"""One database, one writer for each daemon: the door to SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError

from asterisk_warm.store.errors import StoreError, place_of, store_errors
from asterisk_warm.store.sqlite import open_sqlite
from asterisk_warm.store.statements import Driver

T = TypeVar("T")


class Writer(Protocol):
    async def write(self, fn: Callable[[Driver], T]) -> T: ...

    async def close(self) -> None: ...


OpenBackend = Callable[[URL, str, str], tuple[Writer, Engine]]

READS_AT_ONCE = 8
"""Threads of their own: a database that is slow keeps none from whoever else needs one, such as speech."""

_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Database:
    """Where journal and agents are kept; made with `await Database.open(url, node)`.

    **Time.** Nothing is done to Asterisk before it is written here, so a write must take no time that
    people notice. SQLite is written to in the event loop itself, on one connection: an entry takes 0.1 to
    0.4 ms, no more than waking a thread would; while another daemon is writing it waits, and the event loop
    goes on. PostgreSQL is written to by one thread; what comes in while
    a transaction is under way goes into the next one, together. Reads run in threads, on connections of
    their own, and see what is committed.

    **Durability.** SQLite runs in WAL mode with `synchronous=NORMAL`. A write that has returned survives
    the end of the daemon, `kill -9` included. When the operating system crashes or power fails, the last
    moments before may be lost: what the system has not brought to disk by itself, on Linux half a minute's
    worth. What is left is everything up to some entry, never a torn or damaged one. PostgreSQL does what
    its `synchronous_commit` says: as it comes, a write that has returned is on disk.

    **Several daemons.** Each has a name of its own, its `node`; for a second one of that name `open` fails.
    An SQLite file can be shared by the processes of one machine, on a local disk.
    """

    def __init__(self, place: str, node: str, writer: Writer, readers: Engine) -> None:
        self._place = place
        self._node = node
        self._writer = writer
        self._readers = readers
        self._reads: set[asyncio.Future[Any]] = set()
        self._threads = ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="reads")
        self._is_open = True

    @classmethod
    async def open(cls, url: str, node: str = "warm") -> Self:
        """Open a database by its SQLAlchemy URL (`sqlite:////path/file.db`, `postgresql://user@host/name`),
        make its file and tables if missing, and bring older tables up to date. Raises StoreError."""
        _check_name(node)
        parsed = _parse(url)
        place = place_of(parsed)
        open_backend: OpenBackend = open_sqlite if parsed.get_backend_name() == "sqlite" else _postgres(place)
        with store_errors(place):
            writer, readers = await asyncio.to_thread(open_backend, parsed, place, node)
        return cls(place, node, writer, readers)

    @property
    def place(self) -> str:
        """The file, or the URL without its password."""
        return self._place

    @property
    def node(self) -> str:
        """The name of this daemon among those that use the database."""
        return self._node

    @property
    def dialect(self) -> Dialect:
        return self._readers.dialect

    async def write(self, fn: Callable[[Driver], T]) -> T:
        """Run `fn` in a transaction, commit it and return its result; an exception of `fn` rolls it back.

        `fn` must be quick and do nothing but use the connection: it runs in the event loop or in a thread,
        and on PostgreSQL perhaps a second time, after its first transaction was rolled back. Writes take
        effect in the order of the calls. When the caller is cancelled while it waits, the write takes place
        all the same. Raises StoreError; the transaction has then been rolled back, unless it says otherwise.
        """
        self._check_open()
        return await self._writer.write(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a thread on a connection that sees one state of the database, and return its result."""
        self._check_open()
        asked = self._threads.submit(self._read, fn)
        read = asyncio.wrap_future(asked)
        self._reads.add(read)
        read.add_done_callback(self._has_read)
        try:
            return await asyncio.shield(read)
        except asyncio.CancelledError:
            asked.cancel()  # Unless it has begun: then the thread goes on, with the connection.
            raise

    def _read(self, fn: Callable[[Connection], T]) -> T:
        with store_errors(self._place), self._readers.connect() as connection:
            return fn(connection)

    def _has_read(self, read: asyncio.Future[Any]) -> None:
        self._reads.discard(read)
        if not read.cancelled():
            read.exception()  # Told to the caller, if there still is one.

    async def close(self) -> None:
        """Finish what is being read and written, and let go of the database. A second call does nothing."""
        if self._is_open:
            self._is_open = False
            await asyncio.gather(*self._reads, return_exceptions=True)
            self._threads.shutdown(wait=False)
            self._readers.dispose()
            with store_errors(self._place):
                await self._writer.close()

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError(self._place, "the database has been closed")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _postgres(place: str) -> OpenBackend:
    try:
        from asterisk_warm.store.postgres import open_postgres
    except ModuleNotFoundError as error:
        raise StoreError(
            place,
            f"the Python package {error.name} is needed for PostgreSQL",
            "install it: pip install 'asterisk-warm[postgres]'",
        ) from error
    return open_postgres


def _check_name(node: str) -> None:
    if not _NODE.fullmatch(node):
        raise StoreError(
            f"node {node!r}",
            "it is no name for a daemon",
            "use up to 63 letters, digits, dots, hyphens and underscores, a letter or digit first",
        )


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # The text itself is left out: it may hold a password.
        raise StoreError(
            "database", "its URL is none", "write sqlite:////path/file.db or postgresql://user@host/name"
        ) from error
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
    if parsed.get_backend_name() not in drivers:
        raise StoreError(
            place_of(parsed),
            f"{parsed.get_backend_name()} is not supported",
            "use an sqlite: or postgresql: URL",
        )
    return parsed.set(drivername=drivers[parsed.get_backend_name()])
