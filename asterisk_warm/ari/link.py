"""The engine's link to Asterisk: events in as facts, leads at the door announced, a reconciliation at every
(re)connect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from asterisk_warm.ari.claim import Claim
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.ari.socket import EventSocket
from asterisk_warm.ari.translate import Translator, lead_at_door
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.ids import parse_agent_leg
from asterisk_warm.engine.ports import LeadAtDoor, PbxError

log = structlog.get_logger(__name__)


class Engine(Protocol):
    """What the link tells the engine."""

    def lead_entered(self, lead: LeadAtDoor, team: str, options: Sequence[str]) -> None: ...

    def post(self, handoff: str, event: Event) -> None: ...

    def handoff_of_lead(self, channel: str) -> str | None: ...

    async def recover(self) -> None: ...


class AriLink:
    """`run` stays connected until cancelled."""

    def __init__(self, client: AriClient, app: str, pbx: AriPbx, claim: Claim | None = None) -> None:
        """Without a `claim`, whoever else serves this application is not asked."""
        self._client = client
        self._app = app
        self._pbx = pbx
        self._claim = claim
        self._connected = asyncio.Event()
        self._held: list[Message] | None = []
        """Events since the connection that wait for the reconciliation; None when that is done."""

    @property
    def connected(self) -> bool:
        """Connected, and reconciled with what Asterisk has."""
        return self._connected.is_set()

    async def reachable(self) -> None:
        """Return as soon as it is connected."""
        await self._connected.wait()

    async def run(self, engine: Engine, ready: Callable[[], Awaitable[None]]) -> None:
        """Serve the engine. `ready` is awaited after each reconciliation. Raises Replaced."""
        if self._claim is not None:
            with suppress(PbxError):  # Where Asterisk is away, nobody is served.
                await self._claim.check()
        translator = Translator(engine.handoff_of_lead)

        def on_event(message: Message) -> None:
            self._pbx.tell(message)
            if self._claim is not None:
                self._claim.tell(message)
            if self._held is not None:
                self._held.append(message)
            else:
                hand_over(message)

        def hand_over(message: Message) -> None:
            if message.type == "StasisStart" and message.channel is not None:
                _stasis_start(engine, message, message.channel)
            for handoff, event in translator.facts(message):
                engine.post(handoff, event)

        async def on_connected() -> None:
            if self._claim is not None:
                await self._claim.make()
            await engine.recover()
            # What happened while Asterisk was read is newer than what was read.
            held, self._held = self._held or [], None
            for message in held:
                hand_over(message)
            self._connected.set()
            await ready()

        def on_lost() -> None:
            self._connected.clear()
            self._held = []
            translator.forget()

        await EventSocket(self._client, self._app, on_event, on_connected, on_lost).run()


def _stasis_start(engine: Engine, message: Message, channel: Channel) -> None:
    if parse_agent_leg(channel.id) is not None:
        return
    at_door = lead_at_door(channel, message.args)
    if at_door is None:
        log.warning(
            "a channel came in another way than by our dialplan", channel=channel.name, args=message.args
        )
        return
    engine.lead_entered(at_door.lead, at_door.team, at_door.options)
