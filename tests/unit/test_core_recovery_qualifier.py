"""What is done after an outage, or after a routine look, with a qualifier on the line."""

from __future__ import annotations

from typing import Any

import pytest
from property.history import (
    EVERYBODY,
    History,
    aside,
    at_phone,
    consulting,
    consulting_at_phone,
    hung_up,
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

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LeadIs, Outcome, QualifierIs, Status
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import OfferState, State

GONE = {"qualifier_present": False, "qualifier_in_stasis": False}
OUT = {"qualifier_present": True, "qualifier_in_stasis": False}
NOWHERE = {"qualifier_with_lead": False, "qualifier_with_agent": False}
LEAD_GONE = {"lead_present": False, "lead_in_stasis": False, "lead_in_bridge": False}
LEAD_OUT = {"lead_in_stasis": False, "lead_in_bridge": False}
ANA_UP = {"agents_up": (1,)}
ANA_CONSULTED = {"agents_up": (1,), "agents_consulted": (1,)}
ANA_JOINED = {"agents_up": (1,), "agents_joined": (1,)}
ANA_OUT = {"agents_up": (1,), "agents_out_of_stasis": (1,)}
RINGING = {"agents_ringing": (1, 2, 3)}


def look(history: History, **found: Any) -> History:
    """A routine check, which orders nothing anew."""
    return history.reconciled(**{"after_outage": False, **found})


# -- REQUESTED -----------------------------------------------------------------------------------------------


def test_given_a_take_over_under_way_then_it_is_ordered_again_with_its_full_time():
    history = History(**with_qualifier(Mode.STAY)).reconciled(later=6.0, **LEAD_OUT, **OUT)
    assert history.kinds == ["TakeOver"]
    assert history.handoff.state_deadline == history.at + 10.0
    history = look(History(**with_qualifier(Mode.STAY)), **LEAD_OUT, **OUT)
    assert (history.handoff.state, history.commands) == (State.REQUESTED, ())


def test_given_the_qualifier_is_gone_then_the_lead_is_taken_in_hand_alone():
    history = History(**with_qualifier(Mode.STAY)).reconciled(**GONE)
    assert history.kinds == ["SecureLead"]
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (LeadIs.HELD, QualifierIs.GONE)
    assert history.then(ev.LeadSecured).kinds == ["HoldLead"]
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up().reconciled(**GONE)
    assert history.kinds == ["SecureLead"]


def test_given_a_lead_on_the_way_to_us_alone_then_they_are_fetched_again():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up().then(ev.CancelRequested, by="cli")
    history.reconciled(**LEAD_OUT, **GONE, agents_ringing=(1,))
    assert (history.handoff.state, history.kinds) == (State.RETURNING, ["SecureLead"])
    assert history.handoff.fetching


# -- SEEKING, OFFERING ---------------------------------------------------------------------------------------


def test_given_all_is_as_thought_then_only_what_may_have_stopped_is_ordered_again():
    assert staying().reconciled(**RINGING).commands == ()
    assert aside().reconciled(**RINGING).kinds == ["HoldLead", "SetAside"]
    assert at_phone().reconciled(**RINGING, **LEAD_OUT).kinds == ["SetAside"]
    for told in (staying, aside):
        assert look(told(), **RINGING).commands == ()
    assert look(at_phone(), **RINGING, **LEAD_OUT).commands == ()


@pytest.mark.parametrize("found", [GONE, OUT])
def test_given_the_qualifier_is_gone_or_out_then_the_lead_is_held_for_whoever_accepts(found):
    history = staying().reconciled(**RINGING, **found)
    assert (history.handoff.state, history.handoff.lead_is) == (State.OFFERING, LeadIs.HELD)
    assert history.kinds == ["HoldLead"]
    where = QualifierIs.GONE if found is GONE else QualifierIs.LEFT
    assert history.handoff.qualifier_is is where
    assert look(aside(), **RINGING, **found).handoff.qualifier_is is where


@pytest.mark.parametrize("found", [GONE, OUT])
def test_given_the_qualifier_is_gone_and_has_the_lead_at_their_phone_then_it_ends(found):
    history = at_phone().reconciled(**RINGING, **LEAD_OUT, **found)
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.CANCELLED)


def test_given_the_qualifier_is_not_with_the_lead_then_they_are_joined_again():
    history = staying().reconciled(**RINGING, **NOWHERE)
    assert history.kinds == ["JoinQualifier"]
    assert history.handoff.state_deadline is None, "the state has no limit of its own"
    assert look(staying(), **RINGING, **NOWHERE).commands == ()


