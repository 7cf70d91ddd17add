"""One deadline, armed, moved and disarmed; it fires never early, on a loop whose time only the test moves."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from property.model_engine import Loop

from asterisk_warm.engine.timers import Timer


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    loop = Loop()
    monkeypatch.setattr(time, "time", loop.time)
    yield loop
    loop.close()


@pytest.fixture
def fired() -> list[float]:
    return []


@pytest.fixture
def timer(loop: Loop, fired: list[float]) -> Timer:
    return Timer(lambda: fired.append(loop.now))


def within(loop: Loop, timer: Timer, due: float | None) -> None:
    loop.call_soon(timer.arm, due)
    loop.settle()


def test_given_a_deadline_then_it_fires_once_and_not_early(loop, timer, fired):
    within(loop, timer, loop.now + 5.0)
    loop.advance(4.999)
    assert fired == []
    loop.advance(0.002)
    assert len(fired) == 1
    loop.advance(100.0)
    assert len(fired) == 1


def test_given_a_deadline_in_the_past_then_it_fires_at_once(loop, timer, fired):
    within(loop, timer, loop.now - 60.0)
    loop.advance(0.001)
    assert len(fired) == 1


def test_given_it_is_moved_then_only_the_new_deadline_counts(loop, timer, fired):
    start = loop.now
    within(loop, timer, start + 5.0)
    within(loop, timer, start + 2.0)
    loop.advance(3.0)
    assert [round(at - start, 3) for at in fired] == [2.0]
    loop.advance(10.0)
    assert len(fired) == 1


def test_given_the_same_deadline_again_then_it_stays_armed_as_it_is(loop, timer, fired):
    for _ in range(3):
        within(loop, timer, loop.now + 5.0)
    loop.advance(6.0)
    assert len(fired) == 1


@pytest.mark.parametrize("how", ["arm none", "disarm"])
def test_given_it_is_disarmed_then_it_does_not_fire(loop, timer, fired, how):
    within(loop, timer, loop.now + 5.0)
    if how == "disarm":
        timer.disarm()
    else:
        within(loop, timer, None)
    loop.advance(10.0)
    assert fired == []


def test_given_the_wall_clock_is_behind_the_loops_then_it_waits_for_the_rest(loop, timer, fired, monkeypatch):
    behind = 0.5
    monkeypatch.setattr(time, "time", lambda: loop.now - behind)
    due = loop.now - behind + 5.0
    within(loop, timer, due)
    behind = 1.5
    loop.advance(5.2)
    assert fired == []
    loop.advance(1.0)
    assert len(fired) == 1


def test_given_it_has_fired_then_the_same_deadline_can_be_armed_again(loop, timer, fired):
    due = loop.now + 1.0
    within(loop, timer, due)
    loop.advance(2.0)
    within(loop, timer, due)
    loop.advance(0.001)
    assert len(fired) == 2
