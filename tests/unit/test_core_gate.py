"""What must hold of a lead before anyone is rung."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from property.handoffs import policy

from asterisk_warm.core.handoff.gate import CONDITIONS, TOLD, Qualified, Standing, refusal
from asterisk_warm.core.handoff.model import Refusal, Status
from asterisk_warm.core.leads import Purpose

READY = Qualified("insurance", 3, 60.0, "ready", "60 points", 1.0, 30.0)
NOBODY = replace(READY, verdict="disqualified", reason="does not own a home", score=0.0)


def asked(qualified: Qualified | None, **settings: Any) -> str:
    """Why a team that wants its leads ready does not want this one."""
    given = {"require": ("ready",), **settings}
    told = refusal(policy(**given), Standing({}, qualified))
    assert told is None or told.status is Status.NOTQUALIFIED
    return told.reason if told is not None else ""


def test_given_nothing_is_required_then_anybody_may_be_handed_off():
    assert refusal(policy(), Standing({})) is None
    assert refusal(policy(), Standing({"ready": False, "consent.call": False}, NOBODY)) is None


@pytest.mark.parametrize(
    ("qualified", "words"),
    [
        (READY, ""),
        (None, "the lead was never asked"),
        (NOBODY, "the lead is not qualified: does not own a home (insurance, version 3)"),
        (replace(NOBODY, reason=""), "the lead is not qualified: disqualified (insurance, version 3)"),
        (replace(NOBODY, version=0), "the lead is not qualified: does not own a home (insurance)"),
        (
            replace(READY, verdict="nurture", reason="the score is too low"),
            "the lead is not qualified: the score is too low (insurance, version 3)",
        ),
        (replace(READY, verdict=""), "the lead's qualification is not finished (insurance, version 3)"),
        (replace(READY, days=40.2), "the qualification is 40 days old (insurance, version 3)"),
        (replace(READY, days=30.0), ""),
    ],
)
def test_given_a_team_that_wants_its_leads_ready_then_why_this_one_is_not(qualified, words):
    assert asked(qualified) == words


def test_given_a_script_whose_qualification_counts_then_it_is_named():
    assert asked(None, script="insurance") == "the lead was never asked (insurance)"


def test_given_a_least_score_then_it_counts_with_or_without_a_verdict():
    words = "the lead's score is 60, and 70.5 is the least (insurance, version 3)"
    assert asked(READY, least_score=70.5) == words
    assert asked(READY, least_score=60.0) == ""
    nurtured = replace(READY, verdict="nurture")
    assert asked(nurtured, require=(), least_score=60.0) == ""
    assert asked(nurtured, require=(), least_score=61.0).startswith("the lead's score is 60")
    assert asked(None, require=(), least_score=0.0) == "the lead was never asked"


@pytest.mark.parametrize("purpose", list(Purpose))
def test_given_consent_is_required_then_the_leads_latest_word_counts(purpose):
    name = f"consent.{purpose}"
    team = policy(require=(name,))
    assert refusal(team, Standing({}, consents={name: True})) is None
    for standing, words in (
        (Standing({}), CONDITIONS[name].unknown),
        (Standing({}, consents={name: False}), CONDITIONS[name].denied),
    ):
        assert refusal(team, standing) == Refusal(Status.NOCONSENT, words)


def test_given_what_was_said_of_this_call_then_it_wins_over_what_is_known():
    team = policy(require=("ready", "consent.call"))
    consents = {"consent.call": True}
    assert refusal(team, Standing({"ready": True, "consent.call": True}, NOBODY)) is None
    told = refusal(team, Standing({"ready": False}, READY, consents))
    assert told == Refusal(Status.NOTQUALIFIED, "the lead is not qualified")
    told = refusal(team, Standing({"consent.call": False}, READY, consents))
    assert told == Refusal(Status.NOCONSENT, "the lead does not consent to be called")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_given_a_consent_that_was_withdrawn_then_nobody_can_say_yes_for_the_lead(purpose):
    name = f"consent.{purpose}"
    standing = Standing({name: True}, consents={name: False})
    told = refusal(policy(require=(name,)), standing)
    assert told == Refusal(Status.NOCONSENT, f"{CONDITIONS[name].denied}, by their latest recorded word")
    assert refusal(policy(require=(name,)), replace(standing, unread="the database did not answer")) == told
    assert refusal(policy(), standing) is None


def test_given_several_things_that_do_not_hold_then_all_are_told_and_the_first_is_the_status():
    told = refusal(policy(require=("consent.call", "consent.text", "ready")), Standing({}))
    assert told == Refusal(
        Status.NOTQUALIFIED,
        "the lead was never asked and no consent to be called is recorded "
        "and no consent to be texted is recorded",
    )


def test_given_nothing_could_be_read_then_that_is_why_once():
    team = policy(require=("ready", "consent.call"))
    told = refusal(team, Standing({}, unread="the database did not answer"))
    assert told == Refusal(Status.NOTQUALIFIED, "the database did not answer")
    assert refusal(team, Standing({"ready": True, "consent.call": True}, unread="gone")) is None


def test_given_what_can_be_told_then_each_is_about_a_condition():
    assert set(TOLD.values()) <= set(CONDITIONS)
    assert {f"consent.{purpose}" for purpose in Purpose} < set(CONDITIONS)
