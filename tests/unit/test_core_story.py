"""A handoff in words."""

from __future__ import annotations

from property.handoffs import LEAD, policy
from property.history import History, briefing, connected, hung_up, introducing, offering, seeking

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Lead, Outcome, Playing
from asterisk_warm.core.handoff.policy import Mode
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
 26.0 Ben: is off the line (hung up)
 86.0 lead: hung up (normal clearing)
 86.0 handoff: COMPLETED (CONNECTED): the lead hung up (normal clearing)
 86.0 Ana: is off the line (hung up)"""
    )


def test_given_nobody_is_free_then_why_the_lead_goes_on():
    history = seeking().then(ev.SpeechReady, fallback="no voice is installed")
    history.then(ev.AgentsFound, free=(), not_free=(("ana", "in a call"), ("zed", "unknown")))
    assert last(history, 6) == [
        "handoff: briefing not spoken, prompts serve instead: no voice is installed",
        "handoff: free: nobody",
        "Ana: is not rung: in a call",
        "zed: is not rung: unknown",
        "lead: goes on in the dialplan",
        "handoff: RETURNED (NOAGENT): Ana was not rung (in a call); zed was not rung (unknown)",
    ]


def test_given_a_lead_of_whom_little_is_known_then_that_is_said():
    unknown = Lead("lead-1", "", "", "")
    assert told(History(lead=unknown)).startswith(
        "  0.0 lead: unknown (no number) is to be handed to Sales\n"
    )


def test_given_a_named_lead_without_a_reason_then_no_reason_is_told():
    assert "handed to Sales\n" in told(History(lead=Lead("lead-1", LEAD.name, "", "")))


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
    assert last(history) == ["Ana: is off the line (no answer)"]
