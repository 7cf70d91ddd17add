"""A time limit that never loses a cancellation."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from asterisk_warm.engine.within import within

PRODUCT = Path(__file__).parents[2] / "asterisk_warm"


async def test_given_work_then_what_comes_of_it_or_a_timeout():
    assert await within(asyncio.sleep(0, "done"), 5.0) == "done"
    work = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await within(work, 0.01)
    assert work.cancelled()


async def test_given_a_cancellation_in_the_moment_in_which_the_work_is_done_then_it_is_not_lost():
    work = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(within(work, 5.0))
    await asyncio.sleep(0)
    work.set_result("done")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_given_the_product_then_nothing_waits_in_a_way_that_may_lose_a_cancellation():
    used = [path for path in PRODUCT.rglob("*.py") if re.search(r"asyncio\.wait_for\(", path.read_text())]
    assert {path.relative_to(PRODUCT).parts[0] for path in used} <= {"lab"}
