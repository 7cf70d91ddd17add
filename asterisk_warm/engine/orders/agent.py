"""Orders about an agent's leg, and about it and the lead."""

from __future__ import annotations

import structlog

from asterisk_warm.core.handoff.commands import (
    HangUpAgent,
    HoldAgent,
    JoinAgent,
    LetGo,
    PlayToAgent,
    RingAgent,
)
from asterisk_warm.core.handoff.events import AgentHungUp, AgentJoined, Event
from asterisk_warm.core.handoff.ids import playback_id
from asterisk_warm.core.handoff.model import LEAD, Handoff, Outcome, Playing, agent_name
from asterisk_warm.engine.orders.facts import Handlers, agent_gone, now
from asterisk_warm.engine.orders.headers import headers
from asterisk_warm.engine.orders.places import words
from asterisk_warm.engine.orders.question import heard_of, instead_of_asking
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.ports.calls import Shown
from asterisk_warm.engine.ports.pbx import EndpointUnreachable, LegGone, Pbx

PAUSE = "pause"
"""The prompt of 0.3 s without a sound before a briefing: a phone that has just been answered loses the first
tenth of a second (measured), which would be of the lead's name."""

log = structlog.get_logger(__name__)


class AgentOrders:
    def __init__(self, pbx: Pbx, sounds: Sounds) -> None:
        self._pbx = pbx
        self._sounds = sounds

    @property
    def handlers(self) -> Handlers:
        return {
            RingAgent: self._ring_agent,
            PlayToAgent: self._play_to_agent,
            JoinAgent: self._join_agent,
            HoldAgent: self._hold_agent,
            HangUpAgent: self._hang_up_agent,
            LetGo: self._let_go,
        }

    async def _ring_agent(self, handoff: Handoff, command: RingAgent) -> Event | None:
        leg = handoff.channel_of(agent_name(command.offer))
        try:
            await self._pbx.ring(
                leg,
                handoff.lead.channel,
                command.agent.endpoint,
                Shown(command.name, command.number),
                Shown(command.agent.name, command.agent.number or command.agent.id),
                command.seconds,
                {"WARM_ID": handoff.id},
                headers(handoff.id, command),
            )
        except LegGone:
            return None  # Ended while it was being rung: Asterisk tells how.
        except EndpointUnreachable as unreachable:
            outcome, cause = Outcome.UNREACHABLE, str(unreachable)
            return AgentHungUp(**now(), offer=command.offer, outcome=outcome, cause=cause)
        return None

    async def _play_to_agent(self, handoff: Handoff, command: PlayToAgent) -> Event | None:
        if command.stop is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.BRIEFING, command.stop))
        playback = playback_id(handoff.id, command.what, command.number)
        try:
            leg = handoff.channel_of(agent_name(command.offer))
            await self._pbx.play(leg, playback, await self._heard(command))
        except LegGone as gone:
            return agent_gone(command.offer, gone)
        return None

    async def _heard(self, command: PlayToAgent) -> list[str]:
        sounds = await self._sounds.of(command.media)
        begins = command.what is Playing.BRIEFING and command.stop is None
        return [self._sounds.prompt(PAUSE), *sounds] if begins else sounds

    async def _join_agent(self, handoff: Handoff, command: JoinAgent) -> Event:
        stop = []
        if command.stop_briefing is not None:
            stop.append(playback_id(handoff.id, Playing.BRIEFING, command.stop_briefing))
        if command.stop_comfort is not None:
            stop.append(playback_id(handoff.id, Playing.COMFORT, command.stop_comfort))
        stop += heard_of(handoff, command.stop_question)
        joining = self._pbx.join(
            handoff.lead.channel,
            handoff.channel_of(agent_name(command.offer)),
            handoff.bridge,
            stop,
            await self._sounds.of(command.introduction),
            playback_id(handoff.id, Playing.INTRODUCTION, command.number),
            agent_waits=command.agent_waits,
        )
        await instead_of_asking(self._pbx, handoff, command.stop_question, joining)
        return AgentJoined(**now(), offer=command.offer)

    async def _hold_agent(self, handoff: Handoff, command: HoldAgent) -> Event | None:
        try:
            await self._pbx.hold_music(handoff.channel_of(agent_name(command.offer)), command.music)
        except LegGone as gone:
            return agent_gone(command.offer, gone)
        return None

    async def _hang_up_agent(self, handoff: Handoff, command: HangUpAgent) -> Event | None:
        try:
            await self._pbx.hang_up(handoff.channel_of(agent_name(command.offer)))
        except LegGone as gone:
            return agent_gone(command.offer, gone)
        return None

    async def _let_go(self, handoff: Handoff, command: LetGo) -> Event | None:
        try:
            first, second = handoff.channel_of(command.first), handoff.channel_of(command.second)
            variables = dict(command.variables)
            if command.first == LEAD and handoff.return_to is not None:
                # Another channel than the one that was told may be the lead's by now.
                variables["WARM_RETURN"] = words(handoff.return_to)
            await self._pbx.let_go(first, second, variables)
        except LegGone as gone:
            log.debug("nobody left to let go", handoff=handoff.id, why=str(gone))
        return None
