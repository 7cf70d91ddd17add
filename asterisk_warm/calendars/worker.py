"""The calendar worker: `python -m asterisk_warm.calendars.worker`, a process that reads one calendar.

It exists because a calendar is written by others: an event that recurs in a wicked way keeps Python busy for
hours, and a thread can neither be stopped nor keeps out of the way of the daemon, which holds live calls
together. The time zones that a calendar defines, which the library keeps for all, end with it, too."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress

import msgspec

from asterisk_warm.calendars.source import NotUnderstood, Span
from asterisk_warm.core.presence import Busy

NICENESS = 10
"""Live calls come first."""
PROCESSOR_SECONDS = 30
MEMORY_BYTES = 1 << 30


class Task(msgspec.Struct):
    texts: tuple[bytes, ...]
    zone: str
    start: float
    end: float
    seconds: float


class Answer(msgspec.Struct):
    busy: list[Busy] = []
    error: str = ""


def main() -> None:
    """Read one task from standard input, write its answer to standard output."""
    os.nice(NICENESS)
    for limit, most in ((resource.RLIMIT_CPU, PROCESSOR_SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(ValueError, OSError):  # a lower one is set already, which serves
            resource.setrlimit(limit, (most, most))
    from asterisk_warm.calendars.expand import busy_times  # under the limits

    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    try:
        answer = Answer(busy_times(task.texts, task.zone, Span(task.start, task.end), task.seconds))
    except NotUnderstood as error:
        answer = Answer(error=str(error))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
