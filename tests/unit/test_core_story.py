"""A handoff in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import FORBIDDEN, LEAD, QUINN, policy
from property.history import (
    History,
    aside,
    at_phone,
    briefing,
    connected,
    consulting,
    hung_up,
    introducing,
    left,
    offering,
    recalling,
    returned,
    seeking,
    staying,
    swapped,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Lead, Outcome, Playing, Said
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.story import tell


def told(history: History) -> str:
    lines = (f"{line.at - 1000:5.1f} {line.who}: {line.text}" for line in tell(history.chapters))
    return "\n".join(lines)


def last(history: History, lines: int = 1) -> list[str]:
    return [f"{line.who}: {line.text}" for line in tell(history.chapters)][-lines:]


def test_given_a_typical_handoff_then_it_reads_so():
    history = seeking().then(ev.SpeechReady, later=0.4)
    history.then(ev.AgentsFound, free=("ana", "ben"), not_free=(("cy", "in a call"),))
    history.then(ev.AgentRinging, offer=1, later=0.1).then(ev.AgentRinging, offer=2)
    history.then(ev.AgentAnswered, offer=2, later=2.0).then(ev.AgentAnswered, offer=1, later=1.0)
    history.then(ev.DigitPressed, offer=2, digit="3", later=6.0)
    history.then(ev.DeadlinePassed, later=10.5).then(
        ev.PlaybackEnded, what=Playing.COMFORT, number=1, later=3
    )
    history.then(ev.DigitPressed, offer=1, digit="1", later=1.0)
    history.then(ev.DigitPressed, offer=2, digit="1").then(ev.AgentJoined, offer=1)
    history.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1, later=1.5)
    history.then(ev.LeadLeft).then(ev.AgentLeft, offer=1).then(ev.BridgeClosed)
    history.then(ev.AgentHungUp, later=0.5, **hung_up(offer=2))
    history.then(ev.LeadHungUp, cause="normal clearing", later=60.0).then(ev.AgentHungUp, **hung_up())
    assert history.handoff.settled
    assert (
        told(history)
        == """\
  0.0 lead: Grant Weatherly (+15550100) is to be handed to Sales: home insurance, renews in three weeks
  0.0 handoff: requested by dialplan, mode auto
  0.0 lead: is held and hears music
  0.0 handoff: SEEKING
  0.4 handoff: free: Ana, Ben
  0.4 Cy: is not rung: in a call
  0.4 handoff: OFFERING
  0.5 Ana: rings
  0.5 Ben: rings
  2.5 Ben: answered
  2.5 Ben: hears the briefing
  3.5 Ana: answered
  3.5 Ana: hears the briefing
  9.5 Ben: pressed 3 (repeat)
  9.5 Ben: hears the briefing
 20.0 lead: hears a comfort announcement
 24.0 Ana: pressed 1 (accept)
 24.0 lead: hears that Ana is coming
 24.0 Ben: is told goodbye (Ana took the lead)
 24.0 handoff: INTRODUCING
 24.0 Ben: pressed 1 (accept, too late)
 24.0 Ana: is joined to the lead
 25.5 handoff: the talk is handed to Asterisk alone
 25.5 handoff: CONNECTED, handoff gap 25.5 s
 25.5 lead: is talking without us now
 26.0 Ben: is off the line
 86.0 lead: hung up
 86.0 handoff: COMPLETED (CONNECTED): the lead hung up (normal clearing)
 86.0 Ana: is off the line"""
    )


def test_given_nobody_is_free_then_why_the_lead_goes_on():
    history = seeking().then(ev.SpeechReady, fallback="no voice is installed")
    history.then(ev.AgentsFound, free=(), not_free=(("ana", "in a call"), ("zed", "unknown")))
    assert last(history, 6) == [
        "handoff: briefing not spoken, prompts serve instead: no voice is installed",
        "handoff: nobody is free, and nobody will be in time",
        "Ana: is not rung: in a call",
        "zed: is not rung: unknown",
        "lead: goes on in the dialplan",
        "handoff: RETURNED (NOAGENT): Ana was not rung (in a call); zed was not rung (unknown)",
    ]


def test_given_a_lead_who_waits_then_what_is_known_already_is_not_told_again():
    history = seeking().then(ev.SpeechReady)
    busy = (("ana", "in a call"), ("ben", "offline"))
    history.then(ev.AgentsFound, free=(), not_free=busy, hope=True)
    history.then(ev.AgentsFound, free=("cy",), not_free=(*busy[:1], ("ben", "wrapping up")), hope=True)
    assert last(history, 6) == [
        "handoff: nobody is free: the lead waits",
        "Ana: is not rung: in a call",
        "Ben: is not rung: offline",
        "handoff: free: Cy",
        "Ben: is not rung: wrapping up",
        "handoff: OFFERING",
    ]


def test_given_a_lead_of_whom_little_is_known_then_that_is_said():
    unknown = Lead("lead-1", "", "", "")
    assert told(History(lead=unknown)).startswith(
        "  0.0 lead: unknown (no number) is to be handed to Sales\n"
    )


def test_given_a_named_lead_without_a_reason_then_no_reason_is_told():
    assert "handed to Sales\n" in told(History(lead=Lead("lead-1", LEAD.name, "", "")))


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ((Said("qualified", True), Said("consent", True)), ["is qualified and consenting, says api (root)"]),
        (
            (Said("qualified", False), Said("consent", False)),
            ["is not qualified and not consenting, says api (root)"],
        ),
        (
            (Said("qualified", True, "WARM_LEAD_QUALIFIED"), Said("consent", True)),
            ["is qualified, says WARM_LEAD_QUALIFIED", "is consenting, says api (root)"],
        ),
    ],
)
def test_given_what_was_said_of_a_lead_then_it_is_told_who_says_so(said, lines):
    _, requested, *rest = last(History(requested_by="api (root)", said=said), 2 + len(lines))
    assert requested == "handoff: requested by api (root), mode auto"
    assert rest == [f"lead: {line}" for line in lines]


def test_given_a_refusal_that_leaves_the_call_as_it_is_then_it_reads_so():
    refusal = replace(FORBIDDEN, untouched=True)
    history = History(requested_by="feature code", refusal=refusal, **with_qualifier(Mode.STAY))
    assert last(history, 4) == [
        "handoff: requested by feature code, mode stay",
        "Quinn: talks to the lead",
        "lead: stays where they are",
        "handoff: RETURNED (NOCONSENT): the lead has not consented",
    ]


def test_given_blind_mode_without_introduction_then_the_lead_is_being_connected():
    history = offering(policy=policy(Mode.BLIND, introduction=False)).then(ev.AgentAnswered, offer=1)
    assert last(history, 3) == ["Ana: answered", "lead: is being connected", "handoff: INTRODUCING"]


def test_given_a_key_without_meaning_then_it_is_told_so():
    assert last(briefing().then(ev.DigitPressed, offer=1, digit="7")) == ["Ana: pressed 7 (no meaning)"]


def test_given_a_key_of_an_unknown_offer_then_it_is_told_by_its_number():
    assert last(briefing().then(ev.DigitPressed, offer=9, digit="1")) == [
        "offer 9: pressed 1 (accept, too late)"
    ]


def test_given_failures_then_whose_they_are():
    history = briefing().then(ev.CommandFailed, command="PlayComfort", offer=None, error="500")
    assert last(history) == ["handoff: PlayComfort failed: 500"]
    history.then(ev.CommandFailed, command="RingAgent", offer=2, error="no route")
    assert last(history) == ["Ben: RingAgent failed: no route"]
    history.then(ev.PlaybackEnded, what=Playing.BRIEFING, number=1001, failed=True)
    assert last(history) == ["handoff: the briefing could not be played"]


def test_given_people_are_moved_then_that_is_told():
    assert "Ana: was moved to another call" in last(briefing().then(ev.AgentLeft, offer=1))
    assert "lead: has left the handoff" in last(briefing().then(ev.LeadLeft), 4)


def test_given_somebody_cancels_then_who_it_was():
    assert "handoff: cancelled by Dana" in last(seeking().then(ev.CancelRequested, by="Dana"), 3)


def test_given_an_outage_then_it_is_told_but_a_routine_check_is_not():
    words = "handoff: compared with what Asterisk has, after an outage"
    assert words in last(introducing().reconciled(agents_up=(1,)), 3)
    both_out = {"agents_up": (1,), "agents_out_of_stasis": (1,), "lead_in_stasis": False}
    assert words not in told(connected().reconciled(after_outage=False, **both_out))


def test_given_a_phone_rings_out_then_it_is_off_the_line():
    history = offering().then(ev.AgentHungUp, **hung_up(Outcome.NO_ANSWER))
    assert last(history) == ["Ana: did not answer (no answer)"]
    assert last(offering().then(ev.AgentHungUp, **hung_up(Outcome.UNREACHABLE))) == [
        "Ana: could not be rung (unreachable)"
    ]


@pytest.mark.parametrize(
    ("history", "line"),
    [
        (offering, "Ana: did not answer (busy)"),
        (briefing, "Ana: hung up"),
        (lambda: briefing().then(ev.DigitPressed, offer=1, digit="2"), "Ana: is off the line"),
        (
            lambda: offering().then(ev.CancelRequested, by="Dana"),
            "Ana: is not rung any more (the handoff was cancelled)",
        ),
        (connected, "Ana: hung up"),
    ],
)
def test_given_an_agents_end_is_told_twice_then_it_is_one_end(history, line):
    history = history()
    outcome = Outcome.BUSY if history.handoff.offer(1).answered_at is None else Outcome.HUNG_UP
    for _ in range(2):
        history.then(ev.AgentHungUp, **hung_up(outcome))
    ends = [line for line in tell(history.chapters) if line.who == "Ana" and "is rung" not in line.text]
    assert f"{ends[-1].who}: {ends[-1].text}" == line
    assert [end.text for end in ends].count(ends[-1].text) == 1
    history.then(ev.AgentLeft, offer=1)
    assert "moved" not in told(history)


def test_given_the_leads_end_is_told_twice_then_it_is_one_end():
    history = briefing().lead_hangs_up().lead_hangs_up()
    assert told(history).count("lead: hung up") == 1
    history = briefing().then(ev.LeadHungUp, cause="ended by Asterisk")
    assert "lead: is off the line (ended by Asterisk)" in told(history)


def test_given_a_lead_who_was_sent_on_then_that_they_left_says_nothing_more():
    history = offering().then(ev.CancelRequested, by="Dana").then(ev.LeadLeft)
    assert "lead: goes on in the dialplan" in told(history)
    assert "has left the handoff" not in told(history)


def test_given_an_offer_that_there_never_was_then_its_end_is_not_told():
    before = told(briefing())
    assert told(briefing().then(ev.AgentHungUp, **hung_up(offer=9)).then(ev.AgentLeft, offer=9)) == before


# -- with a qualifier ----------------------------------------------------------------------------------------


def test_given_a_consult_then_it_reads_so():
    history = consulting().keys("*4").then(ev.QualifierJoined, later=0.1).keys("*4")
    history.then(ev.ConsultStarted, offer=1).keys("*3").then(ev.QualifierJoined, later=0.1)
    history.then(ev.AgentJoined, offer=1).keys("*2").then(ev.QualifierLeft)
    assert (
        told(history)
        == """\
  0.0 lead: Grant Weatherly (+15550100) is to be handed to Sales: home insurance, renews in three weeks
  0.0 handoff: requested by dialplan, mode consult
  0.0 Quinn: talks to the lead
  0.0 lead: is taken over from the talk with Quinn
  0.0 lead: is with us
  0.0 lead: is on hold
  0.0 Quinn: waits and hears ringing
  0.0 handoff: SEEKING
  0.0 handoff: free: Ana, Ben, Cy
  0.0 handoff: OFFERING
  3.0 Ana: answered
  3.0 Ana: hears the briefing
  7.0 Ana: pressed 1 (accept)
  7.0 handoff: CONSULTING
  7.1 Quinn: talks to Ana alone
  8.6 Quinn: pressed *4 (swap)
  8.6 Quinn: is being joined to the lead
  8.6 Ana: waits and hears music
  8.7 Quinn: is with the lead
 10.2 Quinn: pressed *4 (swap)
 10.2 lead: is on hold
 10.2 Quinn: talks to Ana alone
 11.7 Quinn: pressed *3 (three-way)
 11.7 lead: is being connected
 11.7 Quinn: is being joined to the lead
 11.7 handoff: INTRODUCING
 11.8 Quinn: is with the lead
 11.8 Ana: is joined to the lead
 13.3 Quinn: pressed *2 (complete)
 13.3 handoff: the talk is handed to Asterisk alone
 13.3 Quinn: leaves the call
 13.3 handoff: CONNECTED, handoff gap 10.3 s"""
    )


def test_given_a_take_back_after_completion_then_it_reads_so():
    history = left().asks(Action.TAKE_BACK).then(ev.AgentAnswered, offer=4)
    history.then(ev.DigitPressed, offer=4, digit="1").then(ev.LeadSecured).then(ev.AgentJoined, offer=4)
    assert last(history, 13) == [
        "handoff: take-back asked for by api",
        "Quinn: is rung to have the lead back",
        "Quinn: answered",
        "Quinn: hears who waits",
        "Quinn: pressed 1 (accept)",
        "lead: is taken over from the talk with Ana",
        "lead: is with us",
        "lead: is on hold",
        "lead: is being connected",
        "handoff: RETURNING",
        "Quinn: is joined to the lead",
        "handoff: the talk is handed to Asterisk alone",
        "handoff: RETURNED (TAKENBACK): Quinn took the lead back from Ana",
    ]


def test_given_a_lead_at_the_phone_then_where_they_were_and_that_they_were_fetched():
    history = at_phone()
    assert "Quinn: has the lead on hold in another call" in told(history)
    history.keys("*2").then(ev.LeadSecured)
    assert last(history, 5) == [
        "Quinn: pressed *2 (complete)",
        "lead: is on hold",
        "lead: is fetched out of the call in which they are on hold",
        "Quinn: leaves the call",
        "lead: is with us",
    ]


def test_given_nobody_took_the_lead_then_the_qualifier_alone_is_told_why():
    assert last(returned().then(ev.QualifierJoined), 4) == [
        "Quinn: is with the lead",
        "handoff: the talk is handed to Asterisk alone",
        'Quinn: alone hears "Grant Weatherly is back with you. Ana was busy; Ben was busy; Cy was busy."',
        "handoff: RETURNED (NOAGENT): Ana was busy; Ben was busy; Cy was busy",
    ]
    assert "Quinn: is rung to have the lead back" in last(recalling(), 2)


def test_given_the_qualifier_is_gone_then_how():
    assert last(staying().qualifier_hangs_up(), 2) == [
        "Quinn: hung up",
        "lead: is on hold",
    ]
    assert last(aside().then(ev.QualifierLeft)) == ["Quinn: has left the handoff"]
    leaving = three_way().keys("*2")
    before = told(leaving)
    assert "Quinn: leaves the call" in before
    assert told(leaving.then(ev.QualifierHungUp, cause="ended by Asterisk")) == before, "they had left"
    assert told(leaving.then(ev.QualifierLeft)) == before
    twice = staying().qualifier_hangs_up().qualifier_hangs_up()
    assert told(twice).count("Quinn: hung up") == 1


def test_given_what_the_qualifier_alone_hears_then_in_words():
    assert "Quinn: alone hears a beep: the agent is coming in" in told(three_way())
    assert "Quinn: alone hears that the lead has left" in told(consulting().lead_hangs_up())
    assert "Quinn: alone hears that the lead is still waiting" in told(
        aside(hold_seconds=20.0, warn_seconds=15.0).wait()
    )


def test_given_keys_without_a_meaning_then_nothing_is_told_and_what_is_not_possible_says_so():
    before = told(staying())
    assert told(staying().keys("17*")) == before
    assert last(staying().keys("*4")) == [
        "Quinn: pressed *4 (swap, but swap is not possible in the state OFFERING)"
    ]
    assert last(offering().asks(Action.SWAP)) == [
        "handoff: swap asked for by api, but there is no qualifier in this handoff"
    ]


def test_given_a_phones_transfer_key_then_what_the_phone_is_told():
    history = offering(**with_qualifier(Mode.AUTO, replace(QUINN, refer=True)))
    assert "Quinn: sees on the phone that the transfer is under way" in told(history)
    history.then(ev.CancelRequested, by="Dana").then(ev.QualifierJoined)
    assert "Quinn: sees on the phone that the transfer has failed" in told(history)


def test_given_a_nameless_qualifier_then_what_they_are():
    assert "the qualifier: talks to the lead" in told(staying(who=replace(QUINN, name="")))


def test_given_the_lead_is_told_secured_again_then_nothing_more():
    before = told(staying())
    assert told(staying().then(ev.LeadSecured)) == before


def test_given_a_lead_whose_qualifier_left_at_once_then_they_are_held():
    history = History(**with_qualifier(Mode.STAY)).qualifier_hangs_up().then(ev.LeadSecured)
    assert "lead: is held and hears music" in last(history, 2)


@pytest.mark.parametrize(("leg", "who"), [("lead", "lead"), ("qualifier", "Quinn"), ("agent-1", "Ana")])
def test_given_a_channel_is_replaced_or_handed_on_then_whose(leg, who):
    assert f"{who}: goes on at another phone" in last(
        swapped().then(ev.ChannelReplaced, leg=leg, channel="x"), 2
    )
    history = left().then(ev.HandedOn, to="warm-2", leg=leg)
    assert f"{who}: is handed on in warm-2" in last(history, 2)
