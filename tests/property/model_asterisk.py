"""A simulator of Asterisk, as far as handoffs use it: which channels, bridges and playbacks exist, what
people do to them, and what the ports of the engine make of them.

It is not Asterisk: it says what the orders *mean*, so that they can be delayed, refused, lost, carried out by
halves and overtaken by people as no real Asterisk can be made to. What Asterisk really does is tested in
`tests/real`."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.ids import parse_agent_leg, parse_playback
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.engine.ports import (
    AtDoor,
    Found,
    FoundChannel,
    LeadAtDoor,
    LegGone,
    Location,
    PbxRefused,
    PbxUnreachable,
    SpeechUnavailable,
)

LEAD = "lead-1"


def lead_at_door(channel: str) -> LeadAtDoor:
    return LeadAtDoor(channel, "Grant", "+15550100", {})


@dataclass(slots=True)
class Leg:
    """A channel."""

    id: str
    up: bool = False
    dialed: bool = False
    in_app: bool = True
    bridge: str | None = None
    music: bool = False
    talks_to: str | None = None
    """The other channel in a bridge of Asterisk's own, after letting go."""
    variables: dict[str, str] = field(default_factory=dict)


class World:
    """The truth. People act on it by the methods that are named after what they do; `tell` hears of it as the
    adapters would, if they are connected."""

    def __init__(self, tell: Callable[[str, ev.Event], None], clock: Callable[[], float]) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: set[str] = set()
        self.playbacks: dict[str, str] = {}
        """Playback id → the channel or bridge that hears it."""
        self.handoff = ""
        self.sent_on: list[Location | None] = []
        self._tell = tell
        self._clock = clock
        self._ids = itertools.count()

    # -- what can be asked -----------------------------------------------------------------------------------

    def agents(self) -> dict[int, Leg]:
        found = {parse_agent_leg(leg.id): leg for leg in self.legs.values()}
        return {parsed[1]: leg for parsed, leg in found.items() if parsed is not None}

    @property
    def lead(self) -> Leg | None:
        return self.legs.get(LEAD)

    def hears(self, place: str) -> list[str]:
        """What is being played to a channel or bridge."""
        return [playback for playback, where in self.playbacks.items() if where == place]

    def with_lead(self) -> list[int]:
        """Offers whose agent is in the bridge that the lead is in."""
        lead = self.lead
        if lead is None or lead.bridge is None:
            return []
        return [number for number, leg in self.agents().items() if leg.bridge == lead.bridge]

    def found(self) -> Found:
        channels = {
            leg.id: FoundChannel(leg.id, leg.up, leg.bridge if leg.in_app else None, leg.in_app)
            for leg in self.legs.values()
        }
        waiting = [AtDoor(lead_at_door(leg.id), "sales", ()) for leg in self._leads() if leg.in_app]
        return Found(channels, frozenset(self.bridges), waiting)

    def _leads(self) -> list[Leg]:
        return [leg for leg in self.legs.values() if parse_agent_leg(leg.id) is None]

    # -- what people do --------------------------------------------------------------------------------------

    def lead_calls(self) -> None:
        self.legs[LEAD] = Leg(LEAD, up=True)

    def lead_hangs_up(self) -> None:
        self._destroy(LEAD)

    def lead_is_taken_away(self) -> None:
        """By something else in Asterisk: a redirect, a pickup."""
        self._leave_app(self.legs[LEAD])

    def agent_rings(self, number: int) -> None:
        self._post(ev.AgentRinging, offer=number)

    def agent_answers(self, number: int) -> None:
        self.agents()[number].up = True
        self._post(ev.AgentAnswered, offer=number)

    def agent_presses(self, number: int, digit: str) -> None:
        self._post(ev.DigitPressed, offer=number, digit=digit)

    def agent_ends(self, number: int, outcome: Outcome) -> None:
        leg = self.agents()[number]
        self._destroy(leg.id, Outcome.HUNG_UP if leg.up else outcome)

    def agent_is_taken_away(self, number: int) -> None:
        self._leave_app(self.agents()[number])

    def playback_ends(self, playback: str, failed: bool = False) -> None:
        if self.playbacks.pop(playback, None) is None:
            return
        parsed = parse_playback(playback)
        assert parsed is not None
        self._post(ev.PlaybackEnded, what=Playing(parsed[1]), number=parsed[2], failed=failed)

    # -- what the orders mean --------------------------------------------------------------------------------

    def in_app(self, channel: str) -> Leg:
        leg = self.leg(channel)
        if not leg.in_app:
            raise PbxRefused(f"{channel} is not in the application")
        return leg

    def leg(self, channel: str) -> Leg:
        if channel not in self.legs:
            raise LegGone(f"{channel} is gone")
        return self.legs[channel]

    def enter(self, channel: str, bridge: str) -> None:
        if bridge not in self.bridges:
            raise PbxRefused(f"no bridge {bridge}")
        self.in_app(channel).bridge = bridge
        parsed = parse_agent_leg(channel)
        if parsed is not None:
            self._post(ev.AgentJoined, offer=parsed[1])

    def start(self, playback: str, place: str) -> None:
        self.playbacks[playback] = place

    def pair(self, lead: str, agent: str) -> None:
        """The talking pair moves to a bridge of Asterisk's own."""
        first, second = self.leg(lead), self.leg(agent)
        if first.talks_to == agent:
            return
        if not (first.in_app and second.in_app):
            raise PbxRefused("one of them is not in the application")
        first.talks_to, second.talks_to = agent, lead
        self._leave_app(first)
        self._leave_app(second)

    def send_on(self, channel: str, to: Location | None) -> None:
        leg = self.leg(channel)
        if leg.in_app:
            self.sent_on.append(to)
            self._leave_app(leg)

    def create(self, channel: str) -> None:
        self.legs.setdefault(channel, Leg(channel))

    def dial(self, channel: str) -> None:
        leg = self.leg(channel)
        if not leg.dialed:
            leg.dialed = True
            parsed = parse_agent_leg(channel)
            assert parsed is not None
            self.agent_rings(parsed[1])

    def hang_up(self, channel: str) -> None:
        leg = self.leg(channel)
        self._destroy(channel, Outcome.HUNG_UP if leg.up else Outcome.NO_ANSWER)

    def close(self, bridge: str) -> None:
        if bridge not in self.bridges:
            return
        self.bridges.remove(bridge)
        for leg in self.legs.values():
            leg.bridge = None if leg.bridge == bridge else leg.bridge
        self._silence(bridge)
        self._post(ev.BridgeClosed)

    # -- in common -------------------------------------------------------------------------------------------

    def _destroy(self, channel: str, outcome: Outcome = Outcome.HUNG_UP) -> None:
        leg = self.legs.pop(channel)
        self._silence(channel)
        parsed = parse_agent_leg(channel)
        if parsed is None:
            self._post(ev.LeadHungUp, cause="normal clearing")
        else:
            self._post(ev.AgentHungUp, offer=parsed[1], outcome=outcome, cause=outcome.value)
        other = self.legs.get(leg.talks_to or "")
        if other is not None:
            other.talks_to = None
            if other.id != LEAD:
                # Bridge() ends, and there is no dialplan after it; the lead goes on in theirs.
                self._destroy(other.id)

    def _leave_app(self, leg: Leg) -> None:
        leg.in_app, leg.bridge, leg.music = False, None, False
        self._silence(leg.id)
        parsed = parse_agent_leg(leg.id)
        if parsed is None:
            self._post(ev.LeadLeft)
        else:
            self._post(ev.AgentLeft, offer=parsed[1])

    def _silence(self, place: str) -> None:
        for playback in self.hears(place):
            self.playback_ends(playback, failed=True)

    def _post(self, kind: type[ev.Event], **fields: Any) -> None:
        self._tell(self.handoff, kind(at=self._clock(), event_id=f"w{next(self._ids)}", **fields))


