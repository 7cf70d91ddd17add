"""Lines of text → sounds that Asterisk can play."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from asterisk_warm.engine.ports import speech
from asterisk_warm.speech import (
    CachedSpeaker,
    CannotSay,
    Down,
    EngineDown,
    EspeakEngine,
    HibariEngine,
    SoundFolder,
    SpeechCache,
    SpeechUnavailable,
    UnknownPrompt,
    prompt_names,
    speaker_from,
)
from asterisk_warm.speech import lines as lines_module
from asterisk_warm.speech.audio import RATE, tone
from asterisk_warm.speech.cache import DAY, KEPT_DAYS
from asterisk_warm.speech.prompts import prompt_texts, shipped
from asterisk_warm.speech.shipped import FOLDER, record

LINES = ("Grant Weatherly, home insurance. Renews in three weeks.", "Press 1 to accept.")


class Tone:
    """An engine whose failures are ours to choose: it says everything as a tone, and counts."""

    def __init__(self, name: str = "tone", fails: Exception | None = None) -> None:
        self.name = name
        self.fails = fails
        self.said: list[str] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def identity(self) -> str:
        return f"{self.name} 1"

    async def warm_up(self) -> None:
        if isinstance(self.fails, EngineDown):
            raise self.fails

    async def say(self, text: str) -> bytes:
        self.said.append(text)
        self.asked.set()
        await self.gate.wait()
        if self.fails:
            raise self.fails
        return tone(500, 1.0)

    async def close(self) -> None:
        self.gate.set()


def here(folder: Path) -> SoundFolder:
    return SoundFolder(folder, "/as/asterisk/sees/it")


def sound(folder: Path, uri: str) -> bytes:
    prefix = "sound:/as/asterisk/sees/it/"
    assert uri.startswith(prefix)
    return (folder / f"{uri.removeprefix(prefix)}.ulaw").read_bytes()


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.fixture
async def hibari() -> AsyncIterator[HibariEngine]:
    engine = HibariEngine(time_limit=60)
    yield engine
    await engine.close()


async def test_given_a_briefing_then_it_is_spoken_and_the_second_time_it_is_there(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    speaker = CachedSpeaker(here(tmp_path), [hibari])
    uris = await speaker.prepare(LINES)
    assert [3 < len(sound(tmp_path, uri)) / RATE < 6 for uri in uris] == [True, False]
    before, took = files(tmp_path), []
    for _ in range(20):
        started = time.perf_counter()
        assert await speaker.prepare(LINES) == uris
        took.append(time.perf_counter() - started)
    assert min(took) < 0.005
    assert files(tmp_path) == before


async def test_given_a_restart_then_what_was_spoken_is_still_there(tmp_path: Path) -> None:
    uris = await CachedSpeaker(here(tmp_path), [Tone()]).prepare(LINES)
    again = Tone()
    assert await CachedSpeaker(here(tmp_path), [again]).prepare(LINES) == uris
    assert again.said == []


async def test_given_many_who_want_one_line_then_it_is_rendered_once(tmp_path: Path) -> None:
    engine = Tone()
    speaker = CachedSpeaker(here(tmp_path), [engine])
    engine.gate.clear()
    wanting = [asyncio.create_task(speaker.prepare(["Hello."])) for _ in range(20)]
    impatient = wanting.pop(0)
    async with asyncio.timeout(5):
        await engine.asked.wait()
    impatient.cancel()
    engine.gate.set()
    assert len(set(await asyncio.gather(*wanting))) == 1
    assert engine.said == ["Hello."]
    assert len(files(tmp_path)) == 1


async def test_given_nobody_who_waits_any_more_then_a_failure_is_nobodys_surprise(tmp_path: Path) -> None:
    engine = Tone(fails=EngineDown("broken"))
    speaker = CachedSpeaker(here(tmp_path), [engine])
    engine.gate.clear()
    task = asyncio.create_task(speaker.prepare(["Hello."]))
    async with asyncio.timeout(5):
        await engine.asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await speaker.close()


async def test_given_a_text_then_whether_it_was_spoken_is_known_at_once(tmp_path: Path) -> None:
    speaker: speech.Speaker = CachedSpeaker(here(tmp_path), [Tone()])
    assert speaker.spoken("Hello, 💩.") is None
    (uri,) = await speaker.prepare(["Hello, 💩."])
    assert speaker.spoken("Hello, 💩.") == speaker.spoken("Hello,  .") == uri
    assert min(timed(lambda: speaker.spoken("Hello, 💩.")) for _ in range(200)) < 0.000_05


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


async def test_given_nothing_to_say_then_nothing_is_spoken(tmp_path: Path) -> None:
    speaker = CachedSpeaker(here(tmp_path), [Tone()])
    await speaker.prepare(["", "💩"])
    assert [speaker.spoken(text) for text in ("", " ", "💩")] == [None] * 3


async def test_given_a_restart_then_what_an_earlier_daemon_spoke_is_known(tmp_path: Path) -> None:
    uris = await CachedSpeaker(here(tmp_path), [Tone()]).prepare(LINES)
    again = CachedSpeaker(here(tmp_path), [Tone()])
    await again.ensure_prompts()
    assert tuple(again.spoken(line) for line in LINES) == uris
    await again.close()


async def test_given_a_file_that_was_removed_then_it_is_not_spoken_until_it_is_again(tmp_path: Path) -> None:
    speaker = CachedSpeaker(here(tmp_path), [Tone()])
    (uri,) = await speaker.prepare(["Hello."])
    for path in files(tmp_path):
        path.unlink()
    assert speaker.spoken("Hello.") is None
    assert await speaker.prepare(["Hello."]) == (uri,)
    assert speaker.spoken("Hello.") == uri


async def test_given_more_texts_than_are_remembered_then_the_disk_still_knows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "RECENT", 2)
    speaker = CachedSpeaker(here(tmp_path), [Tone()])
    lines = [f"Number {number}." for number in range(5)]
    uris = await speaker.prepare(lines)
    assert tuple(speaker.spoken(line) for line in lines) == uris
    assert len(speaker._lines._recent) == 2


async def test_given_the_many_lines_of_a_team_then_another_leads_briefing_does_not_wait_for_them(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    speaker = CachedSpeaker(here(tmp_path), [hibari])
    lines = ["A briefing comes first.", *(f"I am connecting you to agent {number}." for number in range(20))]
    team = asyncio.create_task(speaker.prepare(lines))
    await asyncio.create_task(speaker.prepare(lines[:1]))
    await asyncio.create_task(speaker.prepare(["Another briefing."]))
    ready = [speaker.spoken(line) is not None for line in lines]
    assert ready == sorted(ready, reverse=True)  # in the order given
    assert not ready[-1]
    team.cancel()
    await asyncio.gather(team, return_exceptions=True)
    await speaker.close()


async def test_given_two_daemons_with_one_folder_then_neither_is_in_the_others_way(tmp_path: Path) -> None:
    own, sounds = tmp_path / "own", tmp_path / "sounds"
    own.mkdir()
    (own / "comfort.wav").write_bytes(b"RIFF" * 10_000)
    speakers = [CachedSpeaker(here(sounds), [Tone()], own_prompts=own) for _ in range(4)]
    await asyncio.gather(*(each.ensure_prompts() for each in speakers))
    spoken = await asyncio.gather(*(each.prepare(LINES) for each in speakers))
    assert len(set(spoken)) == 1
    assert all(len(sound(sounds, uri)) == RATE for uri in spoken[0])
    assert not [path for path in files(sounds) if path.name.startswith(".")]
    for each in speakers:
        await each.close()


async def test_given_old_lines_then_start_up_removes_them(tmp_path: Path) -> None:
    loop, pruned = asyncio.get_running_loop(), asyncio.Event()

    class Watched(SpeechCache):
        def prune(self) -> int:
            removed = super().prune()
            loop.call_soon_threadsafe(pruned.set)
            return removed

    cache = Watched(here(tmp_path).sub("cache"))
    cache.put("ab/old", b"a person's wishes")
    old = time.time() - (KEPT_DAYS + 1) * DAY
    os.utime(tmp_path / "cache/ab/old.ulaw", (old, old))
    speaker = CachedSpeaker(here(tmp_path), [Tone()], cache=cache)
    await speaker.ensure_prompts()
    async with asyncio.timeout(5):
        await pruned.wait()
    assert not cache.holds("ab/old")
    await speaker.close()


async def test_given_the_configuration_then_there_is_a_speaker_of_it(tmp_path: Path) -> None:
    speaker = speaker_from(tmp_path, "/sounds", ["espeak", "hibari"], 60.0, {"accept": "5"}, None)
    assert (await speaker.prepare(["Hello there."]))[0].startswith("sound:/sounds/cache/")
    await speaker.close()
    with pytest.raises(ValueError, match="no speech engine 'piper'"):
        speaker_from(tmp_path, "/sounds", ["piper"], 3.0, None, None)


async def test_given_an_engine_that_is_down_then_the_next_speaks_and_the_first_rests(tmp_path: Path) -> None:
    now = 0.0
    first, second = Tone("first", EngineDown("broken")), Tone("second")
    speaker = CachedSpeaker(here(tmp_path), [first, second], monotonic=lambda: now)
    await speaker.prepare(["One.", "Two."])
    assert (first.said, second.said) == (["One."], ["One.", "Two."])
    now = 20.0
    assert speaker.down == {"first": Down("broken", times=1, ago=20.0, rests=40.0)}
    now, first.fails = 61.0, None
    await speaker.prepare(["Three."])
    assert first.said == ["One.", "Three."]
    assert speaker.down == {}


async def test_given_an_engine_that_was_slow_once_then_that_is_told_until_its_rest_is_over(
    tmp_path: Path,
) -> None:
    now = 0.0
    slow = Tone("first", EngineDown("took longer than 3 s"))
    speaker = CachedSpeaker(here(tmp_path), [slow, Tone("second")], monotonic=lambda: now)
    await speaker.prepare(["One."])
    now = 59.0
    assert list(speaker.down) == ["first"]
    now = 60.0
    assert speaker.down == {}


async def test_given_an_engine_that_fails_again_after_its_rest_then_that_is_told_until_it_speaks(
    tmp_path: Path,
) -> None:
    now = 0.0
    broken = Tone("first", EngineDown("not installed"))
    speaker = CachedSpeaker(here(tmp_path), [broken, Tone("second")], monotonic=lambda: now)
    for line in ("One.", "Two."):
        await speaker.prepare([line])
        now += 100.0
    assert speaker.down == {"first": Down("not installed", times=2, ago=100.0, rests=0.0)}
    broken.fails = None
    await speaker.prepare(["Three."])
    assert speaker.down == {}


async def test_given_a_resting_engine_then_what_it_said_before_is_still_used(tmp_path: Path) -> None:
    engine = Tone()
    speaker = CachedSpeaker(here(tmp_path), [engine])
    uris = await speaker.prepare(["One."])
    engine.fails = EngineDown("broken")
    with pytest.raises(SpeechUnavailable):
        await speaker.prepare(["Two."])
    assert await speaker.prepare(["One."]) == uris


async def test_given_real_engines_of_which_the_first_is_not_installed_then_the_second_speaks(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    absent = EspeakEngine(program=str(tmp_path / "absent"))
    speaker = CachedSpeaker(here(tmp_path / "sounds"), [absent, hibari])
    (uri,) = await speaker.prepare(["Hello there, this is a test."])
    assert len(sound(tmp_path / "sounds", uri)) > RATE


async def test_given_a_name_in_a_script_hibari_cannot_read_then_espeak_says_it(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    speaker = CachedSpeaker(here(tmp_path), [hibari, EspeakEngine(time_limit=60)])
    uris = await speaker.prepare(["יוסי", "Hello."])
    await speaker.close()
    assert all(len(sound(tmp_path, uri)) > RATE / 4 for uri in uris)


async def test_given_no_engine_that_works_then_the_reason_names_each(tmp_path: Path) -> None:
    engines = [Tone("first", EngineDown("no voice")), Tone("second", EngineDown("too slow"))]
    with pytest.raises(SpeechUnavailable) as refused:
        await CachedSpeaker(here(tmp_path), engines).prepare(LINES)
    assert refused.value.reason == "first: no voice; second: too slow"
    assert isinstance(refused.value, speech.SpeechUnavailable)
    with pytest.raises(SpeechUnavailable, match="no speech engine is configured"):
        await CachedSpeaker(here(tmp_path), []).prepare(LINES)


async def test_given_a_disk_that_refuses_then_speech_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    (tmp_path / "prompts").write_text("in the way")
    speaker = CachedSpeaker(here(tmp_path), [Tone()])
    with pytest.raises(SpeechUnavailable, match="cannot write"):
        await speaker.prepare(["Hello."])
    with pytest.raises(SpeechUnavailable, match="cannot write"):
        await speaker.ensure_prompts()


async def test_given_an_empty_line_then_it_is_a_silence_that_can_be_played(tmp_path: Path) -> None:
    speaker = CachedSpeaker(here(tmp_path), [Tone()])
    await speaker.ensure_prompts()
    uris = await speaker.prepare(["", "💩", "Hello."])
    assert uris[0] == uris[1] == speaker.prompt("silence")
    assert set(sound(tmp_path, uris[0])) == {0xFF}
    assert len(sound(tmp_path, uris[2])) > 0.9 * RATE


async def test_given_one_line_nobody_can_say_then_the_others_are_said(tmp_path: Path) -> None:
    class Picky(Tone):
        async def say(self, text: str) -> bytes:
            if text == "Bad.":
                raise CannotSay("no sound")
            return await super().say(text)

    speaker = CachedSpeaker(here(tmp_path), [Picky()])
    uris = await speaker.prepare(["Bad.", "Good."])
    assert uris[0] == speaker.prompt("silence") != uris[1]
    assert (speaker.spoken("Bad."), speaker.spoken("Good.")) == (None, uris[1])
    with pytest.raises(SpeechUnavailable, match="no engine has a sound"):
        await speaker.prepare(["Bad.", ""])


async def test_given_a_first_start_then_every_prompt_is_made_by_the_engine(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    told: list[tuple[str, int, int]] = []
    speaker = CachedSpeaker(here(tmp_path), [hibari])
    await speaker.ensure_prompts(lambda name, done, total: told.append((name, done, total)))
    count = len(prompt_names())
    assert told == [(name, done, count) for done, name in enumerate(prompt_names(), start=1)]
    assert all(len(sound(tmp_path, speaker.prompt(name))) > RATE / 3 for name in prompt_texts())


async def test_given_the_texts_of_today_then_what_is_shipped_is_their_reading(
    tmp_path: Path, hibari: HibariEngine
) -> None:
    await record(hibari, tmp_path)  # who changes sentences/en.yaml runs this for the package too
    fresh, kept = sizes(tmp_path), sizes(FOLDER)
    assert kept == pytest.approx(fresh, rel=0.03)
    assert sum(kept.values()) < 700_000


async def test_given_a_second_start_then_no_prompt_is_written_again(tmp_path: Path) -> None:
    await CachedSpeaker(here(tmp_path), [Tone()]).ensure_prompts()
    before = files(tmp_path)
    await CachedSpeaker(here(tmp_path), [Tone()]).ensure_prompts()
    assert files(tmp_path) == before


async def test_given_other_keys_then_the_instructions_name_them(tmp_path: Path) -> None:
    engine = Tone()
    keys = {"accept": "5", "decline": "#", "repeat": "*", "ask": "9"}
    await CachedSpeaker(here(tmp_path), [engine], keys=keys).ensure_prompts()
    told = "Press 5 to accept, pound to decline, star to repeat, 4 for details, 9 to ask the lead something."
    assert told in engine.said


async def test_given_no_engine_then_the_shipped_prompts_are_there(tmp_path: Path) -> None:
    speaker = CachedSpeaker(here(tmp_path), [Tone(fails=EngineDown("broken"))])
    await speaker.ensure_prompts()
    assert sound(tmp_path, speaker.prompt("instructions")) == shipped(
        "instructions", prompt_texts()["instructions"]
    )
    assert all(sound(tmp_path, speaker.prompt(name)) for name in prompt_names())


@pytest.mark.parametrize("keys", [{"accept": "5", "decline": "2", "repeat": "3"}, None])
async def test_given_no_engine_and_other_keys_then_no_recording_names_the_wrong_ones(
    tmp_path: Path, keys: dict[str, str] | None
) -> None:
    speaker = CachedSpeaker(here(tmp_path), [], keys=keys)
    await speaker.ensure_prompts()
    assert sound(tmp_path, speaker.prompt("instructions")) == sound(tmp_path, speaker.prompt("beep"))


async def test_given_the_admins_own_recordings_then_they_win_until_they_are_taken_away(
    tmp_path: Path,
) -> None:
    own, sounds = tmp_path / "own", tmp_path / "sounds"
    own.mkdir()
    (own / "comfort.wav").write_bytes(b"RIFF their own")
    (own / "notes.txt").write_text("no prompt")
    speaker = CachedSpeaker(here(sounds), [], own_prompts=own)
    await speaker.ensure_prompts()
    assert speaker.prompt("comfort") == "sound:/as/asterisk/sees/it/replaced/comfort"
    assert speaker.prompt("comfort-2") == "sound:/as/asterisk/sees/it/prompts/comfort-2"
    (copy,) = (sounds / "replaced").iterdir()
    assert copy.read_bytes() == b"RIFF their own"
    assert copy.stat().st_mode & 0o777 == 0o644

    (own / "comfort.wav").rename(own / "comfort.gsm")
    await speaker.ensure_prompts()
    assert [path.name for path in (sounds / "replaced").iterdir()] == ["comfort.gsm"]

    await CachedSpeaker(here(sounds), []).ensure_prompts()
    assert speaker.prompt("comfort") == "sound:/as/asterisk/sees/it/prompts/comfort"


async def test_given_a_folder_of_own_recordings_that_is_not_there_then_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(SpeechUnavailable, match="absent"):
        await CachedSpeaker(here(tmp_path), [], own_prompts=tmp_path / "absent").ensure_prompts()


def test_given_a_prompt_there_is_not_then_those_there_are_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownPrompt, match=r"no prompt 'confort'; there are .*comfort") as refused:
        CachedSpeaker(here(tmp_path), []).prompt("confort")
    assert isinstance(refused.value, KeyError)
    assert "comfort" in refused.value.valid
