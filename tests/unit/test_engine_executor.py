"""An order whose leg has gone meanwhile is a fact about that leg; what Asterisk refuses is a failed order; what is
not wanted any more is nothing. Asterisk is the simulator of `tests/property/model_asterisk.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from property.handoffs import AGENTS
from property.history import (
    History,
    aside,
    at_phone,
    briefing,
    connected,
    consulting,
    introducing,
    left,
    offering,
    recalling,
    returned,
    staying,
    swapped,
    three_way,
    with_qualifier,
)
from property.model_asterisk import HELD, LEAD, QUALIFIER, Leg, ModelPbx, World

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.model import Handoff, Line, Outcome, Playing, ReturnPlace
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.engine.executor import Executor, legs
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import EndpointUnreachable, LegGone, PbxRefused

ANA = "warm-1-agent-1"
QUINN = "warm-1-agent-4"


class Stage:
    def __init__(self, *channels: str) -> None:
        self.world = World(lambda handoff, event: None, time.time)
        self.world.legs = {name: Leg(name, up=True) for name in channels}
        self.world.bridges = {"warm-1-bridge", "warm-1-consult"}
        self.pbx = ModelPbx(self.world, at_once=True)
        self.executor = Executor(self.pbx, self.pbx, speech_seconds=1.0, reachable=self.reachable)

    async def reachable(self) -> None: ...

    async def run(self, history: History, command: co.Command) -> Any:
        return await self.executor.run(lambda: history.handoff, command)


def requested() -> History:
    return History(**with_qualifier(Mode.STAY))


def fetching() -> History:
    history = left().asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    return history.then(ev.DigitPressed, offer=4, digit="1")


def over() -> History:
    return aside().lead_hangs_up()


def comforted() -> History:
    history = offering()
    return history.then(ev.DeadlinePassed, later=21.0)


GONE: list[tuple[Callable[[], History], co.Command, list[str], type[ev.Event] | None]] = [
    (History, co.SecureLead("", ()), [], ev.LeadHungUp),
    (requested, co.TakeOver("qualifier", ()), [QUALIFIER], ev.LeadHungUp),
    (requested, co.TakeOver("qualifier", ()), [LEAD], ev.QualifierHungUp),
    (lambda: requested().qualifier_hangs_up(), co.SecureLead("", ()), [], ev.LeadHungUp),
    (offering, co.HoldLead("", stop_introduction=1), [], ev.LeadHungUp),
    (comforted, co.PlayComfort(1, (Line("comfort"),)), [], ev.LeadHungUp),
    (lambda: offering().then(ev.CancelRequested, by="x"), co.ReturnLead((), None, 1), [], ev.LeadHungUp),
    (aside, co.SetAside(), [LEAD], ev.QualifierHungUp),
    (returned, co.JoinQualifier(1), [LEAD], ev.QualifierHungUp),
    (returned, co.JoinQualifier(None), [QUALIFIER], ev.LeadHungUp),
    (consulting, co.StartConsult(1, 1001), [LEAD, ANA], ev.QualifierHungUp),
    (consulting, co.StartConsult(1, None), [LEAD, QUALIFIER], ev.AgentHungUp),
    (swapped, co.HoldAgent(1, ""), [LEAD, QUALIFIER], ev.AgentHungUp),
    (lambda: staying().lead_hangs_up(), co.ReleaseQualifier(), [], ev.QualifierHungUp),
    (over, co.TellQualifier(1, (Line("lead-left"),), talking=False), [], ev.PlaybackEnded),
    (three_way, co.TellQualifier(1, (Line("beep"),), talking=True), [LEAD], ev.PlaybackEnded),
    (staying, co.TellPhone(Progress.TRYING), [], None),
    (three_way, co.ShowParty("qualifier", "", ""), [LEAD], None),
    (staying, co.LogQueue("sales", "ENTERQUEUE", "NONE", ""), [], None),
    (briefing, co.PlayToAgent(1, Playing.BRIEFING, 1001, (), stop=1001), [LEAD], ev.AgentHungUp),
    (briefing, co.HangUpAgent(1), [LEAD], ev.AgentHungUp),
    (introducing, co.JoinAgent(1, (), 1, 1001, 1), [LEAD], ev.CommandFailed),
    (left, co.LetGo("lead", "agent-1", ()), [], None),
]


@pytest.mark.parametrize(
    ("told", "command", "there", "outcome"), GONE, ids=[type(row[1]).__name__ for row in GONE]
)
async def test_given_a_leg_that_is_gone_then_that_is_the_outcome(told, command, there, outcome):
    history = told()
    event = await Stage(*there).run(history, command)
    assert type(event) is (outcome or type(None))
    if event is not None:
        history.take(event)


async def test_given_a_take_over_then_who_is_brought_where_and_who_is_dropped():
    stage = Stage()
    stage.world.lead_talks_to_qualifier()
    variables = (("WARM_ID", "warm-1"),)
    event = await stage.run(requested(), co.TakeOver("qualifier", variables))
    assert isinstance(event, ev.LeadSecured)
    assert stage.world.together(stage.world.lead, stage.world.qualifier)
    assert stage.world.lead.variables == {"WARM_ID": "warm-1"}
    stage = Stage()
    stage.world.qualifier_holds_the_lead_and_calls()
    assert isinstance(await stage.run(at_phone(), co.TakeOver("", ())), ev.LeadSecured)
    assert HELD not in stage.world.legs and stage.world.phone_told == [Progress.ANSWERED]
    stage = Stage(LEAD, ANA, QUINN)
    stage.world.pair(LEAD, ANA)
    assert isinstance(await stage.run(fetching(), co.TakeOver("agent-1", ())), ev.LeadSecured)
    assert stage.world.lead.bridge == "warm-1-bridge2", "the first one was closed"


async def test_given_a_lead_whose_qualifier_hung_up_then_they_come_alone_from_wherever_they_are():
    told = requested().qualifier_hangs_up()
    for in_app in (False, True):
        stage = Stage(LEAD)
        stage.world.lead.in_app = in_app
        assert isinstance(await stage.run(told, co.SecureLead("", (("WARM_ID", "warm-1"),))), ev.LeadSecured)
        lead = stage.world.lead
        assert lead.in_app and lead.bridge == "warm-1-bridge" and lead.music
        assert lead.variables == {"WARM_ID": "warm-1"}


async def test_given_a_take_over_that_asterisk_refuses_then_it_is_told_who_is_gone(monkeypatch):
    async def refuse(*_: object, **__: object) -> None:
        raise PbxRefused("422 not in the application")

    for there, outcome in (
        ([LEAD], ev.QualifierHungUp),
        ([QUALIFIER], ev.LeadHungUp),
        ([LEAD, QUALIFIER], ev.CommandFailed),
    ):
        stage = Stage(*there)
        monkeypatch.setattr(stage.pbx, "take_over", refuse)
        assert isinstance(await stage.run(requested(), co.TakeOver("qualifier", ())), outcome)


async def test_given_the_phone_has_ended_the_call_in_which_it_held_the_lead_then_the_lead_has_left(
    monkeypatch,
):
    async def refuse(*_: object, **__: object) -> None:
        raise PbxRefused("they do not talk to each other")

    stage = Stage(LEAD)
    monkeypatch.setattr(stage.pbx, "take_over", refuse)
    assert isinstance(await stage.run(at_phone().keys("*2"), co.TakeOver("", ())), ev.LeadLeft)


@pytest.mark.parametrize(
    ("place", "told"), [(None, {}), (ReturnPlace("after", "s", 2), {"WARM_RETURN": "after,s,2"})]
)
async def test_given_a_pair_that_is_let_go_then_the_lead_knows_where_to_go_on(place, told):
    stage = Stage(LEAD, ANA)
    await stage.run(connected(return_to=place), co.LetGo("lead", "agent-1", ()))
    assert stage.world.lead.variables == told and stage.world.lead.talks_to == ANA


async def test_given_another_channel_since_the_order_then_it_goes_where_that_one_can_go_on():
    ended = offering().then(ev.CancelRequested, by="x")
    order = ended.order(co.ReturnLead)
    ended.then(ev.ChannelReplaced, leg="lead", channel="new")
    stage = Stage("new")
    assert order.to is None
    await stage.run(ended, order)
    assert stage.world.sent_on == [Location("warm-lost", "s", 1)]


async def test_given_what_is_not_wanted_any_more_then_nothing():
    stage = Stage(LEAD, QUALIFIER)
    assert await stage.run(staying(), co.SetAside()) is None
    assert not stage.world.qualifier.ringback


async def test_given_asterisk_refuses_then_the_order_has_failed():
    event = await Stage(LEAD, QUALIFIER, ANA).run(introducing(), co.JoinAgent(9, (), 1, None, None))
    assert event is None, "nobody has accepted that offer"
    stage = Stage(LEAD, ANA)
    stage.world.bridges.clear()
    event = await stage.run(introducing(), co.JoinAgent(1, (), 1, None, None))
    assert (event.command, event.offer, event.error) == ("JoinAgent", 1, "no bridge warm-1-bridge")


async def test_given_an_offer_that_ends_while_the_order_to_ring_is_repeated_then_nobody_is_left_ringing():
    history, stage = offering(), Stage(LEAD)

    def now() -> Handoff:
        """As the order is begun; and then the agent has refused."""
        told, ended = history.handoff, history.handoff.offer(1)
        if ended is not None and ended.leg_open:
            history.then(ev.AgentHungUp, offer=1, outcome=Outcome.DECLINED, cause="no")
        return told

    assert await stage.executor.run(now, co.RingAgent(1, AGENTS[0], "", "", 5.0)) is None
    assert ANA not in stage.world.legs


@pytest.mark.parametrize(
    ("error", "outcome"), [(LegGone("ended"), None), (EndpointUnreachable("not registered"), ev.AgentHungUp)]
)
async def test_given_a_phone_that_cannot_be_rung_then_it_is_unreachable(error, outcome, monkeypatch):
    async def fail(*_: object) -> None:
        raise error

    stage = Stage(LEAD)
    monkeypatch.setattr(stage.pbx, "ring", fail)
    event = await stage.run(offering(), co.RingAgent(1, AGENTS[0], "", "", 5.0))
    assert type(event) is (outcome or type(None))
    if event is not None:
        assert (event.outcome, event.cause) == (Outcome.UNREACHABLE, "not registered")


async def test_given_speech_that_takes_too_long_then_prompts_serve(monkeypatch):
    async def slowly(*_: object) -> None:
        raise TimeoutError

    stage = Stage()
    monkeypatch.setattr(stage.pbx, "prepare", slowly)
    event = await stage.run(History(), co.PrepareSpeech((Line("briefing", "x"),)))
    assert event.fallback == "not ready within 1 s"


async def test_given_the_end_then_both_bridges_of_a_handoff_with_a_qualifier_are_closed():
    stage = Stage()
    assert isinstance(await stage.run(over(), co.CloseBridge()), ev.BridgeClosed)
    assert stage.world.bridges == set()
    stage = Stage()
    await stage.run(offering().lead_hangs_up(), co.CloseBridge())
    assert stage.world.bridges == {"warm-1-consult"}


async def test_given_a_check_then_what_asterisk_has():
    event = await Stage(LEAD, QUALIFIER).run(staying(), co.CheckLegs())
    assert (event.after_outage, event.lead_present, event.qualifier_present) == (False, True, True)


@pytest.mark.parametrize(
    ("command", "about"),
    [
        (co.JoinAgent(1, (), 1, None, None), ("lead", "agent-1")),
        (co.StartConsult(1, None), ("qualifier", "agent-1")),
        (co.LetGo("qualifier", "agent-1", ()), ("qualifier", "agent-1")),
        (co.TakeOver("", ()), ("lead", "qualifier")),
        (co.TakeOver("agent-1", ()), ("lead", "agent-1")),
        (co.JoinQualifier(None), ("lead", "qualifier")),
        (co.TellQualifier(1, (), talking=True), ("aside",)),
        (co.TellQualifier(1, (), talking=False), ("qualifier",)),
        (co.SetAside(), ("qualifier",)),
        (co.HoldAgent(2, ""), ("agent-2",)),
        (co.ShowParty("lead", "", ""), ("lead",)),
        (co.CheckLegs(), ("lead", "qualifier")),
        (co.LogQueue("", "", "", ""), ()),
        (co.HoldLead(""), ("lead",)),
    ],
)
def test_given_an_order_then_the_legs_it_is_about(command, about):
    assert legs(command) == about


async def test_given_the_qualifier_is_rung_then_what_their_phone_shows():
    history = recalling()
    (ring,) = history.commands
    stage = Stage(LEAD)
    assert await stage.run(history, ring) is None
    assert stage.world.shown[QUINN].name == "Grant Weatherly"


async def test_given_a_refusal_when_somebody_is_looked_for_then_the_order_has_failed(monkeypatch):
    async def refuse(_: str) -> None:
        raise PbxRefused("500")

    stage = Stage(LEAD)
    monkeypatch.setattr(stage.pbx, "locate", refuse)
    event = await stage.run(returned(), co.JoinQualifier(None))
    assert (type(event), event.error) == (ev.CommandFailed, "500")
