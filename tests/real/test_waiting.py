"""Leads for whom nobody is free, and whose turn it is when somebody is: as the phones ring, on a real Asterisk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median

import pytest
from agents_scene import (
    AT_ONCE,
    MEDIAN,
    Seen,
    agent_cli,
    on_stage,
    playing,
    registered,
    shown,
    team,
    told,
)
from scene import COMFORT_HZ, MUSIC, Scene, until

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.traffic import Traffic

pytestmark = pytest.mark.real

TIMES = 5
THREE = ("ana", "ben", "cleo")
TEAMS = {
    "waits": team("ana", "ben", wait_seconds=30, comfort_seconds=2),
    "impatient": team(*THREE, wait_seconds=2),
    "fan": team(*THREE, ring="fanout", widen_seconds=1),
    "idle": team(*THREE, ring="longest_idle"),
    "robin": team(*THREE, ring="round_robin"),
    "tiers": team(*THREE, ring="priority", tiers={"ben": 2, "cleo": 2}, widen_seconds=2),
    "spanish": team(*THREE, "dora", ring="skills", fanout=4, skills={"spanish": 6}, relax_seconds=1),
}
SKILLS = {
    "ana": {"skills": {"spanish": 3}},
    "ben": {"skills": {"spanish": 7}},
    "cleo": {"skills": {"spanish": 5}},
    "dora": {"skills": {"german": 9}},
}


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    with playing(root, sounds, TEAMS, agents=SKILLS) as on:
        yield on


@pytest.fixture
async def phones(stage: Stage) -> AsyncIterator[Phones]:
    async with on_stage(stage) as there:
        yield there


@pytest.fixture
async def seen(stage: Stage, phones: Phones) -> AsyncIterator[Seen]:
    async with Seen(stage) as following:
        yield following


# -- nobody is free ------------------------------------------------------------------------------------------


class HangsUp:
    """The agent is in an ordinary call, and hangs up."""

    why = "device"

    async def leave(self, stage: Stage, ana: Phone) -> None:
        self.call = await ana.dial("music")

    async def come(self, stage: Stage, ana: Phone) -> None:
        await self.call.hang_up()

    async def since(self, stage: Stage, traffic: Traffic) -> float:
        ended_at = traffic.dialog(self.call.call_id).ended_at
        assert ended_at is not None
        return ended_at


class DeclaresReady:
    """The agent is paused, and the command ends that."""

    why = "paused"

    async def leave(self, stage: Stage, ana: Phone) -> None:
        await told(stage, "ana", "pause")

    async def come(self, stage: Stage, ana: Phone) -> None:
        await agent_cli(stage, "ready", "ana")

    async def since(self, stage: Stage, traffic: Traffic) -> float:
        return float((await shown(stage, "ana"))["since"])


class Registers:
    """The agent's phone is not registered, and comes back."""

    why = "unreachable"

    async def leave(self, stage: Stage, ana: Phone) -> None:
        await ana.unregister()

    async def come(self, stage: Stage, ana: Phone) -> None:
        self.at = time.time()
        await ana.register()

    async def since(self, stage: Stage, traffic: Traffic) -> float:
        return self.at


@pytest.mark.parametrize("how", (HangsUp(), DeclaresReady(), Registers()), ids=lambda how: type(how).__name__)
async def test_given_a_lead_who_waits_when_somebody_becomes_free_then_their_phone_rings_within_milliseconds(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture, how: HangsUp | DeclaresReady | Registers
) -> None:
    ana, ben = await registered(phones, "ana", "ben")
    # Somebody who may come: else nobody would be waited for.
    hope = await ben.dial("music")
    await asyncio.gather(seen.becomes("ana"), seen.becomes("ben", "device"))
    delays = []
    for nth in range(TIMES):
        await how.leave(stage, ana)
        await seen.becomes("ana", how.why)
        scene = await waits(stage, phones)
        if how.why == "device" and nth == 0:
            await soothed(scene, capture)
        assert (await scene.handoff("SEEKING"))["offers"] == []
        await how.come(stage, ana)
        offer = await ana.rings()
        traffic = capture.traffic()
        delays.append(traffic.dialog(offer.call_id).invited_at - await how.since(stage, traffic))
        await scene.call.hang_up()
        await scene.handoff("ABANDONED")
        await offer.ended()
        await seen.becomes("ana")
    print(f"{how.why}: median {median(delays) * 1000:.0f} ms, most {max(delays) * 1000:.0f} ms")
    assert max(delays) < AT_ONCE and median(delays) < MEDIAN, delays
    await hope.hang_up()


