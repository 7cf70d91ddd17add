"""Tokens, on each kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asterisk_warm.engine.screens.ports import Token, TokenStore
from asterisk_warm.store import Database, SqlTokens, StoreError

ANA = Token("t1", "a" * 64, "ana", "Ana's desk ☎", 1.5, "cli (root)")
ALL = Token("t2", "b" * 64, "", "", 2.5, "api")


@pytest.fixture
def store(database: Database) -> TokenStore:
    return SqlTokens(database)


async def test_given_tokens_then_they_are_found_by_their_hash(store: TokenStore) -> None:
    assert (await store.list(), await store.by_hash(ANA.hash)) == ([], None)
    await store.add(ALL)
    await store.add(ANA)
    assert await store.list() == [ANA, ALL]
    assert (await store.by_hash(ANA.hash), await store.by_hash(ALL.hash)) == (ANA, ALL)
    for other in ("", "A" * 64, "a" * 63, "a" * 65, "a\0", "\ud800", "ß" * 65536):
        assert await store.by_hash(other) is None


async def test_given_a_token_when_revoked_then_it_opens_nothing_and_is_still_listed(
    store: TokenStore,
) -> None:
    await store.add(ANA)
    assert await store.revoke("t2", 5.0) is False
    assert await store.revoke("t1", 5.0) is True
    assert await store.revoke("t1", 6.0) is False
    assert await store.by_hash(ANA.hash) is None
    assert await store.list() == [replace(ANA, revoked_at=5.0)]


async def test_given_a_token_that_is_there_already_then_it_is_not_replaced(store: TokenStore) -> None:
    await store.add(ANA)
    for other in (replace(ALL, id="t1"), replace(ALL, hash=ANA.hash)):
        with pytest.raises(StoreError):
            await store.add(other)
    assert await store.list() == [ANA]


async def test_given_every_sort_of_character_then_they_are_kept_as_far_as_can_be(store: TokenStore) -> None:
    words = "a\0b'\";--%s\u202e\U0001f600\ud800" + "ß" * 65536
    kept = words.replace("\0", "\ufffd").replace("\ud800", "?")
    await store.add(replace(ANA, note=words, created_by=words))
    assert await store.list() == [replace(ANA, note=kept, created_by=kept)]
