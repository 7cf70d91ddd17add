"""Whole handoffs with a qualifier on the line, through the real engine and journal. Asterisk is the simulator of
`tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from property.live_engine import Live, live
from property.model_asterisk import HELD, LEAD, QUALIFIER

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.calls import AtDoor, Door, LeadAtDoor, Shown, Transfer
from asterisk_warm.engine.ports.pbx import LegGone, PbxRefused

SALES = Destination(team="sales")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        yield stage


async def begin(stage: Live, mode: str) -> None:
    """Of a live call between lead and qualifier; and the agents' phones ring."""
    stage.world.lead_talks_to_qualifier()
    shown = await stage.service.start(destination=SALES, qualifier=QUALIFIER, mode=mode)
    stage.world.handoff = shown.id
    assert (shown.qualifier.name, shown.mode) == ("Quinn", mode)
    await stage.until_rung()


async def accept(stage: Live) -> None:
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    stage.world.agent_presses(1, "1")


async def consulting(stage: Live) -> None:
    await begin(stage, "consult")
    await accept(stage)
    await stage.until(lambda: stage.world.together(stage.world.qualifier, stage.world.agents()[1]))


async def ask(stage: Live, action: Action) -> None:
    await stage.service.ask(stage.world.handoff, action, "a test")


def nothing_is_left(stage: Live) -> bool:
    inside = [leg.id for leg in stage.world.legs.values() if leg.in_app]
    return not inside and not stage.world.bridges and not stage.world.playbacks


async def settled(stage: Live) -> None:
    await stage.until(lambda: stage.service.leg_of(LEAD) is None)
    assert nothing_is_left(stage)


async def test_given_stay_then_the_lead_hears_a_human_from_start_to_end(stage):
    await begin(stage, "stay")
    world = stage.world
    assert world.lead_hears_somebody() and not world.lead.music
    await accept(stage)
    await stage.until(lambda: world.with_lead() == [1])
    assert world.whispered == [(QUALIFIER, ["sound:warm/beep"])]
    await stage.until(lambda: world.shown.get(QUALIFIER) == Shown("Ana", "ana"))
    assert world.shown["warm" + world.handoff[4:] + "-agent-1"] == Shown("Grant", "+15550100")
    world.qualifier_presses("*2")
    await stage.until(lambda: world.lead.talks_to)
    assert world.lead.variables["WARM_GAP_MS"] == "0"
    assert not world.qualifier.in_app
    world.lead_hangs_up()
    await settled(stage)
    shown = await stage.view()
    assert (shown.state, shown.status, shown.gap_ms) == ("COMPLETED", "CONNECTED", 0)


async def test_given_nobody_takes_the_lead_then_lead_and_qualifier_talk_on_and_only_they_are_told_why(stage):
    await begin(stage, "consult")
    assert stage.world.lead.music and stage.world.qualifier.ringback
    for number in (1, 2, 3):
        stage.world.agent_ends(number, Outcome.BUSY)
    await settled(stage)
    assert stage.world.lead.talks_to == QUALIFIER
    ((channel, words),) = stage.world.whispered
    assert channel == QUALIFIER
    assert words[0].startswith("sound:spoken/Grant is back with you.")
    assert (await stage.view()).state == "RETURNED"


async def test_given_no_voice_then_a_prompt_tells_the_qualifier_that_the_lead_is_back(stage):
    await begin(stage, "stay")
    stage.pbx.speech_works = False
    for number in (1, 2, 3):
        stage.world.agent_ends(number, Outcome.BUSY)
    await settled(stage)
    assert stage.world.whispered == [(QUALIFIER, ["sound:warm/returned"])]


async def test_given_consult_swap_three_way_and_complete_then_everybody_is_where_they_should_be(stage):
    await consulting(stage)
    world = stage.world
    assert world.lead.music and not world.lead_hears_somebody()
    await ask(stage, Action.SWAP)
    await stage.until(lambda: world.lead_hears_somebody() and world.agents()[1].music)
    assert not world.lead.music
    await ask(stage, Action.SWAP)
    await stage.until(lambda: world.together(world.qualifier, world.agents()[1]) and world.lead.music)
    assert not world.agents()[1].music
    await ask(stage, Action.THREE_WAY)
    await stage.until(lambda: world.together(world.lead, world.qualifier) and world.with_lead())
    await ask(stage, Action.COMPLETE)
    await stage.until(lambda: world.lead.talks_to)
    world.agent_ends(1, Outcome.HUNG_UP)
    await settled(stage)


