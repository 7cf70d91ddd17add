"""A qualifier on the line who talks on with the lead (`stay`), or has pressed the phone's Transfer key: what they
ask for, what they and their phone are told, and when they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import AGENTS, FORBIDDEN, LEAD, ON_HOLD, QUINN, policy
from property.history import (
    EVERYBODY,
    History,
    aside,
    blonde,
    briefing,
    consulting,
    hung_up,
    introducing,
    left,
    offering,
    recalling,
    returned,
    seeking,
    staying,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.model import (
    LeadIs,
    Line,
    Outcome,
    Playing,
    QualifierIs,
    ReturnPlace,
    Status,
)
from asterisk_warm.core.handoff.policy import Action, Mode, QualifierKeys
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.wanted import still_wanted

REFER = replace(QUINN, refer=True)


# -- the beginning -------------------------------------------------------------------------------------------


def test_given_a_qualifier_in_a_call_with_the_lead_then_the_call_is_taken_over_and_nobody_is_held():
    history = History(**with_qualifier(Mode.STAY))
    assert history.kinds == ["TakeOver", "PrepareSpeech"]
    assert history.order(co.TakeOver).other == "qualifier"
    assert dict(history.order(co.TakeOver).variables)["WARM_STATUS"] == "ABANDONED"
    now = history.handoff
    assert (now.lead_is, now.qualifier_is) == (LeadIs.WITH_QUALIFIER, QualifierIs.WITH_LEAD)
    assert now.gap_ms == 0


@pytest.mark.parametrize(
    ("mode", "orders", "lead_is", "qualifier_is"),
    [
        (Mode.STAY, [], LeadIs.WITH_QUALIFIER, QualifierIs.WITH_LEAD),
        (Mode.CONSULT, ["SetAside", "HoldLead"], LeadIs.HELD, QualifierIs.ASIDE),
        (Mode.AUTO, ["ReleaseQualifier", "HoldLead"], LeadIs.HELD, QualifierIs.LEAVING),
        (Mode.BLIND, ["ReleaseQualifier", "HoldLead"], LeadIs.HELD, QualifierIs.LEAVING),
    ],
)
def test_given_each_mode_then_who_stays_with_the_lead(mode, orders, lead_is, qualifier_is):
    history = seeking(**with_qualifier(mode))
    assert history.handoff.state is State.SEEKING
    assert history.kinds == orders
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (lead_is, qualifier_is)


def test_given_the_qualifier_hangs_up_while_the_call_is_taken_over_then_the_lead_is_held_for_whoever_accepts():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up()
    assert (history.handoff.state, history.handoff.lead_is) == (State.REQUESTED, LeadIs.HELD)
    assert history.kinds == ["SecureLead"] and history.handoff.fetching
    assert history.handoff.state_deadline == history.at + 10.0
    assert history.qualifier_hangs_up().commands == (), "told twice"
    assert history.then(ev.LeadSecured).kinds == ["HoldLead"]
    assert not history.handoff.fetching
    assert history.then(ev.SpeechReady).then(ev.AgentsFound, free=EVERYBODY, not_free=()).handoff.open_offers


def test_given_the_take_over_fails_for_want_of_the_qualifier_then_the_lead_comes_all_the_same():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up()
    history.then(ev.CommandFailed, command="TakeOver", offer=None, error="500")
    assert (history.handoff.state, history.commands) == (State.REQUESTED, ())
    history.then(ev.LeadSecured).then(ev.SpeechReady).then(ev.AgentsFound, free=EVERYBODY, not_free=())
    assert (history.handoff.state, history.handoff.lead_is) == (State.OFFERING, LeadIs.HELD)


def test_given_it_is_cancelled_then_before_the_lead_is_ours_then_they_have_music_when_they_come():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up().then(ev.CancelRequested, by="cli")
    assert history.handoff.state is State.RETURNING
    assert history.then(ev.LeadSecured).commands == (co.HoldLead("default"),)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"command": "TakeOver", "error": "no"}, "the call could not be taken over: no"),
        (None, "the lead could not be taken in hand in time"),
    ],
)
def test_given_the_call_cannot_be_taken_over_then_they_are_given_back_as_a_pair(failure, reason):
    history = History(**with_qualifier(Mode.STAY))
    history = history.wait() if failure is None else history.then(ev.CommandFailed, offer=None, **failure)
    assert (history.handoff.state, history.handoff.status, history.handoff.reason) == (
        *(State.FAILED, Status.ERROR),
        reason,
    )
    assert history.order(co.LetGo).first == "lead"
    assert history.order(co.LetGo).second == "qualifier"


def test_given_a_take_over_that_failed_late_then_nothing():
    history = staying().then(ev.CommandFailed, command="TakeOver", offer=None, error="no")
    assert (history.handoff.state, history.commands) == (State.OFFERING, ())


# -- refused -------------------------------------------------------------------------------------------------


def test_given_what_must_hold_does_not_then_a_lead_alone_goes_on_at_once():
    history = History(refusal=FORBIDDEN, return_to=ReturnPlace("incoming", "s", 3))
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOCONSENT)
    assert history.kinds == ["ReturnLead"]
    assert history.told()["WARM_CAUSE"] == "the lead has not consented"
    history.then(ev.LeadLeft).then(ev.BridgeClosed)
    assert history.handoff.settled


def test_given_what_must_hold_does_not_then_a_qualifier_is_told_as_soon_as_that_can_be():
    history = History(refusal=FORBIDDEN, **with_qualifier(Mode.STAY, REFER)).then(ev.LeadSecured)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOCONSENT)
    assert history.told_aside() == ["Grant Weatherly is back with you. the lead has not consented."]
    assert history.order(co.TellPhone).progress is Progress.DECLINED


@pytest.mark.parametrize(
    ("call", "gap"),
    [({}, None), (with_qualifier(Mode.STAY), 0), (with_qualifier(Mode.CONSULT, ON_HOLD), None)],
)
def test_given_a_refusal_that_leaves_the_call_as_it_is_then_it_is_over_and_nothing_is_ordered(call, gap):
    forbidden = replace(FORBIDDEN, untouched=True)
    history = History(refusal=forbidden, **{"policy": policy(queue_log=True), **call})
    now = history.handoff
    assert (now.state, now.status, now.reason) == (State.RETURNED, Status.NOCONSENT, forbidden.reason)
    assert (now.settled, now.ended_at, now.gap_ms) == (True, now.requested_at, gap)
    assert (history.kinds, history.news, history.decision.deadline) == ([], ["handoff.ended"], None)


# -- stay ----------------------------------------------------------------------------------------------------


def test_given_an_accept_then_the_qualifier_alone_hears_a_tone_and_the_agent_comes_without_a_spoken_word():
    history = introducing(**with_qualifier(Mode.STAY))
    assert history.order(co.JoinAgent).introduction == ()
    assert history.told_aside() == ["beep"]
    assert history.order(co.TellQualifier).talking
    assert history.handoff.lead_is is LeadIs.WITH_QUALIFIER


def test_given_the_agent_is_in_then_three_talk_and_each_phone_shows_whom_it_should():
    history = three_way()
    assert (history.handoff.state, history.handoff.lead_is) == (State.INTRODUCING, LeadIs.WITH_AGENT)
    assert history.commands == (
        co.ShowParty("agent-1", LEAD.name, LEAD.number),
        co.ShowParty("qualifier", "Ana", "ana"),
    )
    assert history.then(ev.AgentJoined, offer=1).commands == ()
    assert history.handoff.gap_ms == 0


@pytest.mark.parametrize("how", ["keys", "asks", "hangs up", "is taken away"])
def test_given_three_talk_when_the_qualifier_leaves_then_the_two_talk_on_alone(how):
    history = three_way()
    if how == "keys":
        history.keys("*2")
    elif how == "asks":
        history.asks(Action.COMPLETE)
    elif how == "hangs up":
        history.qualifier_hangs_up()
    else:
        history.then(ev.QualifierLeft)
    assert (history.handoff.state, history.handoff.status) == (State.CONNECTED, Status.CONNECTED)
    assert history.order(co.LetGo).second == "agent-1"
    assert history.told()["WARM_GAP_MS"] == "0"
    assert ("ReleaseQualifier" in history.kinds) is (how in ("keys", "asks"))


def test_given_three_talk_for_too_long_then_the_qualifier_is_let_go():
    history = three_way(linger_seconds=20.0).agent_hangs_up(2).agent_hangs_up(3)
    joined = history.handoff.joined_at
    history.wait()
    assert history.at == joined + 20.0
    assert history.handoff.state is State.CONNECTED
    assert history.kinds == ["LetGo", "ReleaseQualifier"]


def test_given_three_talk_when_the_lead_is_taken_away_then_the_other_two_talk_on():
    history = three_way().then(ev.LeadLeft)
    assert (history.handoff.state, history.handoff.lead_is) == (State.COMPLETED, LeadIs.LEFT)
    assert (history.order(co.LetGo).first, history.order(co.LetGo).second) == ("qualifier", "agent-1")
    assert history.told_aside() == ["lead-left"]
    history.then(ev.QualifierLeft).then(ev.AgentLeft, offer=1)
    assert "CloseBridge" in history.kinds
    history.then(ev.BridgeClosed).agent_hangs_up(2).agent_hangs_up(3)
    assert history.handoff.settled


@pytest.mark.parametrize("state", ["before", "on the way", "three"])
def test_given_the_qualifier_takes_the_lead_back_then_they_are_let_go_and_nobody_tells_them_why(state):
    history = {
        "before": staying,
        "on the way": lambda: introducing(**with_qualifier(Mode.STAY)),
        "three": three_way,
    }[state]()
    history.keys("*1")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TAKENBACK)
    assert history.handoff.reason == "Quinn took the lead back"
    assert history.order(co.LetGo).second == "qualifier"
    assert "TellQualifier" not in history.kinds
    assert all(offer.state is OfferState.LOST for offer in history.handoff.offers)


def test_given_a_nameless_qualifier_takes_back_then_the_reason_has_none():
    history = staying(who=replace(QUINN, name="")).keys("*1")
    assert history.handoff.reason == "the qualifier took the lead back"


def test_given_an_agent_who_was_briefed_when_the_lead_is_taken_back_then_they_are_told():
    history = briefing(**with_qualifier(Mode.STAY)).keys("*1")
    assert history.order(co.PlayToAgent).media == (Line("taken-back"),)
    assert history.handoff.offer(1).cause == "the qualifier took the lead back"


def test_given_the_winner_is_lost_before_they_came_then_the_others_are_asked_while_the_two_talk_on():
    history = introducing(**with_qualifier(Mode.STAY)).agent_hangs_up()
    assert (history.handoff.state, history.handoff.lead_is) == (State.SEEKING, LeadIs.WITH_QUALIFIER)
    assert history.found("ben", "cy").kinds == ["RingAgent", "RingAgent"]


def test_given_three_talked_and_the_agent_is_gone_then_the_qualifier_is_told_and_nobody_else_is_rung():
    history = three_way().agent_hangs_up()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert history.told_aside() == ["Grant Weatherly is back with you. Ana hung up (hung up)."]


def test_given_nobody_takes_the_lead_then_the_qualifier_alone_is_told_why_and_the_two_talk_on():
    history = staying()
    for number, outcome in enumerate((Outcome.BUSY, Outcome.DECLINED, Outcome.NO_ANSWER), 1):
        history.then(ev.AgentHungUp, **hung_up(outcome, number))
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.DECLINED)
    assert history.told_aside() == [
        "Grant Weatherly is back with you. Ana was busy; Ben declined; Cy did not answer."
    ]
    assert history.told()["WARM_STATUS"] == "DECLINED"
    history.then(ev.QualifierLeft)
    assert history.commands == () and not history.handoff.settled
    assert history.decision.deadline == history.at + 1.0, "if they were taken away, the lead is alone"
    assert history.then(ev.LeadLeft).kinds == ["CloseBridge"]
    assert history.then(ev.BridgeClosed).handoff.settled


def test_given_the_budget_is_used_up_then_so_it_is_even_while_they_talk():
    history = staying(hold_seconds=10.0).wait()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert "the hold budget of 10 s was used up" in history.told_aside()[0]


def test_given_it_is_cancelled_then_the_lead_is_with_the_qualifier():
    history = staying().then(ev.CancelRequested, by="Dana")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.CANCELLED)
    assert history.told_aside() == ["Grant Weatherly is back with you. cancelled by Dana."]


def test_given_the_qualifier_leaves_before_anyone_accepted_then_the_lead_is_held_with_a_budget_of_its_own():
    history = staying().keys("*2", later=60.0)
    assert history.kinds == ["HoldLead", "ReleaseQualifier"]
    assert (history.handoff.lead_is, history.handoff.hold_until) == (LeadIs.HELD, history.at + 120.0)
    assert history.then(ev.QualifierLeft).handoff.qualifier_is is QualifierIs.LEFT


def test_given_the_qualifier_leaves_while_the_agent_is_coming_then_that_agents_arrival_connects():
    history = introducing(**with_qualifier(Mode.STAY)).keys("*2")
    assert (history.handoff.state, history.handoff.lead_is) == (State.INTRODUCING, LeadIs.HELD)
    assert history.kinds == ["ReleaseQualifier"]
    history.then(ev.AgentJoined, offer=1, later=0.5)
    assert history.handoff.state is State.CONNECTED
    assert history.handoff.gap_ms == 500


def test_given_the_qualifier_left_while_the_agent_was_coming_when_that_fails_then_the_lead_has_music():
    history = introducing(**with_qualifier(Mode.STAY)).keys("*2").agent_hangs_up()
    assert history.kinds == ["HoldLead"]
    assert history.handoff.lead_is is LeadIs.HELD


def test_given_the_qualifier_hung_up_then_an_accept_is_introduced_by_voice():
    history = blonde().then(ev.AgentAnswered, offer=1).then(ev.DigitPressed, offer=1, digit="1")
    assert history.order(co.JoinAgent).introduction
    history.then(ev.AgentJoined, offer=1).then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    assert history.handoff.state is State.CONNECTED


# -- keys ----------------------------------------------------------------------------------------------------


def test_given_other_keys_then_nothing_and_the_last_ones_count():
    history = staying().keys("12*34")
    assert (history.handoff.state, history.commands) == (State.OFFERING, ())
    assert history.keys("9*1").handoff.status is Status.TAKENBACK


def test_given_a_long_pause_between_two_keys_then_they_are_no_sequence():
    history = staying().then(ev.QualifierPressed, digit="*")
    history.then(ev.QualifierPressed, digit="1", later=3.5)
    assert history.handoff.state is State.OFFERING


def test_given_an_action_was_asked_for_then_its_keys_do_not_count_again():
    keys = QualifierKeys(complete="22", take_back="9", swap="", three_way="")
    history = three_way(qualifier_keys=replace(keys, complete="", take_back="*1")).keys("1")
    assert history.handoff.state is State.INTRODUCING, "an action without keys is never meant"
    history = consulting(qualifier_keys=QualifierKeys(swap="44")).keys("44")
    assert history.handoff.qualifier_is is QualifierIs.WITH_LEAD
    assert history.then(ev.QualifierPressed, digit="4").handoff.qualifier_is is QualifierIs.WITH_LEAD


def test_given_keys_of_any_length_then_only_as_many_are_kept():
    history = staying().keys("123456789")
    assert history.handoff.pressed == "89"


@pytest.mark.parametrize(
    ("told", "action", "why"),
    [
        (offering, Action.COMPLETE, "there is no qualifier in this handoff"),
        (staying, Action.SWAP, "swap is not possible in the state OFFERING"),
        (staying, Action.THREE_WAY, "three-way is not possible in the state OFFERING"),
        (three_way, Action.SWAP, "swap is not possible in the state INTRODUCING"),
        (blonde, Action.COMPLETE, "the qualifier has left the call"),
        (returned, Action.TAKE_BACK, "take-back is not possible in the state RETURNING"),
        (left, Action.COMPLETE, "complete is not possible in the state CONNECTED"),
        (staying, Action.COMPLETE, ""),
        (consulting, Action.SWAP, ""),
        (left, Action.TAKE_BACK, ""),
    ],
)
def test_given_an_action_then_why_it_cannot_be_had_now(told, action, why):
    history = told()
    assert refusal(history.handoff, action, history.at) == why
    if why:
        before = history.handoff
        assert history.asks(action).handoff == before


# -- leaving -------------------------------------------------------------------------------------------------


def test_given_the_qualifier_was_told_to_go_and_stays_then_they_are_told_again_until_it_is_seen():
    history = staying().lead_hangs_up()
    for number in (1, 2, 3):
        history.agent_hangs_up(number)
    history.then(ev.BridgeClosed)
    assert not history.handoff.settled, "the qualifier is still with us"
    for _ in range(3):
        assert "ReleaseQualifier" in history.wait().kinds
    assert history.then(ev.QualifierLeft).handoff.settled


def test_given_the_qualifier_is_told_something_then_not_once_they_are_gone():
    history = three_way().agent_hangs_up()
    tell = history.order(co.TellQualifier)
    assert still_wanted(history.handoff, tell)
    history.qualifier_hangs_up()
    assert not still_wanted(history.handoff, tell)


def test_given_a_word_in_the_ear_has_ended_then_nothing_follows_while_it_goes_on():
    history = three_way().then(ev.PlaybackEnded, what=Playing.ASIDE, number=1)
    assert (history.handoff.state, history.commands) == (State.INTRODUCING, ())
    history.agent_hangs_up().then(ev.PlaybackEnded, what=Playing.ASIDE, number=2)
    assert history.commands == ()


def test_given_a_team_of_one_then_the_words_of_every_return_are_as_the_team_says():
    templates = replace(policy().templates, returned="{name}: {reason}")
    history = offering(("ana",), agents=AGENTS[:1], **with_qualifier(Mode.STAY, templates=templates)).then(
        ev.AgentHungUp, **hung_up(Outcome.BUSY)
    )
    assert history.told_aside()[0].startswith("Grant Weatherly: Ana was busy")


def test_given_the_qualifier_was_lost_when_they_had_left_or_were_unknown_then_nothing():
    assert offering().then(ev.QualifierHungUp, cause="bye").handoff.qualifier_is is QualifierIs.NOBODY
    history = blonde().then(ev.QualifierLeft)
    assert history.handoff.qualifier_is is QualifierIs.GONE
    assert recalling().then(ev.QualifierJoined).commands == ()
    assert aside().then(ev.QualifierJoined).commands == ()
