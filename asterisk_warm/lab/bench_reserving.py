"""What reserving an agent costs in SQLite: one conditional UPDATE, alone and raced by other processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Barrier

from asterisk_warm.core.presence import Ended, Lease, Presence, Rules, Seen, release, reserve, why_not
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.lab.bench_routing import AGENTS, PATIENCE, Row, row
from asterisk_warm.store import Database, SqlAgents

RACERS, RACED_AGENTS = 4, 4
LEASE_SECONDS = 60.0
SEEN = Seen(device="NOT_INUSE")


async def reservations(folder: Path, rounds: int) -> list[Row]:
    """Reserving one of 1000 agents: by one daemon alone, then by four that race for four agents."""
    url = f"sqlite:///{folder / 'reserved.db'}"
    async with await Database.open(url, "bench") as database:
        store = SqlAgents(database)
        ids = [f"a{number}" for number in range(AGENTS)]
        await store.seed([AgentRecord(id, id, f"PJSIP/{id}") for id in ids], [], time.time())
        alone = [await _reserved(store, ids[number % AGENTS]) for number in range(rounds)]
    first, second = await asyncio.to_thread(_race, url, rounds // RACERS)
    return [
        row("reserved, by one process", [ms for ms, _ in alone]),
        row(f"reserved, {RACERS} processes racing", first),
        row("refused, because another was faster", second),
    ]


async def _reserved(store: SqlAgents, agent: str) -> tuple[float, bool]:
    """(milliseconds of the write, whether it was ours); whoever was reserved is let go again."""
    before = await store.presence(agent)
    while before is None or why_not(before, SEEN, time.time()):
        before = await store.presence(agent)
    now = time.time()
    wanted = reserve(before, Lease("warm-1", "bench", now + LEASE_SECONDS), now)
    began = time.perf_counter()
    after = await store.save_presence(before, wanted)
    took = (time.perf_counter() - began) * 1000
    if after is not None:
        await _let_go(store, after)
    return took, after is not None


async def _let_go(store: SqlAgents, presence: Presence) -> None:
    free = release(presence, "warm-1", Ended.WITHDRAWN, Rules(), time.time())
    if await store.save_presence(presence, free) is None:
        raise RuntimeError(f"{presence.agent} was reserved for us, and somebody has changed it")


def _race(url: str, attempts: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the writes that were first, and of those that were not."""
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(RACERS)
    with ProcessPoolExecutor(RACERS, context, _set_gate, (gate,)) as pool:
        racing = [pool.submit(_racer, url, f"racer-{number}", attempts) for number in range(RACERS)]
        took = [one for racer in racing for one in racer.result()]
    return [ms for ms, first in took if first], [ms for ms, first in took if not first]


_gate: Barrier | None = None


def _set_gate(gate: Barrier) -> None:
    global _gate
    _gate = gate


def _racer(url: str, node: str, attempts: int) -> list[tuple[float, bool]]:
    async def run() -> list[tuple[float, bool]]:
        async with await Database.open(url, node) as database:
            assert _gate is not None
            _gate.wait(PATIENCE)
            store, chance = SqlAgents(database), random.Random(node)
            return [await _reserved(store, f"a{chance.randrange(RACED_AGENTS)}") for _ in range(attempts)]

    return asyncio.run(run())
