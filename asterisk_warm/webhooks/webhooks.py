"""All webhooks: satisfies `engine.screens.ports.Receiver`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from asterisk_warm.core.handoff.options import clean
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.housekeeping import regularly
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.screens.ports import Delivery, DeliveryStore, Notice
from asterisk_warm.webhooks.endpoint import Endpoint
from asterisk_warm.webhooks.lane import Failing, Lane
from asterisk_warm.webhooks.schedule import Schedule
from asterisk_warm.webhooks.sending import Sender

log = structlog.get_logger(__name__)

KEEP_SECONDS = 30 * 24 * 3600.0
"""How long a delivery that is over is kept."""
TIDY_SECONDS = 6 * 3600.0
TIDY_RETRY_SECONDS = 30.0
"""When the store has failed."""
ABSENT_SECONDS = 7 * 24 * 3600.0
"""A daemon that was not there for so long sends no more. It is longer than the schedule."""
ABANDON_AT_ONCE = 100
"""Deliveries given up in one write, for which others wait: 5 ms."""
NOT_CONFIGURED = "no webhook of this name is configured any more; put it back, and replay this"
"""Why a delivery was given up."""


class Webhooks:
    """A notice is stored before it is sent, at once; until a receiver answers with a status of 2xx it is sent
    again by the schedule, also after a restart, and by another daemon on the same database."""

    def __init__(
        self,
        store: DeliveryStore,
        endpoints: Sequence[Endpoint],
        now: Callable[[], float] = time.time,
        *,
        schedule: Schedule | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._sender = Sender()
        plan = schedule or Schedule()
        self._lanes = [Lane(endpoint, store, self._sender, plan, now) for endpoint in endpoints]
        self._arrivals: set[asyncio.Task[None]] = set()

    async def tell(self, notice: Notice) -> Awaitable[None]:
        """Returns when it is in the outbox for every endpoint that wants it. What is returned ends when each
        of them has it, or has failed to take it; one that has failed the time before, or that leaves others
        without an answer, is not waited for. Raises JournalError."""
        wanting = [lane for lane in self._lanes if notice.kind in lane.endpoint.kinds]
        if not wanting:
            return self._all([])
        body, now = _payload(notice), self._now()
        # Where there is room to send it at once it is the lane's from the beginning; else it is due.
        direct = {lane.endpoint.name: lane for lane in wanting if lane.has_room}
        added = await self._store.add(
            [
                Delivery(0, notice.id, lane.endpoint.name, notice.kind, body, now, due)
                for lane in wanting
                for due in (now + lane.lease if lane.endpoint.name in direct else now,)
            ]
        )
        for lane in wanting:
            if lane.endpoint.name not in direct:
                lane.wake()
        sent = [(direct[one.webhook], one) for one in added if one.webhook in direct]
        attempts = [(lane.prompt, lane.begin(one)) for lane, one in sent]
        return self._all([attempt for prompt, attempt in attempts if prompt])

    async def run(self) -> None:
        """Send what is due, give up what nobody sends any more, and forget what is old, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._lanes:
                    tasks.create_task(lane.run())
                tasks.create_task(
                    regularly(
                        self._tidy_up,
                        TIDY_SECONDS,
                        "the outbox of webhooks was not tidied up",
                        JournalError,
                        retry_seconds=TIDY_RETRY_SECONDS,
                    )
                )
        finally:
            await self.close()

    async def close(self) -> None:
        """Break off what is under way; it is sent again after the next start."""
        for lane in self._lanes:
            await lane.close()
        await self._sender.close()

    @property
    def failing(self) -> Sequence[Failing]:
        """The webhooks that have not taken what they were sent last."""
        return [lane.failing for lane in self._lanes if lane.failing is not None]

    async def list(self, webhook: str, state: str, limit: int) -> Sequence[Delivery]:
        """Newest first. `webhook`: "" for all; `state`: all, pending, delivered or failed. Raises
        JournalError, and Refused (not_found) for a webhook that is not configured and was sent nothing."""
        found = await self._store.list(webhook, state, limit)
        if webhook and not found and await self._unheard_of(webhook):
            configured = ", ".join(lane.endpoint.name for lane in self._lanes) or "none"
            raise Refused(
                "not_found", f'no webhook "{clean(webhook, 40)}"', f"configured webhooks: {configured}"
            )
        return found

    async def _unheard_of(self, webhook: str) -> bool:
        """One that was taken out of the configuration, or that is another daemon's, is not."""
        if any(lane.endpoint.name == webhook for lane in self._lanes):
            return False
        return not await self._store.list(webhook, "all", 1)

    async def replay(self, ids: Sequence[int]) -> int:
        """Send them (again), whatever became of them before, unless their webhook is not configured; how many
        are sent. Raises JournalError."""
        await self._serve()  # Somebody may be quicker than `run`.
        found = await self._store.replay(ids, self._now())
        for lane in self._lanes:
            lane.wake()
        return found

    def _all(self, sent: Sequence[asyncio.Future[None]]) -> Awaitable[None]:
        """Who stops waiting for it stops nothing."""
        arrival = asyncio.create_task(_end_of(sent))
        self._arrivals.add(arrival)
        arrival.add_done_callback(self._arrivals.discard)
        return arrival

    async def _tidy_up(self) -> None:
        """Also later than at the start: the other daemons on the database come and go."""
        await self._abandon()
        gone = await self._store.prune(self._now() - KEEP_SECONDS)
        log.debug("old deliveries forgotten", count=gone)

    async def _serve(self) -> None:
        now = self._now()
        await self._store.serve([lane.endpoint.name for lane in self._lanes], now, now - ABSENT_SECONDS)

    async def _abandon(self) -> None:
        await self._serve()
        given_up: Counter[str] = Counter()
        while some := await self._store.abandon(NOT_CONFIGURED, ABANDON_AT_ONCE):
            given_up.update(some)
        for webhook, count in sorted(given_up.items()):
            log.warning("deliveries given up", webhook=webhook, count=count, why=NOT_CONFIGURED)


def _payload(notice: Notice) -> bytes:
    at = datetime.fromtimestamp(round(notice.at, 3), UTC)
    return msgspec.json.encode({"type": notice.kind, "timestamp": at, "data": notice.data})


async def _end_of(sent: Sequence[asyncio.Future[None]]) -> None:
    if sent:
        await asyncio.wait(sent)
