"""Hostile texts into a real speech engine: what is said is sensible or nothing, and no text is anything but text to it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_texts import HALF, TEXTS

from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.speaker import CachedSpeaker
from asterisk_warm.speech.text import SPOKEN_LIMIT, speakable

SAID = {
    "double quotes": "Ana the Fox",
    "a shell command": "",
    "an expression": "",
    "a header of the manager": "Ana Action: Originate Channel: PJSIP/ben",
    "a lone carriage return": "Ana X-Evil: 1",
    "a zero": "Ana Fox",
    "options": "a and b c;d e",
    "a script": "alert(1)",
    "right to left": "مرحبا gnp.exe",
    "emoji": "Ana",
    "speech markup": "Ana æ",
    "full-width": "",
    "no letters": "",
    "what is no character": "",
}
"""What is left to be said of some."""
FLOODS = {
    "marks in two orders": "a" + "\u0301" * 5000 + "\u0323" * 5000,
    "what becomes longer": "\ufdfa" * 60_000,
    "tags": "<a" * 30_000,
    "brackets": "[](" * 20_000,
    "expressions": "${" * 30_000,
    "dots": ". " * 30_000,
}


@dataclass
class Spoken:
    speaker: CachedSpeaker
    arguments: Path
    """What the engine was started with, an argument a line."""
    heard: Path
    """What it read."""
    work: Path


@pytest.fixture
async def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Spoken]:
    arguments, heard, program = tmp_path / "arguments", tmp_path / "heard", tmp_path / "espeak"
    tee = f'if [ "$1" = --version ]; then exec espeak-ng "$@"; fi; tee -a {heard} | espeak-ng "$@"'
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {arguments}\n{tee}\n')
    program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    engine = EspeakEngine(program=str(program), time_limit=60.0)
    speaker = CachedSpeaker(SoundFolder(tmp_path / "sounds", str(tmp_path / "sounds")), [engine])
    yield Spoken(speaker, arguments, heard, work)
    await speaker.close()


async def test_given_hostile_texts_when_spoken_then_none_is_an_argument_and_none_acts(spoken: Spoken) -> None:
    lines = [text[:3000] for text in (*TEXTS.values(), HALF, "../../../../tmp/warm-made", "--stdout", "-f x")]
    sounds = await spoken.speaker.prepare(lines)
    assert len(sounds) == len(lines) and all(sound.startswith("sound:") for sound in sounds)
    allowed = {"-v", "en-us", "-b", "1", "-z", "--stdin", "--stdout", "--version"}
    assert set(spoken.arguments.read_text().splitlines()) <= allowed
    assert made(spoken.work) == []
    read = spoken.heard.read_text()
    assert not set(read) & set('<>{}[]`"\\|&\r\n\0\x1b\u202e') and "Ana the Fox" in read
    for sound in sounds:
        place = sound.removeprefix(f"sound:{spoken.work.parent}/sounds/")
        assert re.fullmatch("cache/[0-9a-f]{2}/[0-9a-f]{64}|prompts/silence", place), sound


def made(work: Path) -> list[Path]:
    """Files that a text has made."""
    return [*work.iterdir(), *(path for path in [Path("/tmp/warm-made")] if path.exists())]


@pytest.mark.parametrize("kind", SAID)
def test_given_a_hostile_text_then_what_is_said_of_it_makes_sense(kind: str) -> None:
    assert speakable(TEXTS[kind]) == SAID[kind]


@pytest.mark.parametrize("text", [*TEXTS.values(), HALF, *FLOODS.values()], ids=[*TEXTS, "half", *FLOODS])
def test_given_any_hostile_text_then_it_is_said_in_one_short_line_or_not_at_all(text: str) -> None:
    said = speakable(text)
    assert len(said) <= SPOKEN_LIMIT and said.isprintable()
    assert not set(said) & set('<>{}[]`"\\|&') and "${" not in said
    assert said == "" or any(char.isalnum() for char in said)
    assert sum(map(str.isdigit, said)) <= 120, "more than forty seconds"
    said.encode()


def test_given_floods_then_they_are_read_in_no_time() -> None:
    began = time.process_time()
    for text in FLOODS.values():
        speakable.__wrapped__(text)
    # It was 0.3 s for a single one; half of that is ten times what all take now.
    assert time.process_time() - began < 0.5
