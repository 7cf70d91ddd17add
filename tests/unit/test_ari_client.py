"""What Asterisk's answers mean to the engine: gone, refused, unreachable."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from asterisk_warm.ari import http
from asterisk_warm.ari.client import AriClient, NotThere, part
from asterisk_warm.ari.model import Bridge
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable


class Answers:
    """An HTTP server that says what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.text = 200, "{}"
        self.asked: list[tuple[str, str, bytes]] = []
        self.authorization = ""
        self.never = False

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path, await request.read()))
        self.authorization = request.headers["Authorization"]
        if self.never:
            await asyncio.Event().wait()
        return web.Response(status=self.status, text=self.text)


@pytest.fixture
async def answers() -> Answers:
    return Answers()


@pytest.fixture
async def client(answers: Answers) -> AsyncIterator[AriClient]:
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answers.handle)
    async with TestServer(app) as server:
        client = AriClient(str(server.make_url("/")), "warm", "s:ecret")
        yield client
        await client.close()


async def test_given_an_answer_when_asked_then_it_comes_as_the_type_that_was_asked_for(
    client: AriClient, answers: Answers
) -> None:
    answers.text = '[{"id": "b", "channels": ["1"], "technology": "softmix"}]'
    assert await client.get("/bridges", list[Bridge]) == [Bridge(id="b", channels=["1"])]
    await client.request("POST", f"/deviceStates/{part('PJSIP/a b')}", {"x": "a&b=+ü"}, {"long": "…"})
    method, path, body = answers.asked[-1]
    assert (method, path) == ("POST", "/ari/deviceStates/PJSIP%2Fa%20b?x=a%26b%3D%2B%C3%BC")
    assert body == b'{"long": "\\u2026"}'
    assert answers.authorization == "Basic " + base64.b64encode(b"warm:s:ecret").decode()


@pytest.mark.parametrize(
    ("status", "text", "path", "error", "words"),
    [
        (404, '{"message": "Channel not found"}', "/channels/1/moh", LegGone, "gone"),
        (400, '{"message": "Channel not found"}', "/bridges/b/addChannel", LegGone, "gone"),
        (404, "", "/channels/1", LegGone, "gone"),
        (404, '{"message": "Bridge not found"}', "/bridges/b", NotThere, "Bridge not found"),
        (409, '{"message": "Bridge not in Stasis application"}', "/bridges/b", NotThere, "not in Stasis"),
        (
            409,
            '{"message": "Channel not in Stasis application"}',
            "/channels/1/moh",
            PbxRefused,
            "not in Stasis",
        ),
        (500, '{"error": "Allocation failed"}', "/channels/create", PbxRefused, "500 Allocation failed"),
        (400, "<html>Request line too long</html>", "/channels/1/variable", PbxRefused, "400"),
        (401, "", "/channels", PbxRefused, "user or password"),
        (503, "", "/channels", PbxUnreachable, "booting"),
        (500, '["odd"]', "/channels", PbxRefused, "500"),
        (500, '{"message": "' + "x" * 5000 + '"}', "/channels", PbxRefused, "x{200}$"),
    ],
)
async def test_given_a_refusal_when_asked_then_it_is_the_error_that_tells_what_to_do(
    client: AriClient, answers: Answers, status: int, text: str, path: str, error: type[PbxError], words: str
) -> None:
    answers.status, answers.text = status, text
    with pytest.raises(error, match=words) as caught:
        await client.request("POST", path)
    assert caught.type is error


async def test_given_an_answer_nobody_understands_when_asked_then_it_is_refused(
    client: AriClient, answers: Answers
) -> None:
    for answers.text in ("", "<html>", '{"id": 1}', "[]"):
        with pytest.raises(PbxRefused, match="not understood"):
            await client.get("/bridges/b", Bridge)


async def test_given_no_answer_when_asked_then_asterisk_is_unreachable(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AriClient(f"http://127.0.0.1:{unused_port()}", "warm", "x")
    with pytest.raises(PbxUnreachable, match="GET /channels"):
        await client.request("GET", "/channels")
    await client.close()

    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.05)
    answers.never = True
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answers.handle)
    async with TestServer(app) as server:
        client = AriClient(str(server.make_url("/")), "warm", "x")
        with pytest.raises(PbxUnreachable, match="TimeoutError"):
            await client.request("GET", "/channels")
        await client.close()
