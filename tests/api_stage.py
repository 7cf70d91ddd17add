"""The real API, engine and SQLite store, upon the model of Asterisk: its orders are carried out at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import aiohttp
from property.handoffs import AGENTS, policy
from property.model_asterisk import LEAD, QUALIFIER, Leg, ModelPbx, World, lead_at_door
from staff_memory import SetCalendars, SetDevices, store_of

from asterisk_warm.api.network import Network
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.server import Api
from asterisk_warm.api.services import Services
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.config import script_file
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.ids import PREFIX, bridge_id
from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.daemon.adapters import script_of
from asterisk_warm.engine.directory import Directory, Outside, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.ports.calls import AtDoor
from asterisk_warm.engine.ports.pbx import PbxError, PbxUnreachable
from asterisk_warm.engine.screens.ports import Notice
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.engine.views import Health
from asterisk_warm.store import (
    Database,
    SqlAgents,
    SqlDeliveries,
    SqlJournal,
    SqlLeads,
    SqlQualifications,
    SqlScripts,
    SqlTokens,
)
from asterisk_warm.webhooks import Endpoint, Webhooks

SECONDS = 10.0
"""How long a test waits for what must come."""
JSON = "application/json"
PROBLEM = "application/problem+json"
TEAMS = {
    "sales": Team("sales", "Sales", AGENTS, policy()),
    "vip": Team("vip", "Very Important", AGENTS[:1], replace(policy(), require=("ready", "consent.call"))),
}


WEBHOOKS = tuple(Endpoint(name, "http://127.0.0.1:9/", (), frozenset()) for name in ("crm", "wall"))
"""Nothing is sent there."""
DISPOSITIONS = (Disposition("sold", "Sold", "1"), Disposition("callback", "Call back", "2"))


class PromptPbx(ModelPbx):
    """Carries out every order when it is given, and remembers its name."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.done: list[str] = []
        self.rung: list[str] = []
        """Endpoints."""
        self._more = asyncio.Condition()

    async def _order(self, name: str, *stages: Any, seconds: float | None = None) -> Any:
        if not self.connected:
            raise PbxUnreachable("no connection")
        said = None
        try:
            for stage in stages:
                said = stage()
        finally:
            async with self._more:
                self.done.append(name)
                self._more.notify_all()
        return said

    async def ring(self, leg: str, lead: str, endpoint: str, *rest: Any) -> None:
        self.rung.append(endpoint)
        await super().ring(leg, lead, endpoint, *rest)

    async def ordered(self, beginning: str) -> None:
        """Wait until an order whose name begins so has been carried out."""
        async with asyncio.timeout(SECONDS), self._more:
            await self._more.wait_for(lambda: any(name.startswith(beginning) for name in self.done))


