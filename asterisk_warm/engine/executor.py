"""Carries out commands through the ports. The outcome, where it matters, is the next event."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from asterisk_warm.core.handoff.commands import (
    CheckLegs,
    CloseBridge,
    Command,
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
    BridgeClosed,
    CommandFailed,
    ConsultStarted,
    Event,
    LeadHungUp,
    LeadLeft,
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
    PbxRefused,
    PbxUnreachable,
    Shown,
    Speaker,
    SpeechUnavailable,
)
from asterisk_warm.engine.reconcile import compare
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)


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
        case PrepareSpeech() | LogQueue():
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
                await within(self._reachable(), UNREACHABLE_SECONDS)
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
        event = await self._run[type(command)](now, command)
        if isinstance(command, RingAgent):
            await self._ring_nobody_else(handoff(), command.offer)
        return event

    async def _ring_nobody_else(self, handoff: Handoff, number: int) -> None:
        """An order that is repeated after a restart may come in the moment in which the offer ends: it makes
        the leg anew, by the same id, and nobody would look after it."""
        offer = handoff.offer(number)
        if offer is not None and not offer.leg_open:
            with suppress(LegGone):
                await self._pbx.hang_up(handoff.channel_of(agent_name(number)))

    # -- the lead --------------------------------------------------------------------------------------------

    async def _secure_lead(self, handoff: Handoff, command: SecureLead) -> Event:
        try:
            lead, bridge = handoff.lead.channel, handoff.bridge
            if handoff.fetching:
                await self._fetch_alone(handoff, command)
            else:
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
        if command.other == QUALIFIER:
            variables |= _recording(handoff)
        try:
            await self._pbx.take_over(lead, other, handoff.bridge, known, variables, drop=not command.other)
        except (LegGone, PbxRefused) as error:
            if not await self._is_there(lead):
                return _lead_gone(error)
            if not await self._is_there(other):
                if command.other == QUALIFIER:
                    return _qualifier_gone(error)
                if not command.other:
                    return LeadLeft(**_now())  # The phone has ended the call in which it held the lead.
            raise
        return LeadSecured(**_now())

    async def _fetch_alone(self, handoff: Handoff, command: SecureLead) -> None:
        """A lead whose qualifier has hung up while they were being taken over. Raises PbxError."""
        lead, place = handoff.lead.channel, _location(handoff.return_to)
        places = {lead: place} if place is not None else {}
        variables = {**dict(command.variables), **_recording(handoff)}
        await self._pbx.take_over(lead, "", handoff.bridge, places, variables, drop=False)
        await self._pbx.hold_music(lead, command.music)

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
            # The place may have come with another channel, after the order.
            place = _location(command.to or handoff.return_to)
            await self._pbx.return_lead(handoff.lead.channel, dict(command.variables), place)
        except LegGone as gone:
            return _lead_gone(gone)
        return None

    async def _close_bridge(self, handoff: Handoff, command: CloseBridge) -> Event:
        if handoff.qualifier is not None:
            await self._pbx.close_bridge(consult_id(handoff.id))
        # The last one: when it is gone, so is all of the handoff.
        await self._pbx.close_bridge(handoff.bridge)
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
                await within(self._speaker.prepare(texts), self._speech_seconds)
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
            variables = dict(command.variables)
            if command.first == LEAD and handoff.return_to is not None:
                # Another channel than the one that was told may be the lead's by now.
                variables["WARM_RETURN"] = _words(handoff.return_to)
            await self._pbx.let_go(first, second, variables)
        except LegGone as gone:
            log.debug("nobody left to let go", handoff=handoff.id, why=str(gone))
        return None

    async def _check_legs(self, handoff: Handoff, command: CheckLegs) -> Event:
        return compare(handoff, await self._pbx.look(), time.time(), after_outage=False)

    # -- speech ----------------------------------------------------------------------------------------------

    async def _prepare_speech(self, handoff: Handoff, command: PrepareSpeech) -> Event:
        why = ""
        try:
            await within(self._speaker.prepare(command.lines), self._speech_seconds)
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


def _recording(handoff: Handoff) -> dict[str, str]:
    """Begun on the lead's way in, unless it runs already; empty: none."""
    folder = handoff.policy.recording
    return {"WARM_RECORD": f"{folder}/{handoff.id}.wav"} if folder else {}


def _lead_gone(gone: PbxError) -> LeadHungUp:
    return LeadHungUp(**_now(), cause=str(gone))


def _qualifier_gone(gone: PbxError) -> QualifierHungUp:
    return QualifierHungUp(**_now(), cause=str(gone))


BYE = ReturnPlace("warm-bye", "s", 1)
"""Where those go on who have no other place: hung up."""


def _location(place: ReturnPlace | None) -> Location | None:
    return None if place is None else Location(place.context, place.extension, place.priority)


def _words(place: ReturnPlace) -> str:
    """As the dialplan's Goto() reads it."""
    return f"{place.context},{place.extension},{place.priority}"


def _agent_gone(offer: int, gone: LegGone) -> AgentHungUp:
    return AgentHungUp(**_now(), offer=offer, outcome=Outcome.HUNG_UP, cause=str(gone))


def _failed(command: Command, error: Exception) -> CommandFailed:
    offer = getattr(command, "offer", None)
    return CommandFailed(**_now(), command=type(command).__name__, offer=offer, error=str(error))
