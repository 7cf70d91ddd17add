"""The link between Asterisk's events and the engine: nothing is handed over before Asterisk was read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.link import AriLink
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.core.handoff.events import DigitPressed, Event
from asterisk_warm.engine.ports import LeadAtDoor, Location

LEG = {"id": "warm-1-agent-1", "state": "Up"}
LEAD = {"id": "7.7", "name": "PJSIP/x-1", "state": "Ring", "caller": {"name": "Grant", "number": "5"}}


class Engine:
    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.reading, self.go_on = asyncio.Event(), asyncio.Event()

    async def recover(self) -> None:
        self.reading.set()
        await self.go_on.wait()
        self.told.put_nowait(("recovered",))

    def post(self, handoff: str, event: Event) -> None:
        self.told.put_nowait((handoff, event))

    def lead_entered(self, lead: LeadAtDoor, team: str, options: Sequence[str]) -> None:
        self.told.put_nowait((lead.channel, team, list(options)))

    def handoff_of_lead(self, channel: str) -> str | None:
        return None


class NoManager:
    async def redirect(self, channel: str, location: Location) -> None:
        raise AssertionError

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        raise AssertionError


def _event(kind: str, channel: dict[str, Any], **rest: Any) -> str:
    return json.dumps({"type": kind, "timestamp": "2026-11-24T03:13:03.362+0000", "channel": channel, **rest})


async def test_given_events_while_asterisk_is_being_read_when_it_has_been_then_they_follow_in_order() -> None:
    async def events(request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        sockets.append(answer)
        await engine.reading.wait()
        await answer.send_str(_event("ChannelDtmfReceived", LEG, digit="1"))
        await answer.send_str(_event("StasisStart", LEAD, args=["handoff", "sales", "mode%3Dblind"]))
        await answer.send_str(_event("StasisStart", LEG, args=[]))
        await answer.send_str(_event("StasisStart", {"id": "8.8"}, args=["another", "way"]))
        await answer.send_str(_event("ChannelDtmfReceived", LEG, digit="2"))
        async for _ in answer:
            pass
        return answer

    async def filtered(request: web.Request) -> web.Response:
        return web.json_response({})

    async def user_event(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await sockets[0].send_json({"type": "ChannelUserevent", "eventname": name})
        return web.Response(status=204)

    engine, sockets = Engine(), list[web.WebSocketResponse]()
    app = web.Application()
    app.router.add_get("/ari/events", events)
    app.router.add_put("/ari/applications/warm/eventFilter", filtered)
    app.router.add_post("/ari/events/user/{name}", user_event)
    async with TestServer(app) as server, asyncio.timeout(5):
        client = AriClient(str(server.make_url("/")), "warm", "x")
        link = AriLink(client, "warm", AriPbx(client, "warm", NoManager()))
        ready = asyncio.Event()

        async def on_ready() -> None:
            ready.set()

        running = asyncio.create_task(link.run(engine, on_ready))
        try:
            await engine.reading.wait()
            assert not link.connected
            engine.go_on.set()
            assert await engine.told.get() == ("recovered",)
            await link.reachable()
            await ready.wait()
            first, lead, second = [await engine.told.get() for _ in range(3)]
            assert first[0] == second[0] == "warm-1"
            assert (first[1].digit, second[1].digit) == ("1", "2")
            assert isinstance(first[1], DigitPressed)
            assert lead == ("7.7", "sales", ["mode=blind"])
            assert link.connected and engine.told.empty()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()
        assert not link.connected
