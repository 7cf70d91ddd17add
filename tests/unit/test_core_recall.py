"""The qualifier's phone is rung: because nobody took the lead and they have hung up, or because they want the lead
back from the agent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import QUINN
from property.history import (
    History,
    blonde,
    hung_up,
    left,
    offering,
    recalling,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.model import LeadIs, Outcome, Playing, QualifierIs, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.wanted import still_wanted


def nobody(history: History) -> History:
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, later=1.0, **hung_up(Outcome.BUSY, number))
    return history


# -- nobody took the lead ------------------------------------------------------------------------------------


def test_given_nobody_took_the_lead_then_the_qualifiers_phone_rings_and_the_lead_is_held_on():
    history = recalling()
    assert history.handoff.state is State.RETURNING
    (ring,) = history.commands
    assert (ring.offer, ring.agent.endpoint, ring.agent.name, ring.seconds) == (
        4,
        "PJSIP/quinn",
        "Quinn",
        20.0,
    )
    assert (ring.name, ring.number) == ("Grant Weatherly", "+15550100")
    assert history.handoff.lead_is is LeadIs.HELD
    assert history.handoff.hold_until == history.at + 20.0 + 30.0, "whatever was left of the budget"


def test_given_the_qualifier_answers_then_they_hear_who_waits_and_why():
    history = recalling().then(ev.AgentRinging, offer=4).then(ev.AgentAnswered, offer=4)
    (briefing,) = history.commands
    assert briefing.media[0].text == (
        "Grant Weatherly is waiting for you. Ana was busy; Ben was busy; Cy was busy. "
        "Press 1 to talk to them."
    )
    assert history.then(ev.DigitPressed, offer=4, digit="3").kinds == ["PlayToAgent"], "and again"


def test_given_a_handoff_without_a_briefing_then_the_qualifier_must_press_a_key_all_the_same():
    history = offering(**with_qualifier(Mode.BLIND)).then(ev.QualifierLeft)
    nobody(history).then(ev.AgentAnswered, offer=4)
    assert history.handoff.offer(4).state is OfferState.BRIEFING


def test_given_the_qualifier_wants_the_lead_then_they_are_joined_and_let_go():
    history = recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    assert history.kinds == ["JoinAgent"]
    (join,) = history.commands
    assert (join.offer, join.introduction, join.stop_briefing) == (4, (), 4001)
    assert still_wanted(history.handoff, join)
    history.then(ev.AgentJoined, offer=4)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    (let_go,) = history.commands
    assert (let_go.first, let_go.second) == ("lead", "agent-4")
    assert still_wanted(history.handoff, let_go)
    history.then(ev.LeadLeft).then(ev.AgentLeft, offer=4)
    assert history.kinds == ["CloseBridge"]
    assert history.then(ev.BridgeClosed).handoff.settled


def test_given_they_are_not_seen_leaving_then_they_are_let_go_again_and_not_hung_up():
    history = recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    history.then(ev.AgentJoined, offer=4).wait()
    assert history.kinds == ["LetGo", "CheckLegs"]
    history.reconciled(
        after_outage=False,
        **{"lead_in_stasis": False, "lead_in_bridge": False, "agents_up": (4,), "agents_out_of_stasis": (4,)},
    )
    assert history.handoff.lead_is is LeadIs.LEFT
    assert not history.handoff.offer(4).leg_open
    assert history.then(ev.BridgeClosed).handoff.settled


@pytest.mark.parametrize("who", ["lead", "qualifier"])
def test_given_one_hangs_up_before_they_were_let_go_then_the_other_is_not_left_alone(who):
    history = recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    history.then(ev.AgentJoined, offer=4)
    if who == "lead":
        assert history.lead_hangs_up().kinds == ["HangUpAgent", "CloseBridge"]
        assert history.agent_hangs_up(4).kinds == []
    else:
        assert history.agent_hangs_up(4).kinds == ["ReturnLead"]
        assert history.then(ev.LeadLeft).kinds == ["CloseBridge"]


def test_given_the_old_leg_of_the_qualifier_ends_late_then_the_talk_is_not_touched():
    history = offering(**with_qualifier(Mode.AUTO)).then(ev.QualifierLeft)
    nobody(history).then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    history.then(ev.AgentJoined, offer=4).qualifier_hangs_up()
    assert history.commands == ()
    assert history.handoff.lead_is is LeadIs.WITH_QUALIFIER


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("declines", "Quinn declined"),
        ("rings out", "Quinn did not answer"),
        ("is busy", "Quinn was busy"),
        ("presses nothing", "Quinn answered but pressed no key"),
        ("hangs up", "Quinn hung up (hung up)"),
        ("is taken away", "Quinn hung up (moved to another call)"),
        ("cannot be rung", "Quinn could not be rung (no such phone)"),
    ],
)
def test_given_the_qualifier_does_not_take_the_lead_either_then_they_go_on_with_both_reasons(how, words):
    history = recalling()
    if how in ("declines", "presses nothing", "hangs up", "is taken away"):
        history.then(ev.AgentAnswered, offer=4)
    if how == "declines":
        history.then(ev.DigitPressed, offer=4, digit="2")
    elif how == "is busy":
        history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, 4))
    elif how == "hangs up":
        history.agent_hangs_up(4)
    elif how == "is taken away":
        history.then(ev.AgentLeft, offer=4)
    elif how == "cannot be rung":
        history.then(ev.CommandFailed, command="RingAgent", offer=4, error="no such phone")
    else:
        history.wait()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    assert history.handoff.reason == f"Ana was busy; Ben was busy; Cy was busy; {words}"
    assert "ReturnLead" in history.kinds


def test_given_the_qualifier_accepts_in_the_last_second_then_the_join_has_its_full_time():
    history = recalling().then(ev.AgentAnswered, offer=4, later=19.0)
    history.then(ev.DigitPressed, offer=4, digit="1", later=29.0)
    assert history.decision.deadline == history.at + 15.0
    history.wait()
    assert history.handoff.reason.endswith("the qualifier could not be joined (it took too long)")
    assert history.kinds == ["ReturnLead", "HangUpAgent"]


def test_given_the_qualifier_could_not_be_joined_then_the_lead_goes_on():
    history = recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    history.then(ev.CommandFailed, command="JoinAgent", offer=4, error="409")
    assert history.handoff.state is State.RETURNED
    assert history.kinds == ["ReturnLead", "HangUpAgent"]


@pytest.mark.parametrize("event", [ev.AgentHungUp, ev.AgentLeft])
def test_given_the_qualifier_accepted_and_is_gone_then_the_lead_goes_on(event):
    history = recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    history.then(event, **(hung_up(offer=4) if event is ev.AgentHungUp else {"offer": 4}))
    assert (history.handoff.state, history.kinds) == (State.RETURNED, ["ReturnLead"])
    assert history.handoff.offer(4).state is OfferState.GONE


def test_given_the_budget_of_the_recall_is_used_up_then_the_lead_goes_on():
    history = recalling()
    history.then(ev.DeadlinePassed, later=history.handoff.hold_until - history.at)
    assert history.handoff.reason.endswith("the qualifier could not be joined (the hold budget was used up)")


def test_given_the_lead_is_held_for_the_qualifier_then_comfort_goes_on():
    history = recalling(comfort=5.0)
    while "PlayComfort" not in history.kinds:
        history.wait()
    assert history.handoff.state is State.RETURNING


@pytest.mark.parametrize(
    "settings",
    [{"recall_seconds": 0.0}, {"who": replace(QUINN, endpoint="")}],
)
def test_given_no_phone_to_ring_then_the_lead_goes_on_in_the_dialplan(settings):
    history = nobody(blonde(**settings))
    assert (history.handoff.state, history.kinds) == (State.RETURNED, ["ReturnLead"])


def test_given_a_technical_failure_then_nobody_is_rung_for_it():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up()
    history.then(ev.CommandFailed, command="SecureLead", offer=None, error="500")
    assert (history.handoff.state, history.kinds) == (State.FAILED, ["ReturnLead"])


def test_given_a_nameless_qualifier_then_they_are_called_what_they_are():
    assert recalling(who=replace(QUINN, name="")).handoff.offer(4).agent.name == "the qualifier"


def test_given_cancelled_after_the_qualifier_hung_up_then_the_lead_is_offered_to_them():
    history = blonde().then(ev.CancelRequested, by="Dana")
    assert history.handoff.state is State.RETURNING
    assert history.kinds == ["RingAgent", "HangUpAgent", "HangUpAgent", "HangUpAgent"]
    assert history.handoff.reason == "cancelled by Dana"


# -- back from the agent -------------------------------------------------------------------------------------


def asked(**settings) -> History:
    return left(**settings).asks(Action.TAKE_BACK)


def answered() -> History:
    return asked().then(ev.AgentRinging, offer=4).then(ev.AgentAnswered, offer=4, later=2.0)


def fetching() -> History:
    return answered().then(ev.DigitPressed, offer=4, digit="1", later=2.0)


def test_given_the_lead_is_wanted_back_then_the_qualifiers_phone_rings_and_the_talk_is_not_touched():
    history = asked()
    (ring,) = history.commands
    assert (ring.agent.endpoint, ring.seconds) == ("PJSIP/quinn", 20.0)
    assert history.handoff.state is State.CONNECTED
    assert refusal(history.handoff, Action.TAKE_BACK, history.at) == "the qualifier is being rung already"


@pytest.mark.parametrize(
    ("settings", "later", "why"),
    [
        ({"take_back_seconds": 30.0}, 31.0, "the lead can be taken back for 30 s only"),
        ({"take_back_seconds": 0.0}, 1.0, "the lead can be taken back for 0 s only"),
        ({"who": replace(QUINN, endpoint="")}, 1.0, "it is not known where to ring the qualifier"),
        ({"take_back_seconds": 30.0}, 20.0, ""),
    ],
)
def test_given_the_window_has_passed_or_no_phone_is_known_then_why_not(settings, later, why):
    history = left(**settings)
    at = history.handoff.left_at + later
    assert refusal(history.handoff, Action.TAKE_BACK, at) == why
    history.then(ev.QualifierAsked, later=at - history.at, action=Action.TAKE_BACK, by="api")
    assert bool(history.commands) is not bool(why)


def test_given_the_qualifier_accepts_then_lead_and_agent_are_fetched_first():
    history = fetching()
    assert history.commands == (co.TakeOver("agent-1", ()),)
    assert still_wanted(history.handoff, history.commands[0])
    history.then(ev.LeadSecured)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.TAKENBACK)
    assert history.handoff.reason == "Quinn took the lead back from Ana"
    assert history.kinds == ["JoinAgent", "HangUpAgent"], "the agent goes when the qualifier comes"
    history.agent_hangs_up(1).then(ev.AgentJoined, offer=4)
    assert history.handoff.state is State.RETURNED
    (let_go,) = history.commands
    assert let_go.second == "agent-4"
    assert history.told()["WARM_STATUS"] == "TAKENBACK"


def test_given_the_lead_is_told_to_have_come_when_nobody_fetched_them_then_nothing():
    assert left().then(ev.LeadSecured).commands == ()
    assert asked().then(ev.LeadSecured).commands == ()


@pytest.mark.parametrize("how", ["fails", "takes too long"])
def test_given_the_lead_cannot_be_fetched_then_the_two_talk_on_and_the_qualifier_is_let_down(how):
    history = fetching()
    if how == "fails":
        history.then(ev.CommandFailed, command="TakeOver", offer=None, error="no")
        cause = "no"
    else:
        history.wait()
        cause = "fetching the lead took too long"
    assert history.handoff.state is State.CONNECTED
    assert history.kinds == ["HangUpAgent", "CheckLegs"]
    assert (history.handoff.offer(4).state, history.handoff.offer(4).cause) == (OfferState.FAILED, cause)
    history.agent_hangs_up(4)
    assert history.asks(Action.TAKE_BACK).kinds == ["RingAgent"], "they may try again"


@pytest.mark.parametrize("event", [ev.AgentHungUp, ev.AgentLeft])
def test_given_the_qualifier_is_gone_while_the_lead_is_fetched_then_the_two_are_let_go_again(event):
    history = fetching().then(event, **(hung_up(offer=4) if event is ev.AgentHungUp else {"offer": 4}))
    assert (history.handoff.offer(4).state, history.commands) == (OfferState.GONE, ())
    history.then(ev.LeadSecured)
    (let_go,) = history.commands
    assert (let_go.first, let_go.second) == ("lead", "agent-1")
    assert still_wanted(history.handoff, let_go)
    assert history.handoff.state is State.CONNECTED
    assert history.then(ev.LeadSecured).commands == ()


def test_given_the_agent_hangs_up_while_the_lead_is_fetched_then_the_lead_is_sent_on_if_they_came():
    history = fetching().agent_hangs_up(1)
    assert (history.handoff.state, history.handoff.lead_is) == (State.COMPLETED, LeadIs.HELD)
    assert history.kinds == ["ReturnLead", "HangUpAgent"]


@pytest.mark.parametrize("how", ["declines", "rings out", "hangs up"])
def test_given_the_qualifier_thinks_better_of_it_then_the_talk_goes_on(how):
    history = asked() if how == "rings out" else answered()
    if how == "declines":
        history.then(ev.DigitPressed, offer=4, digit="2")
        assert history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=4).kinds == ["HangUpAgent"]
    elif how == "hangs up":
        history.agent_hangs_up(4)
    else:
        history.wait()
        assert history.kinds == ["HangUpAgent"]
    assert (history.handoff.state, history.handoff.lead_is) == (State.CONNECTED, LeadIs.WITH_AGENT)


def test_given_the_lead_hangs_up_while_the_qualifier_comes_then_nobody_waits_for_them():
    history = fetching().then(ev.LeadSecured).agent_hangs_up(1).lead_hangs_up()
    assert history.handoff.state is State.COMPLETED
    assert history.kinds == ["HangUpAgent", "CloseBridge"]
    history = fetching().then(ev.LeadSecured).then(ev.LeadLeft)
    assert (history.handoff.state, history.handoff.lead_is) == (State.COMPLETED, LeadIs.LEFT)


def test_given_the_qualifier_is_still_going_when_asking_then_their_leg_is_looked_after():
    history = three_way().keys("*2").keys("*1")
    assert history.kinds == ["RingAgent"]
    assert history.handoff.qualifier_is is QualifierIs.LEAVING
    assert history.then(ev.QualifierLeft).handoff.qualifier_is is QualifierIs.LEFT
