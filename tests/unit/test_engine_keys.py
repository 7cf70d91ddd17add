"""What a qualifier asks for in a call: by feature codes, and by their phone's Transfer key. Asterisk is the simulator of
`tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrance_stage import handoffs, taken_over, whispered
from property.handoffs import AGENTS, policy
from property.live_engine import Live, live
from property.model_asterisk import HELD, LEAD, QUALIFIER, Leg

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.engine.directory import Outside, Team
from asterisk_warm.engine.entrance.codes import who_words
from asterisk_warm.engine.ports.calls import InCall, Transfer, Wish
from asterisk_warm.engine.ports.pbx import PbxRefused


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        yield stage


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


async def test_given_a_code_for_a_lead_who_may_not_be_handed_off_then_the_journal_has_it(tmp_path):
    async with live(tmp_path, require=("ready",)) as stage:
        stage.world.lead_talks_to_qualifier()
        stage.service.asked_in_call(InCall(QUALIFIER, Wish.STAY, "sales"))
        assert await whispered(stage) == "sound:spoken/the lead was never asked"
        (shown,) = await handoffs(stage)
        assert (shown.state, shown.status, shown.team) == ("RETURNED", "NOTQUALIFIED", "sales")
        assert (shown.requested_by, shown.qualifier.number) == ("feature code", "200")
        assert stage.world.lead_hears_somebody() and stage.world.lead.talks_to == QUALIFIER


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
