"""Orders about a question that an agent asks back: spoken, put, replied to."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from contextlib import suppress

import structlog

from asterisk_warm.core.handoff.commands import DropQuestion, PutQuestion, RecordQuestion, RecordReply
from asterisk_warm.core.handoff.events import Event, PlaybackEnded, Recorded
from asterisk_warm.core.handoff.ids import aside_leg, playback_id, recording_name
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff, Line, Playing, QualifierIs, agent_name
from asterisk_warm.engine.orders.facts import Handlers, agent_gone, lead_gone, now
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxError
from asterisk_warm.engine.recordings import before

log = structlog.get_logger(__name__)

QUIET_SECONDS = 16.0
"""Length of the prompt `quiet`."""
BEEP = Line("beep")
_PLAYED = (Playing.QUESTION, Playing.QUIET, Playing.REPLY)
_PUT, _REPLY = 100_000, 200_000
"""Added to a question's number, for legs that no other word to the qualifier has."""


class QuestionOrders:
    def __init__(self, pbx: Pbx, sounds: Sounds) -> None:
        self._pbx = pbx
        self._sounds = sounds

    @property
    def handlers(self) -> Handlers:
        return {
            RecordQuestion: self._record_question,
            PutQuestion: self._put_question,
            RecordReply: self._record_reply,
            DropQuestion: self._drop_question,
        }

    async def _record_question(self, handoff: Handoff, command: RecordQuestion) -> Event | None:
        if command.stop_briefing is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.BRIEFING, command.stop_briefing))
        leg = handoff.channel_of(agent_name(command.offer))
        name = recording_name(handoff.id, command.number, reply=False)
        media = [line for line in command.media if line.prompt != BEEP.prompt]
        try:
            await self._pbx.record(leg, name, await self._sounds.of([*media, BEEP]), command.seconds)
        except LegGone as gone:
            return agent_gone(command.offer, gone)
        except PbxError as error:
            return _not_recorded(handoff, command.number, error, reply=False)
        return None

    async def _put_question(self, handoff: Handoff, command: PutQuestion) -> Event | None:
        if command.stop_comfort is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.COMFORT, command.stop_comfort))
        sounds = await self._sounds.of(command.media)
        try:
            await self._put(handoff, command, sounds)
        except LegGone as gone:
            if not command.of_qualifier:
                return lead_gone(gone)
            return _not_put(handoff, command.number, gone)
        except PbxError as error:
            return _not_put(handoff, command.number, error)
        return None

    async def _put(self, handoff: Handoff, command: PutQuestion, sounds: list[str]) -> None:
        playback = playback_id(handoff.id, Playing.QUESTION, command.number)
        if not command.of_qualifier:
            await self._pbx.play_to_lead(handoff.lead.channel, playback, sounds)
            return
        qualifier = handoff.channel_of(QUALIFIER)
        if command.talking:
            leg = aside_leg(handoff.id, _PUT + command.number)
            await self._pbx.tell(qualifier, leg, playback, sounds)
        else:
            await self._pbx.play(qualifier, playback, sounds)

    async def _record_reply(self, handoff: Handoff, command: RecordReply) -> Event | None:
        name = recording_name(handoff.id, command.number, reply=True)
        leg = aside_leg(handoff.id, _REPLY + command.number)
        who = handoff.channel_of(QUALIFIER) if command.of_qualifier else handoff.lead.channel
        # Of a qualifier who waits, the ringing that they hear would be recorded too.
        others = command.of_qualifier and handoff.qualifier_is is not QualifierIs.ASIDE
        try:
            if not command.of_qualifier:
                # Music would be heard all along, and they would wait for its end.
                quiet = playback_id(handoff.id, Playing.QUIET, command.number)
                await self._pbx.play_to_lead(who, quiet, self._quiet(command.seconds))
            await self._pbx.record_within(who, leg, name, command.seconds, all=others)
        except LegGone as gone:
            if not command.of_qualifier:
                return lead_gone(gone)
            return _not_recorded(handoff, command.number, gone, reply=True)
        except PbxError as error:
            return _not_recorded(handoff, command.number, error, reply=True)
        return None

    def _quiet(self, seconds: float) -> list[str]:
        return [self._sounds.prompt(Playing.QUIET)] * (1 + math.ceil(seconds / QUIET_SECONDS))

    async def _drop_question(self, handoff: Handoff, command: DropQuestion) -> Event | None:
        for playback in heard_of(handoff, command.number):
            await self._pbx.stop_playback(playback)
        await _end(self._pbx, handoff, command.number)
        return None


def heard_of(handoff: Handoff, number: int | None) -> list[str]:
    """Playbacks that may be under way for a question; nobody can be joined while they hear one."""
    if number is None:
        return []
    asking = before(recording_name(handoff.id, number, reply=False))
    return [asking, *(playback_id(handoff.id, what, number) for what in _PLAYED)]


async def instead_of_asking(pbx: Pbx, handoff: Handoff, number: int | None, order: Awaitable[None]) -> None:
    """Carry out an order, which comes first, and end beside it what is recorded for a question, if any."""
    if number is None:
        await order
        return
    ending = asyncio.ensure_future(_end_quietly(pbx, handoff, number))
    try:
        await order
    finally:
        await ending


async def _end_quietly(pbx: Pbx, handoff: Handoff, number: int) -> None:
    with suppress(PbxError):
        await _end(pbx, handoff, number)


async def _end(pbx: Pbx, handoff: Handoff, number: int) -> None:
    for reply in (False, True):
        await pbx.stop_recording(recording_name(handoff.id, number, reply=reply))
    for kind in (_PUT, _REPLY):
        with suppress(LegGone):
            await pbx.hang_up(aside_leg(handoff.id, kind + number))


def _not_put(handoff: Handoff, number: int, why: PbxError) -> PlaybackEnded:
    log.info("a question was not put", handoff=handoff.id, why=str(why))
    return PlaybackEnded(**now(), what=Playing.QUESTION, number=number, failed=True)


def _not_recorded(handoff: Handoff, number: int, why: PbxError, *, reply: bool) -> Recorded:
    log.info("nothing was recorded", handoff=handoff.id, reply=reply, why=str(why))
    return Recorded(**now(), number=number, reply=reply, failed=True)
