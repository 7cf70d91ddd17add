"""Calendars in files: read when they change, kept when they fail."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from calendar_stage import HOUR, NOW, Clock, Make, at, busy, making, read

from asterisk_warm.calendars import files, process
from asterisk_warm.calendars.source import Span, Unreadable
from asterisk_warm.core.presence import Calendar, Presence, Seen, Why, why_not


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make(clock: Clock) -> AsyncIterator[Make]:
    async with making(clock) as one:
        yield one


async def test_given_a_file_when_it_changes_then_what_is_busy_changes(
    make: Make, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "ana.ics"
    file.write_bytes(at(10))
    calendars = make(file=file)
    assert calendars.of("ana") == Calendar((), None, 900)
    assert await read(calendars) == Calendar(busy(10), NOW, 900)

    file.write_bytes(at(15))
    clock.now += 60
    assert await read(calendars) == Calendar(busy(15), NOW + 60, 900)


async def test_given_a_file_that_is_the_same_when_read_then_it_is_not_opened_up_again(
    make: Make, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ana.ics"
    file.write_bytes(at(10))
    calendars = make(file=file)
    await read(calendars)
    monkeypatch.setattr(process, "_IMPORTED_FROM", tmp_path / "nowhere")  # no worker can start
    clock.now += 60
    assert await read(calendars) == Calendar(busy(10), NOW + 60, 900)
    found = file.stat()
    file.write_bytes(at(15))
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))  # as if it were the same
    assert await read(calendars) == Calendar(busy(10), NOW + 60, 900)
    file.write_bytes(at(10))
    os.utime(file)  # touched, but the same
    assert (await read(calendars)).error == ""
    clock.now += HOUR  # the days that matter have moved on
    assert "cannot start the calendar worker" in (await read(calendars)).error


async def test_given_a_file_that_goes_when_read_then_the_last_reading_stays_until_it_is_stale(
    make: Make, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "ana.ics"
    file.write_bytes(at(10))
    calendars = make(file=file)
    await read(calendars)
    file.unlink()
    clock.now += 600
    failed = Calendar(busy(10), NOW, 900, f"{file}: No such file or directory")
    assert await read(calendars) == failed
    assert why_not(Presence("ana"), Seen(calendar=failed), clock.now) == ()
    clock.now += 301
    (reason,) = why_not(Presence("ana"), Seen(calendar=await read(calendars)), clock.now)
    assert (reason.why, reason.words) == (
        Why.STALE,
        f"calendar last read 15 min ago ({file}: No such file or directory)",
    )


async def test_given_no_proper_file_when_read_then_the_words_say_so(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(b" " * 1001)
    for path, words in (
        (tmp_path, f"{tmp_path}: Is a directory"),
        (pipe, f"{pipe} is no file"),
        (large, "more than 0.001 MB: export fewer past events"),
    ):
        calendar = await read(make(file=path))
        assert words in calendar.error
        assert calendar.read_at is None


async def test_given_a_disk_that_does_not_answer_when_read_then_it_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "NETWORK_SECONDS", 0.05)
    back = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(back.wait)  # as a reading does from a disk that is gone
        with pytest.raises(Unreadable, match="no answer from the disk"):
            await files.FileSource(tmp_path / "ana.ics", threads).fetch({}, Span.around(NOW))
        back.set()
