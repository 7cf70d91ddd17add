"""One endpoint's deliveries: new ones at once, the others when they are due."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.screens.ports import Delivery, DeliveryStore
from asterisk_warm.webhooks.endpoint import Endpoint
from asterisk_warm.webhooks.schedule import Schedule
from asterisk_warm.webhooks.sending import Result, Sender

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Attempts at one endpoint."""
OLD_AT_ONCE = 4
"""Of these, out of the outbox: a backlog leaves room for what is new."""
MOST_NEW = 64
"""New ones that wait for their turn here; more wait in the outbox."""
TURN_SECONDS = 15.0
"""How long a new one waits for its turn before it is left to the outbox."""
LOOK_SECONDS = 30.0
"""Another daemon may have left something in the outbox."""
SLOW_SECONDS = 1.0
"""A receiver that leaves a request without an answer for so long is not waited for."""
SHORTEST_SECONDS = 0.05
"""What is due and was not had is just being taken by another daemon."""
STORE_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Failing:
    """A webhook whose latest attempt has failed."""

    webhook: str
    why: str
    since: float
    """Seconds since the epoch; all attempts since then have failed."""


class Lane:
    """Each attempt is at a delivery that is ours in the outbox until `lease` is over: should this daemon die,
    it is due again then."""

    def __init__(
        self,
        endpoint: Endpoint,
        store: DeliveryStore,
        sender: Sender,
        schedule: Schedule,
        now: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        self.lease = endpoint.timeout_seconds + TURN_SECONDS + 5.0
        self._store = store
        self._sender = sender
        self._schedule = schedule
        self._now = now
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._new: set[asyncio.Task[None]] = set()
        self._old: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._unanswered: set[float] = set()
        """Since when attempts wait for an answer, of the monotonic clock."""
        self.failing: Failing | None = None
        self._closed = False

    @property
    def prompt(self) -> bool:
        """Whether it can be expected to answer at once, so that it is worth waiting for."""
        longest = time.monotonic() - min(self._unanswered, default=math.inf)
        return self.failing is None and longest < SLOW_SECONDS

    @property
    def has_room(self) -> bool:
        """Whether a new delivery can be sent from here."""
        return not self._closed and len(self._new) < MOST_NEW

    def begin(self, delivery: Delivery) -> asyncio.Future[None]:
        """Send a new one, which is ours. Ends when its first attempt is answered, or is none."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._start(self._new, delivery, answered)
        return answered

    def wake(self) -> None:
        """Something may have become due."""
        self._woken.set()

    async def run(self) -> None:
        """Send what is due, until cancelled or closed."""
        while not self._closed:
            self._woken.clear()
            try:
                await self._look()
                seconds = await self._quiet()
            except JournalError as error:
                log.warning("the outbox of webhooks fails", webhook=self.endpoint.name, why=str(error))
                seconds = STORE_RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()

    async def close(self) -> None:
        """Break off the attempts that are under way; they are made again when the lease is over. What is new
        stays in the outbox."""
        self._closed = True
        self.wake()
        tasks = (*self._new, *self._old)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the outbox ------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        room = OLD_AT_ONCE - len(self._old)
        if room > 0:
            now = self._now()
            for delivery in await self._store.due(self.endpoint.name, now, now + self.lease, room):
                answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._start(self._old, delivery, answered).add_done_callback(lambda _: self.wake())

    async def _quiet(self) -> float:
        """Seconds until there is something to do, unless woken."""
        if len(self._old) >= OLD_AT_ONCE:
            return LOOK_SECONDS
        due = await self._store.next_due(self.endpoint.name)
        return LOOK_SECONDS if due is None else min(max(due - self._now(), SHORTEST_SECONDS), LOOK_SECONDS)

    # -- attempts --------------------------------------------------------------------------------------------

    def _start(
        self, running: set[asyncio.Task[None]], delivery: Delivery, answered: asyncio.Future[None]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self._in_turn(delivery, answered), name=f"webhook {self.endpoint.name}")
        task.add_done_callback(lambda _: _end(answered))
        running.add(task)
        task.add_done_callback(running.discard)
        return task

    async def _in_turn(self, delivery: Delivery, answered: asyncio.Future[None]) -> None:
        late = self._now() + TURN_SECONDS
        async with self._turns:
            if self._now() >= late:
                return
            try:
                await self._attempt(delivery, answered)
            except Exception:  # It is tried again when the lease is over.
                log.exception("an attempt failed", webhook=self.endpoint.name, notice=delivery.notice)

    async def _attempt(self, delivery: Delivery, answered: asyncio.Future[None]) -> None:
        endpoint = self.endpoint
        headers = endpoint.headers(delivery.notice, self._now(), delivery.body)
        since = time.monotonic()
        self._unanswered.add(since)
        answered.add_done_callback(lambda _: self._unanswered.discard(since))
        async with self._sender.post(
            endpoint.url, headers, delivery.body, endpoint.timeout_seconds
        ) as result:
            _end(answered)
            self._tell(delivery, result, time.monotonic() - since)
            try:
                await self._store.save(self._became(delivery, result))
            except JournalError as error:
                # It is sent again when the lease is over: the receiver knows it by its id.
                log.warning("a delivery was not noted", notice=delivery.notice, why=str(error))
        if result.error:
            self.wake()

    def _became(self, delivery: Delivery, result: Result) -> Delivery:
        attempts, now = delivery.attempts + 1, self._now()
        if not result.error:
            return replace(delivery, next_at=None, attempts=attempts, delivered_at=now, error="")
        again = None if result.final else self._schedule.next_at(attempts, now, result.wish)
        return replace(delivery, next_at=again, attempts=attempts, error=result.error)

    def _tell(self, delivery: Delivery, result: Result, seconds: float) -> None:
        failed, about = bool(result.error), {"webhook": self.endpoint.name, "notice": delivery.notice}
        before = self.failing
        if failed and before is None:
            log.warning("a webhook fails", **about, why=result.error)
        elif before is not None and not failed:
            log.info("a webhook is back", **about)
        if seconds >= SLOW_SECONDS and not failed:
            log.info("a webhook is slow", **about, seconds=round(seconds, 3))
        since = self._now() if before is None else before.since
        self.failing = Failing(self.endpoint.name, result.error, since) if failed else None


def _end(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_result(None)
