"""Leases on agents, with several daemons on one database, of each kind: never has more than one of them an agent."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import store_race
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_databases import KINDS, new_database, shared_server

from asterisk_warm.core.presence import (
    By,
    Ended,
    Lease,
    Presence,
    Rules,
    Seen,
    at,
    leases_of,
    release,
    renew,
    reserve,
    talk,
    why_not,
)
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.store import Database, SqlAgents

NODES = ("east", "west", "north")
AGENTS = ("ana", "ben")
FREE = Seen(device="NOT_INUSE")
RULES = Rules(wrapup_seconds=0.0, missed_offers=0)
LEASE_SECONDS = 10.0
EVA = By("eva", "cli")

Step = Callable[[Presence], Presence | None]
"""None: it is not to be."""


class Daemon:
    """Knows of each agent what it has last seen, which others may have changed since."""

    def __init__(self, url: str, node: str) -> None:
        self.url = url
        self.node = node
        self.known: dict[str, Presence] = {}

    async def start(self) -> None:
        self.database = await Database.open(self.url, self.node)
        self.store = SqlAgents(self.database)
        await self.look()

    async def look(self) -> None:
        self.known = {one.record.id: one.presence for one in await self.store.agents()}

    async def change(self, agent: str, step: Step) -> Presence | None:
        """As a daemon changes somebody's presence: again from what is stored, when others were faster."""
        for _ in range(2):
            before = self.known[agent]
            after = step(before)
            if after is None:
                return None
            saved = await self.store.save_presence(before, after)
            if saved is not None:
                self.known[agent] = saved
                return saved
            await self.look()
        raise AssertionError("nobody else was at work")


