"""Qualifications, on each kind of database."""

from __future__ import annotations

import asyncio
import math
from dataclasses import fields, replace

import pytest

from asterisk_warm.core.script.answers import Answer, Given, Qualification
from asterisk_warm.core.script.model import Channel, Verdict
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.store import Database, SqlQualifications, StoreError

OWNER = Answer(
    question="owner",
    value="yes",
    at=10.5,
    on="2026-11-28",
    by="lead",
    channel=Channel.VOICE,
    asked="Do you own it? ¿Sí?",
    skipped=True,
    no_answer=True,
    recording="warm-owner-1",
    recording_gone=True,
)
EVERYTHING = Qualification(
    id="qual-1",
    script="insurance",
    version=3,
    lead="+15551234567",
    language="es",
    started_at=1.5,
    updated_at=20.25,
    answers=(OWNER, replace(OWNER, question="roof", skipped=False)),
    ended_at=21.5,
    given=Given(62.5, Verdict.READY, "high score", "roof", "crm"),
)
OPEN = Qualification("qual-2", "insurance", 3, "", "", 2.0, 2.0)


@pytest.fixture
def store(database: Database) -> QualificationStore:
    return SqlQualifications(database)


async def test_given_a_new_database_then_there_is_none(store: QualificationStore) -> None:
    assert await store.get("qual-1") is None
    assert await store.list(9, open_only=False) == []
    assert await store.of_lead("+15551234567", 9) == []


async def test_given_a_qualification_when_read_back_then_everything_is_there(
    store: QualificationStore,
) -> None:
    assert all(getattr(EVERYTHING, one.name) for one in fields(EVERYTHING) if one.name != "revision")
    assert all(getattr(OWNER, one.name) for one in fields(OWNER)), "a field is not tried"
    stored = await store.save(EVERYTHING)
    assert stored == replace(EVERYTHING, revision=1) == await store.get("qual-1")
    empty = await store.save(OPEN)
    assert empty == replace(OPEN, revision=1) == await store.get("qual-2")


async def test_given_changes_then_each_is_the_next_revision_and_who_is_late_writes_nothing(
    store: QualificationStore,
) -> None:
    first = await store.save(OPEN)
    assert first is not None
    second = await store.save(replace(first, answers=(OWNER,), updated_at=3.0))
    assert second is not None and second.revision == 2
    for revision in (0, 1, 3, 7):
        assert await store.save(replace(first, revision=revision, lead="other")) is None
    assert await store.get("qual-2") == second
    assert await store.save(replace(OPEN, id="qual-3", revision=1)) is None, "it was never there"
    assert await store.get("qual-3") is None


async def test_given_many_who_answer_at_once_then_one_of_them_does(url: str) -> None:
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlQualifications(east), SqlQualifications(west)]
        for seen in (OPEN, replace(OPEN, revision=1)):
            results = await asyncio.gather(
                *(
                    store.save(replace(seen, answers=(replace(OWNER, by=f"{number}"),)))
                    for number in range(10)
                    for store in stores
                )
            )
            (won,) = (one for one in results if one is not None)
            assert await stores[0].get("qual-2") == won


async def test_given_several_then_lists_tell_the_latest_first_and_which_are_open(
    store: QualificationStore,
) -> None:
    for number in range(6):
        one = replace(
            EVERYTHING,
            id=f"q{number}",
            lead=f"+{number % 2}",
            updated_at=float(number),
            ended_at=None if number % 3 else 1.0,
        )
        assert await store.save(one) is not None
    await store.save(OPEN)
    assert [one.id for one in await store.list(9, open_only=False)] == [
        "q5",
        "q4",
        "q3",
        "qual-2",
        "q2",
        "q1",
        "q0",
    ]
    assert [one.id for one in await store.list(4, open_only=True)] == ["q5", "q4", "qual-2", "q2"]
    assert [one.id for one in await store.of_lead("+1", 2)] == ["q5", "q3"]
    assert await store.of_lead("", 9) == (), "all who withhold their number are not one lead"


async def test_given_every_sort_of_character_and_64_kilobytes_then_they_are_kept_as_far_as_can_be(
    store: QualificationStore,
) -> None:
    words = "a\0b'\";--%s${SHELL(id)}\r\n\u202e\U0001f600\ud800" + "ß" * 65536
    kept = words.replace("\0", "\ufffd").replace("\ud800", "?")

    def with_texts(text: str) -> Qualification:
        answer = replace(OWNER, value=text, by=text, asked=text, question=text)
        given = Given(1.0, Verdict.NURTURE, text, text, text)
        return replace(EVERYTHING, lead=text, script=text, language=text, answers=(answer,), given=given)

    stored = await store.save(with_texts(words))
    assert stored == replace(with_texts(kept), revision=1) == await store.get("qual-1")
    assert await store.of_lead(words, 9) == [stored]


@pytest.mark.parametrize("score", [math.nan, math.inf])
async def test_given_a_score_that_is_no_number_then_it_is_not_stored(
    store: QualificationStore, score: float
) -> None:
    given = Given(score, Verdict.READY, "", "", "crm")
    with pytest.raises(StoreError, match=r"qualification 'qual-1': it cannot be stored: .*score"):
        await store.save(replace(EVERYTHING, given=given))
    assert await store.list(9, open_only=False) == []


async def test_given_a_store_that_fails_then_a_store_error(
    store: QualificationStore, database: Database
) -> None:
    await database.write(lambda driver: driver.execute("DROP TABLE qualifications", ()))
    with pytest.raises(StoreError, match="qualifications"):
        await store.save(OPEN)
    with pytest.raises(StoreError, match="qualifications"):
        await store.list(9, open_only=True)
