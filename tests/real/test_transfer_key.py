"""The phone's own Transfer key (SIP REFER): what becomes of the call, and what the phone is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from live import QUALIFIER, QUALIFIER_TONE, LiveScene
from second_phone import SecondPhone

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


@pytest.fixture(scope="session", params=["22"])
def version(request: pytest.FixtureRequest) -> str:
    """Older ones leave no transfer to ARI: there the feature codes serve."""
    return str(request.param)


@pytest.fixture(params=["baresip", "linphone"])
async def desk(
    request: pytest.FixtureRequest, stage: Stage, phones: Phones
) -> AsyncIterator[Phone | SecondPhone]:
    """The qualifier's phone, of two makes that share no code."""
    if request.param == "baresip":
        yield await phones.register(QUALIFIER, tone_hz=QUALIFIER_TONE)
    else:
        async with SecondPhone(
            stage.pbx.sip, stage.pbx.sip_password, QUALIFIER, tone_hz=QUALIFIER_TONE
        ) as phone:
            yield phone


def told(capture: Capture, scene: LiveScene) -> list[str]:
    """What the phone was told of its transfer, each line once."""
    lines = [line for _, line in capture.traffic().notified_at(scene.quinn.call_id)]
    return list(dict.fromkeys(lines))


async def test_given_a_blind_transfer_to_a_team_when_an_agent_accepts_then_the_phone_is_told_and_they_talk(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, qualifier=desk)
    transfer = asyncio.create_task(scene.quinn.transfer("tones"))
    calls = await scene.all_ring()
    assert not transfer.done()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    assert await transfer == "200 OK"
    assert told(capture, scene) == ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_blind_transfer_to_a_team_when_nobody_accepts_then_the_phone_is_told_and_they_talk_on(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    transfer = asyncio.create_task(scene.quinn.transfer("tones"))
    calls = await scene.all_ring()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("2")
    assert await transfer == "603 Decline"
    assert told(capture, scene) == ["SIP/2.0 100 Trying", "SIP/2.0 603 Decline"]
    await scene.handoff("RETURNED")
    assert not scene.quinn.is_over
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "DECLINED")


async def test_given_a_consult_in_a_second_call_when_transfer_is_pressed_then_lead_and_agent_talk(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, qualifier=desk)
    await scene.quinn.hold()
    second = await scene.qualifier.dial("consult")
    await second.answered()
    calls = await scene.all_ring()
    assert {call.caller_name for call in calls.values()} == {"Grant Weatherly"}
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONSULTING")
    assert await scene.quinn.attended_transfer(second) == "200 OK"
    await scene.handoff("CONNECTED")
    await second.ended()
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    assert handoff["requested_by"] == "phone"


async def test_given_a_second_call_that_still_rings_when_transfer_is_pressed_then_the_lead_waits_for_who_accepts(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, qualifier=desk)
    await scene.quinn.hold()
    second = await scene.qualifier.dial("consult")
    await second.answered()
    calls = await scene.all_ring()
    assert await scene.quinn.attended_transfer(second) == "200 OK"
    await scene.seen(lambda h: h["lead_is"] == "held", "held")
    await calls["ben"].answer()
    await scene.offer_is("ben", "BRIEFING")
    await calls["ben"].press("1")
    await scene.handoff("CONNECTED")
    await calls["ben"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")


async def test_given_a_consult_in_a_second_call_when_it_is_hung_up_then_the_lead_is_still_on_hold_at_the_phone(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    await scene.quinn.hold()
    second = await scene.qualifier.dial("consult")
    await second.answered()
    calls = await scene.all_ring()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONSULTING")
    await second.hang_up()
    await calls["ana"].ended()
    await scene.seen(lambda h: h["settled"], "settled")
    assert not scene.quinn.is_over and not scene.call.is_over
    await scene.quinn.resume()
    await scene.quinn.hang_up()
    await scene.call.ended()


async def test_given_a_blind_transfer_to_an_ordinary_number_then_it_is_as_without_us(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    assert await scene.quinn.transfer("to-ana") == "200 OK"
    ana = await scene.agents["ana"].rings()
    assert ana.caller_name == "Grant Weatherly"
    await ana.answer()
    await scene.quinn.ended()
    await ana.hang_up()
    await scene.call.ended()


async def test_given_an_attended_transfer_onto_an_ordinary_call_then_it_is_as_without_us(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    await scene.quinn.hold()
    second = await scene.qualifier.dial("to-ana")
    ana = await scene.agents["ana"].rings()
    await ana.answer()
    await second.answered()
    assert await scene.quinn.attended_transfer(second) == "200 OK"
    await scene.quinn.ended()
    await second.ended()
    await ana.listen_for(0.5)
    assert not ana.is_over and not scene.call.is_over
    await ana.hang_up()
    await scene.call.ended()


async def test_given_an_attended_transfer_onto_a_call_with_nobody_then_the_lead_dials_what_was_dialled(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    await scene.quinn.hold()
    second = await scene.qualifier.dial("menu")
    await second.answered()
    assert await scene.quinn.attended_transfer(second) == "200 OK"
    await scene.quinn.ended()
    await scene.logged(r"menu@from-agents:1\] Answer\(\"PJSIP/anonymous")
    assert not scene.call.is_over
    await scene.call.hang_up()


async def test_given_a_blind_transfer_to_no_number_then_the_qualifier_keeps_the_lead(
    stage: Stage, phones: Phones, desk: Phone | SecondPhone, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), qualifier=desk)
    assert await scene.quinn.transfer("555999") == "503 Service Unavailable"
    assert not scene.quinn.is_over and not scene.call.is_over
    await scene.quinn.hang_up()
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["reason"] == "there is nobody to ring under 555999"
