"""A lead's whole way: asked on the phone, let through, handed off with what they said, written down, and not asked twice. With the
product as its users have it: a daemon with its configuration, real phones, the commands, other systems."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest
from aiohttp import web
from crash_scene import GatedStage
from ears import onset
from journey_scene import (
    CRM_SECONDS,
    Journey,
    given,
    hears,
    like,
    nobody_rang,
    playing,
    questions,
    spoken,
)
from outside import Answering, Outside
from scene import MUSIC, TONES, api, talk, until
from test_ask_back import asks

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def outside(root: Root) -> Iterator[Outside]:
    with Outside() as systems:
        yield systems


@pytest.fixture(scope="module")
def stage(root: Root, outside: Outside) -> Iterator[Stage]:
    with playing(root, GatedStage) as on_stage:
        yield on_stage


# -- the whole way -------------------------------------------------------------------------------------------


async def test_given_a_lead_who_is_asked_and_handed_off_when_they_call_again_then_nothing_is_asked_or_told_twice(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    number = "+12025550101"
    scene = await Journey.of(stage, phones, number, "ana", "ben")
    first = await scene.interviewed(capture, "ask-closers", "owner", "1", "kind", "1", "insured", "2")
    calls = await scene.all_ring()
    shown = {call.caller_name for call in calls.values()}
    assert shown == {"Grant Weatherly, 80: Owns a house."}
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("4")
    await hears(capture, calls["ana"], "Insured: no.")
    await calls["ana"].press("1")
    await talk(capture, first.call_id, calls["ana"].call_id, TONES["ana"])
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    handoff = (await scene.returned("COMPLETED", "CONNECTED", "ana"))["id"]

    code = await scene.agents["ana"].dial("*2841")
    await code.answered()
    await hears(capture, code, "Sold.")
    await code.ended()
    noted = await scene.out("handoff", "outcome", handoff, "--note", "wants a new roof")
    assert "wants a new roof" in noted
    told = await scene.out("lead", "show", number)
    assert "Sold" in told and "wants a new roof" in told and "Ana Lopez" in told

    await scene.again()
    second = await scene.dial("ask-closers")
    calls = await scene.all_ring()
    await calls["ben"].answer()
    await scene.offer_is("ben", "BRIEFING")
    await calls["ben"].press("4")
    last_time = "Last time: Sold, wants a new roof, with Ana Lopez."
    await hears(capture, calls["ben"], last_time)
    assert (await scene.handoff("OFFERING"))["lead"]["more"] == f"{last_time} Insured: no."
    await second.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    ear = capture.traffic().heard_at
    assert questions(ear(first.call_id)) == ["owner", "kind", "insured"]
    assert questions(ear(second.call_id)) == []


async def test_given_a_code_that_writes_nothing_down_then_the_agent_hears_why_and_which_digits_there_are(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, "+12025550110", "cleo")
    digits = "1: Sold. 2: Call back."
    for code, line in (("*284", digits), ("*2849", digits), ("*2841", "You have not talked to a lead yet.")):
        call = await scene.agents["cleo"].dial(code)
        await call.answered()
        await hears(capture, call, line)
        await call.ended()


async def test_given_a_lead_who_hangs_up_in_the_middle_when_they_call_back_then_it_goes_on_where_it_stopped(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, "+12025550102", "ana")
    first = await scene.interviewed(capture, "ask-closers", "", "1", "kind")
    await first.hang_up()
    await scene.told("lab-left")
    await scene.again()
    second = await scene.interviewed(capture, "ask-closers", "kind", "1", "insured", "1")
    calls = await scene.all_ring()
    assert calls["ana"].caller_name == "Grant Weatherly, 70: Owns a house."
    await second.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    welcome = await spoken("Welcome back. Let us go on where we stopped.")
    assert like(capture, second, welcome) and not like(capture, first, welcome)
    assert questions(capture.traffic().heard_at(second.call_id)) == ["kind", "insured"]


async def test_given_callers_without_a_number_then_what_one_has_answered_counts_for_their_call_alone(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, "anonymous", "ana")
    first = await scene.interviewed(capture, "nobody-ask-closers", "", "1", "kind", "1", "insured", "2")
    calls = await scene.all_ring()
    assert calls["ana"].caller_name == "Grant Weatherly, 80: Owns a house."
    await first.hang_up()
    assert (await scene.left("ABANDONED", "ABANDONED"))["lead"]["number"] == ""
    await scene.again()
    await scene.dial("nobody-closers")
    told = await scene.told("lab-returned")
    assert (told.status, told.cause) == ("NOTQUALIFIED", "the lead was never asked (home)")
    await scene.call.hang_up()
    await scene.again()
    third = await scene.interviewed(capture, "nobody-ask-closers", "")
    _, newest = await api(stage, "GET", "/v1/qualifications?limit=1")
    assert (newest["qualifications"][0]["lead"], newest["qualifications"][0]["answers"]) == ("", [])
    await third.hang_up()
    await scene.told("lab-left")
    assert len(capture.traffic().dialogs_to("ana")) == 1


async def test_given_what_another_system_has_found_out_then_it_opens_the_gate_and_is_shown(
    stage: Stage, phones: Phones, outside: Outside
) -> None:
    number = "+12025550104"
    id = await given(stage, number, 77, summary="Wants a quote")
    assert await until(lambda: outside.news("qualification.finished", qualification=id), 8.0, "the webhook")
    scene = await Journey.of(stage, phones, number, "ana")
    calls = await scene.ringing("closers")
    assert calls["ana"].caller_name.startswith("Grant Weatherly, 77: Wants a quote")
    handoff = await scene.handoff("OFFERING")
    assert (handoff["lead"]["score"], handoff["lead"]["verdict"]) == (77, "ready")
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")


NUMBERS = itertools.count(200)
"""Of leads: an answer of the CRM is kept."""

# -- a CRM ---------------------------------------------------------------------------------------------------


def says(**answer: object) -> Answering:
    async def answered(_: web.Request) -> web.StreamResponse:
        return web.json_response(answer)

    return answered


async def _slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(8.0)
    return web.json_response({"name": "Too Late"})


async def _dead(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def _lying(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>" + "x" * 300_000, content_type="application/json")


async def test_given_a_lead_whom_the_crm_knows_then_agents_see_and_hear_it(
    stage: Stage, phones: Phones, capture: Capture, outside: Outside
) -> None:
    number = "+12025550105"
    outside.answers[number] = says(name="Grace Hopper", plan="Gold")
    scene = await Journey.of(stage, phones, number, "ana")
    calls = await scene.briefed("told", "ana")
    await hears(capture, calls["ana"], "Grace Hopper. plan: Gold.")
    await scene.call.hang_up()
    handoff = await scene.left("ABANDONED", "ABANDONED")
    assert handoff["lead"]["details"] == {"plan": "Gold"}
    (dialog,) = capture.traffic().dialogs_to("ana")
    assert '"Grace Hopper' in dialog.invite.header("From")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        pytest.param(_slow, "Grant Weatherly", id="slow"),
        pytest.param(_dead, "Grant Weatherly", id="dead"),
        pytest.param(_lying, "Grant Weatherly", id="lying"),
        pytest.param(says(name=["x"], plan={"a": 1}), "Grant Weatherly", id="other-kinds"),
        pytest.param(says(name='Eve"\r\nX-Evil: 1\r\n${SHELL(x)}' + "y" * 65536), "Eve", id="hostile"),
    ],
)
async def test_given_a_crm_that_is_slow_dead_or_lies_then_agents_are_rung_all_the_same_within_its_budget(
    stage: Stage, phones: Phones, capture: Capture, outside: Outside, answer: Answering, name: str
) -> None:
    number = f"+1202555{next(NUMBERS):04}"
    scene = await Journey.of(stage, phones, number, "ana")
    outside.answers[number] = answer
    calls = await scene.ringing("open")
    assert calls["ana"].caller_name.startswith(name)
    assert outside.asked[-1] == number
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    traffic = capture.traffic()
    (invited,) = traffic.dialogs_to("ana")
    asked = traffic.dialog(scene.call.call_id).invited_at
    # What is looked up of ours, and what a busy machine takes for itself, comes on top.
    assert invited.invited_at - asked < CRM_SECONDS + 3.0
    assert not invited.invite.header("X-Evil")


# -- `kill -9` -----------------------------------------------------------------------------------------------


async def restarted(stage: Stage) -> None:
    stage.daemon.launch()  # in this thread: it dies with the one that started it
    await asyncio.to_thread(stage.daemon.wait_ready)


async def test_given_an_interview_when_the_daemon_is_killed_then_the_dialplan_goes_on_and_the_call_back_resumes(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, "+12025550107", "ana")
    await scene.interviewed(capture, "asked", "", "1", "kind")
    stage.daemon.kill()
    await scene.logged(r"lab-asked result=UNREACHABLE")
    await scene.call.ended()
    await restarted(stage)
    await scene.again()
    await scene.interviewed(capture, "ask-closers", "", "1", "insured", "2")
    calls = await scene.all_ring()
    assert calls["ana"].caller_name == "Grant Weatherly, 80: Owns a house."
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")


async def test_given_a_question_to_the_lead_when_the_daemon_is_killed_then_the_agent_can_still_accept(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, "+12025550108", "ana")
    calls = await scene.briefed("curious", "ana")
    await asks(capture, calls["ana"])
    lead = scene.call.call_id
    await until(lambda: capture.traffic().heard_at(lead).hears(TONES["ana"], frames=10), 20.0, "the question")
    stage.daemon.kill()
    killed = time.time()
    await restarted(stage)
    await until(
        lambda: onset(capture.traffic().heard_at(lead), MUSIC, after=killed), 15.0, "music at the lead"
    )
    assert calls["ana"].is_answered and not calls["ana"].is_over
    pressed = time.time()
    await calls["ana"].press("1")
    await talk(capture, lead, calls["ana"].call_id, TONES["ana"], after=pressed)
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_offers_that_are_shown_when_the_daemon_is_killed_before_it_rings_then_each_rings_once_and_losers_close(
    stage: GatedStage, phones: Phones, capture: Capture, outside: Outside
) -> None:
    scene = await Journey.of(stage, phones, "+12025550109", "ana", "ben")
    holds = [stage.gate.hold(r"POST /ari/channels/create") for _ in range(2)]
    await scene.dial("open")
    await asyncio.gather(*(hold.reached() for hold in holds))
    handoff = (await scene.handoff("OFFERING"))["id"]
    await until(lambda: len(outside.news("offer.made", handoff=handoff)) == 2, 8.0, "both to be shown")
    nobody_rang(capture)
    stage.daemon.kill()
    await restarted(stage)
    calls = await scene.all_ring()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await scene.handoff("CONNECTED")
    closed = await until(lambda: outside.news("offer.closed", handoff=handoff), 8.0, "ben's to close")
    assert [(one["agent"]["id"], one["offer"]["why"]) for one in closed] == [("ben", "taken by Ana Lopez")]
    await calls["ana"].hang_up()
    ended = await scene.returned("COMPLETED", "CONNECTED", "ana")
    assert sorted(one["agent_id"] for one in ended["offers"]) == ["ana", "ben"]
    assert len(outside.news("offer.made", handoff=handoff)) == 2
    traffic = capture.traffic()
    assert [len(traffic.dialogs_to(agent)) for agent in ("ana", "ben")] == [1, 1]
