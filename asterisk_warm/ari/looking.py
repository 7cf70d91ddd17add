"""What Asterisk has: channels, bridges, who talks to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import unquote

from asterisk_warm.ari.client import part
from asterisk_warm.ari.model import Application, Bridge, Channel
from asterisk_warm.ari.orders import Orders
from asterisk_warm.ari.translate import lead_at_door
from asterisk_warm.core.handoff.options import LEAD_VARIABLES
from asterisk_warm.engine.ports.calls import Found, FoundChannel, Location, Party, Whereabouts
from asterisk_warm.engine.ports.pbx import LegGone

_IN_STASIS = ("Stasis", "AppDial2", "")
"""What a channel of an ARI application is shown to run; a created one may not be shown to run anything
yet."""
_PHONES = ("PJSIP", "SIP", "IAX2", "SCCP", "DAHDI")
_CALLED = ("AppDial", "AppDial2", "AppQueue", "")
"""What a channel is shown to run that was called by Dial() or Queue(), or made by ARI."""
OURS = "warm-"
"""How the names of our contexts begin."""


class Looking(Orders):
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

    async def locate(self, channel: str) -> Whereabouts:
        found, bridges = await asyncio.gather(self._find(channel), self._ari.get("/bridges", list[Bridge]))
        return await self._whereabouts(found, bridges)

    async def _whereabouts(self, found: Channel, bridges: Sequence[Bridge]) -> Whereabouts:
        bridge = next((bridge for bridge in bridges if found.id in bridge.channels), None)
        others = [other for other in bridge.channels if other != found.id] if bridge is not None else []
        peer = None
        if len(others) == 1:
            with suppress(LegGone):
                peer = _as_party(await self._ari.get(f"/channels/{part(others[0])}", Channel))
        return Whereabouts(_as_party(found), bridge is not None, peer)

    async def other_call(self, channel: str) -> tuple[Party, Party] | None:
        this, channels, bridges = await asyncio.gather(
            self._find(channel),
            self._ari.get("/channels", list[Channel]),
            self._ari.get("/bridges", list[Bridge]),
        )
        phone = _endpoint(this.name)
        same = [c for c in channels if phone and _endpoint(c.name) == phone and c.id != this.id]
        calls = [(_as_party(c), (await self._whereabouts(c, bridges)).peer) for c in same]
        talks = [(own, peer) for own, peer in calls if peer is not None]
        return talks[0] if len(talks) == 1 else None

    async def lead_variables(self, channel: str) -> Mapping[str, str]:
        # Encoded by Asterisk, whose answer cannot hold bytes that are no UTF-8.
        encoded = await asyncio.gather(
            *(self._variable(channel, f"EVAL(${{URIENCODE(${{{name}}})}})") for name in LEAD_VARIABLES)
        )
        values = (unquote(value, errors="ignore") for value in encoded)
        return {name: value for name, value in zip(LEAD_VARIABLES, values, strict=True) if value}

    async def team_of(self, channel: str) -> str:
        return await self._variable(channel, "WARM_TEAM")

    async def _find(self, channel: str) -> Channel:
        """By id, or by name (`PJSIP/ana-00000001`), which ARI knows but does not ask by."""
        if "/" not in channel:
            return await self._ari.get(f"/channels/{part(channel)}", Channel)
        for found in await self._ari.get("/channels", list[Channel]):
            if found.name == channel:
                return found
        raise LegGone(f"no channel {channel}")


def _endpoint(name: str) -> str:
    """The device a channel belongs to: `PJSIP/quinn` of `PJSIP/quinn-0000002a`; "" of what is no phone's."""
    device, _, instance = name.rpartition("-")
    return device if instance and device.partition("/")[0] in _PHONES else ""


def _as_party(channel: Channel) -> Party:
    at = channel.dialplan
    # Who was called by Dial() or Queue() runs nothing of their own: when they are let go, they are hung up.
    waits = bool(at.exten) and at.app_name not in _CALLED
    place = Location(at.context, at.exten, at.priority + 1) if waits else None
    kept = waits and at.context.startswith(OURS)
    return Party(channel.id, channel.caller.name, channel.caller.number, _endpoint(channel.name), place, kept)
