"""A handoff by the phone's Transfer key (SIP REFER): the phone is told once how it went, and truly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import QUINN
from property.history import History, hung_up, offering, with_qualifier

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.model import LeadIs, Outcome, Playing, QualifierIs
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import State

REFER = replace(QUINN, refer=True)


def transferring(mode: Mode, **settings) -> History:
    """By the phone's Transfer key, with the agents being rung."""
    return offering(**with_qualifier(mode, REFER, **settings))


def progress(history: History) -> list[Progress]:
    """All that the phone was told."""
    orders = [command for chapter in history.chapters for command in chapter.commands]
    return [command.progress for command in orders if isinstance(command, co.TellPhone)]


def test_given_a_transfer_then_the_phone_is_told_that_it_is_tried_and_waits_aside_for_the_outcome():
    history = transferring(Mode.AUTO)
    assert progress(history) == [Progress.TRYING]
    assert history.handoff.qualifier_is is QualifierIs.ASIDE


def test_given_a_transfer_where_the_qualifier_stays_then_the_lead_hears_who_comes_and_the_phone_is_told_then():
    history = transferring(Mode.STAY).then(ev.AgentAnswered, offer=1)
    history.then(ev.DigitPressed, offer=1, digit="1")
    assert history.order(co.JoinAgent).introduction, "the phone ends its call with the transfer"
    history.then(ev.AgentJoined, offer=1)
    assert history.handoff.state is State.INTRODUCING
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    assert history.handoff.state is State.CONNECTED
    assert history.kinds == ["TellPhone", "LetGo", "ReleaseQualifier"]
    assert progress(history) == [Progress.TRYING, Progress.ANSWERED]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [(Outcome.DECLINED, Progress.DECLINED), (Outcome.BUSY, Progress.UNAVAILABLE)],
)
def test_given_a_transfer_that_nobody_takes_then_the_phone_is_told_once_and_truly(outcome, told):
    history = transferring(Mode.AUTO)
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(outcome, number))
    assert history.handoff.state is State.RETURNING
    assert progress(history) == [Progress.TRYING], "they are not together yet"
    history.then(ev.QualifierJoined)
    assert history.handoff.state is State.RETURNED
    assert progress(history) == [Progress.TRYING, told]


def test_given_a_transfer_whose_lead_hangs_up_then_the_phone_is_told_that_it_failed():
    history = transferring(Mode.AUTO).lead_hangs_up()
    assert progress(history) == [Progress.TRYING, Progress.UNAVAILABLE]
    assert history.told_aside() == ["lead-left"]


def test_given_a_transfer_whose_qualifier_hangs_up_then_there_is_no_phone_to_be_told():
    history = transferring(Mode.AUTO).qualifier_hangs_up().then(ev.AgentAnswered, offer=1)
    history.then(ev.DigitPressed, offer=1, digit="1").then(ev.AgentJoined, offer=1)
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    assert history.handoff.state is State.CONNECTED
    assert progress(history) == [Progress.TRYING]


@pytest.mark.parametrize("event", [ev.QualifierLeft, ev.QualifierHungUp])
def test_given_a_transfer_whose_qualifier_goes_during_the_introduction_then_it_is_heard_to_its_end(event):
    history = transferring(Mode.STAY).then(ev.AgentAnswered, offer=1)
    history.then(ev.DigitPressed, offer=1, digit="1").then(ev.AgentJoined, offer=1)
    history.then(event, **({"cause": "bye"} if event is ev.QualifierHungUp else {}))
    assert (history.handoff.state, history.commands) == (State.INTRODUCING, ())
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    assert history.handoff.state is State.CONNECTED


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.STAY])
def test_given_a_transfer_whose_qualifier_wants_to_leave_then_they_wait_aside_for_the_outcome(mode):
    history = transferring(mode).keys("*2")
    assert history.handoff.qualifier_is is QualifierIs.ASIDE
    assert (history.handoff.lead_is, progress(history)) == (LeadIs.HELD, [Progress.TRYING])


def test_given_a_transfer_when_it_is_taken_back_during_the_introduction_then_the_lead_is_fetched_to_them():
    history = transferring(Mode.AUTO).then(ev.AgentAnswered, offer=1)
    history.then(ev.DigitPressed, offer=1, digit="1").then(ev.AgentJoined, offer=1)
    history.keys("*1")
    assert (history.handoff.state, history.handoff.lead_is) == (State.RETURNING, LeadIs.HELD)
    assert history.kinds == ["JoinQualifier", "HangUpAgent"]
    history.then(ev.QualifierJoined)
    assert history.handoff.state is State.RETURNED
    assert progress(history) == [Progress.TRYING, Progress.UNAVAILABLE]


def test_given_a_transfer_whose_lead_cannot_be_brought_back_then_the_phone_is_told_all_the_same():
    history = transferring(Mode.AUTO).then(ev.CancelRequested, by="cli")
    history.then(ev.CommandFailed, command="JoinQualifier", offer=None, error="no")
    assert history.handoff.state is State.RETURNED
    assert history.kinds == ["ReturnLead", "TellPhone", "ReleaseQualifier"]
    assert progress(history) == [Progress.TRYING, Progress.UNAVAILABLE]
