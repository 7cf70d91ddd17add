"""The real engines, and each way in which they fail us."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from asterisk_warm.speech import hibari_engine
from asterisk_warm.speech.audio import RATE, telephone
from asterisk_warm.speech.engine import CannotSay, Engine, EngineDown
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.hibari_engine import HibariEngine
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


@pytest.mark.parametrize("engine", [HibariEngine(), EspeakEngine()], ids=["hibari", "espeak"])
async def test_given_a_briefing_then_each_engine_speaks_it(engine: Engine) -> None:
    speech = await engine.say(BRIEFING)
    sound = telephone(speech.samples, speech.rate)
    assert 3.5 < len(sound) / RATE < 8  # ten words, two sentences
    assert len(set(sound)) > 100
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
    ],
)
async def test_given_shell_syntax_then_espeak_says_it_and_runs_nothing(typed: str, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    engine = EspeakEngine()
    for text in (typed.format(trap), speakable(typed.format(trap))):
        assert np.any((await engine.say(text)).samples)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("voice", ["", "-w", "../../etc/passwd", "en us", "en;id"])
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
    with pytest.raises(CannotSay):
        await engine.say("hello")


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


async def test_given_the_same_text_twice_then_hibari_says_it_alike() -> None:
    engine = HibariEngine()
    first, second = await engine.say(BRIEFING), await engine.say(BRIEFING)
    assert first.samples.tobytes() == second.samples.tobytes()
    await engine.close()


async def test_given_many_lines_at_once_then_hibari_speaks_in_one_thread_and_close_ends_it() -> None:
    before = set(threading.enumerate())
    engine = HibariEngine()
    spoken = await asyncio.gather(*(engine.say(f"Line {number}.") for number in range(8)))
    assert all(np.any(speech.samples) for speech in spoken)
    (thread,) = (each for each in set(threading.enumerate()) - before if each.name.startswith("hibari"))
    await engine.close()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_given_a_line_over_its_time_then_hibari_is_down_and_the_next_line_works() -> None:
    engine = HibariEngine(time_limit=0.000_1)
    await engine.warm_up()
    with pytest.raises(EngineDown, match="took longer"):
        await engine.say(BRIEFING)
    engine._time_limit = 5.0
    assert np.any((await engine.say("Hello.")).samples)
    await engine.close()


@pytest.mark.parametrize("text", ["יוסי", "日本", "日本!", "1" * 500])
async def test_given_text_without_english_sound_then_hibari_cannot_say_it(text: str) -> None:
    engine = HibariEngine()
    with pytest.raises(CannotSay):
        await engine.say(text)
    await engine.close()


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
        await HibariEngine().say("Hello.")