async def test_given_the_qualifier_hangs_up_in_a_consult_then_the_agent_is_with_the_lead(stage):
    await consulting(stage)
    stage.world.qualifier_hangs_up()
    await stage.until(lambda: stage.world.lead.talks_to)
    assert (await stage.view()).state == "CONNECTED"


async def test_given_the_lead_hangs_up_in_a_consult_then_the_two_talk_on_without_us(stage):
    await consulting(stage)
    stage.world.lead_hangs_up()
    await settled(stage)
    assert stage.world.qualifier.talks_to
    assert stage.world.whispered[-1] == (QUALIFIER, ["sound:warm/lead-left"])


async def test_given_the_lead_is_taken_back_after_completion_then_the_phone_rings_and_they_talk_again(stage):
    await begin(stage, "stay")
    await accept(stage)
    await stage.until(lambda: stage.world.with_lead() == [1])
    stage.world.qualifier_presses("*2")
    await stage.until(lambda: stage.world.lead.talks_to)
    stage.world.qualifier_hangs_up()
    await ask(stage, Action.TAKE_BACK)
    await stage.until(lambda: 4 in stage.world.agents() and stage.world.agents()[4].dialed)
    stage.world.agent_answers(4)
    await stage.until_heard(Playing.BRIEFING)
    stage.world.agent_presses(4, "1")
    await settled(stage)
    assert stage.world.lead.talks_to == stage.world.agents()[4].id
    assert list(stage.world.agents()) == [4]
    assert (await stage.view()).status == "TAKENBACK"


async def test_given_an_action_that_is_not_possible_now_then_refused_with_why(stage):
    await begin(stage, "stay")
    with pytest.raises(Refused) as refused:
        await ask(stage, Action.SWAP)
    assert refused.value.kind == "conflict"
    assert refused.value.message.endswith(": swap is not possible in the state OFFERING")
    stage.world.lead_hangs_up()
    await stage.until_state("ABANDONED")
    with pytest.raises(Refused) as refused:
        await ask(stage, Action.TAKE_BACK)
    assert refused.value.message.endswith("has ended already")


@pytest.mark.parametrize("done", range(6))
@pytest.mark.parametrize("told", [True, False])
async def test_given_the_qualifier_hangs_up_while_the_call_is_taken_over_then_the_lead_is_held(
    stage, done, told
):
    """When so much of it is done; and whether Asterisk tells of it, or only refuses the rest."""
    stage.world.lead_talks_to_qualifier()
    stage.pbx.at_once = False
    asked = asyncio.ensure_future(stage.service.start(destination=SALES, qualifier=QUALIFIER, mode="stay"))
    for name in ("locate", "variables"):
        await stage.until(lambda name=name: [order.name for order in stage.pbx.orders] == [name])
        stage.pbx.orders[0].reply.set_result(stage.pbx.orders[0].carry_out())
    stage.world.handoff = (await asked).id
    name = f"take over {LEAD}"
    await stage.until(lambda: name in [order.name for order in stage.pbx.orders])
    stage.pbx.at_once = True
    for order in list(stage.pbx.orders):
        if order.name != name:
            order.reply.set_result(order.carry_out())
    (take_over,) = [order for order in stage.pbx.orders if order.name == name]
    take_over.carry_out(done)
    if told or done == len(take_over.stages):
        stage.world.qualifier_hangs_up()
    else:
        del stage.world.legs[QUALIFIER]
    take_over.stages = take_over.stages[done:]
    if take_over.stages:
        with pytest.raises(LegGone) as gone:
            take_over.carry_out()
        take_over.reply.set_exception(gone.value)
    else:
        take_over.reply.set_result(None)
    await stage.until_rung()
    lead = stage.world.lead
    await stage.until(lambda: lead.music)
    assert lead.in_app and lead.bridge is not None
    shown = await stage.view()
    assert (shown.state, shown.qualifier.place) == ("OFFERING", "gone")


