"""Carries out commands through the ports. The outcome, where it matters, is the next event."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from asterisk_warm.core.handoff.commands import (
    CheckLegs,
    CloseBridge,
    Command,
    FindAgents,
    HangUpAgent,
    HoldLead,
    JoinAgent,
    LetGo,
    PlayComfort,
    PlayToAgent,
    PrepareSpeech,
    ReturnLead,
    RingAgent,
    SecureLead,
)
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentsFound,
    BridgeClosed,
    CommandFailed,
    Event,
    LeadHungUp,
    LeadSecured,
    SpeechReady,
)
from asterisk_warm.core.handoff.handlers.recovery import still_wanted
from asterisk_warm.core.handoff.ids import agent_leg, bridge_id, playback_id
from asterisk_warm.core.handoff.model import Handoff, Line, Outcome, Playing
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports import (
    EndpointUnreachable,
    LegGone,
    Location,
    Pbx,
    PbxError,
    PbxUnreachable,
    Speaker,
    SpeechUnavailable,
)
from asterisk_warm.engine.reconcile import compare

log = structlog.get_logger(__name__)

LEAD = "lead"
_FREE = frozenset({"NOT_INUSE", "UNKNOWN"})
_NOT_FREE = {
    "INUSE": "in a call",
    "BUSY": "busy",
    "RINGING": "being rung already",
    "RINGINUSE": "in a call",
    "ONHOLD": "in a call, on hold",
    "UNAVAILABLE": "phone not registered",
    "INVALID": "no such device in Asterisk",
}


def legs(command: Command) -> tuple[str, ...]:
    """The legs a command is about: commands about the same leg are carried out in the order they were
    given."""
    match command:
        case RingAgent() | PlayToAgent() | HangUpAgent():
            return (f"agent-{command.offer}",)
        case JoinAgent() | LetGo():
            return (LEAD, f"agent-{command.offer}")
        case FindAgents() | PrepareSpeech() | CheckLegs():
            return ()
        case _:
            return (LEAD,)


class Executor:
    """Shared by all mailboxes; holds no state of any handoff."""

    def __init__(
        self, pbx: Pbx, speaker: Speaker, *, speech_seconds: float, reachable: Callable[[], Awaitable[None]]
    ) -> None:
        """`speech_seconds`: how long rendering may take before prompts serve instead. `reachable`
        returns as soon as Asterisk can be reached again; it is waited for once before an order that
        met no answer is repeated."""
        self._pbx = pbx
        self._speaker = speaker
        self._speech_seconds = speech_seconds
        self._reachable = reachable
        self._run: Mapping[type[Command], Callable[[Handoff, Any], Awaitable[Event | None]]] = {
            SecureLead: self._secure_lead,
            FindAgents: self._find_agents,
            PrepareSpeech: self._prepare_speech,
            RingAgent: self._ring_agent,
            PlayToAgent: self._play_to_agent,
            JoinAgent: self._join_agent,
            HangUpAgent: self._hang_up_agent,
            PlayComfort: self._play_comfort,
            HoldLead: self._hold_lead,
            LetGo: self._let_go,
            ReturnLead: self._return_lead,
            CloseBridge: self._close_bridge,
            CheckLegs: self._check_legs,
        }

    async def run(self, handoff: Callable[[], Handoff], command: Command) -> Event | None:
        """Carry out one command if it is still wanted. Returns the event it amounts to; None when it
        was not wanted any more, or when Asterisk itself will tell what became of it."""
        try:
            return await self._attempt(handoff, command)
        except PbxUnreachable as unanswered:
            try:
                await asyncio.wait_for(self._reachable(), UNREACHABLE_SECONDS)
                return await self._attempt(handoff, command)
            except (PbxError, TimeoutError):
                return _failed(command, unanswered)
        except PbxError as error:
            return _failed(command, error)

    async def _attempt(self, handoff: Callable[[], Handoff], command: Command) -> Event | None:
        now = handoff()
        if not still_wanted(now, command):
            log.debug("not wanted any more", handoff=now.id, command=type(command).__name__)
            return None
        return await self._run[type(command)](now, command)

    # -- the lead --------------------------------------------------------------------------------------------

    async def _secure_lead(self, handoff: Handoff, command: SecureLead) -> Event:
        try:
            lead, bridge = handoff.lead.channel, bridge_id(handoff.id)
            await self._pbx.secure_lead(lead, bridge, command.music, dict(command.variables))
        except LegGone as gone:
            return _lead_gone(gone)
        return LeadSecured(**_now())

    async def _hold_lead(self, handoff: Handoff, command: HoldLead) -> Event | None:
        if command.stop_introduction is not None:
            await self._pbx.stop_playback(
                playback_id(handoff.id, Playing.INTRODUCTION, command.stop_introduction)
            )
        try:
            await self._pbx.hold_music(handoff.lead.channel, command.music)
        except LegGone as gone:
            return _lead_gone(gone)
        return None

    async def _play_comfort(self, handoff: Handoff, command: PlayComfort) -> Event | None:
        playback = playback_id(handoff.id, Playing.COMFORT, command.number)
        try:
            await self._pbx.play_to_lead(handoff.lead.channel, playback, self._sounds(command.media))
        except LegGone as gone:
            return _lead_gone(gone)
        return None

    async def _return_lead(self, handoff: Handoff, command: ReturnLead) -> Event | None:
        if command.stop_comfort is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.COMFORT, command.stop_comfort))
        to = Location(command.to.context, command.to.extension, command.to.priority) if command.to else None
        try:
            await self._pbx.return_lead(handoff.lead.channel, dict(command.variables), to)
        except LegGone as gone:
            return _lead_gone(gone)
        return None

    async def _close_bridge(self, handoff: Handoff, command: CloseBridge) -> Event:
        await self._pbx.close_bridge(bridge_id(handoff.id))
        return BridgeClosed(**_now())

    # -- agents ----------------------------------------------------------------------------------------------

    async def _find_agents(self, handoff: Handoff, command: FindAgents) -> Event:
        devices = await self._pbx.devices([agent.endpoint for agent in command.agents])
        states = {agent.id: devices.get(agent.endpoint, "UNKNOWN") for agent in command.agents}
        return AgentsFound(
            **_now(),
            free=tuple(agent for agent, state in states.items() if state in _FREE),
            not_free=tuple(
                (agent, _NOT_FREE.get(state, state)) for agent, state in states.items() if state not in _FREE
            ),
        )

    async def _ring_agent(self, handoff: Handoff, command: RingAgent) -> Event | None:
        leg = agent_leg(handoff.id, command.offer)
        try:
            await self._pbx.ring(
                leg,
                handoff.lead.channel,
                command.agent.endpoint,
                command.name,
                command.number,
                command.seconds,
                {"WARM_ID": handoff.id},
            )
        except LegGone:
            return None  # Ended while it was being rung: Asterisk tells how.
        except EndpointUnreachable as unreachable:
            outcome, cause = Outcome.UNREACHABLE, str(unreachable)
            return AgentHungUp(**_now(), offer=command.offer, outcome=outcome, cause=cause)
        return None

    async def _play_to_agent(self, handoff: Handoff, command: PlayToAgent) -> Event | None:
        if command.stop is not None:
            await self._pbx.stop_playback(playback_id(handoff.id, Playing.BRIEFING, command.stop))
        playback = playback_id(handoff.id, command.what, command.number)
        try:
            await self._pbx.play(agent_leg(handoff.id, command.offer), playback, self._sounds(command.media))
        except LegGone as gone:
            return _agent_gone(command.offer, gone)
        return None

    async def _join_agent(self, handoff: Handoff, command: JoinAgent) -> Event:
        stop = []
        if command.stop_briefing is not None:
            stop.append(playback_id(handoff.id, Playing.BRIEFING, command.stop_briefing))
        if command.stop_comfort is not None:
            stop.append(playback_id(handoff.id, Playing.COMFORT, command.stop_comfort))
        await self._pbx.join(
            handoff.lead.channel,
            agent_leg(handoff.id, command.offer),
            bridge_id(handoff.id),
            stop,
            self._sounds(command.introduction),
            playback_id(handoff.id, Playing.INTRODUCTION, command.number),
        )
        return AgentJoined(**_now(), offer=command.offer)

    async def _hang_up_agent(self, handoff: Handoff, command: HangUpAgent) -> Event | None:
        try:
            await self._pbx.hang_up(agent_leg(handoff.id, command.offer))
        except LegGone as gone:
            return _agent_gone(command.offer, gone)
        return None

    async def _let_go(self, handoff: Handoff, command: LetGo) -> Event | None:
        try:
            await self._pbx.let_go(
                handoff.lead.channel, agent_leg(handoff.id, command.offer), dict(command.variables)
            )
        except LegGone as gone:
            log.debug("nobody left to let go", handoff=handoff.id, why=str(gone))
        return None

    async def _check_legs(self, handoff: Handoff, command: CheckLegs) -> Event:
        return compare(handoff, await self._pbx.look(), time.time(), after_outage=False)

    # -- speech ----------------------------------------------------------------------------------------------

    async def _prepare_speech(self, handoff: Handoff, command: PrepareSpeech) -> Event:
        why = ""
        try:
            await asyncio.wait_for(self._speaker.prepare(command.lines), self._speech_seconds)
        except SpeechUnavailable as unavailable:
            why = str(unavailable)
        except TimeoutError:
            why = f"not ready within {self._speech_seconds:g} s"
        return SpeechReady(**_now(), fallback=why)

    def _sounds(self, lines: Sequence[Line]) -> list[str]:
        return [self._speaker.spoken(line.text) or self._speaker.prompt(line.prompt) for line in lines]


UNREACHABLE_SECONDS = 5.0
"""How long an order waits for Asterisk to come back before it counts as failed."""


def _now() -> dict[str, Any]:
    return {"at": time.time(), "event_id": new_event_id()}


def _lead_gone(gone: LegGone) -> LeadHungUp:
    return LeadHungUp(**_now(), cause=str(gone))


def _agent_gone(offer: int, gone: LegGone) -> AgentHungUp:
    return AgentHungUp(**_now(), offer=offer, outcome=Outcome.HUNG_UP, cause=str(gone))


def _failed(command: Command, error: Exception) -> CommandFailed:
    offer = getattr(command, "offer", None)
    return CommandFailed(**_now(), command=type(command).__name__, offer=offer, error=str(error))
