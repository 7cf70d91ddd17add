"""What a speech engine is to us, and the two ways in which it can let us down."""

from __future__ import annotations

from typing import Protocol


class EngineDown(Exception):
    """The engine cannot work now: not installed, voice missing, too slow, crashed. Ask again later."""


class CannotSay(Exception):
    """The engine works but has no sound for this text; another engine may."""


class Engine(Protocol):
    """Turns one line of `speakable` text into sound."""

    @property
    def name(self) -> str:
        """As written in the configuration, with its voice: for messages, and to tell engines apart."""

    async def identity(self) -> str:
        """Engine, version and voice: two engines of one identity say a text alike. Raises EngineDown."""

    async def warm_up(self) -> None:
        """Do now what the first line would otherwise wait for. Raises EngineDown."""

    async def say(self, text: str) -> bytes:
        """The spoken text as µ-law at 8 kHz, never empty. Raises EngineDown or CannotSay."""

    async def close(self) -> None:
        """Let go of processes and memory."""
