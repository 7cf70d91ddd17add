"""What is done now and then."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from asterisk_warm.engine.housekeeping import regularly


async def test_given_work_then_it_is_done_at_once_and_again_whatever_becomes_of_it() -> None:
    done = asyncio.Semaphore(0)
    failures = iter([OSError("disk full"), ValueError("odd"), None])

    async def work() -> None:
        done.release()
        failure = next(failures, None)
        if failure is not None:
            raise failure

    with capture_logs() as logs:
        running = asyncio.create_task(regularly(work, 0.0, "it was not done", OSError, ValueError))
        async with asyncio.timeout(5):
            for _ in range(4):
                await done.acquire()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(log["event"], log["why"]) for log in logs] == [
        ("it was not done", "disk full"),
        ("it was not done", "odd"),
    ]


async def test_given_a_failure_then_it_is_tried_again_sooner_where_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = iter([OSError("disk full"), None])
    pauses: list[float] = []

    async def work() -> None:
        failure = next(failures)
        if failure is not None:
            raise failure

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await regularly(work, 3600.0, "it was not done", OSError, retry_seconds=5.0)
    assert pauses == [5.0, 3600.0]


async def test_given_a_failure_that_nobody_expects_then_it_is_not_hidden() -> None:
    async def work() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await regularly(work, 0.0, "it was not done", OSError)
