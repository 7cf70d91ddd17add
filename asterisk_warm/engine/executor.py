"""Carries out commands through the ports. The outcome, where it matters, is the next event."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from asterisk_warm.core.handoff.commands import (
    CheckLegs,
    CloseBridge,
    Command,
    FindAgents,
    HangUpAgent,
    HoldAgent,
    HoldLead,
    JoinAgent,
    JoinQualifier,
    LetGo,
    LogQueue,
    PlayComfort,
    PlayToAgent,
    PrepareSpeech,
    ReleaseQualifier,
    ReturnLead,
    RingAgent,
    SecureLead,
    SetAside,
    ShowParty,
    StartConsult,
    TakeOver,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    AgentJoined,
    AgentsFound,
    BridgeClosed,
    CommandFailed,
    ConsultStarted,
    Event,
    LeadHungUp,
    LeadSecured,
    PlaybackEnded,
    QualifierHungUp,
    QualifierJoined,
    SpeechReady,
)
from asterisk_warm.core.handoff.ids import aside_leg, consult_id, playback_id
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Agent,
    Handoff,
    Line,
    Outcome,
    Playing,
    ReturnPlace,
    agent_name,
)
from asterisk_warm.core.handoff.wanted import still_wanted
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports import (
    EndpointUnreachable,
    LegGone,
    Location,
    Pbx,
    PbxError,
    PbxUnreachable,
    Shown,
    Speaker,
    SpeechUnavailable,
)
from asterisk_warm.engine.reconcile import compare

log = structlog.get_logger(__name__)

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
        case RingAgent() | PlayToAgent() | HangUpAgent() | HoldAgent():
            return (agent_name(command.offer),)
        case JoinAgent():
            return (LEAD, agent_name(command.offer))
        case StartConsult():
            return (QUALIFIER, agent_name(command.offer))
        case LetGo():
            return (command.first, command.second)
        case TakeOver():
            return (LEAD, command.other or QUALIFIER)
        case JoinQualifier():
            return (LEAD, QUALIFIER)
        case SetAside() | ReleaseQualifier() | TellPhone():
            return (QUALIFIER,)
        case TellQualifier(talking=True):
            # Takes as long as it speaks; nothing waits for that.
            return ("aside",)
        case TellQualifier():
            # Only when they are out of every bridge.
            return (QUALIFIER,)
        case ShowParty():
            return (command.leg,)
        case CheckLegs():
            # What is read while they are being moved says nothing.
            return (LEAD, QUALIFIER)
        case FindAgents() | PrepareSpeech() | LogQueue():
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
            TakeOver: self._take_over,
            SetAside: self._set_aside,
            JoinQualifier: self._join_qualifier,
            StartConsult: self._start_consult,
            HoldAgent: self._hold_agent,
            TellQualifier: self._tell_qualifier,
            ReleaseQualifier: self._release_qualifier,
            TellPhone: self._tell_phone,
            ShowParty: self._show_party,
            LogQueue: self._log_queue,
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
            lead, bridge = handoff.lead.channel, handoff.bridge
            await self._pbx.secure_lead(lead, bridge, command.music, dict(command.variables))
        except LegGone as gone:
            return _lead_gone(gone)
        return LeadSecured(**_now())

    async def _take_over(self, handoff: Handoff, command: TakeOver) -> Event:
        lead, who = handoff.lead.channel, handoff.qualifier
        if who is None or command.other not in ("", QUALIFIER):
            # Taken back from an agent: the lead keeps the place that they have.
            other = handoff.channel_of(command.other)
            places = {other: _location(BYE)}
        else:
            other = who.channel if command.other else who.held_channel
            places = {lead: _location(handoff.return_to), other: _location(who.return_to)}
        known = {channel: place for channel, place in places.items() if place is not None}
        variables = dict(command.variables)
        if handoff.policy.recording and command.other == QUALIFIER:
            variables["WARM_RECORD"] = f"{handoff.policy.recording}/{handoff.id}.wav"
        try:
            await self._pbx.take_over(lead, other, handoff.bridge, known, variables, drop=not command.other)
        except LegGone as gone:
            if await self._is_there(lead):
                raise
            return _lead_gone(gone)
        return LeadSecured(**_now())

    async def _is_there(self, channel: str) -> bool:
        try:
            await self._pbx.locate(channel)
        except LegGone:
            return False
        return True

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
        try:
            await self._pbx.return_lead(handoff.lead.channel, dict(command.variables), _location(command.to))
        except LegGone as gone:
            return _lead_gone(gone)
        return None

    async def _close_bridge(self, handoff: Handoff, command: CloseBridge) -> Event:
        await self._pbx.close_bridge(handoff.bridge)
        if handoff.qualifier is not None:
            await self._pbx.close_bridge(consult_id(handoff.id))
        return BridgeClosed(**_now())

    # -- the qualifier ---------------------------------------------------------------------------------------

    async def _set_aside(self, handoff: Handoff, command: SetAside) -> Event | None:
        bridges = (handoff.bridge, consult_id(handoff.id))
        try:
            await self._pbx.set_aside(handoff.channel_of(QUALIFIER), bridges)
        except LegGone as gone:
            return _qualifier_gone(gone)
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
            if not await self._is_there(channel):
                return _qualifier_gone(gone)
            return _lead_gone(gone)
        return QualifierJoined(**_now())

    async def _start_consult(self, handoff: Handoff, command: StartConsult) -> Event:
        stop = (
            []
            if command.stop_briefing is None
            else [playback_id(handoff.id, Playing.BRIEFING, command.stop_briefing)]
        )
        channel, agent = handoff.channel_of(QUALIFIER), handoff.channel_of(agent_name(command.offer))
        waits = command.agent_waits
        try:
            await self._pbx.consult(channel, agent, consult_id(handoff.id), stop, agent_waits=waits)
        except LegGone as gone:
            if not await self._is_there(channel):
                return _qualifier_gone(gone)
            return _agent_gone(command.offer, gone)
        return ConsultStarted(**_now(), offer=command.offer)

    async def _tell_qualifier(self, handoff: Handoff, command: TellQualifier) -> Event | None:
        texts = [line.text for line in command.media if line.text]
        if texts:
            with suppress(SpeechUnavailable, TimeoutError):  # Prompts serve instead.
                await asyncio.wait_for(self._speaker.prepare(texts), self._speech_seconds)
        channel = handoff.channel_of(QUALIFIER)
        playback = playback_id(handoff.id, Playing.ASIDE, command.number)
        sounds = self._sounds(command.media)
        try:
            if not command.talking:
                await self._pbx.play(channel, playback, sounds)
                return None
            await self._pbx.tell(channel, aside_leg(handoff.id, command.number), playback, sounds)
        except PbxError as error:
            log.info("the qualifier was not told", handoff=handoff.id, why=str(error))
            return PlaybackEnded(**_now(), what=Playing.ASIDE, number=command.number, failed=True)
        return None

    async def _release_qualifier(self, handoff: Handoff, command: ReleaseQualifier) -> Event | None:
        try:
            await self._pbx.release(handoff.channel_of(QUALIFIER))
        except LegGone as gone:
            return _qualifier_gone(gone)
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

    # -- agents ----------------------------------------------------------------------------------------------

    async def _find_agents(self, handoff: Handoff, command: FindAgents) -> Event:
        free, not_free = await self.who_is_free(command.agents)
        return AgentsFound(**_now(), free=free, not_free=not_free)

    async def who_is_free(
        self, agents: Sequence[Agent]
    ) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Ids of those who can be rung now, and (id, why not in words) of the others. Raises PbxError."""
        devices = await self._pbx.devices([agent.endpoint for agent in agents])
        states = {agent.id: devices.get(agent.endpoint, "UNKNOWN") for agent in agents}
        free = tuple(agent for agent, state in states.items() if state in _FREE)
        others = ((agent, state) for agent, state in states.items() if state not in _FREE)
        return free, tuple((agent, _NOT_FREE.get(state, state)) for agent, state in others)

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
            leg = handoff.channel_of(agent_name(command.offer))
            await self._pbx.play(leg, playback, self._sounds(command.media))
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
            handoff.channel_of(agent_name(command.offer)),
            handoff.bridge,
            stop,
            self._sounds(command.introduction),
            playback_id(handoff.id, Playing.INTRODUCTION, command.number),
            agent_waits=command.agent_waits,
        )
        return AgentJoined(**_now(), offer=command.offer)

    async def _hold_agent(self, handoff: Handoff, command: HoldAgent) -> Event | None:
        try:
            await self._pbx.hold_music(handoff.channel_of(agent_name(command.offer)), command.music)
        except LegGone as gone:
            return _agent_gone(command.offer, gone)
        return None

    async def _hang_up_agent(self, handoff: Handoff, command: HangUpAgent) -> Event | None:
        try:
            await self._pbx.hang_up(handoff.channel_of(agent_name(command.offer)))
        except LegGone as gone:
            return _agent_gone(command.offer, gone)
        return None

    async def _let_go(self, handoff: Handoff, command: LetGo) -> Event | None:
        try:
            first, second = handoff.channel_of(command.first), handoff.channel_of(command.second)
            await self._pbx.let_go(first, second, dict(command.variables))
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


def _qualifier_gone(gone: LegGone) -> QualifierHungUp:
    return QualifierHungUp(**_now(), cause=str(gone))


BYE = ReturnPlace("warm-bye", "s", 1)
"""Where those go on who have no other place: hung up."""


def _location(place: ReturnPlace | None) -> Location | None:
    return None if place is None else Location(place.context, place.extension, place.priority)


def _agent_gone(offer: int, gone: LegGone) -> AgentHungUp:
    return AgentHungUp(**_now(), offer=offer, outcome=Outcome.HUNG_UP, cause=str(gone))


def _failed(command: Command, error: Exception) -> CommandFailed:
    offer = getattr(command, "offer", None)
    return CommandFailed(**_now(), command=type(command).__name__, offer=offer, error=str(error))
