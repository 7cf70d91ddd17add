"""What can be asked of the engine, and what it refuses. Asterisk is the simulator of
`tests/property/model_asterisk.py`; the journal is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from property.live_engine import Live, live
from property.model_asterisk import LEAD, Leg

from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import PbxError, PbxRefused

SALES = Destination(team="sales")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        yield stage


async def refused(work) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


async def offered(stage: Live) -> str:
    stage.world.lead_calls()
    handoff = stage.enter()
    await stage.until_rung()
    return handoff


# -- start ---------------------------------------------------------------------------------------------------


async def test_given_a_channel_in_the_dialplan_then_it_is_fetched_and_returns_after_the_step_it_was_in(stage):
    stage.world.legs[LEAD] = Leg(LEAD, up=True, in_app=False)
    shown = await stage.service.start(
        channel=LEAD,
        destination=SALES,
        mode="auto",
        lead_name="Zoe",
        summary="a loan",
        details={"city": "Bonn"},
    )
    assert (shown.lead.name, shown.lead.summary, shown.lead.details) == ("Zoe", "a loan", {"city": "Bonn"})
    assert shown.requested_by == "api"
    await stage.until_rung()
    await stage.service.cancel(shown.id, "Dana")
    await stage.until_settled()
    assert stage.world.sent_on == [Location("incoming", "s", 3)]


async def test_given_a_place_to_return_to_then_the_lead_goes_there(stage):
    stage.world.legs[LEAD] = Leg(LEAD, up=True, in_app=False)
    place = Location("after", "100", 1)
    shown = await stage.service.start(channel=LEAD, destination=SALES, return_to=place)
    await stage.service.cancel(shown.id, "Dana")
    await stage.until_settled()
    assert stage.world.sent_on == [place]


async def test_given_what_cannot_be_started_then_refused_before_the_channel_is_touched(stage):
    start = stage.service.start
    assert (await refused(start(channel="ch", destination=Destination(team="nobody")))).kind == "not_found"
    assert (await refused(start(channel="ch", destination=SALES))).kind == "not_found"
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
    assert (await refused(start(channel="ch", destination=SALES, mode="loud"))).kind == "invalid"
    assert not stage.world.legs["ch"].in_app
    stage.world.legs["talking"] = Leg("talking", up=True, in_app=False, talks_to="x")
    assert (await refused(start(channel="talking", destination=SALES))).kind == "conflict"
    await offered(stage)
    error = await refused(start(channel=LEAD, destination=SALES))
    assert error.kind == "conflict"


async def test_given_asterisk_does_not_answer_then_unreachable(stage):
    stage.pbx.connected = False
    assert (await refused(stage.service.start(channel="ch", destination=SALES))).kind == "unreachable"


@pytest.mark.parametrize(
    ("how", "kind"), [("gone", "not_found"), ("no", "unreachable"), ("lost", "unreachable")]
)
async def test_given_the_fetch_fails_then_why(stage, monkeypatch, how, kind):
    monkeypatch.setattr("asterisk_warm.engine.entrance.requests.FETCH_SECONDS", 0.01)
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
    stage.pbx.entered = lambda channel, arguments: None
    if how != "lost":
        stage.pbx.at_once = False
    asked = asyncio.ensure_future(refused(stage.service.start(channel="ch", destination=SALES)))
    if how != "lost":
        for name in ("locate", "variables"):
            await stage.until(lambda name=name: [order.name for order in stage.pbx.orders] == [name])
            order = stage.pbx.orders[0]
            order.reply.set_result(order.carry_out())
        await stage.until(lambda: [order.name for order in stage.pbx.orders] == ["fetch"])
        fetch = stage.pbx.orders[0]
        if how == "gone":
            del stage.world.legs["ch"]
        try:
            fetch.carry_out(0 if how == "no" else 1)
            fetch.reply.set_exception(PbxRefused("500 no"))
        except PbxError as error:
            fetch.reply.set_exception(error)
    assert (await asked).kind == kind


# -- leads at the door ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("team", "options"), [("nobody", []), ("sales", ["ring=soon"])])
async def test_given_a_request_that_cannot_be_understood_then_the_lead_goes_on_with_the_reason(
    stage, team, options
):
    stage.world.lead_calls()
    assert stage.enter(LEAD, team, options) == ""
    await stage.until(lambda: not stage.world.lead.in_app)
    assert stage.world.lead.variables["WARM_STATUS"] == "ERROR"
    assert stage.world.lead.variables["WARM_CAUSE"]


async def test_given_a_request_that_was_given_up_then_the_fetched_lead_goes_on(stage):
    stage.world.lead_calls()
    stage.enter(LEAD, "sales", ["ticket=long-gone"])
    await stage.until(lambda: not stage.world.lead.in_app)


async def test_given_a_lead_who_waits_without_a_handoff_then_they_are_taken_up(stage):
    """They came in, and the daemon died before it was in the journal."""
    stage.world.lead_calls()
    await stage.service.recover()
    stage.world.handoff = stage.service.leg_of(LEAD)[0]
    await stage.until_rung()


async def test_given_a_lead_told_twice_then_one_handoff(stage):
    handoff = await offered(stage)
    assert stage.enter() == handoff
    assert len(await stage.service.list(open_only=True, limit=10)) == 1


async def test_given_an_event_of_an_unknown_handoff_then_nothing_happens(stage):
    stage.world.handoff = "warm-unknown"
    stage.world.lead_calls()
    stage.world.lead_hangs_up()
    assert (await stage.service.health()).open_handoffs == 0


# -- looking and cancelling ----------------------------------------------------------------------------------


async def test_given_an_open_handoff_then_it_is_shown_listed_and_counted(stage):
    handoff = await offered(stage)
    assert (await stage.service.show(handoff)).state == "OFFERING"
    assert [shown.id for shown in await stage.service.list(open_only=True, limit=10)] == [handoff]
    assert (await stage.service.health()).open_handoffs == 1
    assert (await stage.service.journal(handoff))[0].event == "HandoffRequested"
    assert (await stage.service.show(handoff[:12])).id == handoff
    assert (await stage.service.show(handoff[-5:])).id == handoff


async def test_given_an_ambiguous_or_unknown_id_then_refused(stage):
    await offered(stage)
    assert (await refused(stage.service.show("w"))).kind == "conflict"
    assert (await refused(stage.service.show("nothing"))).kind == "not_found"


async def test_given_cancel_then_the_lead_goes_on_and_it_cannot_be_cancelled_again(stage):
    handoff = await offered(stage)
    assert (await stage.service.cancel(handoff, "Dana")).status == "CANCELLED"
    await stage.until_settled()
    assert (await refused(stage.service.cancel(handoff, "Dana"))).kind == "conflict"
    assert (await stage.service.show(handoff)).reason == "cancelled by Dana"


async def test_given_an_agent_has_accepted_then_it_cannot_be_cancelled(stage):
    handoff = await offered(stage)
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    stage.world.agent_presses(1, "1")
    await stage.until_heard(Playing.INTRODUCTION)
    assert (await refused(stage.service.cancel(handoff, "Dana"))).kind == "conflict"


async def test_given_the_lead_hangs_up_in_the_moment_it_is_cancelled_then_that_is_said(stage):
    handoff = await offered(stage)
    stage.world.lead_hangs_up()
    assert (await refused(stage.service.cancel(handoff, "Dana"))).kind == "conflict"
