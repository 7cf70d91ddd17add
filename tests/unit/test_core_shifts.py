"""Shifts by the clock on the agent's wall: what is written, and what is on when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from asterisk_warm.core.presence import Shift
from asterisk_warm.core.shifts import Hours, parse, shift_at

BERLIN = ZoneInfo(
    "Europe/Berlin"
)  # 2026: forward on 29 March (2:00 → 3:00), back on 25 October (3:00 → 2:00)
WORK = frozenset(range(5))
DAILY = frozenset(range(7))


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def shift(texts: str, now: float, zone: ZoneInfo = BERLIN) -> Shift | None:
    return shift_at([parse(text) for text in texts.split("; ")], zone, now)


# -- reading them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("mon-fri 09:00-17:30", Hours(WORK, 540, 1050)),
        ("  MON-FRI   9:00-17:30 ", Hours(WORK, 540, 1050)),
        ("sat,sun 22:00-06:00", Hours(frozenset({5, 6}), 1320, 1800)),
        ("daily 08:00-12:00", Hours(DAILY, 480, 720)),
        ("daily 00:00-24:00", Hours(DAILY, 0, 1440)),
        ("wed 12:00-00:00", Hours(frozenset({2}), 720, 1440)),
        ("sun-mon,thu 01:00-02:00", Hours(frozenset({6, 0, 3}), 60, 120)),
        ("tue-mon 01:00-02:00", Hours(DAILY, 60, 120)),
        ("tue-tue 01:00-02:00", Hours(frozenset({1}), 60, 120)),
    ],
)
def test_given_a_shift_that_is_well_written_when_read_then_its_days_and_minutes_are_known(
    text: str, hours: Hours
) -> None:
    assert parse(text) == hours


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a shift is days and hours with one space between them; write e.g. mon-fri 09:00-17:30"),
        ("mon-fri", "a shift is days and hours"),
        ("mon - fri 09:00-17:30", "a shift is days and hours"),
        ("monday 09:00-17:30", "'monday' is no day; days are mon, tue, wed, thu, fri, sat, sun and daily"),
        ("mon-fri-sun 09:00-17:30", "'fri-sun' is no day"),
        ("mon,,fri 09:00-17:30", "'' is no day"),
        ("mon,daily 09:00-17:30", "'daily' is no day"),
        ("- 09:00-17:30", "'' is no day"),
        ("mon 9-17", "'9-17' are no hours; write e.g."),
        ("mon 09:00–17:00", "are no hours"),
        ("mon ٠٩:00-17:00", "are no hours"),
        ("mon 09:00-17:60", "17:60 is no time of day; it goes from 00:00 to 24:00"),
        ("mon 09:00-24:01", "24:01 is no time of day"),
        ("mon 09:00-09:00", "a shift cannot be 09:00-09:00; for the whole day write 00:00-24:00"),
        ("mon 24:00-06:00", "a shift cannot be 24:00-06:00"),
    ],
)
def test_given_a_shift_that_cannot_be_read_when_read_then_it_is_told_what_is_wrong_and_what_will_do(
    text: str, problem: str
) -> None:
    with pytest.raises(ValueError) as told:
        parse(text)
    assert problem in str(told.value)
    assert any(remedy in str(told.value) for remedy in ("write ", "it goes from"))


# -- on and off ----------------------------------------------------------------------------------------------


def test_given_no_shifts_when_asked_then_there_are_none() -> None:
    assert shift_at([], BERLIN, 0.0) is None


@pytest.mark.parametrize(
    ("now", "on", "change"),
    [
        ("2026-06-01 08:59:59", False, "2026-06-01 09:00"),
        ("2026-06-01 09:00", True, "2026-06-01 17:30"),
        ("2026-06-01 17:29:59", True, "2026-06-01 17:30"),
        ("2026-06-01 17:30", False, "2026-06-02 09:00"),
        ("2026-06-05 17:30", False, "2026-06-08 09:00"),
    ],
)
def test_given_office_hours_when_the_week_goes_by_then_each_change_is_told(
    now: str, on: bool, change: str
) -> None:
    assert shift("mon-fri 09:00-17:30", at(now)) == Shift(on, at(change))


@pytest.mark.parametrize(
    ("now", "on", "change"),
    [
        ("2026-06-06 21:00", False, "2026-06-06 22:00"),
        ("2026-06-07 05:59", True, "2026-06-07 06:00"),
        ("2026-06-07 23:00", True, "2026-06-08 06:00"),
        ("2026-06-08 06:00", False, "2026-06-13 22:00"),
    ],
)
def test_given_a_night_shift_when_it_is_past_midnight_then_it_goes_on(
    now: str, on: bool, change: str
) -> None:
    assert shift("sat,sun 22:00-06:00", at(now)) == Shift(on, at(change))


def test_given_shifts_that_meet_or_overlap_when_on_one_then_the_end_of_the_last_is_told() -> None:
    texts = "daily 08:00-12:00; daily 11:00-11:30; daily 12:00-14:00; daily 15:00-16:00"
    assert shift(texts, at("2026-06-01 08:30")) == Shift(True, at("2026-06-01 14:00"))
    assert shift(texts, at("2026-06-01 14:30")) == Shift(False, at("2026-06-01 15:00"))


@pytest.mark.parametrize(
    "texts", ["daily 00:00-24:00", "mon-thu 06:00-18:00; daily 18:00-06:00; fri-sun 05:00-19:00"]
)
@pytest.mark.parametrize("now", ["2026-06-01 00:00", "2026-03-29 03:00", "2026-10-24 12:00"])
def test_given_shifts_around_the_clock_when_asked_then_that_never_changes(texts: str, now: str) -> None:
    assert shift(texts, at(now)) == Shift(True, None)


def test_given_hours_of_no_day_when_asked_then_they_are_never_on() -> None:
    assert shift_at([Hours(frozenset(), 0, 60)], BERLIN, at("2026-06-01 00:30")) == Shift(False, None)


def test_given_two_agents_far_apart_when_it_is_one_time_then_each_has_the_clock_of_their_own_wall() -> None:
    now = at("2026-06-01 10:00")
    assert shift("mon 09:00-17:00", now) == Shift(True, at("2026-06-01 17:00"))
    there = ZoneInfo("America/New_York")
    assert shift("mon 09:00-17:00", now, there) == Shift(False, at("2026-06-01 09:00", there))
    ahead = timezone(timedelta(hours=14))
    assert shift_at([parse("tue 00:00-01:00")], ahead, at("2026-06-01 12:30")) == Shift(
        True, at("2026-06-01 13:00")
    )


# -- when the clocks are changed -----------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-06", 8)])
def test_given_the_clocks_are_changed_when_on_the_night_shift_then_it_is_an_hour_shorter_or_longer(
    day: str, hours: int
) -> None:
    start = at(f"{day} 22:00")
    assert shift("sat 22:00-06:00", start) == Shift(True, start + hours * 3600)


def test_given_the_clocks_go_forward_when_a_shift_begins_in_the_lost_hour_then_it_begins_once_that_is_over() -> (
    None
):
    forward = at("2026-03-29 03:00")
    assert shift("daily 02:30-12:00", forward - 1) == Shift(False, forward)
    assert shift("daily 02:30-12:00", forward) == Shift(True, at("2026-03-29 12:00"))


def test_given_the_clocks_go_forward_when_a_shift_ends_in_the_lost_hour_then_it_ends_as_that_begins() -> None:
    forward = at("2026-03-29 03:00")
    assert shift("daily 00:00-02:30", forward - 1) == Shift(True, forward)
    assert shift("daily 00:00-02:30", forward) == Shift(False, at("2026-03-30 00:00"))


def test_given_the_clocks_go_forward_when_a_shift_lies_in_the_lost_hour_then_it_does_not_take_place() -> None:
    assert shift("sun 02:10-02:50", at("2026-03-28 12:00")) == Shift(False, at("2026-04-05 02:10"))


def test_given_the_clocks_go_back_when_a_shift_ends_in_the_hour_that_comes_twice_then_it_lasts_to_the_second() -> (
    None
):
    first, second = at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1)
    assert second - first == 3600
    assert shift("daily 00:00-02:30", first) == Shift(True, second)
    assert shift("daily 00:00-02:30", second) == Shift(False, at("2026-10-26 00:00"))


def test_given_the_clocks_go_back_when_a_shift_begins_in_the_hour_that_comes_twice_then_it_begins_in_the_first() -> (
    None
):
    first = at("2026-10-25 02:30")
    assert shift("daily 02:30-12:00", first - 1) == Shift(False, first)
    assert shift("daily 02:30-12:00", first) == Shift(True, at("2026-10-25 12:00"))


def test_given_a_whole_day_is_left_out_when_it_would_have_been_on_then_there_is_no_shift() -> None:
    apia = ZoneInfo("Pacific/Apia")  # There was no 30 December 2011 (a Friday).
    assert shift("fri 09:00-17:00", at("2011-12-29 23:00", apia), apia) == Shift(
        False, at("2012-01-06 09:00", apia)
    )
    assert shift("thu 20:00-08:00", at("2011-12-29 23:00", apia), apia) == Shift(
        True, at("2011-12-31 00:00", apia)
    )


@pytest.mark.parametrize("name", ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "text", ["daily 02:15-02:45", "sat 22:00-06:00", "mon-fri 09:00-17:30", "daily 01:45-02:10"]
)
def test_given_a_year_when_followed_from_change_to_change_then_it_agrees_with_the_clock_on_the_wall(
    name: str, text: str
) -> None:
    zone, hours = ZoneInfo(name), parse(text)
    now, end = at("2026-01-01 00:00", zone), at("2027-01-02 00:00", zone)
    while now < end:
        found = shift_at([hours], zone, now)
        assert found is not None and found.next_change is not None and found.next_change > now
        for moment in (now, (now + found.next_change) / 2, found.next_change - 0.5):
            wall = datetime.fromtimestamp(moment, zone)
            assert found.on == shows(hours, wall) or (found.on and shows_twice(wall))
        now = found.next_change


def shows(hours: Hours, wall: datetime) -> bool:
    """Is it between those times, by that clock?"""
    minutes = wall.hour * 60 + wall.minute
    today = wall.weekday() in hours.days and hours.start <= minutes < hours.end
    return today or ((wall.weekday() - 1) % 7 in hours.days and minutes + 1440 < hours.end)


def shows_twice(wall: datetime) -> bool:
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
