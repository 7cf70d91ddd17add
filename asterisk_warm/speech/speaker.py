"""The adapter: lines of text → sound URIs, by the first engine that can, rendered once and kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from asterisk_warm.engine.housekeeping import regularly
from asterisk_warm.speech import prompts
from asterisk_warm.speech.cache import DAY, SpeechCache
from asterisk_warm.speech.engine import Engine
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.lines import Down, Lines, SpeechUnavailable, Unsayable
from asterisk_warm.speech.prompt_files import PromptFiles
from asterisk_warm.speech.text import speakable
from asterisk_warm.speech.voices import Voices

_log = logging.getLogger(__name__)


class CachedSpeaker:
    """The engine's `Speaker` port.

    Below `folder`: `cache/` for lines, `prompts/` for ours, `replaced/` for copies of the admin's recordings
    in `own_prompts`, which take the place of ours. `engines` are tried in order, after those that `voices`
    has for a language. `keys` are the digits that the prompt "instructions" names; None if teams differ in
    them. `languages` are those in which there are to be prompts, beside English.
    """

    def __init__(
        self,
        folder: SoundFolder,
        engines: Sequence[Engine],
        *,
        voices: Voices | None = None,
        languages: Sequence[str] = (),
        keys: Mapping[str, str] | None = prompts.KEYS,
        own_prompts: Path | None = None,
        cache: SpeechCache | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache or SpeechCache(folder.sub("cache"))
        self._lines = Lines(self._cache, engines, voices, monotonic)
        self._languages = tuple(languages)
        self._prompts = PromptFiles(folder, own_prompts, keys, languages)
        self._pruning: asyncio.Task[None] | None = None

    async def prepare(self, lines: Sequence[str], language: str = "") -> tuple[str, ...]:
        """The sound URI of each line's spoken form, rendered if it was not yet. Each URI can be played.

        In the order given, one line at a time: whoever asks meanwhile for other lines waits for one of these,
        not for all. A line with nothing to say, or that no working engine has a sound for, is a short
        silence. Raises SpeechUnavailable if no engine works, if nothing at all could be said, or if the disk
        refuses; the lines before that are ready then.
        """
        uris = [await self._uri(line, language) for line in lines]
        if not any(uris) and any(speakable(line, language) for line in lines):
            raise SpeechUnavailable("no engine has a sound for this text")
        return tuple(uri or self.prompt(prompts.SILENCE) for uri in uris)

    def spoken(self, text: str, language: str = "") -> str | None:
        """The sound URI of a text that has been rendered, by this daemon or an earlier one; None if it has
        not, or has nothing to say. At once: it looks at the disk and renders nothing."""
        name = self._lines.known(text, language)
        return None if name is None else self._cache.uri(name)

    def prompt(self, name: str, language: str = "") -> str:
        """The sound URI of a prompt, the admin's own recording first; in English, where there is none in that
        language. Raises UnknownPrompt (a KeyError)."""
        return self._prompts.uri(name, language)

    @property
    def down(self) -> Mapping[str, Down]:
        """The engines that rest after a failure, or fail time and again, by name; others speak instead, or
        recorded prompts serve."""
        return self._lines.down

    def has_prompts(self) -> bool:
        """Whether every prompt has its file, from an earlier start."""
        return self._prompts.complete

    async def ensure_prompts(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """For start-up: load the engines and make every prompt's file, spoken now or else as shipped; from
        then on, once a day, remove the lines nobody needs.

        `progress` is told (name, how many are done, of how many). SpeechUnavailable if the disk refuses.
        """
        await self._lines.warm_up(self._languages)
        try:
            await self._prompts.write(self._say, progress)
        except OSError as error:
            raise SpeechUnavailable(f"cannot write the prompts: {error}") from error
        self._pruning = self._pruning or asyncio.create_task(
            regularly(self._prune, DAY, "old spoken lines are not removed", OSError)
        )

    async def close(self) -> None:
        """Stop rendering and let go of the engines."""
        if self._pruning:
            self._pruning.cancel()
            await asyncio.gather(self._pruning, return_exceptions=True)
        await self._lines.close()

    async def _prune(self) -> None:
        await asyncio.to_thread(self._cache.prune)

    async def _say(self, text: str, language: str) -> bytes:
        return self._cache.read(await self._lines.file(text, language))

    async def _uri(self, line: str, language: str) -> str | None:
        text = speakable(line, language)
        if not text:
            return None
        try:
            name = await self._lines.file(text, language)
        except Unsayable as error:
            _log.warning("a line is left out: %s", error)  # never the text: it is about a person
            return None
        self._lines.remember(line, language, name)
        return self._cache.uri(name)
