"""The real engine on a real journal in SQLite, in real time, upon the simulated Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from lead_memory import script_of, stores
from property.handoffs import AGENTS, policy
from property.model_asterisk import LEAD, ModelPbx, World, lead_at_door
from staff_memory import SetCalendars, SetDevices, store_of

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.core.leads import Disposition
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.leads.ports import Crm
from asterisk_warm.engine.ports.calls import AtDoor
from asterisk_warm.engine.ports.journal import Entry
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.engine.views import HandoffView, Health
from asterisk_warm.store import Database, SqlJournal

PATIENCE = 5.0
SOON = 0.02


class WatchedJournal(SqlJournal):
    """The journal, telling when it has written."""

    written: Callable[[], None]

    async def commit(self, entry: Entry) -> Sequence[int] | None:
        ids = await super().commit(entry)
        self.written()
        return ids


class Live:
    def __init__(self, database: Database, **settings: Any) -> None:
        self.world = World(self._told, time.time)
        self.pbx = ModelPbx(self.world, at_once=True)
        self.pbx.entered = self._fetched
        self.world.whose = lambda channel: self.service.leg_of(channel)
        self.world.replaced = lambda *what: self.service.replaced(*what)
        self.directory: dict[str, Any] = {}
        """What the directory has beside the team."""
        self.journal = WatchedJournal(database)
        self.journal.written = self._changed
        self.leads, self.scripts, self.qualifications = stores()
        self.crm: Crm | None = None
        self.dispositions: Sequence[Disposition] = ()
        self.settings = settings
        self._moved = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.store = store_of([Team("sales", "Sales", AGENTS, policy(**settings), number="700")])
        self.devices = SetDevices(lambda phone: "INUSE" if phone in self.pbx.busy else "NOT_INUSE")

    async def start(self) -> None:
        """A new engine, as after a restart."""
        if self._running is not None:
            await self.stop()
        team = Team("sales", "Sales", AGENTS, policy(**self.settings), number="700")
        self.engine = Engine(
            journal=self.journal,
            store=self.store,
            pbx=self.pbx,
            speaker=self.pbx,
            devices=self.devices,
            calendars=SetCalendars(),
            lamps=None,
            directory=Directory({"sales": team}, **self.directory),
            node="test",
            zone=UTC,
            speech_seconds=1.0,
            reachable=self._reachable,
            health=_health,
            leads=self.leads,
            scripts=self.scripts,
            qualifications=self.qualifications,
            read_script=script_of,
            screens=Screens({}, 0.25),
            crm=self.crm,
            dispositions=self.dispositions,
            region="US",
        )
        self.service = self.engine.handoffs
        await self.engine.begin((), ())
        self._running = asyncio.create_task(self.engine.run())

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self.engine.stop()

    async def _reachable(self) -> None:
        await self.reachable.wait()

    def _told(self, handoff: str, event: ev.Event) -> None:
        self.service.post(handoff, event)
        self._changed()

    def _changed(self) -> None:
        self._moved.set()

    def _fetched(self, channel: str, arguments: Sequence[str]) -> None:
        self.enter(channel, arguments[1], arguments[2:])

    def enter(self, channel: str = LEAD, team: str = "sales", options: Sequence[str] = ()) -> str:
        self.service.entered(AtDoor(lead_at_door(channel), team, options))
        leg = self.service.leg_of(channel)
        self.world.handoff = leg[0] if leg is not None else ""
        return self.world.handoff

    async def until(self, what: Callable[[], object]) -> None:
        """Wait until it is so; looked at whenever the journal or the world has changed, and again soon after,
        because what follows from a change takes a few turns of the loop."""
        async with asyncio.timeout(PATIENCE):
            while not what():
                self._moved.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), SOON)

    async def view(self) -> HandoffView:
        return await self.service.show(self.world.handoff)

    async def until_state(self, state: str) -> HandoffView:
        async with asyncio.timeout(PATIENCE):
            while True:
                self._moved.clear()
                row = await self.journal.get(self.world.handoff)
                if row is not None and row.state == state:
                    return await self.view()
                await self._moved.wait()  # a row is there as soon as it is told to be

    async def until_settled(self) -> HandoffView:
        await self.until(lambda: self.service.leg_of(LEAD) is None)
        return await self.view()

    async def until_rung(self) -> None:
        """Until the phone of everybody who is offered the lead rings."""
        await self.until(self._all_ring)

    def _all_ring(self) -> bool:
        handoffs = [handoff for handoff in self.service.open_handoffs if handoff.id == self.world.handoff]
        offered = {offer.number for handoff in handoffs for offer in handoff.offers if offer.leg_open}
        rung = {number for number, leg in self.world.agents().items() if leg.dialed}
        return bool(offered) and offered <= rung

    async def until_heard(self, what: Playing) -> str:
        def playing() -> list[str]:
            return [playback for playback in self.world.playbacks if f"~{what}~" in playback]

        await self.until(playing)
        return playing()[0]


async def _health(open_handoffs: int) -> Health:
    return Health("test", "model", True, True, open_handoffs, ())


@asynccontextmanager
async def live(folder: Path, **settings: Any) -> AsyncIterator[Live]:
    async with await Database.open(f"sqlite:///{folder / 'warm.db'}") as database:
        stage = Live(database, **settings)
        await stage.start()
        try:
            yield stage
        finally:
            await stage.stop()
