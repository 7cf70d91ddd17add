"""Presence under anything that may happen to it, in any order and at any time; the clock may even go backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_warm.core import presence as pr
from asterisk_warm.core.presence import (
    Busy,
    By,
    Calendar,
    Declared,
    Ended,
    Lamp,
    Lease,
    Presence,
    Reason,
    Rules,
    Seen,
    Shift,
    Why,
)
from asterisk_warm.core.shifts import Hours, parse, shift_at
from asterisk_warm.core.waiting import expected_wait

NOW = 1_000_000.0

moments = st.integers(-50, 100).map(lambda seconds: NOW + seconds)
perhaps = st.none() | moments
handoffs = st.sampled_from(["warm-1", "warm-2", "warm-3"])
leases = st.builds(Lease, handoffs, st.sampled_from(["node-1", "node-2"]), moments)
rules = st.builds(Rules, st.sampled_from([0.0, 20.0]), st.integers(0, 3))


@dataclass(frozen=True)
class Act:
    """Something that happens to an agent."""

    does: Callable[..., Presence]
    now: float
    given: Mapping[str, Any]

    def __call__(self, presence: Presence) -> Presence:
        return self.does(presence, now=self.now, **self.given)


def act(does: Callable[..., Presence], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Act]:
    return st.builds(Act, st.just(does), moments, st.fixed_dictionaries(given))


acts = st.one_of(
    act(
        pr.declare,
        declared=st.sampled_from(Declared),
        by=st.just(By("ana", "code")),
        reason=st.sampled_from(["", "lunch"]),
        until=perhaps,
    ),
    act(pr.wrap_up, until=moments),
    act(pr.reserve, lease=leases),
    act(pr.renew, lease=leases),
    act(pr.talk, lease=leases),
    act(pr.release, handoff=handoffs, ended=st.sampled_from(Ended), rules=rules),
)
histories = st.lists(acts, max_size=12)
busy = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30)), max_size=3).map(
    lambda gaps: tuple(
        Busy(
            start := NOW + sum(gap + length for gap, length in gaps[:number]) + gaps[number][0],
            start + gaps[number][1],
        )
        for number in range(len(gaps))
    )
)
calendars = st.builds(Calendar, busy, perhaps, st.just(30.0), st.sampled_from(["", "timed out"]))
devices = st.sampled_from(
    [
        "NOT_INUSE",
        "INUSE",
        "BUSY",
        "UNAVAILABLE",
        "RINGING",
        "RINGINUSE",
        "ONHOLD",
        "INVALID",
        "UNKNOWN",
        "odd",
    ]
)
shifts = st.builds(Shift, st.booleans(), perhaps)
worlds = st.builds(
    Seen,
    devices,
    st.lists(devices, max_size=2).map(tuple),
    st.booleans(),
    st.none() | calendars,
    st.none() | shifts,
    st.integers(0, 3),
)


def after(history: list[Act]) -> Presence:
    presence = Presence("ana")
    for act in history:
        presence = act(presence)
    return presence


@settings(max_examples=200, deadline=None)
@given(histories, worlds, moments)
def test_given_anything_when_asked_then_there_is_an_answer_and_whatever_stands_against_it_is_named(
    history: list[Act], seen: Seen, now: float
) -> None:
    presence = after(history)
    reasons = pr.why_not(presence, seen, now)
    found = {reason.why for reason in reasons}
    here = pr.at(presence, now)
    assert (Why.OFFLINE in found) == (here.declared is Declared.OFFLINE)
    assert (Why.PAUSED in found) == (here.declared is Declared.PAUSED)
    assert (Why.OFFERED in found) == (here.offer is not None)
    assert (Why.LIMIT in found) == (len(here.talks) >= seen.at_once)
    assert (Why.WRAPUP in found) == (here.wrapup_until > now)
    assert (Why.DND in found) == seen.dnd
    assert (Why.SHIFT in found) == (seen.shift is not None and not seen.shift.on)
    assert (pr.lamp(presence, reasons) is Lamp.FREE) == (not reasons)
    assert all(reason.words for reason in reasons)
    assert all(
        reason.until is None or reason.until > now for reason in reasons if reason.why is not Why.SHIFT
    )
    assert pr.hopeful(reasons, now + 999) or not all(pr.hopeful([reason], now + 999) for reason in reasons)


@settings(max_examples=200, deadline=None)
@given(histories, moments, moments)
def test_given_a_presence_when_time_passes_in_steps_then_it_becomes_what_it_does_at_once(
    history: list[Act], one: float, other: float
) -> None:
    presence = after(history)
    first, second = sorted((one, other))
    assert pr.at(pr.at(presence, first), second) == pr.at(presence, second)
    assert pr.at(pr.at(presence, second), first) == pr.at(presence, second), "what is over does not come back"


@settings(max_examples=200, deadline=None)
@given(histories, acts)
def test_given_anything_when_it_happens_twice_then_it_has_happened_once(history: list[Act], act: Act) -> None:
    once = act(after(history))
    assert pr.at(act(once), act.now) == pr.at(once, act.now)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_given_anything_that_happens_when_it_has_then_no_handoff_holds_an_agent_twice(
    history: list[Act],
) -> None:
    presence = Presence("ana")
    for act in history:
        presence = act(presence)
        talks = [lease.handoff for lease in presence.talks]
        assert len(set(talks)) == len(talks)
        assert (presence.version, presence.agent) == (0, "ana")
        assert presence.declared is not Declared.READY or (presence.reason, presence.until) == ("", None)
        assert presence.until is None or presence.declared is Declared.PAUSED
        assert presence.idle_since >= presence.wrapup_until or presence.declared is not Declared.READY


@settings(max_examples=200, deadline=None)
@given(histories, handoffs, st.sampled_from(Ended), rules, moments)
def test_given_a_lease_when_it_is_released_then_it_is_gone_and_the_others_are_not(
    history: list[Act], handoff: str, ended: Ended, rules: Rules, now: float
) -> None:
    before = pr.at(after(history), now)
    released = pr.release(before, handoff, ended, rules, now)
    kept = [
        lease for lease in (before.offer, *before.talks) if lease is not None and lease.handoff != handoff
    ]
    assert [lease for lease in (released.offer, *released.talks) if lease is not None] == kept


@settings(max_examples=150, deadline=None)
@given(histories, worlds, moments)
def test_given_the_next_change_when_time_passes_then_nothing_changes_before_it(
    history: list[Act], seen: Seen, now: float
) -> None:
    """But for the age of a stale calendar, in words, and but for a shift, which is only seen as it is."""
    presence = after(history)
    change = pr.next_change(presence, seen, now)
    assert change is None or change > now
    last = change if change is not None else now + 300
    moment = now
    while moment < last:
        assert plain(pr.why_not(presence, seen, moment)) == plain(pr.why_not(presence, seen, now))
        moment += 0.5


def plain(reasons: tuple[Reason, ...]) -> list[tuple[Why, float | None, bool]]:
    return [(reason.why, reason.until, reason.passes) for reason in reasons]


@settings(max_examples=100, deadline=None)
@given(histories, worlds, moments)
def test_given_a_pause_or_wrap_up_with_an_end_when_it_has_come_then_it_stands_against_them_no_more(
    history: list[Act], seen: Seen, now: float
) -> None:
    presence = after(history)
    for reason in pr.why_not(presence, seen, now):
        if reason.why in (Why.PAUSED, Why.WRAPUP) and reason.until is not None:
            assert reason.why not in {one.why for one in pr.why_not(presence, seen, reason.until)}


# -- what is made of it ----------------------------------------------------------------------------------------

hours = st.builds(
    lambda days, start, length: Hours(days, start, min(start + length, 2880)),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(hours, min_size=1, max_size=3), zones, st.integers(1_767_225_600, 1_830_297_600), st.floats(0, 1)
)
def test_given_any_shifts_when_followed_then_nothing_changes_until_the_change_they_tell(
    found: list[Hours], name: str, now: int, part: float
) -> None:
    zone = ZoneInfo(name)
    shift = shift_at(found, zone, now)
    assert shift is not None
    end = shift.next_change if shift.next_change is not None else now + 14 * 86400
    assert end > now
    between = now + (end - now) * part
    if between < end:
        assert shift_at(found, zone, between) == shift
    if shift.next_change is not None:
        changed = shift_at(found, zone, shift.next_change)
        assert changed is not None and changed.on is not shift.on
    wall = datetime.fromtimestamp(now, zone)
    minutes = wall.hour * 60 + wall.minute
    shown = any(
        (wall.weekday() in one.days and one.start <= minutes < one.end)
        or ((wall.weekday() - 1) % 7 in one.days and minutes + 1440 < one.end)
        for one in found
    )
    assert shift.on or not shown


@settings(max_examples=300, deadline=None)
@given(st.text("monfriedaly,-: 0123456789", max_size=20) | st.text(max_size=20))
def test_given_any_text_when_read_as_a_shift_then_it_is_one_or_is_told_what_will_do(text: str) -> None:
    try:
        found = parse(text)
    except ValueError as problem:
        assert "write " in str(problem) or "it goes from 00:00 to 24:00" in str(problem)
    else:
        assert found.days and 0 <= found.start < found.end <= found.start + 1440


whys = st.sampled_from(
    [
        Reason(Why.LIMIT, "", passes=True),
        Reason(Why.DND, ""),
        Reason(Why.WRAPUP, "", NOW + 20),
        Reason(Why.PAUSED, "", NOW - 20),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(whys, max_size=2)), st.integers(0, 30), st.sampled_from([0.0, 60.0]))
def test_given_any_team_when_one_lead_more_is_ahead_then_the_wait_is_not_shorter(
    agents: list[list[Reason]], ahead: int, talk_seconds: float
) -> None:
    wait = expected_wait(agents, ahead, talk_seconds, NOW)
    more = expected_wait(agents, ahead + 1, talk_seconds, NOW)
    if wait is None or more is None:
        assert wait == more
        assert all(any(reason.why is Why.DND for reason in reasons) for reasons in agents)
    else:
        assert 0 <= wait <= more
        free = sum(all(reason.why is Why.PAUSED for reason in reasons) for reasons in agents)
        assert free <= ahead or wait == 0
