"""Mode auto, with real phones: who ends up with the lead, what the dialplan is told, and what is left."""

from __future__ import annotations

import asyncio
import json

import pytest
from scene import (
    LEAD_NAME,
    LEAD_NUMBER,
    LEAD_TONE,
    TONES,
    HastyLead,
    Scene,
    api,
    command,
    offer,
    offer_states,
)

from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.rawphones import RefusingPhone
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


async def test_given_three_agents_when_one_declines_and_one_accepts_then_the_lead_talks_to_the_second(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("tones", "ana", "ben")
    assert {(c.caller_name, c.caller_number) for c in calls.values()} == {(LEAD_NAME, LEAD_NUMBER)}
    await calls["ana"].press("2")
    assert await calls["ana"].ended() == "the other side hung up"
    await calls["ben"].press("1")
    await scene.handoff("CONNECTED")
    await calls["cleo"].ended()
    await calls["ben"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ben")
    assert offer_states(handoff) == {"ana": "DECLINED", "ben": "ACCEPTED", "cleo": "LOST"}
    assert offer(handoff, "cleo")["cause"] == "Ben Okafor took the lead"
    assert handoff["ring_ms"] >= 0 and handoff["briefing_ms"] > 0 and handoff["gap_ms"] > 0


async def test_given_three_agents_when_all_decline_then_the_lead_comes_back_declined(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("tones", *TONES)
    for call in calls.values():
        await call.press("2")
    handoff = await scene.returned("RETURNED", "DECLINED")
    assert handoff["reason"] == "Ana Lopez declined; Ben Okafor declined; Cleo Martin declined"


async def test_given_a_talk_when_the_lead_hangs_up_then_the_h_extension_knows_all_of_it(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.connected("tones", "ana")
    await scene.call.hang_up()
    await calls["ana"].ended()
    handoff = await scene.left("COMPLETED", "CONNECTED", "ana")
    assert handoff["reason"].startswith("the lead hung up")


async def test_given_ringing_phones_when_nobody_answers_then_the_lead_comes_back(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.ringing("hasty")
    assert {await call.ended() for call in calls.values()} != {""}
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    assert handoff["reason"] == "Ana Lopez did not answer; Ben Okafor did not answer"


async def test_given_an_agent_who_answers_when_they_press_nothing_then_they_are_told_and_the_lead_comes_back(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("hasty", "ana")
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    assert await calls["ana"].ended() == "the other side hung up"
    assert handoff["reason"] == "Ana Lopez answered but pressed no key; Ben Okafor did not answer"


@pytest.mark.parametrize(
    ("code", "words", "state", "status", "reason"),
    [
        (486, "Busy Here", "BUSY", "NOAGENT", "Ana Lopez was busy"),
        (600, "Busy Everywhere", "BUSY", "NOAGENT", "Ana Lopez was busy"),
        (480, "Temporarily Unavailable", "NO_ANSWER", "TIMEOUT", "Ana Lopez did not answer"),
        (603, "Decline", "DECLINED", "DECLINED", "Ana Lopez declined"),
        (404, "Not Found", "UNREACHABLE", "NOAGENT", "Ana Lopez could not be reached (unknown number)"),
        (503, "Service Unavailable", "UNREACHABLE", "NOAGENT", "Ana Lopez could not be reached"),
    ],
)
async def test_given_a_phone_that_refuses_then_each_refusal_has_its_own_reason(
    stage: Stage, phones: Phones, code: int, words: str, state: str, status: str, reason: str
) -> None:
    scene = await Scene.set(stage, phones, ())
    async with RefusingPhone(stage.pbx.sip, stage.pbx.sip_password, "ana", code, words):
        await scene.dial("tones")
        handoff = await scene.returned("RETURNED", status)
    assert offer_states(handoff) == {"ana": state}
    assert handoff["reason"].startswith(reason)
    assert handoff["reason"].endswith(
        "; Ben Okafor was not rung (phone not registered); Cleo Martin was not rung (phone not registered)"
    )


async def test_given_nobody_registered_then_nobody_is_rung_and_the_reason_names_each(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ())
    await scene.dial("tones")
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["offers"] == []
    assert handoff["not_free"] == dict.fromkeys(TONES, "phone not registered")


async def test_given_an_agent_in_a_call_then_only_the_others_are_rung(stage: Stage, phones: Phones) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    other = await phones.lead("Somebody Else", "5550001", tone_hz=0).dial("to-ana")
    await (await scene.agents["ana"].rings()).answer()
    await other.answered()
    await scene.dial("tones")
    offered = await scene.agents["ben"].rings()
    await offered.busy()
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["not_free"]["ana"] == "in a call"
    assert not other.is_over
    await other.hang_up()


# -- an agent goes away ------------------------------------------------------------------------------------------


async def test_given_an_agent_who_hangs_up_while_it_rings_then_the_others_go_on_ringing(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.ringing("tones")
    await calls["ana"].hang_up()
    await scene.offer_is("ana", "BUSY")
    assert calls["ben"].is_ringing and not scene.call.is_over
    await calls["ben"].hang_up()
    handoff = await scene.returned("RETURNED", "NOAGENT")
    assert handoff["reason"].startswith("Ana Lopez was busy; Ben Okafor was busy; ")


async def test_given_an_agent_who_hangs_up_in_the_briefing_then_another_can_still_accept(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("tones", "ana", "ben")
    await calls["ana"].hang_up()
    assert (await scene.offer_is("ana", "GONE"))["cause"] == "normal clearing"
    await calls["ben"].press("1")
    await scene.handoff("CONNECTED")
    await calls["ben"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")


async def test_given_an_agent_who_hangs_up_in_the_introduction_then_the_others_are_asked_again(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("introduced", "ana")
    await calls["ana"].press("1")
    await scene.handoff("INTRODUCING")
    await calls["ben"].ended()
    await calls["ana"].hang_up()
    again = await scene.agents["ben"].rings()
    assert offer_states(await scene.handoff("OFFERING")) == {"ana": "GONE", "ben": "RINGING"}
    await again.answer()
    await scene.offer_is("ben", "BRIEFING")
    await again.press("1")
    await scene.handoff("CONNECTED")
    await again.hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ben")
    assert [o["state"] for o in handoff["offers"]] == ["GONE", "LOST", "ACCEPTED"]


async def test_given_one_agent_who_vanishes_in_the_introduction_then_the_lead_comes_back(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("introduced", "ana")
    await calls["ana"].press("1")
    await scene.handoff("INTRODUCING")
    await calls["ana"].hang_up()
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    assert handoff["reason"].startswith("Ana Lopez hung up (normal clearing); ")


# -- the lead goes away ------------------------------------------------------------------------------------------


async def test_given_a_lead_who_cancels_right_after_dialling_then_nothing_is_left(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    async with HastyLead(stage.pbx.sip, "tones", "Hasty <sip:5550002@lead>", tone_hz=LEAD_TONE) as lead:
        await lead.cancel()
    # The call may have been gone before it was a handoff.
    await scene.logged("lab-left")
    for _ in await asyncio.to_thread(scene.handoffs):
        await scene.seen(lambda seen: seen["settled"] and seen["status"] == "ABANDONED", "settled")
    await stage.nothing_left(1.0)


async def test_given_a_lead_who_hangs_up_deep_in_our_contexts_then_they_leave_by_the_h_of_where_they_came_from(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    await scene.dial("deep")
    told = await scene.told("lab-left")
    assert (told.status, told.cause) == ("ABANDONED", "the lead hung up before anyone was connected")
    assert scene.log().count("Ext. h: lab-left") == 1
    await scene.call.ended()


async def test_given_a_lead_who_hangs_up_as_soon_as_answered_then_nothing_rings_for_them(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    await scene.dial("tones")
    await scene.call.answered()
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    await stage.nothing_left(1.0)


async def test_given_ringing_phones_when_the_lead_hangs_up_then_they_stop_within_a_second(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.ringing("tones")
    await scene.call.hang_up()
    await asyncio.gather(*(call.ended(1.0) for call in calls.values()))
    handoff = await scene.left("ABANDONED", "ABANDONED")
    assert set(offer_states(handoff).values()) == {"LOST"}
    assert {o["cause"] for o in handoff["offers"]} == {"the lead left"}


async def test_given_a_briefing_when_the_lead_hangs_up_then_the_agent_is_told_and_let_go(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("tones", "ana")
    await scene.call.hang_up()
    await asyncio.gather(*(calls[agent].ended(1.0) for agent in ("ben", "cleo")))
    assert await calls["ana"].ended(4.0) == "the other side hung up"
    handoff = await scene.left("ABANDONED", "ABANDONED")
    assert set(offer_states(handoff).values()) == {"LOST"}
    assert handoff["reason"].startswith("the lead hung up")


async def test_given_an_introduction_when_the_lead_hangs_up_then_the_agent_is_let_go_at_once(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("introduced", "ana")
    await calls["ana"].press("1")
    await scene.handoff("INTRODUCING")
    await scene.call.hang_up()
    assert await calls["ana"].ended(1.0) == "the other side hung up"
    handoff = await scene.left("ABANDONED", "ABANDONED")
    assert set(offer_states(handoff).values()) == {"LOST"}


# -- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [False, True], ids=["ringing", "in the briefing"])
async def test_given_a_hold_budget_when_it_is_used_up_then_the_lead_comes_back(
    stage: Stage, phones: Phones, answers: bool
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.ringing("short-budget")
    if answers:
        await calls["ana"].answer()
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    await asyncio.gather(*(call.ended() for call in calls.values()))
    ana = "had not decided yet" if answers else "had not answered yet"
    words = f"the hold budget of 2 s was used up: Ana Lopez {ana}; Ben Okafor had not answered yet; "
    assert handoff["reason"].startswith(words)
    assert handoff["ended_at"] - handoff["requested_at"] == pytest.approx(2.0, abs=0.2)


# -- called off --------------------------------------------------------------------------------------------------


async def test_given_a_lead_whose_briefing_is_being_made_when_cancelled_then_nobody_is_rung(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    await scene.dial("wordy")
    seeking = await scene.handoff("SEEKING")
    status, answer = await api(stage, "DELETE", f"/v1/handoffs/{seeking['id']}")
    assert (status, answer["state"], answer["status"]) == (200, "RETURNED", "CANCELLED")
    handoff = await scene.returned("RETURNED", "CANCELLED")
    assert handoff["offers"] == [] and not any(phone.calls for phone in scene.agents.values())


@pytest.mark.parametrize("answers", [False, True], ids=["ringing", "in the briefing"])
async def test_given_an_offer_when_cancelled_then_the_phones_are_let_go_and_the_lead_comes_back(
    stage: Stage, phones: Phones, answers: bool
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("tones", *(["ana"] if answers else []))
    offering = await scene.handoff("OFFERING")
    code, out, err = await command(stage, "handoff", "cancel", offering["id"])
    assert (code, out, err) == (0, f"{offering['id']} is cancelled.\n", "")
    await asyncio.gather(*(call.ended() for call in calls.values()))
    handoff = await scene.returned("RETURNED", "CANCELLED")
    assert handoff["reason"].startswith("cancelled by ")
    assert set(offer_states(handoff).values()) == {"LOST"}


async def test_given_an_agent_who_has_accepted_when_cancelled_then_it_is_too_late(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("introduced", "ana")
    await calls["ana"].press("1")
    introducing = await scene.handoff("INTRODUCING")
    path = f"/v1/handoffs/{introducing['id']}"
    status, problem = await api(stage, "DELETE", path)
    assert status == 409 and "an agent has accepted already" in problem["detail"]
    await scene.handoff("CONNECTED")
    assert (await api(stage, "DELETE", path))[0] == 409
    code, _, err = await command(stage, "handoff", "cancel", introducing["id"])
    assert code == 5 and "an agent has accepted already" in err
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    code, _, err = await command(stage, "handoff", "cancel", handoff["id"])
    assert code == 5 and "has ended already" in err
    assert (await api(stage, "DELETE", path))[0] == 409


async def test_given_no_such_handoff_when_cancelled_then_it_is_not_found(stage: Stage) -> None:
    assert (await api(stage, "DELETE", "/v1/handoffs/warm-nobody"))[0] == 404
    code, _, err = await command(stage, "handoff", "cancel", "warm-nobody")
    assert code == 3 and "warm-nobody" in err


# -- requests that cannot be used --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ("nobodys-team", ['no team "nobodys-team" (configured teams: ', "tones"]),
        (
            "odd-options",
            ["option ring=soon: must be a number", 'unknown option "colour"', "option mode=warm: must be"],
        ),
    ],
    ids=["unknown team", "bad options"],
)
async def test_given_a_request_that_cannot_be_used_then_the_lead_comes_back_with_every_reason(
    stage: Stage, phones: Phones, extension: str, words: list[str]
) -> None:
    scene = await Scene.set(stage, phones, ())
    await scene.dial(extension)
    told = await scene.told("lab-returned")
    assert told.status == "ERROR" and all(word in told.cause for word in words), told
    assert not await asyncio.to_thread(scene.handoffs)
    await scene.call.hang_up()


# -- leads who wait elsewhere ------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits_in", ["waiting", "menu"])
async def test_given_a_lead_waiting_in_the_dialplan_when_handed_off_then_they_talk_and_go_on_after_it(
    stage: Stage, phones: Phones, waits_in: str
) -> None:
    scene = await Scene.set(stage, phones)
    await scene.dial(waits_in)
    channel = await scene.channel()
    code, out, err = await command(
        stage,
        *("handoff", "start", "--channel", channel, "--team", "tones", "--name", "Zoe", "--json"),
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["lead"]["name"] == "Zoe"
    calls = await scene.all_ring()
    status, problem = await api(stage, "POST", "/v1/handoffs", {"channel": channel, "team": "tones"})
    assert status == 409 and "is in handoff" in problem["detail"]
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_a_lead_who_was_fetched_when_they_hang_up_then_their_own_h_extension_runs(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones)
    await scene.dial("menu")
    await scene.start(await scene.channel(), "tones")
    await scene.all_ring()
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")


async def test_given_a_place_to_return_to_when_all_decline_then_the_lead_goes_on_there(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await scene.dial("menu")
    place = {"context": "lab-elsewhere", "extension": "here", "priority": 2}
    await scene.start(await scene.channel(), "tones", return_to=place)
    await (await scene.agents["ana"].rings()).busy()
    await scene.logged(r"NOTICE\[.*lab-elsewhere \S+ status=NOAGENT")
    await scene.returned("RETURNED", "NOAGENT")


async def test_given_a_lead_who_talks_when_handed_off_then_whoever_talks_to_them_is_the_qualifier(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    await scene.dial("to-ana")
    talk = await scene.agents["ana"].rings()
    await talk.answer()
    await scene.call.answered()
    handoff = await scene.start(await scene.channel(), "tones")
    assert (handoff["mode"], handoff["qualifier"]["name"]) == ("stay", "ana")
    offered = await scene.agents["ben"].rings()
    assert not talk.is_over and not scene.call.is_over
    await offered.busy()
    await scene.handoff("RETURNED")
    await talk.hang_up()
    await scene.call.ended()


async def test_given_no_such_channel_or_team_when_handed_off_then_nothing_is_touched(
    stage: Stage, phones: Phones
) -> None:
    scene = await Scene.set(stage, phones, ())
    await scene.dial("menu")
    channel = await scene.channel()
    assert (await api(stage, "POST", "/v1/handoffs", {"channel": "1.1", "team": "tones"}))[0] == 404
    assert (await api(stage, "POST", "/v1/handoffs", {"channel": channel, "team": "none"}))[0] == 404
    assert (await api(stage, "POST", "/v1/handoffs", {"channel": channel, "team": "tones", "mode": "hot"}))[
        0
    ] == 422
    code, _, err = await command(stage, "handoff", "start", "--channel", channel, "--team", "tone")
    assert code == 3 and "tones" in err
    assert not scene.call.is_over and channel in stage.pbx.cli("core show channels concise")
    await scene.call.hang_up()
