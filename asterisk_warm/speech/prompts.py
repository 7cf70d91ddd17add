"""The product's own sentences: their texts, and what stands in for them where no engine can speak."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from asterisk_warm.speech.folder import SUFFIX

KEYS: Mapping[str, str] = {"accept": "1", "decline": "2", "repeat": "3"}
"""The keys the shipped instructions speak of; the configured ones may differ."""

BEEP, SILENCE = "beep", "silence"

_QUIET = b"\xff" * 480  # 60 ms of µ-law silence
_KEY_WORDS = {"*": "star", "#": "pound"}
_PACKAGE = "asterisk_warm.speech"


class UnknownPrompt(KeyError):
    """There is no prompt of that name; the message lists those there are."""

    def __init__(self, name: str, valid: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.valid = valid

    def __str__(self) -> str:
        return f"no prompt {self.name!r}; there are {', '.join(self.valid)}"


@cache
def _templates() -> Mapping[str, str]:
    data: Any = yaml.safe_load(resources.files(_PACKAGE).joinpath("prompts.yaml").read_text(encoding="utf-8"))
    return {str(name): str(text) for name, text in data.items()}


def prompt_names() -> tuple[str, ...]:
    """The prompts there are files for."""
    return (*_templates(), BEEP, SILENCE)


def prompt_texts(keys: Mapping[str, str] | None = KEYS) -> dict[str, str]:
    """Name → text of each spoken prompt, keys filled in; for None (they differ) none that has keys."""
    if keys is None:
        return {name: text for name, text in _templates().items() if "{" not in text}
    words = {action: _KEY_WORDS.get(key, key) for action, key in keys.items()}
    return {name: text.format(**words) for name, text in _templates().items()}


def without_speech(name: str) -> bytes:
    """The µ-law of a prompt that no text is there for: a short silence, or a beep."""
    return _QUIET if name == SILENCE else _recorded(BEEP)


def shipped(name: str, text: str) -> bytes:
    """The prompt as recorded with the package, µ-law, for a machine on which no engine works.

    If `text` is not what was recorded (other keys), a beep: a wrong instruction is worse than none.
    """
    if prompt_texts()[name] != text:
        return without_speech(BEEP)
    return _recorded(name)


def _recorded(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath("shipped", f"{name}{SUFFIX}").read_bytes()
