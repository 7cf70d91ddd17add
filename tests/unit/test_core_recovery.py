"""After an outage: what Asterisk has is compared with the handoff, and the difference made good. One test per
row of the recovery table in docs/handoff.md."""

from __future__ import annotations

import pytest
from property.handoffs import AGENTS, policy
from property.history import History, briefing, connected, hung_up, introducing, offering, seeking

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LeadIs, Playing
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.wanted import still_wanted

LEAD_GONE = {"lead_present": False, "lead_in_stasis": False, "lead_in_bridge": False}
LEAD_OUT = {"lead_in_stasis": False, "lead_in_bridge": False}


# -- the lead is held ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [{}, LEAD_GONE, LEAD_OUT])
def test_given_requested_then_the_lead_is_taken_in_hand_again_which_tells_whether_they_are_there(found):
    history = History().reconciled(**found)
    assert history.handoff.state is State.REQUESTED
    assert history.kinds == ["SecureLead"]


def test_given_requested_and_a_long_outage_then_taking_the_lead_in_hand_has_its_full_time_again():
    history = History().reconciled(later=20.0)
    assert history.kinds == ["SecureLead"]
    assert history.handoff.state_deadline == 1030.0


@pytest.mark.parametrize("begin", [seeking, offering, briefing, introducing])
def test_given_the_lead_is_gone_then_abandoned_and_every_agent_dismissed(begin):
    history = begin().reconciled(**LEAD_GONE)
    assert history.handoff.state is State.ABANDONED
    assert history.handoff.lead_is is LeadIs.GONE
    assert not history.handoff.open_offers
    assert history.handoff.reason == "the lead hung up (found gone when Asterisk was read)"


@pytest.mark.parametrize("begin", [seeking, offering, briefing, introducing])
def test_given_the_lead_is_out_of_our_application_then_abandoned_without_touching_them(begin):
    history = begin().reconciled(**LEAD_OUT)
    assert history.handoff.state is State.ABANDONED
    assert history.handoff.lead_is is LeadIs.LEFT
    assert "ReturnLead" not in history.kinds


def test_given_the_lead_is_in_the_bridge_then_music_again_and_the_comfort_starts_over():
    history = seeking().reconciled(later=5.0)
    assert history.kinds == ["HoldLead"]
    assert history.handoff.comfort_at == 1025.0


def test_given_the_lead_is_not_in_the_bridge_then_they_are_taken_in_hand_again():
    assert seeking().reconciled(lead_in_bridge=False).kinds == ["SecureLead"]


def test_given_a_routine_check_then_a_held_lead_is_left_in_peace():
    assert seeking().reconciled(after_outage=False).commands == ()
    assert History().reconciled(after_outage=False).commands == ()


# -- agents are rung and briefed -----------------------------------------------------------------------------


def test_given_phones_ring_then_they_ring_on():
    history = offering().reconciled(agents_ringing=(1, 2, 3))
    assert history.kinds == ["HoldLead"]
    assert history.offer_states() == ["RINGING"] * 3


def test_given_an_agent_answered_meanwhile_then_they_are_briefed():
    history = offering().reconciled(agents_up=(2,), agents_ringing=(1, 3))
    assert history.kinds == ["HoldLead", "PlayToAgent"]
    assert history.offer_states() == ["RINGING", "BRIEFING", "RINGING"]


def test_given_an_agent_answered_meanwhile_in_blind_mode_then_they_are_joined():
    history = offering(policy=policy(Mode.BLIND)).reconciled(agents_up=(2,), agents_ringing=(1, 3))
    assert history.handoff.winner.number == 2
    assert "JoinAgent" in history.kinds


def test_given_an_agent_was_being_briefed_then_they_are_briefed_again_with_the_full_time_to_decide():
    history = briefing().reconciled(later=20.0, agents_up=(1,), agents_ringing=(2, 3))
    order = history.commands[-1]
    assert isinstance(order, co.PlayToAgent) and (order.number, order.stop) == (1002, 1001)
    assert history.handoff.offer(1).deadline > history.at + 30.0
    history.then(ev.PlaybackEnded, what=Playing.BRIEFING, number=1002, later=9.0)
    assert history.handoff.offer(1).deadline == history.at + 30.0


def test_given_a_routine_check_during_a_briefing_then_it_goes_on():
    history = briefing().reconciled(after_outage=False, agents_up=(1,), agents_ringing=(2, 3))
    assert history.commands == ()


def test_given_a_leg_is_gone_then_that_offer_ends_as_its_phone_had_it():
    history = briefing().reconciled(agents_ringing=(3,))
    assert history.offer_states() == ["GONE", "NO_ANSWER", "RINGING"]


def test_given_all_legs_are_gone_then_the_lead_goes_on():
    history = offering().reconciled()
    assert history.handoff.state is State.RETURNED
    assert history.handoff.status == "TIMEOUT"


