"""What screens and other systems are told, each thing once."""

from __future__ import annotations

from typing import Any

import pytest
from property.handoffs import policy
from property.history import (
    EVERYBODY,
    History,
    blonde,
    briefing,
    connected,
    consulting,
    hung_up,
    introducing,
    left,
    offering,
    recalling,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Outcome, Refusal, Status
from asterisk_warm.core.handoff.news import why_closed
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.wanted import still_wanted


def words(history: History, number: int = 1) -> str:
    offer = history.handoff.offer(number)
    assert offer is not None
    return why_closed(history.handoff, offer)


def test_given_agents_are_rung_then_each_screen_is_told_right_before_the_phone_rings():
    orders = offering().decision.commands
    pairs = [(n, kind) for n in (1, 2, 3) for kind in ("Tell", "RingAgent")]
    assert [(order.offer, type(order).__name__) for order in orders] == pairs  # type: ignore[attr-defined]
    assert {order.news for order in orders if isinstance(order, co.Tell)} == {co.News.MADE}


def test_given_the_offer_has_ended_before_the_screen_was_told_then_it_is_told_the_end_alone():
    history = offering()
    made = co.Tell(co.News.MADE, 1)
    assert still_wanted(history.handoff, made)
    history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY))
    assert history.news == ["offer.closed 1"]
    assert not still_wanted(history.handoff, made) and not still_wanted(
        history.handoff, co.Tell(co.News.MADE, 9)
    )
    assert still_wanted(history.handoff, co.Tell(co.News.CLOSED, 1))


def test_given_an_agent_answers_and_accepts_then_each_is_told_once():
    history = briefing()
    assert history.news == ["offer.answered 1"]
    assert history.then(ev.AgentAnswered, offer=1).news == []
    history.then(ev.AgentAnswered, offer=2).then(ev.DigitPressed, offer=1, digit="1")
    assert history.news == ["offer.accepted 1", "offer.closed 2", "offer.closed 3"]
    assert words(history, 2) == words(history, 3) == "taken by Ana"
    assert history.then(ev.DigitPressed, offer=1, digit="1").news == []


def test_given_blind_mode_then_answering_is_accepting_and_the_join_is_still_first():
    history = offering(policy=policy(Mode.BLIND)).then(ev.AgentAnswered, offer=1)
    told = ["offer.answered 1", "offer.accepted 1", "offer.closed 2", "offer.closed 3"]
    assert history.news == told and isinstance(history.decision.commands[0], co.JoinAgent)


ENDS: dict[str, tuple[type[ev.Event], dict[str, Any], str]] = {
    "declined": (ev.DigitPressed, {"offer": 1, "digit": "2"}, "pressed decline"),
    "hung up": (ev.AgentHungUp, hung_up(), "hung up"),
    "taken away": (ev.AgentLeft, {"offer": 1}, "moved to another call"),
    "failed": (ev.CommandFailed, {"command": "PlayToAgent", "offer": 1, "error": "no"}, "no"),
}


@pytest.mark.parametrize(("kind", "fields", "why"), ENDS.values(), ids=ENDS.keys())
def test_given_an_offer_ends_then_its_screen_is_told_why(kind, fields, why):
    history = briefing().then(kind, **fields)
    assert history.news == ["offer.closed 1"] and words(history) == why


def test_given_the_phone_rings_out_then_the_screen_is_told():
    history = offering(("ana",), policy=policy(comfort=0.0)).wait()
    assert history.news == ["offer.closed 1", "handoff.ended"] and words(history) == "rang out"


def test_given_the_lead_leaves_then_every_screen_is_told_and_then_that_it_has_ended():
    history = briefing().lead_hangs_up()
    closed = [f"offer.closed {n}" for n in (1, 2, 3)]
    assert history.news == [*closed, "handoff.ended"] and words(history) == "the lead left"


def test_given_the_winner_is_lost_then_their_screen_is_told_and_the_losers_are_offered_the_lead_anew():
    history = introducing().agent_hangs_up()
    assert history.news == ["offer.closed 1"]
    history.found("ben")
    assert history.news == ["offer.made 4"]


def test_given_the_talk_is_over_then_the_screen_is_told():
    history = connected()
    assert history.news == []
    assert history.lead_hangs_up().news == ["offer.closed 1", "handoff.ended"]
    assert words(history) == "the lead hung up (normal clearing)"


def test_given_the_lead_is_taken_back_from_the_agent_then_that_screen_is_told():
    history = left().asks(Action.TAKE_BACK)
    assert history.news == [], "the qualifier has no offer's screen"
    history.then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")
    assert history.then(ev.LeadSecured).news == ["offer.closed 1"]
    assert words(history) == "the qualifier took the lead back"
    assert history.then(ev.AgentJoined, offer=4).news == ["handoff.ended"]


def test_given_qualifier_and_agent_talk_on_without_the_lead_then_the_offer_is_closed():
    history = consulting().lead_hangs_up()
    assert history.handoff.state is State.ABANDONED
    assert history.news == ["offer.closed 1", "handoff.ended"]


def test_given_the_qualifier_is_rung_then_no_screen_is_told():
    history = recalling()
    assert "RingAgent" in history.kinds and "offer.made 4" not in history.news
    assert history.then(ev.AgentAnswered, offer=4).news == []
    assert blonde().news == []


def test_given_a_lead_who_is_refused_then_it_has_ended_at_once():
    history = History(refusal=Refusal(Status.NOCONSENT, "the lead has not consented"))
    assert history.news == ["handoff.ended"]
    assert history.then(ev.LeadLeft).news == []


def test_given_everybody_is_rung_then_extras_for_their_phones_are_in_the_order():
    given = policy(page="https://crm.example/{id}?n={number}&a={agent}", alert="info=lead", auto_answer=True)
    ring = offering(EVERYBODY[:1], policy=given).order(co.RingAgent)
    assert ring.page == "https://crm.example/warm-1?n=%2B15550100&a=ana"
    assert (ring.alert, ring.auto_answer) == ("info=lead", True)
    rung = recalling(page="https://crm.example/{id}", alert="info=lead", auto_answer=True).order(co.RingAgent)
    assert (rung.page, rung.alert, rung.auto_answer) == ("", "", False)
