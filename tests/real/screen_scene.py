"""Screens and webhooks as their users have them: a browser's socket over the network, and servers of other systems."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from scene import TONE_TEAMS, until
from standardwebhooks import Webhook

from asterisk_warm.lab.stage import Stage

API_PORT, HOOK_PORT = 28081, 28082
BUDGET_SECONDS = 2.0
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")


def settings(workdir: Path, budget: float = BUDGET_SECONDS) -> dict[str, Any]:
    """Of a daemon whose agents have screens, and who tells another system."""
    return {
        "api": {"socket": str(workdir / "daemon" / "api.sock"), "address": "127.0.0.1", "port": API_PORT},
        "screens": {"budget_seconds": budget, "page": "http://crm.example/pop?id={id}&from={number}"},
        "webhooks": {"crm": {"url": f"http://127.0.0.1:{HOOK_PORT}/hook", "secrets": list(SECRETS)}},
    }


@dataclass(frozen=True)
class Got:
    """One message, and when it was there."""

    at: float
    message: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.message["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.message.get("data") or {})


@dataclass
class Screen:
    """One agent's screen."""

    agent: str
    got: list[Got] = field(default_factory=list)

    def of(self, kind: str, handoff: str) -> list[Got]:
        return [got for got in self.got if got.kind == kind and got.data["handoff"] == handoff]

    async def shows(self, kind: str, handoff: str) -> Got:
        return (await until(lambda: self.of(kind, handoff), 8.0, f"{kind} on {self.agent}'s screen"))[0]


def token_of(stage: Stage, agent: str) -> str:
    status, answer = stage.daemon.request("POST", "/v1/tokens", {"agent": agent, "note": "test"})
    assert status == 201, answer
    return str(answer["secret"])


@asynccontextmanager
async def screen(stage: Stage, agent: str) -> AsyncIterator[Screen]:
    """Opened as a browser opens it: the token is offered as a subprotocol."""
    token = await asyncio.to_thread(token_of, stage, agent)
    shown = Screen(agent)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"http://127.0.0.1:{API_PORT}/v1/screen", protocols=("warm.v1", f"warm.bearer.{token}")
        ) as socket,
    ):
        hello = json.loads((await socket.receive(5.0)).data)
        assert (hello["type"], hello["agent"]) == ("hello", agent)

        async def read() -> None:
            async for message in socket:
                shown.got.append(Got(time.time(), json.loads(message.data)))

        reading = asyncio.create_task(read())
        try:
            yield shown
        finally:
            reading.cancel()


Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _takes_it(_: web.Request) -> web.StreamResponse:
    return web.Response()


@dataclass
class Hook:
    """Another system's server; each signature is checked by the independent library."""

    answer: Answering = _takes_it
    got: list[Got] = field(default_factory=list)

    def of(self, kind: str, handoff: str) -> list[Got]:
        return [got for got in self.got if got.kind == kind and got.data["handoff"] == handoff]

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        for secret in SECRETS:
            Webhook(secret).verify(body.decode(), dict(request.headers))
        self.got.append(Got(time.time(), json.loads(body)))
        return await self.answer(request)


@asynccontextmanager
async def hook(answer: Answering = _takes_it) -> AsyncIterator[Hook]:
    server = Hook(answer)
    app = web.Application()
    app.router.add_post("/hook", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", HOOK_PORT).start()
    try:
        yield server
    finally:
        await runner.cleanup()


TEAMS: dict[str, dict[str, Any]] = {"tones": TONE_TEAMS["tones"]}
