"""A qualifier and their handoffs: what is refused, what races, what phones show, and whom a lead can be handed to."""

from __future__ import annotations

import asyncio
import re

import pytest
from live import LiveScene
from scene import LEAD_NAME, LEAD_NUMBER, api, command, offer_states, until

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


async def back(scene: LiveScene, status: str = "TAKENBACK") -> None:
    """The qualifier has the lead again, and hangs up."""
    await scene.handoff("RETURNED")
    assert not scene.quinn.is_over and not scene.call.is_over
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", status)


# -- conflicts and races -----------------------------------------------------------------------------------------


async def test_given_a_handoff_when_the_same_lead_is_handed_off_again_then_it_is_a_conflict_and_nothing_is_disturbed(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    for option in ("--qualifier", "--channel"):
        channel = await scene.qualifier_channel()
        if option == "--channel":
            channel = (await scene.handoff("OFFERING"))["lead"]["channel"]
        code, _, err = await command(stage, "handoff", "start", option, channel, "--team", "tones")
        assert code == 5 and "is in handoff" in err
    await scene.presses("*5")
    assert calls["ana"].is_ringing and not scene.call.is_over and not scene.quinn.is_over
    assert len(await asyncio.to_thread(scene.handoffs)) == 1
    await scene.asks("take-back")
    await back(scene)


async def test_given_a_lead_who_waits_for_who_accepts_when_the_qualifier_hands_off_another_then_both_go_on(
    stage: Stage, phones: Phones
) -> None:
    first = await LiveScene.talking(stage, phones, ("ana", "ben"))
    calls = await first.offered()
    await first.quinn.hang_up()
    await first.seen(lambda h: h["lead_is"] == "held", "held")
    second = await phones.lead("Zoe Muller", "+15551239999", tone_hz=2650).dial("live")
    again = await first.qualifier.rings()
    await again.answer()
    await second.answered()
    await calls["ana"].answer()
    await first.offer_is("ana", "BRIEFING")
    await calls["ana"].press("1")
    await calls["ben"].ended()
    await first.handoff("CONNECTED")
    body = {"qualifier": await first.qualifier_channel(), "team": "tones", "mode": "stay"}
    status, handoff = await api(stage, "POST", "/v1/handoffs", body)
    assert status == 201 and handoff["lead"]["name"] == "Zoe Muller"
    assert handoff["not_free"] == {} or handoff["not_free"]["ana"] == "in a call"
    offered = await first.agents["ben"].rings()
    assert offered.caller_name == "Zoe Muller"
    await offered.answer()
    await until(
        lambda: stage.daemon.handoff(handoff["id"])["offers"][0]["state"] == "BRIEFING", 5.0, "briefed"
    )
    await offered.press("1")
    await until(lambda: stage.daemon.handoff(handoff["id"])["lead_is"] == "with_agent", 5.0, "three")
    await again.hang_up()
    await until(lambda: stage.daemon.handoff(handoff["id"])["state"] == "CONNECTED", 5.0, "connected")
    assert not first.call.is_over and not second.is_over
    for call in (first.call, second):
        await call.hang_up()
    await until(lambda: all(h["settled"] for h in stage.daemon.handoffs(2)), 10.0, "both settled")


async def test_given_a_take_back_and_an_accept_in_the_same_moment_then_the_qualifier_has_the_lead(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    handoff = (await scene.handoff("OFFERING"))["id"]
    _, (status, answer) = await asyncio.gather(
        calls["ana"].press("1"), api(stage, "POST", f"/v1/handoffs/{handoff}/take-back")
    )
    # Whichever came first: the one who asked for the lead has them, and the agent is let go.
    assert status == 200, answer
    await calls["ana"].ended()
    await back(scene)


async def test_given_nobody_asks_for_it_when_something_impossible_is_asked_then_it_says_why(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    await scene.offered()
    handoff = (await scene.handoff("OFFERING"))["id"]
    code, _, err = await command(stage, "handoff", "swap", handoff)
    assert code == 5 and "swap is not possible in the state OFFERING" in err
    code, _out, _ = await command(stage, "handoff", "take-back", handoff)
    assert code == 0
    await back(scene)


async def test_given_two_requests_for_one_call_in_the_same_moment_then_one_has_it_and_one_is_a_conflict(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    body = {"qualifier": await scene.qualifier_channel(), "team": "tones"}
    answers = await asyncio.gather(*(api(stage, "POST", "/v1/handoffs", body) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
    await scene.agents["ana"].rings()
    await scene.asks("take-back")
    await back(scene)


@pytest.mark.parametrize("later", [0.0, 0.01, 0.02, 0.03, 0.05])
async def test_given_a_qualifier_who_hangs_up_when_the_call_is_being_taken_over_then_the_lead_is_offered_all_the_same(
    stage: Stage, phones: Phones, later: float
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), extension="live-on")
    body = {"qualifier": await scene.qualifier_channel(), "team": "tones"}

    async def hang_up() -> None:
        await asyncio.sleep(later)
        await scene.quinn.hang_up()

    (status, _), _ = await asyncio.gather(api(stage, "POST", "/v1/handoffs", body), hang_up())
    if status != 201:
        assert status in (404, 409), "they were not in a call any more"
        await scene.call.hang_up()
        return
    offer = await scene.agents["ana"].rings()
    await scene.seen(lambda h: h["lead_is"] == "held" and h["qualifier"]["place"] == "gone", "held alone")
    await offer.answer()
    await scene.offer_is("ana", "BRIEFING")
    await offer.press("1")
    await scene.handoff("CONNECTED")
    await scene.call.hang_up()
    await scene.left("COMPLETED", "CONNECTED", "ana")


async def test_given_a_lead_who_came_back_when_the_code_is_dialled_again_then_it_is_a_new_handoff(
    stage: Stage, phones: Phones
) -> None:
    """The two talk in a bridge of Asterisk's own by then, out of which they are taken over as before."""
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.offered()
    await calls["ana"].busy()
    await scene.seen(lambda h: h["settled"], "settled")
    await scene.again()
    await scene.presses("*5")
    again = await scene.agents["ana"].rings()
    await again.answer()
    await scene.offer_is("ana", "BRIEFING")
    await again.press("1")
    await scene.seen(lambda h: h["lead_is"] == "with_agent", "three")
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await again.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


async def test_given_an_agent_who_talks_to_a_lead_when_they_hand_them_on_then_they_are_the_qualifier_of_a_new_handoff(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana", "ben"))
    calls = await scene.accepted("ana")
    await calls["ben"].ended()
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    first = (await scene.handoff("CONNECTED"))["id"]
    lead = (await scene.handoff("CONNECTED"))["lead"]["channel"]
    await until(lambda: stage.daemon.handoff(first)["lead_is"] == "with_agent", 5.0, "let go")
    await scene.again()
    status, second = await api(stage, "POST", "/v1/handoffs", {"channel": lead, "team": "tones"})
    assert status == 201 and second["qualifier"]["name"] == "Ana Lopez"
    offered = await scene.agents["ben"].rings()
    ended = await asyncio.to_thread(stage.daemon.handoff, first)
    assert (ended["state"], ended["reason"]) == ("COMPLETED", f"the lead is handed on in {second['id']}")
    await offered.answer()
    await scene.offer_is("ben", "BRIEFING")
    await offered.press("1")
    await scene.seen(lambda h: h["lead_is"] == "with_agent", "three")
    await calls["ana"].hang_up()
    await scene.handoff("CONNECTED")
    assert not scene.call.is_over
    await offered.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")


async def test_given_a_lead_who_was_called_when_they_are_handed_off_then_they_have_nowhere_to_go_on_but_are_not_cut(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.set(stage, phones, ("ana", "cleo"))
    quinn = await phones.register("qualifier", tone_hz=1600)
    calling = await quinn.dial("out")
    lead = await scene.agents["cleo"].rings()
    await lead.answer()
    await calling.answered()
    await lead.listen_for(0.1)
    for key in "*5":
        await calling.press(key)
        await lead.listen_for(0.3)
    offered = await scene.agents["ana"].rings()
    await offered.answer()
    await scene.offer_is("ana", "BRIEFING")
    await offered.press("1")
    await scene.seen(lambda h: h["lead_is"] == "with_agent", "three")
    handoff = await scene.handoff("INTRODUCING")
    # Who called is the qualifier, by the code that they dialled.
    assert (handoff["qualifier"]["name"], handoff["lead"]["name"]) == ("qualifier", "cleo")
    await scene.asks("complete")
    # The qualifier goes on in their own dialplan.
    await scene.logged("lab-returned")
    await calling.hang_up()
    await scene.handoff("CONNECTED")
    assert not lead.is_over
    await offered.hang_up()
    await lead.ended()
    await scene.seen(lambda h: h["settled"], "settled")


# -- whom, and whether ---------------------------------------------------------------------------------------


async def test_given_an_agents_name_then_only_they_are_rung(stage: Stage, phones: Phones) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana", "ben"))
    code, _out, err = await command(
        stage, "handoff", "start", "--qualifier", await scene.qualifier_channel(), "--agent", "Ben Okafor"
    )
    assert (code, err) == (0, "")
    offered = await scene.agents["ben"].rings()
    assert offer_states(await scene.handoff("OFFERING")) == {"ben": "RINGING"}
    await offered.busy()
    await back(scene, "NOAGENT")


async def test_given_an_outside_number_then_only_one_that_is_allowed_is_dialled(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ben",))
    channel = await scene.qualifier_channel()
    status, problem = await api(
        stage, "POST", "/v1/handoffs", {"qualifier": channel, "outside": "+19005550000"}
    )
    assert status == 404 and "not on the list" in problem["detail"]
    status, _ = await api(stage, "POST", "/v1/handoffs", {"qualifier": channel, "outside": "+15557000"})
    assert status == 201
    # The lab's trunk is Ben's phone.
    outside = await scene.agents["ben"].rings()
    assert (outside.caller_name, outside.caller_number) == (LEAD_NAME, LEAD_NUMBER)
    await outside.busy()
    await back(scene, "NOAGENT")


async def test_given_a_team_that_requires_then_nobody_is_rung_before_it_holds(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    channel = await scene.qualifier_channel()
    ask = ("handoff", "start", "--qualifier", channel, "--team", "strict")
    code, _, err = await command(stage, *ask, "--qualified")
    assert code == 5 and "no consent to be called is recorded" in err
    assert not scene.agents["ana"].is_ringing
    await scene.again()
    code, _, err = await command(stage, *ask, "--qualified", "--consent")
    assert (code, err) == (0, "")
    await (await scene.agents["ana"].rings()).busy()
    await back(scene, "NOAGENT")


async def test_given_a_lead_in_the_dialplan_who_is_not_qualified_then_they_go_on_at_once_with_the_reason(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.set(stage, phones, ("ana",))
    await scene.dial("strict")
    told = await scene.told("lab-returned")
    assert (told.status, told.cause) == (
        "NOTQUALIFIED",
        "the lead was never asked and no consent to be called is recorded",
    )
    handoff = await scene.handoff("RETURNED")
    assert handoff["offers"] == [] and handoff["status"] == "NOTQUALIFIED"
    await scene.call.hang_up()


async def test_given_a_qualifier_who_asks_then_they_hear_who_is_free(stage: Stage, phones: Phones) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    code, out, _ = await command(stage, "team", "show", "tones")
    assert code == 0 and "Ana Lopez" in out and "phone not registered" in out
    await scene.presses("*7")
    # Said by a channel of ours that is gone again at the end.
    await until(
        lambda: re.search(r"<Snoop/\S+> Playing '\S+/cache/", stage.pbx.log()), 5.0, "somebody who speaks"
    )
    await scene.quinn.hang_up()
    await scene.call.ended()


# -- what phones show ------------------------------------------------------------------------------------------


async def test_given_a_consult_then_every_phone_shows_who_is_at_the_other_end(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    calls = await scene.accepted("ana", mode="consult")
    ana, quinn, lead = calls["ana"].call_id, scene.quinn.call_id, scene.call.call_id

    def shows(call: str, name: str) -> bool:
        shown = capture.traffic().shown_at(call)
        return bool(shown) and shown[-1].name == name

    assert capture.traffic().shown_at(ana)[0].name == LEAD_NAME, "while it rings"
    await until(lambda: shows(quinn, "Ana Lopez"), 5.0, "the agent on the qualifier's phone")
    await until(lambda: shows(ana, LEAD_NAME), 5.0, "the lead on the agent's phone, in the consult")
    await scene.presses("*3")
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    await until(lambda: shows(quinn, "Ana Lopez"), 5.0, "the agent on the qualifier's phone, with three")
    await until(lambda: shows(ana, LEAD_NAME), 5.0, "the lead on the agent's phone, with three")
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    await until(lambda: shows(lead, "Ana Lopez"), 5.0, "the agent on the lead's phone")
    await until(lambda: shows(ana, LEAD_NAME), 5.0, "the lead on the agent's phone")
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")
