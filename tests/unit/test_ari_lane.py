"""Requests over the websocket, against a server that is in Asterisk's place: new, old, slow or broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from asterisk_warm.ari import lane as lane_module
from asterisk_warm.ari.client import AriClient, NotThere
from asterisk_warm.ari.lane import Lane
from asterisk_warm.engine.ports.pbx import LegGone, PbxUnreachable

PATIENCE = 5.0


class Asterisk:
    """Takes requests over the websocket (unless it is too old) and by HTTP, and keeps what was asked which way."""

    def __init__(self) -> None:
        self.over_socket: list[dict[str, Any]] = []
        self.by_http: list[str] = []
        self.too_old = False
        self.status, self.text = 200, '{"name": "x"}'
        self.unanswered: set[str] = set()
        """Paths."""
        self.silent = asyncio.Event()
        """One of them has come."""
        self.socket: web.WebSocketResponse | None = None
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/{anything:.*}", self._http)
        self.server = TestServer(app)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.socket = web.WebSocketResponse()
        await self.socket.prepare(request)
        async for message in self.socket:
            asked = json.loads(message.data)
            self.over_socket.append(asked)
            if asked["uri"] in self.unanswered:
                self.silent.set()
            elif not self.too_old:
                await self._answer(asked["request_id"])
        return self.socket

    async def _answer(self, request: str) -> None:
        assert self.socket is not None
        # Asterisk sends more than is looked at.
        rest = {"reason_phrase": "…", "uri": "x", "application": "warm"}
        await self.socket.send_json(
            {
                "type": "RESTResponse",
                "request_id": request,
                "status_code": self.status,
                "message_body": self.text,
                **rest,
            }
        )

    async def _http(self, request: web.Request) -> web.Response:
        self.by_http.append(f"{request.method} {request.raw_path}")
        return web.Response(text='{"name": "by http"}')


class Ours:
    """A client with a lane, and a reader as `EventSocket` has one."""

    def __init__(self, client: AriClient, lane: Lane, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.client, self.lane = client, lane
        self._socket = socket
        self._taken = asyncio.Event()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            self.lane.take(message.data)
            self._taken.set()
        self.lane.close()

    async def knock(self) -> None:
        """Knock, and wait for the answer."""
        await self.lane.knock()
        await asyncio.wait_for(self._taken.wait(), PATIENCE)


@pytest.fixture
async def asterisk() -> AsyncIterator[Asterisk]:
    asterisk = Asterisk()
    async with asterisk.server:
        yield asterisk


@pytest.fixture
async def ours(asterisk: Asterisk) -> AsyncIterator[Ours]:
    client = AriClient(str(asterisk.server.make_url("/")), "warm", "x")
    async with client.session.ws_connect(f"{client.url}/ari/events") as socket:
        lane = Lane(socket)
        client.use(lane)
        ours = Ours(client, lane, socket)
        yield ours
        ours.reader.cancel()
        await asyncio.gather(ours.reader, return_exceptions=True)
    await client.close()


async def test_given_an_asterisk_that_takes_requests_when_asked_then_they_go_as_it_reads_them(
    asterisk: Asterisk, ours: Ours
) -> None:
    await ours.knock()
    assert ours.client.over_websocket
    assert (
        await ours.client.request("POST", "/channels/a%2Fb/play", {"media": "sound:a&b=+ü"})
        == b'{"name": "x"}'
    )
    await ours.client.request("POST", "/channels/create", {"app": "warm"}, {"variables": {"A": "…"}})
    knock, plain, with_body = asterisk.over_socket
    assert (knock["method"], knock["uri"]) == ("GET", "asterisk/ping")
    assert plain == {
        "type": "RESTRequest",
        "request_id": plain["request_id"],
        "method": "POST",
        "uri": "channels/a%2Fb/play",
        "query_strings": [{"name": "media", "value": "sound:a&b=+ü"}],
    }
    assert json.loads(with_body["message_body"]) == {"variables": {"A": "…"}}
    assert with_body["content_type"] == "application/json"
    assert len({asked["request_id"] for asked in asterisk.over_socket}) == 3
    assert asterisk.by_http == []


async def test_given_an_asterisk_that_is_too_old_when_asked_then_it_goes_by_http(
    asterisk: Asterisk, ours: Ours
) -> None:
    asterisk.too_old = True
    await ours.lane.knock()
    assert await ours.client.request("GET", "/channels/1") == b'{"name": "by http"}'
    assert not ours.client.over_websocket
    assert asterisk.by_http == ["GET /ari/channels/1"]


async def test_given_an_asterisk_that_refuses_requests_here_when_asked_then_it_goes_by_http(
    asterisk: Asterisk, ours: Ours
) -> None:
    asterisk.status = 403
    await ours.knock()
    assert not ours.client.over_websocket
    assert await ours.client.request("GET", "/channels/1") == b'{"name": "by http"}'


async def test_given_a_refusal_when_asked_then_it_is_the_same_error_as_by_http(
    asterisk: Asterisk, ours: Ours
) -> None:
    await ours.knock()
    asterisk.status, asterisk.text = 404, '{"message": "Channel not found"}'
    with pytest.raises(LegGone):
        await ours.client.request("POST", "/channels/1/answer")
    asterisk.text = '{"message": "Bridge not found"}'
    with pytest.raises(NotThere):
        await ours.client.request("DELETE", "/bridges/1")
    asterisk.status, asterisk.text = 204, ""
    assert await ours.client.request("DELETE", "/bridges/1") == b""


async def test_given_a_request_that_takes_long_when_others_come_then_they_go_by_http_meanwhile(
    asterisk: Asterisk, ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "STUCK_SECONDS", 0.0)
    await ours.knock()
    asterisk.unanswered.add("slow")
    slow = asyncio.create_task(ours.client.request("POST", "/slow"))
    await asyncio.wait_for(asterisk.silent.wait(), PATIENCE)
    assert await ours.client.request("GET", "/quick") == b'{"name": "by http"}'
    await asterisk._answer(asterisk.over_socket[-1]["request_id"])
    assert await slow == b'{"name": "x"}'
    assert await ours.client.request("GET", "/quick") == b'{"name": "x"}'


async def test_given_a_request_that_is_to_go_apart_when_asked_then_it_goes_by_http(
    asterisk: Asterisk, ours: Ours
) -> None:
    await ours.knock()
    assert await ours.client.request("GET", "/recordings/stored", apart=True) == b'{"name": "by http"}'
    assert asterisk.by_http == ["GET /ari/recordings/stored"] and len(asterisk.over_socket) == 1


async def test_given_a_request_that_is_never_answered_when_its_time_is_up_then_asterisk_is_unreachable(
    asterisk: Asterisk, ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "REQUEST_SECONDS", 0.05)
    await ours.knock()
    asterisk.unanswered.add("lost")
    with pytest.raises(PbxUnreachable, match="did not answer GET /lost"):
        await ours.client.request("GET", "/lost")
    # An answer after that is nobody's.
    await asterisk._answer(asterisk.over_socket[-1]["request_id"])
    assert await ours.client.request("GET", "/quick") == b'{"name": "x"}'


async def test_given_a_request_under_way_when_the_websocket_breaks_then_it_is_told_at_once(
    asterisk: Asterisk, ours: Ours
) -> None:
    await ours.knock()
    asterisk.unanswered.add("cut")
    cut = asyncio.create_task(ours.client.request("POST", "/cut"))
    await asyncio.wait_for(asterisk.silent.wait(), PATIENCE)
    assert asterisk.socket is not None
    await asterisk.socket.close()
    with pytest.raises(PbxUnreachable, match="the connection broke"):
        await asyncio.wait_for(cut, PATIENCE)
    assert not ours.client.over_websocket
    assert await ours.client.request("GET", "/channels/1") == b'{"name": "by http"}'
