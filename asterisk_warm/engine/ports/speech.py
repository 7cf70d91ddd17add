"""What is said: text to sounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class SpeechUnavailable(Exception):
    """No speech engine could render the text; the message says why."""


class Speaker(Protocol):
    """Text to sounds. Languages are two letters, `es`; empty, or one without a voice: the first engine's."""

    async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
        """For each line its sound URI, rendered if not cached. Raises SpeechUnavailable."""

    def spoken(self, text: str, language: str = "") -> str | None:
        """The sound URI of a text that has been rendered; None when it has not. At once, without
        rendering."""

    def prompt(self, name: str, language: str = "") -> str:
        """The sound URI of a shipped prompt, in that language where there is one."""
