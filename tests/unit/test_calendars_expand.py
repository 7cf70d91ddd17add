"""What a calendar's text makes of an agent: busy, and when."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from asterisk_warm.calendars.expand import busy_times, merged
from asterisk_warm.calendars.source import NotUnderstood, Span
from asterisk_warm.core.presence import Busy

OUTLOOK = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*parts: str) -> bytes:
    lines = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""))
    return re.sub("\n+", "\r\n", lines).encode()


def event(*lines: str, uid: str = "1") -> str:
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))


def utc(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def told(text: bytes, now: str = "2026-11-28T12:00", zone: str = "Europe/Berlin") -> list[str]:
    """Each busy time in words, in UTC, as on 28 November 2026."""
    busy = busy_times([text], zone, Span.around(utc(now)), 5)
    times = ((datetime.fromtimestamp(at, ZoneInfo("UTC")) for at in (one.start, one.end)) for one in busy)
    spans = [" - ".join(f"{at:%m-%dT%H:%M}" for at in both) for both in times]
    return [f"{span} {one.what}".strip() for span, one in zip(spans, busy, strict=True)]


@pytest.mark.parametrize(
    ("lines", "busy"),
    [
        (["DTSTART:20261128T080000Z", "DTEND:20261128T090000Z"], ["11-28T08:00 - 11-28T09:00"]),
        (["DTSTART:20261128T080000Z", "DURATION:PT90M"], ["11-28T08:00 - 11-28T09:30"]),
        (["DTSTART:20261128T080000", "DURATION:PT1H"], ["11-28T07:00 - 11-28T08:00"]),
        (["DTSTART;TZID=America/New_York:20261128T080000", "DURATION:PT1H"], ["11-28T13:00 - 11-28T14:00"]),
        (["DTSTART;VALUE=DATE:20261128"], ["11-27T23:00 - 11-28T23:00"]),
        (["DTSTART;VALUE=DATE:20261120", "DTEND;VALUE=DATE:20261215"], ["11-19T23:00 - 12-14T23:00"]),
        (["DTSTART;VALUE=DATE:20261128", "DTEND;VALUE=DATE:20261128"], ["11-27T23:00 - 11-28T23:00"]),
        (["DTSTART:20261128T080000Z"], []),
        (["DTSTART:20261101T080000Z", "DURATION:PT1H"], []),
        (["DTSTART:20261128T080000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT"], []),
        (["DTSTART:20261128T080000Z", "DURATION:PT1H", "STATUS:CANCELLED"], []),
        (["DTSTART:20261128T080000Z", "DURATION:PT1H", "STATUS:TENTATIVE"], ["11-28T08:00 - 11-28T09:00"]),
    ],
)
def test_given_one_event_when_read_then_the_agent_is_busy_when_it_says_so(
    lines: list[str], busy: list[str]
) -> None:
    assert told(calendar(event(*lines))) == busy


def test_given_a_weekly_event_when_the_clocks_change_then_it_stays_at_its_hour() -> None:
    weekly = event(
        "DTSTART;TZID=Europe/Berlin:20260105T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYDAY=SA,MO"
    )
    assert told(calendar(weekly), now="2026-10-24T12:00") == [
        "10-24T07:00 - 10-24T08:00",
        "10-26T08:00 - 10-26T09:00",
        "10-31T08:00 - 10-31T09:00",
    ]


def test_given_exceptions_when_read_then_each_is_where_it_was_moved_and_none_where_it_was_taken_out() -> None:
    daily = event(
        "DTSTART;TZID=Europe/Berlin:20261101T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;UNTIL=20261202T235959Z",
        "EXDATE;TZID=Europe/Berlin:20261128T090000",
        "SUMMARY:Daily",
    )
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261129T090000",
        "DTSTART;TZID=Europe/Berlin:20261129T150000",
        "DURATION:PT30M",
        "SUMMARY:Moved",
    )
    cancelled = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261130T090000",
        "DTSTART;TZID=Europe/Berlin:20261130T090000",
        "DURATION:PT1H",
        "STATUS:CANCELLED",
    )
    assert told(calendar(daily, moved, cancelled)) == [
        "11-29T14:00 - 11-29T14:30 Moved",
        "12-01T08:00 - 12-01T09:00 Daily",
        "12-02T08:00 - 12-02T09:00 Daily",
    ]


@pytest.mark.parametrize("name", ["W. Europe Standard Time", "Customized Time Zone", "Europe/Berlin"])
def test_given_a_calendar_of_outlook_when_read_then_its_zones_are_understood(name: str) -> None:
    monday = event(f"DTSTART;TZID={name}:20260706T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    text = calendar(OUTLOOK.format(name=name), monday)
    assert told(text, zone="Asia/Tokyo") == ["11-30T08:00 - 11-30T09:00"]
    assert told(text, now="2026-07-21T12:00") == ["07-27T07:00 - 07-27T08:00"]


def test_given_a_windows_zone_without_its_rules_when_read_then_it_is_known_all_the_same() -> None:
    late = event("DTSTART;TZID=Pacific Standard Time:20261128T200000", "DURATION:PT1H")
    assert told(calendar(late)) == ["11-29T04:00 - 11-29T05:00"]


def test_given_whole_days_when_agents_live_apart_then_each_has_their_own_day() -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20261129", "SUMMARY:Sunday"))
    assert told(text, zone="America/Los_Angeles") == ["11-29T08:00 - 11-30T08:00 Sunday"]
    assert told(text, zone="Pacific/Auckland") == ["11-28T11:00 - 11-29T11:00 Sunday"]


def test_given_times_without_a_zone_at_the_edge_of_what_matters_when_read_then_they_count() -> None:
    first = event("DTSTART:20261127T033000", "DURATION:PT1H")
    last = event("DTSTART:20261206T200000", "DURATION:PT1H")
    assert told(calendar(first), zone="America/Los_Angeles") == ["11-27T11:30 - 11-27T12:30"]
    assert told(calendar(last), zone="Asia/Tokyo") == ["12-06T11:00 - 12-06T12:00"]


def test_given_no_zone_when_read_then_it_is_the_machines() -> None:
    (busy,) = busy_times(
        [calendar(event("DTSTART;VALUE=DATE:20261129"))], "", Span.around(utc("2026-11-28T12:00")), 5
    )
    assert busy.start == datetime(2026, 11, 29).timestamp()


def test_given_a_zone_of_the_whole_calendar_when_read_then_times_without_one_are_in_it() -> None:
    text = calendar("X-WR-TIMEZONE:Asia/Tokyo", event("DTSTART:20261128T200000", "DURATION:PT1H"))
    assert told(text) == ["11-28T11:00 - 11-28T12:00"]


def test_given_times_that_overlap_or_touch_when_read_then_they_are_one() -> None:
    assert told(
        calendar(
            event("DTSTART:20261128T100000Z", "DURATION:PT1H", "SUMMARY:Planning", uid="2"),
            event("DTSTART:20261128T080000Z", "DURATION:PT2H", "SUMMARY:Standup", uid="1"),
            event("DTSTART:20261128T083000Z", "DURATION:PT1H", "SUMMARY:Standup", uid="3"),
            event("DTSTART:20261128T120000Z", "DURATION:PT1H", uid="4"),
        )
    ) == ["11-28T08:00 - 11-28T11:00 Standup, Planning", "11-28T12:00 - 11-28T13:00"]
    assert merged([Busy(5, 5), Busy(9, 3, "backwards"), Busy(1, 2)]) == [Busy(1, 2)]


def test_given_words_of_others_when_read_then_they_are_one_printable_line_or_private() -> None:
    start = ("DTSTART:20261128T080000Z", "DURATION:PT1H")
    assert told(calendar(event(*start, "SUMMARY:Ana\\nund\u202e\x07 Zoë \\, " + "x" * 99))) == [
        "11-28T08:00 - 11-28T09:00 Ana und Zoë , " + "x" * 45 + "…"
    ]
    for secret in ("PRIVATE", "CONFIDENTIAL"):
        assert told(calendar(event(*start, "SUMMARY:Dentist", f"CLASS:{secret}"))) == [
            "11-28T08:00 - 11-28T09:00 private"
        ]


def test_given_only_free_and_busy_times_when_read_then_those_count() -> None:
    assert told(
        calendar(
            "BEGIN:VFREEBUSY",
            "FREEBUSY;FBTYPE=BUSY:20261128T080000Z/PT1H,20261128T100000Z/20261128T110000Z",
            "FREEBUSY;FBTYPE=FREE:20261128T120000Z/PT1H",
            "END:VFREEBUSY",
        )
    ) == ["11-28T08:00 - 11-28T09:00", "11-28T10:00 - 11-28T11:00"]


def test_given_several_calendars_in_one_text_when_read_then_all_count() -> None:
    one = calendar(event("DTSTART:20261128T080000Z", "DURATION:PT1H"))
    other = calendar(event("DTSTART:20261128T100000Z", "DURATION:PT1H"))
    assert len(told(b"\xef\xbb\xbf" + one + other)) == 2
    assert told(calendar()) == []


DAY = "DTSTART:20261128T080000Z"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no iCalendar: it is empty"),
        (b"<!DOCTYPE html>\n<title>Log in</title>", 'it begins with "<!DOCTYPE html> <title>Log in</title>"'),
        (b"\x00\xff\xfe" * 50, "no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261128T080000Z\r\n", "END:VCALENDAR is missing"),
        (b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "no iCalendar: END encountered"),
        (calendar(event("SUMMARY:Lost")), 'the event "Lost" has no DTSTART'),
        (calendar(event("DTSTART:tomorrow")), "an event without a summary: its DTSTART is wrong"),
        (calendar(event(DAY, "DTEND:20261128T250000Z", "SUMMARY:Odd")), '"Odd": its DTEND is wrong'),
        (calendar(event(DAY, "RRULE:FREQ=WEIRD")), "its RRULE is wrong"),
        (calendar(event(DAY, "RRULE:INTERVAL=2")), "its RRULE has no FREQ"),
        (calendar(event(DAY, "EXDATE:never")), "its EXDATE is wrong"),
        (calendar(event(DAY, DAY, "SUMMARY:Twice")), 'the event "Twice": '),
        (calendar(event("DTSTART;TZID=Mars/Olympus:20261128T080000", "DURATION:PT1H")), '"Mars/Olympus"'),
        (calendar("X-WR-TIMEZONE:Mars/Olympus", event(DAY)), "Mars/Olympus"),
        (calendar("X-WR-TIMEZONE:Europe", event(DAY)), "Europe"),
        (calendar("CALSCALE:HEBREW", event(DAY)), "Gregorian"),
        (
            calendar(event(DAY, "RRULE:FREQ=SECONDLY", "CLASS:PRIVATE", "SUMMARY:x")),
            "private event recurs secondly",
        ),
        (calendar(event(DAY, "RRULE:FREQ=MINUTELY;COUNT=9")), "nothing more often than hourly"),
        (
            calendar("BEGIN:VFREEBUSY", "FREEBUSY:often", "END:VFREEBUSY"),
            "Expected period format, got: often",
        ),
    ],
)
def test_given_what_cannot_be_understood_when_read_then_the_words_name_it(text: bytes, words: str) -> None:
    with pytest.raises(NotUnderstood, match=re.escape(words)):
        told(text)


def test_given_faults_in_what_nobody_is_busy_with_when_read_then_they_do_no_harm() -> None:
    alarm = "BEGIN:VALARM\nTRIGGER:soon\nEND:VALARM"
    task = f"BEGIN:VTODO\nDUE:never\n{alarm}\nEND:VTODO"
    text = calendar(task, event("DTSTART:20261128T080000Z", alarm, "no line", "DURATION:PT1H"))
    assert told(text) == ["11-28T08:00 - 11-28T09:00"]


def test_given_a_zone_nobody_knows_in_the_past_when_read_then_it_does_no_harm() -> None:
    old = event("DTSTART;TZID=Mars/Olympus:20200101T080000", "DURATION:PT1H")
    assert told(calendar(old)) == []


def test_given_more_events_than_there_is_time_for_when_read_then_it_is_given_up() -> None:
    events = (event(f"DTSTART:20261128T{i % 24:02}0000Z", "DURATION:PT1H", uid=f"{i}") for i in range(300))
    with pytest.raises(NotUnderstood, match="take"):
        busy_times([calendar(*events)], "", Span.around(utc("2026-11-28T12:00")), 0.01)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",  # never
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))),
    ],
)
def test_given_an_event_that_never_ends_recurring_when_read_then_it_is_given_up(rule: str) -> None:
    hostile = event("DTSTART:19700101T080000Z", "DURATION:PT1M", f"RRULE:{rule}", "SUMMARY:Bomb")
    with pytest.raises(NotUnderstood, match='the event "Bomb" recurs in a way that takes too long'):
        busy_times([calendar(hostile)], "", Span.around(utc("2026-11-28T12:00")), 0.2)
