"""From the request to the accept: the lead is held, agents are rung and briefed, the first to accept wins."""

from __future__ import annotations

import itertools

import pytest
from property.handoffs import AGENTS, policy
from property.history import EVERYBODY, History, briefing, hung_up, introducing, offering, seeking

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import (
    HangUpAgent,
    HoldLead,
    JoinAgent,
    PlayComfort,
    PlayToAgent,
    PrepareSpeech,
    ReturnLead,
    RingAgent,
    SecureLead,
)
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState, State


def test_given_a_request_then_the_lead_is_taken_in_hand_while_all_else_is_made_ready():
    history = History()
    assert history.kinds == ["SecureLead", "PrepareSpeech"]
    assert history.handoff.bridge == "warm-1-bridge"
    secure, speech = history.commands
    assert isinstance(secure, SecureLead) and dict(secure.variables)["WARM_STATUS"] == "ABANDONED"
    assert isinstance(speech, PrepareSpeech)
    assert [line.text for line in speech.lines] == [
        "Grant Weatherly. home insurance, renews in three weeks",
        "Press 1 to accept, 2 to decline, 3 to repeat.",
        "I am connecting you to Ana now.",
        "This call was taken by Ana.",
        "I am connecting you to Ben now.",
        "This call was taken by Ben.",
        "I am connecting you to Cy now.",
        "This call was taken by Cy.",
    ]


def test_given_blind_mode_without_introduction_then_only_the_losers_line_is_spoken():
    speech = History(policy=policy(Mode.BLIND, introduction=False)).commands[1]
    assert isinstance(speech, PrepareSpeech)
    assert [line.text for line in speech.lines] == [f"This call was taken by {a.name}." for a in AGENTS]


READY = [(ev.LeadSecured, {}), (ev.SpeechReady, {}), (ev.AgentsFound, {"free": EVERYBODY, "not_free": ()})]


@pytest.mark.parametrize("order", list(itertools.permutations(READY)))
def test_given_all_three_are_ready_in_any_order_then_everybody_free_is_rung_at_once(order):
    history = History()
    for kind, fields in order[:2]:
        history.then(kind, **fields)
        assert not any(isinstance(command, RingAgent) for command in history.commands)
    kind, fields = order[2]
    history.then(kind, **fields)
    rung = [command for command in history.commands if isinstance(command, RingAgent)]
    assert [command.agent.id for command in rung] == ["ana", "ben", "cy"]
    assert {(command.name, command.number) for command in rung} == {("Grant Weatherly", "+15550100")}
    assert history.handoff.state is State.OFFERING


def test_given_a_phone_rings_twice_as_told_then_the_first_time_counts():
    history = offering().then(ev.AgentRinging, offer=2, later=1.0).then(ev.AgentRinging, offer=2, later=1.0)
    assert history.handoff.offer(2).ringing_at == 1001.0


def test_given_an_unknown_offer_then_nothing_happens():
    history = offering()
    before = history.handoff
    for kind, fields in [
        (ev.AgentRinging, {}),
        (ev.AgentAnswered, {}),
        (ev.AgentLeft, {}),
        (ev.AgentJoined, {}),
        (ev.AgentHungUp, {"outcome": Outcome.BUSY, "cause": ""}),
        (ev.DigitPressed, {"digit": "1"}),
    ]:
        assert history.then(kind, offer=9, **fields).handoff == before


def test_given_an_agent_answers_then_they_are_briefed_alone_and_the_others_ring_on():
    history = briefing()
    (order,) = history.commands
    assert isinstance(order, PlayToAgent) and order.what is Playing.BRIEFING and order.offer == 1
    assert [line.text for line in order.media] == [
        "Grant Weatherly. home insurance, renews in three weeks",
        "Press 1 to accept, 2 to decline, 3 to repeat.",
    ]
    assert history.offer_states() == ["BRIEFING", "RINGING", "RINGING"]


def test_given_an_answer_told_twice_then_one_briefing():
    assert briefing().then(ev.AgentAnswered, offer=1).commands == ()


def test_given_repeat_then_the_briefing_starts_again_and_the_old_one_is_stopped():
    (order,) = briefing().then(ev.DigitPressed, offer=1, digit="3").commands
    assert isinstance(order, PlayToAgent)
    assert (order.number, order.stop) == (1002, 1001)


