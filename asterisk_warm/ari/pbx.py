"""The engine's `Pbx` port by ARI (and AMI for channels that are not ours yet)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from asterisk_warm.ari.client import AriClient, part
from asterisk_warm.ari.model import Application, Bridge, Channel, DeviceState
from asterisk_warm.ari.shown import shown_name, shown_number
from asterisk_warm.engine.ports import (
    Found,
    FoundChannel,
    LegGone,
    Location,
    PbxRefused,
    PbxUnreachable,
)

CREATE_SECONDS = 4.0
"""How long a created channel may take to enter our application."""
DEFAULT_MUSIC = "default"
_IN_STASIS = ("Stasis", "AppDial2", "")
"""What a channel of an ARI application is shown to run; a created one may not be shown to run anything
yet."""


class Redirector(Protocol):
    """AMI's part: take a channel out of whatever it does."""

    async def redirect(self, channel: str, location: Location) -> None: ...


class AriPbx:
    def __init__(self, client: AriClient, app: str, redirector: Redirector) -> None:
        self._ari = client
        self._app = app
        self._redirector = redirector
        self._entering: dict[str, asyncio.Future[None]] = {}

    def entered(self, channel: str) -> None:
        """A channel is in our application (StasisStart): the one that waits for it may go on."""
        waiting = self._entering.get(channel)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # -- the lead --------------------------------------------------------------------------------------------

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        # Music at once after the answer: what is started before it stays mute for good (16 and 22).
        await self._post(f"/channels/{lead}/answer")
        await self.hold_music(lead, music)
        await self._ari.request("POST", f"/bridges/{bridge}", {"type": "mixing,dtmf_events", "name": bridge})
        await asyncio.gather(
            self._add(bridge, lead), *(self._set(lead, name, value) for name, value in variables.items())
        )

    async def hold_music(self, lead: str, music: str) -> None:
        await self._post(f"/channels/{lead}/moh", mohClass=music or DEFAULT_MUSIC)

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        # In a bridge, Asterisk suspends the channel's music for the file and resumes it by itself: should we be
        # gone by then, the lead is not left in silence.
        await self.play(lead, playback, media)

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        await asyncio.gather(*(self._set(lead, name, value) for name, value in variables.items()))
        await self._continue(lead, to)

    async def _continue(self, channel: str, to: Location | None) -> None:
        query = {}
        if to is not None:
            query = {"context": to.context, "extension": to.extension, "priority": str(to.priority)}
        await self._post(f"/channels/{channel}/continue", **query)

    # -- agents ----------------------------------------------------------------------------------------------

    async def devices(self, endpoints: Sequence[str]) -> Mapping[str, str]:
        states = await asyncio.gather(
            *(self._ari.get(f"/deviceStates/{part(endpoint)}", DeviceState) for endpoint in endpoints)
        )
        return {endpoint: state.state for endpoint, state in zip(endpoints, states, strict=True)}

    async def ring(
        self, leg: str, endpoint: str, name: str, number: str, seconds: float, variables: Mapping[str, str]
    ) -> None:
        existing = await self._create(leg, endpoint, variables)
        if existing is not None and existing.state != "Down":
            return  # Dialled already: it rings, or has been answered.
        await self._set(leg, "CONNECTEDLINE(all,i)", f'"{shown_name(name)}" <{shown_number(number)}>')
        await self._post(f"/channels/{leg}/dial", timeout=str(round(seconds) + 2))

    async def _create(self, leg: str, endpoint: str, variables: Mapping[str, str]) -> Channel | None:
        """Make the channel and wait until it is ours; the channel itself when it was there before."""
        entered = asyncio.get_running_loop().create_future()
        self._entering[leg] = entered
        try:
            query = {"endpoint": endpoint, "app": self._app, "channelId": leg}
            try:
                await self._ari.request("POST", "/channels/create", query, {"variables": dict(variables)})
            except PbxRefused:
                # Refused because it exists (a repeated order), or because the endpoint does not: only a look
                # tells.
                try:
                    return await self._ari.get(f"/channels/{leg}", Channel)
                except LegGone:
                    pass
                raise
            await asyncio.wait_for(entered, CREATE_SECONDS)
            return None
        except TimeoutError:
            raise PbxUnreachable(
                f"the new channel {leg} did not enter our application within {CREATE_SECONDS:g} s"
            ) from None
        finally:
            self._entering.pop(leg, None)

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        await self._post(f"/channels/{channel}/play/{part(playback)}", media=",".join(media))

    async def stop_playback(self, playback: str) -> None:
        try:
            await self._delete(f"/playbacks/{part(playback)}")
        except LegGone:
            return

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
        try:
            await _all(
                self._add(bridge, agent),
                self._delete(f"/channels/{lead}/moh"),
                *(self.stop_playback(one) for one in stop),
            )
        except PbxRefused:
            if not await self._is_in(bridge, agent):
                raise
        if introduction:
            # Both hear the same line at the same time, so both know when to speak; it is over for both at
            # once.
            await _all(
                self.play(lead, playback, introduction), self.play(agent, f"{playback}-agent", introduction)
            )
        await self._delete(f"/channels/{lead}/moh")

    async def let_go(self, lead: str, agent: str, variables: Mapping[str, str]) -> None:
        # Told of both ends even though they leave our application.
        sources = f"channel:{lead},channel:{agent}"
        peer = await self._ari.get(f"/channels/{agent}", Channel)
        await asyncio.gather(
            self._post(f"/applications/{self._app}/subscription", eventSource=sources),
            self._set(lead, "WARM_PEER", peer.name),
            *(self._set(lead, name, value) for name, value in variables.items()),
        )
        await self._continue(lead, Location("warm-connected", "s", 1))

    async def close_bridge(self, bridge: str) -> None:
        try:
            await self._delete(f"/bridges/{bridge}")
        except LegGone:
            return
        except PbxRefused:
            # "Not in Stasis": what Asterisk says of one that is just being dissolved.
            if bridge in {other.id for other in await self._ari.get("/bridges", list[Bridge])}:
                raise

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
            # Stasis:
            # only the kind of bridge it is in tells.
            let_go = bridge is not None and bridge.bridge_class != "stasis"
            inside = channel.id in ours and channel.dialplan.app_name in _IN_STASIS and not let_go
            return FoundChannel(channel.id, channel.state == "Up", bridge.id if bridge else None, inside)

        return Found(
            {channel.id: found(channel) for channel in channels}, frozenset(bridge.id for bridge in bridges)
        )

    async def locate(self, channel: str) -> Location | None:
        found, bridges = await asyncio.gather(
            self._ari.get(f"/channels/{part(channel)}", Channel), self._ari.get("/bridges", list[Bridge])
        )
        if any(found.id in bridge.channels for bridge in bridges):
            return None
        return Location(found.dialplan.context, found.dialplan.exten, found.dialplan.priority)

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        found = await self._ari.get(f"/channels/{part(channel)}", Channel)
        back = location or Location("warm-fetch", "h", 1)
        await asyncio.gather(
            self._set(channel, "WARM_ARGUMENTS", ",".join(arguments)),
            self._set(channel, "WARM_RETURN", f"{back.context},{back.extension},{back.priority}"),
        )
        await self._redirector.redirect(found.name, Location("warm-fetch", "s", 1))

    # -- small -----------------------------------------------------------------------------------------------

    async def _add(self, bridge: str, channel: str) -> None:
        await self._post(f"/bridges/{bridge}/addChannel", channel=channel)

    async def _is_in(self, bridge: str, channel: str) -> bool:
        return channel in (await self._ari.get(f"/bridges/{bridge}", Bridge)).channels

    async def _set(self, channel: str, variable: str, value: str) -> None:
        await self._post(f"/channels/{channel}/variable", variable=variable, value=value)

    async def _post(self, path: str, **query: str) -> None:
        await self._ari.request("POST", path, query)

    async def _delete(self, path: str) -> None:
        await self._ari.request("DELETE", path)


async def _all(*orders: Awaitable[None]) -> None:
    """Side by side; the first error is raised only when all are over, so that none goes on unseen."""
    results = await asyncio.gather(*orders, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
