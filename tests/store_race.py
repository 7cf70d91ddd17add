"""A daemon that races with others for a few agents.

`python store_race.py URL NODE ATTEMPTS FOLDER` waits for a line on stdin, tries that often to reserve one, and
writes to stdout, as JSON, how often it was first, how often another was, and how often it let a lease expire. Who
has an agent also makes a file in FOLDER, which only one can: whoever finds one there has been promised an agent
whom another has.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from asterisk_warm.core.presence import (
    Ended,
    Lease,
    Presence,
    Rules,
    Seen,
    release,
    renew,
    reserve,
    talk,
    why_not,
)
from asterisk_warm.store import Database, SqlAgents

FREE = Seen(device="NOT_INUSE")
RULES = Rules(wrapup_seconds=0.0, missed_offers=0)
SHORT, LONG = 0.05, 60.0
"""Seconds that a lease holds."""


class Racer:
    def __init__(self, store: SqlAgents, node: str, folder: Path) -> None:
        self._store = store
        self._node = node
        self._folder = folder
        self._known: dict[str, Presence] = {}
        self._choice = random.Random(node)
        self.counts = Counter[str]()

    async def run(self, attempts: int) -> None:
        self._known = {one.record.id: one.presence for one in await self._store.agents()}
        while self.counts["first"] + self.counts["second"] < attempts:
            agent = self._choice.choice(list(self._known))
            if why_not(self._known[agent], FREE, time.time()):
                await self._look(agent)
            else:
                await self._attempt(agent)

    async def _look(self, agent: str) -> None:
        self.counts["looks"] += 1
        found = await self._store.presence(agent)
        assert found is not None
        self._known[agent] = found

    async def _attempt(self, agent: str) -> None:
        before, now = self._known[agent], time.time()
        number = self.counts["first"] + self.counts["second"]
        forget = number % 50 == 0
        lease = Lease(f"{self._node}-{number}", self._node, now + (SHORT if forget else LONG))
        mine = await self._store.save_presence(before, reserve(before, lease, now))
        if mine is None:
            self.counts["second"] += 1
            await self._look(agent)
            return
        self.counts["first"] += 1
        witness = self._folder / agent
        witness.touch(exist_ok=False)
        await asyncio.sleep(0)
        witness.unlink()
        self._known[agent] = mine
        if forget:
            self.counts["expired"] += 1
        else:
            await self._work(agent, lease)

    async def _work(self, agent: str, lease: Lease) -> None:
        """Nobody else changes an agent whom we have."""
        if int(lease.handoff.rpartition("-")[2]) % 10 == 1:
            await self._change(agent, lambda presence, now: renew(presence, lease, now))
            await self._change(agent, lambda presence, now: talk(presence, lease, now))
        ended = self._choice.choice(list(Ended))
        await self._change(agent, lambda presence, now: release(presence, lease.handoff, ended, RULES, now))

    async def _change(self, agent: str, how: Callable[[Presence, float], Presence]) -> None:
        before = self._known[agent]
        after = await self._store.save_presence(before, how(before, time.time()))
        assert after is not None, f"somebody has changed {before}"
        self._known[agent] = after


async def main(url: str, node: str, attempts: str, folder: str) -> None:
    async with await Database.open(url, node) as database:
        racer = Racer(SqlAgents(database), node, Path(folder))
        print("ready", flush=True)
        sys.stdin.readline()
        await racer.run(int(attempts))
        print(json.dumps(racer.counts), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
