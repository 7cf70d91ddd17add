"""The journal beside a plain model of it, on each kind of database."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store_databases import new_database, shared_server

from asterisk_warm.engine.ports.journal import Entry, HandoffRow
from asterisk_warm.store import Database, SqlJournal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json = texts.map(lambda text: f'"{text}"'.replace("\0", "").encode())
times = st.floats(0, 4e9)
commands = st.lists(st.tuples(st.sampled_from(["Ring", "Play", "Join"]), json), max_size=5)
handoff_ids = st.sampled_from(["warm-1", "warm-2", "warm-3"])
event_ids = st.integers(0, 40).map(str)


@dataclass
class Known:
    """What the journal should hold of one handoff."""

    row: HandoffRow
    events: list[tuple[Entry, list[int]]] = field(default_factory=list)


class JournalMachine(RuleBasedStateMachine):
    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        if self.kind == "postgresql":
            shared_server()  # Skips if there is none, while there is nothing to tear down.
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.handoffs: dict[str, Known] = {}
        self.done: dict[int, float] = {}
        self.ids: list[int] = []

    @initialize()
    def first_open(self) -> None:
        self.url = new_database(self.kind, Path(self.folder.name))
        self.open()

    def open(self) -> None:
        self.database = self.runner.run(Database.open(self.url))
        self.journal = SqlJournal(self.database)

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    # ---- what is done ----

    @rule(
        handoff=handoff_ids,
        event_id=event_ids,
        at=times,
        state=texts,
        name=texts,
        settled=st.booleans(),
        snapshot=json,
        commands=commands,
        data=st.data(),
    )
    def commit(
        self,
        handoff: str,
        event_id: str,
        at: float,
        state: str,
        name: str,
        settled: bool,
        snapshot: bytes,
        commands: list[tuple[str, bytes]],
        data: st.DataObject,
    ) -> None:
        done = data.draw(self.some_ids())
        entry = Entry(
            handoff=handoff,
            event_id=event_id,
            at=at,
            event="AgentAnswered",
            event_json=b"[" + snapshot + b"]",
            snapshot_json=snapshot,
            state=state.replace("\0", ""),
            team="sales",
            lead_channel="1.1",
            lead_name=name,
            lead_number="1",
            settled=settled,
            commands=commands,
            done=done,
        )
        ids = self.runner.run(self.journal.commit(entry))
        known = self.handoffs.get(handoff)
        if known and any(old.event_id == event_id for old, _ in known.events):
            assert ids is None
            return
        assert ids is not None and len(ids) == len(commands)
        assert list(ids) == sorted(set(ids)) and not set(ids) & set(self.ids)
        self.ids += ids
        for outbox_id in done:
            self.done.setdefault(outbox_id, at)
        row = HandoffRow(
            id=handoff,
            state=entry.state,
            team="sales",
            lead_channel="1.1",
            lead_name=name.replace("\0", "\ufffd"),
            lead_number="1",
            created_at=at,
            updated_at=at,
            settled=settled,
            snapshot_json=snapshot,
        )
        if known is None:
            known = self.handoffs[handoff] = Known(row)
        known.row = replace(row, created_at=known.row.created_at)
        known.events.append((entry, list(ids)))

    @rule(at=times, data=st.data())
    def mark_done(self, at: float, data: st.DataObject) -> None:
        ids = data.draw(self.some_ids())
        self.runner.run(self.journal.mark_done(ids, at))
        for outbox_id in ids:
            self.done.setdefault(outbox_id, at)

    def some_ids(self) -> st.SearchStrategy[list[int]]:
        return st.lists(st.sampled_from(self.ids), max_size=4) if self.ids else st.just([])

    @precondition(lambda self: self.handoffs)
    @rule()
    def reopen(self) -> None:
        self.runner.run(self.database.close())
        self.open()

    # ---- what must be ----

    @invariant()
    def each_handoff_is_as_known(self) -> None:
        for handoff, known in self.handoffs.items():
            assert self.runner.run(self.journal.get(handoff)) == known.row
            stored = self.runner.run(self.journal.events(handoff))
            assert [one.seq for one in stored] == list(range(1, len(known.events) + 1))
            for one, (entry, ids) in zip(stored, known.events, strict=True):
                assert (one.at, one.event, one.state) == (entry.at, entry.event, entry.state)
                assert one.event_json == entry.event_json
                assert list(one.commands) == [
                    (*command, self.done.get(outbox_id))
                    for command, outbox_id in zip(entry.commands, ids, strict=True)
                ]

    @invariant()
    def the_unsettled_are_found_with_what_is_pending(self) -> None:
        if not self.handoffs:
            return
        found = self.runner.run(self.journal.unsettled())
        open_rows = sorted(
            (known.row for known in self.handoffs.values() if not known.row.settled),
            key=lambda row: (row.created_at, row.id),
        )
        assert [(one.id, one.snapshot_json) for one in found] == [
            (row.id, row.snapshot_json) for row in open_rows
        ]
        for one in found:
            pending = [
                (outbox_id, *command)
                for entry, ids in self.handoffs[one.id].events
                for outbox_id, command in zip(ids, entry.commands, strict=True)
                if outbox_id not in self.done
            ]
            assert list(one.pending) == pending

    @rule(open_only=st.booleans(), limit=st.integers(0, 4))
    def listed(self, open_only: bool, limit: int) -> None:
        rows = sorted(
            (known.row for known in self.handoffs.values() if not (open_only and known.row.settled)),
            key=lambda row: (row.created_at, row.id),
            reverse=True,
        )
        assert self.runner.run(self.journal.list(open_only, limit)) == rows[:limit]


class PostgresJournalMachine(JournalMachine):
    kind = "postgresql"


quick = [HealthCheck.too_slow, HealthCheck.data_too_large]
JournalMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=quick
)
PostgresJournalMachine.TestCase.settings = settings(
    max_examples=5, stateful_step_count=30, deadline=None, suppress_health_check=quick
)
TestSqlite = JournalMachine.TestCase
TestPostgres = PostgresJournalMachine.TestCase
