"""Another phone takes the place of one of the three in the middle (SIP INVITE with Replaces): the handoff goes on with it, to
its documented end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from ears import hears
from live import QUALIFIER_TONE, LiveScene
from scene import LEAD_TONE, MUSIC, TONES, until

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.rawphones import ReplacingPhone
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ

pytestmark = pytest.mark.real

COLLEAGUE_TONE = 2650
RINGING_HZ = 450
"""Asterisk's ringing tone is 440 and 480 Hz: heard here, and not of its music."""


class Colleague(ReplacingPhone):
    """Whoever picks up: a phone that belongs to no team here."""

    async def press(self, key: str) -> None:
        await self._voice.press_at(key, time.time() + 0.2)


@pytest.fixture
async def colleague(stage: Stage) -> AsyncIterator[Colleague]:
    pbx = stage.pbx
    async with Colleague(pbx.sip, pbx.sip_password, "racer19", tone_hz=COLLEAGUE_TONE) as phone:
        yield phone


async def picked_up(capture: Capture, colleague: Colleague, call: Call) -> None:
    """The colleague has the call of another phone, which is let go."""
    await colleague.pick_up(capture.traffic().dialog(call.call_id).replaces)
    await call.ended()


async def hear_each_other(capture: Capture, *parties: tuple[str, int]) -> None:
    """Wait until each (call, tone) hears all the others."""
    since = capture.traffic().heard_at(parties[0][0]).times[-1]

    def all_do() -> bool:
        traffic = capture.traffic()
        ears = {call: traffic.heard_at(call).between(since, float("inf")) for call, _ in parties}
        return all(
            ears[call].hears(voice, frames=15)
            for call, own in parties
            for _, voice in parties
            if voice != own
        )

    await until(all_do, 8.0, f"{parties} hear each other")


async def waits_with_music(capture: Capture, colleague: Colleague) -> None:
    traffic = await hears(capture, colleague.call_id, MUSIC, frames=75)
    ear = traffic.heard_at(colleague.call_id)
    assert ear.longest_silence(ear.times[0] + 0.2, ear.times[-1]) < 0.2


# -- the qualifier -------------------------------------------------------------------------------------------


async def test_given_stay_when_a_colleague_picks_up_the_qualifiers_call_then_they_are_the_qualifier(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await picked_up(capture, colleague, scene.quinn)
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (colleague.call_id, COLLEAGUE_TONE))
    handoff = await scene.handoff("OFFERING")
    assert handoff["lead_is"] == "with_qualifier" and calls["ana"].is_ringing
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    await hear_each_other(
        capture,
        (scene.call.call_id, LEAD_TONE),
        (colleague.call_id, COLLEAGUE_TONE),
        (calls["ana"].call_id, TONES["ana"]),
    )
    colleague.hang_up()
    await scene.handoff("CONNECTED")
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (calls["ana"].call_id, TONES["ana"]))
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_stay_when_nobody_accepts_then_the_colleague_has_the_lead(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await picked_up(capture, colleague, scene.quinn)
    await calls["ana"].busy()
    await scene.handoff("RETURNED")
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (colleague.call_id, COLLEAGUE_TONE))
    colleague.hang_up()
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_a_consult_when_a_colleague_picks_up_the_qualifiers_call_then_they_complete_it(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana", mode="consult")
    await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "in private")
    await picked_up(capture, colleague, scene.quinn)
    await hear_each_other(capture, (calls["ana"].call_id, TONES["ana"]), (colleague.call_id, COLLEAGUE_TONE))
    await scene.asks("swap")
    await scene.seen(lambda h: h["lead_is"] == "with_qualifier", "swapped")
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (colleague.call_id, COLLEAGUE_TONE))
    await scene.asks("complete")
    await scene.handoff("CONNECTED")
    await asyncio.wait_for(colleague.ended.wait(), 5)
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (calls["ana"].call_id, TONES["ana"]))
    await scene.call.hang_up()
    await scene.left("COMPLETED", "CONNECTED", "ana")


