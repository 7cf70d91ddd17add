"""How long a lead is likely to wait."""

from __future__ import annotations

import pytest

from asterisk_warm.core.presence import Reason, Why
from asterisk_warm.core.waiting import expected_wait

NOW = 1_000_000.0
TALK = 300.0
FREE: tuple[Reason, ...] = ()
TALKING = (Reason(Why.LIMIT, "talking", passes=True), Reason(Why.DEVICE, "in a call", passes=True))
WRAPUP = (Reason(Why.WRAPUP, "wrapping up", NOW + 20),)
MEETING = (Reason(Why.WRAPUP, "wrapping up", NOW + 20), Reason(Why.CALENDAR, "busy", NOW + 900))
GONE = (Reason(Why.WRAPUP, "wrapping up", NOW + 20), Reason(Why.OFFLINE, "offline"))


def wait(*agents: tuple[Reason, ...], ahead: int = 0) -> float | None:
    return expected_wait(agents, ahead, TALK, NOW)


def test_given_somebody_free_when_nobody_waits_before_then_there_is_no_wait() -> None:
    assert wait(TALKING, FREE, GONE) == 0


@pytest.mark.parametrize("agents", [(), (GONE,), (GONE, (Reason(Why.DND, "do-not-disturb"),))])
def test_given_nobody_who_can_be_expected_when_asked_then_there_is_no_answer(
    agents: tuple[tuple[Reason, ...], ...],
) -> None:
    assert wait(*agents) is None
    assert wait(*agents, ahead=3) is None


def test_given_known_ends_when_nobody_is_free_then_the_first_agent_whose_last_end_comes_counts() -> None:
    assert wait(MEETING) == 900
    assert wait(MEETING, WRAPUP, TALKING) == 20
    assert wait(MEETING, TALKING) == TALK


def test_given_an_end_that_is_past_when_asked_then_that_agent_is_free() -> None:
    assert wait((Reason(Why.PAUSED, "paused", NOW - 5),)) == 0


def test_given_leads_ahead_when_asked_then_each_of_them_takes_the_agent_who_is_free_first() -> None:
    waits = [wait(FREE, FREE, WRAPUP, ahead=ahead) for ahead in range(8)]
    assert waits == [0, 0, 20, TALK, TALK, 20 + TALK, 2 * TALK, 2 * TALK]


def test_given_more_leads_or_fewer_agents_when_asked_then_the_wait_is_never_shorter() -> None:
    agents = [FREE, TALKING, WRAPUP, MEETING, GONE, TALKING]
    for ahead in range(40):
        for count in range(1, len(agents) + 1):
            here = wait(*agents[:count], ahead=ahead)
            longer = wait(*agents[:count], ahead=ahead + 1)
            fewer = wait(*agents[1:count], ahead=ahead)
            assert here is not None and longer is not None and here <= longer
            assert fewer is None or here <= fewer
