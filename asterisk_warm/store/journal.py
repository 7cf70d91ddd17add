"""The write-ahead journal in tables: satisfies `engine.ports.journal.Journal`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, Row, select

from asterisk_warm.engine.ports.journal import Entry, HandoffRow, StoredEvent, StoredHandoff
from asterisk_warm.store.database import Database
from asterisk_warm.store.statements import Driver, Statements
from asterisk_warm.store.tables import events, handoffs, outbox
from asterisk_warm.store.texts import storable


class SqlJournal:
    """What happened to each handoff, what it became, and what is still to be done by this node.

    How durable a commit is, and how long it takes, is told at `Database`. All methods raise StoreError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database.dialect)

    async def commit(self, entry: Entry) -> Sequence[int] | None:
        """Append the event, save the snapshot, insert the commands and mark `done` ones, all or nothing;
        returns the new commands' outbox ids, in order. A duplicate event changes nothing and returns None."""
        node = entry.node or self._database.node
        return await self._database.write(lambda driver: _append(driver, self._statements, entry, node))

    async def mark_done(self, outbox_ids: Sequence[int], at: float) -> None:
        """Mark commands as carried out, `at` in seconds since the epoch; a mark from before is kept."""
        await self._database.write(lambda driver: _mark(driver, self._statements, outbox_ids, at))

    async def unsettled(self) -> Sequence[StoredHandoff]:
        """This node's handoffs in which something is left to do, oldest first."""
        return await self._database.read(lambda connection: _unsettled(connection, self._database.node))

    async def events(self, handoff: str) -> Sequence[StoredEvent]:
        """What happened to a handoff, in order; empty if there is none of that id."""
        return await self._database.read(lambda connection: _events(connection, handoff))

    async def get(self, handoff: str) -> HandoffRow | None:
        return await self._database.read(lambda connection: _get(connection, handoff))

    async def list(self, open_only: bool, limit: int) -> Sequence[HandoffRow]:
        """The latest handoffs, newest first; with `open_only` those that are not settled."""
        return await self._database.read(lambda connection: _list(connection, open_only, limit))

    async def of_lead(self, number: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs of a lead by their number, newest first."""
        return await self._database.read(lambda connection: _of_lead(connection, storable(number), limit))

    async def of_agent(self, agent: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs whose lead an agent has talked to, the latest talk first."""
        return await self._database.read(lambda connection: _of_agent(connection, storable(agent), limit))


def _append(driver: Driver, statements: Statements, entry: Entry, node: str) -> Sequence[int] | None:
    added = statements.event.run(
        driver,
        {
            "handoff": entry.handoff,
            "event_id": entry.event_id,
            "at": entry.at,
            "kind": entry.event,
            "event": entry.event_json.decode(),
            "state": entry.state,
        },
    ).fetchone()
    if added is None:
        return None
    (seq,) = added
    statements.handoff.run(
        driver,
        {
            "id": entry.handoff,
            "seq": seq,
            "state": entry.state,
            "team": entry.team,
            "lead_channel": entry.lead_channel,
            "lead_name": storable(entry.lead_name),
            "lead_number": storable(entry.lead_number),
            "created_at": entry.at,
            "updated_at": entry.at,
            "settled": entry.settled,
            "snapshot": entry.snapshot_json.decode(),
            "agent": entry.agent,
            "joined_at": entry.joined_at,
            "ended_at": entry.ended_at,
            "node": node,
        },
    )
    _mark(driver, statements, entry.done, entry.at)
    return _order(driver, statements, entry, seq)


def _order(driver: Driver, statements: Statements, entry: Entry, seq: int) -> Sequence[int]:
    if not entry.commands:
        return ()
    values: dict[str, object] = {"handoff": entry.handoff, "seq": seq}
    for position, (kind, command) in enumerate(entry.commands):
        values[f"kind_{position}"] = kind
        values[f"command_{position}"] = command.decode()
    rows = statements.commands(len(entry.commands)).run(driver, values).fetchall()
    # Neither database promises to return rows in the order they were given.
    return [outbox_id for _, outbox_id in sorted(rows)]


def _mark(driver: Driver, statements: Statements, outbox_ids: Sequence[int], at: float) -> None:
    if outbox_ids:
        statements.done.run_each(driver, [{"outbox_id": outbox_id, "at": at} for outbox_id in outbox_ids])


def _unsettled(connection: Connection, node: str) -> Sequence[StoredHandoff]:
    is_open = ~handoffs.c.settled & (handoffs.c.node == node)
    pending: defaultdict[str, list[tuple[int, str, bytes]]] = defaultdict(list)
    for row in connection.execute(
        select(outbox.c.handoff, outbox.c.id, outbox.c.kind, outbox.c.command).where(
            outbox.c.handoff.in_(select(handoffs.c.id).where(is_open)), outbox.c.done_at.is_(None)
        )
    ):
        pending[row.handoff].append((row.id, row.kind, row.command.encode()))
    found = connection.execute(
        select(handoffs.c.id, handoffs.c.snapshot)
        .where(is_open)
        .order_by(handoffs.c.created_at, handoffs.c.id)
    )
    return [StoredHandoff(row.id, row.snapshot.encode(), tuple(sorted(pending[row.id]))) for row in found]


def _events(connection: Connection, handoff: str) -> Sequence[StoredEvent]:
    commands: defaultdict[int, list[tuple[str, bytes, float | None]]] = defaultdict(list)
    for row in connection.execute(
        select(outbox.c.seq, outbox.c.kind, outbox.c.command, outbox.c.done_at)
        .where(outbox.c.handoff == handoff)
        .order_by(outbox.c.seq, outbox.c.position)
    ):
        commands[row.seq].append((row.kind, row.command.encode(), row.done_at))
    found = connection.execute(select(events).where(events.c.handoff == handoff).order_by(events.c.seq))
    return [
        StoredEvent(row.seq, row.at, row.kind, row.event.encode(), row.state, tuple(commands[row.seq]))
        for row in found
    ]


def _get(connection: Connection, handoff: str) -> HandoffRow | None:
    row = connection.execute(select(handoffs).where(handoffs.c.id == handoff)).one_or_none()
    return None if row is None else _line(row)


def _list(connection: Connection, open_only: bool, limit: int) -> Sequence[HandoffRow]:
    query = select(handoffs).order_by(handoffs.c.created_at.desc(), handoffs.c.id.desc()).limit(limit)
    if open_only:
        query = query.where(~handoffs.c.settled)
    return [_line(row) for row in connection.execute(query)]


def _of_lead(connection: Connection, number: str, limit: int) -> Sequence[HandoffRow]:
    latest = handoffs.c.created_at.desc(), handoffs.c.id.desc()
    query = select(handoffs).where(handoffs.c.lead_number == number).order_by(*latest).limit(limit)
    return [_line(row) for row in connection.execute(query)]


def _of_agent(connection: Connection, agent: str, limit: int) -> Sequence[HandoffRow]:
    theirs = select(handoffs).where(handoffs.c.agent == agent, handoffs.c.joined_at.is_not(None))
    latest = theirs.order_by(handoffs.c.joined_at.desc(), handoffs.c.id.desc()).limit(limit)
    return [_line(row) for row in connection.execute(latest)]


def _line(row: Row[*tuple[object, ...]]) -> HandoffRow:
    return HandoffRow(
        id=row.id,
        state=row.state,
        team=row.team,
        lead_channel=row.lead_channel,
        lead_name=row.lead_name,
        lead_number=row.lead_number,
        created_at=row.created_at,
        updated_at=row.updated_at,
        settled=row.settled,
        snapshot_json=row.snapshot.encode(),
    )
