"""The classic attended transfer: the lead on hold, the qualifier with the agent alone; complete, three-way, swap,
take back."""

from __future__ import annotations

import pytest
from property.handoffs import LEAD
from property.history import (
    History,
    aside,
    briefing,
    consulting,
    hung_up,
    introducing,
    swapped,
    with_qualifier,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LeadIs, Line, Outcome, Playing, QualifierIs, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.wanted import still_wanted


def accepted(**settings) -> History:
    """Not together yet."""
    return introducing(**with_qualifier(Mode.CONSULT, **settings))


# -- into it -------------------------------------------------------------------------------------------------


def test_given_an_accept_then_qualifier_and_agent_are_brought_together_and_the_lead_stays_on_hold():
    history = accepted()
    assert history.handoff.state is State.CONSULTING
    assert history.commands == (co.StartConsult(1, 1001), co.HangUpAgent(2), co.HangUpAgent(3))
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (LeadIs.HELD, QualifierIs.WITH_AGENT)


def test_given_they_are_together_then_each_phone_shows_whom_it_should_once():
    history = accepted().then(ev.ConsultStarted, offer=1)
    assert history.commands == (
        co.ShowParty("agent-1", LEAD.name, LEAD.number),
        co.ShowParty("qualifier", "Ana", "ana"),
    )
    assert history.then(ev.ConsultStarted, offer=1).commands == ()


def test_given_somebody_else_is_told_to_be_consulted_then_nothing():
    assert accepted().then(ev.ConsultStarted, offer=2).commands == ()
    assert swapped().then(ev.ConsultStarted, offer=1).commands == ()


def test_given_they_cannot_be_brought_together_then_the_lead_is_back_with_the_qualifier():
    history = accepted().then(ev.CommandFailed, command="StartConsult", offer=1, error="409")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.ERROR)
    assert history.handoff.reason == "qualifier and agent could not be brought together: 409"
    assert history.kinds == ["JoinQualifier", "HangUpAgent"]


def test_given_it_takes_too_long_then_the_same():
    history = accepted().agent_hangs_up(2).agent_hangs_up(3).wait()
    assert history.handoff.state is State.RETURNING
    assert history.handoff.reason.endswith("it took too long")


def test_given_an_earlier_order_fails_late_then_nothing():
    history = swapped().then(ev.CommandFailed, command="StartConsult", offer=1, error="late")
    assert history.handoff.state is State.CONSULTING
    history = consulting().then(ev.CommandFailed, command="JoinQualifier", offer=None, error="late")
    assert history.handoff.state is State.CONSULTING


# -- the lead meanwhile --------------------------------------------------------------------------------------


def test_given_the_consult_then_the_lead_hears_music_and_comfort():
    history = consulting(comfort=20.0).agent_hangs_up(2).agent_hangs_up(3)
    assert history.wait().kinds == ["PlayComfort"]
    history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1)
    assert history.commands == (co.HoldLead("default"),)


def test_given_music_that_fails_then_it_is_tried_again():
    history = consulting().then(ev.CommandFailed, command="HoldLead", offer=None, error="no")
    assert history.handoff.comfort_at == history.at + 1.0


def test_given_the_hold_budget_is_nearly_used_up_then_the_qualifier_alone_is_warned_once():
    history = consulting(hold_seconds=60.0, warn_seconds=10.0).agent_hangs_up(2).agent_hangs_up(3)
    history.wait()
    assert history.at == history.handoff.hold_until - 10.0
    assert history.commands == (co.TellQualifier(1, (Line("lead-waits"),), talking=True),)
    history.wait()
    assert history.at == history.handoff.requested_at + 60.0
    assert history.handoff.state is State.RETURNING
    reason = "the hold budget of 60 s was used up during the consult"
    assert (history.handoff.status, history.handoff.reason) == (Status.TIMEOUT, reason)


def test_given_the_budget_was_used_up_then_the_way_back_has_its_full_time():
    history = consulting(hold_seconds=60.0, warn_seconds=0.0).agent_hangs_up(2).agent_hangs_up(3).wait()
    assert history.kinds == ["JoinQualifier", "HangUpAgent"]
    history.agent_hangs_up(1)
    assert history.decision.deadline > history.at + 10.0
    history.then(ev.QualifierJoined)
    assert history.handoff.state is State.RETURNED
    assert history.order(co.TellQualifier).media[0].text.startswith("Grant Weatherly is back with you.")