def test_given_the_qualifier_was_told_to_go_then_again_or_seen_gone():
    history = offering(**with_qualifier(Mode.AUTO))
    still_here = {"qualifier_present": True, "qualifier_in_stasis": True}
    assert "ReleaseQualifier" in history.reconciled(**RINGING, **still_here).kinds
    assert history.reconciled(**RINGING, **OUT).handoff.qualifier_is is QualifierIs.LEFT
    assert history.reconciled(**RINGING, **GONE).handoff.qualifier_is is QualifierIs.LEFT


def test_given_the_lead_is_gone_then_a_qualifier_who_waits_is_told():
    history = aside().reconciled(**RINGING, **LEAD_GONE)
    assert history.handoff.state is State.ABANDONED
    assert "TellQualifier" in history.kinds


def test_given_a_lead_who_is_being_fetched_then_that_is_ordered_again_and_they_are_not_taken_for_lost():
    history = at_phone().keys("*2").reconciled(**RINGING, **LEAD_OUT, **OUT)
    assert history.handoff.state is State.OFFERING
    assert history.kinds == ["TakeOver", "HoldLead"]
    history.reconciled(**RINGING, lead_in_bridge=False)
    assert history.kinds == ["SecureLead"], "they came, but were not put in the bridge"
    assert not history.handoff.fetching
    history.reconciled(**RINGING, **LEAD_OUT)
    assert history.handoff.state is State.ABANDONED, "now they are lost"


# -- CONSULTING ----------------------------------------------------------------------------------------------


def accepted() -> History:
    return introducing(**with_qualifier(Mode.CONSULT))


def test_given_the_two_are_together_then_the_consult_goes_on():
    history = accepted().reconciled(**ANA_CONSULTED)
    assert history.handoff.consulted
    assert [kind for kind in history.kinds if kind != "HangUpAgent"] == ["HoldLead", *["ShowParty"] * 2]
    assert consulting().reconciled(**ANA_CONSULTED).kinds == ["HoldLead"]


def test_given_the_two_are_not_together_then_they_are_brought_together():
    for found in ({**ANA_UP}, {**ANA_CONSULTED, **NOWHERE}):
        history = consulting().reconciled(**found)
        assert history.kinds == ["HoldLead", "StartConsult"]
    assert look(accepted(), **ANA_UP).commands == ()


def test_given_the_agent_is_gone_then_the_lead_is_back_with_the_qualifier():
    history = consulting().reconciled()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNING, Status.TIMEOUT)
    assert history.kinds == ["HoldLead", "JoinQualifier"]
    history = consulting().reconciled(**ANA_OUT)
    assert history.handoff.reason == "Ana hung up (moved to another call)"


@pytest.mark.parametrize("found", [GONE, OUT])
def test_given_the_qualifier_is_gone_then_the_agent_goes_to_the_lead(found):
    history = consulting().reconciled(**ANA_CONSULTED, **found)
    assert (history.handoff.state, history.kinds) == (State.INTRODUCING, ["HoldLead", "JoinAgent"])


def test_given_both_are_gone_then_the_others_are_asked_while_the_lead_hears_music():
    history = consulting().reconciled(**GONE)
    assert history.handoff.state is State.SEEKING
    assert history.kinds[:3] == ["HoldLead", "JoinAgent", "HoldLead"]
    history = consulting().reconciled(**GONE, **ANA_OUT)
    assert history.handoff.state is State.SEEKING


def test_given_swapped_then_the_qualifier_is_with_the_lead_or_joined_again():
    assert swapped().reconciled(**ANA_CONSULTED).commands == ()
    history = swapped().reconciled(**ANA_CONSULTED, **NOWHERE)
    assert history.kinds == ["JoinQualifier"]
    history = consulting().asks(Action.SWAP).reconciled(**ANA_CONSULTED)
    assert history.handoff.lead_is is LeadIs.WITH_QUALIFIER, "it was not told"
    history = look(consulting().asks(Action.SWAP), **ANA_CONSULTED, **NOWHERE)
    assert (history.handoff.lead_is, history.commands) == (LeadIs.HELD, ())


def test_given_the_lead_is_gone_from_a_consult_then_the_two_talk_on():
    history = consulting().reconciled(**ANA_CONSULTED, **LEAD_GONE)
    assert (history.handoff.state, history.kinds) == (State.ABANDONED, ["LetGo", "TellQualifier"])
    history = consulting().reconciled(**ANA_CONSULTED, **LEAD_OUT)
    assert (history.handoff.state, history.handoff.lead_is) == (State.ABANDONED, LeadIs.LEFT)


