"""Notices on their way to webhooks, in a table: satisfies `engine.screens.ports.DeliveryStore`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, literal_column, null, select

from asterisk_warm.engine.screens.ports import Delivery
from asterisk_warm.store.building import IDS, Builder
from asterisk_warm.store.database import Database
from asterisk_warm.store.notice_tables import deliveries, senders
from asterisk_warm.store.statements import Driver, Values
from asterisk_warm.store.texts import kept, key, storable

_PENDING = deliveries.c.next_at.is_not(None)
_DELIVERED = deliveries.c.delivered_at.is_not(None)
_SERVED = deliveries.c.webhook.in_(select(senders.c.webhook))
_STATES = {"pending": _PENDING, "delivered": ~_PENDING & _DELIVERED, "failed": ~_PENDING & ~_DELIVERED}

_PARTS = ("notice", "webhook", "kind", "body", "created_at", "next_at", "attempts", "delivered_at", "error")


class SqlDeliveries:
    """What is due is taken by one UPDATE: of several daemons each gets others. How long a write takes is told
    at `Database`. All methods raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        build = Builder(database.dialect)
        id = deliveries.c.id
        self._add = build.statement(build.new(deliveries, ["notice", "webhook"]).returning(id))
        became = ("next_at", "attempts", "delivered_at", "error")
        this = deliveries.update().where(id == bindparam("delivery"))
        self._save = build.statement(this.values({name: bindparam(name) for name in became}))
        self._due = build.statement(_take())
        again = {"next_at": bindparam("now"), "attempts": literal_column("0"), "delivered_at": null()}
        served = this.where(_SERVED).values(**again, error=literal_column("''"))
        self._replay = build.statement(served.returning(id))
        old = func.coalesce(deliveries.c.delivered_at, deliveries.c.created_at) < bindparam("before")
        self._prune = build.statement(deliveries.delete().where(old, ~_PENDING).returning(id))
        others = (senders.c.node == bindparam("node")) | (senders.c.seen_at < bindparam("since"))
        self._drop_senders = build.statement(senders.delete().where(others))
        self._put_sender = build.put(senders)
        self._abandon = build.statement(_abandon())

    async def add(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those that are new, with their ids: a notice is stored once for each webhook."""
        rows = [_as_stored(delivery) for delivery in deliveries]

        def add(driver: Driver) -> list[Delivery]:
            found = [(row, self._add.run(driver, _values(row)).fetchone()) for row in rows]
            return [replace(row, id=added[0]) for row, added in found if added is not None]

        return await self._database.write(add)

    async def save(self, delivery: Delivery) -> None:
        """What became of an attempt."""
        values = {**_values(_as_stored(delivery)), "delivery": delivery.id}
        await self._database.write(lambda driver: self._save.run(driver, values))

    async def due(self, webhook: str, now: float, until: float, limit: int) -> Sequence[Delivery]:
        """Undelivered ones of a webhook whose time has come, oldest first. They are the caller's from now on:
        for anybody else, and for the caller after a restart, they are due `until` then."""
        values = {"webhook": key(webhook), "now": now, "until": until, "most": limit}
        rows = await self._database.write(lambda driver: self._due.run(driver, values).fetchall())
        return [Delivery(*row) for row in sorted(rows)]

    async def next_due(self, webhook: str) -> float | None:
        """When the next one of a webhook is due; None: nothing is."""
        query = select(func.min(deliveries.c.next_at)).where(deliveries.c.webhook == key(webhook), _PENDING)
        found: float | None = await self._database.read(lambda connection: connection.scalar(query))
        return found

    async def get(self, id: int) -> Delivery | None:
        if id not in IDS:
            return None
        found = await self._read(select(deliveries).where(deliveries.c.id == id))
        return found[0] if found else None

    async def list(self, webhook: str, state: str, limit: int) -> Sequence[Delivery]:
        """Newest first. `webhook`: "" for all; `state`: all, pending, delivered or failed (given up)."""
        query = select(deliveries).order_by(deliveries.c.id.desc()).limit(limit)
        if webhook:
            query = query.where(deliveries.c.webhook == key(webhook))
        if state in _STATES:
            query = query.where(_STATES[state])
        return await self._read(query)

    async def replay(self, ids: Sequence[int], now: float) -> int:
        """Make them due, whatever became of them before, unless no daemon sends to their webhook; how many
        are."""
        several = [{"delivery": id, "now": now} for id in sorted(set(ids)) if id in IDS]

        def replay(driver: Driver) -> int:
            return sum(self._replay.run(driver, values).fetchone() is not None for values in several)

        return await self._database.write(replay)

    async def serve(self, webhooks: Collection[str], now: float, since: float) -> None:
        """This daemon sends to these webhooks from now on, and to no others. A daemon that has not said so
        `since` then does not count any more."""
        node = self._database.node
        rows = [{"webhook": webhook, "node": node, "seen_at": now} for webhook in sorted(map(key, webhooks))]

        def serve(driver: Driver) -> None:
            self._drop_senders.run(driver, {"node": node, "since": since})
            self._put_sender.run_each(driver, rows)

        await self._database.write(serve)

    async def abandon(self, why: str, most: int) -> Sequence[str]:
        """Give up what is pending for webhooks to which no daemon sends, so many at most; the webhook of each
        that was given up."""
        values = {"error": storable(why), "most": most}
        rows = await self._database.write(lambda driver: self._abandon.run(driver, values).fetchall())
        return [row[0] for row in rows]

    async def prune(self, before: float) -> int:
        """Forget what was delivered before that, and what is of before and was given up; how many."""
        values = {"before": before}
        return await self._database.write(lambda driver: len(self._prune.run(driver, values).fetchall()))

    async def _read(self, query: Any) -> Sequence[Delivery]:
        return await self._database.read(
            lambda connection: [Delivery(*row) for row in connection.execute(query)]
        )


def _take() -> Any:
    """On PostgreSQL, what another daemon is just taking is left to it."""
    time_has_come = deliveries.c.next_at <= bindparam("now")
    oldest = (
        select(deliveries.c.id)
        .where(deliveries.c.webhook == bindparam("webhook"), time_has_come)
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(bindparam("most"))
        .offset(literal_column("0"))  # SQLite is given one in any case, else as a value without a name.
        .with_for_update(skip_locked=True)
        .cte()  # PostgreSQL may carry out a subselect more than once, and take more than that.
    )
    these = deliveries.c.id.in_(select(oldest.c.id))
    taken = deliveries.update().where(these).values(next_at=bindparam("until"))
    return taken.returning(*deliveries.c)


def _abandon() -> Any:
    """What another daemon is just writing can wait for the next time."""
    forsaken = select(deliveries.c.id).where(_PENDING, ~_SERVED)
    some = forsaken.limit(bindparam("most")).offset(literal_column("0"))
    these = deliveries.c.id.in_(select(some.with_for_update(skip_locked=True).cte().c.id))
    given_up = deliveries.update().where(these).values(next_at=null(), error=bindparam("error"))
    return given_up.returning(deliveries.c.webhook)


def _as_stored(delivery: Delivery) -> Delivery:
    return replace(kept(delivery), notice=key(delivery.notice), webhook=key(delivery.webhook))


def _values(delivery: Delivery) -> Values:
    return {name: getattr(delivery, name) for name in _PARTS}
