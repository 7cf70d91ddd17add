"""The talk, its end, and what must be cleared up after any end."""

from __future__ import annotations

import itertools

import pytest
from property.history import History, briefing, connected, hung_up, offering

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import CheckLegs, CloseBridge, HangUpAgent
from asterisk_warm.core.handoff.model import LeadIs, Playing
from asterisk_warm.core.handoff.states import State


def let_go(**changes) -> History:
    """Both have left for Asterisk's own bridge, and the losers' legs are gone."""
    history = connected(**changes).then(ev.LeadLeft).then(ev.AgentLeft, offer=1).then(ev.BridgeClosed)
    return history.then(ev.AgentHungUp, **hung_up(offer=2)).then(ev.AgentHungUp, **hung_up(offer=3))


def test_given_they_are_let_go_then_both_may_leave_in_either_order_and_our_bridge_goes():
    history = connected().then(ev.LeadLeft)
    assert history.commands == (), "the agent is still in the bridge, or has not been told as left"
    assert history.then(ev.AgentLeft, offer=1).commands == (CloseBridge(),)
    history = connected().then(ev.AgentLeft, offer=1).then(ev.LeadLeft).then(ev.BridgeClosed)
    assert history.handoff.state is State.CONNECTED
    assert history.then(ev.AgentLeft, offer=1).commands == ()


def test_given_the_lead_hangs_up_then_it_is_complete_and_the_agent_is_hung_up():
    history = let_go().then(ev.LeadHungUp, cause="normal clearing", later=60.0)
    assert history.handoff.state is State.COMPLETED
    assert history.handoff.reason == "the lead hung up (normal clearing)"
    assert history.commands == (HangUpAgent(1),)
    history.then(ev.AgentHungUp, **hung_up())
    assert history.handoff.settled and history.decision.deadline is None


def test_given_the_agent_hangs_up_then_the_lead_goes_on_out_of_asterisks_own_bridge():
    history = let_go().then(ev.AgentHungUp, **hung_up())
    assert history.handoff.state is State.COMPLETED
    assert history.handoff.lead_is is LeadIs.LEFT
    assert history.commands == () and history.handoff.settled


@pytest.mark.parametrize("failed", [False, True])
def test_given_the_agent_hangs_up_before_they_are_let_go_then_the_lead_is_sent_on(failed):
    """To have been ordered to let go is not to have let go: else the lead would stay in silence."""
    history = connected()
    if failed:
        history.then(ev.CommandFailed, command="LetGo", offer=1, error="409")
    history.then(ev.AgentHungUp, **hung_up())
    assert history.handoff.state is State.COMPLETED
    assert history.told()["WARM_STATUS"] == "CONNECTED"
    assert history.told()["WARM_CAUSE"] == "Ana hung up (hung up)"
    assert history.kinds == ["ReturnLead"], "the lead is still in the bridge"
    assert history.then(ev.LeadLeft).commands == (CloseBridge(),)


def test_given_both_hang_up_in_either_order_then_it_is_complete_once():
    for first, second in [("lead", "agent"), ("agent", "lead")]:
        history = let_go()
        for who in (first, second):
            if who == "lead":
                history.then(ev.LeadHungUp, cause="normal clearing")
            else:
                history.then(ev.AgentHungUp, **hung_up())
        assert history.handoff.state is State.COMPLETED and history.handoff.settled
        assert history.handoff.reason.startswith("the lead" if first == "lead" else "Ana")


def test_given_letting_go_fails_then_they_talk_on_in_our_bridge_and_asterisk_is_read():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409")
    assert history.handoff.state is State.CONNECTED
    assert history.commands == (CheckLegs(),)
    assert history.then(ev.CommandFailed, command="HangUpAgent", offer=2, error="409").commands == ()


def test_given_letting_go_failed_when_the_lead_is_moved_then_the_agent_does_not_stay_alone():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409").then(ev.LeadLeft)
    assert history.handoff.state is State.COMPLETED
    assert history.commands == (HangUpAgent(1), CloseBridge())


def test_given_letting_go_failed_when_the_agent_is_moved_then_the_lead_is_sent_on():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409")
    history.then(ev.AgentLeft, offer=1)
    assert history.handoff.state is State.COMPLETED
    assert history.told()["WARM_CAUSE"] == "Ana hung up (moved to another call)"


def test_given_a_loser_is_moved_during_the_talk_then_the_talk_goes_on():
    history = connected().then(ev.AgentLeft, offer=2)
    assert history.handoff.state is State.CONNECTED
    assert not history.handoff.offer(2).leg_open


