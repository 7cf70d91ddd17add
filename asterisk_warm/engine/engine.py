"""The engine, put together: what the daemon gives its adapters to, and what the tests run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo

from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.presence import Declared
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord
from asterisk_warm.engine.agents.dispatcher import Dispatcher
from asterisk_warm.engine.agents.lamps import LampKeeper
from asterisk_warm.engine.agents.ports import AgentStore, Calendars, Devices, Lamps
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.directory import Directory
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.leads.known import KnownLeads
from asterisk_warm.engine.leads.ports import Crm, LeadStore
from asterisk_warm.engine.leads.service import LeadService
from asterisk_warm.engine.ports.journal import Journal
from asterisk_warm.engine.ports.pbx import Pbx
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.qualifying.ports import QualificationStore, ScriptReader, ScriptStore
from asterisk_warm.engine.qualifying.scripts import Places, ScriptService, nowhere
from asterisk_warm.engine.qualifying.service import QualificationService
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.engine.service import HandoffService
from asterisk_warm.engine.views import Health


class Engine:
    def __init__(
        self,
        *,
        journal: Journal,
        store: AgentStore,
        pbx: Pbx,
        speaker: Speaker,
        devices: Devices,
        calendars: Calendars,
        lamps: Lamps | None,
        directory: Directory,
        node: str,
        zone: tzinfo,
        speech_seconds: float,
        reachable: Callable[[], Awaitable[None]],
        health: Callable[[int], Awaitable[Health]],
        leads: LeadStore,
        scripts: ScriptStore,
        qualifications: QualificationStore,
        read_script: ScriptReader,
        screens: Screens,
        crm: Crm | None = None,
        dispositions: Sequence[Disposition] = (),
        region: str = "",
        places: Places = nowhere,
    ) -> None:
        """`node` names this daemon among those that use the same store; `zone` is the machine's. Without
        `lamps`, none are set; without a `crm`, none is asked. `region`: where numbers without a country code
        are from (`US`); `places`: where in a script's source its parts are."""
        executor = Executor(pbx, speaker, crm, screens, speech_seconds=speech_seconds, reachable=reachable)
        self.scripts = ScriptService(scripts, read_script, places)
        self.qualifications = QualificationService(
            qualifications, self.scripts, leads, region=region, zone=zone, finished=screens.qualified
        )
        self.leads = LeadService(
            leads, journal, qualifications, dispositions=dispositions, region=region, told=screens.outcome
        )
        known = KnownLeads(leads, qualifications, self.scripts, journal, dispositions, region)
        intake = Intake(directory, known)
        self.standing_lines = intake.standing_lines
        self.staff = Staff(store, devices, calendars, zone, directory.update)
        self._lamps = None if lamps is None else LampKeeper(self.staff, lamps)
        self._dispatcher = Dispatcher(self.staff, node)
        self.agents = AgentService(self.staff, store, journal, directory, self._dispatcher, key=known.key)
        self.handoffs = HandoffService(
            journal,
            pbx,
            executor,
            intake,
            self.agents,
            self._dispatcher,
            health,
            speaker,
            self.leads.outcomes,
        )

    async def begin(
        self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord], initial: Declared = Declared.READY
    ) -> Sequence[Conflict]:
        """Bring what the configuration says of agents and teams together with the store, and read what it
        has. Who is new is `initial`. Raises JournalError."""
        return await self.agents.begin(agents, teams, initial)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.staff.run())
            tasks.create_task(self._dispatcher.run(self.handoffs.tell))
            if self._lamps is not None:
                tasks.create_task(self._lamps.run())

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await self.handoffs.stop()
        await self._dispatcher.stop()
        self.staff.stop()
