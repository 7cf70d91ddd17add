"""Somebody else may know more of the lead: it is waited for, but not for long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from property.handoffs import LEAD, QUINN, policy
from property.history import EVERYBODY, History, offering, seeking

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Refusal, Status
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.wanted import still_wanted

STRANGER = replace(LEAD, name="unknown caller", named=False, summary="", key="+15550100")
FOUND: dict[str, Any] = {
    "name": "Grace Hopper",
    "summary": "renews in May",
    "language": "es",
    "details": (("Plan", "gold"), ("plan B", "none")),
}


def looking(lead: Any = STRANGER, **changes: Any) -> History:
    return History(**{"policy": policy(comfort=0.0, look_up=True), "lead": lead, **changes})


def test_given_a_lead_who_may_be_known_elsewhere_then_they_are_looked_up_before_anything_is_spoken():
    history = looking()
    assert history.kinds == ["SecureLead", "LookUpLead"]
    assert history.order(co.LookUpLead).number == "+15550100"
    assert still_wanted(history.handoff, history.commands[1]) and not history.handoff.lead_known


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": policy()},
        {"lead": replace(STRANGER, key="")},
        {"refusal": Refusal(Status.NOCONSENT, "no"), "qualifier": QUINN},
    ],
)
def test_given_nobody_to_ask_or_nobody_to_ask_about_then_speech_is_made_ready_at_once(changes):
    assert "LookUpLead" not in (history := looking(**changes)).kinds
    assert "PrepareSpeech" in history.kinds and history.handoff.lead_known


def test_given_what_others_know_then_it_fills_in_what_is_missing_and_is_spoken():
    history = looking(replace(STRANGER, details=(("PLAN", "silver"),))).then(ev.LeadFound, **FOUND)
    lead = history.handoff.lead
    assert (lead.name, lead.named, lead.summary, lead.language) == (
        "Grace Hopper",
        True,
        "renews in May",
        "es",
    )
    assert lead.details == (("PLAN", "silver"), ("plan B", "none"))
    assert history.kinds == ["PrepareSpeech"]
    assert history.order(co.PrepareSpeech).lines[0].text == "Grace Hopper. renews in May"


def test_given_what_is_known_already_then_it_is_kept():
    known = replace(STRANGER, name="Grant", named=True, summary="a loan", language="en")
    lead = looking(known).then(ev.LeadFound, **FOUND).handoff.lead
    assert (lead.name, lead.summary, lead.language) == ("Grant", "a loan", "en")


def test_given_nothing_is_known_then_it_goes_on_without():
    history = looking().then(ev.LeadFound, why="the CRM did not answer")
    assert history.handoff.lead == STRANGER and history.kinds == ["PrepareSpeech"]


def test_given_the_look_up_cannot_be_done_then_it_goes_on_without():
    history = looking().then(ev.CommandFailed, command="LookUpLead", offer=None, error="no")
    assert history.kinds == ["PrepareSpeech"]
    assert history.then(ev.CommandFailed, command="LookUpLead", offer=None, error="no").commands == ()


def test_given_no_answer_then_it_is_waited_two_seconds_whatever_comes_later():
    history = looking().then(ev.LeadSecured, later=0.5)
    assert history.decision.deadline == 1002.0
    assert history.wait().kinds == ["PrepareSpeech"] and history.handoff.lead_known
    assert history.then(ev.LeadFound, **FOUND).commands == () and history.handoff.lead == STRANGER
    assert not still_wanted(history.handoff, co.LookUpLead("+15550100"))


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.BLIND])
def test_given_the_lead_is_not_known_yet_then_nobody_is_rung(mode):
    history = looking(policy=policy(mode, look_up=True)).then(ev.LeadSecured).found(*EVERYBODY)
    assert history.kinds == []
    history.then(ev.SpeechReady)
    assert history.kinds == [], "told of another time"
    history.then(ev.LeadFound, **FOUND).then(ev.SpeechReady)
    assert history.handoff.state is State.OFFERING
    assert history.commands[0].name == "Grace Hopper"  # type: ignore[attr-defined]


def test_given_an_outage_meanwhile_then_it_is_given_up_when_its_time_is_over():
    history = looking().then(ev.LeadSecured).reconciled(later=1.0)
    assert not history.handoff.lead_known and history.decision.deadline == 1002.0
    history.reconciled(later=5.0).then(ev.DeadlinePassed)
    assert history.kinds == ["PrepareSpeech"]


def test_given_the_lead_is_gone_then_nothing_is_looked_up_any_more():
    history = looking().lead_hangs_up()
    assert not still_wanted(history.handoff, co.LookUpLead("+15550100"))
    assert history.then(ev.LeadFound, **FOUND).commands == ()


def test_given_agents_are_rung_then_it_is_too_late_to_learn_more():
    history = offering()
    assert history.then(ev.LeadFound, **FOUND).handoff.lead == LEAD
    assert seeking().then(ev.LeadFound, **FOUND).commands == ()
