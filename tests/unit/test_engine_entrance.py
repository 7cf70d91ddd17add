"""The ways into a handoff with a qualifier: a live call by request, a feature code, a phone's Transfer key, a second
call. Asterisk is the simulator of `tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from property.handoffs import AGENTS, policy
from property.live_engine import Live, live
from property.model_asterisk import HELD, LEAD, PLACE, QUALIFIER, Leg

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.model import LOST, ReturnPlace
from asterisk_warm.core.leads import LeadRecord
from asterisk_warm.core.script.answers import Given, Qualification
from asterisk_warm.core.script.model import Verdict
from asterisk_warm.engine.directory import Destination, Outside, Team
from asterisk_warm.engine.entrance import BYE, who_words
from asterisk_warm.engine.errors import NotAllowed, Refused
from asterisk_warm.engine.ports import (
    AtDoor,
    Door,
    InCall,
    LeadAtDoor,
    Location,
    PbxRefused,
    Transfer,
    Wish,
)
from asterisk_warm.engine.views import HandoffView

SALES = Destination(team="sales")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        yield stage


async def refused(work) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


async def taken_over(stage: Live) -> HandoffView:
    """Wait until a handoff has the lead, and the agents ring."""
    await stage.until(lambda: stage.service.leg_of(LEAD))
    stage.world.handoff = stage.service.leg_of(LEAD)[0]
    await stage.until_rung()
    return await stage.view()


async def whispered(stage: Live) -> str:
    await stage.until(lambda: stage.world.whispered)
    ((channel, sounds),) = stage.world.whispered
    assert channel == QUALIFIER and not stage.world.asides
    return sounds[0]


def handoff_of(stage: Live):
    mailbox = stage.service._open.find(stage.world.handoff)
    assert mailbox is not None and mailbox.handoff is not None
    return mailbox.handoff


# -- by request ----------------------------------------------------------------------------------------------


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
    monkeypatch.setattr("asterisk_warm.engine.entrance.FETCH_SECONDS", 0.01)

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


# -- feature codes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "mode"), [(Wish.STAY, "stay"), (Wish.CONSULT, "consult"), (Wish.AUTO, "auto")]
)
async def test_given_a_feature_code_then_the_call_is_taken_over_in_that_mode(stage, wish, mode):
    stage.service.asked_in_call(InCall(QUALIFIER, wish, "sales"))
    shown = await taken_over(stage)
    assert (shown.mode, shown.requested_by) == (mode, "feature code")


async def test_given_a_code_without_a_team_then_the_one_that_the_phone_was_armed_for(stage):
    stage.world.qualifier.variables["WARM_TEAM"] = "sales"
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.STAY, ""))
    assert (await taken_over(stage)).team == "sales"


@pytest.mark.parametrize(
    ("busy", "words"),
    [
        ([], "Ana, Ben and Cy are free."),
        (["ana"], "Ben and Cy are free."),
        (["ana", "ben"], "Cy is free."),
        (["ana", "ben", "cy"], "Nobody of Sales is free."),
    ],
)
async def test_given_the_code_for_who_is_free_then_the_qualifier_alone_hears_it(stage, busy, words):
    stage.pbx.busy = {f"PJSIP/{agent}" for agent in busy}
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.WHO, "sales"))
    assert await whispered(stage) == f"sound:spoken/{words}"
    assert stage.world.lead_hears_somebody()


def test_given_agents_of_whom_nothing_is_known_then_they_are_not_said_to_be_free():
    assert who_words(Team("sales", "Sales", AGENTS, policy()), {}) == "Nobody of Sales is free."


async def test_given_a_phone_that_is_armed_then_its_transfer_key_is_watched(stage):
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.ARM, ""))
    await stage.until(lambda: stage.world.watched == {QUALIFIER})


@pytest.mark.parametrize("team", ["nobody", "sales"])
async def test_given_a_code_that_cannot_be_had_then_the_qualifier_alone_hears_why(stage, team):
    if team == "sales":
        stage.world.lead.talks_to = stage.world.qualifier.talks_to = None
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.STAY, team))
    why = 'no team "nobody"' if team == "nobody" else "there is nobody on the line to hand off"
    assert await whispered(stage) == f"sound:spoken/{why}"


async def test_given_no_voice_then_a_prompt_says_that_it_was_refused(stage):
    stage.pbx.speech_works = False
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.STAY, "nobody"))
    assert await whispered(stage) == "sound:warm/refused"


async def test_given_nobody_can_be_told_then_it_is_left_at_that(stage, monkeypatch):
    told = asyncio.Event()

    async def refuse(*_: object) -> None:
        told.set()
        raise PbxRefused("no")

    monkeypatch.setattr(stage.pbx, "tell", refuse)
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.STAY, "nobody"))
    await told.wait()
    monkeypatch.setattr(stage.pbx, "watch", refuse)
    told.clear()
    stage.service.asked_in_call(InCall(QUALIFIER, Wish.ARM, ""))
    await told.wait()


# -- the Transfer key ----------------------------------------------------------------------------------------


async def test_given_a_transfer_to_a_team_then_a_handoff_of_which_the_phone_is_told(stage):
    stage.service.transfer_asked(Transfer(QUALIFIER, "700"))
    shown = await taken_over(stage)
    assert (shown.mode, shown.requested_by, shown.team) == ("stay", "phone", "sales")
    await stage.until(lambda: stage.world.phone_told == [Progress.TRYING])


async def test_given_a_transfer_to_another_number_then_as_the_phone_could_dial_it(stage):
    stage.pbx.numbers = {"300"}
    stage.service.transfer_asked(Transfer(QUALIFIER, "300"))
    await stage.until(lambda: stage.world.transferred)
    assert stage.world.transferred == [(LEAD, QUALIFIER, "300")]
    assert stage.service.leg_of(LEAD) is None


async def test_given_a_transfer_to_nobody_then_the_lead_is_back_and_the_phone_is_told(tmp_path):
    default = Team("", "", (), policy(comfort=0.0))
    async with live(tmp_path, comfort=0.0) as stage:
        stage.directory = {"default": default}
        await stage.start()
        stage.world.lead_talks_to_qualifier()
        stage.service.transfer_asked(Transfer(QUALIFIER, "9" * 50))
        await stage.until(lambda: Progress.UNAVAILABLE in stage.world.phone_told)
        await stage.until(lambda: stage.world.lead.talks_to == QUALIFIER)


@pytest.mark.parametrize("alone", [False, True])
async def test_given_a_transfer_that_cannot_be_then_the_phone_and_the_qualifier_are_told(stage, alone):
    if alone:
        stage.world.lead.talks_to = stage.world.qualifier.talks_to = None
    stage.service.transfer_asked(Transfer(QUALIFIER, "nothing"))
    why = "there is nobody on the line to transfer" if alone else "only teams can be handed a lead here"
    assert await whispered(stage) == f"sound:spoken/{why}"
    assert stage.world.phone_told == [Progress.UNAVAILABLE]


async def test_given_an_outside_number_that_is_allowed_then_a_handoff_to_it(tmp_path):
    default = Team("", "", (), policy(comfort=0.0))
    async with live(tmp_path) as stage:
        stage.directory = {"default": default, "outside": Outside(("+1555*",), "PJSIP/{number}@trunk")}
        await stage.start()
        stage.world.lead_talks_to_qualifier()
        stage.service.transfer_asked(Transfer(QUALIFIER, "+15550123"))
        assert (await taken_over(stage)).team == "+15550123"


async def test_given_an_attended_transfer_between_two_other_calls_then_the_two_are_connected(stage):
    stage.world.legs[HELD] = Leg(HELD, up=True, in_app=False, talks_to="friend")
    stage.world.legs["friend"] = Leg("friend", up=True, in_app=False, talks_to=HELD, goes_on=True)
    stage.service.transfer_asked(Transfer(QUALIFIER, "", consult=HELD, attended=True))
    await stage.until(lambda: stage.world.lead.talks_to == "friend")
    assert QUALIFIER not in stage.world.legs and HELD not in stage.world.legs


async def test_given_an_attended_transfer_of_a_call_that_has_ended_then_the_phone_is_told(stage):
    stage.world.legs[HELD] = Leg(HELD, up=True, in_app=False)
    stage.service.transfer_asked(Transfer(QUALIFIER, "", consult=HELD, attended=True))
    assert await whispered(stage) == "sound:spoken/there is nobody in the other call"


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


async def test_given_a_lead_at_the_door_of_whom_something_must_hold_then_they_go_on_with_the_status(tmp_path):
    async with live(tmp_path, require=("consent.call",)) as stage:
        stage.world.lead_calls()
        stage.enter()
        await stage.until(lambda: not stage.world.lead.in_app)
        assert stage.world.lead.variables["WARM_STATUS"] == "NOCONSENT"
        assert stage.world.agents() == {}


# -- a lead at the door is looked up -------------------------------------------------------------------------

NUMBER = "+12025550123"


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


async def handoffs(stage: Live) -> list[HandoffView]:
    return await stage.service.list(open_only=False, limit=10)


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
    assert (await stage.view()).lead.name == "Zoe"


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