def test_given_the_lead_is_at_the_phone_then_that_is_where_they_are_thought_to_be():
    history = consulting_at_phone().reconciled(**ANA_CONSULTED, **LEAD_OUT)
    assert (history.handoff.state, history.commands) == (State.CONSULTING, ())
    history = consulting_at_phone().reconciled(**ANA_CONSULTED, **LEAD_OUT, **GONE)
    assert history.handoff.state is State.RETURNED


# -- INTRODUCING ---------------------------------------------------------------------------------------------


def test_given_three_talk_then_they_talk_on():
    assert three_way().reconciled(**ANA_JOINED).commands == ()
    history = introducing(**with_qualifier(Mode.STAY)).reconciled(**ANA_JOINED)
    assert history.handoff.lead_is is LeadIs.WITH_AGENT
    assert [kind for kind in history.kinds if kind != "HangUpAgent"] == ["ShowParty"] * 2


@pytest.mark.parametrize("found", [GONE, OUT])
def test_given_three_talked_and_the_qualifier_is_gone_then_the_two_talk_on_alone(found):
    history = three_way().reconciled(**ANA_JOINED, **found)
    assert (history.handoff.state, history.handoff.status) == (State.CONNECTED, Status.CONNECTED)
    assert "LetGo" in history.kinds


def test_given_three_talked_and_both_others_are_gone_then_the_lead_goes_on():
    history = three_way().reconciled(**GONE)
    assert (history.handoff.state, history.kinds) == (State.COMPLETED, ["LetGo", "ReturnLead"])


def test_given_three_talked_and_the_agent_is_gone_then_the_qualifier_is_told():
    history = three_way().reconciled()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.TIMEOUT)
    assert "TellQualifier" in history.kinds


def test_given_three_talked_and_the_lead_is_gone_then_the_other_two_talk_on():
    history = three_way().reconciled(**ANA_JOINED, **LEAD_GONE)
    assert (history.handoff.state, history.kinds) == (State.COMPLETED, ["LetGo", "TellQualifier"])
    history = three_way().reconciled(**ANA_JOINED, **LEAD_OUT)
    assert (history.handoff.state, history.handoff.lead_is) == (State.COMPLETED, LeadIs.LEFT)


def test_given_the_agent_was_on_the_way_then_again_without_touching_the_talk():
    history = introducing(**with_qualifier(Mode.STAY)).reconciled(**ANA_UP)
    assert [kind for kind in history.kinds if kind != "HangUpAgent"] == ["JoinAgent"]
    history = introducing(**with_qualifier(Mode.STAY)).reconciled(**ANA_UP, **GONE)
    assert history.handoff.lead_is is LeadIs.HELD
    assert history.kinds[:2] == ["HoldLead", "JoinAgent"]
    history = look(introducing(**with_qualifier(Mode.STAY)), **ANA_UP)
    assert history.commands == ()


def test_given_the_agent_was_on_the_way_and_is_gone_then_the_others_are_asked():
    history = introducing(**with_qualifier(Mode.STAY)).reconciled()
    assert (history.handoff.state, history.handoff.lead_is) == (State.SEEKING, LeadIs.WITH_QUALIFIER)


def test_given_a_lead_is_being_fetched_for_the_agent_then_both_are_ordered_again():
    history = consulting_at_phone().keys("*2").reconciled(**ANA_CONSULTED, **LEAD_OUT, **OUT)
    assert history.handoff.state is State.INTRODUCING
    assert history.kinds == ["TakeOver", "HoldLead", "JoinAgent"]


# -- CONNECTED -----------------------------------------------------------------------------------------------


def test_given_a_qualifier_who_should_have_gone_then_they_are_told_again():
    history = three_way().keys("*2").then(ev.LeadLeft).then(ev.AgentLeft, offer=1)
    still_here = {"qualifier_present": True, "qualifier_in_stasis": True}
    assert "ReleaseQualifier" in look(history, **LEAD_OUT, **ANA_OUT, **still_here).kinds
    look(history, **LEAD_OUT, **ANA_OUT, **OUT)
    assert history.handoff.qualifier_is is QualifierIs.LEFT


def fetching() -> History:
    history = left().asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    return history.then(ev.DigitPressed, offer=4, digit="1")


QUINN_TOO = {"agents_up": (1, 4)}


def test_given_the_lead_was_being_fetched_then_again_with_its_full_time():
    history = fetching().reconciled(later=5.0, **LEAD_OUT, **QUINN_TOO, agents_out_of_stasis=(1,))
    assert history.kinds == ["TakeOver"]
    assert history.handoff.state_deadline == history.at + 10.0
    history = look(fetching(), **LEAD_OUT, **QUINN_TOO, agents_out_of_stasis=(1,))
    assert history.commands == ()