Stage = Callable[[], Any]


@dataclass(slots=True, eq=False)
class Order:
    """Something the engine asked for and waits for: carried out stage by stage, when the test says so."""

    name: str
    stages: list[Stage]
    reply: asyncio.Future[Any]

    def carry_out(self, stages: int | None = None) -> Any:
        """Carry out the first so many stages (all by default); returns what the last one says, raises
        PbxError as Asterisk would."""
        said = None
        for stage in self.stages[:stages]:
            said = stage()
        return said


class ModelPbx:
    """The engine's `Pbx` and `Speaker` ports upon the world. Every order waits in `orders`; with `at_once` it
    is carried out as it comes."""

    def __init__(self, world: World, *, at_once: bool = False) -> None:
        self.world = world
        self.at_once = at_once
        self.orders: list[Order] = []
        self.busy: set[str] = set()
        """Endpoints that are in a call."""
        self.connected = True
        self.speech_works = True
        self.entered: Callable[[str, Sequence[str]], None] = lambda channel, arguments: None

    async def _order(self, name: str, *stages: Stage) -> Any:
        if not self.connected:
            raise PbxUnreachable("no connection")
        order = Order(name, list(stages), asyncio.get_running_loop().create_future())
        if self.at_once:
            return order.carry_out()
        self.orders.append(order)
        try:
            return await order.reply
        finally:
            if order in self.orders:
                self.orders.remove(order)

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        w = self.world
        await self._order(
            f"secure {lead}",
            lambda: w.in_app(lead).variables.update(variables),
            lambda: _music(w.in_app(lead), True),
            lambda: w.bridges.add(bridge),
            lambda: w.enter(lead, bridge),
        )

    async def hold_music(self, lead: str, music: str) -> None:
        await self._order(f"music to {lead}", lambda: _music(self.world.in_app(lead), True))

    async def devices(self, endpoints: Sequence[str]) -> Mapping[str, str]:
        states: Mapping[str, str] = await self._order(
            "devices", lambda: {e: "INUSE" if e in self.busy else "NOT_INUSE" for e in endpoints}
        )
        return states

    async def ring(
        self,
        leg: str,
        lead: str,
        endpoint: str,
        name: str,
        number: str,
        seconds: float,
        variables: Mapping[str, str],
    ) -> None:
        w = self.world
        await self._order(f"ring {leg}", lambda: w.create(leg), lambda: w.dial(leg))

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        w = self.world
        await self._order(f"play {playback}", lambda: w.in_app(channel), lambda: w.start(playback, channel))

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        w = self.world
        await self._order(
            f"play {playback}",
            lambda: _music(w.in_app(lead), False),
            lambda: w.start(playback, w.in_app(lead).id),
        )

    async def stop_playback(self, playback: str) -> None:
        await self._order(f"stop {playback}", lambda: self.world.playback_ends(playback))

    async def join(
        self,
        lead: str,
        agent: str,
        bridge: str,
        stop: Sequence[str],
        introduction: Sequence[str],
        playback: str,
    ) -> None:
        w = self.world
        stages: list[Stage] = [lambda p=p: w.playback_ends(p) for p in stop]  # type: ignore[misc]
        stages += [lambda: _music(w.in_app(lead), False), lambda: w.enter(agent, bridge)]
        if introduction:
            stages.append(lambda: w.start(playback, bridge))
        await self._order(f"join {agent}", *stages)

    async def let_go(self, lead: str, agent: str, variables: Mapping[str, str]) -> None:
        w = self.world
        await self._order(
            f"let go {agent}",
            lambda: w.leg(lead).variables.update(variables),
            lambda: w.pair(lead, agent),
        )

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        w = self.world
        await self._order(
            f"return {lead}",
            lambda: w.leg(lead).variables.update(variables),
            lambda: w.send_on(lead, to),
        )

    async def hang_up(self, channel: str) -> None:
        await self._order(f"hang up {channel}", lambda: self.world.hang_up(channel))

    async def close_bridge(self, bridge: str) -> None:
        await self._order(f"close {bridge}", lambda: self.world.close(bridge))

    async def look(self) -> Found:
        found: Found = await self._order("look", self.world.found)
        return found

    async def locate(self, channel: str) -> tuple[str, Location | None]:
        place: Location | None = await self._order("locate", lambda: self._place(self.world.leg(channel)))
        return channel, place

    @staticmethod
    def _place(leg: Leg) -> Location | None:
        return None if leg.talks_to or leg.bridge else Location("incoming", "s", 2)

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        def enter() -> None:
            self.world.leg(channel).in_app = True
            self.entered(channel, arguments)

        await self._order("fetch", enter)

    async def prepare(self, lines: Sequence[str]) -> Sequence[str]:
        if not self.speech_works:
            raise SpeechUnavailable("no voice")
        return [f"sound:spoken/{line}" for line in lines]

    def spoken(self, text: str) -> str | None:
        return f"sound:spoken/{text}" if text and self.speech_works else None

    def prompt(self, name: str) -> str:
        return f"sound:warm/{name}"


def _music(leg: Leg, on: bool) -> None:
    leg.music = on
