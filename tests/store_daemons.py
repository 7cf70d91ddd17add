"""Starts daemons that commit numbered entries, one after the other, and kills them (see store_crash.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Self

import store_crash

from asterisk_warm.engine.ports.journal import StoredEvent
from asterisk_warm.store import Database, SqlJournal


class Daemons:
    """Of one node."""

    def __init__(self, url: str, node: str = "warm") -> None:
        self._starter = subprocess.Popen(
            [sys.executable, store_crash.__file__, url, node],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._running = 0

    def start(self, number: int) -> int:
        """Start one that begins with that number; returns its process id."""
        assert self._starter.stdin is not None
        self._starter.stdin.write(b"%d\n" % number)
        self._starter.stdin.flush()
        self._running = self.reply()
        return self._running

    def reply(self) -> int:
        """The next number that was committed."""
        return int(self._line())

    def kill(self) -> list[int]:
        """Kill it; returns the numbers that it had committed and that were not read yet."""
        os.kill(self._running, signal.SIGKILL)
        self._running = 0
        return [int(line) for line in iter(self._line, b"dead\n")]

    def _line(self) -> bytes:
        assert self._starter.stdout is not None
        line = self._starter.stdout.readline()
        assert line, "the daemons' starter has ended"
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._running:
            self.kill()
        self._starter.communicate(timeout=10)


async def check_prefix(url: str, starts: list[int], node: str = "warm") -> int:
    """How many entries of that node are stored: exactly the first ones, each with all that belongs to it."""
    found: dict[int, StoredEvent] = {}
    async with await Database.open(url, node) as database:
        journal = SqlJournal(database)
        for handoff in await journal.unsettled():
            events = await journal.events(handoff.id)
            assert [one.seq for one in events] == list(range(1, len(events) + 1))
            assert handoff.snapshot_json == store_crash.numbered(int(events[-1].at)).snapshot_json
            found |= {int(one.at): one for one in events}
    assert sorted(found) == list(range(len(found)))
    for number, stored in found.items():
        wanted = store_crash.numbered(number)
        assert (stored.event, stored.event_json, stored.state) == (
            wanted.event,
            wanted.event_json,
            wanted.state,
        )
        # Each entry marks the commands of the one before as done; the first of a daemon knows of none.
        done_at = float(number + 1) if number + 1 in found and number + 1 not in starts else None
        assert list(stored.commands) == [(*command, done_at) for command in wanted.commands]
    return len(found)
