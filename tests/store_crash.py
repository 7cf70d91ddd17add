"""Daemons to be killed: for each number N on stdin, fork a child that commits entries N, N+1, … until then.

`python store_crash.py URL NODE` writes to stdout the child's process id, each number it committed, and "dead".
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

import structlog

from asterisk_warm.engine.ports.journal import Entry
from asterisk_warm.store import Database, SqlJournal, checkpoints


def numbered(number: int, done: tuple[int, ...] = (), node: str = "warm") -> Entry:
    """An entry that can be told by its number, and the node that writes it, alone."""
    return Entry(
        handoff=f"{node}-{number % 3}",
        event_id=str(number),
        at=float(number),
        event=f"Event{number}",
        event_json=f'{{"event": {number}}}'.encode(),
        snapshot_json=f'{{"after": {number}, "filling": "{"x" * 4000}"}}'.encode(),
        state=f"STATE{number}",
        team="sales",
        lead_channel="1.1",
        lead_name="Ana",
        lead_number="1",
        settled=False,
        commands=[(f"Command{number}", f"{position}".encode()) for position in range(number % 4)],
        done=done,
    )


async def commit_without_end(url: str, node: str, start: int) -> None:
    checkpoints.DUE, checkpoints.QUIET = 5, 0.0  # So that some are killed in the middle of one.
    journal = SqlJournal(await Database.open(url, node))
    done: tuple[int, ...] = ()
    for number in itertools.count(start):
        ids = await journal.commit(numbered(number, done, node))
        assert ids is not None
        done = tuple(ids)
        os.write(1, f"{number}\n".encode())


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            asyncio.run(commit_without_end(*sys.argv[1:], int(line)))
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    # What is said on stdout is read; the store may have to warn of something.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    main()
