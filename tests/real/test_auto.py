"""Mode auto, with real phones: who ends up with the lead, what everyone hears, and what is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scene import LEAD_NAME, LEAD_NUMBER, LEAD_TONE, MUSIC, TONES, Scene, offer

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import chord, write_wav

pytestmark = pytest.mark.real


async def test_given_three_agents_when_one_accepts_then_the_lead_is_connected_and_nobody_hears_too_much(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones)
    lead = await scene.dial("sales")
    calls = await scene.all_ring()
    assert {(c.caller_name, c.caller_number) for c in calls.values()} == {(LEAD_NAME, LEAD_NUMBER)}
    await asyncio.gather(calls["ana"].answer(), calls["ben"].answer())
    await calls["ana"].press("2")
    assert await calls["ana"].ended() == "the other side hung up"
    await calls["ben"].press("1")
    handoff = await stage.handoff("CONNECTED")
    await calls["cleo"].ended()
    assert handoff["agent"]["id"] == "ben"
    assert (offer(handoff, "ana")["state"], offer(handoff, "cleo")["state"]) == ("DECLINED", "LOST")
    await talk(capture, lead, calls["ben"], "ben")
    await calls["ben"].hang_up()
    await lead.ended()
    handoff = await scene.returned()
    assert (handoff["state"], handoff["status"]) == ("COMPLETED", "CONNECTED")

    traffic = capture.traffic()
    heard = traffic.heard_at(lead.call_id)
    accepted = traffic.keys_of(calls["ben"].call_id)[-1].released_at
    joined = heard.first_frame_with(TONES["ben"])
    assert joined is not None and joined > accepted
    # Music until then, never a long silence, never another agent, and no music once the agent is there.
    assert heard.hears(MUSIC)
    assert heard.longest_silence(heard.times[0], joined) < 0.1
    assert not heard.hears(TONES["ana"]) and not heard.hears(TONES["cleo"])
    assert not heard.between(joined + 0.1, heard.times[-1]).hears(MUSIC)
    # Ana and Ben were briefed alone.
    for agent in ("ana", "ben"):
        briefing = traffic.heard_at(calls[agent].call_id).between(0, accepted)
        assert not briefing.hears(LEAD_TONE) and not briefing.hears(MUSIC)


async def talk(capture: Capture, lead, agent_call, agent: str) -> None:  # type: ignore[no-untyped-def]
    """Wait until each hears the other, by RTP."""

    def both() -> bool:
        traffic = capture.traffic()
        return traffic.heard_at(lead.call_id).hears(TONES[agent]) and traffic.heard_at(
            agent_call.call_id
        ).hears(LEAD_TONE, frames=10)

    async with asyncio.timeout(15):
        while not await asyncio.to_thread(both):
            await asyncio.sleep(0.1)
