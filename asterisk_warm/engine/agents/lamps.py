"""Keeps the lamps of desk phones true to presence."""

from __future__ import annotations

import asyncio
import time

import structlog

from asterisk_warm.core import presence as core
from asterisk_warm.engine.agents.ports import Lamps
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.ports.pbx import PbxError

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0


class LampKeeper:
    def __init__(self, staff: Staff, lamps: Lamps) -> None:
        self._staff = staff
        self._lamps = lamps
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        staff.listen(self._told)

    def _told(self, agent: str) -> None:
        self._changed.add(agent)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        self._told("")
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            try:
                await self._lamps.show(self._states(changed))
            except PbxError as error:
                log.info("lamps not set", why=str(error))
                self._changed |= changed
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

    def _states(self, changed: set[str]) -> dict[str, str]:
        now = time.time()
        return {
            agent.record.id: core.lamp(agent.presence, self._staff.why_not(agent.record.id, now)).value
            for agent in self._staff.agents
            if "" in changed or agent.record.id in changed
        }