def test_given_the_qualifier_waits_aside_then_they_are_warned_too():
    history = aside(hold_seconds=20.0, warn_seconds=5.0).wait()
    assert history.commands == (co.TellQualifier(1, (Line("lead-waits"),), talking=False),)


# -- complete ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["keys", "asks"])
@pytest.mark.parametrize("told", [accepted, consulting])
def test_given_complete_then_the_agent_goes_to_the_lead_and_the_qualifier_leaves(told, how):
    history = told()
    history = history.keys("*2") if how == "keys" else history.asks(Action.COMPLETE)
    assert history.handoff.state is State.INTRODUCING
    assert history.kinds == ["JoinAgent", "ReleaseQualifier"]
    assert history.order(co.JoinAgent).introduction == ()
    history.then(ev.AgentJoined, offer=1)
    assert history.handoff.state is State.CONNECTED
    assert history.order(co.LetGo).second == "agent-1"


def test_given_the_lead_was_held_for_the_consult_then_that_is_the_gap():
    history = consulting().asks(Action.COMPLETE, later=10.0).then(ev.AgentJoined, offer=1, later=0.4)
    assert history.told()["WARM_GAP_MS"] == "17500"


def test_given_the_agent_cannot_be_joined_then_the_lead_is_held_for_the_others():
    history = consulting().asks(Action.COMPLETE)
    history.then(ev.CommandFailed, command="JoinAgent", offer=1, error="409")
    assert history.handoff.state is State.SEEKING
    assert history.kinds == ["HangUpAgent", "HoldLead"]
    assert history.offer_states()[0] == OfferState.FAILED


# -- three-way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["qualifier", "agent"])
def test_given_three_way_then_both_go_to_the_lead_and_the_qualifier_introduces(first):
    history = consulting().keys("*3")
    assert history.kinds == ["JoinAgent", "JoinQualifier"]
    joins = [(ev.QualifierJoined, {}), (ev.AgentJoined, {"offer": 1})]
    for kind, fields in joins if first == "qualifier" else reversed(joins):
        history.then(kind, **fields)
    now = history.handoff
    assert (now.state, now.lead_is, now.qualifier_is) == (
        *(State.INTRODUCING, LeadIs.WITH_AGENT),
        QualifierIs.WITH_LEAD,
    )
    history.keys("*2")
    assert history.handoff.state is State.CONNECTED


def test_given_three_way_when_the_qualifier_cannot_be_joined_then_the_two_talk_on_alone():
    history = consulting().keys("*3").then(ev.AgentJoined, offer=1)
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409")
    assert history.handoff.state is State.CONNECTED
    assert history.kinds == ["LetGo", "ReleaseQualifier"]


def test_given_three_way_when_the_qualifier_cannot_be_joined_first_then_the_agents_coming_connects():
    history = consulting().keys("*3")
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409")
    assert history.kinds == ["ReleaseQualifier"]
    assert history.then(ev.AgentJoined, offer=1).handoff.state is State.CONNECTED
    history = consulting().keys("*2")
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="late")
    assert (history.handoff.state, history.commands) == (State.INTRODUCING, ())


def test_given_three_way_when_the_agent_is_lost_on_the_way_then_qualifier_and_lead_talk_until_another_accepts():
    history = consulting().keys("*3").agent_hangs_up()
    assert (history.handoff.state, history.handoff.lead_is) == (State.SEEKING, LeadIs.WITH_QUALIFIER)
    history.then(ev.QualifierJoined, later=0.1).found("ben", "cy")
    assert history.handoff.held_since is None
    history.then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    assert history.handoff.state is State.CONSULTING
    assert history.kinds == ["StartConsult", "HoldLead", "HangUpAgent"]
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (LeadIs.HELD, QualifierIs.WITH_AGENT)


def test_given_three_way_when_both_joins_fail_then_the_qualifier_waits_aside_and_the_lead_has_music():
    history = consulting().keys("*3").then(ev.CommandFailed, command="JoinAgent", offer=1, error="409")
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409")
    assert history.kinds == ["SetAside", "HoldLead"]
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (LeadIs.HELD, QualifierIs.ASIDE)
    assert history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409").commands == (), (
        "a late one says nothing"
    )