async def test_given_the_qualifier_is_gone_when_they_should_have_the_lead_then_their_phone_rings(stage):
    await begin(stage, "consult")
    stage.pbx.at_once = False
    for number in (1, 2, 3):
        stage.world.agent_ends(number, Outcome.BUSY)
    await stage.until(lambda: [order.name for order in stage.pbx.orders] == [f"join {QUALIFIER}"])
    (join,) = stage.pbx.orders
    stage.pbx.at_once = True
    del stage.world.legs[QUALIFIER]
    with pytest.raises(Exception) as gone:
        join.carry_out()
    join.reply.set_exception(gone.value)
    await stage.until(lambda: 4 in stage.world.agents())
    assert (await stage.view()).state == "RETURNING"


@pytest.mark.parametrize("who", ["qualifier", "agent"])
async def test_given_somebody_is_gone_when_the_consult_should_begin_then_as_if_they_were_told_gone(
    stage, who
):
    await begin(stage, "consult")
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    stage.pbx.at_once = False
    stage.world.agent_presses(1, "1")
    name = f"consult {QUALIFIER}"
    await stage.until(lambda: name in [order.name for order in stage.pbx.orders])
    consult = next(order for order in stage.pbx.orders if order.name == name)
    stage.pbx.at_once = True
    del stage.world.legs[QUALIFIER if who == "qualifier" else stage.world.agents()[1].id]
    with pytest.raises(Exception) as gone:
        consult.carry_out()
    consult.reply.set_exception(gone.value)
    if who == "qualifier":
        await stage.until(lambda: stage.world.lead.talks_to)
    else:
        await stage.until(lambda: stage.world.lead.talks_to == QUALIFIER)


async def test_given_the_lead_hung_up_when_they_should_be_back_then_it_is_over(stage):
    await begin(stage, "consult")
    stage.pbx.at_once = False
    for number in (1, 2, 3):
        stage.world.agent_ends(number, Outcome.BUSY)
    await stage.until(lambda: stage.pbx.orders)
    (join,) = stage.pbx.orders
    stage.pbx.at_once = True
    del stage.world.legs[LEAD]
    with pytest.raises(Exception) as gone:
        join.carry_out()
    join.reply.set_exception(gone.value)
    await stage.until_state("ABANDONED")


async def test_given_what_a_qualifier_is_told_cannot_be_played_then_they_go_on_all_the_same(
    stage, monkeypatch
):
    async def refuse(*_: object) -> None:
        raise PbxRefused("no such sound")

    await begin(stage, "consult")
    monkeypatch.setattr(stage.pbx, "play", refuse)
    stage.world.lead_hangs_up()
    await settled(stage)


# -- the lead on hold at the qualifier's own phone -----------------------------------------------------------


async def second_call(stage: Live) -> None:
    stage.world.qualifier_holds_the_lead_and_calls()
    at_door = LeadAtDoor(QUALIFIER, "Quinn", "200", {})
    stage.service.entered(AtDoor(at_door, "sales", [], Door.CONSULT))
    await stage.until(lambda: stage.service.leg_of(LEAD))
    stage.world.handoff = stage.service.leg_of(LEAD)[0]
    await stage.until_rung()
    await accept(stage)
    await stage.until(lambda: stage.world.together(stage.world.qualifier, stage.world.agents()[1]))


async def test_given_a_second_call_when_the_transfer_key_completes_then_the_first_call_ends_as_transferred(
    stage,
):
    await second_call(stage)
    assert stage.world.watched == {LEAD, HELD}
    stage.service.transfer_asked(Transfer(HELD, "", consult=QUALIFIER, attended=True))
    await stage.until(lambda: stage.world.lead.talks_to == stage.world.agents()[1].id)
    assert HELD not in stage.world.legs
    assert stage.world.phone_told == [Progress.ANSWERED]
    assert (await stage.view()).state == "CONNECTED"


async def test_given_a_second_call_that_cannot_be_completed_now_then_the_phone_is_told(stage):
    await second_call(stage)
    await ask(stage, Action.TAKE_BACK)
    stage.service.transfer_asked(Transfer(HELD, "", consult=QUALIFIER, attended=True))
    await stage.until(lambda: stage.world.phone_told)
    assert stage.world.phone_told == [Progress.UNAVAILABLE]
    assert stage.world.lead.talks_to == HELD


