"""The lead is on hold at the qualifier's own phone, who consults in a second call: they are ours only when it is
completed."""

from __future__ import annotations

import pytest
from property.handoffs import ON_HOLD, QUINN
from property.history import History, at_phone, consulting_at_phone, hung_up, with_qualifier

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.model import LeadIs, Line, Outcome, Playing, QualifierIs, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.wanted import still_wanted

FETCH = co.TakeOver("", ())


def test_given_the_second_call_then_nothing_is_taken_in_hand_and_the_qualifier_waits_aside():
    history = History(**with_qualifier(Mode.CONSULT, ON_HOLD))
    assert history.kinds == ["SetAside", "PrepareSpeech"]
    now = history.handoff
    assert (now.state, now.lead_is, now.qualifier_is) == (State.SEEKING, LeadIs.AT_PHONE, QualifierIs.ASIDE)
    assert history.decision.deadline == history.at + 105.0, "the warning"


def test_given_the_budget_runs_out_then_the_qualifier_is_warned_and_then_told():
    history = at_phone(hold_seconds=20.0).wait()
    assert history.commands == (co.TellQualifier(1, (Line("lead-waits"),), talking=False),)
    history.wait()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert history.handoff.lead_is is LeadIs.LEFT
    assert history.kinds == [*["HangUpAgent"] * 3, "TellQualifier", "CloseBridge"]


def test_given_an_accept_then_the_two_talk_while_the_phone_holds_the_lead():
    history = consulting_at_phone()
    now = history.handoff
    assert (now.state, now.lead_is) == (State.CONSULTING, LeadIs.AT_PHONE)
    assert now.gap_ms is None, "nobody is with the lead"


@pytest.mark.parametrize("keys", ["*2", "*3"])
def test_given_it_is_completed_then_the_lead_is_fetched_and_then_joined(keys):
    history = consulting_at_phone().keys(keys)
    second = "ReleaseQualifier" if keys == "*2" else "JoinQualifier"
    assert history.kinds == ["TakeOver", "JoinAgent", second]
    assert history.commands[0] == FETCH and still_wanted(history.handoff, FETCH)
    now = history.handoff
    assert (now.state, now.lead_is, now.fetching) == (State.INTRODUCING, LeadIs.HELD, True)
    history.then(ev.LeadSecured)
    assert (history.handoff.fetching, history.commands) == (False, ())
    history.then(ev.AgentJoined, offer=1)
    assert history.handoff.state is (State.CONNECTED if keys == "*2" else State.INTRODUCING)
    assert history.handoff.held_since is None


def test_given_the_lead_cannot_be_fetched_then_it_has_failed_and_everybody_goes_on():
    history = consulting_at_phone().keys("*2")
    history.then(ev.CommandFailed, command="TakeOver", offer=None, error="no")
    assert (history.handoff.state, history.handoff.status) == (State.FAILED, Status.ERROR)
    assert history.handoff.reason == "the lead could not be fetched from the qualifier's phone: no"
    assert history.kinds == ["ReturnLead", "HangUpAgent"]


def test_given_the_lead_came_when_an_earlier_order_fails_late_then_nothing():
    history = consulting_at_phone().keys("*2").then(ev.LeadSecured)
    history.then(ev.CommandFailed, command="TakeOver", offer=None, error="late")
    assert (history.handoff.state, history.commands) == (State.INTRODUCING, ())


def test_given_swap_then_the_phone_does_that_itself():
    history = consulting_at_phone()
    assert refusal(history.handoff, Action.SWAP, history.at) == (
        "the lead is on hold at the qualifier's own phone: swap there"
    )
    assert history.keys("*4").commands == ()


@pytest.mark.parametrize("told", [at_phone, consulting_at_phone])
def test_given_take_back_then_the_second_call_ends_and_the_phone_has_the_lead(told):
    history = told().keys("*1")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TAKENBACK)
    assert history.handoff.lead_is is LeadIs.LEFT
    assert "ReleaseQualifier" in history.kinds and "TellQualifier" not in history.kinds
    assert "TakeOver" not in history.kinds


def test_given_nobody_takes_the_lead_then_the_qualifier_is_told_and_then_goes_on():
    history = at_phone()
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, number))
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    (tell, close) = history.commands
    assert tell.media[0].text == (
        "Grant Weatherly is back with you. Ana was busy; Ben was busy; Cy was busy."
    )
    assert (tell.talking, close) == (False, co.CloseBridge())
    history.then(ev.PlaybackEnded, what=Playing.ASIDE, number=1)
    assert history.kinds == ["ReleaseQualifier"]
    assert history.then(ev.QualifierLeft).then(ev.BridgeClosed).handoff.settled


def test_given_the_qualifier_leaves_before_anyone_accepted_then_the_lead_is_fetched_and_held():
    history = at_phone().keys("*2")
    assert history.kinds == ["TakeOver", "HoldLead", "ReleaseQualifier"]
    now = history.handoff
    assert (now.lead_is, now.hold_until) == (LeadIs.HELD, history.at + 120.0)
    assert history.then(ev.LeadSecured).commands == ()
    history.then(ev.AgentAnswered, offer=1).then(ev.DigitPressed, offer=1, digit="1")
    assert history.kinds[0] == "JoinAgent"


def test_given_the_qualifier_leaves_and_the_lead_cannot_be_fetched_then_it_has_failed():
    history = at_phone().keys("*2")
    history.then(ev.CommandFailed, command="TakeOver", offer=None, error="no")
    assert (history.handoff.state, history.handoff.reason) == (
        *(State.FAILED,),
        "the call could not be taken over: no",
    )


def test_given_the_lead_leaves_the_phone_then_the_qualifier_is_told():
    for event, fields in ((ev.LeadHungUp, {"cause": "bye"}), (ev.LeadLeft, {})):
        history = at_phone().then(event, **fields)
        assert history.handoff.state is State.ABANDONED
        assert "TellQualifier" in history.kinds


def test_given_the_qualifier_is_taken_away_then_the_lead_stays_at_their_phone():
    history = consulting_at_phone().then(ev.QualifierLeft)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.CANCELLED)
    assert history.handoff.reason == "the qualifier hung up, and has the lead on hold at their phone"


def test_given_the_agents_are_asked_again_then_the_qualifier_waits_aside_no_more():
    history = consulting_at_phone().keys("*3").then(ev.LeadSecured).agent_hangs_up().found("ben")
    assert (history.handoff.state, history.handoff.qualifier_is) == (State.OFFERING, QualifierIs.WITH_LEAD)


def test_given_one_call_then_no_other_call_ends_with_it():
    history = History(**with_qualifier(Mode.STAY, QUINN))
    assert history.commands[0].other == "qualifier"
