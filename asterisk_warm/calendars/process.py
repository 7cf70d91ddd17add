"""Calendar workers, seen from the daemon."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from asterisk_warm.calendars.source import Content, NotUnderstood, Span, Unreadable
from asterisk_warm.calendars.worker import Answer, Task
from asterisk_warm.core.presence import Busy

EXPAND_SECONDS = 5.0
"""On the processor, for the recurring events of one calendar."""
PATIENCE_SECONDS = 60.0
"""For all of it, on a machine that has other things to do first."""
_IMPORTED_FROM = Path(__file__).parents[2]  # so that the worker is of the version the daemon is


async def expand(content: Content, zone: str, span: Span, seconds: float = EXPAND_SECONDS) -> Sequence[Busy]:
    """As expand.busy_times, in a process of its own. Raises Unreadable."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "asterisk_warm.calendars.worker",
            stdin=pipe, stdout=pipe, stderr=pipe, cwd=_IMPORTED_FROM,
        )  # fmt: skip
    except OSError as error:
        raise Unreadable(f"cannot start the calendar worker: {error.strerror}") from None
    task = Task(content.texts, zone, span.start, span.end, seconds)
    return _busy(process, await _said(process, msgspec.msgpack.encode(task)))


async def _said(process: asyncio.subprocess.Process, task: bytes) -> tuple[bytes, bytes]:
    """What it wrote to its standard output and error."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await process.communicate(task)
    except TimeoutError:
        raise Unreadable(
            f"not understood within {PATIENCE_SECONDS:g} s: is the machine overloaded?"
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _busy(process: asyncio.subprocess.Process, said: tuple[bytes, bytes]) -> Sequence[Busy]:
    if process.returncode != 0:
        last = said[1].decode(errors="replace").strip().splitlines()[-1:]
        why = f"status {process.returncode}{f' ({last[0][:200]})' if last else ''}"
        raise Unreadable(f"the calendar worker ended with {why}")
    answer = msgspec.msgpack.decode(said[0], type=Answer)
    if answer.error:
        raise NotUnderstood(answer.error)
    return answer.busy
