"""A simulator of Asterisk, as far as handoffs use it: which channels, bridges and playbacks exist, what
people do to them (`model_world`), and what the ports of the engine make of them.

It is not Asterisk: it says what the orders *mean*, so that they can be delayed, refused, lost, carried out by
halves and overtaken by people as no real Asterisk can be made to. What Asterisk really does is tested in
`tests/real`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from property.model_world import HELD, LEAD, PEOPLE, PLACE, QUALIFIER, Leg, World, lead_at_door

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.engine.leads.ports import LookedUp, LookUpFailed
from asterisk_warm.engine.ports.calls import Found, Location, Party, Shown, Whereabouts
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable
from asterisk_warm.engine.ports.speech import SpeechUnavailable

__all__ = [
    "HELD",
    "LEAD",
    "PEOPLE",
    "PLACE",
    "QUALIFIER",
    "Leg",
    "ModelPbx",
    "Order",
    "World",
    "lead_at_door",
]

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


TAKE_OVER_SECONDS = 8.0
"""Other orders may be carried out at any time later: what makes up for them waits for the same leg. Who is taken
over is not a leg of ours before."""


class ModelPbx:
    """The engine's `Pbx`, `Speaker` and `Crm` ports upon the world. Every order waits in `orders`; with `at_once` it
    is carried out as it comes."""

    def __init__(self, world: World, *, at_once: bool = False) -> None:
        self.world = world
        self.at_once = at_once
        self.orders: list[Order] = []
        self.busy: set[str] = set()
        """Endpoints that are in a call."""
        self.connected = True
        self.speech_works = True
        self.numbers: set[str] = set()
        """What a phone may dial beside our teams."""
        self.entered: Callable[[str, Sequence[str]], None] = lambda channel, arguments: None

    async def _order(self, name: str, *stages: Stage, seconds: float | None = None) -> Any:
        if not self.connected:
            raise PbxUnreachable("no connection")
        order = Order(name, list(stages), asyncio.get_running_loop().create_future())
        if self.at_once:
            return order.carry_out()
        self.orders.append(order)
        try:
            return await asyncio.wait_for(order.reply, seconds)
        except TimeoutError as error:
            raise PbxUnreachable("no answer in time") from error
        finally:
            if order in self.orders:
                self.orders.remove(order)

    # -- the lead --------------------------------------------------------------------------------------------

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        w = self.world
        await self._order(
            f"secure {lead}",
            lambda: w.in_app(lead).variables.update(variables),
            lambda: _music(w.in_app(lead), True),
            lambda: w.bridges.add(bridge),
            lambda: w.enter(lead, bridge),
        )

    async def take_over(
        self,
        lead: str,
        other: str,
        bridge: str,
        places: Mapping[str, Location | None],
        variables: Mapping[str, str],
        *,
        drop: bool,
    ) -> None:
        w = self.world
        stages: list[Stage] = [
            lambda: w.leg(lead).variables.update(variables),
            lambda: w.bridges.add(bridge),
            lambda: w.fetch_one(lead, other) if drop else w.fetch(lead, other) if other else w.come(lead),
            lambda: w.enter(lead, bridge),
        ]
        if other and not drop:
            stages.append(lambda: w.enter(other, bridge))
        await self._order(f"take over {lead}", *stages, seconds=TAKE_OVER_SECONDS)

    async def hold_music(self, lead: str, music: str) -> None:
        await self._order(f"music to {lead}", lambda: _music(self.world.in_app(lead), True))

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        w = self.world
        await self._order(
            f"play {playback}",
            lambda: _music(w.in_app(lead), False),
            lambda: w.start(playback, w.in_app(lead).id, media),
        )

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        w = self.world
        await self._order(
            f"return {lead}",
            lambda: w.leg(lead).variables.update(variables),
            lambda: w.send_on(lead, to),
        )

    async def let_go(self, first: str, second: str, variables: Mapping[str, str]) -> None:
        w = self.world
        await self._order(
            f"let go {second}",
            lambda: w.leg(first).variables.update(variables),
            lambda: w.pair(first, second),
        )

    # -- the qualifier ---------------------------------------------------------------------------------------

    async def join_qualifier(self, lead: str, qualifier: str, bridge: str, stop: Sequence[str]) -> None:
        w = self.world
        await self._order(
            f"join {qualifier}",
            *self._stopping(stop),
            lambda: _music(w.in_app(lead), False),
            lambda: w.enter(qualifier, bridge),
        )

    async def set_aside(self, qualifier: str, bridges: Sequence[str]) -> None:
        await self._order(f"set aside {qualifier}", lambda: self.world.set_aside(qualifier))

    async def consult(
        self, qualifier: str, agent: str, bridge: str, stop: Sequence[str], *, agent_waits: bool
    ) -> None:
        w = self.world
        stages: list[Stage] = [*self._stopping(stop), lambda: w.bridges.add(bridge)]
        if agent_waits:
            stages.append(lambda: _music(w.in_app(agent), False))
        stages += [lambda: w.enter(agent, bridge), lambda: w.enter(qualifier, bridge)]
        await self._order(f"consult {qualifier}", *stages)

    async def tell(self, channel: str, leg: str, playback: str, media: Sequence[str]) -> None:
        w = self.world
        try:
            await self._order(
                f"tell {channel}",
                lambda: w.whisper(channel, leg, playback, media),
                lambda: w.whispered_out(leg),
            )
        except (LegGone, PbxRefused, PbxUnreachable):
            w.whispered_out(leg)
            raise

    async def tell_phone(self, channel: str, progress: Progress) -> None:
        await self._order(f"tell phone {progress}", lambda: self.world.phone_told.append(progress))

    async def release(self, channel: str) -> None:
        await self._order(f"release {channel}", lambda: self.world.release(channel))

    # -- agents ----------------------------------------------------------------------------------------------

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
        w = self.world
        await self._order(
            f"ring {leg}",
            lambda: w.create(leg),
            lambda: w.headers.update({leg: dict(headers)}),
            lambda: w.dial(leg),
            lambda: w.shown.update({leg: caller}),
        )

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        w = self.world
        await self._order(
            f"play {playback}", lambda: w.in_app(channel), lambda: w.start(playback, channel, media)
        )

    async def stop_playback(self, playback: str) -> None:
        await self._order(f"stop {playback}", lambda: self.world.playback_ends(playback))

    def _stopping(self, playbacks: Sequence[str]) -> list[Stage]:
        return [lambda p=p: self.world.playback_ends(p) for p in playbacks]  # type: ignore[misc]

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
        w = self.world
        stages = self._stopping(stop)
        if agent_waits:
            stages.append(lambda: _music(w.in_app(agent), False))
        stages += [lambda: _music(w.in_app(lead), False), lambda: w.enter(agent, bridge)]
        if introduction:
            stages.append(lambda: w.start(playback, bridge, introduction))
        await self._order(f"join {agent}", *stages)

    async def show(self, channel: str, shown: Shown) -> None:
        await self._order(
            f"show {channel}", lambda: self.world.shown.update({self.world.leg(channel).id: shown})
        )

    async def log_queue(self, queue: str, event: str, agent: str, message: str, unique_id: str) -> None:
        line = (queue, event, agent, message, unique_id)
        await self._order("log queue", lambda: self.world.queue_log.append(line))

    async def hang_up(self, channel: str) -> None:
        await self._order(f"hang up {channel}", lambda: self.world.hang_up(channel))

    async def close_bridge(self, bridge: str) -> None:
        await self._order(f"close {bridge}", lambda: self.world.close(bridge))

    # -- questions that agents ask back ----------------------------------------------------------------------

    async def record(self, channel: str, recording: str, media: Sequence[str], seconds: float) -> None:
        await self._order(f"record {recording}", lambda: self.world.record(channel, recording, media))

    async def record_within(
        self, channel: str, leg: str, recording: str, seconds: float, *, all: bool
    ) -> None:
        await self._order(f"record {recording}", lambda: self.world.record_within(channel, leg, recording))

    async def stop_recording(self, recording: str) -> None:
        await self._order(f"stop {recording}", lambda: self.world.recording_ends(recording, failed=True))

    async def has_recording(self, recording: str) -> bool:
        there: bool = await self._order(f"has {recording}", lambda: recording in self.world.stored)
        return there

    async def forget_recording(self, recording: str) -> None:
        await self._order(f"forget {recording}", lambda: self.world.stored.discard(recording))

    # -- what there is ---------------------------------------------------------------------------------------

    async def look(self) -> Found:
        found: Found = await self._order("look", self.world.found)
        return found

    async def locate(self, channel: str) -> Whereabouts:
        place: Whereabouts = await self._order("locate", lambda: self._whereabouts(channel))
        return place

    def _whereabouts(self, channel: str) -> Whereabouts:
        leg = self.world.leg(channel)
        others = [other for other in self.world.legs.values() if other is not leg]
        peers = [other for other in others if self.world.together(leg, other)]
        peer = self._party(peers[0].id) if len(peers) == 1 else None
        return Whereabouts(self._party(channel), bool(leg.talks_to or leg.bridge), peer)

    def _party(self, channel: str) -> Party:
        leg = self.world.leg(channel)
        name, number, endpoint = PEOPLE.get(leg.first_id, (channel, "", ""))
        nowhere = leg.talks_to is not None and not leg.goes_on
        return Party(channel, name, number, endpoint, None if nowhere else PLACE, leg.kept)

    async def other_call(self, channel: str) -> tuple[Party, Party] | None:
        def calls() -> tuple[Party, Party] | None:
            self.world.leg(channel)
            held = self.world.legs.get(HELD)
            if held is None or held.talks_to not in self.world.legs:
                return None
            return self._party(HELD), self._party(held.talks_to)

        found: tuple[Party, Party] | None = await self._order("other call", calls)
        return found

    async def watch(self, channel: str) -> None:
        await self._order(f"watch {channel}", lambda: self.world.watched.add(channel))

    async def lead_variables(self, channel: str) -> Mapping[str, str]:
        described = await self._order("variables", lambda: dict(self.world.leg(channel).variables))
        return {name: value for name, value in described.items() if name.startswith("WARM_LEAD_")}

    async def team_of(self, channel: str) -> str:
        team: str = await self._order("team", lambda: self.world.leg(channel).variables.get("WARM_TEAM", ""))
        return team

    async def transfer(self, channel: str, by: str, number: str) -> bool:
        def send() -> bool:
            self.world.leg(channel)
            if number in self.numbers:
                self.world.transferred.append((channel, by, number))
            return number in self.numbers

        sent: bool = await self._order(f"transfer {channel} to {number}", send)
        return sent

    async def connect(self, lead: str, peer: str, by: str, on: Location | None) -> None:
        await self._order(f"connect {lead}", lambda: self.world.connect(lead, peer))

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        def enter() -> None:
            self.world.leg(channel).in_app = True
            self.entered(channel, arguments)

        await self._order("fetch", enter)

    # -- what others know ------------------------------------------------------------------------------------

    async def look_up(self, number: str) -> LookedUp | None:
        """A CRM, as slow and unreliable as all else."""
        try:
            known: LookedUp = await self._order(f"look up {number}", lambda: KNOWN)
        except PbxError as error:
            raise LookUpFailed(str(error)) from error
        return known

    # -- speech ----------------------------------------------------------------------------------------------

    async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
        if not self.speech_works:
            raise SpeechUnavailable("no voice")
        return [_sound("spoken", language, line) for line in lines]

    def spoken(self, text: str, language: str = "") -> str | None:
        return _sound("spoken", language, text) if text and self.speech_works else None

    def prompt(self, name: str, language: str = "") -> str:
        return _sound("warm", language, name)


KNOWN = LookedUp("Grace Hopper", "renews in May", "es", (("Plan", "gold"),))


def _sound(folder: str, language: str, name: str) -> str:
    return f"sound:{folder}/{language}/{name}" if language else f"sound:{folder}/{name}"


def _music(leg: Leg, on: bool) -> None:
    leg.music = on
