"""Writes that wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asterisk_warm.store.statements import Driver


@dataclass(slots=True)
class Job:
    """A write that somebody waits for."""

    fn: Callable[[Driver], Any]
    waiter: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.waiter.cancelled():
            return
        if self.error is None:
            self.waiter.set_result(self.result)
        else:
            self.waiter.set_exception(self.error)