class LeaseMachine(RuleBasedStateMachine):
    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        if self.kind == "postgresql":
            shared_server()  # Skips if there is none, while there is nothing to tear down.
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.daemons: dict[str, Daemon] = {}
        self.now = 1000.0
        self.handoffs = 0
        self.held: dict[str, Lease] = {}
        """What was promised: agent → lease."""

    @initialize()
    def start(self) -> None:
        url = new_database(self.kind, Path(self.folder.name))
        self.daemons = {node: Daemon(url, node) for node in NODES}
        self.runner.run(self._start())

    async def _start(self) -> None:
        for daemon in self.daemons.values():
            await daemon.start()
        records = [AgentRecord(agent, agent, f"PJSIP/{agent}") for agent in AGENTS]
        await self.daemons["east"].store.save_agents(records, EVA, 1.0)
        for daemon in self.daemons.values():
            await daemon.look()

    def teardown(self) -> None:
        for daemon in self.daemons.values():
            self.runner.run(daemon.database.close())
        self.runner.close()
        self.folder.cleanup()

    def live(self, agent: str) -> Lease | None:
        lease = self.held.get(agent)
        return lease if lease is not None and lease.until > self.now else None

    # ---- what is done ----

    @rule(node=st.sampled_from(NODES))
    def look(self, node: str) -> None:
        self.runner.run(self.daemons[node].look())

    @rule(seconds=st.sampled_from([0.5, 4.0, LEASE_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(node=st.sampled_from(NODES), agent=st.sampled_from(AGENTS))
    def reserve(self, node: str, agent: str) -> None:
        """By what this daemon knows, which may be wrong by now."""
        before = self.daemons[node].known[agent]
        if why_not(before, FREE, self.now):
            return
        self.handoffs += 1
        lease = Lease(f"warm-{self.handoffs}", node, self.now + LEASE_SECONDS)
        after = reserve(before, lease, self.now)
        saved = self.runner.run(self.daemons[node].store.save_presence(before, after))
        if saved is None:
            self.runner.run(self.daemons[node].look())
            assert self.daemons[node].known[agent].version > before.version
            return
        assert self.live(agent) is None, f"promised to {self.held[agent]} and to {lease}"
        self.held[agent] = lease
        self.daemons[node].known[agent] = saved

    @rule(agent=st.sampled_from(AGENTS), nodes=st.lists(st.sampled_from(NODES), min_size=2, max_size=9))
    def race(self, agent: str, nodes: list[str]) -> None:
        """Several who have all seen the same, at once."""
        seen = self.runner.run(self.daemons["east"].store.presence(agent))
        assert seen is not None
        if why_not(seen, FREE, self.now):
            return
        leases = [
            Lease(f"warm-{self.handoffs + number}", node, self.now + 1.0) for number, node in enumerate(nodes)
        ]
        self.handoffs += len(nodes)
        (won,) = self.runner.run(self._race(seen, leases))
        assert won.offer in leases and self.live(agent) is None
        self.held[agent] = won.offer
        self.daemons[won.offer.node].known[agent] = won

    async def _race(self, seen: Presence, leases: list[Lease]) -> list[Presence]:
        stores = {daemon.node: daemon.store for daemon in self.daemons.values()}
        saved = await asyncio.gather(
            *(stores[lease.node].save_presence(seen, reserve(seen, lease, self.now)) for lease in leases)
        )
        return [one for one in saved if one is not None]

    @rule(agent=st.sampled_from(AGENTS), extend=st.sampled_from([renew, talk]))
    def extend(self, agent: str, extend: Callable[[Presence, Lease, float], Presence]) -> None:
        """The holder renews its lease, or its offer has become a talk. One that has run out cannot be had again."""
        held = self.held.get(agent)
        if held is None:
            return
        longer = Lease(held.handoff, held.node, self.now + LEASE_SECONDS)

        def step(presence: Presence) -> Presence | None:
            mine = leases_of(at(presence, self.now), held.node)
            has_it = held.handoff in [lease.handoff for lease in mine]
            return extend(presence, longer, self.now) if has_it else None

        saved = self.runner.run(self.daemons[held.node].change(agent, step))
        assert (saved is not None) == (self.live(agent) is not None)
        if saved is not None:
            self.held[agent] = longer

    @rule(agent=st.sampled_from(AGENTS), ended=st.sampled_from(Ended))
    def release(self, agent: str, ended: Ended) -> None:
        held = self.held.pop(agent, None)
        if held is not None:
            self.runner.run(
                self.daemons[held.node].change(
                    agent, lambda presence: release(presence, held.handoff, ended, RULES, self.now)
                )
            )

    @rule(node=st.sampled_from(NODES))
    def restart(self, node: str) -> None:
        """Whatever it held, it holds until it runs out."""
        self.runner.run(self.daemons[node].database.close())
        self.runner.run(self.daemons[node].start())

    # ---- what must be ----

    @invariant()
    def what_is_stored_is_what_was_promised(self) -> None:
        if not self.daemons:
            return
        for agent in AGENTS:
            stored = self.runner.run(self.daemons["west"].store.presence(agent))
            assert stored is not None
            stored = at(stored, self.now)
            leases = [lease for lease in (stored.offer, *stored.talks) if lease is not None]
            promised = self.live(agent)
            assert leases == ([] if promised is None else [promised])
            assert bool(why_not(stored, FREE, self.now)) == (promised is not None)


class PostgresLeaseMachine(LeaseMachine):
    kind = "postgresql"


quick = [HealthCheck.too_slow, HealthCheck.data_too_large]
LeaseMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=quick
)
PostgresLeaseMachine.TestCase.settings = settings(
    max_examples=6, stateful_step_count=30, deadline=None, suppress_health_check=quick
)
TestSqlite = LeaseMachine.TestCase
TestPostgres = PostgresLeaseMachine.TestCase


# ---- in processes of their own ----

ATTEMPTS = 10_000
RACERS = 4


@pytest.mark.parametrize("kind", KINDS)
def test_given_ten_thousand_raced_reservations_then_nobody_is_promised_twice_and_no_lease_is_left(
    kind: str, tmp_path: Path
) -> None:
    url = new_database(kind, tmp_path)
    folder = tmp_path / "held"
    folder.mkdir()
    with asyncio.Runner() as runner:
        runner.run(add_agents(url))
        began = time.monotonic()
        counts = race(url, folder)
        took = time.monotonic() - began
        presences = runner.run(read_presences(url))
    assert counts["first"] + counts["second"] == ATTEMPTS
    assert counts["second"] > ATTEMPTS / 100, f"hardly a race: {counts}"
    assert counts["expired"] > ATTEMPTS / 200
    assert list(folder.iterdir()) == []
    later = time.time() + store_race.SHORT
    for presence in presences:
        # Nothing but what was left to run out by itself, and it has.
        assert at(presence, later).offer is None and presence.talks == ()
        assert why_not(presence, FREE, later) == ()
    print(f"{kind}: {dict(counts)} in {took:.1f} s")


async def add_agents(url: str) -> None:
    async with await Database.open(url, "referee") as database:
        records = [AgentRecord(f"agent-{number}", "", f"PJSIP/{number}") for number in range(3)]
        await SqlAgents(database).save_agents(records, EVA, 1.0)


async def read_presences(url: str) -> list[Presence]:
    async with await Database.open(url, "referee") as database:
        return [one.presence for one in await SqlAgents(database).agents()]


def race(url: str, folder: Path) -> Counter[str]:
    counts = Counter[str]()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    [
                        sys.executable,
                        store_race.__file__,
                        url,
                        f"racer-{number}",
                        str(ATTEMPTS // RACERS),
                        folder,
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment,
                    text=True,
                )
            )
            for number in range(RACERS)
        ]
        for racer in racers:
            stack.callback(racer.kill)
            assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for racer in racers:
            assert racer.stdout is not None
            said = racer.stdout.readline()
            assert said, "a racer has failed: see above"
            counts.update(json.loads(said))
            assert racer.wait(timeout=30) == 0
    return counts
