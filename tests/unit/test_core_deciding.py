"""How long an agent may think: from the answer, and anew from the end of whatever they have asked to hear."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.handoffs import LEAD, TEMPLATES, policy
from property.history import History, briefing, left, recalling

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.model import Line, Playing
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State

LONG = replace(LEAD, more="Owns the house since the roof was new. " * 20)
"""A minute and more of details."""


def presses(history: History, digit: str, later: float = 1.0, offer: int = 1) -> History:
    return history.then(ev.DigitPressed, offer=offer, digit=digit, later=later)


def heard(history: History, later: float, offer: int = 1, failed: bool = False) -> History:
    """The latest thing that was said to them ends."""
    told = history.handoff.offer(offer)
    assert told is not None and told.briefing_number is not None
    number = told.briefing_number
    return history.then(ev.PlaybackEnded, what=Playing.BRIEFING, number=number, failed=failed, later=later)


def time_left(history: History, offer: int = 1) -> float:
    deadline = history.handoff.offers[offer - 1].deadline
    assert deadline is not None
    return deadline - history.at


def detailed(**settings: float) -> History:
    templates = replace(TEMPLATES, details="{more}")
    return briefing(lead=LONG, policy=policy(templates=templates, **{"hold_seconds": 600.0, **settings}))


# -- anew ----------------------------------------------------------------------------------------------------


def test_given_an_answer_then_the_time_counts_from_there_and_the_first_briefing_is_part_of_it():
    history = briefing()
    assert time_left(history) == 30.0
    assert time_left(heard(history, 6.0)) == 24.0


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("digit", "34")
def test_given_they_ask_to_hear_something_then_the_time_counts_anew_from_its_end(digit, failed):
    history = presses(detailed(), digit, later=20.0)
    assert time_left(history) > 30.0
    assert time_left(heard(history, 26.0, failed=failed)) == 30.0
    assert presses(history, "1", later=29.0).handoff.state is State.INTRODUCING


@pytest.mark.parametrize("digit", "345")
def test_given_they_ask_again_before_the_end_then_the_end_of_what_was_cut_short_says_nothing(digit):
    history = presses(detailed(), "4")
    history.then(ev.DigitPressed, offer=1, digit=digit, later=2.0)
    before = history.handoff
    history.then(ev.PlaybackEnded, what=Playing.BRIEFING, number=1002)
    assert history.handoff == before


def test_given_the_briefing_that_a_question_cut_short_then_its_end_sets_no_time_limit_for_the_question():
    history = presses(presses(briefing(), "3"), "5")
    assert heard(history, 0.1).handoff.offers[0].deadline is None
    assert history.handoff.asking is not None and history.decision.deadline < history.at + 30.0


def test_given_a_question_too_many_then_they_hear_so_and_have_the_full_time_after_it():
    history = presses(briefing(policy=policy(asks=1)), "5")
    history.then(ev.Recorded, number=1, reply=False, failed=True, later=5.0)
    assert presses(history, "5").order(co.PlayToAgent).media[0] == Line("no-more-questions")
    assert time_left(heard(history, 4.0)) == 30.0


# -- whose end is never told ---------------------------------------------------------------------------------


def test_given_the_end_is_never_told_then_the_time_counts_from_when_the_slowest_voice_has_said_it():
    history = presses(detailed(), "4")
    letters = len(LONG.more.strip())
    assert time_left(history) == pytest.approx(letters / wording.SLOWEST_LETTERS + 30.0, abs=2.0)
    pressed = history.at
    while history.handoff.offers[0].state is OfferState.BRIEFING:
        history.wait()
    assert history.handoff.offers[0].state is OfferState.NO_DECISION
    assert history.at - pressed == pytest.approx(letters / wording.SLOWEST_LETTERS + 30.0, abs=2.0)


@pytest.mark.parametrize(
    ("media", "least"),
    [
        ((), 0.0),
        ((Line("details"),), 10.0),
        ((Line("details", "Plan: gold"),), 10.0),
        ((Line("briefing", "word " * 60), Line("instructions", "word " * 60)), 2 * 300 / 8.0),
        ((Line("own-words", recording="warm-lead-7"), Line("instructions")), 70.0),
    ],
)
def test_given_anything_to_be_heard_then_its_longest_time_is_more_than_it_takes(media, least):
    assert wording.longest(media) >= least


# -- always an end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digit", "345")
def test_given_they_keep_pressing_then_the_hold_budget_ends_it(digit):
    history = detailed(hold_seconds=120.0)
    for _ in range(200):
        if history.handoff.state is not State.OFFERING:
            break
        if history.decision.deadline <= history.at + 2.0:
            history.wait()
        else:
            history.then(ev.DigitPressed, offer=1, digit=digit, later=2.0)
    assert (history.handoff.state, history.handoff.status, history.at) == (State.RETURNED, "TIMEOUT", 1120.0)


def test_given_a_qualifier_who_is_rung_then_they_have_one_time_to_decide_however_often_they_ask():
    history = recalling().then(ev.AgentAnswered, offer=4)
    limit = history.handoff.offers[3].deadline
    assert limit == history.at + 30.0
    presses(history, "3", offer=4)
    assert heard(history, 5.0, offer=4).handoff.offers[3].deadline == limit
    history.wait()
    assert (history.at, history.handoff.state) == (limit, State.RETURNED)
    assert history.handoff.reason.endswith("Quinn answered but did not decide")


def test_given_a_qualifier_who_is_rung_out_of_a_talk_then_their_time_ends_too():
    history = left().asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    limit = history.handoff.offers[3].deadline
    heard(presses(history, "3", offer=4), 5.0, offer=4)
    while history.handoff.offers[3].state is OfferState.BRIEFING:
        history.wait()
    assert history.at == limit and history.handoff.state is State.CONNECTED


@given(st.lists(st.tuples(st.sampled_from("3345#"), st.floats(0.1, 80.0), st.booleans()), max_size=12))
@settings(max_examples=150, deadline=None)
def test_given_any_keys_then_nobody_is_sent_away_before_their_time_and_the_hold_budget_ends_it(pressed):
    history = detailed(hold_seconds=300.0, asks=0, comfort=0.0)
    since = history.at
    for digit, later, ends in pressed:
        at = history.at + later
        while history.handoff.state is State.OFFERING and history.decision.deadline <= at:
            history.wait()
        if history.handoff.offers[0].state is not OfferState.BRIEFING:
            break
        presses(history, digit, at - history.at)
        if digit in "34":
            since = (heard(history, 0.1) if ends else history).at
    while history.handoff.offers[0].state is OfferState.BRIEFING:
        history.wait()
    assert history.at > 1299.9 or history.at - since > 29.9
    assert history.at < 1300.1


# -- in words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "words"),
    [("", "pressed no key"), ("4", "did not decide"), ("3", "did not decide"), ("9", "did not decide")],
)
def test_given_no_decision_then_it_is_told_whether_they_pressed_anything(digits, words):
    history = briefing(("ana",))
    for digit in digits:
        presses(history, digit)
    while history.handoff.offers[0].state is OfferState.BRIEFING:
        history.wait()
    assert history.handoff.offers[0].cause == words
    assert history.handoff.reason.startswith(f"Ana answered but {words}")


def test_given_they_decide_nothing_after_the_details_then_they_hear_so():
    history = heard(presses(detailed(), "4"), 26.0)
    while history.handoff.offers[0].state is OfferState.BRIEFING:
        history.wait()
    farewells = [o for o in history.commands if isinstance(o, co.PlayToAgent)]
    assert [(o.what, o.media) for o in farewells] == [(Playing.FAREWELL, (Line("no-decision"),))]
