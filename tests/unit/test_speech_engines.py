"""The real engines, and each way in which they fail us."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from asterisk_warm.speech import hibari_engine
from asterisk_warm.speech.audio import RATE
from asterisk_warm.speech.engine import CannotSay, Engine, EngineDown
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.frames import Frame, Kind
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.renderer import Renderer
from asterisk_warm.speech.text import speakable

BRIEFING = "Grant Weatherly, home insurance. Ready to switch, renews in three weeks."


def program(folder: Path, script: str) -> str:
    """A program in espeak-ng's place."""
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def listing(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def runs(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def audible(sound: bytes) -> bool:
    return len(set(sound)) > 50


@pytest.fixture
async def hibari() -> AsyncIterator[HibariEngine]:
    engine = HibariEngine(time_limit=60)
    yield engine
    await engine.close()


@pytest.fixture
async def finisher() -> AsyncIterator[Renderer]:
    renderer = Renderer(Frame(Kind.LOAD))
    yield renderer
    await renderer.close()


@pytest.mark.parametrize("kind", [HibariEngine, EspeakEngine])
async def test_given_a_briefing_then_each_engine_speaks_it(kind: Callable[[], Engine]) -> None:
    engine = kind()
    await engine.warm_up()
    sound = await engine.say(BRIEFING)
    assert 3.5 < len(sound) / RATE < 8  # ten words, two sentences
    assert audible(sound)
    assert engine.name in await engine.identity()
    await engine.close()


@pytest.mark.parametrize(
    "typed",
    [
        "$(touch {0})",
        "`touch {0}`",
        "; touch {0} ;",
        "-w {0}",
        "--phonout={0}",
        "| tee {0}",
        "a\n-w {0}\n",
        "${{SHELL(touch {0})}} a",
        "<speak><audio src='file://{0}'/><mark name='{0}'/>a</speak>",
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x; a</a>',
        "[[touch {0}]] a",
    ],
)
@pytest.mark.parametrize("voice", ["", "es"])
async def test_given_shell_syntax_then_espeak_says_it_and_runs_nothing(
    typed: str, voice: str, tmp_path: Path, finisher: Renderer
) -> None:
    trap, espeak = tmp_path / "trap", EspeakEngine(voice, time_limit=60, finisher=finisher)
    for text in (typed.format(trap), speakable(typed.format(trap), voice)):
        assert audible(await espeak.say(text))
    assert listing(tmp_path) == []


async def test_given_markup_for_speech_then_espeak_does_not_obey_it(finisher: Renderer) -> None:
    espeak = EspeakEngine("es", time_limit=60, finisher=finisher)
    plain, pause = "Hola, Bob.", "<speak>Hola, <break time='9s'/>Bob.</speak>"
    assert len(await espeak.say(pause)) < 9 * RATE  # read aloud, if it were not taken out before
    assert await espeak.say(speakable(pause, "es")) == await espeak.say(speakable(plain, "es"))


@pytest.mark.parametrize("voice", ["-w", "../../etc/passwd", "en us", "en;id", "es\n", "$(id)"])
def test_given_a_voice_that_is_no_name_then_espeak_refuses_it(voice: str) -> None:
    with pytest.raises(ValueError, match="voice"):
        EspeakEngine(voice)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exec sleep 60", "took longer than 0.3 s"),
        ("echo broken >&2; exit 3", "status 3: broken"),
        ("exit 3", "status 3: no message"),
        ("echo hello", "did not return a WAV"),
        ("printf RIFF; head -c 100 /dev/zero", "a WAV of 0 samples a second"),
    ],
)
async def test_given_a_broken_espeak_then_it_is_down_and_says_why(
    script: str, why: str, tmp_path: Path
) -> None:
    engine = EspeakEngine(program=program(tmp_path, script), time_limit=0.3)
    with pytest.raises(EngineDown, match=why):
        await engine.say("hello")


async def test_given_no_espeak_then_it_is_down(tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="cannot run"):
        await EspeakEngine(program=str(tmp_path / "absent")).warm_up()


async def test_given_a_voice_espeak_does_not_have_then_it_is_down() -> None:
    with pytest.raises(EngineDown, match="status 1"):
        await EspeakEngine("klingon-tng").say("hello")


async def test_given_a_silent_espeak_then_it_cannot_say_it(tmp_path: Path) -> None:
    header = r"printf 'RIFF\044\360\377\177WAVEfmt \020\000\000\000\001\000\001\000\042\126\000\000'"
    rest = r"printf '\104\254\000\000\002\000\020\000data\000\360\377\177\000\000\000\000\000'"
    engine = EspeakEngine(program=program(tmp_path, f"cat >/dev/null; {header}; {rest}"))
    with pytest.raises(CannotSay, match="silent"):
        await engine.say("hello")
    await engine.close()


async def test_given_a_cancelled_line_then_espeak_is_not_left_running(tmp_path: Path) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    engine = EspeakEngine(program=program(tmp_path, f"echo $$ >{pipe}; exec sleep 60"))
    task = asyncio.create_task(engine.say("hello"))
    pid = (await asyncio.to_thread(pipe.read_text)).strip()
    assert runs(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not runs(pid)


async def test_given_the_same_text_twice_then_hibari_says_it_alike(hibari: HibariEngine) -> None:
    assert await hibari.say(BRIEFING) == await hibari.say(BRIEFING)


async def test_given_a_line_over_its_time_then_hibari_is_down_and_the_next_line_works(
    hibari: HibariEngine,
) -> None:
    await hibari.warm_up()
    hibari._time_limit = 0.000_1
    with pytest.raises(EngineDown, match="took longer"):
        await hibari.say(BRIEFING)
    hibari._time_limit = 60
    assert audible(await hibari.say("Hello."))


@pytest.mark.parametrize("text", ["יוסי", "日本", "日本!", "1" * 500])
async def test_given_text_without_english_sound_then_hibari_cannot_say_it(
    text: str, hibari: HibariEngine
) -> None:
    with pytest.raises(CannotSay):
        await hibari.say(text)


async def test_given_a_voice_that_is_not_here_then_hibari_is_down_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    with pytest.raises(EngineDown, match="not on this machine"):
        await HibariEngine("emma").warm_up()
    assert listing(tmp_path) == []


async def test_given_a_damaged_voice_file_then_hibari_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    import hibari.voices

    (tmp_path / hibari.voices.VOICES["emma"]["file"]).write_bytes(b"not a model")
    with pytest.raises(EngineDown):
        await HibariEngine("emma").warm_up()


async def test_given_an_unknown_voice_then_hibari_names_those_there_are() -> None:
    with pytest.raises(EngineDown, match="heart"):
        await HibariEngine("nobody").warm_up()


async def test_given_no_hibari_package_then_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hibari_engine, "DISTRIBUTION", "hibari-tts-that-is-not-installed")
    with pytest.raises(EngineDown, match="not installed"):
        await HibariEngine().warm_up()
