"""Lines of text → files, by the first engine that can, rendered once and kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.engine.ports import speech
from asterisk_warm.speech.cache import SpeechCache
from asterisk_warm.speech.engine import CannotSay, Engine, EngineDown
from asterisk_warm.speech.text import speakable
from asterisk_warm.speech.voices import Voices

REST = 60.0
"""Seconds a failed engine is left alone, so that not every line waits for its time limit again."""

RECENT = 4096
"""Texts whose file is remembered, so that asking for it again costs one look at the disk."""

_log = logging.getLogger(__name__)

_Said = tuple[str, str]
"""(language, text)."""


class SpeechUnavailable(speech.SpeechUnavailable):
    """No engine could speak, or the sound could not be written; `reason` says which and why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsayable(Exception):
    """Each engine that works has no sound for this one text."""


@dataclass(frozen=True, slots=True)
class Down:
    """What is told of an engine that failed."""

    why: str
    times: int
    """In a row."""
    ago: float
    """Seconds since the last time."""
    rests: float
    """Seconds until it may be tried again; 0: it is, with the next line that was not said before."""


@dataclass(frozen=True, slots=True)
class _Failed:
    why: str
    at: float
    """Of the monotonic clock."""
    times: int


class Lines:
    """Files in `cache`. `engines` are tried in order, after those that `voices` has for a language."""

    def __init__(
        self,
        cache: SpeechCache,
        engines: Sequence[Engine],
        voices: Voices | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._engines = tuple(engines)
        self._voices = voices
        self._monotonic = monotonic
        self._recent: dict[_Said, str] = {}  # text as written → its file, oldest first
        self._identities: dict[str, str] = {}  # engine → what its files in the cache are known by
        self._failed: dict[str, _Failed] = {}  # engine → how it failed when it was last asked to speak
        self._under_way: dict[_Said, asyncio.Task[str]] = {}  # text → the one rendering all wait for

    @property
    def down(self) -> Mapping[str, Down]:
        """The engines that rest, and those that have failed again after it, by name: one that was slow once
        may be well, and nobody knows before it is asked to speak again."""
        now = self._monotonic()
        told = {
            name: Down(failed.why, failed.times, now - failed.at, max(0.0, failed.at + REST - now))
            for name, failed in self._failed.items()
        }
        return {name: down for name, down in told.items() if down.rests or down.times > 1}

    def _speaking(self, language: str) -> tuple[Engine, ...]:
        own = self._voices.of(language) if self._voices is not None else ()
        return tuple(dict.fromkeys((*own, *self._engines)))

    async def warm_up(self, languages: Sequence[str]) -> None:
        """Load the first engine that works, of each language: no briefing is to wait for it, even if all
        prompts are cached. Each engine tells what it is, so that `known` finds what it said before a
        restart."""
        loaded: set[str] = set()
        for language in dict.fromkeys(("", *languages)):
            ready = False
            for engine in self._speaking(language):
                try:
                    self._identities[engine.name] = await engine.identity()
                    if not ready and engine.name not in loaded:
                        await engine.warm_up()
                        loaded.add(engine.name)
                    ready = True
                except EngineDown as error:
                    self._let_rest(engine, error)

    async def close(self) -> None:
        """Stop rendering and let go of the engines."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        others = self._voices.engines if self._voices is not None else ()
        for engine in dict.fromkeys((*self._engines, *others)):
            await engine.close()

    async def file(self, text: str, language: str) -> str:
        """That of speakable text. Whoever asks for it meanwhile waits for the same rendering. Raises
        SpeechUnavailable and Unsayable."""
        said = language, text
        task = self._under_way.get(said)
        if task is None:
            task = self._under_way[said] = asyncio.create_task(self._render(text, language))
            task.add_done_callback(lambda ended: self._forget(said, ended))
        return await asyncio.shield(task)  # one who stops waiting must not stop it for the others

    def known(self, line: str, language: str) -> str | None:
        """The file of a line, if an engine that works or worked has said it."""
        name = self._recent.get((language, line))
        if name is not None and self._cache.holds(name):
            return name
        text = speakable(line, language)
        if not text:
            return None
        known = (self._identities.get(engine.name) for engine in self._speaking(language))
        names = (SpeechCache.name(identity, text) for identity in known if identity)
        found = next((name for name in names if self._cache.holds(name)), None)
        if found is not None:
            self.remember(line, language, found)
        return found

    def remember(self, line: str, language: str, name: str) -> None:
        self._recent.pop((language, line), None)  # so that it is the youngest
        self._recent[language, line] = name
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def _forget(self, said: _Said, ended: asyncio.Task[str]) -> None:
        del self._under_way[said]
        if not ended.cancelled():
            ended.exception()  # looked at here, in case nobody waits any more

    async def _render(self, text: str, language: str) -> str:
        """By the first engine that has it in the cache or can say it."""
        down: list[str] = []
        silent: list[str] = []
        for engine in self._speaking(language):
            try:
                return await self._by(engine, text)
            except CannotSay as error:
                silent.append(f"{engine.name}: {error}")
            except EngineDown as error:
                down.append(f"{engine.name}: {error}")
            except OSError as error:
                raise SpeechUnavailable(f"cannot write the spoken line: {error}") from error
        if silent:
            raise Unsayable("; ".join(silent + down))
        raise SpeechUnavailable("; ".join(down) or "no speech engine is configured")

    async def _by(self, engine: Engine, text: str) -> str:
        """From the cache, even while the engine rests; else said by it now."""
        known = self._identities.get(engine.name)
        if known and self._cache.use(name := self._cache.name(known, text)):
            return name
        failed = self._failed.get(engine.name)
        if failed is not None and self._monotonic() < failed.at + REST:
            raise EngineDown(failed.why)
        try:
            identity = self._identities[engine.name] = await engine.identity()
            name = self._cache.name(identity, text)
            if identity != known and self._cache.use(name):
                return name
            sound = await engine.say(text)
        except EngineDown as error:
            self._let_rest(engine, error)
            raise
        self._failed.pop(engine.name, None)
        await asyncio.to_thread(self._cache.put, name, sound)
        return name

    def _let_rest(self, engine: Engine, error: EngineDown) -> None:
        _log.warning("speech engine %s rests for %g s: %s", engine.name, REST, error)
        now, before = self._monotonic(), self._failed.get(engine.name)
        # What was under way at the same time has failed once, together.
        times = 1 if before is None else before.times + (now >= before.at + REST)
        self._failed[engine.name] = _Failed(str(error), now, times)