async def test_given_a_qualifier_who_waits_aside_when_a_colleague_picks_up_their_call_then_they_consult(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered(mode="consult")
    await picked_up(capture, colleague, scene.quinn)
    await hears(capture, colleague.call_id, RINGING_HZ, frames=20)
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONSULTING")
    await hear_each_other(capture, (calls["ana"].call_id, TONES["ana"]), (colleague.call_id, COLLEAGUE_TONE))
    for key in "*2":
        await colleague.press(key)
        await asyncio.sleep(0.4)
    await scene.handoff("CONNECTED")
    await asyncio.wait_for(colleague.ended.wait(), 5)
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


# -- the agent -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["consult", "stay"])
async def test_given_an_agent_who_accepted_when_a_colleague_picks_up_their_call_then_they_have_the_lead(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague, mode: str
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana", mode=mode)
    if mode == "consult":
        await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "in private")
    await picked_up(capture, colleague, calls["ana"])
    with_quinn = [(scene.quinn.call_id, QUALIFIER_TONE), (colleague.call_id, COLLEAGUE_TONE)]
    if mode == "stay":
        with_quinn.append((scene.call.call_id, LEAD_TONE))
    await hear_each_other(capture, *with_quinn)
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    assert await scene.quinn.ended() == "the other side hung up"
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (colleague.call_id, COLLEAGUE_TONE))
    colleague.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_an_agent_whose_call_was_picked_up_when_the_lead_hangs_up_then_nobody_is_left(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana")
    await picked_up(capture, colleague, calls["ana"])
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await scene.call.hang_up()
    await asyncio.wait_for(colleague.ended.wait(), 5)
    await scene.left("COMPLETED", "CONNECTED", "ana")


# -- the lead ------------------------------------------------------------------------------------------------


async def test_given_a_held_lead_when_another_phone_takes_their_place_then_it_is_the_lead(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana", mode="consult")
    await scene.seen(lambda h: h["lead_is"] == "held", "held")
    await picked_up(capture, colleague, scene.call)
    await waits_with_music(capture, colleague)
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    await hear_each_other(capture, (calls["ana"].call_id, TONES["ana"]), (colleague.call_id, COLLEAGUE_TONE))
    colleague.hang_up()
    await calls["ana"].ended()
    handoff = await scene.seen(lambda h: h["settled"], "settled", 15)
    assert (handoff["state"], handoff["status"]) == ("COMPLETED", "CONNECTED")


async def test_given_a_briefed_agent_when_a_colleague_picks_up_their_call_then_they_are_asked(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await hears(capture, calls["ana"].call_id, BRIEFING_MARKER_HZ, frames=5)
    await picked_up(capture, colleague, calls["ana"])
    await colleague.press("1")
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    colleague.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_ringing_agent_when_a_colleague_picks_up_their_call_then_they_are_asked(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await picked_up(capture, colleague, calls["ana"])
    await scene.offer_is("ana", "BRIEFING")
    await hears(capture, colleague.call_id, BRIEFING_MARKER_HZ)
    await colleague.press("1")
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    colleague.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_lead_whose_place_was_taken_when_nobody_accepts_then_they_go_on_in_the_dialplan(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await picked_up(capture, colleague, scene.call)
    await scene.quinn.hang_up()
    await scene.seen(lambda h: h["lead_is"] == "held", "held")
    await calls["ana"].busy()
    again = await scene.qualifier.rings()
    await again.busy()
    await scene.logged("lab-returned PJSIP/racer19-.* status=NOAGENT")


async def test_given_a_lead_from_the_dialplan_whose_place_was_taken_when_nobody_accepts_then_where_the_team_says(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    """Where the other phone's call stands in the dialplan has nothing to do with the lead."""
    scene = await LiveScene.set(stage, phones, ("ana",))
    calls = await scene.ringing("placed")
    await picked_up(capture, colleague, scene.call)
    await waits_with_music(capture, colleague)
    await calls["ana"].busy()
    await scene.logged("lab-elsewhere PJSIP/racer19-.* status=NOAGENT")


async def test_given_a_lead_whose_place_was_taken_when_the_agent_hangs_up_first_then_they_go_on_all_the_same(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.set(stage, phones, ("ana",))
    calls = await scene.ringing("placed")
    await picked_up(capture, colleague, scene.call)
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONNECTED")
    await hear_each_other(capture, (calls["ana"].call_id, TONES["ana"]), (colleague.call_id, COLLEAGUE_TONE))
    await calls["ana"].hang_up()
    await scene.logged("lab-elsewhere PJSIP/racer19-.* status=CONNECTED")


# -- and the daemon dies -------------------------------------------------------------------------------------


async def test_given_calls_that_were_picked_up_when_the_daemon_is_killed_and_restarted_then_they_are_still_theirs(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana", mode="consult")
    await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "in private")
    await picked_up(capture, colleague, calls["ana"])
    await hear_each_other(capture, (scene.quinn.call_id, QUALIFIER_TONE), (colleague.call_id, COLLEAGUE_TONE))
    stage.daemon.kill()
    stage.daemon.start()
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    await hear_each_other(capture, (scene.call.call_id, LEAD_TONE), (colleague.call_id, COLLEAGUE_TONE))
    colleague.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_no_daemon_when_a_colleague_picks_up_then_they_are_let_go_and_the_handoff_has_who_was_there_before(
    stage: Stage, phones: Phones, capture: Capture, colleague: Colleague
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana")
    stage.daemon.kill()
    await colleague.pick_up(capture.traffic().dialog(scene.quinn.call_id).replaces)
    # Nobody takes them in, as nobody takes in a lead who calls now.
    await asyncio.wait_for(colleague.ended.wait(), 5)
    stage.daemon.start()
    await hear_each_other(
        capture,
        (scene.call.call_id, LEAD_TONE),
        (scene.quinn.call_id, QUALIFIER_TONE),
        (calls["ana"].call_id, TONES["ana"]),
    )
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await scene.let_go()
    await scene.call.hang_up()
    await scene.left("COMPLETED", "CONNECTED", "ana")
