"""Single orders to Asterisk, as the parts of the engine's `Pbx` port are made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from asterisk_warm.ari.awaited import Awaited
from asterisk_warm.ari.client import AriClient, NotThere, part
from asterisk_warm.ari.model import Bridge, Message, Variable
from asterisk_warm.ari.shown import literal
from asterisk_warm.ari.undead import Undead
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused

WAKE_AFTER = (0.003, 0.01, 0.02)
"""Pauses before a channel that has not carried out an order yet is woken."""
TIMEOUT = "TIMEOUT(absolute)"
DEFAULT_MUSIC = "default"
TAKEN = "taken"
"""The argument of our application of channels that an order of ours has fetched."""
CREATE_SECONDS = 4.0
"""How long a channel may take to enter our application."""

T = TypeVar("T")


class Manager(Protocol):
    """AMI's part: what ARI cannot do to a channel that is not in an application, or is asleep."""

    async def redirect(
        self, channel: str, location: Location, other: str = "", elsewhere: Location | None = None
    ) -> None: ...

    async def extension_exists(self, context: str, extension: str) -> bool: ...

    async def log_queue(
        self, queue: str, event: str, interface: str, message: str, unique_id: str
    ) -> None: ...

    async def set_variable(self, channel: str, name: str, value: str) -> None: ...


class Orders:
    def __init__(self, client: AriClient, app: str, manager: Manager) -> None:
        self._ari = client
        self._app = app
        self._manager = manager
        self._awaited = Awaited()
        self._undead = Undead(self.hang_up)
        self._perhaps_joined: set[str] = set()
        """Agents whose joining met no answer."""
        self._names: dict[str, str] = {}
        """What Asterisk calls the agents' channels, by our ids."""

    def hear(self, message: Message) -> None:
        """Every event, so that an order can wait for the one that it causes."""
        self._awaited.tell(message)
        self._undead.hear(message)
        if message.channel is None:
            return
        if message.type == "StasisStart":
            self._names[message.channel.id] = message.channel.name
        elif message.type in ("ChannelDestroyed", "StasisEnd"):
            self._names.pop(message.channel.id, None)
            self._perhaps_joined.discard(message.channel.id)

    async def _answer(self, lead: str) -> None:
        await self._promptly(lead, self._post(f"/channels/{part(lead)}/answer"))

    async def _make_bridge(self, bridge: str) -> None:
        try:
            await self._post(f"/bridges/{part(bridge)}", type="mixing,dtmf_events", name=bridge)
        except PbxRefused:
            # Refused when it exists, by whichever code: a repeated order.
            with suppress(NotThere):
                await self._ari.get(f"/bridges/{part(bridge)}", Bridge)
                return
            raise

    async def _continue(self, channel: str, to: Location | None) -> None:
        query = {}
        if to is not None:
            query = {"context": to.context, "extension": to.extension, "priority": str(to.priority)}
        await self._post(f"/channels/{part(channel)}/continue", **query)

    async def hold_music(self, lead: str, music: str) -> None:
        await self._post(f"/channels/{part(lead)}/moh", mohClass=music or DEFAULT_MUSIC)

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        await self._post(f"/channels/{part(channel)}/play/{part(playback)}", media=",".join(media))

    async def stop_playback(self, playback: str) -> None:
        with suppress(NotThere):
            await self._delete(f"/playbacks/{part(playback)}")

    async def hang_up(self, channel: str) -> None:
        await self._delete(f"/channels/{part(channel)}")

    async def _subscribe(self, *channels: str) -> None:
        sources = ",".join(f"channel:{channel}" for channel in channels)
        try:
            await self._post(f"/applications/{self._app}/subscription", eventSource=sources)
        except PbxRefused as refused:
            # Asterisk says so of a channel that is not there.
            raise LegGone("the channel is gone") from refused

    async def _promptly(self, channel: str, order: Awaitable[T]) -> T:
        """See an order on a channel through. Before 20.9 and 21.4, Asterisk looks at the orders for a
        channel without sound (not answered yet) only every 200 ms, unless something wakes it."""
        if self._ari.over_websocket:
            return await order  # As every Asterisk with that wakes a channel for each order.
        task = asyncio.ensure_future(order)
        try:
            for pause in WAKE_AFTER:
                done, _ = await asyncio.wait({task}, timeout=pause)
                if done:
                    break
                with suppress(PbxError):
                    await self._wake(channel)
            return await task
        finally:
            task.cancel()

    async def _wake(self, channel: str) -> None:
        """Set the channel's time limit to what it is: the one harmless thing that wakes it."""
        limit = await self._ari.get(f"/channels/{part(channel)}/variable", Variable, variable=TIMEOUT)
        await self._manager.set_variable(channel, TIMEOUT, limit.value or "0")

    async def _add(self, bridge: str, channel: str, *, absorb: bool = False, quietly: bool = False) -> None:
        """With `absorb`, the others in the bridge hear nothing of the keys that are pressed; `quietly`, their
        phones are not told who has come (where Asterisk can: before 18 it tells them)."""
        query = {"absorbDTMF": "true"} if absorb else {}
        if quietly:
            query["inhibitConnectedLineUpdates"] = "true"
        await self._post(f"/bridges/{part(bridge)}/addChannel", channel=channel, **query)

    async def _remove(self, bridge: str, channel: str) -> None:
        with suppress(PbxRefused):  # Not in it, or no such bridge.
            await self._post(f"/bridges/{part(bridge)}/removeChannel", channel=channel)

    async def _is_in(self, bridge: str, channel: str) -> bool:
        return channel in (await self._ari.get(f"/bridges/{part(bridge)}", Bridge)).channels

    async def _set_all(self, channel: str, variables: Mapping[str, str]) -> None:
        if variables:
            body = {
                "variable": f"ARRAY({','.join(variables)})",
                "value": ",".join(map(literal, variables.values())),
            }
            await self._ari.request("POST", f"/channels/{part(channel)}/variable", body=body)

    async def _variable(self, channel: str, name: str) -> str:
        with suppress(NotThere):
            return (await self._ari.get(f"/channels/{part(channel)}/variable", Variable, variable=name)).value
        return ""

    async def _post(self, path: str, **query: str) -> None:
        await self._ari.request("POST", path, query)

    async def _delete(self, path: str) -> None:
        await self._ari.request("DELETE", path)


async def all_of(*orders: Awaitable[object]) -> None:
    """Side by side; the first error is raised only when all are over, so that none goes on unseen."""
    results = await asyncio.gather(*orders, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
