"""Who hangs up when, with a qualifier on the line: in each state the documented outcome, alone and as one of two
who hang up at once, in either order. The rows are those of the table in docs/handoff.md."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from property.history import (
    History,
    aside,
    at_phone,
    consulting,
    consulting_at_phone,
    introducing,
    left,
    offering,
    recalling,
    returned,
    staying,
    swapped,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LeadIs, Outcome, QualifierIs
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import State


def released() -> History:
    return offering(**with_qualifier(Mode.AUTO)).then(ev.QualifierLeft)


def accepted_staying() -> History:
    return introducing(**with_qualifier(Mode.STAY))


def accepted_aside() -> History:
    return introducing(**with_qualifier(Mode.CONSULT))


def completing() -> History:
    return consulting().asks(Action.COMPLETE)


def three_coming() -> History:
    return consulting().asks(Action.THREE_WAY)


def recall_accepted() -> History:
    answered = recalling().then(ev.AgentAnswered, offer=4, later=1.0)
    return answered.then(ev.DigitPressed, offer=4, digit="1", later=1.0)


def taking_back() -> History:
    return left().asks(Action.TAKE_BACK)


def fetching() -> History:
    answered = taking_back().then(ev.AgentAnswered, offer=4, later=1.0)
    return answered.then(ev.DigitPressed, offer=4, digit="1", later=1.0)


L, Q, A, R = "lead", "qualifier", "agent", "qualifier who is rung"
S, H, W = State, LeadIs, QualifierIs
ALONE: list[tuple[Callable[[], History], str, State, LeadIs, QualifierIs, list[str]]] = [
    (
        *(staying, L, S.ABANDONED, H.GONE, W.LEAVING),
        ["HangUpAgent", "HangUpAgent", "HangUpAgent", "ReleaseQualifier", "CloseBridge"],
    ),
    (staying, Q, S.OFFERING, H.HELD, W.GONE, ["HoldLead"]),
    (staying, A, S.OFFERING, H.WITH_QUALIFIER, W.WITH_LEAD, []),
    (released, Q, S.OFFERING, H.HELD, W.GONE, []),
    (released, A, S.OFFERING, H.HELD, W.LEFT, []),
    (
        *(accepted_staying, L, S.ABANDONED, H.GONE, W.LEAVING),
        ["HangUpAgent", "ReleaseQualifier", "CloseBridge"],
    ),
    (accepted_staying, Q, S.INTRODUCING, H.HELD, W.GONE, []),
    (
        *(accepted_staying, A, S.SEEKING, H.WITH_QUALIFIER, W.WITH_LEAD),
        [],
    ),
    (three_way, L, S.COMPLETED, H.GONE, W.WITH_AGENT, ["LetGo", "TellQualifier"]),
    (three_way, Q, S.CONNECTED, H.WITH_AGENT, W.GONE, ["LetGo"]),
    (three_way, A, S.RETURNED, H.WITH_QUALIFIER, W.WITH_LEAD, ["LetGo", "TellQualifier"]),
    (
        *(aside, L, S.ABANDONED, H.GONE, W.ASIDE),
        ["HangUpAgent", "HangUpAgent", "HangUpAgent", "TellQualifier", "CloseBridge"],
    ),
    (aside, Q, S.OFFERING, H.HELD, W.GONE, []),
    (aside, A, S.OFFERING, H.HELD, W.ASIDE, []),
    (
        *(accepted_aside, L, S.ABANDONED, H.GONE, W.ASIDE),
        ["HangUpAgent", "SetAside", "TellQualifier", "CloseBridge"],
    ),
    (accepted_aside, Q, S.INTRODUCING, H.HELD, W.GONE, ["JoinAgent"]),
    (accepted_aside, A, S.RETURNING, H.HELD, W.WITH_LEAD, ["JoinQualifier"]),
    (consulting, L, S.ABANDONED, H.GONE, W.WITH_AGENT, ["LetGo", "TellQualifier"]),
    (consulting, Q, S.INTRODUCING, H.HELD, W.GONE, ["JoinAgent"]),
    (consulting, A, S.RETURNING, H.HELD, W.WITH_LEAD, ["JoinQualifier"]),
    (swapped, L, S.ABANDONED, H.GONE, W.LEAVING, ["HangUpAgent", "ReleaseQualifier", "CloseBridge"]),
    (swapped, Q, S.INTRODUCING, H.HELD, W.GONE, ["JoinAgent"]),
    (swapped, A, S.RETURNED, H.WITH_QUALIFIER, W.WITH_LEAD, ["LetGo", "TellQualifier"]),
    (completing, L, S.ABANDONED, H.GONE, W.LEAVING, ["HangUpAgent", "CloseBridge"]),
    (completing, Q, S.INTRODUCING, H.HELD, W.GONE, []),
    (completing, A, S.SEEKING, H.HELD, W.LEAVING, ["HoldLead"]),
    (three_coming, L, S.ABANDONED, H.GONE, W.LEAVING, ["HangUpAgent", "ReleaseQualifier", "CloseBridge"]),
    (three_coming, Q, S.INTRODUCING, H.HELD, W.GONE, []),
    (three_coming, A, S.SEEKING, H.WITH_QUALIFIER, W.WITH_LEAD, []),
    (returned, L, S.ABANDONED, H.GONE, W.LEAVING, ["ReleaseQualifier", "CloseBridge"]),
    (returned, Q, S.RETURNING, H.HELD, W.GONE, ["HoldLead", "RingAgent"]),
    (recalling, L, S.ABANDONED, H.GONE, W.GONE, ["HangUpAgent", "CloseBridge"]),
    (recalling, R, S.RETURNED, H.HELD, W.GONE, ["ReturnLead"]),
    (recall_accepted, L, S.ABANDONED, H.GONE, W.GONE, ["HangUpAgent", "CloseBridge"]),
    (recall_accepted, R, S.RETURNED, H.HELD, W.GONE, ["ReturnLead"]),
    (left, L, S.COMPLETED, H.GONE, W.LEFT, ["HangUpAgent"]),
    (left, Q, S.CONNECTED, H.WITH_AGENT, W.GONE, []),
    (left, A, S.COMPLETED, H.LEFT, W.LEFT, []),
    (taking_back, L, S.COMPLETED, H.GONE, W.LEFT, ["HangUpAgent", "HangUpAgent"]),
    (taking_back, A, S.COMPLETED, H.LEFT, W.LEFT, ["HangUpAgent"]),
    (taking_back, R, S.CONNECTED, H.WITH_AGENT, W.LEFT, []),
    (fetching, L, S.COMPLETED, H.GONE, W.LEFT, ["HangUpAgent", "HangUpAgent", "CloseBridge"]),
    (fetching, A, S.COMPLETED, H.HELD, W.LEFT, ["ReturnLead", "HangUpAgent"]),
    (fetching, R, S.CONNECTED, H.WITH_AGENT, W.LEFT, []),
    (
        *(at_phone, L, S.ABANDONED, H.GONE, W.ASIDE),
        ["HangUpAgent", "HangUpAgent", "HangUpAgent", "TellQualifier", "CloseBridge"],
    ),
    (
        *(at_phone, Q, S.RETURNED, H.LEFT, W.GONE),
        ["HangUpAgent", "HangUpAgent", "HangUpAgent", "CloseBridge"],
    ),
    (at_phone, A, S.OFFERING, H.AT_PHONE, W.ASIDE, []),
    (consulting_at_phone, L, S.ABANDONED, H.GONE, W.WITH_AGENT, ["LetGo", "TellQualifier"]),
    (consulting_at_phone, Q, S.RETURNED, H.LEFT, W.GONE, ["HangUpAgent", "CloseBridge"]),
    (consulting_at_phone, A, S.RETURNED, H.LEFT, W.ASIDE, ["SetAside", "TellQualifier", "CloseBridge"]),
]


def hang_up(history: History, who: str, later: float = 1.0) -> History:
    if who == L:
        return history.lead_hangs_up(later)
    if who == Q:
        return history.qualifier_hangs_up(later)
    return history.agent_hangs_up(4 if who == R else 1, later)


@pytest.mark.parametrize(
    ("situation", "who", "state", "lead_is", "qualifier_is", "orders"),
    ALONE,
    ids=[f"{row[0].__name__}-{row[1].replace(' ', '_')}" for row in ALONE],
)
def test_given_a_situation_when_one_hangs_up_then_the_documented_outcome(
    situation, who, state, lead_is, qualifier_is, orders
):
    history = hang_up(situation(), who)
    now = history.handoff
    assert (now.state, now.lead_is, now.qualifier_is) == (state, lead_is, qualifier_is)
    assert history.kinds == orders


PAIRS: list[tuple[Callable[[], History], str, State, LeadIs]] = [
    # with the lead, whoever else it is: nobody is left
    *((s, f"{L} {Q}", S.ABANDONED, H.GONE) for s in (staying, accepted_staying, aside, accepted_aside)),
    *((s, f"{L} {Q}", S.ABANDONED, H.GONE) for s in (consulting, swapped, completing, three_coming)),
    *((s, f"{L} {A}", S.ABANDONED, H.GONE) for s in (staying, accepted_staying, aside, accepted_aside)),
    *((s, f"{L} {A}", S.ABANDONED, H.GONE) for s in (consulting, completing, three_coming)),
    (returned, f"{L} {Q}", S.ABANDONED, H.GONE),
    (three_way, f"{L} {Q}", S.COMPLETED, H.GONE),
    *((s, f"{L} {A}", S.COMPLETED, H.GONE) for s in (left, taking_back, fetching)),
    (at_phone, f"{L} {A}", S.ABANDONED, H.GONE),
    # the lead stays: held for the others, rung for, or sent on
    *((s, f"{Q} {A}", S.OFFERING, H.HELD) for s in (staying, aside)),
    *((s, f"{Q} {A}", S.SEEKING, H.HELD) for s in (accepted_staying, completing, three_coming)),
    (at_phone, f"{Q} {A}", S.RETURNED, H.LEFT),
    (consulting_at_phone, f"{Q} {A}", S.RETURNED, H.LEFT),
    (left, f"{Q} {A}", S.COMPLETED, H.LEFT),
    (fetching, f"{R} {A}", S.COMPLETED, H.HELD),
]


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("situation", "pair", "state", "lead_is"),
    PAIRS,
    ids=[f"{row[0].__name__}-{row[1].replace(' ', '_')}" for row in PAIRS],
)
def test_given_two_hang_up_at_once_in_either_order_then_the_same_outcome(
    situation, pair, state, lead_is, swap
):
    first, second = (R, A) if pair == f"{R} {A}" else pair.split(" ", 1)
    if swap:
        first, second = second, first
    history = hang_up(hang_up(situation(), first), second, later=0.005)
    assert (history.handoff.state, history.handoff.lead_is) == (state, lead_is)


@pytest.mark.parametrize(
    ("situation", "first", "second", "state", "status", "orders"),
    [
        # Hanging up first completes; the agent who is gone then is made up for by the others.
        (consulting, Q, A, S.SEEKING, None, ["HoldLead"]),
        # The agent who is gone first brings the lead back; the qualifier who is gone then is rung.
        (consulting, A, Q, S.RETURNING, "TIMEOUT", ["HoldLead", "RingAgent"]),
        (accepted_aside, A, Q, S.RETURNING, "TIMEOUT", ["HoldLead", "RingAgent"]),
        (swapped, Q, A, S.SEEKING, None, ["HoldLead"]),
        (swapped, A, Q, S.RETURNED, "TIMEOUT", ["ReturnLead"]),
        (swapped, A, L, S.RETURNED, "TIMEOUT", ["ReleaseQualifier", "CloseBridge"]),
        (three_way, Q, A, S.COMPLETED, "CONNECTED", ["ReturnLead"]),
        (three_way, A, Q, S.RETURNED, "TIMEOUT", ["ReturnLead"]),
        (three_way, A, L, S.RETURNED, "TIMEOUT", ["ReleaseQualifier", "CloseBridge"]),
        (three_way, L, A, S.COMPLETED, "CONNECTED", ["ReleaseQualifier", "CloseBridge"]),
        (three_way, L, Q, S.COMPLETED, "CONNECTED", ["HangUpAgent", "CloseBridge"]),
        (consulting, L, Q, S.ABANDONED, "ABANDONED", ["HangUpAgent", "CloseBridge"]),
        (consulting, L, A, S.ABANDONED, "ABANDONED", ["ReleaseQualifier", "CloseBridge"]),
        (recall_accepted, L, R, S.ABANDONED, "ABANDONED", []),
        (recall_accepted, R, L, S.RETURNED, "NOAGENT", ["CloseBridge"]),
        (consulting_at_phone, A, L, S.RETURNED, "TIMEOUT", ["CloseBridge"]),
    ],
)
def test_given_two_hang_up_where_the_order_tells_something_then_nobody_is_left_alone(
    situation, first, second, state, status, orders
):
    history = hang_up(hang_up(situation(), first), second, later=0.005)
    assert (history.handoff.state, history.handoff.status) == (state, status)
    assert history.kinds == orders


SITUATIONS = list(dict.fromkeys(row[0] for row in ALONE))


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("everybody", list(itertools.permutations((L, Q, A))))
def test_given_everybody_hangs_up_in_any_order_then_it_ends_and_nothing_is_left(situation, everybody):
    history = situation()
    for who in everybody:
        hang_up(history, who, later=0.005)
    for offer in history.handoff.offers:
        history.then(ev.AgentHungUp, offer=offer.number, outcome=Outcome.HUNG_UP, cause="gone")
    assert history.handoff.state.final
    history.then(ev.BridgeClosed)
    assert history.handoff.settled and history.decision.deadline is None


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("who", [L, Q, A])
def test_given_a_hangup_that_is_told_twice_then_the_second_time_nothing_happens(situation, who):
    history = hang_up(situation(), who)
    now = history.handoff
    hang_up(history, who, later=0.0)
    assert (history.handoff.state, history.handoff.lead_is) == (now.state, now.lead_is)
    assert history.kinds in ([], ["CloseBridge"])
