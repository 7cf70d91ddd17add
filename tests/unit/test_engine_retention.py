"""Recordings whose time is over are deleted, and their answers say so: on real files, with each kind of database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from store_databases import KINDS, new_database
from structlog.testing import capture_logs

from asterisk_warm.core.handoff.ids import recording_name
from asterisk_warm.core.script.answers import Answer, Qualification
from asterisk_warm.core.script.model import Channel
from asterisk_warm.engine import retention
from asterisk_warm.engine.ids import made_at, new_handoff_id, new_qualification_id
from asterisk_warm.engine.ports.pbx import PbxRefused, PbxUnreachable
from asterisk_warm.engine.recordings import answer_recording, earliest
from asterisk_warm.engine.retention import Retention
from asterisk_warm.store import Database, SqlQualifications, StoreError

NOW = 1_795_000_000.0
DAY = 86400.0
KEEP = 30
LEAD = "+15551234567"
FOREIGN = (
    "lab-words",
    "greeting",
    "qual-words-1",
    "qual-00000000000000-words",
    "qual-00000000000000-words-one",
    "qual-00000000000000--1",
    "qual-0000000000000!-words-1",
    "qual-iiiiiiiiiiiiii-words-1",
    "my-qual-00000000000000-words-1",
    "qual-00000000000000-words-1-copy",
    "qual-00000000000000-words-1.old",
    "qual-00000000000000-words-\u0661",
    "warm-00000000000000-agent-1",
    "warm-00000000000000-question-",
    "warm-questions-question-1",
    "archive/qual-00000000000000-words-1",
)
"""Almost like ours, all of them from 1970 if they were."""


class Folder:
    """In Asterisk's place: real files, and what becomes of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stays: set[str] = set()
        """What Asterisk may not delete."""
        self.reachable = True
        self.asked = asyncio.Semaphore(0)
        """Released each time that it is looked into."""
        self.empty = asyncio.Event()

    def put(self, *names: str) -> None:
        for name in names:
            (self.path / f"{name}.wav").parent.mkdir(parents=True, exist_ok=True)
            (self.path / f"{name}.wav").write_bytes(b"RIFF")

    def there(self) -> set[str]:
        return {str(file.relative_to(self.path))[:-4] for file in self.path.rglob("*.wav")}

    async def stored_recordings(self) -> Sequence[str]:
        self.asked.release()
        if not self.reachable:
            raise PbxUnreachable("Asterisk does not answer")
        return sorted(self.there())

    async def forget_recording(self, recording: str) -> None:
        if recording in self.stays:
            raise PbxRefused("500 Delete failed")
        (self.path / f"{recording}.wav").unlink(missing_ok=True)
        if not self.there():
            self.empty.set()


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(getattr(request, "param", "sqlite"), tmp_path)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await Database.open(url) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> SqlQualifications:
    return SqlQualifications(database)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "recording")


def keeping(folder: Folder, store: SqlQualifications, days: float = KEEP) -> Retention:
    return Retention(folder, store, days, now=lambda: NOW, pause=0.0)


def begun(monkeypatch: pytest.MonkeyPatch, days: float) -> str:
    """Id of a qualification that began so many days ago."""
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: NOW - days * DAY)
        return new_qualification_id()


def spoken(id: str, days: float, question: str = "words", revision: int = 1) -> Answer:
    """One that was recorded so many days ago."""
    name = answer_recording(id, question, revision)
    at = NOW - days * DAY
    return Answer(question, "", at, "2026-11-28", "lead", Channel.VOICE, "Why?", recording=name)


def asked(id: str, *answers: Answer, lead: str = LEAD, days: float = 0.0) -> Qualification:
    at = NOW - days * DAY
    return Qualification(id, "insurance", 3, lead, "en", at, at, answers, ended_at=at)


