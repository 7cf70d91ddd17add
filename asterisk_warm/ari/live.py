"""Channels that are not ours yet: taken over from a live call, fetched from the dialplan, sent elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress

from asterisk_warm.ari.client import part
from asterisk_warm.ari.looking import Looking
from asterisk_warm.ari.model import Bridge, Channel
from asterisk_warm.ari.orders import CREATE_SECONDS, TAKEN, all_of
from asterisk_warm.ari.qualifying import Qualifying
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable
from asterisk_warm.engine.within import within

TOLD_SECONDS = 0.5
"""Until a phone has been told how its transfer went."""
_PLACE = frozenset("+-_*#.@/")
_NOWHERE = Location("warm-bye", "s", 1)


class LiveCalls(Looking, Qualifying):
    async def take_over(
        self,
        lead: str,
        other: str,
        bridge: str,
        places: Mapping[str, Location],
        variables: Mapping[str, str],
        *,
        drop: bool,
    ) -> None:
        # Told of both from here on, whatever becomes of them.
        both = (lead, other) if other else (lead,)
        await self._subscribe(*both)
        names = await self._names_outside(both)
        outside = list(names)
        await self._make_bridge(bridge)
        if outside:
            await all_of(*(self._prepare(names[c], places.get(c)) for c in outside))
            if lead in names:
                told = variables.items()
                await all_of(*(self._manager.set_variable(names[lead], *item) for item in told))
            await self._redirect_in(outside, names)
        # They know each other: told again, a phone may get a re-INVITE, during which some (linphone) refuse
        # to hear how their transfer goes.
        joins = [self._add(bridge, lead, quietly=True)]
        if other and not drop:
            joins.append(self._add(bridge, other, absorb=True, quietly=True))
        await all_of(*joins)
        if drop:
            # Its own phone asked for the transfer: it has succeeded, and the call is over.
            await self.tell_phone(other, Progress.ANSWERED)
            with suppress(PbxError):
                await self.release(other)

    async def _names_outside(self, channels: Sequence[str]) -> dict[str, str]:
        """What Asterisk calls those that are not in our application already (by a repeated order)."""
        reading = self._ari.get("/bridges", list[Bridge])
        asking = asyncio.gather(*(self._ari.get(f"/channels/{part(c)}", Channel) for c in channels))
        bridges, found = await asyncio.gather(reading, asking)
        return {channel.id: channel.name for channel in found if not self._is_ours(channel, bridges)}

    def _is_ours(self, channel: Channel, bridges: Sequence[Bridge]) -> bool:
        """Who was let go goes on being shown as in Stasis: only the kind of bridge it is in tells."""
        if any(channel.id in bridge.channels and bridge.bridge_class != "stasis" for bridge in bridges):
            return False
        runs = channel.dialplan
        return runs.app_name == "Stasis" and runs.app_data.startswith(f"{self._app},")

    async def _prepare(self, name: str, on: Location | None) -> None:
        """What a channel needs to know on its way in; and where to go on, unless it knows."""
        orders = [self._manager.set_variable(name, "WARM_ARGUMENTS", TAKEN)]
        if on is not None:
            value = f"{on.context},{on.extension},{on.priority}"
            orders.append(self._manager.set_variable(name, "WARM_RETURN", value))
        await all_of(*orders)

    async def _redirect_in(self, channels: Sequence[str], names: Mapping[str, str]) -> None:
        with ExitStack() as waits:
            entered = [waits.enter_context(self._awaited.event("StasisStart", c)) for c in channels]
            first, other = names[channels[0]], names[channels[-1]] if len(channels) > 1 else ""
            await self._manager.redirect(first, Location("warm-fetch", "s", 1), other)
            try:
                # Should one of them hang up, the other one is with us before that is told.
                await within(all_of(*entered), CREATE_SECONDS)
            except TimeoutError:
                raise PbxUnreachable(
                    f"the call did not enter our application within {CREATE_SECONDS:g} s"
                ) from None

    async def watch(self, channel: str) -> None:
        await self._subscribe(channel)

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        found = await self._find(channel)
        back = location or Location("warm-fetch", "h", 1)
        for name in (back.context, back.extension):
            if not _is_place(name):
                raise PbxRefused(f'"{name[:40]}" is not the name of a place in the dialplan')
        place = f"{back.context},{back.extension},{back.priority}"
        # By AMI: ARI sets variables of channels in an application only.
        await all_of(
            self._manager.set_variable(found.name, "WARM_ARGUMENTS", ",".join(arguments)),
            self._manager.set_variable(found.name, "WARM_RETURN", place),
        )
        await self._manager.redirect(found.name, Location("warm-fetch", "s", 1))

    async def transfer(self, channel: str, by: str, number: str) -> bool:
        phone = await self._ari.get(f"/channels/{part(by)}", Channel)
        context = await self._variable(by, "TRANSFER_CONTEXT") or phone.dialplan.context
        if not number or not _is_place(context) or not _is_place(number):
            return False
        if not await self._manager.extension_exists(context, number):
            return False
        name = (await self._ari.get(f"/channels/{part(channel)}", Channel)).name
        await self._subscribe(by)
        await self._prepare(phone.name, _NOWHERE)
        # The phone's channel comes to us for a moment: only there can it be told that its transfer succeeded.
        with self._awaited.event("StasisStart", by) as entered:
            place = Location(context, number, 1)
            await self._manager.redirect(name, place, phone.name, Location("warm-fetch", "s", 1))
            with suppress(TimeoutError, LegGone):
                await within(entered, CREATE_SECONDS)
        await self.tell_phone(by, Progress.ANSWERED)
        with suppress(PbxError):
            await self.release(by)
        return True

    async def connect(self, lead: str, peer: str, by: str, on: Location | None) -> None:
        await self._subscribe(lead, by)
        reading = (self._ari.get(f"/channels/{part(c)}", Channel) for c in (lead, by, peer))
        first, phone, second = await asyncio.gather(*reading)
        names = {lead: first.name, by: phone.name}
        await all_of(self._prepare(first.name, on), self._prepare(phone.name, _NOWHERE))
        await self._redirect_in((lead, by), names)
        await self._post(f"/channels/{part(lead)}/variable", variable="WARM_PEER", value=second.name)
        # Asterisk looks at the phone's other call when it tells the phone, and crashes when that one is just
        # ending, which it does as soon as the two are connected.
        with self._awaited.event("ChannelTransfer", by) as told:
            await self.tell_phone(by, Progress.ANSWERED)
            with suppress(TimeoutError, LegGone):
                await within(told, TOLD_SECONDS)
        await self._continue(lead, Location("warm-connected", "s", 1))
        with suppress(PbxError):
            await self.release(by)


def _is_place(name: str) -> bool:
    """Can it be the name of a context or an extension?"""
    return bool(name) and all(c.isalnum() or c in _PLACE for c in name)