def test_given_a_long_talk_then_it_is_compared_with_asterisk_each_minute():
    history = let_go()
    start = history.at
    assert history.wait().commands == (CheckLegs(),)
    assert history.wait().commands == (CheckLegs(),)
    assert history.at - start == 120.0


def test_given_a_losers_hangup_is_due_during_the_talk_then_it_is_ordered_again_without_a_check():
    assert connected().wait().commands == (HangUpAgent(2), HangUpAgent(3))


# -- after any end -------------------------------------------------------------------------------------------


def returned() -> History:
    return briefing().then(ev.CancelRequested, by="the API")


def test_given_the_end_then_the_lead_goes_first_and_everybody_is_told():
    assert returned().kinds == ["ReturnLead", "PlayToAgent", "HangUpAgent", "HangUpAgent"]


def test_given_everything_is_confirmed_then_it_is_settled_and_nothing_more_is_awaited():
    history = returned().then(ev.LeadLeft)
    assert history.commands == (CloseBridge(),)
    history.then(ev.BridgeClosed).then(ev.PlaybackEnded, what=Playing.FAREWELL, number=1)
    assert history.commands == (HangUpAgent(1),)
    for number in (1, 2, 3):
        assert not history.handoff.settled
        history.then(ev.AgentHungUp, **hung_up(offer=number))
    assert history.handoff.settled
    assert history.decision.deadline is None


def test_given_the_lead_hangs_up_after_the_end_then_leaving_says_nothing_more():
    history = returned().then(ev.LeadHungUp, cause="normal clearing").then(ev.BridgeClosed)
    assert history.then(ev.LeadLeft).handoff.lead_is is LeadIs.GONE


def test_given_an_agent_answers_or_is_joined_after_the_end_then_they_are_hung_up():
    history = offering().then(ev.CancelRequested, by="x")
    assert history.then(ev.AgentAnswered, offer=1).commands == (HangUpAgent(1),)
    assert history.then(ev.AgentJoined, offer=1).commands == (HangUpAgent(1),)
    assert history.then(ev.AgentAnswered, offer=9).commands == ()
    assert returned().then(ev.AgentAnswered, offer=1).commands == (), "was on the line, and is being told"


def test_given_nothing_is_confirmed_then_all_is_ordered_again_ever_more_rarely_but_never_given_up():
    """The lead may wait out an outage of Asterisk for an hour: they are sent on when it is over."""
    history = returned()
    waits = []
    while len(waits) < 15:
        history.wait()
        if "CheckLegs" in history.kinds:
            waits.append(history.at)
            assert "ReturnLead" in history.kinds
    assert [round(b - a) for a, b in itertools.pairwise(waits)][:3] == [5, 10, 15]
    assert waits[-1] - waits[-2] == 60.0


def test_given_only_the_bridge_is_left_then_only_that_is_ordered_again():
    history = returned().then(ev.LeadLeft)
    for number in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(offer=number))
    assert history.wait().commands == (CloseBridge(), CheckLegs())


def test_given_a_winner_whose_talk_ended_then_their_hangup_is_ordered_again():
    history = let_go().then(ev.LeadHungUp, cause="normal clearing")
    assert HangUpAgent(1) in history.wait().commands


def test_given_the_lead_left_then_the_agents_farewells_have_their_time():
    history = briefing(free=("ana",)).then(ev.LeadLeft)
    assert history.handoff.state is State.ABANDONED
    assert history.handoff.lead_is is LeadIs.LEFT
    ended = history.then(ev.BridgeClosed).at
    while history.at < ended + 12.0:
        assert history.commands in ((), (CheckLegs(),)), "the farewell still plays"
        history.wait()
    assert history.commands == (HangUpAgent(1),)


def test_given_an_order_fails_after_the_end_then_its_deadline_orders_it_again():
    history = returned().then(ev.CommandFailed, command="ReturnLead", offer=None, error="500")
    assert history.commands == ()
    assert "ReturnLead" in history.wait().kinds


def test_given_the_agent_hands_the_lead_on_then_this_handoff_is_complete_and_touches_neither():
    history = let_go().then(ev.HandedOn, to="warm-2", leg="lead")
    assert (history.handoff.state, history.handoff.lead_is) == (State.COMPLETED, LeadIs.LEFT)
    assert history.handoff.reason == "the lead is handed on in warm-2"
    assert history.commands == () and history.handoff.settled
    assert history.then(ev.HandedOn, to="warm-2", leg="agent-1").commands == ()