# -- swap ----------------------------------------------------------------------------------------------------


def test_given_swap_then_the_qualifier_talks_to_the_lead_and_the_agent_hears_music():
    history = consulting().keys("*4")
    assert history.commands == (co.JoinQualifier(None), co.HoldAgent(1, "default"))
    assert history.handoff.lead_is is LeadIs.HELD, "until they are together"
    history.then(ev.QualifierJoined, later=0.1)
    now = history.handoff
    assert (now.lead_is, now.state_deadline, now.hold_until) == (
        *(LeadIs.WITH_QUALIFIER, None),
        history.at + 120.0,
    )
    before = history.handoff
    assert history.then(ev.QualifierJoined, later=5.0).handoff == before, "told twice"


def test_given_a_comfort_announcement_then_swapping_stops_it():
    history = consulting(comfort=20.0).agent_hangs_up(2).agent_hangs_up(3).wait()
    assert history.keys("*4").commands[0] == co.JoinQualifier(1)
    history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1)
    assert history.commands == ()


def test_given_swapped_when_swapped_back_then_the_lead_is_on_hold_again_with_a_budget_of_its_own():
    history = swapped().keys("*4", later=30.0)
    assert history.commands == (co.StartConsult(1, 1001, agent_waits=True), co.HoldLead("default"))
    assert history.handoff.hold_until == history.at + 120.0
    assert history.then(ev.ConsultStarted, offer=1).handoff.consulted
    history.keys("*4").then(ev.QualifierJoined)
    assert history.handoff.lead_is is LeadIs.WITH_QUALIFIER, "and so on"


def test_given_swapped_then_the_gap_does_not_grow():
    history = swapped()
    gap = history.handoff.gap_ms
    history.keys("*3", later=60.0).then(ev.AgentJoined, offer=1)
    assert history.handoff.gap_ms == gap


def test_given_swapped_for_too_long_then_the_agent_need_not_wait_any_more():
    history = swapped(hold_seconds=30.0).agent_hangs_up(2).agent_hangs_up(3).wait()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert "HangUpAgent" in history.kinds


@pytest.mark.parametrize(
    ("keys", "kinds", "lead_is"),
    [
        ("*2", ["JoinAgent", "ReleaseQualifier"], LeadIs.HELD),
        ("*3", ["JoinAgent"], LeadIs.WITH_QUALIFIER),
    ],
)
def test_given_swapped_when_completed_or_three_way_then_the_agent_comes_out_of_the_music(
    keys, kinds, lead_is
):
    history = swapped().keys(keys)
    assert history.kinds == kinds
    assert history.order(co.JoinAgent).agent_waits
    assert (history.handoff.state, history.handoff.lead_is) == (State.INTRODUCING, lead_is)
    history.then(ev.AgentJoined, offer=1)
    assert history.handoff.state is (State.CONNECTED if keys == "*2" else State.INTRODUCING)


def test_given_swapped_when_the_qualifier_cannot_be_joined_then_they_are_brought_back_all_the_same():
    history = consulting().keys("*4")
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.ERROR)
    assert history.kinds == ["JoinQualifier", "HangUpAgent"]


def test_given_swapped_then_the_music_of_the_agent_is_wanted_only_that_long():
    history = consulting().keys("*4")
    hold = history.order(co.HoldAgent)
    assert still_wanted(history.handoff, hold)
    assert not still_wanted(history.keys("*4").handoff, hold)


# -- take back -----------------------------------------------------------------------------------------------


def test_given_take_back_then_the_agent_is_let_down_and_the_lead_is_with_the_qualifier():
    history = consulting().keys("*1")
    assert history.handoff.state is State.RETURNING
    assert history.kinds == ["JoinQualifier", "HangUpAgent"]
    assert history.handoff.offer(1).state is OfferState.LOST
    history.then(ev.QualifierJoined)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TAKENBACK)
    assert history.kinds == ["LetGo"], "they know why"


def test_given_swapped_when_taken_back_then_they_are_together_already():
    history = swapped().keys("*1")
    assert history.handoff.state is State.RETURNED
    assert history.kinds == ["HangUpAgent", "LetGo"]


