"""Times that people write and read, and agents in words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from asterisk_warm.cli.agent_words import became, free_again, now_words, remedy, sentence
from asterisk_warm.cli.failures import Failure
from asterisk_warm.cli.moments import moment_of, seconds_of
from asterisk_warm.cli.times import short_clock, until
from asterisk_warm.cli.words import wait, waiting
from asterisk_warm.core.presence import (
    Busy,
    Calendar,
    Declared,
    Lease,
    Presence,
    Seen,
    Shift,
    Why,
    why_not,
)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the clock changes twice a year."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def local(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").timestamp()


NOON = "2026-03-25 12:00"
"""A Wednesday."""


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("30m", 1800), ("1h30m", 5400), ("90s", 90), ("2h", 7200), (" 5M ", 300), ("1h0m5s", 3605)],
)
def test_given_a_length_of_time_with_its_unit_then_it_is_read(given: str, seconds: float) -> None:
    assert seconds_of("--for", given) == seconds


@pytest.mark.parametrize(
    "given", ["", "30", "m", "h", "-5m", "1.5h", "5 m", "30min", "٣m", "5m1h", "9" * 20 + "m", "0m"]
)
def test_given_no_length_of_time_then_it_is_said(given: str) -> None:
    with pytest.raises(Failure) as caught:
        seconds_of("--for", given)
    assert caught.value.exit_code == 2
    assert "--for" in caught.value.message and caught.value.remedy.startswith("such as 30m")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("14:30", "2026-03-25 14:30"),
        ("12:01", "2026-03-25 12:01"),
        ("12:00", "2026-03-26 12:00"),
        ("9:05", "2026-03-26 09:05"),
        ("00:00", "2026-03-26 00:00"),
        ("2026-04-01 08:15", "2026-04-01 08:15"),
        ("2026-04-01T08:15", "2026-04-01 08:15"),
    ],
)
def test_given_a_time_of_the_clock_then_it_is_the_next_one(given: str, expected: str) -> None:
    assert moment_of("--until", given, local(NOON)) == local(expected)


def test_given_the_night_of_the_change_when_a_time_is_read_then_the_clock_on_the_wall_counts() -> None:
    evening = local("2026-03-28 22:00")
    assert moment_of("--until", "21:30", evening) == local("2026-03-29 21:30")
    assert moment_of("--until", "21:30", evening) - evening == 22.5 * 3600


@pytest.mark.parametrize(
    "given",
    ["", "25:00", "12:60", "noon", "12", "12:00:00:00", "2026-02-30 10:00", "0000-01-01 00:00", "١٢:٠٠"],
)
def test_given_no_time_then_it_is_said(given: str) -> None:
    with pytest.raises(Failure) as caught:
        moment_of("--until", given, local(NOON))
    assert (caught.value.exit_code, "--until" in caught.value.message) == (2, True)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-03-25 14:30", "14:30"),
        ("2026-03-25 09:00", "09:00"),
        ("2026-03-26 09:00", "Thu 09:00"),
        ("2026-03-31 09:00", "Tue 09:00"),
        ("2026-04-01 09:00", "2026-04-01 09:00"),
        ("2026-03-24 09:00", "2026-03-24 09:00"),
    ],
)
def test_given_a_moment_then_it_is_told_as_short_as_it_is_plain(at: str, words: str) -> None:
    assert short_clock(local(at), local(NOON)) == words


def test_given_an_end_that_was_just_declared_then_it_is_told_in_full() -> None:
    now = local(NOON)
    assert until(now + 1799.2, now) == "until 12:29 (in 30 min)"
    assert until(now + 1790, now) == "until 12:29 (in 29 min)"


def test_given_a_wait_then_it_is_told() -> None:
    assert [wait(seconds) for seconds in (None, 0.0, 0.4, 42.0, 300.0)] == [
        "unknown",
        "none",
        "none",
        "42 s",
        "5 min",
    ]
    assert [waiting({"waiting": n}) for n in (0, 1, 7)] == ["no leads wait", "1 lead waits", "7 leads wait"]


# -- agents --------------------------------------------------------------------------------------------------

NOW = 1_000_000.0
LEASE = Lease("warm-1", "node", NOW + 60)
REASONS: dict[Why, tuple[Presence, Seen]] = {
    Why.OFFLINE: (Presence("ana", declared=Declared.OFFLINE, reason="gone home"), Seen()),
    Why.PAUSED: (Presence("ana", declared=Declared.PAUSED, reason="lunch", until=NOW + 60), Seen()),
    Why.WRAPUP: (Presence("ana", wrapup_until=NOW + 60), Seen()),
    Why.OFFERED: (Presence("ana", offer=LEASE), Seen(at_once=2)),
    Why.LIMIT: (Presence("ana", talks=(LEASE,)), Seen()),
    Why.DEVICE: (Presence("ana"), Seen("INUSE")),
    Why.UNREACHABLE: (Presence("ana"), Seen("UNAVAILABLE")),
    Why.DND: (Presence("ana"), Seen(dnd=True)),
    Why.CALENDAR: (Presence("ana"), Seen(calendar=Calendar((Busy(NOW - 1, NOW + 60, "review"),), NOW, 900))),
    Why.STALE: (Presence("ana"), Seen(calendar=Calendar((), NOW - 1200, 900, "no answer"))),
    Why.SHIFT: (Presence("ana"), Seen(shift=Shift(False, NOW + 60))),
}
SENTENCES = {
    Why.OFFLINE: "Ana is offline: gone home.",
    Why.PAUSED: "Ana is paused: lunch, END.",
    Why.WRAPUP: "Ana is wrapping up the last call, END.",
    Why.OFFERED: "Ana is being offered warm-1.",
    Why.LIMIT: "Ana is talking to the lead of warm-1.",
    Why.DEVICE: "Ana is in a call.",
    Why.UNREACHABLE: "Ana cannot be rung: phone not registered.",
    Why.DND: "Ana cannot be rung: do-not-disturb is on.",
    Why.CALENDAR: "Ana is busy in the calendar: review, END.",
    Why.STALE: "Ana may be busy: calendar last read 20 min ago (no answer).",
    Why.SHIFT: "Ana is off shift, END.",
}


def shown(presence: Presence, seen: Seen) -> dict[str, Any]:
    """An agent as the API has them, so far as words are made of it."""
    why = [
        {"code": reason.why.value, "words": reason.words, "until": reason.until}
        for reason in why_not(presence, seen, NOW)
    ]
    return {
        **{"id": "ana", "name": "Ana", "endpoint": "PJSIP/ana", "why": why, "since": presence.since},
        **{"declared": presence.declared.value, "reason": presence.reason, "until": presence.until},
    }


@pytest.mark.parametrize("why", Why)
def test_given_a_reason_of_the_core_then_it_is_a_sentence(why: Why) -> None:
    agent = shown(*REASONS[why])
    (reason,) = agent["why"]
    assert reason["code"] == why
    assert sentence(agent, reason, NOW) == SENTENCES[why].replace("END", until(NOW + 60, NOW))
    assert "{" not in remedy(agent, reason)


def test_given_more_than_one_talk_and_a_reason_of_a_newer_daemon_then_they_are_sentences_too() -> None:
    two = shown(Presence("ana", talks=(LEASE, LEASE)), Seen(at_once=2))
    assert sentence(two, two["why"][0], NOW) == "Ana has 2 handoffs."
    new = {"code": "moon", "words": "on the moon", "until": None}
    assert sentence(two, new, NOW) == "Ana: on the moon."
    assert remedy(two, new) == ""


def test_given_a_pause_for_some_time_then_it_is_told_for_how_long() -> None:
    agent = shown(Presence("ana", declared=Declared.PAUSED, since=NOW - 720), Seen())
    assert now_words(agent, NOW) == ["paused, for 12 min"]
    assert became(agent, NOW) == "Ana (ana) is paused."


def test_given_several_reasons_then_the_last_end_counts_and_only_where_all_are_known() -> None:
    pause = Presence("ana", declared=Declared.PAUSED, until=NOW + 3600, wrapup_until=NOW + 60)
    assert (
        free_again(shown(pause, Seen()), NOW)
        == f"All of it is over at {short_clock(NOW + 3600, NOW)}, in 1 h."
    )
    assert free_again(shown(pause, Seen("INUSE")), NOW) == ""
    assert free_again(shown(Presence("ana", wrapup_until=NOW + 60), Seen()), NOW) == ""
