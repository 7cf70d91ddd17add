"""The machine as a whole: total, deterministic, true to its invariants whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.handoffs import kinds, request, requests, stamp

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import (
    Command,
    JoinAgent,
    News,
    PlayComfort,
    PlayToAgent,
    PutQuestion,
    RingAgent,
    StartConsult,
    Tell,
)
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import Asked, Handoff, LeadIs, Line, Outcome, Playing
from asterisk_warm.core.handoff.moves.offering import untried
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.story import Chapter, tell
from asterisk_warm.core.handoff.table import TABLE
from asterisk_warm.core.handoff.transition import Decision, begin, transition

steps = st.lists(st.tuples(kinds, st.sampled_from([0.0, 0.001, 1.0, 13.0, 26.0, 61.0])), max_size=40)

Told = tuple[type[ev.Event], dict[str, Any]]


def _told(kind: type[ev.Event], **fields: Any) -> Told:
    return kind, fields


def _asked(action: Action) -> Told:
    return _told(ev.QualifierAsked, action=action, by="api")


_SECURED = _told(ev.LeadSecured)
_FOUND = [
    _told(ev.LeadFound),
    _told(ev.SpeechReady),
    _told(ev.AgentsFound, free=("ana", "ben", "cy"), not_free=()),
]
_BRIEFED = [*_FOUND, _told(ev.AgentAnswered, offer=1)]
_ASKING = [
    _told(ev.DigitPressed, offer=1, digit="5"),
    _told(ev.Recorded, number=1, reply=False),
    _told(ev.PlaybackEnded, what=Playing.QUESTION, number=1),
    _told(ev.Recorded, number=1, reply=True),
]
_ACCEPTED = [*_BRIEFED, _told(ev.DigitPressed, offer=1, digit="1")]
_JOINED = [*_ACCEPTED, _told(ev.AgentJoined, offer=1)]
_CONSULTING = [*_ACCEPTED, _told(ev.ConsultStarted, offer=1)]
_SWAPPED = [*_CONSULTING, _asked(Action.SWAP), _told(ev.QualifierJoined)]
_THREE = [*_CONSULTING, _asked(Action.THREE_WAY), _told(ev.QualifierJoined), _told(ev.AgentJoined, offer=1)]
_CONNECTED = [
    *_JOINED,
    _told(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1),
    _asked(Action.COMPLETE),
    _told(ev.QualifierLeft),
    _told(ev.LeadLeft),
    _told(ev.AgentLeft, offer=1),
]
_RECALLED = [*_CONNECTED, _asked(Action.TAKE_BACK), _told(ev.AgentAnswered, offer=4)]
_FETCHING = [*_RECALLED, _told(ev.DigitPressed, offer=4, digit="1")]
_BLONDE = [*_FOUND, _told(ev.QualifierHungUp, cause="normal clearing")]
_ASKED = [[*_BRIEFED, *_ASKING[:steps]] for steps in range(1, 5)]
_ASKED_ALONE = [[*opening, _told(ev.QualifierHungUp, cause="normal clearing")] for opening in _ASKED]
_NOBODY = [
    *_BLONDE,
    *(_told(ev.AgentHungUp, offer=n, outcome=Outcome.BUSY, cause="busy") for n in (1, 2, 3)),
    _told(ev.AgentAnswered, offer=4),
]
# A prefix that most handoffs go through, so that the sequences reach the later states often.
openings = st.sampled_from(
    [
        [],
        [_SECURED],
        *(
            [_SECURED, *opening]
            for opening in (
                *(_FOUND, _BRIEFED, _ACCEPTED, _JOINED, _CONSULTING, _SWAPPED, _THREE, _CONNECTED),
                *(*_ASKED, *_ASKED, *_ASKED_ALONE),
                *([*_BLONDE, _told(ev.AgentAnswered, offer=1), *_ASKING[:steps]] for steps in (2, 3)),
                *(_RECALLED, _FETCHING, [*_FETCHING, _SECURED], _BLONDE, _NOBODY),
                [*_NOBODY, _told(ev.DigitPressed, offer=4, digit="1")],
                [*_CONSULTING, _asked(Action.TAKE_BACK)],
                [*_JOINED, _asked(Action.TAKE_BACK)],
            )
        ),
    ]
)


def sequence(opening: list[Told], rest: list, repeats: list[int]) -> list[ev.Event]:
    at = 1000.0
    events: list[ev.Event] = []
    for kind, fields in opening:
        at += 0.25
        events.append(kind(**stamp(at), **fields))
    for (kind, fields), later in rest:
        at += later
        events.append(kind(**stamp(at), **fields))
    for index in repeats:
        if events:
            events.append(replace(events[index % len(events)]))
    return events


def run(
    first: ev.HandoffRequested, events: list[ev.Event]
) -> list[tuple[ev.Event, Handoff | None, Decision]]:
    decision = begin(first)
    trail: list[tuple[ev.Event, Handoff | None, Decision]] = [(first, None, decision)]
    for event in events:
        before = decision.handoff
        decision = transition(before, event)
        trail.append((event, before, decision))
    return trail


@given(requests, openings, steps, st.lists(st.integers(0, 50), max_size=5))
@settings(max_examples=600, deadline=None)
def test_given_any_events_then_the_invariants_hold_and_moves_are_in_the_table(first, opening, rest, repeats):
    for event, before, decision in run(first, sequence(opening, rest, repeats)):
        assert violations(decision.handoff) == []
        if before is None:
            continue
        row = TABLE[before.state].get(type(event))
        allowed = {before.state} | (set(row.to) if row else set())
        assert decision.handoff.state in allowed, (before.state, type(event).__name__, decision.handoff.state)
        if before.state.final:
            assert decision.handoff.state is before.state
        if decision.handoff.lead_is in (LeadIs.GONE, LeadIs.LEFT):
            assert not any(isinstance(c, RingAgent) for c in decision.commands)


@given(requests, openings, steps)
@settings(max_examples=200, deadline=None)
def test_given_the_same_events_then_the_same_decisions(first, opening, rest):
    events = sequence(opening, rest, [])
    assert [d for _, _, d in run(first, events)] == [d for _, _, d in run(first, events)]


@given(requests, openings, steps)
@settings(max_examples=200, deadline=None)
def test_given_any_event_repeated_at_once_then_it_orders_nothing_twice(first, opening, rest):
    """Facts may be told twice (events, then reading Asterisk); orders that ring or join must not double."""
    for event, before, decision in run(first, sequence(opening, rest, [])):
        if before is None or isinstance(event, _MEANT_ANEW):
            continue
        again = transition(decision.handoff, event)
        doubled = {type(c).__name__ for c in again.commands} & _ONCE
        assert not doubled, (event, doubled)


@given(requests, openings, steps, st.lists(st.integers(0, 50), max_size=5))
@settings(max_examples=300, deadline=None)
def test_given_any_history_then_each_screen_is_told_each_thing_once_and_in_order(
    first, opening, rest, repeats
):
    trail = run(first, sequence(opening, rest, repeats))
    told: dict[int | None, list[News]] = {}
    for _, _, decision in trail:
        for order in decision.commands:
            if isinstance(order, Tell):
                told.setdefault(order.offer, []).append(order.news)
    handoff = trail[-1][2].handoff
    order_of = list(News)
    for offer, news in told.items():
        assert news == sorted(set(news), key=order_of.index), (offer, news)
    for offer in handoff.offers:
        news = told.get(offer.number, [])
        assert offer.recall is not (News.MADE in news)
        assert (News.CLOSED in news) or offer.recall or not handoff.state.final
    assert (News.ENDED in told.get(None, [])) is handoff.state.final


@given(requests, openings, steps, st.lists(st.integers(0, 50), max_size=5))
@settings(max_examples=400, deadline=None)
def test_given_any_history_then_briefing_and_reply_are_for_that_agent_alone_and_joining_is_first(
    first, opening, rest, repeats
):
    """And the lead hears no question once somebody has accepted, nor music or comfort beside it."""
    askers: dict[int, int] = {}
    for _, before, decision in run(first, sequence(opening, rest, repeats)):
        handoff = decision.handoff
        if handoff.asking is not None:
            asker = askers.setdefault(handoff.asking.number, handoff.asking.offer)
            assert asker == handoff.asking.offer
        for place, order in enumerate(decision.commands):
            replies = [line for line in _said(order) if "-reply-" in line.recording]
            assert not replies or (isinstance(order, PlayToAgent) and order.offer == askers[order.number])
            if isinstance(order, PutQuestion):
                prompts = {line.prompt for line in order.media}
                assert not prompts & {"briefing", "details", "own-words"}
            if isinstance(order, JoinAgent | StartConsult) and before is not None:
                assert place == 0 or handoff.state is State.RETURNING or _makes_way(decision.commands[:place])
                was = before.asking
                assert order.stop_question == (
                    was.number if was is not None and before.winner is None else None
                )
            if isinstance(order, PlayComfort):
                assert not handoff.lead_asked


def _said(order: Command) -> tuple[Line, ...]:
    return getattr(order, "media", ()) + getattr(order, "introduction", ())


def _makes_way(orders: tuple[Command, ...]) -> bool:
    """What brings the lead to where somebody is joined to them."""
    makes_way = {
        "TakeOver",
        "SecureLead",
        "HoldLead",
        "TellPhone",
        "JoinQualifier",
        "SetAside",
        "DropQuestion",
    }
    return {type(order).__name__ for order in orders} <= makes_way


@given(requests, openings, steps)
@settings(max_examples=200, deadline=None)
def test_given_a_question_is_under_way_then_it_ends_in_bounded_time_and_the_agent_can_decide(
    first, opening, rest
):
    event, _, decision = run(first, sequence(opening, rest, []))[-1]
    at, steps_taken = event.at, 0
    while (asking := decision.handoff.asking) is not None:
        steps_taken += decision.deadline == asking.deadline
        assert steps_taken <= 1, "each step of it is given up, and with it the question"
        at = max(at, decision.deadline or at)
        decision = transition(decision.handoff, ev.DeadlinePassed(**stamp(at)))
    assert violations(decision.handoff) == []
    assert not decision.handoff.lead_asked


def test_given_the_openings_then_they_reach_every_step_of_a_question():
    reached = set()
    for opening in _ASKED:
        handoff = run(request(), sequence([_SECURED, *opening], [], []))[-1][2].handoff
        assert handoff.asking is not None
        reached.add(handoff.asking.step)
    assert reached == set(Asked)


_MEANT_ANEW = (
    *(ev.DeadlinePassed, ev.Reconciled, ev.CommandFailed),
    *(ev.DigitPressed, ev.QualifierPressed, ev.QualifierAsked),
)
_ONCE = {
    *("RingAgent", "JoinAgent", "ReturnLead", "TakeOver", "LetGo"),
    *("SetAside", "JoinQualifier", "StartConsult", "ReleaseQualifier", "TellPhone", "LogQueue"),
    *("LookUpLead", "Tell", "RecordQuestion", "PutQuestion", "RecordReply"),
}


@given(requests, openings, steps)
@settings(max_examples=300, deadline=None)
def test_given_nothing_more_happens_then_time_alone_ends_every_handoff_but_a_talk(first, opening, rest):
    """Bounded time, with an Asterisk that never answers again: then what is left is ordered away for ever."""
    event, _, decision = run(first, sequence(opening, rest, []))[-1]
    at = event.at
    end = max(decision.handoff.hold_until, decision.deadline or 0.0) + 800
    while decision.deadline is not None and decision.deadline < end:
        if decision.handoff.state.final or decision.handoff.state is State.CONNECTED:
            break
        at = max(at, decision.deadline)
        for _ in range(4):
            if decision.deadline is not None and decision.deadline <= at:
                decision = transition(decision.handoff, ev.DeadlinePassed(**stamp(at)))
        assert decision.deadline is None or decision.deadline > at, "time has come, and nothing came of it"
    assert decision.handoff.state.final or decision.handoff.state is State.CONNECTED
    for _ in range(20):
        if decision.handoff.settled or not decision.handoff.state.final:
            break
        assert decision.deadline is not None
        decision = transition(decision.handoff, ev.DeadlinePassed(**stamp(decision.deadline)))
        assert decision.deadline is None or decision.deadline > end - 4000


@given(requests, openings, steps)
@settings(max_examples=200, deadline=None)
def test_given_any_history_then_the_story_can_be_told(first, opening, rest):
    chapters = [Chapter(e, b, d.handoff, d.commands) for e, b, d in run(first, sequence(opening, rest, []))]
    told = tell(chapters)
    assert told and all(line.who and line.text for line in told)


@pytest.mark.parametrize("state", list(State))
def test_given_each_state_when_each_kind_of_event_comes_then_there_is_an_answer(state):
    """Total: an event that a state does not list is recorded and changes nothing."""
    handoff = replace(begin(request()).handoff, state=state)
    if state.final:
        handoff = replace(handoff, status=None)
    listed = TABLE[state]
    unlisted = [kind for kind in _every_event() if kind not in listed]
    for kind in unlisted:
        event = kind(**stamp(1001.0), **_minimal(kind))
        assert transition(handoff, event).handoff == handoff
        assert transition(handoff, event).commands == ()


def test_given_the_table_then_every_state_has_rows_and_final_states_lead_nowhere():
    assert set(TABLE) == set(State)
    for state, rows in TABLE.items():
        assert rows
        if state.final:
            assert not any(row.to for row in rows.values())


def _every_event() -> list[type[ev.Event]]:
    return [kind for kind in ev.Event.__subclasses__() if kind is not ev.HandoffRequested]


def _minimal(kind: type[ev.Event]) -> dict[str, object]:
    values: dict[str, object] = {
        "offer": 1,
        "cause": "",
        "digit": "1",
        "by": "x",
        "free": (),
        "not_free": (),
        "error": "",
        "command": "X",
        "number": 1,
        "what": "briefing",
        "outcome": "failed",
        "after_outage": False,
        "action": Action.COMPLETE,
        "leg": "lead",
        "channel": "x",
        "to": "warm-2",
    }
    names = [n for n in kind.__dataclass_fields__ if n not in ("at", "event_id", "failed", "fallback")]
    return {n: values.get(n, () if n.startswith("agents") else False) for n in names}


def test_given_the_winner_vanishes_when_joining_then_the_losers_are_asked_again():
    events = sequence([_SECURED, *_ACCEPTED], [], [])
    handoff = run(request(), events)[-1][2].handoff
    gone = ev.AgentHungUp(**stamp(1001.0), offer=1, outcome="hung_up", cause="bye")
    decision = transition(handoff, gone)
    assert decision.handoff.state is State.SEEKING
    assert [agent.id for agent in untried(decision.handoff)] == ["ben", "cy"]
    assert decision.handoff.offer(1).state is OfferState.GONE
