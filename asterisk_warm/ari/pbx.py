"""The engine's `Pbx` port by ARI (and AMI for channels that are not ours yet)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from asterisk_warm.ari.awaited import Awaited
from asterisk_warm.ari.client import AriClient, NotThere, part
from asterisk_warm.ari.model import Application, Bridge, Channel, DeviceState, Message, Variable
from asterisk_warm.ari.shown import literal, shown_name, shown_number
from asterisk_warm.ari.translate import lead_at_door
from asterisk_warm.engine.ports import (
    EndpointUnreachable,
    Found,
    FoundChannel,
    LegGone,
    Location,
    PbxError,
    PbxRefused,
    PbxUnreachable,
)

CREATE_SECONDS = 4.0
"""How long a created channel may take to enter our application."""
DIAL_SECONDS = 1.0
"""How long the order to dial may take to become an INVITE before we stop watching for it."""
WAKE_AFTER = (0.003, 0.01, 0.02)
"""Pauses before a channel that has not carried out an order yet is woken."""
BACKSTOP_SECONDS = 2
"""Asterisk's own ring time-out comes that much after ours, which it stands in for when we are away."""
DIALLED = "WARM_DIALLED"
DEFAULT_MUSIC = "default"
TIMEOUT = "TIMEOUT(absolute)"
_IN_STASIS = ("Stasis", "AppDial2", "")
"""What a channel of an ARI application is shown to run; a created one may not be shown to run anything
yet."""
_NOT_CALLABLE = {"UNAVAILABLE": "phone not registered", "INVALID": "no such device in Asterisk"}
_PLACE = frozenset("+-_*#.@/")

T = TypeVar("T")


class Manager(Protocol):
    """AMI's part: what ARI cannot do to a channel that is not in an application, or is asleep."""

    async def redirect(self, channel: str, location: Location) -> None: ...

    async def set_variable(self, channel: str, name: str, value: str) -> None: ...


