"""The link between Asterisk's events and the engine: nothing is handed over before Asterisk was read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.link import AriLink
from asterisk_warm.ari.orders import TAKEN
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.core.handoff.events import DigitPressed, Event, QualifierHungUp, QualifierPressed
from asterisk_warm.core.handoff.model import QUALIFIER as THE_QUALIFIER
from asterisk_warm.core.handoff.model import agent_name
from asterisk_warm.engine.ports.calls import AtDoor, Door, Location, Transfer

LEG = {"id": "warm-1-agent-1", "state": "Up"}
LEAD = {"id": "7.7", "name": "PJSIP/x-1", "state": "Ring", "caller": {"name": "Grant", "number": "5"}}
QUINN = {"id": "7.8", "name": "PJSIP/quinn-1", "state": "Up"}
CLEO = {"id": "7.9", "name": "PJSIP/cleo-1", "state": "Up"}
Told = tuple[Any, ...]


class Engine:
    def __init__(self) -> None:
        self.told: asyncio.Queue[Told] = asyncio.Queue()
        self.reading, self.go_on = asyncio.Event(), asyncio.Event()
        self.legs = {LEG["id"]: ("warm-1", agent_name(1)), QUINN["id"]: ("warm-1", THE_QUALIFIER)}

    async def recover(self) -> None:
        self.reading.set()
        await self.go_on.wait()
        self.told.put_nowait(("recovered",))

    def post(self, handoff: str, event: Event) -> None:
        self.told.put_nowait((handoff, event))

    def entered(self, at_door: AtDoor) -> None:
        self.told.put_nowait((at_door.door, at_door.lead.channel, at_door.team, list(at_door.options)))

    def transfer_asked(self, transfer: Transfer) -> None:
        self.told.put_nowait((transfer,))

    def replaced(self, channel: str, by: str, at: float, event_id: str) -> None:
        self.legs[by] = self.legs.pop(channel)
        self.told.put_nowait(("replaced", channel, by, at, event_id))

    def leg_of(self, channel: str) -> tuple[str, str] | None:
        return self.legs.get(channel)

    async def next(self) -> Told:
        return await asyncio.wait_for(self.told.get(), 5)


class NoManager:
    """None of these scenes needs AMI."""

    async def redirect(
        self, channel: str, location: Location, other: str = "", elsewhere: Location | None = None
    ) -> None:
        raise AssertionError

    async def extension_exists(self, context: str, extension: str) -> bool:
        raise AssertionError

    async def log_queue(self, queue: str, event: str, interface: str, message: str, unique_id: str) -> None:
        raise AssertionError

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        raise AssertionError


def _event(kind: str, channel: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    channels = {} if channel is None else {"channel": channel}
    return {"type": kind, "timestamp": "2026-11-24T03:13:03.362+0000", **channels, **rest}


class Asterisk:
    """In its place: what it is to say is said over the events' websocket."""

    def __init__(self) -> None:
        self._sockets: list[web.WebSocketResponse] = []
        self.hung_up: asyncio.Queue[str] = asyncio.Queue()
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_put("/ari/applications/warm/eventFilter", self._filter)
        app.router.add_post("/ari/events/user/{name}", self._user_event)
        app.router.add_delete("/ari/channels/{channel}", self._hang_up)
        self.server = TestServer(app)

    async def says(self, *events: dict[str, Any]) -> None:
        for event in events:
            await self._sockets[-1].send_str(json.dumps(event))

    async def hangs_up(self) -> None:
        """The websocket breaks."""
        await self._sockets[-1].close()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        self._sockets.append(answer)
        async for _ in answer:
            pass
        return answer

    async def _filter(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def _hang_up(self, request: web.Request) -> web.Response:
        self.hung_up.put_nowait(request.match_info["channel"])
        return web.json_response({"message": "Channel not found"}, status=404)

    async def _user_event(self, request: web.Request) -> web.Response:
        await self.says({"type": "ChannelUserevent", "eventname": request.match_info["name"]})
        return web.Response(status=204)


@asynccontextmanager
async def linked(asterisk: Asterisk, engine: Engine) -> AsyncIterator[AriLink]:
    """Connected, and ready when left to be."""
    async with asterisk.server as server, asyncio.timeout(8):
        client = AriClient(str(server.make_url("/")), "warm", "x")
        link = AriLink(client, "warm", AriPbx(client, "warm", NoManager()))

        async def on_ready() -> None:
            engine.told.put_nowait(("ready",))

        running = asyncio.create_task(link.run(engine, on_ready))
        try:
            yield link
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()
        assert not link.connected


@asynccontextmanager
async def ready() -> AsyncIterator[tuple[Asterisk, Engine]]:
    asterisk, engine = Asterisk(), Engine()
    engine.go_on.set()
    async with linked(asterisk, engine) as link:
        assert [await engine.next(), await engine.next()] == [("recovered",), ("ready",)]
        assert link.connected
        yield asterisk, engine


async def test_given_events_while_asterisk_is_being_read_when_it_has_been_then_they_follow_in_order() -> None:
    asterisk, engine = Asterisk(), Engine()
    async with linked(asterisk, engine) as link:
        await engine.reading.wait()
        await asterisk.says(
            _event("ChannelDtmfReceived", LEG, digit="1"),
            _event("StasisStart", LEAD, args=["handoff", "sales", "mode%3Dblind"]),
            _event("StasisStart", LEG, args=[]),
            _event("StasisStart", {"id": "8.8"}, args=["another", "way"]),
            _event("ChannelTransfer", refer_to={"requested_destination": {"destination": "sales"}},
                   referred_by={"source_channel": QUINN}),
            _event("StasisStart", CLEO, args=[], replace_channel=QUINN),
            _event("ChannelDtmfReceived", LEG, digit="2"),
            _event("ChannelDtmfReceived", CLEO, digit="3"),
        )  # fmt: skip
        assert not link.connected
        # Whatever has been read by now was said before Asterisk was read.
        await asyncio.sleep(0.05)
        assert engine.told.empty()
        engine.go_on.set()
        assert await engine.next() == ("recovered",)
        await link.reachable()
        first, lead, transfer, replaced, second, third, last = [await engine.next() for _ in range(7)]
        assert first[0] == second[0] == third[0] == "warm-1"
        assert isinstance(first[1], DigitPressed) and isinstance(third[1], QualifierPressed)
        assert (first[1].digit, second[1].digit, third[1].digit) == ("1", "2", "3")
        assert lead == (Door.HANDOFF, "7.7", "sales", ["mode=blind"])
        assert transfer == (Transfer("7.8", "sales"),)
        assert replaced[:3] == ("replaced", "7.8", "7.9")
        assert last == ("ready",)
        assert link.connected and engine.told.empty()


async def test_given_a_channel_in_anothers_place_when_it_enters_then_that_is_told_and_nobody_is_at_the_door() -> (
    None
):
    async with ready() as (asterisk, engine):
        # With the arguments that the one before had, as Asterisk tells it.
        await asterisk.says(
            _event("StasisStart", CLEO, args=["handoff", "sales"], replace_channel=QUINN),
            _event("ChannelHangupRequest", QUINN, cause=26),
            _event("StasisEnd", QUINN),
            _event("ChannelHangupRequest", CLEO, cause=16),
        )
        kind, channel, by, at, event_id = await engine.next()
        assert (kind, channel, by) == ("replaced", "7.8", "7.9")
        assert at == 1795489983.362
        assert "7.9" in event_id and event_id.endswith("/replaced")
        # The one before would stay in our application for ever. What becomes of it is nobody's business.
        assert await asterisk.hung_up.get() == "7.8"
        handoff, event = await engine.next()
        assert isinstance(event, QualifierHungUp) and (handoff, event.cause) == ("warm-1", "normal clearing")
        assert engine.told.empty()


async def test_given_a_replacement_that_is_told_again_then_it_has_the_same_id() -> None:
    async with ready() as (asterisk, engine):
        for _ in range(2):
            engine.legs = {"7.8": ("warm-1", THE_QUALIFIER)}
            await asterisk.says(_event("StasisStart", CLEO, args=[], replace_channel=QUINN))
            await asyncio.sleep(0.01)
        assert await engine.next() == await engine.next()


async def test_given_channels_that_an_order_has_fetched_when_they_enter_then_the_engine_is_not_told() -> None:
    async with ready() as (asterisk, engine):
        await asterisk.says(
            _event("StasisStart", LEAD, args=[TAKEN]),
            _event("StasisStart", {"id": "warm-1-aside-1"}, args=[TAKEN]),
            _event("StasisStart", {"id": "warm-1-agent-2"}, args=["handoff", "sales"]),
            _event("StasisStart", {"id": "9.9"}, args=[]),
            _event("StasisStart", LEAD, args=["handoff", "sales"]),
        )
        assert await engine.next() == (Door.HANDOFF, "7.7", "sales", [])
        assert engine.told.empty()


async def test_given_a_second_call_of_a_phone_when_it_enters_for_a_consult_then_that_is_told() -> None:
    async with ready() as (asterisk, engine):
        await asterisk.says(_event("StasisStart", QUINN, args=["consult", "sales", ""]))
        assert await engine.next() == (Door.CONSULT, "7.8", "sales", [])


async def test_given_a_transfer_when_asked_for_then_it_is_told_once_and_its_progress_is_not() -> None:
    by = {"source_channel": QUINN}
    blind = {"requested_destination": {"destination": "200"}}
    attended = {"requested_destination": {"protocol_id": "a@b"}, "destination_channel": CLEO}
    async with ready() as (asterisk, engine):
        await asterisk.says(
            _event("ChannelTransfer", refer_to=blind, referred_by=by),
            _event("ChannelTransfer", refer_to=blind, referred_by=by, state="channel_progress"),
            _event("ChannelTransfer", refer_to=attended, referred_by=by),
            _event("ChannelTransfer"),
        )
        assert await engine.next() == (Transfer("7.8", "200"),)
        assert await engine.next() == (Transfer("7.8", "", "7.9", attended=True),)
        assert engine.told.empty()


async def test_given_a_connection_that_breaks_when_it_is_back_then_asterisk_is_read_before_anything_is_told() -> (
    None
):
    async with ready() as (asterisk, engine):
        await asterisk.says(_event("ChannelHangupRequest", QUINN, cause=16))
        assert isinstance((await engine.next())[1], QualifierHungUp)
        engine.reading.clear()
        engine.go_on.clear()
        await asterisk.hangs_up()
        await engine.reading.wait()
        # Who was being hung up may have been missed: nothing is suppressed on its account.
        await asterisk.says(_event("StasisEnd", QUINN))
        await asyncio.sleep(0.05)
        assert engine.told.empty()
        engine.go_on.set()
        assert await engine.next() == ("recovered",)
        told = [await engine.next(), await engine.next()]
        assert ("ready",) in told and any(one[0] == "warm-1" for one in told)
