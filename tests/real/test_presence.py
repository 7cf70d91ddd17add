"""Who can be offered a lead, on a real Asterisk with the whole daemon: what phones, calendars, queues and people do, as the
API and the commands tell it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from agents_scene import (
    AT_ONCE,
    MEDIAN,
    PATIENCE,
    Seen,
    agent_cli,
    codes,
    history,
    on_stage,
    playing,
    registered,
    shown,
    team,
    told,
)
from scene import Scene, api

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

TIMES = 5
DAEMON = ("asterisk_warm", "daemon")
ROOT = ("root", "cli")
TEAMS = {
    "tones": team("ana", "ben", "cleo"),
    "short": team("ana", wrapup_seconds=1),
    "wrapped": team("ana", wrapup_seconds=60),
    "missed": team("ana", ring_seconds=1, missed_offers=2),
    "sticky": team("ana", "ben", "cleo", sticky_seconds=2),
    "double": team("dora"),
}
ENTRIES = {
    "dora": {"at_once": 2},
    "eve": {"dnd": "Custom:DNDeve", "hints": ["Custom:desk", "205@from-agents"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the calendars."""
    return tmp_path_factory.mktemp("calendars")


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path, folder: Path) -> Iterator[Stage]:
    settings = {
        "presence": {"queue_pause": True},
        "calendars": {"sources": {name: {"file": str(folder / f"{name}.ics")} for name in ("eve", "lost")}},
    }
    with playing(root, sounds, TEAMS, agents=ENTRIES, settings=settings) as on:
        on.pbx.cli("module load app_queue.so")
        yield on


@pytest.fixture
async def phones(stage: Stage) -> AsyncIterator[Phones]:
    async with on_stage(stage) as there:
        yield there


@pytest.fixture
async def seen(stage: Stage, phones: Phones) -> AsyncIterator[Seen]:
    async with Seen(stage) as following:
        yield following


async def set_state(stage: Stage, device: str, state: str) -> None:
    await asyncio.to_thread(stage.pbx.cli, f"devstate change {device} {state}")


# -- phones --------------------------------------------------------------------------------------------------