class AriPbx:
    def __init__(self, client: AriClient, app: str, manager: Manager) -> None:
        self._ari = client
        self._app = app
        self._manager = manager
        self._awaited = Awaited()
        self._perhaps_joined: set[str] = set()
        """Agents whose joining met no answer."""
        self._names: dict[str, str] = {}
        """What Asterisk calls the agents' channels, by our ids."""

    def tell(self, message: Message) -> None:
        """Every event, so that an order can wait for the one that it causes."""
        self._awaited.tell(message)
        if message.channel is None:
            return
        if message.type == "StasisStart":
            self._names[message.channel.id] = message.channel.name
        elif message.type in ("ChannelDestroyed", "StasisEnd"):
            self._names.pop(message.channel.id, None)
            self._perhaps_joined.discard(message.channel.id)

    # -- the lead --------------------------------------------------------------------------------------------

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        # Music before the answer is lost in the answer and cannot be heard afterwards: answer, music, bridge.
        await _all(self._make_bridge(bridge), self._answer(lead))
        await self.hold_music(lead, music)
        await _all(self._add(bridge, lead), self._set_all(lead, variables))

    async def _answer(self, lead: str) -> None:
        await self._promptly(lead, self._post(f"/channels/{lead}/answer"))

    async def _make_bridge(self, bridge: str) -> None:
        try:
            await self._post(f"/bridges/{bridge}", type="mixing,dtmf_events", name=bridge)
        except PbxRefused:
            # Refused when it exists, by whichever code: a repeated order.
            with suppress(NotThere):
                await self._ari.get(f"/bridges/{bridge}", Bridge)
                return
            raise

    async def hold_music(self, lead: str, music: str) -> None:
        await self._post(f"/channels/{lead}/moh", mohClass=music or DEFAULT_MUSIC)

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        # In a bridge Asterisk suspends the channel's music for the file and resumes it by itself (16 and 22):
        # should we be gone by then, the lead is not left in silence.
        await self.play(lead, playback, media)

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        await self._set_all(lead, variables)
        await self._continue(lead, to)

    async def _continue(self, channel: str, to: Location | None) -> None:
        query = {}
        if to is not None:
            query = {"context": to.context, "extension": to.extension, "priority": str(to.priority)}
        await self._post(f"/channels/{channel}/continue", **query)

    # -- agents ----------------------------------------------------------------------------------------------

    async def devices(self, endpoints: Sequence[str]) -> Mapping[str, str]:
        states = await asyncio.gather(*(self._device(endpoint) for endpoint in endpoints))
        return dict(zip(endpoints, states, strict=True))

    async def _device(self, endpoint: str) -> str:
        return (await self._ari.get(f"/deviceStates/{part(endpoint)}", DeviceState)).state

    async def ring(
        self,
        leg: str,
        lead: str,
        endpoint: str,
        name: str,
        number: str,
        seconds: float,
        variables: Mapping[str, str],
    ) -> None:
        shown = f'"{shown_name(name)}" <{shown_number(number)}>'
        existing = await self._create(leg, lead, endpoint, {**variables, "CONNECTEDLINE(all,i)": shown})
        if existing is not None and (existing.state != "Down" or await self._dialled(leg)):
            return  # It rings, has been answered, or its phone has not begun to ring yet.
        with self._awaited.event("Dial", leg) as dialled:
            try:
                await self._post(f"/channels/{leg}/dial", timeout=str(round(seconds) + BACKSTOP_SECONDS))
            except PbxRefused:
                if existing is None:
                    raise
                return  # It has begun to ring in this moment.
            await self._post(f"/channels/{leg}/variable", variable=DIALLED, value="yes")
            # How it goes on is told by events, whether this one is seen or not.
            with suppress(TimeoutError):
                await self._promptly(leg, asyncio.wait_for(dialled, DIAL_SECONDS))

    async def _dialled(self, leg: str) -> bool:
        """Asterisk does not show it, and a second order to dial ends the call (16 and 22)."""
        with suppress(NotThere):
            return bool((await self._ari.get(f"/channels/{leg}/variable", Variable, variable=DIALLED)).value)
        return False

    async def _create(
        self, leg: str, lead: str, endpoint: str, variables: Mapping[str, str]
    ) -> Channel | None:
        """Make the channel and wait until it is ours; the channel itself when it was there before."""
        # As the lead's call out: with its linkedid, and its codec first.
        query = {"endpoint": endpoint, "app": self._app, "channelId": leg, "originator": lead}
        with self._awaited.event("StasisStart", leg) as entered:
            try:
                await self._ari.request("POST", "/channels/create", query, {"variables": dict(variables)})
            except PbxRefused as refused:
                # Because it exists (a repeated order), or because it cannot be made: only a look tells.
                with suppress(LegGone):
                    return await self._ari.get(f"/channels/{leg}", Channel)
                raise await self._why_not(endpoint, refused) from refused
            try:
                await asyncio.wait_for(entered, CREATE_SECONDS)
            except TimeoutError:
                words = f"the new channel {leg} did not enter our application within {CREATE_SECONDS:g} s"
                raise PbxUnreachable(words) from None
        return None

    async def _why_not(self, endpoint: str, refused: PbxRefused) -> PbxRefused:
        """Asterisk refuses a channel to a phone that is away as it does anything else, and does not say
        why."""
        state = await self._device(endpoint)
        if state in _NOT_CALLABLE:
            return EndpointUnreachable(_NOT_CALLABLE[state])
        return PbxRefused(f"Asterisk could not make a channel to {endpoint} ({refused})")

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        await self._post(f"/channels/{channel}/play/{part(playback)}", media=",".join(media))

    async def stop_playback(self, playback: str) -> None:
        with suppress(NotThere):
            await self._delete(f"/playbacks/{part(playback)}")

    async def hang_up(self, channel: str) -> None:
        await self._delete(f"/channels/{channel}")

    # -- together --------------------------------------------------------------------------------------------

    async def join(
        self,
        lead: str,
        agent: str,
        bridge: str,
        stop: Sequence[str],
        introduction: Sequence[str],
        playback: str,
    ) -> None:
        # In this order on the wire: nobody can be brought in while something is played to them.
        quiet = [*(self.stop_playback(one) for one in stop), self._delete(f"/channels/{lead}/moh")]
        await _all(*quiet, self._bring_in(bridge, agent))
        if introduction:
            # Both hear the same line at the same time, so both know when to speak; it is over for both at
            # once.
            await _all(
                self.play(lead, playback, introduction), self.play(agent, f"{playback}-agent", introduction)
            )
        await self._delete(f"/channels/{lead}/moh")

    async def _bring_in(self, bridge: str, agent: str) -> None:
        """Added once only: who is in already would leave and come in again."""
        if agent in self._perhaps_joined and await self._is_in(bridge, agent):
            return
        try:
            await self._promptly(agent, self._add(bridge, agent))
        except PbxUnreachable:
            self._perhaps_joined.add(agent)
            raise
        self._perhaps_joined.discard(agent)

    async def let_go(self, lead: str, agent: str, variables: Mapping[str, str]) -> None:
        # Told of both ends even though they leave our application.
        sources = f"channel:{lead},channel:{agent}"
        peer = self._names.get(agent) or (await self._ari.get(f"/channels/{agent}", Channel)).name
        await _all(
            self._post(f"/applications/{self._app}/subscription", eventSource=sources),
            self._set_all(lead, {**variables, "WARM_PEER": peer}),
        )
        await self._continue(lead, Location("warm-connected", "s", 1))

    async def close_bridge(self, bridge: str) -> None:
        with suppress(NotThere):
            await self._delete(f"/bridges/{bridge}")

    # -- looking ---------------------------------------------------------------------------------------------

    async def look(self) -> Found:
        channels, bridges, application = await asyncio.gather(
            self._ari.get("/channels", list[Channel]),
            self._ari.get("/bridges", list[Bridge]),
            self._ari.get(f"/applications/{self._app}", Application),
        )
        place = {channel: bridge for bridge in bridges for channel in bridge.channels}
        ours = set(application.channel_ids)

        def found(channel: Channel) -> FoundChannel:
            bridge = place.get(channel.id)
            # We stay subscribed to a pair that was let go, and the agent's channel goes on being shown as in
            # Stasis: only the kind of bridge it is in tells.
            let_go = bridge is not None and bridge.bridge_class != "stasis"
            inside = channel.id in ours and channel.dialplan.app_name in _IN_STASIS and not let_go
            return FoundChannel(channel.id, channel.state == "Up", bridge.id if bridge else None, inside)

        all_found = {channel.id: found(channel) for channel in channels}
        inside = (channel for channel in channels if all_found[channel.id].in_stasis)
        # The first of Stasis()'s arguments is the application.
        doors = (lead_at_door(channel, channel.dialplan.app_data.split(",")[1:]) for channel in inside)
        return Found(all_found, frozenset(bridge.id for bridge in bridges), [door for door in doors if door])

    async def locate(self, channel: str) -> tuple[str, Location | None]:
        found, bridges = await asyncio.gather(self._find(channel), self._ari.get("/bridges", list[Bridge]))
        if any(found.id in bridge.channels for bridge in bridges):
            return found.id, None
        place = Location(found.dialplan.context, found.dialplan.exten, found.dialplan.priority)
        return found.id, place

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        found = await self._find(channel)
        back = location or Location("warm-fetch", "h", 1)
        for name in (back.context, back.extension):
            if not name or not all(c.isalnum() or c in _PLACE for c in name):
                raise PbxRefused(f'"{name[:40]}" is not the name of a place in the dialplan')
        place = f"{back.context},{back.extension},{back.priority}"
        # By AMI: ARI sets variables of channels in an application only.
        await _all(
            self._manager.set_variable(found.name, "WARM_ARGUMENTS", ",".join(arguments)),
            self._manager.set_variable(found.name, "WARM_RETURN", place),
        )
        await self._manager.redirect(found.name, Location("warm-fetch", "s", 1))

    async def _find(self, channel: str) -> Channel:
        """By id, or by name (`PJSIP/ana-00000001`), which ARI knows but does not ask by."""
        if "/" not in channel:
            return await self._ari.get(f"/channels/{part(channel)}", Channel)
        for found in await self._ari.get("/channels", list[Channel]):
            if found.name == channel:
                return found
        raise LegGone(f"no channel {channel}")

    # -- small -----------------------------------------------------------------------------------------------

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
        limit = await self._ari.get(f"/channels/{channel}/variable", Variable, variable=TIMEOUT)
        await self._manager.set_variable(channel, TIMEOUT, limit.value or "0")

    async def _add(self, bridge: str, channel: str) -> None:
        await self._post(f"/bridges/{bridge}/addChannel", channel=channel)

    async def _is_in(self, bridge: str, channel: str) -> bool:
        return channel in (await self._ari.get(f"/bridges/{bridge}", Bridge)).channels

    async def _set_all(self, channel: str, variables: Mapping[str, str]) -> None:
        if variables:
            body = {
                "variable": f"ARRAY({','.join(variables)})",
                "value": ",".join(map(literal, variables.values())),
            }
            await self._ari.request("POST", f"/channels/{channel}/variable", body=body)

    async def _post(self, path: str, **query: str) -> None:
        await self._ari.request("POST", path, query)

    async def _delete(self, path: str) -> None:
        await self._ari.request("DELETE", path)


async def _all(*orders: Awaitable[object]) -> None:
    """Side by side; the first error is raised only when all are over, so that none goes on unseen."""
    results = await asyncio.gather(*orders, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