def test_given_a_leg_is_out_of_our_application_then_it_is_left_alone():
    history = briefing().reconciled(agents_up=(1,), agents_out_of_stasis=(1,), agents_ringing=(2, 3))
    assert history.offer_states() == ["GONE", "RINGING", "RINGING"]
    assert history.kinds == ["HoldLead"]


def test_given_an_agent_who_had_declined_is_still_there_then_they_are_hung_up():
    history = briefing().then(ev.DigitPressed, offer=1, digit="2")
    history.reconciled(agents_up=(1,), agents_ringing=(2, 3))
    assert history.commands[-1] == co.HangUpAgent(1)
    again = briefing().then(ev.DigitPressed, offer=1, digit="2")
    again.reconciled(after_outage=False, agents_up=(1,), agents_ringing=(2, 3))
    assert again.commands == (), "in a routine check their farewell still plays"


# -- an agent has accepted -----------------------------------------------------------------------------------


def test_given_the_winner_is_with_the_lead_then_they_talk_the_introduction_counts_as_heard():
    history = introducing().reconciled(agents_up=(1,), agents_joined=(1,))
    assert history.handoff.state is State.CONNECTED
    assert history.kinds == ["LetGo"]


def test_given_a_routine_check_then_an_introduction_is_waited_for():
    history = introducing().reconciled(after_outage=False, agents_up=(1,), agents_joined=(1,))
    assert history.handoff.state is State.INTRODUCING
    history = introducing().reconciled(after_outage=False, agents_up=(1,))
    assert history.handoff.state is State.INTRODUCING and history.commands == ()


def test_given_the_winner_is_up_but_not_with_the_lead_then_they_are_joined_without_introduction():
    history = introducing().reconciled(agents_up=(1,), agents_ringing=(3,))
    hold, join, cancel = history.commands
    assert isinstance(hold, co.HoldLead)
    assert isinstance(join, co.JoinAgent) and join.introduction == ()
    assert cancel == co.HangUpAgent(3)
    assert history.then(ev.AgentJoined, offer=1).handoff.state is State.CONNECTED


@pytest.mark.parametrize("found", [{}, {"agents_up": (1,), "agents_out_of_stasis": (1,)}])
def test_given_the_winner_is_gone_or_moved_then_the_losers_are_asked_again_and_nobody_elses_call_is_cut(
    found,
):
    history = introducing().reconciled(**found)
    assert history.handoff.state is State.SEEKING
    assert co.HangUpAgent(1) not in history.commands


def test_given_the_winner_is_gone_and_nobody_else_was_there_then_the_lead_goes_on():
    history = introducing(free=("ana",)).reconciled()
    assert (history.handoff.state, history.kinds) == (State.SEEKING, ["HoldLead", "HoldLead"])
    assert history.found(hope=False).kinds == ["ReturnLead"]


def test_given_a_long_outage_then_the_join_has_its_full_time_again():
    history = introducing().reconciled(later=60.0, agents_up=(1,)).then(ev.DeadlinePassed)
    assert history.handoff.state is State.INTRODUCING


def test_given_offers_made_by_that_very_comparison_then_they_are_not_taken_for_gone():
    history = offering().found("ben", later=1.0).reconciled(later=0.0)
    assert history.offer_states() == ["NO_ANSWER"] * 3


# -- they talk -----------------------------------------------------------------------------------------------

TOGETHER = {"agents_up": (1,), "agents_joined": (1,)}
APART = {"agents_up": (1,), "agents_out_of_stasis": (1,), **LEAD_OUT}


def test_given_both_are_in_our_bridge_then_they_are_let_go_again():
    assert connected().reconciled(**TOGETHER).kinds == ["LetGo"]


def test_given_letting_go_had_failed_then_they_talk_on_in_our_bridge():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409")
    assert history.reconciled(after_outage=False, **TOGETHER).kinds == []


def test_given_both_are_with_us_but_do_not_hear_each_other_then_they_are_let_go():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409")
    assert history.reconciled(agents_up=(1,)).kinds == ["LetGo"]


def test_given_both_are_out_then_they_talk_without_us():
    history = connected().then(ev.CommandFailed, command="LetGo", offer=1, error="409").reconciled(**APART)
    assert history.handoff.state is State.CONNECTED
    assert history.handoff.let_go and history.handoff.lead_out
    history.then(ev.AgentHungUp, **hung_up())
    assert "ReturnLead" not in history.kinds


def test_given_the_lead_is_gone_then_complete():
    history = connected().reconciled(**LEAD_GONE, **TOGETHER)
    assert history.handoff.state is State.COMPLETED
    assert co.HangUpAgent(1) in history.commands


def test_given_the_lead_alone_is_out_then_the_agent_does_not_stay_alone():
    history = connected().reconciled(**LEAD_OUT, agents_up=(1,))
    assert history.handoff.state is State.COMPLETED
    assert history.handoff.reason == "the lead was moved to another call"
    assert co.HangUpAgent(1) in history.commands


