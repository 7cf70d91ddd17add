"""Mode stay, with real phones: the qualifier talks on, agents ring, three talk, two talk on."""

from __future__ import annotations

import pytest
from live import LiveScene

from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


async def test_given_a_talk_when_an_agent_accepts_and_the_qualifier_leaves_then_lead_and_agent_talk_on(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana")
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    assert await scene.quinn.ended() == "the other side hung up"
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    assert handoff["gap_ms"] == 0


async def test_given_a_talk_when_nobody_accepts_then_the_qualifier_has_the_lead_again(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana", "ben"))
    calls = await scene.offered("tones")
    for call in calls.values():
        await call.busy()
    await scene.handoff("RETURNED")
    assert not scene.quinn.is_over and not scene.call.is_over
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_a_consult_when_the_qualifier_completes_then_lead_and_agent_talk(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana", mode="consult")
    await scene.presses("*4")
    await scene.seen(lambda h: h["lead_is"] == "with_qualifier", "swapped")
    await scene.presses("*4")
    await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "swapped back")
    await scene.presses("*3")
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await scene.call.hang_up()
    await calls["ana"].ended()
    await scene.left("COMPLETED", "CONNECTED", "ana")


async def test_given_a_consult_when_the_qualifier_takes_back_then_the_agent_is_let_go(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana", mode="consult")
    await scene.presses("*1")
    await scene.handoff("RETURNED")
    await calls["ana"].ended()
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "TAKENBACK")


async def test_given_ringing_phones_when_the_qualifier_hangs_up_and_nobody_accepts_then_they_are_rung(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered("tones")
    await scene.quinn.hang_up()
    await scene.seen(lambda h: h["lead_is"] == "held", "held")
    await calls["ana"].busy()
    again = await scene.qualifier.rings()
    assert (again.caller_name, again.caller_number) == ("Grant Weatherly", "+15551230001")
    await again.answer()
    await scene.offer_is("qualifier", "BRIEFING")
    await again.press("1")
    await scene.handoff("RETURNED")
    await again.hang_up()
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_lead_and_agent_talk_when_the_lead_is_taken_back_then_the_qualifier_has_them(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana")
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await scene.asks("take-back")
    again = await scene.qualifier.rings()
    await again.answer()
    await scene.offer_is("qualifier", "BRIEFING")
    await again.press("1")
    await calls["ana"].ended()
    await scene.handoff("RETURNED")
    assert not again.is_over and not scene.call.is_over
    await again.hang_up()
    await scene.returned("RETURNED", "TAKENBACK")


@pytest.mark.parametrize(("code", "mode"), [("*5", "stay"), ("*6", "consult")])
async def test_given_a_feature_code_in_the_call_then_it_is_handed_off(
    stage: Stage, phones: Phones, code: str, mode: str
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    await scene.presses(code)
    calls = await scene.all_ring()
    assert (await scene.handoff("OFFERING"))["mode"] == mode
    await scene.presses("*1")
    await calls["ana"].ended()
    await scene.handoff("RETURNED")
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "TAKENBACK")
