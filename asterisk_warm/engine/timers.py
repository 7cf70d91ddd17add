"""Deadlines as data: the core names one per handoff, this arms it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Timer:
    """One deadline, re-armed at every decision. Wall-clock seconds in; fires on the loop, never early."""

    def __init__(self, fire: Callable[[], None]) -> None:
        self._fire = fire
        self._handle: asyncio.TimerHandle | None = None
        self._due: float | None = None

    def arm(self, due: float | None) -> None:
        """Set, move or (None) disarm it."""
        if due == self._due and self._handle is not None:
            return
        self.disarm()
        self._due = due
        if due is not None:
            delay = max(0.0, due - time.time())
            self._handle = asyncio.get_running_loop().call_later(delay, self._expired)

    def disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._due = None, None

    def _expired(self) -> None:
        due, self._handle = self._due, None
        if due is not None and time.time() < due:
            # The loop's clock and the wall clock differ by a little: wait for the rest.
            self._due = None
            self.arm(due)
            return
        self._due = None
        self._fire()
