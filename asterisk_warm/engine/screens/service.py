"""Tells screens and other systems: all at once, none in another's way, and no call waits for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from asterisk_warm.core.handoff.commands import News, Tell
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.views import QualificationView
from asterisk_warm.engine.screens import notices
from asterisk_warm.engine.screens.ports import Notice, Receiver

log = structlog.get_logger(__name__)

STORING_SECONDS = 5.0
"""Longest wait until a notice that no phone waits for is stored."""
GIVE_UP_SECONDS = 60.0
"""After which nobody waits any more for a receiver to have it."""


@dataclass(frozen=True, slots=True)
class _Giving:
    """A notice on its way to one receiver. Both end, whatever becomes of it."""

    receiver: str
    stored: asyncio.Future[None]
    had: asyncio.Task[None]


class Screens:
    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        budget_seconds: float,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`receivers` by the names that the log has for them. `budget_seconds`: how long a phone waits to
        ring until all have it."""
        self._receivers = receivers
        self._budget = budget_seconds
        self._clock = clock
        self._at_work: set[asyncio.Task[None]] = set()

    async def tell(self, handoff: Handoff, command: Tell) -> None:
        """For an offer that is being made, return when all have it, or the budget is over; for others as soon
        as it is stored. Never raises."""
        notice = notices.notice_of(handoff, command, self._clock())
        if notice is None:
            log.warning("no such offer", handoff=handoff.id, offer=command.offer)
        elif command.news is News.MADE:
            givings = self._give(notice)
            slow = await _late((giving.had for giving in givings), self._budget)
            names = [giving.receiver for giving in givings if giving.had in slow]
            if names:
                log.warning("the phone rings before it was shown", notice=notice.id, slow=names)
        else:
            await self._store(notice)

    async def outcome(self, view: OutcomeView, lead: str) -> None:
        """What came of a handoff was written down; `lead` is their number. Never raises."""
        await self._store(notices.of_outcome(view, lead))

    async def qualified(self, view: QualificationView) -> None:
        """A qualification has been finished. Never raises."""
        await self._store(notices.of_qualification(view))

    def present(self, handoffs: Iterable[Handoff], agent: str) -> Sequence[Notice]:
        """What a screen that connects now is to show, of these handoffs: an `offer.made` for each offer that
        can be accepted, `offer.accepted` for the talk."""
        return notices.present(tuple(handoffs), agent, self._clock())

    async def close(self) -> None:
        """Stop waiting for receivers."""
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    # -- each receiver by itself -----------------------------------------------------------------------------

    async def _store(self, notice: Notice) -> None:
        givings = self._give(notice)
        slow = await _late((giving.stored for giving in givings), STORING_SECONDS)
        names = [giving.receiver for giving in givings if giving.stored in slow]
        if names:
            log.warning("a notice takes long to be stored", notice=notice.id, slow=names)

    def _give(self, notice: Notice) -> Sequence[_Giving]:
        givings = [self._begin(name, receiver, notice) for name, receiver in self._receivers.items()]
        for giving in givings:
            self._at_work.add(giving.had)
            giving.had.add_done_callback(self._at_work.discard)
        return givings

    def _begin(self, name: str, receiver: Receiver, notice: Notice) -> _Giving:
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return _Giving(name, stored, asyncio.create_task(_give_one(name, receiver, notice, stored)))


async def _give_one(name: str, receiver: Receiver, notice: Notice, stored: asyncio.Future[None]) -> None:
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            arrival = await receiver.tell(notice)
            _end(stored)
            await asyncio.shield(arrival)
    except JournalError as error:
        log.warning("a notice was not stored", receiver=name, notice=notice.id, why=str(error))
    except TimeoutError:
        log.warning("a receiver does not end", receiver=name, notice=notice.id)
    except Exception:
        # One receiver's fault is no other's, and none of the call's.
        log.exception("a receiver failed", receiver=name, notice=notice.id)
    finally:
        _end(stored)


def _end(stored: asyncio.Future[None]) -> None:
    if not stored.done():
        stored.set_result(None)


async def _late(ends: Iterable[asyncio.Future[None]], seconds: float) -> set[asyncio.Future[None]]:
    """Those that have not ended by then; none of them is cancelled."""
    waited = set(ends)
    if not waited:
        return waited
    _, late = await asyncio.wait(waited, timeout=seconds)
    return late
