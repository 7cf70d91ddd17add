"""Another channel comes in the place of one of ours: the handoff goes on with it."""

from __future__ import annotations

import pytest
from property.history import (
    History,
    aside,
    at_phone,
    briefing,
    connected,
    consulting,
    introducing,
    offering,
    recalling,
    staying,
    swapped,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LOST, Playing, ReturnPlace
from asterisk_warm.core.handoff.states import State


def replaced(history: History, leg: str) -> History:
    before = history.handoff
    history.then(ev.ChannelReplaced, leg=leg, channel="new")
    assert history.handoff.channel_of(leg) == "new"
    assert history.handoff.state is before.state
    return history


@pytest.mark.parametrize("told", [offering, recalling, aside, consulting])
def test_given_a_lead_on_hold_then_the_new_channel_hears_music(told):
    assert replaced(told(), "lead").commands == (co.HoldLead("default"),)


@pytest.mark.parametrize("told", [staying, at_phone, introducing, connected])
def test_given_a_lead_who_talks_or_is_being_joined_then_nothing_more(told):
    assert replaced(told(), "lead").commands == ()


def test_given_a_lead_who_hears_an_announcement_then_music_comes_when_that_ends():
    history = offering().wait()
    assert history.kinds == ["PlayComfort"]
    assert replaced(history, "lead").commands == ()
    assert history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1).kinds == ["HoldLead"]


def test_given_the_end_then_nobody_is_held_any_more():
    history = offering().then(ev.CancelRequested, by="cli")
    assert replaced(history, "lead").commands == ()


TEAMS = ReturnPlace("sales-after", "s", 1)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, LOST),
        ({"lost_to": TEAMS}, TEAMS),
        ({"lost_to": TEAMS, "return_to": ReturnPlace("incoming", "s", 3)}, ReturnPlace("incoming", "s", 3)),
    ],
)
def test_given_a_lead_who_was_to_go_on_after_their_stasis_then_the_new_channel_has_a_place(settings, place):
    history = offering(**settings)
    assert history.handoff.return_to == settings.get("return_to")
    replaced(history, "lead").then(ev.CancelRequested, by="cli")
    assert history.order(co.ReturnLead).to == place


def test_given_the_end_when_the_lead_has_not_been_seen_leaving_then_the_new_channel_has_a_place_too():
    history = replaced(offering().then(ev.CancelRequested, by="cli"), "lead").wait()
    assert history.order(co.ReturnLead).to == LOST


def test_given_another_leg_then_the_lead_goes_on_after_their_stasis():
    assert replaced(briefing(), "agent-1").handoff.return_to is None


def test_given_a_qualifier_who_waits_aside_then_the_new_channel_hears_ringing():
    assert replaced(aside(), "qualifier").commands == (co.SetAside(),)
    assert replaced(staying(), "qualifier").commands == ()
    assert replaced(consulting(), "qualifier").handoff.qualifier.name == "Quinn"


def test_given_an_agent_then_their_offer_goes_on_with_the_new_channel():
    history = replaced(briefing(), "agent-1")
    assert history.handoff.offer(1).channel == "new"
    assert history.handoff.channel_of("agent-2") == "warm-1-agent-2"
    history.then(ev.DigitPressed, offer=1, digit="1")
    assert history.handoff.state is State.INTRODUCING


def test_given_an_agent_who_waits_for_the_qualifier_then_the_new_channel_hears_music():
    assert replaced(swapped(), "agent-1").commands == (co.HoldAgent(1, "default"),)
    assert replaced(swapped(), "agent-2").commands == ()


@pytest.mark.parametrize(("told", "leg"), [(aside, "qualifier"), (aside, "lead"), (swapped, "agent-2")])
def test_given_it_is_told_twice_then_once(told, leg):
    assert replaced(replaced(told(), leg), leg).commands == ()


@pytest.mark.parametrize("leg", ["qualifier", "agent-9"])
def test_given_a_leg_that_there_never_was_then_nothing(leg):
    before = offering()
    now = before.handoff
    assert before.then(ev.ChannelReplaced, leg=leg, channel="new").handoff == now
    with pytest.raises(KeyError):
        now.channel_of(leg)
