"""Mode blind, with real phones: who answers first has the lead; and the lead is rescued when nobody does."""

from __future__ import annotations

import asyncio
import time

import pytest
from scene import LEAD_TONE, TONES, HastyPhone, Scene, api, command, offer_states, talk

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.rawphones import RefusingPhone
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


async def test_given_three_phones_when_one_answers_then_they_talk_at_once_and_the_others_stop(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.ringing("blind")
    await calls["ben"].answer()
    await asyncio.gather(calls["ana"].ended(1.0), calls["cleo"].ended(1.0))
    traffic = await talk(capture, scene.call.call_id, calls["ben"].call_id, TONES["ben"])
    answered = traffic.dialog(calls["ben"].call_id).answered_at
    at_lead = traffic.heard_at(scene.call.call_id)
    at_agent = traffic.heard_at(calls["ben"].call_id)
    assert answered is not None
    for ear, hz in ((at_lead, TONES["ben"]), (at_agent, LEAD_TONE)):
        first = ear.first_frame_with(hz, after=answered)
        assert first is not None and first - answered < 1.0
    await calls["ben"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ben")
    assert handoff["mode"] == "blind"
    assert offer_states(handoff) == {"ana": "LOST", "ben": "ACCEPTED", "cleo": "LOST"}


async def test_given_two_phones_when_both_answer_at_once_then_one_has_the_lead_and_the_other_is_let_go(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ())
    sip = (stage.pbx.sip, stage.pbx.sip_password)
    async with HastyPhone(*sip, "ana", tone_hz=700) as ana, HastyPhone(*sip, "ben", tone_hz=800) as ben:
        await scene.dial("blind")
        await asyncio.gather(ana.rings(), ben.rings())
        ana.answer()
        ben.answer()
        handoff = await scene.handoff("CONNECTED")
        winner, loser = (ana, ben) if handoff["agent"]["id"] == "ana" else (ben, ana)
        await asyncio.wait_for(loser.ended.wait(), 5.0)
        traffic = await talk(capture, scene.call.call_id, winner.call_id, TONES[winner.name])
        assert not traffic.heard_at(scene.call.call_id).hears(TONES[loser.name])
        assert not traffic.heard_at(loser.call_id).hears(LEAD_TONE)
        winner.hang_up()
        handoff = await scene.returned("COMPLETED", "CONNECTED", winner.name)
    assert offer_states(handoff) == {winner.name: "ACCEPTED", loser.name: "LOST"}


async def test_given_a_talk_when_the_lead_hangs_up_then_the_agent_is_let_go(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.ringing("blind")
    await calls["ana"].answer()
    await scene.handoff("CONNECTED")
    await scene.call.hang_up()
    assert await calls["ana"].ended() == "the other side hung up"
    await scene.left("COMPLETED", "CONNECTED", "ana")


async def test_given_ringing_phones_when_nobody_answers_then_the_lead_comes_back(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.ringing("blind-hasty")
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    assert all(call.is_over for call in calls.values())
    assert handoff["reason"] == "Ana Lopez did not answer; Ben Okafor did not answer"


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        (486, "Busy Here", "NOAGENT"),
        (480, "Temporarily Unavailable", "TIMEOUT"),
        (603, "Decline", "DECLINED"),
    ],
)
async def test_given_a_phone_that_refuses_then_the_lead_comes_back_with_the_reason(
    stage: Stage, phones: Phones, code: int, words: str, status: str
) -> None:
    scene = await Scene.set(stage, phones, ())
    async with RefusingPhone(stage.pbx.sip, stage.pbx.sip_password, "ana", code, words):
        await scene.dial("blind-hasty")
        handoff = await scene.returned("RETURNED", status)
    assert handoff["reason"].startswith("Ana Lopez ")
    assert handoff["reason"].endswith("; Ben Okafor was not rung (phone not registered)")


async def test_given_nobody_registered_then_nobody_is_rung(stage: Stage, phones: Phones) -> None:
    scene = await Scene.set(stage, phones, ())
    await scene.dial("blind")
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["offers"] == [] and len(handoff["not_free"]) == 3


async def test_given_ringing_phones_when_the_lead_hangs_up_then_they_stop_within_a_second(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.ringing("blind")
    await scene.call.hang_up()
    await asyncio.gather(*(call.ended(1.0) for call in calls.values()))
    handoff = await scene.left("ABANDONED", "ABANDONED")
    assert set(offer_states(handoff).values()) == {"LOST"}


@pytest.mark.parametrize("hangs_up_after", [0.0, 0.005, 0.05])
async def test_given_an_agent_who_answers_and_hangs_up_at_once_then_the_lead_is_not_left_alone(
    stage: Stage, phones: Phones, hangs_up_after: float
) -> None:
    scene = await Scene.set(stage, phones, ())
    async with HastyPhone(stage.pbx.sip, stage.pbx.sip_password, "ana", tone_hz=700) as ana:
        await scene.dial("blind")
        await ana.rings()
        ana.answer()
        await ana.hang_up_at(time.time() + hangs_up_after)
        # Whether they were together for a moment or not: the lead comes back, and is told which.
        ended = await scene.handoff("COMPLETED", "RETURNED")
        connected = ended["state"] == "COMPLETED"
        expected = ("COMPLETED", "CONNECTED", "ana") if connected else ("RETURNED", "TIMEOUT")
        await scene.returned(*expected)


async def test_given_ringing_phones_when_cancelled_then_they_stop_and_the_lead_comes_back(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.ringing("blind")
    offering = await scene.handoff("OFFERING")
    status, _ = await api(stage, "DELETE", f"/v1/handoffs/{offering['id']}")
    assert status == 200
    await asyncio.gather(*(call.ended(1.0) for call in calls.values()))
    await scene.returned("RETURNED", "CANCELLED")


async def test_given_a_talk_when_cancelled_then_it_is_too_late_and_they_talk_on(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.ringing("blind")
    await calls["ana"].answer()
    connected = await scene.handoff("CONNECTED")
    code, _, err = await command(stage, "handoff", "cancel", connected["id"])
    assert code == 5 and "an agent has accepted already" in err
    assert not calls["ana"].is_over and not scene.call.is_over
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_lead_waiting_in_the_dialplan_when_handed_off_blind_then_they_talk(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await scene.dial("menu")
    started = await scene.start(await scene.channel(), "tones", mode="blind")
    assert started["mode"] == "blind"
    await (await scene.agents["ana"].rings()).answer()
    await scene.handoff("CONNECTED")
    await scene.agents["ana"].calls[-1].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")
