"""The real engine in a laboratory: its own event loop with a clock that only the test moves, a journal in
memory that survives it, and a switch to kill it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest
from lead_memory import script_of, stores
from property.handoffs import AGENTS, policy
from property.model_asterisk import ModelPbx
from staff_memory import SetCalendars, SetDevices, store_of

from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.ports.journal import Entry, HandoffRow, StoredEvent, StoredHandoff
from asterisk_warm.engine.ports.pbx import PbxError
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.engine.service import HandoffService
from asterisk_warm.engine.views import Health

START = 1_000_000.0


class Loop(asyncio.SelectorEventLoop):
    """Time stands still until `advance`; `settle` runs whatever can run without it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.tasks: list[asyncio.Task[Any]] = []
        self._timers: list[asyncio.TimerHandle] = []
        self.set_task_factory(self._new_task)

    def __del__(self) -> None:
        # A run that hypothesis gives up on ends without a teardown.
        if not self.is_closed():
            self.close()

    def time(self) -> float:
        return self.now

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        self.tasks.append(task)
        return task

    def call_at(self, when: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
        handle = super().call_at(when, *args, **options)
        self._timers.append(handle)
        return handle

    def next_timer(self) -> float | None:
        self._timers = [t for t in self._timers if not t.cancelled() and t.when() > self.now]
        return min((t.when() for t in self._timers), default=None)

    def settle(self) -> None:
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:  # type: ignore[attr-defined]
                return

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, and every timer fire at its own time."""
        end = self.now + seconds
        while (due := self.next_timer()) is not None and due <= end:
            self.now = due + 1e-6  # never a rounding error too early
            self.settle()
        self.now = max(self.now, end)
        self.settle()

    def cancel_everything(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.settle()
        self.tasks.clear()

    def crashed(self) -> list[BaseException]:
        """What killed a task that should have lived."""
        done = [task for task in self.tasks if task.done()]
        self.tasks = [task for task in self.tasks if not task.done()]
        return [error for task in done if not task.cancelled() and (error := task.exception()) is not None]


@dataclass(slots=True)
class _Kept:
    entries: list[Entry] = field(default_factory=list)
    ids: list[list[int]] = field(default_factory=list)


class MemoryJournal:
    """The journal's contract without a disk, because a disk cannot stand still with the clock. The real one
    runs in `tests/unit/test_engine_mailbox.py`, and is compared with this one there."""

    def __init__(self) -> None:
        self.kept: dict[str, _Kept] = {}
        self.done: dict[int, float] = {}
        self._next = 1

    async def commit(self, entry: Entry) -> Sequence[int] | None:
        kept = self.kept.setdefault(entry.handoff, _Kept())
        if any(e.event_id == entry.event_id for e in kept.entries):
            return None
        ids = list(range(self._next, self._next + len(entry.commands)))
        self._next += len(ids)
        kept.entries.append(entry)
        kept.ids.append(ids)
        self.done |= dict.fromkeys(entry.done, entry.at)
        return ids

    async def mark_done(self, outbox_ids: Sequence[int], at: float) -> None:
        self.done |= dict.fromkeys(outbox_ids, at)

    async def unsettled(self) -> Sequence[StoredHandoff]:
        return [
            StoredHandoff(name, kept.entries[-1].snapshot_json, self._pending(kept))
            for name, kept in self.kept.items()
            if not kept.entries[-1].settled
        ]

    def _pending(self, kept: _Kept) -> Sequence[tuple[int, str, bytes]]:
        return tuple(
            (number, kind, data)
            for entry, ids in zip(kept.entries, kept.ids, strict=True)
            for number, (kind, data) in zip(ids, entry.commands, strict=True)
            if number not in self.done
        )

    async def events(self, handoff: str) -> Sequence[StoredEvent]:
        kept = self.kept[handoff]
        return [
            StoredEvent(
                seq,
                entry.at,
                entry.event,
                entry.event_json,
                entry.state,
                [(kind, data, self.done.get(n)) for n, (kind, data) in zip(ids, entry.commands, strict=True)],
            )
            for seq, (entry, ids) in enumerate(zip(kept.entries, kept.ids, strict=True), 1)
        ]

    async def get(self, handoff: str) -> HandoffRow | None:
        kept = self.kept.get(handoff)
        return None if kept is None else _row(kept)

    async def of_lead(self, number: str, limit: int) -> Sequence[HandoffRow]:
        rows = [_row(kept) for kept in reversed(self.kept.values())]
        return [row for row in rows if row.lead_number == number][:limit]

    async def of_agent(self, agent: str, limit: int) -> Sequence[HandoffRow]:
        talked = [kept for kept in self.kept.values() if kept.entries[-1].agent == agent]
        talked = [kept for kept in talked if kept.entries[-1].joined_at is not None]
        talked.sort(key=lambda kept: kept.entries[-1].joined_at or 0.0, reverse=True)
        return [_row(kept) for kept in talked][:limit]

    async def list(self, open_only: bool, limit: int) -> Sequence[HandoffRow]:
        rows = [_row(kept) for kept in reversed(self.kept.values())]
        return [row for row in rows if not (open_only and row.settled)][:limit]


def _row(kept: _Kept) -> HandoffRow:
    first, last = kept.entries[0], kept.entries[-1]
    return HandoffRow(
        last.handoff,
        last.state,
        last.team,
        last.lead_channel,
        last.lead_name,
        last.lead_number,
        first.at,
        last.at,
        last.settled,
        last.snapshot_json,
    )


async def _run(engine: Engine) -> None:
    await engine.begin((), ())
    await engine.run()


class Engines:
    """The engine's processes, one after the other, upon one journal and one Asterisk."""

    def __init__(
        self, pbx: ModelPbx, loop: Loop, *, transfer_mode: Mode = Mode.STAY, **settings: Any
    ) -> None:
        self.loop = loop
        self.pbx = pbx
        self.journal = MemoryJournal()
        team = Team("sales", "Sales", AGENTS, policy(**settings), "700", transfer_mode)
        self.team = team
        self.store = store_of([team])
        self.devices = SetDevices(lambda phone: "INUSE" if phone in pbx.busy else "NOT_INUSE")
        self.leads, self.scripts, self.qualifications = stores()
        self.screens = Screens({}, 0.25, clock=loop.time)
        self.service: HandoffService | None = None
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._clock = pytest.MonkeyPatch()
        self._clock.setattr(time, "time", loop.time)
        self._clock.setattr("asterisk_warm.engine.agents.staff.LOOK_SECONDS", 3600.0)

    def start(self) -> None:
        engine = Engine(
            journal=self.journal,
            store=self.store,
            pbx=self.pbx,
            speaker=self.pbx,
            crm=self.pbx,
            devices=self.devices,
            calendars=SetCalendars(),
            lamps=None,
            directory=Directory({"sales": self.team}),
            node="test",
            zone=UTC,
            speech_seconds=10.0,
            reachable=self._wait_reachable,
            health=_health,
            leads=self.leads,
            scripts=self.scripts,
            qualifications=self.qualifications,
            read_script=script_of,
            screens=self.screens,
        )
        self.service = engine.handoffs
        self.loop.create_task(_run(engine))
        self._recover()

    async def _wait_reachable(self) -> None:
        await self._reachable.wait()

    def _recover(self) -> None:
        assert self.service is not None
        self.recovery = self.loop.create_task(self._recover_until_read(self.service))
        self.loop.settle()

    async def _recover_until_read(self, service: HandoffService) -> None:
        while True:
            await self._reachable.wait()
            try:
                return await service.recover()
            except PbxError:
                await asyncio.sleep(1.0)

    def connection(self, up: bool) -> None:
        """Lose the connection to Asterisk, or have it back."""
        self.pbx.connected = up
        if up:
            self._reachable.set()
            if self.service is not None:
                self._recover()
        else:
            self._reachable.clear()

    def kill(self) -> None:
        """As `kill -9` does: nothing more is decided, done or written."""
        self.service = None
        self.loop.cancel_everything()
        self.pbx.orders.clear()

    def close(self) -> None:
        self.kill()
        self._clock.undo()
        self.loop.close()


async def _health(open_handoffs: int) -> Health:
    return Health("test", "model", True, True, open_handoffs, ())
