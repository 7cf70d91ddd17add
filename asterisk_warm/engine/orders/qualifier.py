"""Orders about the qualifier, and about what their phone and others show."""

from __future__ import annotations

from contextlib import suppress

import structlog

from asterisk_warm.core.handoff.commands import (
    JoinQualifier,
    LogQueue,
    ReleaseQualifier,
    SetAside,
    ShowParty,
    StartConsult,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.events import ConsultStarted, Event, PlaybackEnded, QualifierJoined
from asterisk_warm.core.handoff.ids import aside_leg, consult_id, playback_id
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff, Playing, agent_name
from asterisk_warm.engine.orders.facts import Handlers, agent_gone, lead_gone, now, qualifier_gone
from asterisk_warm.engine.orders.question import heard_of, instead_of_asking
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.orders.there import is_there
from asterisk_warm.engine.ports.calls import Shown
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxError

log = structlog.get_logger(__name__)


class QualifierOrders:
    def __init__(self, pbx: Pbx, sounds: Sounds) -> None:
        self._pbx = pbx
        self._sounds = sounds

    @property
    def handlers(self) -> Handlers:
        return {
            SetAside: self._set_aside,
            JoinQualifier: self._join_qualifier,
            StartConsult: self._start_consult,
            TellQualifier: self._tell_qualifier,
            ReleaseQualifier: self._release_qualifier,
            TellPhone: self._tell_phone,
            ShowParty: self._show_party,
            LogQueue: self._log_queue,
        }

    async def _set_aside(self, handoff: Handoff, command: SetAside) -> Event | None:
        bridges = (handoff.bridge, consult_id(handoff.id))
        try:
            await self._pbx.set_aside(handoff.channel_of(QUALIFIER), bridges)
        except LegGone as gone:
            return qualifier_gone(gone)
        return None

    async def _join_qualifier(self, handoff: Handoff, command: JoinQualifier) -> Event:
        stop = (
            []
            if command.stop_comfort is None
            else [playback_id(handoff.id, Playing.COMFORT, command.stop_comfort)]
        )
        channel, lead = handoff.channel_of(QUALIFIER), handoff.lead.channel
        try:
            await self._pbx.join_qualifier(lead, channel, handoff.bridge, stop)
        except LegGone as gone:
            if not await is_there(self._pbx, channel):
                return qualifier_gone(gone)
            return lead_gone(gone)
        return QualifierJoined(**now())

    async def _start_consult(self, handoff: Handoff, command: StartConsult) -> Event:
        stop = (
            []
            if command.stop_briefing is None
            else [playback_id(handoff.id, Playing.BRIEFING, command.stop_briefing)]
        )
        stop += heard_of(handoff, command.stop_question)
        channel, agent = handoff.channel_of(QUALIFIER), handoff.channel_of(agent_name(command.offer))
        waits = command.agent_waits
        beginning = self._pbx.consult(channel, agent, consult_id(handoff.id), stop, agent_waits=waits)
        try:
            await instead_of_asking(self._pbx, handoff, command.stop_question, beginning)
        except LegGone as gone:
            if not await is_there(self._pbx, channel):
                return qualifier_gone(gone)
            return agent_gone(command.offer, gone)
        return ConsultStarted(**now(), offer=command.offer)

    async def _tell_qualifier(self, handoff: Handoff, command: TellQualifier) -> Event | None:
        await self._sounds.prepare(command.media)  # Where it cannot be said, prompts serve instead.
        channel = handoff.channel_of(QUALIFIER)
        playback = playback_id(handoff.id, Playing.ASIDE, command.number)
        sounds = await self._sounds.of(command.media)
        try:
            if not command.talking:
                await self._pbx.play(channel, playback, sounds)
                return None
            await self._pbx.tell(channel, aside_leg(handoff.id, command.number), playback, sounds)
        except PbxError as error:
            log.info("the qualifier was not told", handoff=handoff.id, why=str(error))
            return PlaybackEnded(**now(), what=Playing.ASIDE, number=command.number, failed=True)
        return None

    async def _release_qualifier(self, handoff: Handoff, command: ReleaseQualifier) -> Event | None:
        try:
            await self._pbx.release(handoff.channel_of(QUALIFIER))
        except LegGone as gone:
            return qualifier_gone(gone)
        return None

    async def _tell_phone(self, handoff: Handoff, command: TellPhone) -> Event | None:
        await self._pbx.tell_phone(handoff.channel_of(QUALIFIER), command.progress)
        return None

    async def _show_party(self, handoff: Handoff, command: ShowParty) -> Event | None:
        with suppress(PbxError):  # A name on a display: whoever it is for may be gone.
            await self._pbx.show(handoff.channel_of(command.leg), Shown(command.name, command.number))
        return None

    async def _log_queue(self, handoff: Handoff, command: LogQueue) -> Event | None:
        with suppress(LegGone):
            await self._pbx.log_queue(
                command.queue, command.event, command.agent, command.message, handoff.lead.channel
            )
        return None
