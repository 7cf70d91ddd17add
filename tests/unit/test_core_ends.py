"""How each handoff ends: the status, the reason in words, and what the dialplan is told."""

from __future__ import annotations

import pytest
from property.history import EVERYBODY, History, briefing, hung_up, offering, seeking

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import ReturnLead
from asterisk_warm.core.handoff.model import Outcome, Refusal, ReturnPlace, Status
from asterisk_warm.core.handoff.states import State


def ended(history: History, state: State, status: str, cause: str) -> None:
    assert (history.handoff.state, history.handoff.status) == (state, status)
    assert history.handoff.reason == cause
    if state in (State.RETURNED, State.FAILED):
        assert history.told() == {
            "WARM_ID": "warm-1",
            "WARM_STATUS": status,
            "WARM_AGENT": "",
            "WARM_CAUSE": cause,
            "WARM_GAP_MS": "",
        }


def all_end(*outcomes: Outcome) -> History:
    history = offering(EVERYBODY[: len(outcomes)])
    for number, outcome in enumerate(outcomes, 1):
        history.then(ev.AgentHungUp, **hung_up(outcome, number))
    return history


def test_given_nobody_is_free_then_no_agent_with_each_reason():
    history = offering(free=())
    ended(
        history,
        State.RETURNED,
        "NOAGENT",
        "Ana was not rung (in a call); Ben was not rung (in a call); Cy was not rung (in a call)",
    )


def test_given_a_team_without_agents_then_that_is_the_reason():
    history = seeking(agents=()).then(ev.SpeechReady).then(ev.AgentsFound, free=(), not_free=())
    ended(history, State.RETURNED, "NOAGENT", "there is nobody to ring under Sales")


@pytest.mark.parametrize(
    ("outcomes", "status", "cause"),
    [
        (
            (Outcome.BUSY,),
            "NOAGENT",
            "Ana was busy; Ben was not rung (in a call); Cy was not rung (in a call)",
        ),
        (
            (Outcome.UNREACHABLE, Outcome.BUSY, Outcome.BUSY),
            "NOAGENT",
            "Ana could not be reached (unreachable); Ben was busy; Cy was busy",
        ),
        (
            (Outcome.FAILED, Outcome.FAILED, Outcome.FAILED),
            "ERROR",
            "Ana could not be rung (failed); Ben could not be rung (failed); Cy could not be rung (failed)",
        ),
        (
            (Outcome.FAILED, Outcome.BUSY, Outcome.FAILED),
            "NOAGENT",
            "Ana could not be rung (failed); Ben was busy; Cy could not be rung (failed)",
        ),
        (
            (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.UNREACHABLE),
            "TIMEOUT",
            "Ana did not answer; Ben was busy; Cy could not be reached (unreachable)",
        ),
        (
            (Outcome.NO_ANSWER, Outcome.DECLINED, Outcome.BUSY),
            "DECLINED",
            "Ana did not answer; Ben declined; Cy was busy",
        ),
        (
            (Outcome.HUNG_UP, Outcome.BUSY, Outcome.BUSY),
            "TIMEOUT",
            "Ana hung up (hung up); Ben was busy; Cy was busy",
        ),
    ],
)
def test_given_every_offer_ends_by_itself_then_a_persons_answer_tells_more_than_a_networks(
    outcomes, status, cause
):
    ended(all_end(*outcomes), State.RETURNED, status, cause)


def test_given_an_agent_hangs_up_during_the_briefing_then_whatever_the_network_calls_it_they_hung_up():
    history = briefing(free=("ana",)).then(ev.AgentHungUp, **hung_up(Outcome.BUSY))
    assert history.handoff.offer(1).state == "GONE"
    assert history.handoff.status == "TIMEOUT"


def test_given_the_last_agent_declines_by_key_then_declined():
    history = briefing(free=("ana",)).then(ev.DigitPressed, offer=1, digit="2")
    assert history.handoff.status == "DECLINED"
    assert history.handoff.reason.startswith("Ana declined")


def test_given_the_last_agent_is_moved_away_then_the_lead_goes_on():
    assert briefing(free=("ana",)).then(ev.AgentLeft, offer=1).handoff.status == "TIMEOUT"


