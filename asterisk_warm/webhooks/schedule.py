"""When a notice that has not arrived is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0
DELAYS = (
    *(5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR),
    *(10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
"""Seconds after each attempt that has failed; after the last one it is given up."""
LONGEST_WISH = 24 * HOUR
"""As much of a `Retry-After` as is heeded."""


def ten_percent() -> float:
    """So that all who have failed at the same time do not come back at the same time."""
    return random.uniform(0.9, 1.1)


@dataclass(frozen=True, slots=True)
class Schedule:
    delays: Sequence[float] = DELAYS
    jitter: Callable[[], float] = ten_percent
    """Factor of each delay."""

    def next_at(self, attempts: int, now: float, wish: float = 0.0) -> float | None:
        """After so many attempts, the latest of which has failed `now`; None: it is given up. `wish`: in how
        many seconds the other side wants it."""
        if attempts > len(self.delays):
            return None
        delay = self.delays[attempts - 1] * self.jitter()
        return now + max(delay, min(wish, LONGEST_WISH))
