"""Tokens: made, shown once, found by their hash, revoked; and who comes without one too often."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from api_stage import Stage, open_stage

from asterisk_warm.api import failures, tokens
from asterisk_warm.api.failures import Failures
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.screens.ports import Token
from asterisk_warm.store import Database, SqlTokens


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(SqlTokens):
    """The real store; counts how often all are read, and can be out of order."""

    broken = False
    reads = 0

    async def list(self) -> Sequence[Token]:
        self.reads += 1
        if self.broken:
            raise JournalError("disk full")
        return await super().list()


class Shop:
    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.store = Counted(database)
        self.tokens = Tokens(self.store, self.clock)
        self.elsewhere = Tokens(SqlTokens(database))
        """Another daemon's."""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with await Database.open(f"sqlite:///{tmp_path / 'warm.db'}") as database:
        yield Shop(database)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


# -- making and finding them ---------------------------------------------------------------------------------


async def test_given_a_token_when_made_then_its_secret_finds_it_and_only_its_hash_is_kept(shop: Shop) -> None:
    token, secret = await shop.tokens.make("ana", "her browser", "cli (root)")
    assert secret.startswith("warm_") and len(secret) == 48
    assert await shop.tokens.find(secret) == token
    (stored,) = await shop.store.list()
    assert stored.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(stored)
    assert (stored.agent, stored.note, stored.created_by) == ("ana", "her browser", "cli (root)")


async def test_given_many_tokens_then_no_two_secrets_are_alike(shop: Shop) -> None:
    made = [await shop.tokens.make("", "", "test") for _ in range(50)]
    assert len({secret for _, secret in made}) == len({token.id for token, _ in made}) == 50


@pytest.mark.parametrize("secret", ["", "warm_", "x" * 48, "warm_" + "x" * 42, "warm_" + "é" * 43, "\0" * 48])
async def test_given_what_cannot_be_a_secret_then_the_store_is_not_asked(shop: Shop, secret: str) -> None:
    assert await shop.tokens.find(secret) is None
    assert shop.store.reads == 0


async def test_given_wrong_secrets_in_numbers_then_the_store_is_asked_once(shop: Shop) -> None:
    _, secret = await shop.tokens.make("ana", "", "test")
    for number in range(200):
        assert await shop.tokens.find(f"warm_{number:043}") is None
    assert await shop.tokens.find(secret) is not None
    assert shop.store.reads == 1


async def test_given_many_at_once_then_the_store_is_asked_once(shop: Shop) -> None:
    _, secret = await shop.tokens.make("ana", "", "test")
    found = await asyncio.gather(*(shop.tokens.find(secret) for _ in range(50)))
    assert all(found)
    assert shop.store.reads == 1


async def test_given_a_token_of_another_daemon_then_it_is_found_soon(shop: Shop) -> None:
    assert await shop.tokens.find("warm_" + "x" * 43) is None
    _, secret = await shop.elsewhere.make("ana", "", "test")
    assert await shop.tokens.find(secret) is None
    shop.clock.now += tokens.UNKNOWN_SECONDS
    assert await shop.tokens.find(secret) is not None


# -- revoking ------------------------------------------------------------------------------------------------


async def test_given_a_token_when_revoked_then_it_opens_nothing_at_once(shop: Shop) -> None:
    token, secret = await shop.tokens.make("ana", "", "test")
    _, kept = await shop.tokens.make("ana", "", "test")
    assert await shop.tokens.find(secret) == token
    revoked = await shop.tokens.revoke(token.id)
    assert revoked.revoked_at is not None
    assert await shop.tokens.find(secret) is None
    assert not await shop.tokens.holds(token)
    assert await shop.tokens.find(kept) is not None
    assert (await shop.tokens.revoke(token.id)).revoked_at == revoked.revoked_at, "twice is as once"


async def test_given_a_token_that_another_daemon_revokes_then_it_opens_nothing_soon(shop: Shop) -> None:
    token, secret = await shop.tokens.make("ana", "", "test")
    assert await shop.tokens.find(secret) is not None
    await shop.elsewhere.revoke(token.id)
    shop.clock.now += tokens.KNOWN_SECONDS
    assert await shop.tokens.find(secret) is None


async def test_given_a_token_that_is_revoked_while_all_are_read_then_what_was_read_does_not_count(
    shop: Shop,
) -> None:
    token, secret = await shop.tokens.make("ana", "", "test")
    reading, go = asyncio.Event(), asyncio.Event()
    read = shop.store.list

    async def slowly() -> Sequence[Token]:
        found = await read()
        if not reading.is_set():
            reading.set()
            await go.wait()
        return found

    shop.store.list = slowly  # type: ignore[method-assign]
    finding = asyncio.create_task(shop.tokens.find(secret))
    await reading.wait()
    await shop.tokens.revoke(token.id)
    go.set()
    assert await finding is None