async def waits(stage: Stage, phones: Phones, extension: str = "waits") -> Scene:
    """A lead calls a team of which nobody is free, but may be."""
    scene = await Scene.set(stage, phones, ())
    await scene.dial(extension)
    await scene.handoff("SEEKING")
    return scene


async def soothed(scene: Scene, capture: Capture) -> None:
    """The lead hears music, and a word of comfort."""

    def heard() -> bool:
        ear = capture.traffic().heard_at(scene.call.call_id)
        return ear.hears(MUSIC, frames=50) and ear.hears(COMFORT_HZ, frames=20)

    await until(heard, 8.0, "music and comfort at the lead")


async def test_given_nobody_in_time_when_the_wait_is_used_up_then_the_lead_comes_back_with_every_reason(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    _, ben = await registered(phones, "ana", "ben")
    await agent_cli(stage, "pause", "ana", "--reason", "lunch")
    call = await ben.dial("music")
    await asyncio.gather(seen.becomes("ana", "paused"), seen.becomes("ben", "device"))
    scene = await waits(stage, phones, "impatient")
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["reason"] == (
        "Ana Lopez was not rung (paused: lunch); Ben Okafor was not rung (in a call); "
        "Cleo Martin was not rung (phone not registered)"
    )
    assert 2.0 <= handoff["ended_at"] - handoff["requested_at"] < 2.0 + AT_ONCE
    await call.hang_up()


async def test_given_all_agents_offline_then_the_lead_comes_back_at_once(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    await registered(phones, *THREE)
    for agent in THREE:
        await told(stage, agent, "offline")
    scene = await Scene.set(stage, phones, ())
    await scene.dial("impatient")
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["reason"] == "; ".join(
        f"{name} was not rung (offline)" for name in ("Ana Lopez", "Ben Okafor", "Cleo Martin")
    )
    assert handoff["ended_at"] - handoff["requested_at"] < AT_ONCE / 2


async def test_given_a_lead_who_waits_when_they_hang_up_then_nobody_is_rung_for_them(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    (ana,) = await registered(phones, "ana")
    call = await ana.dial("music")
    await seen.becomes("ana", "device")
    scene = await waits(stage, phones)
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    await call.hang_up()
    await seen.becomes("ana")
    # Whoever comes next is the first who is offered.
    after = await Scene.set(stage, phones, ())
    await after.dial("waits")
    offer = await ana.rings()
    assert len(capture.traffic().dialogs_to("ana")) == 1
    await offer.busy()
    await after.returned("RETURNED", "NOAGENT")


async def test_given_several_leads_who_wait_then_the_highest_priority_comes_first_and_then_the_oldest(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    (ana,) = await registered(phones, "ana")
    ordinary = await ana.dial("music")
    await seen.becomes("ana", "device")
    leads = []
    for number, extension in enumerate(("waits", "pri1waits", "waits", "pri1waits", "pri9waits")):
        before = len(await asyncio.to_thread(stage.daemon.handoffs))
        leads.append(await phones.lead("Grant Weatherly", f"+1555{number}").dial(extension))
        await seeks(stage, before)
    await ordinary.hang_up()
    came = []
    for _ in leads:
        offer = await ana.rings()
        came.append(offer.caller_number)
        await offer.busy()
    assert came == ["+15554", "+15551", "+15553", "+15550", "+15552"]
    for lead in leads:
        await lead.hang_up()


async def seeks(stage: Stage, before: int) -> None:
    """One handoff more than `before`, whose lead waits."""

    def there() -> bool:
        handoffs = stage.daemon.handoffs()
        return len(handoffs) > before and handoffs[0]["state"] == "SEEKING"

    await until(there, 5.0, "the lead waits")


# -- strategies ----------------------------------------------------------------------------------------------


async def rung(capture: Capture, scene: Scene, calls: dict[str, Call]) -> dict[str, float]:
    """When each phone was rung, in seconds since the handoff was asked for."""
    asked = (await scene.handoff("OFFERING"))["requested_at"]
    traffic = capture.traffic()
    return {agent: traffic.dialog(call.call_id).invited_at - asked for agent, call in calls.items()}


def at(seconds: float, moment: float) -> bool:
    return seconds <= moment < seconds + AT_ONCE / 2


async def test_given_fanout_then_one_phone_rings_and_with_time_one_more_and_one_more(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    scene = await three_free(stage, phones, seen)
    await scene.dial("fan")
    calls = await scene.all_ring()
    when = await rung(capture, scene, calls)
    assert at(0, when["ana"]) and at(1, when["ben"]) and at(2, when["cleo"]), when
    for call in calls.values():
        await call.busy()
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_longest_idle_then_phones_ring_in_that_order_each_when_the_one_before_declines(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    scene = await three_free(stage, phones, seen)
    for agent in ("cleo", "ana", "ben"):
        await told(stage, agent, "pause")
        await told(stage, agent, "ready")
    await scene.dial("idle")
    order = []
    for _ in THREE:
        call = await first_to_ring(scene)
        order.append(call.phone)
        assert sum(phone.is_ringing for phone in scene.agents.values()) == 1
        await call.busy()
    assert order == ["cleo", "ana", "ben"]
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_round_robin_then_each_lead_is_offered_to_the_next_agent(
    stage: Stage, phones: Phones, seen: Seen
) -> None:
    order = []
    scene = await three_free(stage, phones, seen)
    agents = scene.agents
    for _ in range(4):
        scene = await Scene.set(stage, phones, ())
        scene.agents = agents
        await scene.dial("robin")
        call = await first_to_ring(scene)
        order.append(call.phone)
        await scene.call.hang_up()
        await scene.left("ABANDONED", "ABANDONED")
        await call.ended()
    assert sorted(order[:3]) == list(THREE) and order[3] == order[0], order


async def test_given_tiers_then_the_second_rings_when_the_first_has_declined_or_with_time(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    scene = await three_free(stage, phones, seen)
    await scene.dial("tiers")
    calls = await scene.all_ring()
    when = await rung(capture, scene, calls)
    assert at(0, when["ana"]) and at(2, when["ben"]) and at(2, when["cleo"]), when
    for call in calls.values():
        await call.busy()
    await scene.returned("RETURNED", "NOAGENT")
    await asyncio.gather(*(seen.becomes(agent) for agent in THREE))
    again = await Scene.set(stage, phones, ())
    again.agents = scene.agents
    await again.dial("tiers")
    first = await again.agents["ana"].rings()
    await first.busy()
    calls = {agent: await again.agents[agent].rings() for agent in ("ben", "cleo")}
    when = await rung(capture, again, calls)
    assert max(when.values()) < 2.0, when
    for call in calls.values():
        await call.busy()
    await again.returned("RETURNED", "NOAGENT")


async def test_given_skills_then_who_fits_rings_and_others_as_the_levels_go_down_and_who_has_none_never(
    stage: Stage, phones: Phones, seen: Seen, capture: Capture
) -> None:
    scene = await three_free(stage, phones, seen)
    await registered(phones, "dora")
    await seen.becomes("dora")
    await scene.dial("spanish")
    calls = await scene.all_ring()
    when = await rung(capture, scene, calls)
    assert at(0, when["ben"]) and at(1, when["cleo"]) and at(3, when["ana"]), when
    for call in calls.values():
        await call.busy()
    await scene.returned("RETURNED", "NOAGENT")
    assert not capture.traffic().dialogs_to("dora")


async def three_free(stage: Stage, phones: Phones, seen: Seen) -> Scene:
    scene = await Scene.set(stage, phones, THREE)
    await asyncio.gather(*(seen.becomes(agent) for agent in THREE))
    return scene


async def first_to_ring(scene: Scene) -> Call:
    rings = [asyncio.ensure_future(phone.rings(8.0)) for phone in scene.agents.values()]
    done, others = await asyncio.wait(rings, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    (call,) = (ring.result() for ring in done)
    return call
