"""A time limit that never loses a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(work: Awaitable[T], seconds: float) -> T:
    """What comes of it. Raises TimeoutError when that takes longer, and cancels it.

    `asyncio.wait_for` before Python 3.12 returns when it is cancelled in the very moment in which the work is
    done: a task that was to end then goes on for ever."""
    async with asyncio.timeout(seconds):
        return await work