def test_given_the_lead_has_come_meanwhile_then_the_qualifier_is_joined():
    history = fetching().reconciled(**QUINN_TOO, agents_joined=(1,))
    assert (history.handoff.state, history.kinds) == (State.RETURNING, ["JoinAgent", "HangUpAgent"])


@pytest.mark.parametrize("found", [{"agents_up": (1,)}, {**QUINN_TOO, "agents_out_of_stasis": (4,)}])
def test_given_the_qualifier_who_waited_is_gone_then_the_two_are_let_go_again(found):
    history = fetching().reconciled(**found, agents_joined=(1,))
    assert history.handoff.offer(4).state is OfferState.GONE
    assert (history.handoff.state, history.kinds) == (State.CONNECTED, ["LetGo"])


def test_given_the_qualifier_is_being_rung_then_they_ring_on_and_are_briefed_when_they_answered():
    asked = left().asks(Action.TAKE_BACK)
    found = {**LEAD_OUT, "agents_up": (1,), "agents_out_of_stasis": (1,), "agents_ringing": (4,)}
    assert asked.reconciled(**found).commands == ()
    found = {**found, "agents_up": (1, 4), "agents_ringing": ()}
    assert asked.reconciled(**found).kinds == ["PlayToAgent"]


# -- an older reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [accepted, consulting, lambda: introducing(), three_way])
def test_given_a_reading_from_before_the_agent_picked_up_then_they_are_not_taken_for_gone(told):
    history = look(told(), agents_ringing=(1,))
    assert history.handoff.winner is not None
    assert co.HangUpAgent(1) not in history.commands


# -- RETURNING -----------------------------------------------------------------------------------------------


def test_given_the_two_are_together_then_the_return_is_complete():
    history = returned().reconciled()
    assert (history.handoff.state, history.handoff.status) == (State.RETURNED, Status.NOAGENT)
    assert history.kinds == ["HoldLead", "LetGo", "TellQualifier"]


def test_given_they_are_not_together_then_the_qualifier_is_joined_again_with_the_full_time():
    history = returned().reconciled(later=10.0, **NOWHERE)
    assert history.kinds == ["HoldLead", "JoinQualifier"]
    assert history.handoff.state_deadline == history.at + 15.0
    assert look(returned(), **NOWHERE).commands == ()


@pytest.mark.parametrize("found", [GONE, OUT])
def test_given_the_qualifier_is_gone_on_the_way_then_their_phone_is_rung(found):
    history = returned().reconciled(**{**found, **NOWHERE})
    assert history.handoff.state is State.RETURNING
    assert history.kinds == ["HoldLead", "HoldLead", "RingAgent"]
    history = returned(recall_seconds=0.0).reconciled(**{**found, **NOWHERE})
    assert (history.handoff.state, history.kinds[-1]) == (State.RETURNED, "ReturnLead")


def test_given_the_lead_is_gone_or_out_then_it_is_over():
    assert returned().reconciled(**LEAD_GONE).handoff.state is State.ABANDONED
    assert returned().reconciled(**LEAD_OUT).handoff.lead_is is LeadIs.LEFT


def recall_accepted() -> History:
    return recalling().then(ev.AgentAnswered, offer=4).then(ev.DigitPressed, offer=4, digit="1")


@pytest.mark.parametrize(
    ("told", "found", "state", "kinds"),
    [
        (recalling, {"agents_ringing": (4,)}, State.RETURNING, ["HoldLead"]),
        (recalling, {"agents_up": (4,)}, State.RETURNING, ["HoldLead", "PlayToAgent"]),
        (recalling, {}, State.RETURNED, ["HoldLead", "ReturnLead"]),
        (recall_accepted, {"agents_up": (4,)}, State.RETURNING, ["HoldLead", "JoinAgent"]),
        (
            *(recall_accepted, {"agents_up": (4,), "agents_joined": (4,)}),
            *(State.RETURNED, ["HoldLead", "LetGo"]),
        ),
        (recall_accepted, {}, State.RETURNED, ["HoldLead", "ReturnLead"]),
        (
            *(recall_accepted, {"agents_up": (4,), "agents_out_of_stasis": (4,)}),
            *(State.RETURNED, ["HoldLead", "ReturnLead"]),
        ),
    ],
)
def test_given_the_qualifier_was_rung_then_by_where_they_are_found(told, found, state, kinds):
    history = told().reconciled(**found)
    assert (history.handoff.state, history.kinds) == (state, kinds)


