"""A speech worker kept in being: started early, replaced when it hangs, dies or has grown too big."""

from __future__ import annotations

import asyncio
import logging

from asterisk_warm.speech.engine import CannotSay, EngineDown
from asterisk_warm.speech.frames import Frame, Kind
from asterisk_warm.speech.process import WorkerProcess

START_LIMIT = 30.0
"""Seconds until a new worker must have loaded its voice."""

MEMORY_LIMIT = 400 * 1024 * 1024
"""Bytes a worker may hold. hibari holds 150 MB after a start; its buffers grow with the longest line."""

LOOK_EVERY = 50
"""Answers between two looks at the memory, so that very long lines do not mean a new worker each."""

_log = logging.getLogger(__name__)


class Renderer:
    """Asks one question at a time; whoever comes meanwhile waits in line.

    `hello` is the first question to each new worker, whose answer makes it ready for the others.
    """

    def __init__(
        self, hello: Frame, *, memory_limit: int = MEMORY_LIMIT, look_every: int = LOOK_EVERY
    ) -> None:
        self._hello = hello
        self._memory_limit = memory_limit
        self._look_every = look_every
        self._turn = asyncio.Lock()
        self._answers = 0
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def start(self) -> WorkerProcess:
        """The worker, started unless it is there, and ready. Raises EngineDown."""
        return await asyncio.shield(self._started())

    async def sound(self, question: Frame, limit: float) -> bytes:
        """The answer to SAY or CONVERT within `limit` seconds of its turn. Raises EngineDown or CannotSay.

        A worker that takes longer is killed, and another started at once; one that is still starting is not.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(limit):
                    worker = await self.start()
                    answer = await worker.answer(question)
            except TimeoutError:
                self._started()
                raise EngineDown(f"took longer than {limit:g} s") from None
            self._look_at(worker)
        return _told(answer)

    async def close(self) -> None:
        """End the worker. Nobody may be waiting for a sound."""
        start, self._starting = self._starting, None
        if start:
            start.cancel()
            await asyncio.wait([start])
            self._end(_worker(start))
        await asyncio.gather(*self._endings)

    def _started(self) -> asyncio.Task[WorkerProcess]:
        """The start of a worker that lives or is to live."""
        before = self._starting
        if before and not before.done():
            return before
        worker = _worker(before) if before else None
        if before and worker and worker.alive:
            return before
        self._end(worker)
        self._starting = asyncio.create_task(self._start())
        self._starting.add_done_callback(_worker)  # a failure is looked at even if nobody waits for it
        return self._starting

    def _end(self, worker: WorkerProcess | None) -> None:
        """Be rid of it, without waiting."""
        if worker:
            worker.kill()
            task = asyncio.create_task(worker.end())
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def _start(self) -> WorkerProcess:
        worker = await WorkerProcess.spawn()
        ready = False
        try:
            async with asyncio.timeout(START_LIMIT):
                _told(await worker.answer(self._hello))
            ready = True
        except TimeoutError:
            raise EngineDown(f"was not ready after {START_LIMIT:g} s") from None
        finally:
            if not ready:
                await worker.end()
        return worker

    def _look_at(self, worker: WorkerProcess) -> None:
        """Replace a worker that has grown too big, now that it is idle."""
        self._answers += 1
        if self._answers % self._look_every == 0 and worker.memory > self._memory_limit:
            _log.info("speech worker %d holds %d MB and is replaced", worker.pid, worker.memory >> 20)
            worker.kill()
            self._started()


def _worker(start: asyncio.Task[WorkerProcess]) -> WorkerProcess | None:
    """What came of a start that is over."""
    return None if start.cancelled() or start.exception() else start.result()


def _told(answer: Frame) -> bytes:
    if answer.kind is Kind.SOUND:
        return answer.body
    why = answer.body.decode()
    raise CannotSay(why) if answer.kind is Kind.CANNOT_SAY else EngineDown(why)
