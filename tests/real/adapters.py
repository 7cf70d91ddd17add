"""The ARI and AMI adapters by themselves: connected to a real Asterisk, with a test in the engine's place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.link import AriLink
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.ari.socket import FIRST_RETRY
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.ids import agent_leg, bridge_id, parse_agent_leg
from asterisk_warm.core.handoff.model import LEAD, agent_name
from asterisk_warm.engine.ports.calls import AtDoor, Transfer
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.root import Root

E = TypeVar("E", bound=Event)
PATIENCE = 5.0
SIP_PORT = 25060
_PORTS = {"sip_port": SIP_PORT, "ari_port": 28088, "ami_port": 25038, "rtp_first": 30000, "rtp_last": 34000}
"""Beside the Asterisk that other tests of this worker may still have."""


def private_asterisk(
    root: Root, folder: Path, agents: Sequence[str], dialplan: str, extra: Mapping[str, str] | None = None
) -> PrivateAsterisk:
    own = PrivateAsterisk(root, folder, agents=agents, dialplan=dialplan, extra=extra)
    own.config = replace(own.config, **_PORTS)
    # As every installation has it: Asterisk makes no folder for recordings itself.
    (folder / "spool" / "recording").mkdir(parents=True, exist_ok=True)
    return own


async def nothing_left(asterisk: PrivateAsterisk) -> None:
    """Wait until it has no channel and no bridge any more."""
    deadline = time.monotonic() + PATIENCE
    while left := await asyncio.to_thread(lambda: [*asterisk.channels(), *asterisk.bridges()]):
        assert time.monotonic() < deadline, f"left in Asterisk: {left}"


async def until(what: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.01)


class Engine:
    """In the engine's place: keeps what the link tells, in order."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Event]] = []
        self.doors: list[AtDoor] = []
        self.handoffs: dict[str, tuple[str, str]] = {}
        """Which handoff's leg a channel is, as the tests have it; agents' are known by their ids."""
        self.transfers: list[Transfer] = []
        self.replacements: list[tuple[str, str]] = []
        self.recoveries = 0
        self._changed = asyncio.Event()

    def entered(self, at_door: AtDoor) -> None:
        self.doors.append(at_door)
        self._wake()

    def transfer_asked(self, transfer: Transfer) -> None:
        self.transfers.append(transfer)
        self._wake()

    def replaced(self, channel: str, by: str, at: float, event_id: str) -> None:
        leg = self.leg_of(channel)
        if leg is not None:
            self.handoffs[by] = leg
        self.replacements.append((channel, by))
        self._wake()

    def post(self, handoff: str, event: Event) -> None:
        self.facts.append((handoff, event))
        self._wake()

    def leg_of(self, channel: str) -> tuple[str, str] | None:
        agent = parse_agent_leg(channel)
        return (agent[0], agent_name(agent[1])) if agent else self.handoffs.get(channel)

    async def recover(self) -> None:
        self.recoveries += 1
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, what: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What `what` returns as soon as it is true. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while not (found := what()):
                await self._changed.wait()
        return found

    async def fact(self, kind: type[E], handoff: str) -> E:
        """The first fact of that kind about that handoff."""

        def look() -> E | None:
            return next((e for h, e in self.facts if h == handoff and isinstance(e, kind)), None)

        try:
            found: E = await self.until(look)
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__}; there were {self.facts}") from None
        return found

    def told(self, kind: type[E], handoff: str) -> list[E]:
        return [event for h, event in self.facts if h == handoff and isinstance(event, kind)]


class Adapters:
    """Connected when entered."""

    def __init__(self, asterisk: PrivateAsterisk, app: str = "asterisk_warm") -> None:
        url = asterisk.ari_url.removesuffix("/ari")
        self.asterisk = asterisk
        self.client = AriClient(url, asterisk.ari_user, asterisk.ari_password)
        self.ami = AmiManager(asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_secret)
        self.pbx = AriPbx(self.client, app, self.ami)
        self.link = AriLink(self.client, app, self.pbx)
        self.engine = Engine()
        self.running: asyncio.Task[None] | None = None
        self._ami_running: asyncio.Task[None] | None = None
        self._handoffs = 0

    async def __aenter__(self) -> Self:
        self._ami_running = asyncio.create_task(self.ami.run())
        self.connect()
        await asyncio.wait_for(self.link.reachable(), PATIENCE)
        assert await self.ami.wait_connected(PATIENCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task in (self.running, self._ami_running) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.client.close()

    def connect(self) -> None:
        self.running = asyncio.create_task(self.link.run(self.engine, _nothing))

    async def disconnect(self) -> None:
        """As when the daemon goes: the websocket is closed."""
        assert self.running is not None
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        # As long as the daemon itself pauses: a connection that begins while Asterisk still ends the one before
        # may turn out deaf, and is then made anew, which these scenes are not about.
        await asyncio.sleep(FIRST_RETRY)

    async def lead_at_door(self, number: int = 0) -> tuple[str, str]:
        """The `number`th lead who came: (its channel, a handoff id for it)."""
        await self.engine.until(lambda: len(self.engine.doors) > number)
        channel = self.engine.doors[number].lead.channel
        self._handoffs += 1
        handoff = f"warm-test{self._handoffs}"
        self.engine.handoffs[channel] = handoff, LEAD
        return channel, handoff


def leg(handoff: str, number: int = 1) -> str:
    return agent_leg(handoff, number)


def bridge(handoff: str) -> str:
    return bridge_id(handoff)


async def _nothing() -> None:
    """Nothing to check at connect."""