# -- whose time is over --------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", KINDS, indirect=True)
async def test_given_old_and_new_answers_then_the_old_ones_recording_goes_and_its_answer_says_so(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = begun(monkeypatch, 31), begun(monkeypatch, 29)
    typed = Answer("owner", "yes", NOW - 31 * DAY, "2026-10-28", "lead", Channel.VOICE, "Yours?")
    before = await store.save(asked(old, typed, spoken(old, 30.1), days=30.1))
    kept = await store.save(asked(new, spoken(new, 28.9), days=28.9))
    assert before is not None
    folder.put(answer_recording(old, "words", 1), answer_recording(new, "words", 1))
    with capture_logs() as logs:
        assert await keeping(folder, store).sweep() == 1
    assert folder.there() == {answer_recording(new, "words", 1)}
    marked = replace(before.answers[1], recording="", recording_gone=True)
    assert await store.get(old) == replace(before, answers=(typed, marked), revision=2)
    assert await store.get(new) == kept
    assert [log["count"] for log in logs if log["event"] == "old recordings deleted"] == [1]
    assert await keeping(folder, store).sweep() == 0


async def test_given_a_qualification_that_went_on_later_then_its_recordings_are_as_old_as_their_answers(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(monkeypatch, 40)
    await store.save(asked(id, spoken(id, 40), spoken(id, 1, "roof", 2)))
    folder.put(answer_recording(id, "words", 1), answer_recording(id, "roof", 2))
    assert await keeping(folder, store).sweep() == 1
    assert folder.there() == {answer_recording(id, "roof", 2)}


async def test_given_an_answer_that_was_taken_over_then_it_is_marked_in_each_qualification(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = begun(monkeypatch, 40), begun(monkeypatch, 20)
    answer = spoken(first, 40)
    await store.save(asked(first, answer))
    await store.save(asked(second, answer, spoken(second, 20, "roof", 2)))
    folder.put(answer.recording, answer_recording(second, "roof", 2))
    assert await keeping(folder, store).sweep() == 1
    for id in (first, second):
        found = await store.get(id)
        assert found is not None
        assert (found.answers[0].recording, found.answers[0].recording_gone) == ("", True)
    assert found.answers[1] == spoken(second, 20, "roof", 2)


async def test_given_an_old_qualification_whose_answer_lives_on_in_a_later_one_then_it_is_kept_as_long(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = begun(monkeypatch, 40), begun(monkeypatch, 20)
    answer = spoken(first, 25)
    await store.save(asked(first))  # it was taken back there
    await store.save(asked(second, answer))
    folder.put(answer.recording)
    sweeper = keeping(folder, store)
    assert (await sweeper.sweep(), await sweeper.sweep()) == (0, 0)
    assert folder.there() == {answer.recording}


async def test_given_a_recording_of_no_answer_then_it_goes_when_it_is_still_none_the_next_time(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed, lost = begun(monkeypatch, 40), begun(monkeypatch, 40)
    before = await store.save(asked(resumed))
    assert before is not None
    now_given = spoken(resumed, 0)
    folder.put(now_given.recording, answer_recording(resumed, "roof", 1), answer_recording(lost, "words", 1))
    sweeper = keeping(folder, store)
    assert await sweeper.sweep() == 0, "somebody may speak right now"
    await store.save(replace(before, answers=(now_given,)))
    assert await sweeper.sweep() == 2, "not even the store knows one of them"
    assert folder.there() == {now_given.recording}


async def test_given_questions_that_were_asked_back_when_one_is_left_over_then_it_goes(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: NOW - 31 * DAY)
        old = new_handoff_id()
        patch.setattr(time, "time", lambda: NOW - DAY)
        new = new_handoff_id()
    names = [recording_name(id, 1, reply=reply) for id in (old, new) for reply in (False, True)]
    folder.put(*names)
    assert await keeping(folder, store).sweep() == 2
    assert folder.there() == set(names[2:])


async def test_given_what_others_have_recorded_then_it_is_left_alone(
    folder: Folder, store: SqlQualifications
) -> None:
    folder.put(*FOREIGN)
    sweeper = keeping(folder, store)
    assert (await sweeper.sweep(), await sweeper.sweep()) == (0, 0)
    assert folder.there() == set(FOREIGN)


@pytest.mark.parametrize("name", FOREIGN)
def test_given_a_name_that_is_none_of_ours_then_nothing_is_known_of_it(name: str) -> None:
    assert earliest(name) is None


def test_given_our_names_then_each_tells_when_it_was_made_at_the_earliest() -> None:
    before = time.time()
    qualification, handoff = new_qualification_id(), new_handoff_id()
    for name in (
        answer_recording(qualification, "what_matters_2", 17),
        recording_name(handoff, 3, reply=True),
    ):
        at = earliest(name)
        assert at is not None and before - 0.001 <= at <= time.time()
    assert made_at("qual-00000000000000") == 0.0 and made_at("qual-0000000000000") is None


# -- what goes wrong -----------------------------------------------------------------------------------------


async def test_given_one_that_cannot_be_deleted_then_the_others_go_it_is_told_and_tried_again(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(monkeypatch, 40)
    await store.save(asked(id, spoken(id, 40), spoken(id, 40, "roof", 2)))
    stays, goes = answer_recording(id, "roof", 2), answer_recording(id, "words", 1)
    folder.put(stays, goes)
    folder.stays = {stays}
    sweeper = keeping(folder, store)
    with capture_logs() as logs:
        assert await sweeper.sweep() == 1
    (told,) = [log for log in logs if log["log_level"] == "warning"]
    assert (told["count"], told["one"], told["why"]) == (1, stays, "500 Delete failed")
    assert "spool directory" in told["remedy"]
    found = await store.get(id)
    assert found is not None and [answer.recording for answer in found.answers] == ["", stays]
    folder.stays = set()
    assert await sweeper.sweep() == 1
    found = await store.get(id)
    assert found is not None and all(answer.recording_gone for answer in found.answers)


async def test_given_one_that_is_deleted_meanwhile_then_its_answer_says_so_all_the_same(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(monkeypatch, 40)
    await store.save(asked(id, spoken(id, 40)))
    name = answer_recording(id, "words", 1)

    class Vanishing(Folder):
        async def forget_recording(self, recording: str) -> None:
            (self.path / f"{recording}.wav").unlink()
            await super().forget_recording(recording)

    vanishing = Vanishing(folder.path)
    vanishing.put(name)
    assert await keeping(vanishing, store).sweep() == 1
    found = await store.get(id)
    assert found is not None and found.answers[0].recording_gone


async def test_given_somebody_who_answers_meanwhile_then_both_are_kept(
    folder: Folder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(monkeypatch, 40)
    changed = Answer("owner", "yes", NOW, "2026-11-28", "ana", Channel.CONSOLE, "Yours?")

    class Busy(SqlQualifications):
        """Somebody changes what is about to be saved, three times."""

        changes = 0

        async def save(self, qualification: Qualification) -> Qualification | None:
            if qualification.revision and self.changes < 3:
                self.changes += 1
                found = await self.get(qualification.id)
                assert found is not None
                await super().save(replace(found, answers=(*found.answers, changed)))
            return await super().save(qualification)

    store = Busy(database)
    await store.save(asked(id, spoken(id, 40)))
    folder.put(answer_recording(id, "words", 1))
    assert await keeping(folder, store).sweep() == 1
    found = await store.get(id)
    assert found is not None
    assert found.answers[0].recording_gone and found.answers[1:] == (changed,) * 3


async def test_given_a_store_that_fails_then_the_answer_says_so_as_soon_as_it_can(
    folder: Folder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(monkeypatch, 40)

    class Full(SqlQualifications):
        full = True

        async def save(self, qualification: Qualification) -> Qualification | None:
            if self.full and qualification.revision:
                raise StoreError("warm.db", "the disk is full", "make room")
            return await super().save(qualification)

    store = Full(database)
    await store.save(asked(id, spoken(id, 40)))
    folder.put(answer_recording(id, "words", 1))
    sweeper = keeping(folder, store)
    with pytest.raises(StoreError):
        await sweeper.sweep()
    assert folder.there() == set()
    store.full = False
    assert await sweeper.sweep() == 0
    found = await store.get(id)
    assert found is not None and found.answers[0].recording_gone


# -- now and then --------------------------------------------------------------------------------------------


async def reachable() -> None:
    """Asterisk is."""


async def test_given_no_such_time_then_nothing_is_looked_at(folder: Folder, store: SqlQualifications) -> None:
    async def never() -> None:
        raise AssertionError("nobody need be reachable")

    folder.put("qual-00000000000000-words-1")
    await keeping(folder, store, days=0).run(never)
    assert folder.there() and folder.asked.locked()


async def test_given_an_asterisk_that_is_away_then_it_is_told_and_tried_again(
    folder: Folder, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "RETRY_SECONDS", 0.001)
    id = begun(monkeypatch, 40)
    await store.save(asked(id, spoken(id, 40)))
    folder.put(answer_recording(id, "words", 1))
    folder.reachable = False
    with capture_logs() as logs:
        running = asyncio.create_task(keeping(folder, store).run(reachable))
        async with asyncio.timeout(10):
            for _ in range(2):
                await folder.asked.acquire()
            folder.reachable = True
            await folder.empty.wait()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    told = {log["event"]: log for log in logs}["old recordings were not deleted"]
    assert (told["log_level"], told["why"]) == ("warning", "Asterisk does not answer")
