"""Orders about a lead who is with us."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import CloseBridge, HoldLead, PlayComfort, ReturnLead
from asterisk_warm.core.handoff.events import BridgeClosed, Event
from asterisk_warm.core.handoff.ids import consult_id, playback_id, recording_name
from asterisk_warm.core.handoff.model import Handoff, Playing
from asterisk_warm.engine.orders.facts import Handlers, lead_gone, now
from asterisk_warm.engine.orders.places import location
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.ports.pbx import LegGone, Pbx


class LeadOrders:
    def __init__(self, pbx: Pbx, sounds: Sounds) -> None:
        self._pbx = pbx
        self._sounds = sounds

    @property
    def handlers(self) -> Handlers:
        return {
            HoldLead: self._hold_lead,
            PlayComfort: self._play_comfort,
            ReturnLead: self._return_lead,
            CloseBridge: self._close_bridge,
        }

    async def _hold_lead(self, handoff: Handoff, command: HoldLead) -> Event | None:
        if command.stop_introduction is not None:
            await self._pbx.stop_playback(
                playback_id(handoff.id, Playing.INTRODUCTION, command.stop_introduction)
            )
        if handoff.asks:
            # The silence in which the lead has replied.
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.QUIET, handoff.asks))
        try:
            await self._pbx.hold_music(handoff.lead.channel, command.music)
        except LegGone as gone:
            return lead_gone(gone)
        return None

    async def _play_comfort(self, handoff: Handoff, command: PlayComfort) -> Event | None:
        playback = playback_id(handoff.id, Playing.COMFORT, command.number)
        try:
            await self._pbx.play_to_lead(handoff.lead.channel, playback, await self._sounds.of(command.media))
        except LegGone as gone:
            return lead_gone(gone)
        return None

    async def _return_lead(self, handoff: Handoff, command: ReturnLead) -> Event | None:
        if command.stop_comfort is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.COMFORT, command.stop_comfort))
        try:
            # The place may have come with another channel, after the order.
            place = location(command.to or handoff.return_to)
            await self._pbx.return_lead(handoff.lead.channel, dict(command.variables), place)
        except LegGone as gone:
            return lead_gone(gone)
        return None

    async def _close_bridge(self, handoff: Handoff, command: CloseBridge) -> Event:
        for number in range(1, command.asks + 1):
            for reply in (False, True):
                await self._pbx.forget_recording(recording_name(handoff.id, number, reply=reply))
        if handoff.qualifier is not None:
            await self._pbx.close_bridge(consult_id(handoff.id))
        # The last one: when it is gone, so is all of the handoff.
        await self._pbx.close_bridge(handoff.bridge)
        return BridgeClosed(**now())
