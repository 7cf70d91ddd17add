"""The engine's `Pbx` port by ARI (and AMI for channels that are not ours yet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from asterisk_warm.ari.client import NotThere, part
from asterisk_warm.ari.headers import header_variables
from asterisk_warm.ari.live import LiveCalls
from asterisk_warm.ari.model import Channel, DeviceState, Variable
from asterisk_warm.ari.orders import CREATE_SECONDS, all_of
from asterisk_warm.ari.recording import Recording
from asterisk_warm.ari.shown import party
from asterisk_warm.engine.ports.calls import Location, Shown
from asterisk_warm.engine.ports.pbx import EndpointUnreachable, LegGone, PbxRefused, PbxUnreachable
from asterisk_warm.engine.within import within

DIAL_SECONDS = 1.0
DOUBT_SECONDS = 2.0
"""How long a phone that may have been dialled is given to begin to ring."""
"""How long the order to dial may take to become an INVITE before we stop watching for it."""
BACKSTOP_SECONDS = 2
"""Asterisk's own ring time-out comes that much after ours, which it stands in for when we are away."""
DIALLED = "WARM_DIALLED"
_NOT_CALLABLE = {"UNAVAILABLE": "phone not registered", "INVALID": "no such device in Asterisk"}


class AriPbx(LiveCalls, Recording):
    """Leads and agents; `live` has calls that are not ours yet, `qualifying` the qualifier, `recording`
    questions, `looking` what Asterisk has, `orders` what all of them are made of."""

    # -- the lead --------------------------------------------------------------------------------------------

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        # Music before the answer is lost in the answer and cannot be heard afterwards: answer, music, bridge.
        await all_of(self._make_bridge(bridge), self._answer(lead))
        await self.hold_music(lead, music)
        await all_of(self._add(bridge, lead), self._set_all(lead, variables))

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        # In a bridge Asterisk suspends the channel's music for the file and resumes it by itself (16 and 22):
        # should we be gone by then, the lead is not left in silence.
        await self.play(lead, playback, media)

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        await self._set_all(lead, variables)
        await self._continue(lead, to)

    # -- agents ----------------------------------------------------------------------------------------------

    async def _device(self, endpoint: str) -> str:
        return (await self._ari.get(f"/deviceStates/{part(endpoint)}", DeviceState)).state

    async def ring(
        self,
        leg: str,
        lead: str,
        endpoint: str,
        caller: Shown,
        called: Shown,
        seconds: float,
        variables: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> None:
        told = header_variables(endpoint, headers)
        shown = {"CONNECTEDLINE(all,i)": party(caller), "CALLERID(all)": party(called)}
        existing = await self._create(leg, lead, endpoint, {**variables, **told, **shown})
        if existing is not None and await self._dialled(leg):
            return
        with self._awaited.event("Dial", leg) as dialled:
            try:
                await self._post(
                    f"/channels/{part(leg)}/dial", timeout=str(round(seconds) + BACKSTOP_SECONDS)
                )
            except PbxRefused:
                if existing is None:
                    raise
                return  # It has begun to ring in this moment.
            # A phone that refuses at once is gone before it is noted: Asterisk says how it went.
            with suppress(PbxRefused):
                await self._post(f"/channels/{part(leg)}/variable", variable=DIALLED, value="yes")
            # How it goes on is told by events, whether this one is seen or not.
            with suppress(TimeoutError):
                await self._promptly(leg, within(dialled, DIAL_SECONDS))

    async def _dialled(self, leg: str) -> bool:
        """Asterisk does not show it as long as the phone has not begun to ring, and a second order to dial
        ends the call (16 and 22). What was not noted may have been done all the same, in the moment before we
        died: then the phone is given some time to begin."""
        with self._awaited.event("Dial", leg) as begins:
            if (
                await self._noted(leg)
                or (await self._ari.get(f"/channels/{part(leg)}", Channel)).state != "Down"
            ):
                return True
            with suppress(TimeoutError):
                await within(begins, DOUBT_SECONDS)
                return True
        return False

    async def _noted(self, leg: str) -> bool:
        with suppress(NotThere):
            return bool(
                (await self._ari.get(f"/channels/{part(leg)}/variable", Variable, variable=DIALLED)).value
            )
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
                    return await self._ari.get(f"/channels/{part(leg)}", Channel)
                raise await self._why_not(endpoint, refused) from refused
            try:
                await within(entered, CREATE_SECONDS)
            except TimeoutError:
                words = f"the new channel {leg} did not enter our application within {CREATE_SECONDS:g} s"
                raise PbxUnreachable(words) from None
            except LegGone:
                # Perhaps that of an earlier order, which had the same id: then this one is nobody's.
                with suppress(LegGone):
                    await self._delete(f"/channels/{part(leg)}")
                raise
        return None

    async def _why_not(self, endpoint: str, refused: PbxRefused) -> PbxRefused:
        """Asterisk refuses a channel to a phone that is away as it does anything else, and does not say
        why."""
        state = await self._device(endpoint)
        if state in _NOT_CALLABLE:
            return EndpointUnreachable(_NOT_CALLABLE[state])
        return PbxRefused(f"Asterisk could not make a channel to {endpoint} ({refused})")

    # -- together --------------------------------------------------------------------------------------------

    async def join(
        self,
        lead: str,
        agent: str,
        bridge: str,
        stop: Sequence[str],
        introduction: Sequence[str],
        playback: str,
        *,
        agent_waits: bool = False,
    ) -> None:
        if agent_waits:
            await self._delete(f"/channels/{part(agent)}/moh")
        # In this order on the wire: nobody can be brought in while something is played to them.
        quiet = [*(self.stop_playback(one) for one in stop), self._delete(f"/channels/{part(lead)}/moh")]
        await all_of(*quiet, self._bring_in(bridge, agent))
        if introduction:
            # Both hear the same line at the same time, so both know when to speak; it is over for both at
            # once.
            await all_of(
                self.play(lead, playback, introduction), self.play(agent, f"{playback}-agent", introduction)
            )
        await self._delete(f"/channels/{part(lead)}/moh")

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

    async def let_go(self, first: str, second: str, variables: Mapping[str, str]) -> None:
        # Told of both ends even though they leave our application.
        peer = self._names.get(second) or (await self._ari.get(f"/channels/{part(second)}", Channel)).name
        await all_of(
            self._subscribe(first, second),
            self._set_all(first, {**variables, "WARM_PEER": peer}),
        )
        self._undead.let_go(second)
        await self._continue(first, Location("warm-connected", "s", 1))

    async def close_bridge(self, bridge: str) -> None:
        with suppress(NotThere):
            await self._delete(f"/bridges/{part(bridge)}")
