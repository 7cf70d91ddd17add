"""What the API needs from outside the engine, as Protocols; the daemon chooses who provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from asterisk_warm.engine.screens.ports import Delivery


class Deliveries(Protocol):
    """What webhooks were sent, are to be sent, or could not be. Every method may raise JournalError."""

    async def list(self, webhook: str, state: str, limit: int) -> Sequence[Delivery]:
        """Newest first. `webhook`: "" for all; `state`: all, pending, delivered or failed. Raises Refused
        (not_found) for a webhook that nobody knows."""

    async def replay(self, ids: Sequence[int]) -> int:
        """Send them (again), from now on, unless their webhook is not configured; how many are sent."""
