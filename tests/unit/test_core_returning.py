"""Nobody took the lead, or they are wanted back: on the way to the qualifier, who is on the line."""

from __future__ import annotations

import pytest
from property.history import History, aside, consulting, hung_up, offering, returned, seeking, with_qualifier

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LeadIs, Outcome, Playing, QualifierIs, ReturnPlace, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.wanted import still_wanted


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (Outcome.BUSY, "NOAGENT", "Ana was busy; Ben was busy; Cy was busy"),
        (Outcome.DECLINED, "DECLINED", "Ana declined; Ben declined; Cy declined"),
        (Outcome.NO_ANSWER, "TIMEOUT", "Ana did not answer; Ben did not answer; Cy did not answer"),
    ],
)
def test_given_nobody_took_the_lead_then_the_qualifier_is_joined_to_them_and_told_why(outcome, status, words):
    history = aside()
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(outcome, number))
    assert (history.handoff.state, history.handoff.lead_is) == (State.RETURNING, LeadIs.HELD)
    assert history.commands == (co.JoinQualifier(None),)
    history.then(ev.QualifierJoined, later=0.1)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, status)
    assert history.kinds == ["LetGo", "TellQualifier"]
    assert history.told_aside() == [f"Grant Weatherly is back with you. {words}."]
    assert history.told()["WARM_CAUSE"] == words
    assert history.told()["WARM_GAP_MS"] == "100", "they came back at once"


def test_given_nobody_is_free_then_it_is_told_as_soon_as_that_is_known():
    busy = (("ana", "in a call"),)
    history = seeking(**with_qualifier(Mode.CONSULT)).then(ev.SpeechReady)
    history.then(ev.AgentsFound, free=(), not_free=busy)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.NOAGENT)
    history.then(ev.QualifierJoined)
    assert history.told_aside() == ["Grant Weatherly is back with you. Ana was not rung (in a call)."]


def test_given_they_are_let_go_then_they_leave_together_and_nothing_is_left():
    history = returned().then(ev.QualifierJoined).then(ev.LeadLeft).then(ev.QualifierLeft)
    assert history.kinds == ["CloseBridge"]
    assert history.then(ev.BridgeClosed).handoff.settled


def test_given_letting_go_is_not_confirmed_then_it_is_ordered_again_and_nobody_is_thrown_out():
    history = returned().then(ev.QualifierJoined).wait()
    assert history.kinds == ["LetGo", "CheckLegs"]
    assert history.then(ev.CommandFailed, command="LetGo", offer=None, error="no").commands == ()


@pytest.mark.parametrize(
    ("event", "then"), [(ev.QualifierLeft, "ReturnLead"), (ev.LeadLeft, "ReleaseQualifier")]
)
def test_given_one_of_the_two_is_taken_away_then_the_other_goes_on_within_a_second(event, then):
    history = returned().then(ev.QualifierJoined).then(event)
    failed = History.then(history, ev.CommandFailed, command="LetGo", offer=None, error="gone")
    assert then in failed.kinds
    history = returned().then(ev.QualifierJoined).then(event).wait()
    assert history.at <= history.handoff.ended_at + 2.0
    assert then in history.kinds


def test_given_the_qualifier_hangs_up_before_they_were_let_go_then_the_lead_goes_on():
    place = ReturnPlace("incoming", "s", 3)
    history = aside()
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, number))
    history.then(ev.QualifierJoined).qualifier_hangs_up()
    assert history.kinds == ["ReturnLead"]
    assert history.handoff.lead_is is LeadIs.HELD
    history = offering((), return_to=place, **with_qualifier(Mode.STAY)).qualifier_hangs_up()
    assert history.commands[0].to == place


def test_given_the_qualifier_cannot_be_joined_then_the_lead_goes_on_in_the_dialplan_with_both_reasons():
    history = returned().then(ev.CommandFailed, command="JoinQualifier", offer=None, error="409")
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    assert history.kinds == ["ReturnLead", "ReleaseQualifier"]
    assert history.handoff.reason == (
        "Ana was busy; Ben was busy; Cy was busy; the qualifier could not be joined (409)"
    )


def test_given_it_takes_too_long_then_the_same():
    history = returned().wait()
    assert history.handoff.state is State.RETURNED
    assert history.handoff.reason.endswith("the qualifier could not be joined (it took too long)")


def test_given_the_join_of_an_agent_who_was_let_down_fails_then_nothing():
    history = consulting().asks(Action.COMPLETE)
    history = consulting().asks(Action.THREE_WAY).then(ev.QualifierJoined).asks(Action.TAKE_BACK)
    assert history.handoff.state is State.RETURNED
    history = consulting().asks(Action.THREE_WAY).asks(Action.TAKE_BACK)
    assert history.handoff.state is State.RETURNING
    history.then(ev.CommandFailed, command="JoinAgent", offer=1, error="gone")
    assert (history.handoff.state, history.commands) == (State.RETURNING, ())


def test_given_an_agent_who_was_let_down_is_joined_late_then_they_are_hung_up():
    history = consulting().asks(Action.THREE_WAY).asks(Action.TAKE_BACK).then(ev.AgentJoined, offer=1)
    assert history.commands == (co.HangUpAgent(1),)
    assert history.then(ev.AgentJoined, offer=9).commands == ()


def test_given_the_lead_hangs_up_on_the_way_then_nobody_waits_for_them():
    history = returned().lead_hangs_up()
    assert (history.handoff.state, history.kinds) == (State.ABANDONED, ["ReleaseQualifier", "CloseBridge"])
    history = returned().then(ev.LeadLeft)
    assert (history.handoff.state, history.handoff.lead_is) == (State.ABANDONED, LeadIs.LEFT)


def test_given_a_lead_with_music_that_fails_or_comfort_that_ends_then_as_while_held():
    history = returned().then(ev.CommandFailed, command="HoldLead", offer=None, error="no")
    assert history.handoff.comfort_at == history.at + 1.0
    assert history.wait().kinds == ["PlayComfort"]
    assert history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1).kinds == ["HoldLead"]


def test_given_music_that_failed_was_asked_for_then_the_join_is_still_wanted():
    history = returned()
    (join,) = history.commands
    assert still_wanted(history.handoff, join)
    assert not still_wanted(history.then(ev.QualifierJoined).handoff, join)


def test_given_cancelled_on_the_way_then_they_are_on_the_way_already():
    history = returned().then(ev.CancelRequested, by="cli")
    assert (history.handoff.status, history.commands) == (Status.NOAGENT, ())


def test_given_the_qualifier_is_taken_away_on_the_way_then_their_phone_is_rung():
    history = returned().then(ev.QualifierLeft)
    assert history.kinds == ["HoldLead", "RingAgent"]
    assert history.handoff.qualifier_is is QualifierIs.LEFT
    history = returned(recall_seconds=0.0).then(ev.QualifierLeft)
    assert history.handoff.state is State.RETURNED
    assert history.kinds == ["HoldLead", "ReturnLead"]