async def test_given_ordinary_calls_of_an_agent_then_they_are_not_free_within_200_ms_and_free_again_after(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    ana, ben = await registered(phones, "ana", "ben")
    await asyncio.gather(seen.becomes("ana"), seen.becomes("ben"))
    rung, calling, freed = [], [], []
    for _ in range(TIMES):
        call = await ben.dial("callana")
        offer = await ana.rings()
        busy = await asyncio.gather(seen.becomes("ben", "device"), seen.becomes("ana", "device"))
        await offer.answer()
        await call.answered()
        assert codes(await shown(stage, "ana")) == codes(await shown(stage, "ben")) == ("device",)
        await call.hang_up()
        free = await asyncio.gather(seen.becomes("ben"), seen.becomes("ana"))
        traffic = capture.traffic()
        at_ana, at_ben = traffic.dialog(offer.call_id), traffic.dialog(call.call_id)
        assert at_ana.ringing_at and at_ana.ended_at and at_ben.ended_at
        calling.append(busy[0] - at_ben.invited_at)
        rung.append(busy[1] - at_ana.ringing_at)
        freed += [free[0] - at_ben.ended_at, free[1] - at_ana.ended_at]
    for what, delays in (("calling", calling), ("rung", rung), ("freed", freed)):
        print(f"{what}: median {median(delays) * 1000:.0f} ms, most {max(delays) * 1000:.0f} ms")
        assert max(delays) < AT_ONCE and median(delays) < MEDIAN, (what, delays)


async def test_given_a_phone_that_unregisters_then_its_agent_is_unreachable_until_it_is_back(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    (ana,) = await registered(phones, "ana")
    await seen.becomes("ana")
    await ana.unregister()
    await seen.becomes("ana", "unreachable")
    assert "phone not registered" in await agent_cli(stage, "why", "ana")
    await ana.register()
    await seen.becomes("ana")


async def test_given_do_not_disturb_and_hints_when_they_are_in_use_then_every_reason_is_told(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    await registered(phones, "eve")
    await seen.becomes("eve")
    await set_state(stage, "Custom:DNDeve", "INUSE")
    await seen.becomes("eve", "dnd")
    await set_state(stage, "Custom:desk", "RINGING")
    await seen.becomes("eve", "device", "dnd")
    await set_state(stage, "Custom:DNDeve", "NOT_INUSE")
    await set_state(stage, "Custom:chair", "INUSE")
    await seen.becomes("eve", "device", "device")
    assert [why["words"] for why in seen.now("eve")["why"]] == ["being rung", "in a call"]
    await set_state(stage, "Custom:desk", "NOT_INUSE")
    await set_state(stage, "Custom:chair", "NOT_INUSE")
    await seen.becomes("eve")


# -- calendar and shift --------------------------------------------------------------------------------------


async def test_given_a_calendar_file_with_an_appointment_then_the_agent_is_busy_until_its_end(
    stage: Stage, phones: Phones, seen: Seen, folder: Path
) -> None:
    await registered(phones, "eve")
    await seen.becomes("eve")
    end = int(time.time()) + 3
    (folder / "eve.ics").write_text(appointment(end - 600, end, "Dentist"))
    await put_eve(stage, "eve")
    await seen.becomes("eve", "calendar")
    assert seen.now("eve")["why"][0]["words"] == "busy in the calendar: Dentist"
    assert seen.now("eve")["why"][0]["until"] == seen.now("eve")["calendar"]["busy_until"] == end
    assert "Dentist" in await agent_cli(stage, "why", "eve")
    assert 0.0 <= await seen.becomes("eve") - end < AT_ONCE
    await put_eve(stage, "lost")
    await seen.becomes("eve", "stale")
    await put_eve(stage, "")
    await seen.becomes("eve")


async def test_given_a_shift_in_the_agents_zone_that_has_ended_then_they_are_off_until_the_next(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    await registered(phones, "eve")
    await seen.becomes("eve")
    noon = zone_of_noon()
    await agent_cli(stage, "add", "eve", *EVE, "--timezone", noon, "--shift", "mon-sun 07:00-12:00")
    await seen.becomes("eve", "shift")
    until = seen.now("eve")["why"][0]["until"]
    assert until is not None and 18 * 3600 <= until - time.time() <= 19 * 3600
    await agent_cli(stage, "add", "eve", *EVE, "--timezone", noon, "--shift", "mon-sun 12:00-17:00")
    await seen.becomes("eve")
    await agent_cli(stage, "add", "eve", *EVE)


async def put_eve(stage: Stage, calendar: str) -> None:
    record = {"name": "Eve Stone", "endpoint": "PJSIP/eve", "dnd": "Custom:DNDeve", "calendar": calendar}
    status, answer = await api(stage, "PUT", "/v1/agents/eve", record)
    assert status == 200, answer


EVE = ("--replace", "--name", "Eve Stone", "--endpoint", "PJSIP/eve", "--dnd", "Custom:DNDeve")


def appointment(start: int, end: int, what: str) -> str:
    form = "%Y%m%dT%H%M%SZ"
    first, last = (datetime.fromtimestamp(at, UTC).strftime(form) for at in (start, end))
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:lab", "BEGIN:VEVENT", "UID:lab-1", f"DTSTAMP:{first}"]
    lines += [f"DTSTART:{first}", f"DTEND:{last}", f"SUMMARY:{what}", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines)


def zone_of_noon() -> str:
    """A zone where it is between 12 and 1 o'clock now; these have the sign of east and west turned round."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


# -- declared ------------------------------------------------------------------------------------------------


async def test_given_the_commands_then_each_counts_at_once_and_the_history_knows_who_and_from_where(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    await registered(phones, "ana")
    await seen.becomes("ana")
    said = await agent_cli(stage, "pause", "ana", "--reason", "lunch", "--for", "3s")
    assert said.startswith("Ana Lopez (ana) is paused: lunch, until ")
    await seen.becomes("ana", "paused")
    end = seen.now("ana")["until"]
    assert 0.0 <= await seen.becomes("ana") - end < AT_ONCE, "a pause ends by itself"
    await agent_cli(stage, "offline", "ana", "--reason", "home")
    await seen.becomes("ana", "offline")
    await agent_cli(stage, "ready", "ana")
    await seen.becomes("ana")
    await told(stage, "ana", "pause", {"reason": "coffee"})
    await agent_cli(stage, "ready", "Ana Lopez")
    await seen.becomes("ana")
    assert await history(stage, "ana", 6) == [
        ("ready", "", *ROOT),
        ("paused", "coffee", *ROOT),
        ("ready", "", *ROOT),
        ("offline", "home", *ROOT),
        ("ready", "", *DAEMON),
        ("paused", "lunch", *ROOT),
    ]


async def test_given_somebody_who_watches_then_each_change_is_printed(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    (ana,) = await registered(phones, "ana")
    await seen.becomes("ana")
    words = ("agent", "watch", "--json", "--socket", str(stage.daemon.socket))
    watch = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asterisk_warm", *words), stdout=asyncio.subprocess.PIPE
    )
    assert watch.stdout is not None

    async def prints(*why: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                line = json.loads(await watch.stdout.readline())
                if codes(next(agent for agent in line["agents"] if agent["id"] == "ana")) == why:
                    return

    try:
        await prints()
        call = await ana.dial("music")
        await prints("device")
        await told(stage, "ana", "pause")
        await prints("paused", "device")
        await call.hang_up()
        await told(stage, "ana", "ready")
        await prints()
    finally:
        watch.terminate()
        await watch.wait()


async def test_given_a_queue_of_asterisks_when_its_member_is_paused_there_then_here_too_and_back_again(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    (ana,) = await registered(phones, "ana")
    await seen.becomes("ana")
    await (await ana.dial("lunch")).ended()
    await seen.becomes("ana", "paused")
    assert seen.now("ana")["why"][0]["words"] == "paused: lunch"
    await asyncio.to_thread(stage.pbx.cli, "queue unpause member PJSIP/ana")
    await seen.becomes("ana")
    assert await history(stage, "ana", 2) == [
        ("ready", "", "queue", "queue"),
        ("paused", "lunch", "queue", "queue"),
    ]
    await told(stage, "ana", "pause", {"reason": "meeting"})
    await asyncio.to_thread(stage.pbx.cli, "queue pause member PJSIP/ana reason call")
    await asyncio.to_thread(stage.pbx.cli, "queue unpause member PJSIP/ana")
    # Asterisk tells things in order: when this is known, so is what the queue has said.
    await set_state(stage, "Custom:DNDeve", "INUSE")
    await seen.becomes("eve", "unreachable", "dnd")
    await set_state(stage, "Custom:DNDeve", "NOT_INUSE")
    assert codes(await shown(stage, "ana")) == ("paused",), "their own word stays"
    assert (await history(stage, "ana", 1))[0][:2] == ("paused", "meeting")


# -- handoffs ------------------------------------------------------------------------------------------------


async def test_given_an_agent_who_lets_two_offers_ring_out_then_they_are_paused_for_that(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    for missed in (1, 2):
        scene = await Scene.set(stage, phones, ("ana",))
        await seen.becomes("ana")
        await scene.ringing("missed")
        handoff = await scene.returned("RETURNED", "TIMEOUT")
        assert handoff["reason"] == "Ana Lopez did not answer"
        if missed == 1:
            await seen.becomes("ana")
            assert seen.now("ana")["missed"] == 1
    await seen.becomes("ana", "paused")
    words = "let 2 offers in a row ring out"
    assert seen.now("ana")["why"][0]["words"] == f"paused: {words}"
    assert await history(stage, "ana", 1) == [("paused", words, *DAEMON)]
    scene = await Scene.set(stage, phones, ("ana",))
    await scene.dial("missed")
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert words in handoff["reason"] and not handoff["offers"]


async def test_given_a_talk_when_it_ends_then_the_agent_wraps_up_which_they_extend_and_finish(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await seen.becomes("ana")
    calls = await scene.ringing("wrapped")
    await seen.becomes("ana", "offered", "device")
    await taken(scene, calls["ana"])
    await seen.becomes("ana", "limit", "device")
    assert seen.now("ana")["talks"] == [(await scene.handoff("CONNECTED"))["id"]]
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    await seen.becomes("ana", "wrapup")
    assert abs(seen.now("ana")["wrapup_until"] - handoff["ended_at"] - 60) < AT_ONCE
    await agent_cli(stage, "wrapup", "ana", "--extend", "2m")
    assert abs((await shown(stage, "ana"))["wrapup_until"] - handoff["ended_at"] - 180) < AT_ONCE
    said = await agent_cli(stage, "wrapup", "ana", "--finish")
    assert said.strip() == "Ana Lopez (ana) has no wrap-up any more, and is now free."
    await seen.becomes("ana")
    assert await history(stage, "ana", 3) == [
        ("wrap-up ended", "", *ROOT),
        ("wrapping up", "", *ROOT),
        ("wrapping up", "", *DAEMON),
    ]


async def test_given_a_short_wrap_up_then_it_is_over_by_itself(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await seen.becomes("ana")
    calls = await scene.ringing("short")
    await taken(scene, calls["ana"])
    await calls["ana"].hang_up()
    await seen.becomes("ana", "wrapup")
    end = seen.now("ana")["wrapup_until"]
    assert 0.0 <= await seen.becomes("ana") - end < AT_ONCE
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_lead_who_comes_again_then_who_spoke_to_them_is_rung_alone_and_after_a_while_all(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ("ben",))
    await seen.becomes("ben")
    calls = await scene.ringing("tones")
    await taken(scene, calls["ben"])
    await calls["ben"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")
    again = await Scene.set(stage, phones, ("ana", "cleo"))
    await asyncio.gather(*(seen.becomes(agent) for agent in ("ana", "ben", "cleo")))
    await again.dial("sticky")
    rung = {"ben": await scene.agents["ben"].rings(), **await again.all_ring()}
    traffic = capture.traffic()
    at = {agent: traffic.dialog(call.call_id).invited_at for agent, call in rung.items()}
    asked = (await again.handoff("OFFERING"))["requested_at"]
    assert at["ben"] - asked < AT_ONCE / 2
    assert min(at["ana"], at["cleo"]) - asked >= 2.0 and max(at["ana"], at["cleo"]) - asked < 2.0 + AT_ONCE
    for call in rung.values():
        await call.busy()
    await again.returned("RETURNED", "NOAGENT")


async def test_given_an_agent_who_may_have_two_handoffs_when_they_talk_then_one_more_is_offered_and_no_third(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    (dora,) = await registered(phones, "dora")
    await seen.becomes("dora")
    calls = []
    for _ in range(2):
        scene = await Scene.set(stage, phones, ())
        await scene.dial("double")
        offer = await dora.rings()
        await seen.becomes("dora", "offered", "device")
        await taken(scene, offer)
        calls.append((scene, offer))
        if len(calls) == 1:
            await seen.becomes("dora")
            assert seen.now("dora")["device"] == "INUSE"
    await seen.becomes("dora", "limit", "device")
    third = await Scene.set(stage, phones, ())
    await third.dial("double")
    handoff = await third.returned("RETURNED", "NOAGENT")
    assert handoff["reason"] == "Dora Weiss was not rung (has 2 handoffs, in a call)"
    for scene, offer in calls:
        await offer.hang_up()
        await scene.handoff("COMPLETED")
    await seen.becomes("dora")


async def taken(scene: Scene, call: Call) -> None:
    """The agent whose phone rings answers, and accepts."""
    await call.answer()
    await scene.offer_is(call.phone, "BRIEFING")
    await call.press("1")
    await scene.handoff("CONNECTED")
