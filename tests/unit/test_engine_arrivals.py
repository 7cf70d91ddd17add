"""Who comes in through the dialplan: a second call of a phone that has a lead on hold, and leads, who are looked up.
Asterisk is the simulator of `tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrance_stage import NUMBER, handoff_of, handoffs, refused, taken_over
from property.live_engine import Live, live
from property.model_asterisk import HELD, LEAD, QUALIFIER, Leg

from asterisk_warm.core.leads import LeadRecord
from asterisk_warm.engine.ports.calls import AtDoor, Door, LeadAtDoor
from asterisk_warm.engine.ports.pbx import PbxRefused


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        yield stage


# -- a second call -------------------------------------------------------------------------------------------


def second_call(stage: Live, team: str = "sales") -> None:
    at_door = LeadAtDoor(QUALIFIER, "Quinn", "200", {})
    stage.service.entered(AtDoor(at_door, team, [], Door.CONSULT))


async def test_given_a_second_call_of_the_phone_then_a_consult_with_the_lead_on_hold(stage):
    stage.world.qualifier_holds_the_lead_and_calls()
    second_call(stage)
    shown = await taken_over(stage)
    assert (shown.mode, shown.lead_is, shown.qualifier.place) == ("consult", "at_phone", "aside")
    assert handoff_of(stage).qualifier.held_channel == HELD


@pytest.mark.parametrize("why", ["no other call", "no such team", "asterisk"])
async def test_given_a_second_call_that_is_none_then_it_goes_on_with_the_reason(stage, why, monkeypatch):
    stage.world.legs[QUALIFIER] = Leg(QUALIFIER, up=True)
    if why == "asterisk":

        async def refuse(_: str) -> None:
            raise PbxRefused("500")

        monkeypatch.setattr(stage.pbx, "other_call", refuse)
    second_call(stage, "nobody" if why == "no such team" else "sales")
    await stage.until(lambda: not stage.world.qualifier.in_app)
    told = {"no other call": "no other call", "no such team": 'no team "nobody"', "asterisk": "500"}[why]
    assert told in stage.world.qualifier.variables["WARM_CAUSE"]


async def test_given_a_second_call_when_something_must_hold_that_does_not_then_it_goes_on_with_the_status(
    tmp_path,
):
    async with live(tmp_path, require=("ready",)) as stage:
        stage.world.qualifier_holds_the_lead_and_calls()
        second_call(stage)
        await stage.until(lambda: not stage.world.qualifier.in_app)
        assert stage.world.qualifier.variables["WARM_STATUS"] == "NOTQUALIFIED"
        (shown,) = await handoffs(stage)
        assert (shown.state, shown.status, shown.mode) == ("RETURNED", "NOTQUALIFIED", "consult")
        assert (shown.requested_by, shown.settled, shown.lead.channel) == ("phone", True, LEAD)


async def test_given_a_lead_at_the_door_of_whom_something_must_hold_then_they_go_on_with_the_status(tmp_path):
    async with live(tmp_path, require=("consent.call",)) as stage:
        stage.world.lead_calls()
        stage.enter()
        await stage.until(lambda: not stage.world.lead.in_app)
        assert stage.world.lead.variables["WARM_STATUS"] == "NOCONSENT"
        assert stage.world.agents() == {}


# -- a lead at the door is looked up -------------------------------------------------------------------------


class SlowStore:
    """The leads' store of a stage, whose answers wait for the test."""

    def __init__(self, stage: Live) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        stage.leads.meanwhile = self._wait

    async def _wait(self, _: str) -> None:
        self.asked.set()
        await self.answers.wait()


def at_door(stage: Live, **variables: str) -> None:
    stage.world.lead_calls()
    lead = LeadAtDoor(LEAD, "WIRELESS CALLER", "(202) 555-0123", variables)
    stage.service.entered(AtDoor(lead, "sales", ()))
    leg = stage.service.leg_of(LEAD)
    assert leg is not None, "the lead is the handoff's from now on"
    stage.world.handoff = leg[0]


async def test_given_a_lead_at_the_door_then_the_agents_are_offered_them_as_they_are_known(stage):
    stage.leads.records[NUMBER] = LeadRecord(NUMBER, "Grant Weatherly", "en", (("plan", "gold"),))
    at_door(stage)
    await stage.until_rung()
    lead = (await stage.view()).lead
    assert (lead.name, lead.number, lead.details) == ("Grant Weatherly", "(202) 555-0123", {"plan": "gold"})
    (row,) = await stage.journal.of_lead(NUMBER, 5)
    assert row.id == stage.world.handoff, "the journal finds them by E.164"


async def test_given_a_lead_who_hangs_up_while_they_are_looked_up_then_nobody_rings(stage, monkeypatch):
    monkeypatch.setattr("asterisk_warm.engine.leads.known.KNOWN_SECONDS", 60.0)
    slow = SlowStore(stage)
    at_door(stage)
    await slow.asked.wait()
    error = await refused(stage.service.show(stage.world.handoff))
    assert (error.kind, error.remedy) == ("unreachable", "try again")
    assert stage.service.open_handoffs == []
    stage.world.lead_hangs_up()
    slow.answers.set()
    shown = await stage.until_settled()
    assert (shown.state, shown.status, shown.offers) == ("ABANDONED", "ABANDONED", ())
    assert not stage.world.agents() and not stage.world.bridges


async def test_given_a_lead_found_at_the_door_while_they_are_looked_up_then_there_is_one_handoff(
    stage, monkeypatch
):
    monkeypatch.setattr("asterisk_warm.engine.leads.known.KNOWN_SECONDS", 60.0)
    slow = SlowStore(stage)
    at_door(stage)
    first = stage.world.handoff
    await slow.asked.wait()
    await stage.service.recover()
    stage.service.entered(AtDoor(LeadAtDoor(LEAD, "", "(202) 555-0123", {}), "sales", ()))
    slow.answers.set()
    await stage.until_rung()
    assert [one.id for one in await handoffs(stage)] == [first]


async def test_given_a_store_that_hangs_then_the_lead_is_handed_off_as_told(stage):
    SlowStore(stage)
    at_door(stage, WARM_LEAD_NAME="Zoe")
    await stage.until_rung()
    shown = await stage.view()
    assert (shown.lead.name, shown.outcomes) == ("Zoe", None), "shown without what cannot be read"


async def test_given_the_engine_is_stopped_while_a_lead_is_looked_up_then_the_next_one_takes_them(
    stage, monkeypatch
):
    monkeypatch.setattr("asterisk_warm.engine.leads.known.KNOWN_SECONDS", 60.0)
    slow = SlowStore(stage)
    at_door(stage)
    await slow.asked.wait()
    await stage.start()
    assert await handoffs(stage) == [] and stage.service.leg_of(LEAD) is None
    slow.answers.set()
    await stage.service.recover()
    stage.world.handoff = stage.service.leg_of(LEAD)[0]
    await stage.until_rung()
