"""Ids that the engine makes."""

from __future__ import annotations

import re
import time

from asterisk_warm.core.handoff.ids import agent_leg, parse_agent_leg, parse_playback, playback_id
from asterisk_warm.engine.ids import new_event_id, new_handoff_id, new_qualification_id


def test_given_many_then_no_two_are_alike():
    assert len({new_event_id() for _ in range(10_000)}) == 10_000
    assert len({new_handoff_id() for _ in range(1000)}) == 1000


def test_given_a_handoff_id_then_it_is_safe_in_a_channel_id_and_readable_back():
    handoff = new_handoff_id()
    assert re.fullmatch(r"warm-[0-9a-hjkmnp-tv-z]{14}", handoff)
    assert parse_agent_leg(agent_leg(handoff, 3)) == (handoff, 3)
    assert parse_playback(playback_id(handoff, "comfort", 2)) == (handoff, "comfort", 2)


def test_given_a_qualification_id_then_it_is_none_of_a_handoff():
    qualification = new_qualification_id()
    assert re.fullmatch(r"qual-[0-9a-hjkmnp-tv-z]{14}", qualification)
    assert parse_agent_leg(agent_leg(qualification, 1)) is None


def test_given_later_handoffs_then_their_ids_sort_later(monkeypatch):
    ids = []
    for seconds in (0, 1, 3600, 10**6, 10**8):
        monkeypatch.setattr(time, "time", lambda moment=1.7e9 + seconds: moment)
        ids.append(new_handoff_id())
    assert ids == sorted(ids)
