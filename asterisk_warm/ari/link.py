"""The engine's link to Asterisk: events in as facts, leads at the door announced, a reconciliation at every
(re)connect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import structlog

from asterisk_warm.ari.claim import Claim
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.ari.orders import TAKEN
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.ari.socket import EventSocket
from asterisk_warm.ari.times import moment
from asterisk_warm.ari.translate import Translator, lead_at_door, transfer_asked
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.ids import PREFIX
from asterisk_warm.engine.ports.calls import AtDoor, Transfer
from asterisk_warm.engine.ports.pbx import PbxError

log = structlog.get_logger(__name__)


class Engine(Protocol):
    """What the link tells the engine."""

    def entered(self, at_door: AtDoor) -> None: ...

    def transfer_asked(self, transfer: Transfer) -> None: ...

    def replaced(self, channel: str, by: str, at: float, event_id: str) -> None: ...

    def post(self, handoff: str, event: Event) -> None: ...

    def leg_of(self, channel: str) -> tuple[str, str] | None: ...

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
        self._endings: set[asyncio.Task[None]] = set()
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
        translator = Translator(engine.leg_of)

        def on_event(message: Message) -> None:
            self._pbx.hear(message)
            if self._claim is not None:
                self._claim.tell(message)
            if self._held is not None:
                self._held.append(message)
            else:
                hand_over(message)

        def hand_over(message: Message) -> None:
            if message.type == "StasisStart" and message.channel is not None:
                self._stasis_start(engine, message, message.channel)
            elif message.type == "ChannelTransfer":
                transfer = transfer_asked(message)
                if transfer is not None:
                    engine.transfer_asked(transfer)
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

    def _stasis_start(self, engine: Engine, message: Message, channel: Channel) -> None:
        if message.replace_channel is not None:
            event_id = f"{message.timestamp}/{channel.id}/replaced"
            engine.replaced(message.replace_channel.id, channel.id, moment(message), event_id)
            self._end(message.replace_channel.id)
            return
        if channel.id.startswith(PREFIX) or message.args[:1] == [TAKEN]:
            return  # Ours, or fetched by an order that waits for it.
        at_door = lead_at_door(channel, message.args)
        if at_door is None:
            log.warning(
                "a channel came in another way than by our dialplan", channel=channel.name, args=message.args
            )
            return
        engine.entered(at_door)

    def _end(self, replaced: str) -> None:
        """Asterisk would leave it in our application, in silence, with nobody to hang it up."""

        async def end() -> None:
            with suppress(PbxError):
                await self._pbx.hang_up(replaced)

        task = asyncio.create_task(end())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
