"""A handoff that somebody asks for: of a live call, or of a channel that waits in the dialplan. Asterisk is the simulator
of `tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from entrance_stage import NUMBER, SALES, handoff_of, handoffs, refused, taken_over
from property.handoffs import FORBIDDEN, request
from property.handoffs import LEAD as SOMEBODY
from property.live_engine import Live, live
from property.model_asterisk import LEAD, PLACE, QUALIFIER, Leg

from asterisk_warm.core.handoff.model import LOST, ReturnPlace
from asterisk_warm.core.script.answers import Given, Qualification
from asterisk_warm.core.script.model import Verdict
from asterisk_warm.engine.entrance.live import begun
from asterisk_warm.engine.errors import NotAllowed, Refused
from asterisk_warm.engine.orders.places import BYE
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.ports.pbx import PbxRefused
from asterisk_warm.engine.views import HandoffView, SaidView


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        yield stage


@pytest.mark.parametrize("who", [{"channel": LEAD}, {"qualifier": QUALIFIER}])
async def test_given_either_of_the_two_then_their_call_is_taken_over(stage, who):
    shown = await stage.service.start(destination=SALES, lead_name="Zoe", mode="stay", **who)
    assert (shown.lead.channel, shown.lead.name, shown.mode) == (LEAD, "Zoe", "stay")
    assert (shown.qualifier.channel, shown.qualifier.number) == (QUALIFIER, "200")
    stage.world.handoff = shown.id
    await taken_over(stage)
    now = handoff_of(stage)
    assert now.return_to == ReturnPlace(PLACE.context, PLACE.extension, PLACE.priority)
    assert now.qualifier.return_to == BYE
    assert now.qualifier.endpoint == "PJSIP/quinn"


async def test_given_no_mode_then_the_one_for_a_call_with_a_qualifier(stage):
    assert (await stage.service.start(destination=SALES, channel=LEAD)).mode == "stay"


async def test_given_a_place_to_return_to_then_the_lead_goes_there(stage):
    shown = await stage.service.start(destination=SALES, channel=LEAD, return_to=Location("after", "1", 2))
    stage.world.handoff = shown.id
    assert handoff_of(stage).return_to == ReturnPlace("after", "1", 2)


async def test_given_a_lead_without_a_place_in_the_dialplan_then_the_teams_or_the_one_for_the_lost(tmp_path):
    async with live(tmp_path, comfort=0.0) as stage:
        # The qualifier has called the lead.
        stage.world.legs[QUALIFIER] = Leg(QUALIFIER, up=True, in_app=False, talks_to=LEAD, goes_on=True)
        stage.world.legs[LEAD] = Leg(LEAD, up=True, in_app=False, talks_to=QUALIFIER)
        stage.world.handoff = (await stage.service.start(destination=SALES, channel=LEAD)).id
        assert handoff_of(stage).return_to == LOST
        assert handoff_of(stage).qualifier.return_to == ReturnPlace("incoming", "s", 3)


async def test_given_the_request_is_not_for_one_of_them_then_invalid(stage):
    assert (await refused(stage.service.start(destination=SALES))).kind == "invalid"
    both = stage.service.start(destination=SALES, channel=LEAD, qualifier=QUALIFIER)
    assert (await refused(both)).kind == "invalid"


async def test_given_a_qualifier_who_talks_to_nobody_or_to_two_then_refused(stage):
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
    alone = await refused(stage.service.start(destination=SALES, qualifier="ch"))
    assert alone.message == 'channel "ch" is not talking to a lead'
    for name in ("a", "b", "c"):
        stage.world.legs[name] = Leg(name, up=True, bridge="conference")
    many = await refused(stage.service.start(destination=SALES, channel="a"))
    assert many.message == 'channel "a" is in a talk of more than two, or alone in one'


async def test_given_what_must_hold_does_not_then_refused_before_the_call_is_touched(tmp_path):
    async with live(tmp_path, require=("consent.call",)) as stage:
        stage.world.lead_talks_to_qualifier()
        error = await refused(stage.service.start(destination=SALES, channel=LEAD))
        assert isinstance(error, NotAllowed)
        assert (error.kind, error.status) == ("conflict", "NOCONSENT")
        assert stage.world.lead.talks_to == QUALIFIER
        await stage.service.start(destination=SALES, channel=LEAD, holds={"consent": True})
        stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
        assert isinstance(await refused(stage.service.start(destination=SALES, channel="ch")), NotAllowed)


@pytest.mark.parametrize("where", ["talks to a qualifier", "waits"])
async def test_given_a_refusal_then_the_journal_has_it_and_asterisk_is_ordered_nothing(tmp_path, where):
    async with live(tmp_path, require=("ready", "consent.call"), queue_log=True) as stage:
        stage.world.lead_talks_to_qualifier()
        stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
        who = (
            {"qualifier": QUALIFIER} if where == "talks to a qualifier" else {"channel": "ch", "mode": "auto"}
        )
        start = stage.service.start(
            destination=SALES, lead_number=NUMBER, holds={"consent": True}, requested_by="api (root)", **who
        )
        error = await refused(start)
        (shown,) = await handoffs(stage)
        assert (shown.id, shown.state, shown.settled) == (error.handoff, "RETURNED", True)
        assert (shown.status, shown.reason, shown.lead.number) == (error.status, error.message, NUMBER)
        assert (shown.qualifier is not None) == (where == "talks to a qualifier")
        assert shown.said == (SaidView("consent", True, "api (root)"),)
        (line,) = await stage.service.journal(shown.id)
        assert [order["command"] for order in line.commands] == ["Tell"], "of screens, not of Asterisk"
        assert stage.world.lead.talks_to == QUALIFIER and not stage.world.legs["ch"].in_app
        await stage.until(lambda: not stage.service.open_handoffs)


async def test_given_a_refusal_when_their_earlier_handoff_is_not_quite_over_then_its_legs_stay_its_own(
    tmp_path,
):
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        stage.world.handoff = (await stage.service.start(destination=SALES, channel=LEAD)).id
        await taken_over(stage)
        legs = stage.service.leg_of(LEAD), stage.service.leg_of(QUALIFIER)
        told = stage.engine.handoffs._open.note(
            request(
                handoff="warm-2",
                lead=replace(SOMEBODY, channel=LEAD),
                refusal=replace(FORBIDDEN, untouched=True),
            )
        )
        await begun(told)
        await stage.until(lambda: [one.id for one in stage.service.open_handoffs] == [stage.world.handoff])
        assert (stage.service.leg_of(LEAD), stage.service.leg_of(QUALIFIER)) == legs
        assert {line.event for line in await stage.service.journal(stage.world.handoff)}.isdisjoint(
            {"HandedOn"}
        )


async def test_given_a_journal_that_cannot_be_written_then_who_is_refused_is_told_all_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("asterisk_warm.engine.mailbox.JOURNAL_SECONDS", 0.0)
    monkeypatch.setattr("asterisk_warm.engine.entrance.live.BEGIN_SECONDS", 0.05)
    async with live(tmp_path, require=("ready",)) as stage:
        stage.world.lead_talks_to_qualifier()

        async def fail(_: object) -> None:
            raise JournalError("disk full")

        monkeypatch.setattr(stage.journal, "commit", fail)
        error = await refused(stage.service.start(destination=SALES, channel=LEAD))
        assert isinstance(error, NotAllowed) and error.message == "the lead was never asked"
        assert stage.world.lead.talks_to == QUALIFIER


async def test_given_a_lead_described_by_variables_then_they_are_read(stage):
    stage.world.lead.variables["WARM_LEAD_SUMMARY"] = "a loan"
    assert (await stage.service.start(destination=SALES, channel=LEAD)).lead.summary == "a loan"


async def test_given_asterisk_does_not_tell_the_variables_then_unreachable(stage, monkeypatch):
    async def refuse(_: str) -> None:
        raise PbxRefused("500")

    monkeypatch.setattr(stage.pbx, "lead_variables", refuse)
    assert (await refused(stage.service.start(destination=SALES, channel=LEAD))).kind == "unreachable"
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
    shown = await stage.service.start(destination=SALES, channel="ch", mode="auto")
    assert shown.lead.channel == "ch", "who waits in the dialplan tells it again"


@pytest.mark.parametrize("who", [{"channel": LEAD}, {"qualifier": QUALIFIER}])
async def test_given_a_call_that_ends_while_it_is_looked_at_then_it_is_said_not_to_be_there(
    stage, who, monkeypatch
):
    look = stage.pbx.lead_variables

    async def end(channel: str) -> object:
        stage.world.lead_hangs_up()
        return await look(channel)

    monkeypatch.setattr(stage.pbx, "lead_variables", end)
    error = await refused(stage.service.start(destination=SALES, **who))
    assert (error.kind, error.message) == ("not_found", f'channel "{LEAD}" has hung up')
    assert stage.service.leg_of(LEAD) is None


async def test_given_asterisk_does_not_answer_then_unreachable(stage):
    stage.pbx.connected = False
    assert (await refused(stage.service.start(destination=SALES, channel=LEAD))).kind == "unreachable"


async def test_given_a_waiting_lead_without_a_place_then_one_must_be_given(stage):
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False, talks_to=None)
    stage.pbx._party = lambda channel, party=stage.pbx._party: party(channel).__class__(  # type: ignore[misc]
        channel, "", "", "", None
    )
    assert (await refused(stage.service.start(destination=SALES, channel="ch"))).remedy == "give `return_to`"


async def test_given_the_journal_does_not_take_it_then_unreachable(stage, monkeypatch):
    monkeypatch.setattr("asterisk_warm.engine.entrance.live.BEGIN_SECONDS", 0.01)
    monkeypatch.setattr("asterisk_warm.engine.entrance.requests.FETCH_SECONDS", 0.01)

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(stage.journal, "commit", hang)
    error = await refused(stage.service.start(destination=SALES, channel=LEAD))
    assert error.message == "it was not written to the journal within 0.01 s"
    stage.world.legs["ch"] = Leg("ch", up=True, in_app=False)
    error = await refused(stage.service.start(destination=SALES, channel="ch", mode="auto"))
    assert error.kind == "unreachable"


async def test_given_the_teams_then_who_is_free(stage):
    stage.devices.set("PJSIP/ben", "INUSE")
    (team,) = await stage.engine.agents.teams()
    assert (team.id, team.free) == ("sales", 2)
    assert [(agent.id, agent.free, agent.why) for agent in team.agents] == [
        ("ana", True, ""),
        ("ben", False, "in a call"),
        ("cy", True, ""),
    ]


async def test_given_two_who_hand_off_the_same_call_at_once_then_one_of_them_is_refused(stage):
    start = [stage.service.start(destination=SALES, channel=LEAD, lead_number=NUMBER) for _ in range(2)]
    both = await asyncio.gather(*start, return_exceptions=True)
    (refused_one,) = [one for one in both if isinstance(one, Refused)]
    (taken,) = [one for one in both if isinstance(one, HandoffView)]
    assert refused_one.message == f"this call is in handoff {taken.id} already"
    assert [one.id for one in await handoffs(stage)] == [taken.id]


async def test_given_a_qualification_in_the_request_then_it_counts(stage):
    kept = Qualification(
        "qual-1",
        "dialler",
        0,
        "",
        "",
        time.time(),
        time.time(),
        ended_at=time.time(),
        given=Given(80.0, Verdict.READY, "hot", "wants a loan", "api (crm)"),
    )
    stage.qualifications.kept[kept.id] = replace(kept, revision=1)
    shown = await stage.service.start(
        destination=SALES, channel=LEAD, language="es", qualification="qual-1", routing={"priority": "3"}
    )
    assert (shown.lead.summary, shown.lead.score, shown.lead.language) == ("wants a loan", 80.0, "es")
