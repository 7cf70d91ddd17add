"""The adapter: lines of text → sound URIs, by the first engine that can, rendered once and kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asterisk_warm.engine import ports
from asterisk_warm.speech import overrides, prompts
from asterisk_warm.speech.cache import DAY, SpeechCache
from asterisk_warm.speech.engine import CannotSay, Engine, EngineDown
from asterisk_warm.speech.folder import SUFFIX, SoundFolder
from asterisk_warm.speech.text import speakable

REST = 60.0
"""Seconds a failed engine is left alone, so that not every line waits for its time limit again."""

RECENT = 4096
"""Texts whose file is remembered, so that asking for it again costs one look at the disk."""

_log = logging.getLogger(__name__)


class SpeechUnavailable(ports.SpeechUnavailable):
    """No engine could speak, or the sound could not be written; `reason` says which and why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Unsayable(Exception):
    """Each engine that works has no sound for this one text."""


class CachedSpeaker:
    """The engine's `Speaker` port.

    Below `folder`: `cache/` for lines, `prompts/` for ours, `replaced/` for copies of the admin's recordings
    in `own_prompts`, which take the place of ours. `engines` are tried in order. `keys` are the digits that
    the prompt "instructions" names; None if teams differ in them.
    """

    def __init__(
        self,
        folder: SoundFolder,
        engines: Sequence[Engine],
        *,
        keys: Mapping[str, str] | None = prompts.KEYS,
        own_prompts: Path | None = None,
        cache: SpeechCache | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engines = tuple(engines)
        self._keys = keys
        self._own_prompts = own_prompts
        self._prompts = folder.sub("prompts")
        self._replaced = folder.sub("replaced")
        self._cache = cache or SpeechCache(folder.sub("cache"))
        self._monotonic = monotonic
        self._recent: dict[str, str] = {}  # text as written → its file, oldest first
        self._identities: dict[str, str] = {}  # engine → what its files in the cache are known by
        self._resting: dict[str, tuple[float, str]] = {}  # engine → (until, why)
        self._under_way: dict[str, asyncio.Task[str]] = {}  # text → the one rendering all wait for
        self._pruning: asyncio.Task[None] | None = None

    async def prepare(self, lines: Sequence[str]) -> tuple[str, ...]:
        """The sound URI of each line's spoken form, rendered if it was not yet. Each URI can be played.

        In the order given, one line at a time: whoever asks meanwhile for other lines waits for one of these,
        not for all. A line with nothing to say, or that no working engine has a sound for, is a short
        silence. Raises SpeechUnavailable if no engine works, if nothing at all could be said, or if the disk
        refuses; the lines before that are ready then.
        """
        uris = [await self._uri(line) for line in lines]
        if not any(uris) and any(speakable(line) for line in lines):
            raise SpeechUnavailable("no engine has a sound for this text")
        return tuple(uri or self.prompt(prompts.SILENCE) for uri in uris)

    def spoken(self, text: str) -> str | None:
        """The sound URI of a text that has been rendered, by this daemon or an earlier one; None if it has
        not, or has nothing to say. At once: it looks at the disk and renders nothing."""
        name = self._recent.get(text)
        if name is None or not self._cache.holds(name):
            name = self._kept(speakable(text))
            if name is None:
                return None
            self._remember(text, name)
        return self._cache.uri(name)

    def prompt(self, name: str) -> str:
        """The sound URI of a prompt, the admin's own recording first. Raises UnknownPrompt (a KeyError)."""
        if name not in prompts.prompt_names():
            raise prompts.UnknownPrompt(name, prompts.prompt_names())
        folder = self._replaced if self._replaced.holds(name) else self._prompts
        return folder.uri(name)

    def has_prompts(self) -> bool:
        """Whether every prompt has its file, from an earlier start."""
        return all(self._replaced.holds(name) or self._prompts.holds(name) for name in prompts.prompt_names())

    async def ensure_prompts(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """For start-up: load the engine and make every prompt's file, spoken now or else as shipped; from
        then on, once a day, remove the lines nobody needs.

        `progress` is told (name, how many are done, of how many). SpeechUnavailable if the disk refuses.
        """
        await self._warm_up()
        names, texts = prompts.prompt_names(), prompts.prompt_texts(self._keys)
        try:
            await asyncio.to_thread(overrides.mirror, self._own_prompts, self._replaced, names)
            for done, name in enumerate(names, start=1):
                text = texts.get(name)
                sound = await self._prompt_sound(name, text) if text else prompts.without_speech(name)
                await asyncio.to_thread(self._prompts.keep, f"{name}{SUFFIX}", sound)
                if progress:
                    progress(name, done, len(names))
        except OSError as error:
            raise SpeechUnavailable(f"cannot write the prompts: {error}") from error
        self._pruning = self._pruning or asyncio.create_task(self._prune_daily())

    async def close(self) -> None:
        """Stop rendering and let go of the engines."""
        under_way: list[asyncio.Task[Any]] = list(self._under_way.values())
        if self._pruning:
            under_way.append(self._pruning)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for engine in self._engines:
            await engine.close()

    async def _warm_up(self) -> None:
        """Load the first engine that works: no briefing is to wait for it, even if all prompts are cached.

        Each engine tells what it is, so that `spoken` finds what it said before a restart.
        """
        loaded = False
        for engine in self._engines:
            try:
                self._identities[engine.name] = await engine.identity()
                if not loaded:
                    await engine.warm_up()
                    loaded = True
            except EngineDown as error:
                self._let_rest(engine, error)

    async def _prune_daily(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._cache.prune)
            except OSError as error:
                _log.warning("old spoken lines are not removed: %s", error)
            await asyncio.sleep(DAY)

    async def _prompt_sound(self, name: str, text: str) -> bytes:
        """A prompt's sound."""
        try:
            return self._cache.read(await self._file(text))
        except (SpeechUnavailable, _Unsayable) as error:
            _log.warning("the prompt %s is the shipped recording: %s", name, error)
            return prompts.shipped(name, text)

    async def _uri(self, line: str) -> str | None:
        text = speakable(line)
        if not text:
            return None
        try:
            name = await self._file(text)
        except _Unsayable as error:
            _log.warning("a line is left out: %s", error)  # never the text: it is about a person
            return None
        self._remember(line, name)
        return self._cache.uri(name)

    def _kept(self, text: str) -> str | None:
        """The cache's name of `text`, if an engine that works or worked has said it."""
        if not text:
            return None
        known = (self._identities.get(engine.name) for engine in self._engines)
        names = (SpeechCache.name(identity, text) for identity in known if identity)
        return next((name for name in names if self._cache.holds(name)), None)

    def _remember(self, line: str, name: str) -> None:
        self._recent.pop(line, None)  # so that it is the youngest
        self._recent[line] = name
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    async def _file(self, text: str) -> str:
        """The cache's name of the spoken text. Whoever asks for it meanwhile waits for the same rendering."""
        task = self._under_way.get(text)
        if task is None:
            task = self._under_way[text] = asyncio.create_task(self._render(text))
            task.add_done_callback(lambda ended: self._forget(text, ended))
        return await asyncio.shield(task)  # one who stops waiting must not stop it for the others

    def _forget(self, text: str, ended: asyncio.Task[str]) -> None:
        del self._under_way[text]
        if not ended.cancelled():
            ended.exception()  # looked at here, in case nobody waits any more

    async def _render(self, text: str) -> str:
        """By the first engine that has it in the cache or can say it."""
        down: list[str] = []
        silent: list[str] = []
        for engine in self._engines:
            try:
                return await self._by(engine, text)
            except CannotSay as error:
                silent.append(f"{engine.name}: {error}")
            except EngineDown as error:
                down.append(f"{engine.name}: {error}")
            except OSError as error:
                raise SpeechUnavailable(f"cannot write the spoken line: {error}") from error
        if silent:
            raise _Unsayable("; ".join(silent + down))
        raise SpeechUnavailable("; ".join(down) or "no speech engine is configured")

    async def _by(self, engine: Engine, text: str) -> str:
        """From the cache, even while the engine rests; else said by it now."""
        known = self._identities.get(engine.name)
        if known and self._cache.use(name := self._cache.name(known, text)):
            return name
        until, why = self._resting.get(engine.name, (float("-inf"), ""))
        if self._monotonic() < until:
            raise EngineDown(why)
        try:
            identity = self._identities[engine.name] = await engine.identity()
            name = self._cache.name(identity, text)
            if identity != known and self._cache.use(name):
                return name
            sound = await engine.say(text)
        except EngineDown as error:
            self._let_rest(engine, error)
            raise
        await asyncio.to_thread(self._cache.put, name, sound)
        return name

    def _let_rest(self, engine: Engine, error: EngineDown) -> None:
        _log.warning("speech engine %s rests for %g s: %s", engine.name, REST, error)
        self._resting[engine.name] = (self._monotonic() + REST, str(error))