def test_given_take_back_races_an_accept_then_whatever_came_first():
    history = briefing(**with_qualifier(Mode.CONSULT)).keys("*1")
    history.then(ev.DigitPressed, offer=1, digit="1")
    assert (history.handoff.state, history.commands) == (State.RETURNING, ())
    assert history.handoff.offer(1).state is OfferState.LOST
    history = accepted().keys("*1")
    assert history.handoff.status is Status.TAKENBACK


def test_given_cancelled_then_the_same_with_another_reason():
    history = consulting().then(ev.CancelRequested, by="Dana")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.CANCELLED)


# -- somebody is lost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [ev.AgentHungUp, ev.AgentLeft])
def test_given_the_agent_is_gone_then_the_lead_is_back_with_the_reason(event):
    fields = hung_up() if event is ev.AgentHungUp else {"offer": 1}
    history = consulting().then(event, **fields)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.TIMEOUT)
    cause = "hung up" if event is ev.AgentHungUp else "moved to another call"
    assert history.handoff.reason == f"Ana hung up ({cause})"


@pytest.mark.parametrize("event", [ev.AgentHungUp, ev.AgentLeft])
def test_given_another_agent_is_gone_then_the_consult_goes_on(event):
    fields = hung_up(offer=2) if event is ev.AgentHungUp else {"offer": 2}
    history = consulting().then(event, **fields)
    assert (history.handoff.state, history.handoff.offer(2).leg_open) == (State.CONSULTING, False)


def test_given_the_qualifier_is_taken_away_then_the_agent_goes_to_the_lead():
    history = consulting().then(ev.QualifierLeft)
    assert (history.handoff.state, history.handoff.qualifier_is) == (State.INTRODUCING, QualifierIs.LEFT)
    assert history.kinds == ["JoinAgent"]


def test_given_the_qualifier_is_told_gone_twice_then_once():
    history = consulting().qualifier_hangs_up().then(ev.QualifierLeft)
    assert (history.handoff.state, history.handoff.qualifier_is) == (State.INTRODUCING, QualifierIs.GONE)
    assert history.commands == ()


def test_given_the_lead_is_gone_before_the_two_met_then_the_qualifier_is_told_and_goes_on_afterwards():
    history = accepted().lead_hangs_up()
    assert history.kinds == ["HangUpAgent", "SetAside", "TellQualifier", "CloseBridge"]
    history.then(ev.PlaybackEnded, what=Playing.ASIDE, number=7)
    assert history.commands == (), "something else that was said"
    history.then(ev.PlaybackEnded, what=Playing.ASIDE, number=1)
    assert history.kinds == ["ReleaseQualifier"]


def test_given_the_word_to_the_qualifier_never_ends_then_they_go_on_after_a_time():
    history = accepted().lead_hangs_up()
    for number in (1, 2, 3):
        history.agent_hangs_up(number)
    history.then(ev.BridgeClosed).wait()
    assert history.at >= history.handoff.ended_at + 12.0
    assert "ReleaseQualifier" in history.kinds


def test_given_the_lead_is_gone_and_the_two_talk_then_they_are_let_go_together():
    history = consulting().lead_hangs_up()
    assert history.order(co.LetGo) == co.LetGo("qualifier", "agent-1", ())
    assert still_wanted(history.handoff, history.order(co.LetGo))
    assert history.order(co.TellQualifier).media == (Line("lead-left"),)
    again = history.wait()
    while "LetGo" not in again.kinds:
        again.wait()
    assert "HangUpAgent" not in again.kinds
    history.then(ev.QualifierLeft).then(ev.AgentLeft, offer=1)
    assert history.kinds == ["CloseBridge"]


def test_given_the_two_talk_on_when_a_late_fact_about_the_agent_comes_then_they_are_not_hung_up():
    history = consulting().lead_hangs_up().then(ev.AgentJoined, offer=1)
    assert history.commands == ()


def test_given_nobody_is_there_any_more_then_letting_go_is_not_wanted():
    history = consulting().lead_hangs_up()
    let_go = history.order(co.LetGo)
    assert not still_wanted(history.agent_hangs_up().handoff, let_go)


def test_given_an_agent_who_declines_then_the_others_ring_on_and_the_last_one_brings_the_lead_back():
    history = aside()
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(Outcome.DECLINED, number))
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.DECLINED)
