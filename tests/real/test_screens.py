"""The screen pops before the phone rings, whoever is slow, dead or lying; by moments on one clock."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from scene import (
    DIALPLAN,
    LEAD_NAME,
    LEAD_NUMBER,
    RACERS,
    Scene,
    record_prompts,
    until,
)
from screen_scene import BUDGET_SECONDS, TEAMS, Screen, hook, screen, settings

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.rawphones import RefusingPhone
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import AGENTS, Stage

pytestmark = pytest.mark.real

ROUNDS = 25
"""Of 20 offers each."""


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    teams = {**TEAMS, "crowd": {**TEAMS["tones"], "name": "Crowd", "agents": list(RACERS)}}
    given = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        **settings(folder),
    }
    with Stage(
        root,
        folder,
        teams=teams,
        agents={**AGENTS, **RACERS},
        dialplan=DIALPLAN,
        sounds=sounds,
        settings=given,
    ) as on_stage:
        yield on_stage
    shutil.rmtree(folder, ignore_errors=True)


async def test_given_screens_and_a_webhook_when_agents_are_rung_then_all_have_it_before_the_invite_and_losers_close(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    async with hook() as crm, screen(stage, "ana") as ana, screen(stage, "ben") as ben:
        scene = await Scene.set(stage, phones, ("ana", "ben"))
        calls = await scene.briefed("tones", "ana")
        handoff = (await scene.handoff("OFFERING"))["id"]
        pops = {"ana": await ana.shows("offer.made", handoff), "ben": await ben.shows("offer.made", handoff)}
        await calls["ana"].press("1")
        await scene.handoff("CONNECTED")
        closed = await ben.shows("offer.closed", handoff)
        await ana.shows("offer.accepted", handoff)
        await calls["ana"].hang_up()
        await scene.returned("COMPLETED", "CONNECTED", "ana")
        await ana.shows("offer.closed", handoff)
        await until(lambda: crm.of("handoff.ended", handoff), 8.0, "the webhook to be told the end")
    traffic = capture.traffic()
    for agent, pop in pops.items():
        (invited,) = traffic.dialogs_to(agent)
        told = [got for got in crm.of("offer.made", handoff) if got.data["agent"]["id"] == agent]
        assert pop.at < invited.invited_at and told[0].at < invited.invited_at
        assert (pop.data["lead"]["name"], pop.data["lead"]["number"]) == (LEAD_NAME, LEAD_NUMBER)
        assert invited.invite.header("X-Warm-Handoff") == handoff
        assert invited.invite.header("X-Warm-URL") == pop.data["page"]
        assert pop.data["page"].startswith(f"http://crm.example/pop?id={handoff}&from=%2B1")
    assert "Ana Lopez" in closed.data["offer"]["why"]
    assert [got.kind for got in ben.got if got.data.get("handoff") == handoff] == [
        "offer.made",
        "offer.closed",
    ]


async def test_given_500_offers_when_phones_are_rung_then_every_screen_had_popped(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    async with AsyncExitStack() as there:
        await there.enter_async_context(hook())
        screens: dict[str, Screen] = {}
        for agent in RACERS:
            screens[agent] = await there.enter_async_context(screen(stage, agent))
            busy = RefusingPhone(stage.pbx.sip, stage.pbx.sip_password, agent, 486, "Busy Here", 0.1)
            await there.enter_async_context(busy)
        for _ in range(ROUNDS):
            scene = await Scene.set(stage, phones, ())
            await scene.dial("crowd")
            handoff = await scene.handoff("RETURNED")
            odd = [(o["state"], o["cause"]) for o in handoff["offers"] if o["state"] != "BUSY"]
            assert not odd
            await scene.returned("RETURNED", "NOAGENT")
        await until(lambda: all(len(_made(shown)) >= ROUNDS for shown in screens.values()), 10.0, "every pop")
    traffic = capture.traffic()
    ahead = []
    for agent, shown in screens.items():
        invites = [dialog.invited_at for dialog in traffic.dialogs_to(agent)]
        assert len(invites) == ROUNDS
        ahead += [1000 * (invite - pop) for invite, pop in zip(invites, _made(shown), strict=True)]
    assert len(ahead) == ROUNDS * len(RACERS) == 500
    print(
        f"ahead of the INVITE: median {np.median(ahead):.1f} ms, least {min(ahead):.1f} ms, p1 {np.percentile(ahead, 1):.1f} ms"
    )
    assert min(ahead) > 0


def _made(shown: Screen) -> list[float]:
    return [got.at for got in shown.got if got.kind == "offer.made"]


async def _never_answers(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def _drips(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000000"})
    await response.prepare(request)
    for _ in range(600):
        await response.write(b"x")
        await asyncio.sleep(0.1)
    return response


async def _goes_in_circles(_: web.Request) -> web.StreamResponse:
    return web.HTTPFound("/hook")


async def _fails(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="<html>" + "x" * 100_000)


@pytest.mark.parametrize("answer", [_never_answers, _drips, _goes_in_circles, _fails])
async def test_given_a_receiver_that_is_slow_or_lies_when_agents_are_rung_then_the_ring_waits_for_the_budget_at_most(
    stage: Stage, phones: Phones, capture: Capture, answer: object
) -> None:
    async with hook(answer) as crm:  # type: ignore[arg-type]
        scene = await Scene.set(stage, phones, ("ana",))
        await scene.ringing("tones")
        handoff = (await scene.handoff("OFFERING"))["id"]
        told = await until(lambda: crm.of("offer.made", handoff), 8.0, "the webhook")
        await scene.call.hang_up()
        await scene.left("ABANDONED", "ABANDONED")
    (invited,) = capture.traffic().dialogs_to("ana")
    # What the machine takes for itself comes on top.
    assert invited.invited_at - told[0].at < BUDGET_SECONDS + 1.0


async def test_given_a_webhook_that_is_away_when_it_comes_back_then_it_is_told_what_it_missed(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await scene.ringing("tones")
    handoff = (await scene.handoff("OFFERING"))["id"]
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    async with hook() as crm:
        kinds = ("offer.made", "offer.closed", "handoff.ended")
        await until(lambda: all(crm.of(kind, handoff) for kind in kinds), 25.0, "what was missed")


async def test_given_a_screen_that_comes_back_when_it_connects_then_it_shows_what_is_there(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("tones", "ana")
    handoff = (await scene.handoff("OFFERING"))["id"]
    shown = stage.daemon.request("GET", "/v1/handoffs/" + handoff)[1]
    assert shown["lead"]["name"] == LEAD_NAME
    async with screen(stage, "ana") as ana:
        await calls["ana"].press("2")
        closed = await ana.shows("offer.closed", handoff)
    assert "decline" in closed.data["offer"]["why"].lower()
    await scene.returned("RETURNED", "DECLINED")
