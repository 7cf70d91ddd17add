"""How far the prompts of a very first start are, which takes tens of seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

TOLD_SECONDS = 5.0
"""Between two lines of the log."""


class Rendering:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.words = ""
        """`rendering prompts, 12 of 81`; empty when none are waited for."""
        self._monotonic = monotonic
        self._told = monotonic()

    def begin(self) -> None:
        self.words = "rendering prompts"
        log.info("rendering prompts; no lead is taken before there is something to say")
        self._told = self._monotonic()

    def progress(self, _: str, done: int, total: int) -> None:
        """As `CachedSpeaker.ensure_prompts` tells it."""
        self.words = f"rendering prompts, {done} of {total}"
        if done == total or self._monotonic() - self._told >= TOLD_SECONDS:
            log.info("rendering prompts", done=done, total=total)
            self._told = self._monotonic()

    def end(self) -> None:
        self.words = ""