async def test_given_no_such_token_when_revoked_then_it_is_said(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        await shop.tokens.revoke("token-x")
    assert refused.value.kind == "not_found"


# -- a store that cannot be read -----------------------------------------------------------------------------


async def test_given_a_store_out_of_order_then_who_is_known_stays_so_and_nobody_new_is_let_in(
    shop: Shop,
) -> None:
    token, secret = await shop.tokens.make("ana", "", "test")
    await shop.tokens.find(secret)
    shop.store.broken = True
    shop.clock.now += 60
    assert await shop.tokens.find(secret) == token
    assert await shop.tokens.find("warm_" + "x" * 43) is None


async def test_given_a_store_that_could_never_be_read_then_it_is_unreachable_and_screens_stay(
    shop: Shop,
) -> None:
    token, secret = await shop.tokens.make("ana", "", "test")
    shop.store.broken = True
    with pytest.raises(Refused) as refused:
        await shop.tokens.find(secret)
    assert refused.value.kind == "unreachable"
    assert await shop.tokens.holds(token)


# -- who fails too often -------------------------------------------------------------------------------------


def test_given_failures_when_there_are_many_then_the_peer_waits_and_no_other_does() -> None:
    clock = Clock()
    known = Failures(clock)
    for _ in range(failures.AT_ONCE):
        assert known.wait("10.0.0.1") == 0
        known.add("10.0.0.1")
    assert known.wait("10.0.0.1") == pytest.approx(failures.EACH_SECONDS)
    assert known.wait("10.0.0.2") == 0
    clock.now += failures.EACH_SECONDS
    assert known.wait("10.0.0.1") == 0
    known.add("10.0.0.1")
    assert known.wait("10.0.0.1") > 0
    clock.now += 3600
    for _ in range(failures.AT_ONCE):
        assert known.wait("10.0.0.1") == 0
        known.add("10.0.0.1")


def test_given_addresses_of_one_network_when_they_fail_then_they_are_one_peer() -> None:
    known = Failures(Clock())
    for number in range(failures.AT_ONCE):
        known.add(f"2001:db8:1:2::{number:x}")
    known.add("::ffff:10.0.0.1")
    assert known.wait("2001:db8:1:2:ffff::9%eth0") > 0
    assert known.wait("2001:db8:1:3::1") == 0
    assert len(known) == 2
    for _ in range(failures.AT_ONCE):
        known.add("10.0.0.1")
    assert known.wait("::ffff:10.0.0.1") > 0


def test_given_a_million_peers_then_no_more_than_some_are_remembered() -> None:
    known = Failures(Clock())
    for number in range(failures.PEERS_AT_MOST + 500):
        known.add(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
        known.add("not an address")
    assert len(known) == failures.PEERS_AT_MOST


# -- over the API --------------------------------------------------------------------------------------------


async def test_given_the_routes_then_a_token_is_made_listed_and_revoked(stage: Stage) -> None:
    began = time.time()
    status, made, answer = await stage.ask_raw("POST", "/v1/tokens", json={"agent": "Ana", "note": "desk"})
    assert (status, made["agent"], made["note"], made["revoked_at"]) == (201, "ana", "desk", None)
    assert answer.headers["Location"] == f"/v1/tokens/{made['id']}"
    assert (await stage.tokens.find(made["secret"])) is not None
    _, listed = await stage.ask("GET", "/v1/tokens")
    assert listed["tokens"] == [{name: value for name, value in made.items() if name != "secret"}]
    assert made["created_by"].startswith("api (") and made["created_at"] >= began - 1
    status, revoked = await stage.ask("DELETE", f"/v1/tokens/{made['id']}")
    assert (status, revoked["id"]) == (200, made["id"])
    assert revoked["revoked_at"] is not None
    assert (await stage.tokens.find(made["secret"])) is None


async def test_given_a_token_for_everything_when_made_then_it_is_no_agents(stage: Stage) -> None:
    bodies: tuple[object, ...] = ({}, None)
    for body in bodies:
        status, made = await stage.ask("POST", "/v1/tokens", body)
        assert (status, made["agent"], made["note"]) == (201, "", "")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"agent": "nobody"}, ["#/agent"]),
        ({"agent": 1, "note": "a\nb", "secret": "mine"}, ["#/agent", "#/note", "#/secret"]),
        ({"agent": "", "note": "x" * 81}, ["#/agent", "#/note"]),
        ([], ["#"]),
    ],
)
async def test_given_faults_when_a_token_is_made_then_each_is_pointed_at(
    stage: Stage, body: object, pointers: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/tokens", body)
    assert status == 422
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert (await stage.ask("GET", "/v1/tokens"))[1]["tokens"] == []


@pytest.mark.parametrize("id", ["token-x", "x'--", "%00", "a" * 100])
async def test_given_no_such_token_when_it_is_to_be_revoked_then_404(stage: Stage, id: str) -> None:
    assert (await stage.ask("DELETE", f"/v1/tokens/{id}"))[0] == 404