class Stage:
    """A daemon without Asterisk. `ask` is an HTTP request; `world` is where people act."""

    def __init__(self, database: Database, socket: Path, network: Network | None = None) -> None:
        self.socket = socket
        self.present: dict[str, list[Notice]] = {}
        """What a screen that connects is to show, by agent."""
        self.hub = ScreenHub(self._present)
        self.tokens = Tokens(SqlTokens(database))
        self.deliveries = SqlDeliveries(database)
        self.database = database
        self.health = Health("1.2.3", "22.10.1", True, True, 0, ())
        self.world = World(self._tell, time.time)
        self.pbx = PromptPbx(self.world)
        self.pbx.entered = self._entered
        self.devices = SetDevices(lambda phone: "INUSE" if phone in self.pbx.busy else "NOT_INUSE")
        self.calendars = SetCalendars()
        self.store = SqlAgents(database)
        self.engine = Engine(
            journal=SqlJournal(database),
            store=self.store,
            pbx=self.pbx,
            speaker=self.pbx,
            devices=self.devices,
            calendars=self.calendars,
            lamps=None,
            directory=Directory(
                TEAMS,
                default=Team("", "", (), policy()),
                outside=Outside(("+1555*",), "PJSIP/{number}@trunk"),
            ),
            node="test",
            zone=UTC,
            speech_seconds=3.0,
            reachable=self._reachable,
            health=self._health,
            leads=SqlLeads(database),
            scripts=SqlScripts(database),
            qualifications=SqlQualifications(database),
            read_script=script_of,
            screens=Screens({"screens": self.hub}, 0.25),
            dispositions=DISPOSITIONS,
            region="US",
            places=script_file.places,
        )
        self.service = self.engine.handoffs
        self.world.whose = self.service.leg_of
        self.api = Api(
            Services(
                self.service,
                self.engine.agents,
                self.engine.leads,
                self.engine.scripts,
                self.engine.qualifications,
                Webhooks(self.deliveries, WEBHOOKS),
            ),
            socket,
            screens=self.hub,
            tokens=self.tokens,
            network=network,
        )

    async def begin(self) -> None:
        seeds = store_of(TEAMS.values())
        conflicts = await self.engine.begin(list(seeds.records.values()), list(seeds.team_records.values()))
        assert not conflicts

    async def records(self) -> dict[str, AgentRecord]:
        """Who the agents are, by id."""
        return {agent.record.id: agent.record for agent in await self.store.agents()}

    def lead_waits(self, channel: str = LEAD) -> None:
        """A lead who is in the dialplan."""
        self.world.legs[channel] = Leg(channel, up=True, in_app=False)

    async def lead_is_offered(self, **more: Any) -> str:
        """A lead who waits is handed off, and the phones ring. Returns the handoff's id."""
        self.lead_waits()
        return await self.is_offered(channel=LEAD, **more)

    async def qualifier_offers(self, **more: Any) -> str:
        """A qualifier who talks to a lead hands them off, and the phones ring. Returns the handoff's id."""
        self.world.lead_talks_to_qualifier()
        return await self.is_offered(qualifier=QUALIFIER, **more)

    async def is_offered(self, **body: Any) -> str:
        status, view = await self.ask("POST", "/v1/handoffs", {"team": "sales", **body})
        assert status == 201, view
        await self.pbx.ordered("ring")
        return str(view["id"])

    async def agent_accepts(self) -> None:
        self.world.agent_answers(1)
        await self.pbx.ordered("play")
        self.world.agent_presses(1, "1")

    async def agent_takes_it(self) -> None:
        """One answers and accepts, the lead hears who it is, and they talk."""
        await self.agent_accepts()
        await self.pbx.ordered("join")
        leg = self.service.leg_of(LEAD)
        assert leg is not None
        for playback in self.world.hears(bridge_id(leg[0])):
            self.world.playback_ends(playback)
        await self.pbx.ordered("let go")

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, answer, _ = await self.ask_raw(method, path, json=body)
        return status, answer

    async def ask_raw(self, method: str, path: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """(status, decoded answer, response). Whatever the answer, it is JSON of the right kind."""
        connector = aiohttp.UnixConnector(path=str(self.socket))
        async with (
            aiohttp.ClientSession("http://localhost", connector=connector) as session,
            session.request(method, path, **more) as response,
        ):
            answer = await response.json(content_type=JSON if response.status < 300 else PROBLEM)
            return response.status, answer, response

    def _tell(self, handoff: str, event: Event) -> None:
        self.service.post(handoff, event)

    def _entered(self, channel: str, arguments: Sequence[str]) -> None:
        self.service.entered(AtDoor(lead_at_door(channel), arguments[1], arguments[2:]))

    def _present(self, agent: str) -> Sequence[Notice]:
        return self.present.get(agent, [])

    async def _health(self, open_handoffs: int) -> Health:
        return self.health

    async def _reachable(self) -> None:
        if not self.pbx.connected:
            raise PbxError("no connection")


@asynccontextmanager
async def open_stage(folder: Path, network: Network | None = None) -> AsyncIterator[Stage]:
    async with await Database.open(f"sqlite:///{folder / 'warm.db'}") as database:
        stage = Stage(database, folder / "api.sock", network)
        await stage.begin()
        running = asyncio.create_task(stage.engine.run())
        await stage.api.start()
        try:
            yield stage
        finally:
            await stage.api.stop()
            await stage.engine.stop()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


__all__ = ["JSON", "LEAD", "PREFIX", "PROBLEM", "QUALIFIER", "SECONDS", "Stage", "open_stage"]
