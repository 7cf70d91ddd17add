"""The qualifier's part: into and out of bridges, and what they and their phone are told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from asterisk_warm.ari.client import part
from asterisk_warm.ari.orders import CREATE_SECONDS, TAKEN, Orders, all_of
from asterisk_warm.ari.shown import party
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.engine.ports.calls import Shown
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable
from asterisk_warm.engine.within import within

WORD_SECONDS = 60.0
"""Longest word to a qualifier alone."""
_PROGRESS = {
    Progress.TRYING: "channel_progress",
    Progress.ANSWERED: "channel_answered",
    Progress.DECLINED: "channel_declined",
    Progress.UNAVAILABLE: "channel_unavailable",
}


class Qualifying(Orders):
    async def join_qualifier(self, lead: str, qualifier: str, bridge: str, stop: Sequence[str]) -> None:
        quiet = [*(self.stop_playback(one) for one in stop), self._delete(f"/channels/{part(lead)}/moh")]
        await all_of(*quiet, self._stop_ringing(qualifier), self._add(bridge, qualifier, absorb=True))
        await self._delete(f"/channels/{part(lead)}/moh")

    async def set_aside(self, qualifier: str, bridges: Sequence[str]) -> None:
        await all_of(self._answer(qualifier), *(self._remove(bridge, qualifier) for bridge in bridges))
        await self._post(f"/channels/{part(qualifier)}/ring")

    async def consult(
        self, qualifier: str, agent: str, bridge: str, stop: Sequence[str], *, agent_waits: bool
    ) -> None:
        await self._make_bridge(bridge)
        quiet = [self.stop_playback(one) for one in stop]
        if agent_waits:
            quiet.append(self._delete(f"/channels/{part(agent)}/moh"))
        await all_of(*quiet, self._stop_ringing(qualifier))
        await all_of(
            self._add(bridge, qualifier, absorb=True), self._promptly(agent, self._add(bridge, agent))
        )

    async def _stop_ringing(self, channel: str) -> None:
        await self._delete(f"/channels/{part(channel)}/ring")

    async def tell(self, channel: str, leg: str, playback: str, media: Sequence[str]) -> None:
        query = {"app": self._app, "appArgs": TAKEN, "whisper": "out"}
        try:
            with self._awaited.event("StasisStart", leg) as entered:
                await self._post(f"/channels/{part(channel)}/snoop/{part(leg)}", **query)
                await within(entered, CREATE_SECONDS)
            with self._awaited.event("PlaybackFinished", playback) as finished:
                await self.play(leg, playback, media)
                await within(finished, WORD_SECONDS)
        except TimeoutError:
            raise PbxUnreachable("Asterisk did not tell the end of what is said") from None
        finally:
            with suppress(PbxError):
                await self.hang_up(leg)

    async def tell_phone(self, channel: str, progress: Progress) -> None:
        with suppress(PbxRefused, LegGone):  # Older ones, and a channel that is not ours, cannot be told.
            await self._post(f"/channels/{part(channel)}/transfer_progress", states=_PROGRESS[progress])

    async def show(self, channel: str, shown: Shown) -> None:
        await self._post(
            f"/channels/{part(channel)}/variable", variable="CONNECTEDLINE(all)", value=party(shown)
        )

    async def release(self, channel: str) -> None:
        await self._continue(channel, None)

    async def log_queue(self, queue: str, event: str, agent: str, message: str, unique_id: str) -> None:
        await self._manager.log_queue(queue, event, agent, message, unique_id)
