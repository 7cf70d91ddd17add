"""Agents are reserved, waited for and sought again; and what a handoff keeps of them."""

from __future__ import annotations

import pytest
from property.handoffs import AGENTS, policy
from property.history import (
    History,
    blonde,
    briefing,
    connected,
    consulting,
    hung_up,
    introducing,
    offering,
    recalling,
    seeking,
)

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.agents import Kept, ended, kept, seeker
from asterisk_warm.core.handoff.commands import PlayComfort, RingAgent
from asterisk_warm.core.handoff.model import LeadIs, Outcome, Refusal, Status
from asterisk_warm.core.handoff.moves.limits import AGAIN_SECONDS
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.presence import Ended
from asterisk_warm.core.routing import Routing

WAITS = Routing(wait_seconds=60.0)


def waiting(**changes: object) -> History:
    """Nobody is free, somebody may become so."""
    return seeking(policy=policy(routing=WAITS), **changes).then(ev.SpeechReady).found()


# -- waiting -------------------------------------------------------------------------------------------------


def test_given_nobody_is_free_when_there_is_hope_then_the_lead_waits_with_music_and_comfort():
    history = waiting()
    assert (history.handoff.state, history.handoff.lead_is) == (State.SEEKING, LeadIs.HELD)
    assert history.commands == ()
    assert isinstance(history.wait().commands[0], PlayComfort)


def test_given_a_lead_who_waits_when_somebody_is_reserved_then_they_are_rung_at_once():
    history = waiting().found("ben", later=10.0)
    assert history.handoff.state is State.OFFERING
    assert history.order(RingAgent).agent.id == "ben"


def test_given_a_lead_who_waits_when_there_is_no_hope_any_more_then_they_go_on_with_the_reasons():
    history = waiting().then(ev.AgentsFound, free=(), not_free=(("ana", "offline"),), hope=False)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    assert history.handoff.reason == "Ana was not rung (offline)"


def test_given_nobody_ever_says_who_is_free_then_the_hold_budget_ends_it():
    history = waiting()
    while not history.handoff.state.final:
        history.wait()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert history.at == 1120.0


def test_given_a_lead_who_waits_when_they_hang_up_then_abandoned():
    assert waiting().lead_hangs_up().handoff.state is State.ABANDONED


def test_given_agents_ring_when_another_one_is_reserved_then_their_phone_rings_too():
    history = offering(("ana",)).found("ben", later=1.0)
    assert history.handoff.state is State.OFFERING
    assert history.offer_states() == ["RINGING", "RINGING"]


def test_given_agents_ring_when_nobody_else_is_free_then_nothing_changes():
    history = offering(("ana",)).found(hope=False)
    assert (history.handoff.state, history.commands) == (State.OFFERING, ())


def test_given_the_last_offer_ended_when_there_is_hope_then_the_lead_waits_again():
    history = seeking().then(ev.SpeechReady).found("ana")
    history.then(ev.AgentHungUp, later=3.0, **hung_up(Outcome.BUSY))
    assert (history.handoff.state, history.commands) == (State.SEEKING, ())
    assert history.found("cy").order(RingAgent).agent.id == "cy"
    assert history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, 2)).handoff.state is State.SEEKING
    assert history.found(hope=False).handoff.status is Status.NOAGENT


def test_given_everybody_has_been_offered_the_lead_then_there_is_nobody_to_wait_for():
    history = seeking(agents=AGENTS[:1]).then(ev.SpeechReady).found("ana")
    history.then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER))
    assert history.handoff.state is State.RETURNED


def test_given_agents_are_reserved_before_the_lead_is_in_hand_then_they_are_rung_when_all_is_ready():
    history = History().found("ana").then(ev.SpeechReady)
    assert kept(history.handoff) == {"ana": Kept.OFFER}
    assert history.then(ev.LeadSecured).order(RingAgent).agent.id == "ana"
    assert history.handoff.reserved == ()


def test_given_there_is_no_hope_before_the_lead_is_in_hand_then_they_go_on_when_they_are():
    history = History().found(hope=False).then(ev.SpeechReady)
    assert history.handoff.state is State.REQUESTED
    assert history.then(ev.LeadSecured).handoff.state is State.RETURNED


def test_given_strangers_or_those_who_ring_already_are_reserved_then_nobody_is_rung_twice():
    history = offering(("ana",)).found("ana", "nobody")
    assert (history.handoff.state, history.commands) == (State.OFFERING, ())


