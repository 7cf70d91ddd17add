"""Feature codes, AGI and lamps with the whole daemon on a real Asterisk: by calls of agents' phones, and a desk phone's
subscription."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from agents_scene import Seen, agent_cli, codes, history, on_stage, playing, registered, shown, team, told
from conftest import CACHE
from scene import LEAD_NUMBER, Scene, record_prompts, until
from test_agi import TONES, heard, order_of

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.lampphone import LampPhone
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import chord, write_wav

pytestmark = pytest.mark.real

PORT = 24574
CODE = ("ana", "code")
TEAMS = {
    "tones": team("ana", "ben", "cleo", wait_seconds=30),
    "wrapped": team("ana", wrapup_seconds=600),
}
_LOG = (
    "lab-asked agi=${AGISTATUS} result=${WARM_RESULT} cause=${WARM_CAUSE} free=${WARM_FREE} "
    "agents=${WARM_FREE_AGENTS} waiting=${WARM_WAITING} presence=${WARM_PRESENCE} id=${WARM_AGENT_ID} "
    "why=${WARM_WHY_CODES} handoffs=${WARM_HANDOFFS} last=${WARM_LAST_AGENT}/${WARM_LAST_STATUS}|"
)
DIALPLAN = f"""
exten => ask,1,Answer()
 same => n,AGI(agi://127.0.0.1:{PORT}/${{ASKED}})
 same => n,Log(NOTICE,{_LOG})
 same => n,Hangup()
"""
CONTEXTS = f"""
[from-agents]
include => warm-agents
[globals]
WARM_AGI=agi://127.0.0.1:{PORT}
"""


def prompts(folder: Path) -> Path:
    """Those of a handoff, and those of the feature codes, told apart by their pitch."""
    record_prompts(folder)
    for name, hz in TONES.items():
        write_wav(folder / f"{name}.wav", chord((hz,), 1.0))
    return folder


@pytest.fixture(scope="session")
def sounds() -> Path:
    """Its own: other tests' prompts of the same names are silent, or speech."""
    folder = CACHE / "agents-sounds"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    settings = {"agi": {"port": PORT}}
    with playing(
        root, sounds, TEAMS, settings=settings, dialplan=DIALPLAN, contexts=CONTEXTS, prompts=prompts
    ) as on:
        yield on


@pytest.fixture
async def phones(stage: Stage) -> AsyncIterator[Phones]:
    async with on_stage(stage, record=True) as there:
        yield there


@pytest.fixture
async def seen(stage: Stage, phones: Phones) -> AsyncIterator[Seen]:
    async with Seen(stage) as following:
        yield following


async def hear(phone: Phone, code: str) -> list[str]:
    """One call to a feature code: the prompts that were heard, in order, until it was hung up."""
    call = await phone.dial(code)
    await call.answered()
    await call.ended(20.0)
    return order_of(heard(call.heard), {hz: name for name, hz in TONES.items()})


async def talked(scene: Scene, call: Call) -> None:
    """The agent whose phone rings takes the lead, and hangs up."""
    await call.answer()
    await scene.offer_is(call.phone, "BRIEFING")
    await call.press("1")
    await scene.handoff("CONNECTED")
    await call.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", call.phone)


async def test_given_the_feature_codes_then_each_changes_presence_and_says_it(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    ana = scene.agents["ana"]
    await seen.becomes("ana")
    assert await hear(ana, "*280") == ["you-are-ready"]
    assert await hear(ana, "*282") == ["you-are-paused"]
    await seen.becomes("ana", "paused")
    assert await hear(ana, "*280") == ["you-are-paused"]
    assert await hear(ana, "*281") == ["you-are-ready"]
    await seen.becomes("ana")
    assert await history(stage, "ana", 2) == [("ready", "", *CODE), ("paused", "", *CODE)]
    calls = await scene.ringing("wrapped")
    await talked(scene, calls["ana"])
    await seen.becomes("ana", "wrapup")
    # What follows is said in words.
    assert (await hear(ana, "*280"))[0] == "you-are-wrapping-up"
    assert await hear(ana, "*283") == ["wrapup-over", "you-are-ready"]
    await seen.becomes("ana")
    assert await history(stage, "ana", 2) == [
        ("wrap-up ended", "", *CODE),
        ("wrapping up", "", "asterisk_warm", "daemon"),
    ]


async def test_given_the_key_of_a_lamp_then_it_toggles_its_own_agent_and_no_other(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    ana, ben = await registered(phones, "ana", "ben")
    assert await hear(ana, "*289ana") == ["you-are-paused"]
    await seen.becomes("ana", "paused")
    assert await hear(ben, "*289ana") == ["another-agents-key"]
    assert codes(await shown(stage, "ana")) == ("paused",)
    assert await hear(ana, "*289ana") == ["you-are-ready"]
    await seen.becomes("ana")
    assert await history(stage, "ana", 2) == [("ready", "", *CODE), ("paused", "", *CODE)]
    assert codes(await shown(stage, "ben")) == ()


async def test_given_a_phone_of_no_agent_then_it_hears_so(stage: Stage, phones: Phones) -> None:
    (desk,) = await registered(phones, "qualifier")
    assert await hear(desk, "*282") == ["no-agent-here"]


# -- AGI -----------------------------------------------------------------------------------------------------


async def ask(stage: Stage, phone: Phone, script: str) -> str:
    """One call that asks; what it was told, as the dialplan logs it."""
    await asyncio.to_thread(stage.pbx.cli, f"dialplan set global ASKED {script}")
    size = stage.pbx.log_path.stat().st_size

    def logged() -> re.Match[str] | None:
        with stage.pbx.log_path.open("rb") as file:
            file.seek(size)
            return re.search(r"Ext\. ask: lab-asked (.*)\|", file.read().decode(errors="replace"))

    call = await phone.dial("ask")
    found = await until(logged, 8.0, f"the answer of {script}")
    await call.ended()
    return found[1]


async def test_given_each_script_then_a_call_is_told_what_the_daemon_knows(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    await asyncio.gather(seen.becomes("ana"), seen.becomes("ben"))
    calls = await scene.ringing("tones")
    await talked(scene, calls["ben"])
    await asyncio.gather(seen.becomes("ana"), seen.becomes("ben"))
    qualifier = await phones.register("qualifier")
    assert await ask(stage, qualifier, "available,tones") == (
        "agi=SUCCESS result=OK cause= free=2 agents=ana,ben waiting=0 presence= id= why= handoffs= last=/"
    )
    handoffs = await asyncio.to_thread(stage.daemon.handoffs)
    told_of = await ask(stage, qualifier, f"lead,{LEAD_NUMBER}")
    assert told_of.endswith(f"handoffs={len(handoffs)} last=ben/CONNECTED")
    ana = scene.agents["ana"]
    assert " free=1 agents= waiting= presence=ready id=ana why= " in await ask(stage, ana, "presence")
    paused = await ask(stage, ana, "presence,pause,lunch,20")
    assert " free=0 agents= waiting= presence=paused id=ana why=paused " in paused
    await seen.becomes("ana", "paused")
    assert await history(stage, "ana", 1) == [("paused", "lunch", "PJSIP/ana", "agi")]
    assert "presence=paused id=ana why=paused " in await ask(stage, qualifier, "agent,ana")
    offline = await ask(stage, qualifier, "presence,agent=ben,offline,home")
    assert " free=0 agents= waiting= presence=offline id=ben why=offline " in offline
    assert (await ask(stage, qualifier, "available,nobodys")).startswith("agi=SUCCESS result=NOTFOUND")
    assert (await ask(stage, ana, "presence,redy")).startswith("agi=FAILURE result=INVALID")
    # Cleo in a call, and nobody else to come: a lead waits for her.
    cleo = await phones.register("cleo")
    ordinary = await cleo.dial("music")
    await asyncio.gather(seen.becomes("cleo", "device"), seen.becomes("ben", "offline"))
    waits = await Scene.set(stage, phones, ())
    await waits.dial("tones")
    await waits.handoff("SEEKING")
    assert " free=0 agents= waiting=1 " in await ask(stage, qualifier, "available,tones")
    await waits.call.hang_up()
    await waits.handoff("ABANDONED")
    await ordinary.hang_up()


# -- lamps ---------------------------------------------------------------------------------------------------


async def test_given_a_desk_phone_that_subscribes_then_its_lamp_follows_everything_the_agent_does(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await seen.becomes("ana")
    lamp = "*289ana"
    async with LampPhone(stage.pbx.sip, stage.pbx.sip_password, "eve") as desk:
        await desk.subscribe(lamp)
        await desk.shows(lamp, "terminated")
        await agent_cli(stage, "pause", "ana")
        await desk.shows(lamp, "confirmed")
        await agent_cli(stage, "ready", "ana")
        await desk.shows(lamp, "terminated")
        await hear(scene.agents["ana"], lamp)
        await desk.shows(lamp, "confirmed")
        await told(stage, "ana", "ready")
        await desk.shows(lamp, "terminated")
        calls = await scene.ringing("tones")
        await desk.shows(lamp, "early")
        await calls["ana"].answer()
        await scene.offer_is("ana", "BRIEFING")
        await calls["ana"].press("1")
        await desk.shows(lamp, "confirmed")
        await scene.handoff("CONNECTED")
        await calls["ana"].hang_up()
        await scene.returned("COMPLETED", "CONNECTED", "ana")
        await desk.shows(lamp, "terminated")
        call = await scene.agents["ana"].dial("music")
        await desk.shows(lamp, "confirmed")
        await call.hang_up()
        await desk.shows(lamp, "terminated")
