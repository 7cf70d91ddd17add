"""From the accept to the talk, and back to the others when the winner is not there after all."""

from __future__ import annotations

import pytest
from property.handoffs import AGENTS, policy
from property.history import connected, hung_up, introducing, offering

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import CloseBridge, HangUpAgent, HoldLead, LetGo
from asterisk_warm.core.handoff.model import LeadIs, Outcome, Playing
from asterisk_warm.core.handoff.moves.offering import untried
from asterisk_warm.core.handoff.states import OfferState, State

JOINED = (ev.AgentJoined, {"offer": 1})
HEARD = (ev.PlaybackEnded, {"what": Playing.INTRODUCTION, "number": 1})


@pytest.mark.parametrize("order", [(JOINED, HEARD), (HEARD, JOINED)])
def test_given_joined_and_introduced_in_either_order_then_they_talk_and_are_let_go(order):
    history = introducing()
    (first, fields), (second, more) = order
    assert history.then(first, **fields).handoff.state is State.INTRODUCING
    history.then(second, later=0.5, **more)
    assert history.handoff.state is State.CONNECTED
    (order,) = history.commands
    assert isinstance(order, LetGo) and order.second == "agent-1"
    assert history.told() == {
        "WARM_ID": "warm-1",
        "WARM_STATUS": "CONNECTED",
        "WARM_AGENT": "ana",
        "WARM_CAUSE": "Ana took the lead",
        "WARM_GAP_MS": "7500",
    }


def test_given_no_introduction_then_the_join_alone_connects():
    history = introducing(policy=policy(introduction=False)).then(ev.AgentJoined, offer=1)
    assert history.handoff.state is State.CONNECTED


def test_given_the_end_of_another_playback_then_it_introduces_nobody():
    history = introducing().then(ev.AgentJoined, offer=1)
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=9)
    assert history.handoff.state is State.INTRODUCING


def test_given_somebody_else_is_told_joined_then_it_connects_nobody():
    assert introducing().then(ev.AgentJoined, offer=2).handoff.lead_is is LeadIs.HELD


def test_given_the_introductions_end_is_never_told_then_they_talk_after_a_time():
    history = introducing().then(ev.AgentJoined, offer=1)
    history.then(ev.AgentHungUp, **hung_up(offer=2)).then(ev.AgentHungUp, **hung_up(offer=3))
    history.wait()
    assert history.handoff.state is State.CONNECTED


def test_given_a_losers_deadline_in_between_then_only_that_leg_is_hung_up_again():
    history = introducing().wait()
    assert history.handoff.state is State.INTRODUCING
    assert history.commands == (HangUpAgent(2), HangUpAgent(3))


def test_given_the_join_takes_too_long_then_the_others_are_asked_again():
    history = introducing()
    while history.handoff.state is State.INTRODUCING:
        history.wait()
    assert history.handoff.state is State.SEEKING
    assert HoldLead("default", stop_introduction=1) in history.commands
    assert HangUpAgent(1) in history.commands
    history.found("ben", "cy")
    assert history.offer_states() == ["FAILED", "LOST", "LOST", "RINGING", "RINGING"]


LOST = [
    (ev.AgentHungUp, hung_up(), OfferState.GONE),
    (ev.AgentLeft, {"offer": 1}, OfferState.GONE),
    (ev.CommandFailed, {"command": "JoinAgent", "offer": 1, "error": "409"}, OfferState.FAILED),
]


@pytest.mark.parametrize(("kind", "fields", "state"), LOST)
def test_given_the_winner_is_lost_before_the_talk_then_the_lead_is_held_and_the_losers_are_asked_again(
    kind, fields, state
):
    history = introducing().then(kind, **fields)
    assert history.handoff.state is State.SEEKING
    assert history.handoff.lead_is is LeadIs.HELD
    assert history.handoff.offer(1).state is state
    assert HoldLead("default", stop_introduction=1) in history.commands
    assert {agent.id for agent in untried(history.handoff)} == {"ben", "cy"}
    assert history.found("ben", "cy").kinds == ["RingAgent", "RingAgent"]


@pytest.mark.parametrize(("kind", "fields", "state"), LOST)
def test_given_the_winner_is_lost_and_nobody_else_was_there_then_the_lead_goes_on(kind, fields, state):
    history = introducing(free=("ana",)).then(kind, **fields).found(hope=False)
    assert history.handoff.state is State.RETURNED
    assert history.handoff.offer(1).state is state
    assert history.told()["WARM_AGENT"] == ""


def test_given_the_winner_is_lost_when_the_hold_budget_is_used_up_then_the_lead_goes_on():
    history = introducing().then(ev.AgentHungUp, later=120.0, **hung_up())
    assert history.handoff.state is State.RETURNED
    assert history.handoff.status == "TIMEOUT"


def test_given_a_loser_who_declined_then_they_are_not_asked_again():
    history = offering().then(ev.AgentAnswered, offer=2).then(ev.DigitPressed, offer=2, digit="2")
    history.then(ev.AgentAnswered, offer=1).then(ev.DigitPressed, offer=1, digit="1")
    history.then(ev.AgentHungUp, **hung_up())
    assert [agent.id for agent in untried(history.handoff)] == ["cy"]


def test_given_everybody_has_been_asked_when_the_winner_is_lost_then_the_lead_goes_on():
    history = introducing(agents=AGENTS[:1], free=("ana",)).then(ev.AgentHungUp, **hung_up())
    assert history.handoff.state is State.RETURNED


@pytest.mark.parametrize("kind", [ev.AgentHungUp, ev.AgentLeft])
def test_given_a_losers_leg_ends_then_the_winner_is_joined_all_the_same(kind):
    fields = hung_up(offer=2) if kind is ev.AgentHungUp else {"offer": 2}
    history = introducing().then(kind, **fields)
    assert history.handoff.state is State.INTRODUCING
    assert not history.handoff.offer(2).leg_open


def test_given_another_order_fails_then_the_join_goes_on():
    history = introducing().then(ev.CommandFailed, command="HangUpAgent", offer=2, error="500")
    assert history.handoff.state is State.INTRODUCING


@pytest.mark.parametrize("gone", [ev.LeadHungUp, ev.LeadLeft])
def test_given_the_lead_goes_while_being_introduced_then_the_agent_is_hung_up(gone):
    """As if the lead had hung up on them: no word could be played for sure into a bridge that dissolves."""
    history = introducing(free=("ana",)).then(ev.AgentJoined, offer=1)
    history.then(gone, **({"cause": "normal clearing"} if gone is ev.LeadHungUp else {}))
    assert history.handoff.state is State.ABANDONED
    assert history.commands == (HangUpAgent(1), CloseBridge())
    assert history.handoff.winner is None


def test_given_a_talk_then_the_losers_farewell_still_ends_in_a_hangup():
    history = offering().then(ev.AgentAnswered, offer=1).then(ev.AgentAnswered, offer=2)
    history.then(ev.DigitPressed, offer=1, digit="1").then(ev.AgentJoined, offer=1)
    history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=2)
    assert history.commands == (HangUpAgent(2),)
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
    history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=2)
    assert history.handoff.state is State.CONNECTED and history.commands == (HangUpAgent(2),)


def test_given_a_talk_then_a_late_loser_is_hung_up():
    history = connected().then(ev.AgentAnswered, offer=3)
    assert history.commands == (HangUpAgent(3),)
    history.then(ev.AgentHungUp, offer=3, outcome=Outcome.NO_ANSWER, cause="")
    assert history.handoff.state is State.CONNECTED