# -- restart -------------------------------------------------------------------------------------------------


async def test_given_the_engine_is_stopped_in_a_consult_then_another_goes_on_with_it(stage):
    await consulting(stage)
    await stage.stop()
    await stage.start()
    await stage.service.recover()
    stage.world.qualifier_presses("*2")
    await stage.until(lambda: stage.world.lead.talks_to)
    assert (await stage.view()).state == "CONNECTED"


async def test_given_a_channel_is_replaced_then_another_engine_knows_whose_it_is(stage):
    await begin(stage, "stay")
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    stage.world.is_replaced(stage.world.agents()[1].id)
    stage.world.is_replaced(QUALIFIER)
    new = stage.world.agents()[1].id
    await stage.until(lambda: stage.service.leg_of(new) == (stage.world.handoff, "agent-1"))
    await stage.stop()
    await stage.start()
    await stage.service.recover()
    assert stage.service.leg_of(new) == (stage.world.handoff, "agent-1")
    assert stage.service.leg_of(stage.world.qualifier.id) == (stage.world.handoff, "qualifier")
    stage.world.agent_presses(1, "1")
    await stage.until(lambda: stage.world.with_lead() == [1])


async def test_given_a_channel_that_is_none_of_ours_is_replaced_then_nothing(stage):
    stage.service.replaced("x", "y", 1.0, "e")
    assert stage.service.leg_of("y") is None


async def test_given_the_journal_fails_for_good_then_the_qualifier_goes_on_too(stage, monkeypatch):
    monkeypatch.setattr("asterisk_warm.engine.mailbox.JOURNAL_SECONDS", 0.0)
    monkeypatch.setattr("asterisk_warm.engine.mailbox.JOURNAL_RETRY_SECONDS", 0.0)
    await begin(stage, "consult")
    await stage.journal._database.close()
    stage.world.agent_answers(1)
    await stage.until(lambda: stage.service.leg_of(LEAD) is None)
    assert nothing_is_left(stage) or stage.world.bridges
    assert not stage.world.lead.in_app and not stage.world.qualifier.in_app


# -- one after the other -------------------------------------------------------------------------------------


async def test_given_a_pair_that_was_given_back_then_they_can_be_handed_off_again_at_once(stage):
    await begin(stage, "stay")
    first = stage.world.handoff
    await ask(stage, Action.TAKE_BACK)
    await settled(stage)
    shown = await stage.service.start(destination=SALES, channel=LEAD)
    assert shown.id != first
    stage.world.handoff = shown.id
    await stage.until_rung()


async def test_given_an_agent_with_a_lead_then_they_can_hand_them_on_and_the_first_handoff_is_over(stage):
    await begin(stage, "stay")
    await accept(stage)
    await stage.until(lambda: stage.world.with_lead() == [1])
    stage.world.qualifier_presses("*2")
    await stage.until(lambda: stage.world.lead.talks_to)
    first, agent = stage.world.handoff, stage.world.agents()[1].id
    shown = await stage.service.start(destination=SALES, qualifier=agent, mode="stay")
    assert (await stage.service.show(first)).reason == f"the lead is handed on in {shown.id}"
    stage.world.handoff = shown.id
    await stage.until(lambda: len(stage.world.agents()) > 1)
    assert stage.service.leg_of(agent) == (shown.id, "qualifier")


async def test_given_a_second_request_for_the_same_call_then_refused_and_nothing_is_disturbed(stage):
    await begin(stage, "stay")
    for who in ({"qualifier": QUALIFIER}, {"channel": LEAD}):
        with pytest.raises(Refused) as refused:
            await stage.service.start(destination=SALES, **who)
        assert refused.value.kind == "conflict"
        assert stage.world.handoff in refused.value.message
    assert stage.world.lead_hears_somebody()


async def test_given_a_team_that_keeps_a_queue_log_then_it_is_written(tmp_path):
    async with live(tmp_path, comfort=0.0, queue_log=True, recording="/tmp/recordings") as stage:
        await begin(stage, "stay")
        await stage.until(lambda: stage.world.queue_log)
        assert stage.world.queue_log == [("sales", "ENTERQUEUE", "NONE", "|+15550100", LEAD)]
        assert stage.world.lead.variables["WARM_RECORD"].startswith("/tmp/recordings/warm-")
