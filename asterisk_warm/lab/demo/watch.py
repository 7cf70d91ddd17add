"""Follows the newest handoff through the daemon's API while a scene plays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.story import Chapter
from asterisk_warm.lab.daemon import Daemon, DaemonFailed
from asterisk_warm.lab.demo.lanes import Prelude, chapters

_EVERY = 0.1


class Watch:
    """As an async context manager, entered before the lead calls: the next handoff is the one it follows.

    `on_look` is called after each look, whether there was something new or not.
    """

    def __init__(self, daemon: Daemon, on_look: Callable[[Watch], None]) -> None:
        self.id = ""
        self.journal: list[dict[str, Any]] = []
        self.chapters: list[Chapter] = []
        self.prelude: Prelude | None = None
        """The call before it was handed off; the scene tells it."""
        self._daemon = daemon
        self._on_look = on_look
        self._before: set[str] = set()
        self._looked = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._before = {handoff["id"] for handoff in await asyncio.to_thread(self._daemon.handoffs)}
        self._looking = asyncio.create_task(self._look_on(), name="watch the handoff")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def until(self, what: Callable[[Handoff], bool], seconds: float = 15.0) -> Handoff:
        """The handoff as soon as it is so. Raises DaemonFailed when that takes longer, or when looking
        failed."""
        deadline = time.monotonic() + seconds
        while not (self.chapters and what(self.chapters[-1].after)):
            if self._looking is not None and self._looking.done():
                self._looking.result()
            if time.monotonic() > deadline:
                raise DaemonFailed(f"the handoff did not get on within {seconds:g} s: {self._state()}")
            await self._looked.wait()
        return self.chapters[-1].after

    def _state(self) -> str:
        return f"it is {self.chapters[-1].after.state}" if self.chapters else "there is none"

    async def _look_on(self) -> None:
        try:
            while True:
                await asyncio.to_thread(self._look)
                self._tell()
                self._on_look(self)
                await asyncio.sleep(_EVERY)
        finally:
            self._tell()

    def _look(self) -> None:
        if not self.id:
            new = [handoff["id"] for handoff in self._daemon.handoffs() if handoff["id"] not in self._before]
            if not new:
                return
            self.id = new[0]
        journal = self._daemon.journal(self.id)
        if len(journal) > len(self.journal):
            self.journal, self.chapters = journal, chapters(journal)

    def _tell(self) -> None:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()
