"""The webhooks' outbox, on each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from asterisk_warm.engine.screens.ports import Delivery, DeliveryStore
from asterisk_warm.store import Database, SqlDeliveries, StoreError


@pytest.fixture
def store(database: Database) -> DeliveryStore:
    return SqlDeliveries(database)


def delivery(number: int = 1, webhook: str = "crm", **changes: object) -> Delivery:
    body = '{"type": "offer.made", "é": "\\u0000"}'.encode()
    made = Delivery(0, f"warm-{number}.1.made", webhook, "offer.made", body, 1.5, 2.5)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_given_a_new_database_then_nothing_is_due(store: DeliveryStore) -> None:
    assert await store.due("crm", 9.0, 99.0, 9) == []
    assert await store.next_due("crm") is None
    assert await store.get(1) is None
    assert await store.list("", "all", 9) == []
    assert await store.replay([1, 2], 1.0) == 0
    assert await store.prune(1e12) == 0


async def test_given_deliveries_when_read_back_then_everything_is_there_once_for_each_webhook(
    store: DeliveryStore,
) -> None:
    full = delivery(attempts=3, delivered_at=4.5, error="refused ☠", next_at=None)
    added = await store.add([full, delivery(webhook="erp"), full])
    assert [replace(one, id=0) for one in added] == [full, delivery(webhook="erp")]
    assert len({one.id for one in added}) == 2
    assert [await store.get(one.id) for one in added] == list(added)
    again = await store.add([delivery(), delivery(2)])
    assert [one.notice for one in again] == ["warm-2.1.made"]
    assert await store.list("", "all", 9) == [*again, *reversed(added)]
    assert await store.list("", "all", 1) == list(again)
    assert await store.list("erp", "all", 9) == [added[1]]


@pytest.mark.parametrize("id", [0, -1, 2**31, 2**70])
async def test_given_an_id_that_is_none_then_there_is_none(store: DeliveryStore, id: int) -> None:
    await store.add([delivery()])
    assert await store.get(id) is None
    assert await store.replay([id], 1.0) == 0


async def test_given_what_is_due_then_whoever_takes_it_has_it_for_a_while(store: DeliveryStore) -> None:
    added = await store.add([delivery(number, next_at=float(9 - number)) for number in range(1, 5)])
    await store.add([delivery(webhook="erp"), delivery(7, next_at=None)])
    assert await store.next_due("crm") == 5.0
    assert await store.due("crm", 4.5, 50.0, 9) == []
    taken = await store.due("crm", 7.0, 50.0, 2)
    assert taken == [replace(one, next_at=50.0) for one in added[2:4]], "the oldest that are due"
    assert [one.id for one in await store.due("crm", 7.5, 50.0, 9)] == [added[1].id]
    assert await store.due("crm", 7.5, 50.0, 9) == []
    assert await store.next_due("crm") == 8.0
    assert len(await store.due("crm", 50.0, 90.0, 9)) == 4
    assert await store.next_due("erp") == 2.5


async def test_given_attempts_then_they_are_told_apart_by_what_became_of_them(store: DeliveryStore) -> None:
    one, two, three = await store.add([delivery(number) for number in range(3)])
    done = replace(one, next_at=None, attempts=1, delivered_at=3.5)
    later = replace(two, next_at=9.5, attempts=1, error="answers 500")
    failed = replace(three, next_at=None, attempts=10, error="gone")
    for became in (done, later, failed):
        await store.save(became)
    assert await store.list("crm", "delivered", 9) == [done]
    assert await store.list("crm", "pending", 9) == [later]
    assert await store.list("", "failed", 9) == [failed]
    assert await store.list("", "all", 9) == [failed, later, done]


async def test_given_a_replay_then_they_are_due_again_whatever_became_of_them(store: DeliveryStore) -> None:
    await store.serve(["crm"], 1.0, 0.0)
    one, two, three = await store.add([delivery(number) for number in range(3)])
    await store.save(replace(one, next_at=None, attempts=1, delivered_at=3.5))
    await store.save(replace(two, next_at=None, attempts=10, error="gone"))
    assert await store.replay([one.id, two.id, two.id, 99], 20.0) == 2
    again = [replace(one, next_at=20.0), replace(two, next_at=20.0)]
    assert [await store.get(one.id), await store.get(two.id)] == again
    assert await store.get(three.id) == three


async def test_given_old_ones_when_pruned_then_only_what_is_over_goes(store: DeliveryStore) -> None:
    ages = {
        "delivered": delivery(1, next_at=None, delivered_at=50.0),
        "delivered late": delivery(2, next_at=None, delivered_at=150.0),
        "given up": delivery(3, next_at=None, error="gone"),
        "replayed": delivery(4, next_at=160.0),
        "new": delivery(5, created_at=120.0, next_at=120.0),
        "new and given up": delivery(6, created_at=120.0, next_at=None),
    }
    added = dict(zip(ages, await store.add(list(ages.values())), strict=True))
    assert await store.prune(100.0) == 2
    left = {name for name, one in added.items() if await store.get(one.id) is not None}
    assert left == {"delivered late", "replayed", "new", "new and given up"}
    assert await store.prune(100.0) == 0


async def test_given_a_webhook_to_which_nobody_sends_then_its_pending_ones_are_given_up_and_cannot_be_replayed(
    store: DeliveryStore,
) -> None:
    ours, *theirs = await store.add([delivery(1), *(delivery(number, "old") for number in range(1, 4))])
    arrived = replace(theirs[2], next_at=None, attempts=1, delivered_at=3.5)
    await store.save(arrived)
    await store.serve(["crm", "erp"], 1.0, 0.0)
    assert [await store.abandon("nobody", 1) for _ in range(3)] == [["old"], ["old"], []]
    gone = [replace(one, next_at=None, error="nobody") for one in theirs[:2]]
    assert await store.list("", "failed", 9) == gone[::-1]
    assert await store.list("", "pending", 9) == [ours]
    assert await store.list("", "delivered", 9) == [arrived]
    every = [ours.id, *(one.id for one in theirs)]
    assert await store.replay(every, 20.0) == 1
    assert await store.list("", "failed", 9) == gone[::-1]
    await store.serve(["old"], 2.0, 0.0)
    assert await store.replay(every, 20.0) == 3, "it has come back, and the other is gone"
    assert await store.abandon("nobody", 9) == ["crm"]
    assert [one.id for one in await store.due("old", 20.0, 30.0, 9)] == every[1:]


async def test_given_several_daemons_then_a_webhook_is_there_while_any_of_them_has_it(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlDeliveries(east), SqlDeliveries(west)]
        await stores[0].add([delivery(1, "crm"), delivery(2, "erp"), delivery(3, "both")])
        await stores[0].serve(["crm", "both"], 10.0, 0.0)
        await stores[1].serve(["erp", "both"], 20.0, 0.0)
        assert await stores[1].abandon("nobody", 9) == []
        await stores[0].serve(["both"], 30.0, 0.0)
        assert await stores[1].abandon("nobody", 9) == ["crm"]
        await stores[0].serve([], 40.0, 20.0)
        assert await stores[0].abandon("nobody", 9) == [], "the other was there at 20"
        await stores[0].serve([], 50.0, 20.5)
        assert sorted(await stores[0].abandon("nobody", 9)) == ["both", "erp"]


async def test_given_several_daemons_then_each_delivery_is_taken_by_one(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlDeliveries(east), SqlDeliveries(west)]
        both = await asyncio.gather(*(store.add([delivery(n) for n in range(60)]) for store in stores))
        assert sorted(one.notice for added in both for one in added) == sorted(
            delivery(number).notice for number in range(60)
        )
        taken = await asyncio.gather(*(store.due("crm", 9.0, 99.0, 5) for store in stores for _ in range(15)))
        ids = [one.id for several in taken for one in several]
        assert len(ids) == len(set(ids)) and max(map(len, taken)) <= 5
        left = await stores[0].due("crm", 9.0, 99.0, 99)
        assert len(ids) + len(left) == 60


async def test_given_every_sort_of_character_and_64_kilobytes_then_they_are_kept_as_far_as_can_be(
    store: DeliveryStore,
) -> None:
    words = "a\0b'\";--%s\u202e\U0001f600\ud800" + "ß" * 65536
    kept = words.replace("\0", "\ufffd").replace("\ud800", "?")
    body = bytes(range(256)) * 256
    (added,) = await store.add([delivery(body=body, kind=words, error=words)])
    assert replace(added, id=0) == delivery(body=body, kind=kept, error=kept)
    assert await store.get(added.id) == added
    assert await store.list(words, "all", 9) == []
    assert await store.add([delivery(webhook=words, notice=words)]) != []
    assert len(await store.due(words, 9.0, 10.0, 9)) == 1


async def test_given_a_store_that_fails_then_a_store_error(store: DeliveryStore, database: Database) -> None:
    await database.write(lambda driver: driver.execute("DROP TABLE webhook_deliveries", ()))
    for attempt in (store.add([delivery()]), store.due("crm", 1.0, 2.0, 1), store.next_due("crm")):
        with pytest.raises(StoreError, match="webhook_deliveries"):
            await attempt
