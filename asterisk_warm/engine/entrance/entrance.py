"""The ways in, put together. What comes from a call or a phone runs by itself: nobody waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.entrance.arrivals import Arrivals
from asterisk_warm.engine.entrance.aside import Aside
from asterisk_warm.engine.entrance.codes import FeatureCodes
from asterisk_warm.engine.entrance.live import LiveCalls, Request
from asterisk_warm.engine.entrance.requests import Requests
from asterisk_warm.engine.entrance.transfer_key import TransferKey
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.ports.calls import AtDoor, InCall, Transfer
from asterisk_warm.engine.ports.pbx import Pbx
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.switchboard import Switchboard


class Entrance:
    def __init__(
        self, pbx: Pbx, open_handoffs: Switchboard, intake: Intake, agents: AgentService, speaker: Speaker
    ) -> None:
        live, aside = LiveCalls(pbx, open_handoffs, intake), Aside(pbx, speaker)
        self._requests = Requests(pbx, intake, live)
        self._arrivals = Arrivals(pbx, open_handoffs, intake, live, self._requests, self._spawn)
        self._codes = FeatureCodes(pbx, intake.directory, agents, live, aside)
        self._transfer_key = TransferKey(pbx, open_handoffs, intake.directory, live, aside)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, channel: str, qualifier: str, request: Request) -> Handoff:
        """See `Requests.start`. Raises Refused."""
        return await self._requests.start(channel, qualifier, request)

    def entered(self, at_door: AtDoor) -> None:
        """A channel has entered our application."""
        self._arrivals.entered(at_door)

    def asked_in_call(self, asked: InCall) -> None:
        self._spawn(self._codes.dialled(asked))

    def transfer_asked(self, transfer: Transfer) -> None:
        self._spawn(self._transfer_key.pressed(transfer))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
