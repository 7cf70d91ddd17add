"""hibari-tts inside the daemon: a neural English voice, fast on one core, and nothing is sent away."""

from __future__ import annotations

import asyncio
import importlib
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any, TypeVar

from asterisk_warm.speech.engine import CannotSay, EngineDown, Speech
from asterisk_warm.speech.latin import in_latin

DISTRIBUTION = "hibari-tts"

Result = TypeVar("Result")


class HibariEngine:
    """One model, loaded by `warm_up` or the first line, in one thread that speaks one line at a time.

    `time_limit` (seconds) is for one line, without the wait for its turn; loading has `load_limit`. A voice
    must be on this machine: the daemon never downloads one.
    """

    name = "hibari"

    def __init__(self, voice: str = "heart", *, time_limit: float = 5.0, load_limit: float = 30.0) -> None:
        self._voice = voice
        self._time_limit = time_limit
        self._load_limit = load_limit
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hibari")
        self._turn = asyncio.Lock()
        self._model: Any = None

    async def identity(self) -> str:
        try:
            version = metadata.version(DISTRIBUTION)
        except metadata.PackageNotFoundError:
            raise EngineDown(f"the Python package {DISTRIBUTION} is not installed") from None
        return f"hibari {version} {self._voice}"

    async def warm_up(self) -> None:
        """Load the model now rather than during the first briefing. Raises EngineDown."""
        async with self._turn:
            await self._loaded()

    async def say(self, text: str) -> Speech:
        latin = in_latin(text)
        if not any(char.isalnum() for char in latin):
            raise CannotSay("no letter in it has a sound in English")
        async with self._turn:
            model = await self._loaded()
            return await self._in_thread(self._time_limit, _synthesise, model, latin)

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _loaded(self) -> Any:
        if self._model is None:
            await self.identity()  # says more plainly than an ImportError that the package is missing
            self._model = await self._in_thread(self._load_limit, _load, self._voice)
        return self._model

    async def _in_thread(self, limit: float, work: Callable[..., Result], *arguments: Any) -> Result:
        future = asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        try:
            return await asyncio.wait_for(future, limit)
        except TimeoutError:
            # A thread cannot be stopped: it ends in its own time, and the next line waits for it.
            raise EngineDown(f"took longer than {limit:g} s") from None


def _load(voice: str) -> Any:
    try:
        hibari = importlib.import_module("hibari")
        voices = importlib.import_module("hibari.voices")
        model = hibari.Hibari(voice=voice, model=voices.voice_path(voice, download_missing=False), threads=1)
        model("Warm up.")  # loads the lexicon: 0.4 s that no briefing should wait for
    except FileNotFoundError as error:
        raise EngineDown(f"the voice {voice!r} is not on this machine: expected at {error}") from error
    except Exception as error:  # a border: whatever keeps it from working, another engine is to speak
        raise EngineDown(f"{type(error).__name__}: {error}") from error
    return model


def _synthesise(model: Any, text: str) -> Speech:
    # The seed makes a text sound the same each time, so that a re-rendered file equals the one it replaces.
    try:
        samples = model(text, seed=zlib.crc32(text.encode()))
    except Exception as error:  # a border: its text rules fail on odd input (IndexError on "1" × 500)
        raise CannotSay(f"{type(error).__name__} in hibari") from error
    if not len(samples):
        raise CannotSay("it came back empty")
    return Speech(samples, int(model.sample_rate))
