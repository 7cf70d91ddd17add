"""Answers that are kept for a while: of whom something is known, and of whom nothing is."""

from __future__ import annotations

from collections.abc import Callable

from asterisk_warm.engine.leads.ports import LookedUp

AT_MOST = 10_000


class Answers:
    def __init__(self, seconds: float, clock: Callable[[], float], at_most: int = AT_MOST) -> None:
        """Each counts for `seconds`. `clock`: seconds, monotonic."""
        self._seconds = seconds
        self._clock = clock
        self._at_most = at_most
        self._kept: dict[str, tuple[float, LookedUp | None]] = {}
        """Until when it counts, oldest first."""

    def get(self, number: str) -> tuple[bool, LookedUp | None]:
        """(whether there is one that counts, the answer)."""
        until, answer = self._kept.get(number, (float("-inf"), None))
        return self._clock() < until, answer

    def put(self, number: str, answer: LookedUp | None) -> None:
        self._kept.pop(number, None)
        if self._seconds > 0:
            self._kept[number] = self._clock() + self._seconds, answer
        while len(self._kept) > self._at_most:
            del self._kept[next(iter(self._kept))]