@pytest.mark.parametrize("found", [{}, {"agents_up": (1,), "agents_out_of_stasis": (1,)}])
def test_given_the_agent_alone_is_gone_or_out_then_the_lead_is_sent_on(found):
    history = connected().reconciled(**found)
    assert history.handoff.state is State.COMPLETED
    assert "ReturnLead" in history.kinds


def test_given_the_agent_is_gone_and_the_lead_out_then_the_lead_went_on_by_themselves():
    history = connected().reconciled(**LEAD_OUT)
    assert history.handoff.state is State.COMPLETED
    assert history.handoff.lead_is is LeadIs.LEFT


# -- it has ended --------------------------------------------------------------------------------------------


def cancelled() -> History:
    return briefing().then(ev.CancelRequested, by="x")


@pytest.mark.parametrize(("found", "lead_is"), [(LEAD_GONE, LeadIs.GONE), (LEAD_OUT, LeadIs.LEFT)])
def test_given_the_end_and_the_lead_is_away_then_the_bridge_is_removed(found, lead_is):
    history = cancelled().reconciled(**found)
    assert history.handoff.lead_is is lead_is
    assert co.CloseBridge() in history.commands
    assert all(not offer.leg_open for offer in history.handoff.offers)


def test_given_the_end_and_the_lead_is_still_there_then_they_are_sent_on_in_its_time():
    history = cancelled().reconciled(agents_up=(1,), agents_ringing=(2,))
    assert history.handoff.lead_is is LeadIs.HELD and history.handoff.bridge_open
    assert history.commands == (co.HangUpAgent(1), co.HangUpAgent(2))
    assert "ReturnLead" in history.wait().kinds


def test_given_a_completed_talk_then_the_agent_in_asterisks_own_bridge_is_none_of_ours():
    history = connected().then(ev.LeadLeft).then(ev.LeadHungUp, cause="normal clearing")
    history.reconciled(**LEAD_GONE, agents_up=(1,), agents_out_of_stasis=(1,))
    assert history.handoff.offer(1).leg_open, "until it is told gone"


# -- orders that waited --------------------------------------------------------------------------------------

AGENT = AGENTS[0]
RING = co.RingAgent(1, AGENT, "", "", 25.0)
BRIEF = co.PlayToAgent(1, Playing.BRIEFING, 1001, ())
FAREWELL = co.PlayToAgent(1, Playing.FAREWELL, 1, ())
JOIN = co.JoinAgent(1, (), 1, None, None)
LET_GO = co.LetGo("lead", "agent-1", ())
COMFORT = co.PlayComfort(1, ())
MUSIC = co.HoldLead("")
SECURE = co.SecureLead("", ())
RETURN = co.ReturnLead((), None)


@pytest.mark.parametrize(
    ("order", "wanted", "unwanted"),
    [
        (RING, offering, briefing),
        (RING, offering, History),
        (RING, offering, lambda: offering().then(ev.AgentRinging, offer=1)),
        (BRIEF, briefing, introducing),
        (BRIEF, briefing, lambda: briefing().then(ev.DigitPressed, offer=1, digit="3")),
        (BRIEF, briefing, History),
        (FAREWELL, cancelled, lambda: cancelled().then(ev.AgentHungUp, **hung_up())),
        (co.HangUpAgent(1), offering, History),
        (JOIN, introducing, connected),
        (JOIN, introducing, briefing),
        (JOIN, introducing, History),
        (LET_GO, connected, lambda: connected().then(ev.LeadHungUp, cause="")),
        (LET_GO, connected, lambda: connected().then(ev.CommandFailed, command="LetGo", offer=1, error="")),
        (COMFORT, lambda: offering().wait(), offering),
        (MUSIC, offering, lambda: offering().wait()),
        (MUSIC, offering, cancelled),
        (MUSIC, offering, connected),
        (SECURE, History, lambda: History().then(ev.LeadHungUp, cause="")),
        (co.PrepareSpeech(()), seeking, cancelled),
        (RETURN, cancelled, lambda: cancelled().then(ev.LeadLeft)),
        (co.CloseBridge(), cancelled, lambda: cancelled().then(ev.LeadLeft).then(ev.BridgeClosed)),
        (co.CheckLegs(), connected, lambda: History().then(ev.LeadHungUp, cause="").then(ev.BridgeClosed)),
    ],
)
def test_given_an_order_that_waited_then_it_is_carried_out_only_if_it_still_makes_sense(
    order, wanted, unwanted
):
    assert still_wanted(wanted().handoff, order)
    assert not still_wanted(unwanted().handoff, order)


def test_given_a_leg_that_came_back_then_a_lost_offer_is_not_reopened():
    history = introducing().reconciled(agents_up=(1, 2), agents_joined=(1,))
    assert history.handoff.offer(2).state is OfferState.LOST
    assert co.HangUpAgent(2) in history.commands