def test_given_the_last_agent_cannot_be_rung_then_an_error():
    history = offering(free=("ana",)).then(ev.CommandFailed, command="RingAgent", offer=1, error="no route")
    ended(
        history,
        State.RETURNED,
        "ERROR",
        "Ana could not be rung (no route); Ben was not rung (in a call); Cy was not rung (in a call)",
    )


def test_given_every_phone_rings_out_then_timeout():
    history = offering()
    while not history.handoff.state.final:
        history.wait()
    assert history.at == 1025.0
    ended(history, State.RETURNED, "TIMEOUT", "Ana did not answer; Ben did not answer; Cy did not answer")


def test_given_nobody_was_ever_with_the_lead_then_there_is_no_gap_to_tell_refused_or_not():
    refused = History(refusal=Refusal(Status.NOCONSENT, "no"))
    for history in (refused, seeking().then(ev.CancelRequested, by="api")):
        assert history.handoff.state is State.RETURNED and history.handoff.gap_ms is None
        assert history.told()["WARM_GAP_MS"] == ""


def test_given_a_machine_answers_and_presses_nothing_then_timeout_and_it_never_gets_the_lead():
    history = briefing(free=("ana",))
    while not history.handoff.state.final:
        history.wait()
    assert history.at == 1003.0 + 30.0
    assert history.handoff.status == "TIMEOUT"
    assert history.handoff.reason.startswith("Ana answered but pressed no key")


def test_given_the_hold_budget_is_used_up_then_timeout_with_who_was_asked():
    history = briefing().then(ev.DigitPressed, offer=1, digit="3").then(ev.DeadlinePassed, later=120.0)
    assert history.handoff.status == "TIMEOUT"
    assert history.handoff.reason == (
        "the hold budget of 120 s was used up: Ana had not decided yet; Ben had not answered yet; "
        "Cy had not answered yet"
    )


def test_given_the_hold_budget_is_used_up_before_anyone_was_rung_then_that_is_said():
    history = seeking().then(ev.DeadlinePassed, later=120.0)
    ended(history, State.RETURNED, "TIMEOUT", "the hold budget of 120 s was used up: no agent was rung yet")


@pytest.mark.parametrize("begin", [History, seeking, offering, briefing])
def test_given_the_lead_hangs_up_in_any_state_before_the_talk_then_abandoned(begin):
    history = begin().then(ev.LeadHungUp, cause="normal clearing")
    ended(history, State.ABANDONED, "ABANDONED", "the lead hung up (normal clearing)")
    assert not history.handoff.open_offers
    assert "ReturnLead" not in history.kinds


@pytest.mark.parametrize("begin", [History, seeking, offering, briefing])
def test_given_the_lead_is_taken_away_in_any_state_before_the_talk_then_abandoned(begin):
    history = begin().then(ev.LeadLeft)
    words = "the lead was taken out of the handoff by something else in Asterisk"
    ended(history, State.ABANDONED, "ABANDONED", words)


@pytest.mark.parametrize("begin", [History, seeking, offering, briefing])
def test_given_somebody_cancels_then_cancelled_with_who_it_was(begin):
    ended(begin().then(ev.CancelRequested, by="Dana"), State.RETURNED, "CANCELLED", "cancelled by Dana")


@pytest.mark.parametrize("begin", [History, seeking])
def test_given_the_beginning_fails_then_failed_and_the_lead_goes_on(begin):
    history = begin().then(ev.CommandFailed, command="SecureLead", offer=None, error="500 no")
    ended(history, State.FAILED, "ERROR", "the lead could not be taken in hand: 500 no")


def test_given_the_lead_is_not_in_hand_in_time_then_failed():
    history = History().wait()
    assert history.at == 1010.0
    ended(history, State.FAILED, "ERROR", "the lead could not be taken in hand in time")


def test_given_a_place_to_return_to_then_the_lead_goes_there():
    place = ReturnPlace("incoming", "s", 3)
    history = seeking(return_to=place).then(ev.CancelRequested, by="x")
    (order,) = history.commands
    assert isinstance(order, ReturnLead) and order.to == place