# -- what is kept --------------------------------------------------------------------------------------------


def test_given_offers_then_agents_are_kept_until_their_leg_is_closed():
    history = offering(("ana", "ben"))
    assert kept(history.handoff) == {"ana": Kept.OFFER, "ben": Kept.OFFER}
    history.then(ev.AgentAnswered, offer=1).then(ev.DigitPressed, offer=1, digit="1")
    assert kept(history.handoff) == {"ana": Kept.TALK, "ben": Kept.OFFER}
    history.then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER, 2))
    assert kept(history.handoff) == {"ana": Kept.TALK}


def test_given_a_recall_then_the_qualifier_is_no_agent():
    assert kept(recalling().handoff) == {}
    assert ended(recalling().handoff, "qualifier") is Ended.WITHDRAWN


def test_given_the_handoff_ended_before_anyone_was_rung_then_nobody_is_kept():
    history = History().found("ana").then(ev.CancelRequested, by="x")
    assert kept(history.handoff) == {}
    assert ended(history.handoff, "ana") is Ended.WITHDRAWN


@pytest.mark.parametrize(
    ("history", "how"),
    [
        (lambda: offering(("ana",)).wait().wait(), Ended.MISSED),
        (lambda: briefing(("ana",)).then(ev.DigitPressed, offer=1, digit="2"), Ended.ANSWERED),
        (lambda: briefing(("ana",)).agent_hangs_up(), Ended.ANSWERED),
        (lambda: introducing(("ana",)).agent_hangs_up(), Ended.ANSWERED),
        (lambda: consulting().agent_hangs_up(), Ended.ANSWERED),
        (lambda: connected(("ana",)).agent_hangs_up(), Ended.TALKED),
        (lambda: offering(("ana",)).lead_hangs_up(), Ended.WITHDRAWN),
        (lambda: offering(("ana",)).then(ev.AgentHungUp, **hung_up(Outcome.BUSY)), Ended.WITHDRAWN),
    ],
)
def test_given_an_end_then_what_follows_for_the_agent(history, how):
    assert ended(history().handoff, "ana") is how


@pytest.mark.parametrize(
    ("digits", "how"), [("", Ended.MISSED), ("4", Ended.ANSWERED), ("9", Ended.ANSWERED)]
)
def test_given_no_decision_then_nobody_was_there_unless_they_pressed_something(digits, how):
    history = briefing(("ana",))
    for digit in digits:
        history.then(ev.DigitPressed, offer=1, digit=digit)
    while history.handoff.offer(1).state.open:
        history.wait()
    assert history.handoff.offer(1).state is OfferState.NO_DECISION
    assert ended(history.handoff, "ana") is how


def test_given_the_lead_left_before_an_accept_could_be_joined_then_the_agent_has_answered():
    assert ended(introducing(("ana",)).lead_hangs_up().handoff, "ana") is Ended.WITHDRAWN


# -- as routing sees it --------------------------------------------------------------------------------------


def test_given_a_lead_who_waits_then_routing_knows_whom_not_to_ask_again():
    history = offering(("ana", "ben", "cy"))
    history.then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER))
    one = seeker(history.handoff, sticky="cy")
    assert one is not None
    assert (one.tried, one.ringing, one.sticky) == (frozenset({"ana"}), frozenset({"ben", "cy"}), "cy")
    assert [agent.id for agent in one.roster] == ["ana", "ben", "cy"]
    assert (one.since, one.until) == (1000.0, 1000.0)


def test_given_the_hold_budget_is_shorter_then_nobody_is_waited_for_longer():
    one = seeker(History(policy=policy(routing=WAITS, hold_seconds=20.0)).handoff)
    assert one is not None and one.until == 1020.0


def test_given_the_winner_vanished_then_those_who_lost_are_waited_for_even_by_a_team_that_does_not_wait():
    history = introducing().agent_hangs_up()
    one = seeker(history.handoff)
    assert one is not None and one.until == history.at + AGAIN_SECONDS


@pytest.mark.parametrize(
    "history",
    [
        introducing,
        connected,
        lambda: waiting().lead_hangs_up(),
        lambda: History(refusal=Refusal(Status.NOCONSENT, "no")),
    ],
)
def test_given_no_agent_is_sought_then_routing_has_nothing_to_do(history):
    assert seeker(history().handoff) is None


def test_given_a_qualifier_who_hung_up_then_agents_are_sought_on():
    assert seeker(blonde().handoff) is not None