def test_given_a_routine_look_while_the_qualifier_is_joined_then_nothing():
    assert look(recall_accepted(), agents_up=(4,)).commands == ()


# -- ended ---------------------------------------------------------------------------------------------------


def test_given_a_returned_pair_then_seen_gone_or_out_or_still_there():
    def pair() -> History:
        return returned().then(ev.QualifierJoined)

    assert look(pair()).commands == ()
    history = look(pair(), **LEAD_OUT, **OUT)
    assert history.kinds == ["CloseBridge"]
    assert history.then(ev.BridgeClosed).handoff.settled
    assert look(pair(), **GONE).kinds == ["ReturnLead"]
    assert "ReleaseQualifier" in look(pair(), **LEAD_GONE).kinds


def test_given_two_who_talk_on_without_the_lead_then_seen_gone_or_out():
    def pair() -> History:
        history = consulting().agent_hangs_up(2).agent_hangs_up(3)
        return history.lead_hangs_up()

    found = {**LEAD_GONE, **ANA_CONSULTED}
    assert look(pair(), **found).commands == ()
    history = look(pair(), **LEAD_GONE, **ANA_OUT, **OUT)
    assert not history.handoff.offer(1).leg_open
    assert history.handoff.qualifier_is is QualifierIs.LEFT
    assert "CloseBridge" in history.wait().kinds
    assert "HangUpAgent" in look(pair(), **found, **GONE).kinds
    assert "ReleaseQualifier" in look(pair(), **LEAD_GONE).wait().kinds


def test_given_a_lead_who_comes_after_the_end_then_they_go_on_at_once():
    failed = History(**with_qualifier(Mode.STAY)).wait()
    history = look(failed, **LEAD_OUT, **OUT).then(ev.BridgeClosed)
    assert history.handoff.settled
    history.then(ev.LeadSecured)
    assert not history.handoff.settled
    assert history.kinds == ["LetGo"]
    history.then(ev.LeadLeft).then(ev.QualifierLeft).then(ev.BridgeClosed)
    assert history.handoff.settled
    gone = look(History(**with_qualifier(Mode.STAY)).wait(), **LEAD_OUT, **OUT).lead_hangs_up()
    assert gone.then(ev.LeadSecured).kinds == ["ReleaseQualifier", "CloseBridge"], "the qualifier came"
    alone = History().then(ev.LeadLeft).then(ev.BridgeClosed).then(ev.LeadSecured)
    assert alone.kinds == ["ReturnLead"]
    assert offering().lead_hangs_up().then(ev.LeadSecured).commands == ()


# -- handed on -----------------------------------------------------------------------------------------------


def test_given_a_returned_pair_that_is_handed_off_again_then_this_handoff_touches_neither():
    history = returned().then(ev.QualifierJoined)
    history.then(ev.HandedOn, to="warm-2", leg="lead").then(ev.HandedOn, to="warm-2", leg="qualifier")
    assert (history.handoff.lead_is, history.handoff.qualifier_is) == (LeadIs.LEFT, QualifierIs.LEFT)
    assert history.commands == ()
    assert history.wait().kinds == ["CloseBridge", "CheckLegs"]
    assert history.then(ev.BridgeClosed).handoff.settled


def test_given_one_of_them_is_gone_then_being_handed_on_says_nothing():
    history = returned().then(ev.QualifierJoined).lead_hangs_up()
    history.then(ev.HandedOn, to="warm-2", leg="lead").then(ev.HandedOn, to="warm-2", leg="agent-9")
    assert history.handoff.lead_is is LeadIs.GONE
    history.qualifier_hangs_up().then(ev.HandedOn, to="warm-2", leg="qualifier")
    assert history.handoff.qualifier_is is QualifierIs.GONE


def test_given_the_qualifier_who_was_rung_hands_the_lead_off_again_then_their_leg_is_not_ours():
    history = recall_accepted().then(ev.AgentJoined, offer=4)
    history.then(ev.HandedOn, to="warm-2", leg="lead").then(ev.HandedOn, to="warm-2", leg="agent-4")
    assert not history.handoff.offer(4).leg_open
    assert "HangUpAgent" not in history.wait().kinds


def test_given_nobody_was_rung_yet_then_the_roster_stays():
    history = History(**with_qualifier(Mode.CONSULT)).then(ev.LeadSecured).reconciled()
    history.then(ev.SpeechReady).then(ev.AgentsFound, free=EVERYBODY, not_free=())
    assert len(history.handoff.open_offers) == 3
    history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY))
    assert len(history.handoff.open_offers) == 2