def test_given_a_key_without_meaning_then_it_is_only_known_that_somebody_pressed():
    history = briefing()
    before = history.handoff
    history.then(ev.DigitPressed, offer=1, digit="9", later=5.0)
    assert history.commands == ()
    assert history.handoff == before.with_offer(before.offers[0].evolve(pressed=True))


def test_given_a_key_before_the_answer_then_it_counts_for_nothing():
    history = offering().then(ev.DigitPressed, offer=1, digit="1")
    assert history.handoff.state is State.OFFERING


def test_given_accept_then_the_join_is_ordered_before_the_losers_are_told():
    history = offering().then(ev.AgentAnswered, offer=1).then(ev.AgentAnswered, offer=2)
    history.then(ev.DigitPressed, offer=1, digit="1")
    join, farewell, cancel = history.commands
    assert isinstance(join, JoinAgent) and join.offer == 1
    assert [line.text for line in join.introduction] == ["I am connecting you to Ana now."]
    assert join.stop_briefing == 1001
    assert isinstance(farewell, PlayToAgent) and farewell.what is Playing.FAREWELL and farewell.offer == 2
    assert farewell.media[0].text == "This call was taken by Ana."
    assert cancel == HangUpAgent(3)
    assert history.offer_states() == ["ACCEPTED", "LOST", "LOST"]


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_given_two_accept_in_the_same_moment_then_the_first_in_order_wins_and_the_other_is_told(
    first, second
):
    history = offering().then(ev.AgentAnswered, offer=1).then(ev.AgentAnswered, offer=2)
    history.then(ev.DigitPressed, offer=first, digit="1").then(ev.DigitPressed, offer=second, digit="1")
    assert history.handoff.winner.number == first
    assert history.handoff.offer(second).state is OfferState.LOST


def test_given_blind_mode_then_whoever_answers_is_joined_without_a_briefing():
    history = offering(policy=policy(Mode.BLIND)).then(ev.AgentAnswered, offer=2)
    assert history.kinds == ["JoinAgent", "HangUpAgent", "HangUpAgent"]
    assert history.commands[0].stop_briefing is None


def test_given_an_agent_answers_in_the_moment_they_lose_then_they_are_hung_up():
    history = introducing().then(ev.AgentAnswered, offer=2)
    assert history.commands == (HangUpAgent(2),)


def test_given_an_agent_answers_after_their_leg_was_told_gone_then_they_do_not_stay_alone():
    history = offering().then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER)).then(ev.AgentAnswered, offer=1)
    assert history.commands == (HangUpAgent(1),)
    assert history.handoff.offer(1).leg_open


def test_given_a_phone_rings_whose_leg_was_told_gone_then_it_is_hung_up():
    """An order to ring that was overtaken by the end of the leg before."""
    history = offering().then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER)).then(ev.AgentRinging, offer=1)
    assert history.commands == (HangUpAgent(1),)


def test_given_an_agent_who_was_given_up_is_joined_late_then_they_are_hung_up():
    history = introducing().then(ev.CommandFailed, command="JoinAgent", offer=1, error="too slow")
    assert history.handoff.state is State.SEEKING
    assert history.then(ev.AgentJoined, offer=1).commands == (HangUpAgent(1),)


def test_given_decline_then_that_agent_hears_a_word_and_the_others_go_on():
    history = briefing().then(ev.DigitPressed, offer=1, digit="2")
    (order,) = history.commands
    assert isinstance(order, PlayToAgent) and order.media[0].prompt == "declined" and order.stop == 1001
    assert history.offer_states() == ["DECLINED", "RINGING", "RINGING"]


def test_given_a_farewell_ends_then_the_leg_is_hung_up_and_its_end_closes_it():
    history = briefing().then(ev.DigitPressed, offer=1, digit="2")
    history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=1)
    assert history.commands == (HangUpAgent(1),)
    history.then(ev.AgentHungUp, **hung_up())
    assert not history.handoff.offer(1).leg_open
    assert history.handoff.offer(1).state is OfferState.DECLINED
    assert history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=1).commands == ()


