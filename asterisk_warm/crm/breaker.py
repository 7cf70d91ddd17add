"""Who fails again and again is left alone for a while: asking costs leads their time."""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 5
"""In a row, until it is left alone."""
REST_SECONDS = 15.0


class Breaker:
    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._clock = clock
        self._failures = 0
        self._until = float("-inf")
        self._why = ""

    @property
    def why(self) -> str:
        """Why it is not to be asked now, in words; empty: it may be."""
        left = self._until - self._clock()
        if left <= 0:
            return ""
        return f"it is left alone for another {left:.0f} s, after it {self._why}"

    def failed(self, why: str) -> None:
        self._failures += 1
        self._why = why
        if self._failures >= FAILURES:
            # The first who asks after the rest tries it; it rests again at once should that fail.
            self._failures = FAILURES - 1
            self._until = self._clock() + REST_SECONDS

    def succeeded(self) -> None:
        self._failures = 0
        self._until = float("-inf")
