"""Published scripts, on each kind of database."""

from __future__ import annotations

import asyncio

import pytest
from lead_memory import HOME, script_of

from asterisk_warm.core.presence import By
from asterisk_warm.engine.qualifying.ports import ScriptStore, ScriptVersion
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.store import Database, SqlScripts, StoreError


@pytest.fixture
def store(database: Database) -> ScriptStore:
    return SqlScripts(database)


async def test_given_a_new_database_then_there_is_no_script(store: ScriptStore) -> None:
    assert await store.current("insurance") is None
    assert await store.version("insurance", 1) is None
    assert await store.versions("insurance") == []
    assert await store.scripts() == []


async def test_given_versions_when_published_then_the_latest_is_current_and_all_stay(
    store: ScriptStore,
) -> None:
    first = await store.publish("insurance", "id: insurance\n", "configuration", 1.5)
    assert first == ScriptVersion("insurance", 1, "id: insurance\n", 1.5, "configuration")
    other = await store.publish("dental", "id: dental\n", "cli (root)", 2.5, "first")
    second = await store.publish("insurance", "id: insurance # é\n", "api", 3.5, "rollback to version 1")
    assert (other.version, second.version) == (1, 2)
    assert await store.current("insurance") == second
    assert await store.version("insurance", 1) == first
    assert await store.versions("insurance") == [second, first]
    assert await store.scripts() == [other, second]


@pytest.mark.parametrize("version", [0, -1, 3, 2**31, 2**70])
async def test_given_a_version_that_is_none_then_there_is_none(store: ScriptStore, version: int) -> None:
    await store.publish("insurance", "", "api", 1.0)
    assert await store.version("insurance", version) is None


async def test_given_every_sort_of_character_and_64_kilobytes_then_they_are_kept_as_far_as_can_be(
    store: ScriptStore,
) -> None:
    words = "a\0b'\";--%s\r\n\u202e\U0001f600\ud800" + "ß" * 65536
    kept = words.replace("\0", "\ufffd").replace("\ud800", "?")
    published = await store.publish("s", words, words, 1.0, words)
    assert published == ScriptVersion("s", 1, kept, 1.0, kept, kept) == await store.current("s")
    assert await store.current(words) is None


async def test_given_several_daemons_that_publish_at_once_then_no_version_is_lost(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlScripts(east), SqlScripts(west)]
        published = await asyncio.gather(
            *(store.publish("s", f"{number}", "api", 1.0) for number in range(20) for store in stores)
        )
        found = await stores[0].versions("s")
    assert [one.version for one in found] == list(range(40, 0, -1))
    assert sorted(published, key=lambda one: -one.version) == found


async def test_given_a_store_that_fails_then_a_store_error(store: ScriptStore, database: Database) -> None:
    await database.write(lambda driver: driver.execute("DROP TABLE script_versions", ()))
    with pytest.raises(StoreError, match="script_versions"):
        await store.publish("s", "", "api", 1.0)
    with pytest.raises(StoreError, match="script_versions"):
        await store.scripts()


async def test_given_a_rollback_of_what_the_configurations_file_says_when_restarted_then_it_stays(
    url: str,
) -> None:
    edited = HOME.replace("points: 10", "points: 20")
    told = []
    for file, version in ((HOME, None), (edited, 1), (edited, None)):
        async with await Database.open(url) as database:
            scripts = ScriptService(SqlScripts(database), script_of)
            told.append(await scripts.seed({"home": file}))
            if version is not None:
                await scripts.rollback("home", version, By("dana", "cli"))
            versions = await scripts.versions("home")
    assert [(one.version, one.by) for one in versions] == [
        (3, "cli (dana)"),
        (2, "configuration"),
        (1, "configuration"),
    ]
    first, second, (third,) = told
    assert (first, second) == ([], [])
    assert "is version 2, but version 3 is the current one" in third
