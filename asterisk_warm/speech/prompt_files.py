"""The prompts as files, where Asterisk finds them: ours in each language, the admin's own in their place."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from asterisk_warm.speech import overrides, prompts
from asterisk_warm.speech.folder import SUFFIX, SoundFolder
from asterisk_warm.speech.lines import SpeechUnavailable, Unsayable
from asterisk_warm.speech.text import speakable
from asterisk_warm.speech.voices import ENGLISH, names_of

_log = logging.getLogger(__name__)

Say = Callable[[str, str], Awaitable[bytes]]
"""(speakable text, language) → µ-law. Raises SpeechUnavailable and Unsayable."""


class PromptFiles:
    """`prompts/` below `folder` has ours, `replaced/` copies of the admin's recordings in `own`; in both, a
    language other than English has a folder of its own."""

    def __init__(
        self, folder: SoundFolder, own: Path | None, keys: Mapping[str, str] | None, languages: Sequence[str]
    ) -> None:
        self._ours = folder.sub("prompts")
        self._replaced = folder.sub("replaced")
        self._own = own
        self._keys = keys
        known = [language for language in languages if ENGLISH not in names_of(language)]
        self._languages = tuple(dict.fromkeys(language for language in known if names_of(language)))

    def uri(self, name: str, language: str) -> str:
        """Of the admin's recording in that language, else ours, else the same in English. Raises
        UnknownPrompt."""
        if name not in prompts.prompt_names():
            raise prompts.UnknownPrompt(name, prompts.prompt_names())
        for own_language in names_of(language):
            for folder in (self._replaced, self._ours) if own_language in self._languages else ():
                if folder.sub(own_language).holds(name):
                    return folder.sub(own_language).uri(name)
        return (self._replaced if self._replaced.holds(name) else self._ours).uri(name)

    @property
    def complete(self) -> bool:
        """Whether every prompt has its file."""
        return all(self._replaced.holds(name) or self._ours.holds(name) for name in prompts.prompt_names())

    async def write(self, say: Say, told: Callable[[str, int, int], None] | None) -> None:
        """Bring them up to date. `told` hears (name, how many are done, of how many). Raises OSError."""
        names = prompts.prompt_names()
        await asyncio.to_thread(overrides.mirror, self._own, self._replaced, names, self._languages)
        texts = prompts.prompt_texts(self._keys)
        others = {one: ours for one in self._languages if (ours := prompts.language_of_prompts(one))}
        done, total = itertools.count(1), len(names) * (1 + len(others))
        for name in names:
            text = texts.get(name)
            sound = await self._english(say, name, text) if text else prompts.without_speech(name)
            await asyncio.to_thread(self._ours.keep, f"{name}{SUFFIX}", sound)
            if told:
                told(name, next(done), total)
        for language, ours in others.items():
            of_it = prompts.prompt_texts(self._keys, ours)
            for name in names:
                await self._write_in(language, name, of_it.get(name), say)
                if told:
                    told(name, next(done), total)

    async def _english(self, say: Say, name: str, text: str) -> bytes:
        try:
            return await say(speakable(text), "")
        except (SpeechUnavailable, Unsayable) as error:
            _log.warning("the prompt %s is the shipped recording: %s", name, error)
            return prompts.shipped(name, text)

    async def _write_in(self, language: str, name: str, text: str | None, say: Say) -> None:
        folder = self._ours.sub(language)
        path = folder.directory / f"{name}{SUFFIX}"
        try:
            if not text:
                raise Unsayable("its keys differ between the teams")
            sound = await say(speakable(text, language), language)
        except (SpeechUnavailable, Unsayable) as error:
            if text:
                _log.warning("the prompt %s is not in %s: %s", name, language, error)
            await asyncio.to_thread(path.unlink, missing_ok=True)  # It may name other keys.
            return
        await asyncio.to_thread(folder.keep, path.name, sound)
