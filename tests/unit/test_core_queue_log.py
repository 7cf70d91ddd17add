"""What Asterisk's queue_log is told, in app_queue's words: each call enters once, and leaves once."""

from __future__ import annotations

from typing import Any

import pytest
from property.handoffs import LEAD, policy
from property.history import (
    History,
    briefing,
    connected,
    consulting,
    hung_up,
    left,
    offering,
    recalling,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import LogQueue
from asterisk_warm.core.handoff.model import Outcome, Playing, Refusal, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.wanted import still_wanted

ALONE: dict[str, Any] = {"policy": policy(queue_log=True, comfort=0.0)}
ENTERED = "ENTERQUEUE NONE |+15550100"


def log(history: History) -> list[str]:
    orders = [command for chapter in history.chapters for command in chapter.commands]
    lines = [order for order in orders if isinstance(order, LogQueue)]
    assert all(line.queue == "sales" and still_wanted(history.handoff, line) for line in lines)
    return [f"{line.event} {line.agent} {line.message}" for line in lines]


def test_given_a_team_that_does_not_want_it_then_nothing():
    assert log(connected()) == []


def test_given_a_talk_then_it_entered_was_connected_and_completed():
    history = connected(**ALONE).then(ev.LeadLeft).then(ev.AgentLeft, offer=1)
    assert log(history) == [ENTERED, "CONNECT PJSIP/ana 8|lead-1|3"]
    history.lead_hangs_up(later=60.0)
    assert log(history)[2:] == ["COMPLETECALLER PJSIP/ana 8|60|1"]
    other = connected(**ALONE).agent_hangs_up(later=30.0).then(ev.LeadLeft)
    assert log(other)[2:] == ["COMPLETEAGENT PJSIP/ana 8|30|1"]


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Outcome.NO_ANSWER, ["RINGNOANSWER PJSIP/ben 5000"]),
        (Outcome.BUSY, ["RINGNOANSWER PJSIP/ben 5000"]),
        (Outcome.DECLINED, ["RINGNOANSWER PJSIP/ben 5000"]),
        (Outcome.UNREACHABLE, []),
        (Outcome.FAILED, []),
    ],
)
def test_given_a_phone_that_was_not_answered_then_for_how_long_it_rang(outcome, line):
    history = offering(**ALONE).then(ev.AgentHungUp, later=5.0, **hung_up(outcome, 2))
    assert log(history) == [ENTERED, *line]


def test_given_an_agent_who_said_no_then_that_is_no_answer_either():
    history = briefing(**ALONE).then(ev.DigitPressed, offer=1, digit="2", later=1.0)
    assert log(history) == [ENTERED, "RINGNOANSWER PJSIP/ana 4000"]


def test_given_nobody_took_the_lead_or_they_left_then_how_long_they_waited():
    assert log(offering(free=(), **ALONE)) == [ENTERED, "EXITWITHTIMEOUT NONE 1|1|0"]
    assert log(offering(**ALONE).lead_hangs_up(later=12.0)) == [ENTERED, "ABANDON NONE 1|1|12"]


def test_given_a_lead_who_may_not_be_offered_then_they_entered_and_left():
    refusal = Refusal(Status.NOCONSENT, "the lead has not consented")
    assert log(History(refusal=refusal, **ALONE)) == [ENTERED, "EXITWITHTIMEOUT NONE 1|1|0"]


def test_given_a_caller_id_with_the_logs_own_signs_then_they_are_left_out():
    number = "+1|555\n0100"
    lead = type(LEAD)("lead-1", "", number, "")
    assert log(History(lead=lead, **ALONE)) == ["ENTERQUEUE NONE |+15550100"]


def test_given_a_consult_then_connected_when_the_agent_is_left_with_the_lead():
    history = consulting(queue_log=True).asks(Action.COMPLETE, later=10.0)
    assert log(history) == [ENTERED]
    history.then(ev.AgentJoined, offer=1)
    assert log(history)[1:] == ["CONNECT PJSIP/ana 17|lead-1|3"]


def test_given_a_talk_of_three_that_the_lead_leaves_then_connected_and_completed():
    history = three_way(queue_log=True).lead_hangs_up(later=20.0)
    assert log(history) == [
        ENTERED,
        "CONNECT PJSIP/ana 0|lead-1|3",
        "COMPLETECALLER PJSIP/ana 0|20|1",
    ]


def test_given_a_talk_of_three_that_the_agent_leaves_then_they_were_never_left_with_the_lead():
    assert log(three_way(queue_log=True).agent_hangs_up())[1:] == ["EXITWITHTIMEOUT NONE 1|1|8"]


def test_given_the_lead_is_taken_back_then_the_talk_with_the_agent_is_completed_once():
    history = left(queue_log=True).asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    history.then(ev.DigitPressed, offer=4, digit="1").then(ev.LeadSecured, later=5.0)
    talked = round(history.at - history.handoff.joined_at)
    assert log(history)[2:] == [f"COMPLETEAGENT PJSIP/ana 0|{talked}|1"]
    count = len(log(history))
    history.then(ev.AgentJoined, offer=4)
    assert len(log(history)) == count
    history = left(queue_log=True).asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    history.then(ev.DigitPressed, offer=4, digit="1").then(ev.LeadSecured).lead_hangs_up()
    assert len(log(history)) == count


def test_given_the_qualifier_is_rung_then_that_is_no_agent():
    history = recalling(queue_log=True)
    before = log(history)
    history.then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER, 4))
    assert [line.split()[0] for line in log(history)[len(before) :]] == ["EXITWITHTIMEOUT"]


def test_given_a_mode_without_a_briefing_then_the_same():
    settings = with_qualifier(Mode.BLIND, queue_log=True)
    history = offering(**settings).then(ev.AgentAnswered, offer=2, later=4.0)
    history.then(ev.AgentJoined, offer=2).then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    assert log(history)[1:] == ["CONNECT PJSIP/ben 4|lead-1|4"]
