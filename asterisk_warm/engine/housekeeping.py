"""What is to be done now and then: old things are removed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def regularly(
    work: Callable[[], Awaitable[object]],
    seconds: float,
    complaint: str,
    *failures: type[Exception],
    retry_seconds: float | None = None,
) -> None:
    """Now, and again so many seconds after it was done, until cancelled. One of the `failures` is logged as
    the `complaint` ("old recordings were not deleted"), and it is tried again the next time, or after
    `retry_seconds`."""
    while True:
        pause = seconds
        try:
            await work()
        except failures as error:
            log.warning(complaint, why=str(error))
            pause = seconds if retry_seconds is None else retry_seconds
        await asyncio.sleep(pause)