@pytest.mark.parametrize("command", ["RingAgent", "PlayToAgent"])
def test_given_an_agent_cannot_be_rung_or_talked_to_then_that_offer_alone_fails(command):
    history = briefing().then(ev.CommandFailed, command=command, offer=1, error="500 no")
    assert history.commands == (HangUpAgent(1),)
    assert history.offer_states() == ["FAILED", "RINGING", "RINGING"]


def test_given_a_farewell_cannot_be_played_then_the_leg_is_hung_up_at_once():
    history = briefing().then(ev.DigitPressed, offer=1, digit="2")
    history.then(ev.CommandFailed, command="PlayToAgent", offer=1, error="500 no")
    assert history.commands == (HangUpAgent(1),)


def test_given_a_hangup_fails_then_it_is_ordered_again_in_its_time():
    history = briefing().then(ev.DigitPressed, offer=1, digit="2")
    history.then(ev.PlaybackEnded, what=Playing.FAREWELL, number=1)
    assert history.then(ev.CommandFailed, command="HangUpAgent", offer=1, error="500").commands == ()
    assert history.wait().commands == (HangUpAgent(1),)


def test_given_a_failure_of_no_open_leg_then_nothing_changes():
    history = briefing()
    before = history.handoff
    assert history.then(ev.CommandFailed, command="RingAgent", offer=None, error="").handoff == before
    assert history.then(ev.CommandFailed, command="RingAgent", offer=9, error="").handoff == before


def test_given_an_agent_is_moved_to_another_call_then_only_their_offer_ends():
    history = briefing().then(ev.AgentLeft, offer=1)
    assert history.offer_states() == ["GONE", "RINGING", "RINGING"]
    assert history.handoff.offer(1).cause == "moved to another call"
    assert not history.commands
    assert history.then(ev.AgentLeft, offer=1).handoff.offer(1).state is OfferState.GONE


def test_given_comfort_then_the_lead_hears_it_and_then_music_again_and_again():
    history = offering()
    first = history.wait().commands
    assert first == (PlayComfort(1, first[0].media),) and first[0].media[0].prompt == "comfort"
    history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1, later=4.0)
    assert history.commands == (HoldLead("default"),)
    again = history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1)
    assert again.commands == (), "an end that is told twice starts no music twice"
    history.then(ev.AgentAnswered, offer=1).wait()
    assert history.offer_states() == ["BRIEFING", "NO_ANSWER", "NO_ANSWER"]
    while "PlayComfort" not in history.kinds:
        history.wait()
    assert history.at == 1044.0
    assert [c.media[0].prompt for c in history.commands if isinstance(c, PlayComfort)] == ["comfort-2"]


def test_given_accept_during_comfort_then_the_join_stops_it():
    history = offering().wait().then(ev.AgentAnswered, offer=1).then(ev.DigitPressed, offer=1, digit="1")
    assert history.commands[0].stop_comfort == 1


def test_given_the_music_could_not_be_started_then_an_announcement_is_tried_within_a_second():
    for history in (offering(), seeking()):
        history.then(ev.CommandFailed, command="HoldLead", offer=None, error="500")
        assert history.decision.deadline == history.at + 1.0
        assert history.wait().kinds == ["PlayComfort"]


def test_given_an_announcement_could_not_be_played_then_the_music_goes_on_at_once():
    for history in (offering(), seeking()):
        history.wait().then(ev.CommandFailed, command="PlayComfort", offer=None, error="500")
        assert history.kinds == ["HoldLead"]
        assert not history.handoff.comfort_playing


def test_given_the_end_during_an_announcement_then_the_lead_need_not_hear_it_out():
    history = seeking().wait().then(ev.CancelRequested, by="x")
    (order,) = history.commands
    assert isinstance(order, ReturnLead) and order.stop_comfort == 1
    assert seeking().then(ev.CancelRequested, by="x").commands[0].stop_comfort is None


def test_given_no_comfort_then_only_the_phones_have_deadlines():
    assert offering(policy=policy(comfort=0.0)).decision.deadline == 1025.0


def test_given_the_end_of_a_briefing_or_introduction_then_an_offering_goes_on():
    history = briefing().then(ev.PlaybackEnded, what=Playing.BRIEFING, number=1001)
    assert history.commands == ()
