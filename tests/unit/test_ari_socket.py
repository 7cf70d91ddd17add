"""The event websocket against a server that behaves as no healthy Asterisk would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from asterisk_warm.ari import socket as event_socket
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.model import Message
from asterisk_warm.ari.socket import EventSocket, Replaced
from asterisk_warm.engine.ports.pbx import PbxRefused

PATIENCE = 5.0


class Side:
    """The side of the link: what it was told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Message] = asyncio.Queue()
        self.connected = self.lost = 0
        self.fails = False

    async def on_connected(self) -> None:
        self.connected += 1
        if self.fails:
            raise PbxRefused("Asterisk could not be read")

    def on_lost(self) -> None:
        self.lost += 1


class Server:
    """In Asterisk's place. `serve` is what it does with each websocket."""

    def __init__(self, serve: Callable[[web.WebSocketResponse], Awaitable[None]]) -> None:
        self.serve = serve
        self.connections = 0
        self.filters: list[object] = []
        self.handshake = 101
        self.hellos = 0
        self.answers: Callable[[int, int], bool] = lambda connection, hello: True
        self._newest: web.WebSocketResponse | None = None
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_put("/ari/applications/warm/eventFilter", self._filter)
        app.router.add_post("/ari/events/user/{name}", self._user_event)
        self.http = TestServer(app)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        assert request.query["app"] == "warm"
        self.connections += 1
        if self.handshake != 101:
            return web.Response(status=self.handshake)
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        self._newest = answer
        await self.serve(answer)
        return answer

    async def _filter(self, request: web.Request) -> web.Response:
        self.filters.append(await request.json())
        return web.json_response({})

    async def _user_event(self, request: web.Request) -> web.Response:
        assert request.query["application"] == "warm" and self._newest is not None
        self.hellos += 1
        if self.answers(self.connections, self.hellos):
            name = request.match_info["name"]
            await self._newest.send_json({"type": "ChannelUserevent", "eventname": name})
        return web.Response(status=204)


async def _forever(_: web.WebSocketResponse) -> None:
    await asyncio.Event().wait()


async def _close_at_once(answer: web.WebSocketResponse) -> None:
    await answer.close()


async def _run(server: Server, side: Side, until: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Run a socket until something is so, or it ends by itself."""
    async with server.http:
        client = AriClient(str(server.http.make_url("/")), "warm", "x")
        socket = EventSocket(client, "warm", side.events.put_nowait, side.on_connected, side.on_lost)
        running = asyncio.create_task(socket.run())
        try:
            async with asyncio.timeout(seconds):
                while not until() and not running.done():
                    await asyncio.wait({running}, timeout=0.005)
            if running.done():
                await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()


async def test_given_events_of_any_kind_when_read_then_the_ones_not_understood_are_passed_over() -> None:
    async def serve(answer: web.WebSocketResponse) -> None:
        for text in (
            "no json",
            "[]",
            '{"type": 7}',
            '{"no": "type"}',
            '{"type": "StasisStart", "channel": {}}',
        ):
            await answer.send_str(text)
        await answer.send_bytes(b'{"type": "Binary"}')
        await answer.send_str('{"type": "Good", "channel": {"id": "1", "new": [1]}, "more": null}')
        await _forever(answer)

    server, side = Server(serve), Side()
    await _run(server, side, lambda: bool(side.connected) and not side.events.empty())
    event = side.events.get_nowait()
    assert event.type == "Good" and event.channel is not None and event.channel.id == "1"
    assert side.events.empty()
    [asked] = server.filters
    assert isinstance(asked, dict) and {"type": "StasisStart"} in asked["allowed"]
    assert (side.connected, side.lost) == (1, 1)


async def test_given_we_are_replaced_when_told_then_it_ends_for_good() -> None:
    async def serve(answer: web.WebSocketResponse) -> None:
        await answer.send_str('{"type": "ApplicationReplaced", "application": "warm"}')
        await _forever(answer)

    server, side = Server(serve), Side()
    with pytest.raises(Replaced, match='"warm"'):
        await _run(server, side, lambda: False)
    assert server.connections == 1 and side.lost == 1


async def test_given_connections_closed_at_once_when_trying_again_then_it_does_not_spin() -> None:
    server, side = Server(_close_at_once), Side()
    with pytest.raises(TimeoutError):
        await _run(server, side, lambda: False, seconds=1.0)
    # After 0.1, 0.2 and 0.4 seconds, more or less.
    assert 2 <= server.connections <= 5
    assert side.lost == server.connections


async def test_given_a_reading_of_asterisk_that_fails_when_connected_then_all_is_tried_again() -> None:
    server, side = Server(_forever), Side()
    side.fails = True

    def recovered() -> bool:
        side.fails = side.connected < 2
        return side.connected == 3

    await _run(server, side, recovered)
    assert server.connections == 3


async def test_given_an_open_connection_that_tells_nothing_when_listened_to_then_it_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(event_socket, "HEARING_SECONDS", 0.1)
    monkeypatch.setattr(event_socket, "LISTEN_AFTER", 0.05)
    server, side = Server(_forever), Side()
    server.answers = lambda connection, hello: connection == 2
    await _run(server, side, lambda: side.connected == 1)
    assert server.connections == 2
    assert "tells nothing" in capsys.readouterr().out

    # Deaf later on: noticed as well, and Asterisk is read again.
    server, side = Server(_forever), Side()
    server.answers = lambda connection, hello: connection == 2 or hello == 1
    await _run(server, side, lambda: side.connected == 2)
    assert (server.connections, side.lost) == (2, 2)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "password"), (503, "booting"), (404, "res_ari"), (500, "500")]
)
async def test_given_a_handshake_that_is_refused_when_logged_then_the_reason_is_in_words(
    capsys: pytest.CaptureFixture[str], status: int, words: str
) -> None:
    server, side = Server(_forever), Side()
    server.handshake = status
    await _run(server, side, lambda: server.connections == 2)
    assert words in capsys.readouterr().out
    assert side.connected == side.lost == 0


async def test_given_a_server_that_answers_no_ping_when_waited_for_then_the_connection_counts_as_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_socket, "HEARTBEAT_SECONDS", 0.2)
    server, side = Server(_forever), Side()
    # `_forever` reads nothing, so no ping is answered, as with a frozen Asterisk.
    await _run(server, side, lambda: side.lost == 1)
