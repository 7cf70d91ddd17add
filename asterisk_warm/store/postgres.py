"""PostgreSQL: one writer thread, several writes in one transaction."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Engine, create_engine

from asterisk_warm.store.errors import StoreError, driver_error
from asterisk_warm.store.jobs import Job
from asterisk_warm.store.migrate import adopt, upgrade
from asterisk_warm.store.session import Session, one_at_a_time
from asterisk_warm.store.statements import Driver

T = TypeVar("T")

_TIMEOUTS = {
    "connect_timeout": "5",  # s
    "tcp_user_timeout": "5000",  # ms without the server's acknowledgement
    "keepalives_idle": "10",  # s
    "keepalives_interval": "5",  # s
    "keepalives_count": "3",
}
"""So that a server that has vanished is noticed within seconds; the URL can give others."""


class PostgresWriter:
    """Writes in one thread; what comes in while a transaction is under way goes into the next, together."""

    def __init__(self, session: Session, place: str) -> None:
        self._session = session
        self._place = place
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")
        self._waiting: list[Job] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, fn: Callable[[Driver], T]) -> T:
        job = Job(fn, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        result: T = await job.waiter
        return result

    async def close(self) -> None:
        if self._task is not None:
            await self._task
        await asyncio.to_thread(self._thread.shutdown)
        self._session.close()

    async def _work(self) -> None:
        while self._waiting:
            jobs, self._waiting = self._waiting, []
            await asyncio.get_running_loop().run_in_executor(self._thread, self._carry_out, jobs)
            for job in jobs:
                job.tell()
        self._task = None

    # -- in the thread -----------------------------------------------------------------------------------

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        try:
            self._together(jobs)
        except _CommitLost as error:
            _fail(jobs, error)
        except Exception:  # noqa: BLE001 - one of them is at fault, or the connection: each is tried alone
            self._one_by_one(jobs)

    def _one_by_one(self, jobs: Sequence[Job]) -> None:
        for index, job in enumerate(jobs):
            try:
                self._together([job])
            except Exception as error:  # noqa: BLE001 - raised again where the write is waited for
                job.error = error
                if self._session.is_lost:
                    # The others would only wait for the same time-out, one after another.
                    _fail(jobs[index:], error)
                    return

    def _together(self, jobs: Sequence[Job]) -> None:
        try:
            driver = self._session.driver()
            try:
                results = [job.fn(driver) for job in jobs]
            except BaseException:
                self._session.roll_back()
                raise
            self._commit(driver)
        except psycopg.Error as error:
            raise driver_error(self._place, error) from error
        for job, result in zip(jobs, results, strict=True):
            job.result = result

    def _commit(self, driver: psycopg.Connection[Any]) -> None:
        try:
            driver.commit()
        except psycopg.Error as error:
            self._session.roll_back()
            known = isinstance(error, psycopg.errors.IdleInTransactionSessionTimeout)
            if self._session.is_lost and not known:
                raise _CommitLost(
                    self._place,
                    "the connection was lost while committing: nobody knows whether it was written",
                ) from error
            raise


class _CommitLost(StoreError):
    """Not to be tried again: an entry that is there already would pass for a duplicate."""


def _fail(jobs: Sequence[Job], error: Exception) -> None:
    for job in jobs:
        job.error = error


def open_postgres(url: URL, place: str, node: str) -> tuple[PostgresWriter, Engine]:
    """Return the writer and an engine for readers. Raises StoreError, or an error `store_errors` knows."""
    name = f"asterisk-warm {os.getpid()} on {socket.gethostname()}"[:63]
    url = url.update_query_dict({"application_name": name, **_TIMEOUTS, **url.query})
    readers = create_engine(url, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    session = Session(readers.dialect, url, place, node)
    try:
        session.driver()
        # Whoever waited for another daemon's migration has to see what it did.
        with readers.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            one_at_a_time(connection, place)
            upgrade(connection, place)
            adopt(connection, node)
    except BaseException as error:
        session.close()
        readers.dispose()
        if isinstance(error, psycopg.Error):
            raise driver_error(place, error) from error
        raise
    return PostgresWriter(session, place), readers.execution_options(postgresql_readonly=True)
