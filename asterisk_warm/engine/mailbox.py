"""One handoff's ordered mailbox: event → transition → one journal transaction → execute → the outcome is the
next event."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.events import DeadlinePassed, Event, HandoffRequested
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.transition import Decision, begin, next_deadline, transition
from asterisk_warm.engine import codec
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.executor import Executor, legs
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports.journal import Entry, Journal, JournalError
from asterisk_warm.engine.timers import Timer
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

JOURNAL_SECONDS = 5.0
"""How long a journal that cannot be written is tried before the handoff is given up."""
JOURNAL_RETRY_SECONDS = 0.5
ASK_SECONDS = 10.0
"""Longest wait for an event to be taken: each takes a journal entry, so this means that the disk hangs."""

Completion = Callable[[], Awaitable[HandoffRequested]]
"""Finds out what else is known of the lead, and makes the request complete. Never fails, nor takes long."""


class Mailbox:
    """Runs one handoff until it is settled. Everything about that handoff happens in this task, one event
    at a time."""

    def __init__(
        self,
        journal: Journal,
        executor: Executor,
        became: Callable[[Handoff], None],
        settled: Callable[[Mailbox], None],
        given_up: Callable[[Mailbox, JournalError], Awaitable[None]],
    ) -> None:
        """`became` is told what the handoff is after each event, `settled` when nothing is left to do, and
        `given_up` when the journal fails for good."""
        self._journal = journal
        self._executor = executor
        self._became = became
        self._settled = settled
        self._given_up = given_up
        self._events: asyncio.Queue[tuple[Event | Completion, int | None]] = asyncio.Queue()
        self._timer = Timer(self._deadline_passed)
        self._done: list[int] = []
        self._orders: set[asyncio.Task[None]] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._asked: dict[str, asyncio.Future[bool]] = {}
        self._running: dict[int, Command] = {}
        self._unfinished: Sequence[tuple[int, Command]] = ()
        self.handoff: Handoff | None = None

    # -- from outside ----------------------------------------------------------------------------------------

    def post(self, event: Event, outcome_of: int | None = None) -> None:
        """Queue an event; `outcome_of` is the outbox id of the command that caused it."""
        self._events.put_nowait((event, outcome_of))

    def begin(self, event: HandoffRequested, completion: Completion | None = None) -> None:
        """With a `completion`, what that makes of the request is taken, and what comes meanwhile waits."""
        self._events.put_nowait((completion or event, None))
        self._task = asyncio.create_task(self._run(), name=event.handoff)

    def resume(
        self,
        handoff: Handoff,
        reconciled: Event,
        unfinished: Sequence[tuple[int, Command]],
        overtaken: Sequence[int],
    ) -> None:
        """Go on with a handoff that the journal has kept: first what Asterisk has, then the
        unfinished orders that are still wanted; the outbox ids in `overtaken` are marked done,
        because the core orders anew what they were for."""
        self.handoff = handoff
        self._became(handoff)
        self._unfinished = unfinished
        self._done = list(overtaken)
        self.post(reconciled)
        self._timer.arm(next_deadline(handoff))
        self._task = asyncio.create_task(self._run(), name=handoff.id)

    async def caught_up(self) -> None:
        """Wait until what has been posted so far is taken (or the handoff is over)."""
        with contextlib.suppress(TimeoutError):
            await within(self._events.join(), ASK_SECONDS)

    async def changed(self) -> None:
        """Wait until the handoff has taken another event."""
        await self._changed.wait()

    async def ask(self, event: Event) -> bool:
        """Post an event and wait until it has been taken. Returns whether anything follows from it. Raises
        Refused (unreachable) when it is not taken."""
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[event.event_id] = taken
        self.post(event)
        try:
            return await within(taken, ASK_SECONDS)
        except TimeoutError as error:
            words = f"the handoff did not take it within {ASK_SECONDS:g} s"
            raise Refused("unreachable", words, "see `asterisk-warm health`") from error

    @property
    def running(self) -> Sequence[Command]:
        """Orders that are at work now."""
        return tuple(self._running.values())

    async def stop(self) -> None:
        """Stop taking events; the handoff stays in the journal as it is."""
        self._timer.disarm()
        for task in (self._task, *self._orders):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(t for t in (self._task, *self._orders) if t), return_exceptions=True)

    # -- the loop --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            posted, outcome_of = await self._events.get()
            event = posted if isinstance(posted, Event) else await posted()
            try:
                follows = await self._take(event, outcome_of)
            except JournalError as error:
                await self._given_up(self, error)
                return
            if self._unfinished:
                unfinished, self._unfinished = self._unfinished, ()
                self.execute(unfinished)
            self._events.task_done()
            if (asked := self._asked.pop(event.event_id, None)) is not None and not asked.done():
                asked.set_result(follows)
            if self.handoff is not None and self.handoff.settled:
                await self._flush()
                # What an order that was still at work has done is not left to itself.
                if self._events.empty():
                    self._settled(self)
                    return

    async def _take(self, event: Event, outcome_of: int | None) -> bool:
        before = self.handoff
        if isinstance(event, HandoffRequested):
            decision = begin(event)
        elif before is not None:
            decision = transition(before, event)
        else:
            return False
        broken = violations(decision.handoff)
        if broken:
            log.error("invariant broken", handoff=decision.handoff.id, broken=broken, by=type(event).__name__)
        if outcome_of is not None:
            self._done.append(outcome_of)
        done, self._done = self._done, []
        ids = await self._commit(_entry(event, decision, done))
        if ids is None:
            return False  # A fact that the journal has already: its consequences have been ordered before.
        self.handoff = decision.handoff
        self.execute(list(zip(ids, decision.commands, strict=True)))
        self._became(self.handoff)
        self._timer.arm(decision.deadline)
        _log(before, decision, event)
        self._changed.set()
        self._changed = asyncio.Event()
        return bool(decision.commands)

    async def _commit(self, entry: Entry) -> Sequence[int] | None:
        """Nothing is done before it is in the journal: while that fails, try again. Raises
        JournalError after a while."""
        give_up = time.monotonic() + JOURNAL_SECONDS
        while True:
            try:
                return await self._journal.commit(entry)
            except JournalError as error:
                log.error("journal not written", handoff=entry.handoff, entry=entry.event, why=str(error))
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(JOURNAL_RETRY_SECONDS)

    def _deadline_passed(self) -> None:
        self.post(DeadlinePassed(at=time.time(), event_id=new_event_id()))

    async def _flush(self) -> None:
        """Mark what was finished since the last entry, and wait for orders that are still at work."""
        if self._orders:
            await asyncio.gather(*self._orders, return_exceptions=True)
        if self._done:
            await self._journal.mark_done(self._done, time.time())
            self._done = []

    # -- orders ----------------------------------------------------------------------------------------------

    def execute(self, orders: Sequence[tuple[int, Command]]) -> None:
        """Carry out orders: side by side, but one after the other where they are about the same leg. What
        stands first (the join) is on the wire before the others."""
        for position, (outbox_id, command) in enumerate(orders):
            task = asyncio.create_task(self._execute(outbox_id, command, at_once=position == 0))
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)

    async def _execute(self, outbox_id: int, command: Command, *, at_once: bool) -> None:
        self._running[outbox_id] = command
        locks = [self._locks.setdefault(leg, asyncio.Lock()) for leg in legs(command)]
        async with _all(locks):
            try:
                if not at_once:
                    await asyncio.sleep(0)
                outcome = await self._executor.run(self._present, command)
            finally:
                del self._running[outbox_id]
        if outcome is None:
            self._done.append(outbox_id)
        else:
            self.post(outcome, outbox_id)

    def _present(self) -> Handoff:
        assert self.handoff is not None, "orders follow from a decision"
        return self.handoff


class _all:
    """Several locks, always taken in the same order."""

    def __init__(self, locks: Sequence[asyncio.Lock]) -> None:
        self._locks = locks

    async def __aenter__(self) -> None:
        for lock in self._locks:
            await lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.release()


def _entry(event: Event, decision: Decision, done: Sequence[int]) -> Entry:
    handoff = decision.handoff
    return Entry(
        handoff=handoff.id,
        event_id=event.event_id,
        at=event.at,
        event=type(event).__name__,
        event_json=codec.encode(event),
        snapshot_json=codec.encode(handoff),
        state=handoff.state.value,
        team=handoff.team,
        lead_channel=handoff.lead.channel,
        lead_name=handoff.lead.name,
        lead_number=handoff.lead.key or handoff.lead.number,
        settled=handoff.settled,
        agent=handoff.winner.agent.id if handoff.winner is not None else "",
        joined_at=handoff.joined_at,
        ended_at=handoff.ended_at,
        commands=[(type(command).__name__, codec.encode(command)) for command in decision.commands],
        done=done,
    )


def _log(before: Handoff | None, decision: Decision, event: Event) -> None:
    handoff = decision.handoff
    state = before.state if before else None
    if state is not handoff.state:
        log.info(
            "handoff",
            id=handoff.id,
            state=handoff.state.value,
            by=type(event).__name__,
            reason=handoff.reason or None,
        )
