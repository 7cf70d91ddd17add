"""Ids of everything of ours in Asterisk: made from the handoff, and read back from anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.core.handoff.ids import (
    agent_leg,
    aside_leg,
    bridge_id,
    consult_id,
    owner_of_bridge,
    parse_agent_leg,
    parse_aside_leg,
    parse_playback,
    parse_recording,
    playback_id,
    recording_name,
)
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Playing, agent_name, offer_of

handoffs = st.from_regex(r"\Awarm-[0-9a-z]{14}\Z")


@given(handoffs, st.integers(1, 10_000))
def test_given_a_leg_then_its_id_tells_handoff_and_offer(handoff, offer):
    assert parse_agent_leg(agent_leg(handoff, offer)) == (handoff, offer)


@given(handoffs, st.sampled_from(Playing), st.integers(0, 10_000))
def test_given_a_playback_then_its_id_tells_handoff_kind_and_number(handoff, what, number):
    assert parse_playback(playback_id(handoff, what, number)) == (handoff, what, number)


@given(handoffs, st.integers(1, 10_000), st.booleans())
def test_given_a_recording_then_its_name_tells_handoff_number_and_whether_it_is_a_reply(
    handoff, number, reply
):
    name = recording_name(handoff, number, reply=reply)
    assert parse_recording(name) == (handoff, number, reply)
    assert parse_agent_leg(name) is None and parse_aside_leg(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "warm-1", "warm-1-question-", "warm-1-question-x", "warm-1-answer-1", "other-reply-1", "-reply-1"],
)
def test_given_a_recording_of_somebody_else_then_it_is_none_of_ours(name):
    assert parse_recording(name) is None


@pytest.mark.parametrize("number", ["²", "1" * 5000])
def test_given_what_looks_like_a_number_and_is_none_then_it_is_none_of_ours(number):
    assert parse_agent_leg(f"warm-1-agent-{number}") is None
    assert parse_aside_leg(f"warm-1-aside-{number}") is None
    assert parse_playback(f"warm-1~briefing~{number}") is None
    assert parse_recording(f"warm-1-reply-{number}") is None


def test_given_a_handoff_then_its_bridge_is_named_after_it():
    assert bridge_id("warm-1") == "warm-1-bridge"
    assert bridge_id("warm-1", 2) == "warm-1-bridge2"


@given(handoffs, st.integers(1, 100))
def test_given_a_bridge_of_ours_then_its_id_tells_whose_it_is(handoff, number):
    assert owner_of_bridge(bridge_id(handoff, number)) == handoff
    assert owner_of_bridge(consult_id(handoff)) == handoff


@pytest.mark.parametrize(
    "bridge", ["", "warm-1", "other-bridge", "warm-1-consult2", "warm-1-bridgex", "bridge"]
)
def test_given_a_bridge_of_somebody_else_then_it_is_none_of_ours(bridge):
    assert owner_of_bridge(bridge) is None


@given(handoffs, st.integers(1, 10_000))
def test_given_a_channel_that_speaks_into_an_ear_then_its_id_tells_the_handoff(handoff, number):
    assert parse_aside_leg(aside_leg(handoff, number)) == handoff
    assert parse_agent_leg(aside_leg(handoff, number)) is None
    assert parse_aside_leg(agent_leg(handoff, number)) is None


@pytest.mark.parametrize(
    ("leg", "offer"), [(agent_name(7), 7), (LEAD, None), (QUALIFIER, None), ("agent-x", None), ("x-1", None)]
)
def test_given_a_leg_then_the_offer_in_its_name(leg, offer):
    assert offer_of(leg) == offer


@pytest.mark.parametrize(
    "channel", ["", "1700000000.12", "warm-1", "warm-1-agent-", "warm-1-agent-x", "other-agent-1", "-agent-1"]
)
def test_given_a_channel_of_somebody_else_then_it_is_none_of_ours(channel):
    assert parse_agent_leg(channel) is None


@pytest.mark.parametrize("playback", ["", "a~b~1", "warm-1~briefing", "warm-1~briefing~x", "warm-1~a~b~1"])
def test_given_a_playback_of_somebody_else_then_it_is_none_of_ours(playback):
    assert parse_playback(playback) is None


@given(st.text(max_size=60))
def test_given_any_text_then_reading_it_never_fails(text):
    for parsed in (parse_agent_leg(text), parse_playback(text), parse_recording(text)):
        assert parsed is None or parsed[0].startswith("warm-")
