"""What the BLF lamps of desk phones show: `Custom:` device states. The hints on them, to which phones
subscribe, are in dialplan/asterisk_warm.conf."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import structlog

from asterisk_warm.ami.devices import STATES
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.ports.pbx import PbxRefused

log = structlog.get_logger(__name__)

_AGENT = re.compile(r"[a-z0-9_-]{1,40}")


class AmiLamps:
    """`engine.agents.ports.Lamps`. What could not be set is set at the next connect, and so is all the rest:
    Asterisk may have lost it meanwhile."""

    def __init__(self, ami: AmiManager) -> None:
        """Before `ami` runs."""
        self._ami = ami
        self._wanted: dict[str, str] = {}
        self._set: dict[str, str] = {}
        self._setting = asyncio.Lock()
        ami.beside(self._after_connect)

    async def show(self, states: Mapping[str, str]) -> None:
        for agent, state in states.items():
            if not _AGENT.fullmatch(agent):
                raise PbxRefused(f"no lamp for {agent!a}: an agent's id is 1 to 40 of a-z, 0-9, _ and -")
            if state not in STATES:
                raise PbxRefused(
                    f"{agent}'s lamp cannot show {state!a}: it shows {', '.join(sorted(STATES))}"
                )
        self._wanted.update(states)
        await self._set_all()

    async def _after_connect(self) -> None:
        self._set.clear()
        try:
            await self._set_all()
        except PbxRefused as refused:
            log.warning("lamps do not follow", why=str(refused))

    async def _set_all(self) -> None:
        async with self._setting:
            for agent, state in list(self._wanted.items()):
                if self._set.get(agent) != state:
                    await self._ami.set_device_state(f"Custom:warm-{agent}", state)
                    self._set[agent] = state
