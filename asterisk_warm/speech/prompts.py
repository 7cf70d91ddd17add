"""The product's own sentences: their texts, and what stands in for them where no engine can speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from asterisk_warm.speech.folder import SUFFIX
from asterisk_warm.speech.voices import ENGLISH, names_of

KEYS: Mapping[str, str] = {"accept": "1", "decline": "2", "repeat": "3", "details": "4", "ask": "5"}
"""The keys the shipped instructions speak of; the configured ones may differ."""

LANGUAGES = (ENGLISH, "es")
"""There is a file `sentences/<language>.yaml` of each."""

BEEP, SILENCE, PAUSE, QUIET = "beep", "silence", "pause", "quiet"

QUIET_SECONDS = 16
_NOTHING = b"\xff"
"""A sample of µ-law silence, of which there are 8000 a second."""
_SILENT = {SILENCE: _NOTHING * 480, PAUSE: _NOTHING * 2400, QUIET: _NOTHING * (QUIET_SECONDS * 8000)}
_PACKAGE = "asterisk_warm.speech"


class UnknownPrompt(KeyError):
    """There is no prompt of that name; the message lists those there are."""

    def __init__(self, name: str, valid: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.valid = valid

    def __str__(self) -> str:
        return f"no prompt {self.name!r}; there are {', '.join(self.valid)}"


@dataclass(frozen=True, slots=True)
class _Sentences:
    keys: Mapping[str, str]
    """Words for keys that are no digits."""
    prompts: Mapping[str, str]


@cache
def _sentences(language: str) -> _Sentences:
    file = resources.files(_PACKAGE).joinpath("sentences", f"{language}.yaml")
    data: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    return _Sentences(data["keys"], data["prompts"])


def language_of_prompts(language: str) -> str | None:
    """That of ours in which prompts are spoken to whom speaks `language`; None: there are none."""
    return next((name for name in names_of(language) if name in LANGUAGES), None)


@cache
def prompt_names() -> tuple[str, ...]:
    """The prompts there are files for."""
    return (*_sentences(ENGLISH).prompts, BEEP, SILENCE, PAUSE, QUIET)


def prompt_texts(keys: Mapping[str, str] | None = KEYS, language: str = ENGLISH) -> dict[str, str]:
    """Name → text of each spoken prompt, keys filled in; for None (they differ) none that has keys.
    `language` is one of `LANGUAGES`."""
    sentences = _sentences(language)
    if keys is None:
        return {name: text for name, text in sentences.prompts.items() if "{" not in text}
    words = {action: sentences.keys.get(key, key) for action, key in {**KEYS, **keys}.items()}
    return {name: text.format(**words) for name, text in sentences.prompts.items()}


def without_speech(name: str) -> bytes:
    """The µ-law of a prompt that no text is there for: a silence, or a beep."""
    return _SILENT.get(name) or _recorded(BEEP)


def shipped(name: str, text: str) -> bytes:
    """The prompt as recorded with the package, µ-law, in English, for a machine on which no engine works.

    If `text` is not what was recorded (other keys), a beep: a wrong instruction is worse than none.
    """
    if prompt_texts()[name] != text:
        return without_speech(BEEP)
    return _recorded(name)


def _recorded(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath("shipped", f"{name}{SUFFIX}").read_bytes()
