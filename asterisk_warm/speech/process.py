"""One life of a speech worker, seen from the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

from asterisk_warm.speech.engine import EngineDown
from asterisk_warm.speech.frames import HEAD, Frame, Kind

_MODULE = "asterisk_warm.speech.worker"
_IMPORTED_FROM = Path(__file__).parents[2]  # so that the worker is of the version the daemon is

_log = logging.getLogger(__name__)


class WorkerProcess:
    """A running worker, made by `spawn`. Its standard error goes to the log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._questions, self._answers = process.stdin, process.stdout
        self._killed = False
        self._logging = asyncio.create_task(self._log_errors(process.stderr))

    @classmethod
    async def spawn(cls) -> WorkerProcess:
        """Start one. Raises EngineDown."""
        pipe = asyncio.subprocess.PIPE
        # One thread for its arithmetic: more would only take processors from the calls.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE,
                stdin=pipe, stdout=pipe, stderr=pipe, cwd=_IMPORTED_FROM, env=environment,
            )  # fmt: skip
        except OSError as error:
            raise EngineDown(f"cannot start the speech worker: {error.strerror}") from error
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.returncode is None

    @property
    def memory(self) -> int:
        """Bytes of memory it holds; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def answer(self, question: Frame) -> Frame:
        """Ask it. Raises EngineDown if it ended instead. One who stops waiting has killed it."""
        answered = False
        try:
            self._questions.write(question.packed())
            await self._questions.drain()
            size, kind = HEAD.unpack(await self._answers.readexactly(HEAD.size))
            answer = Frame(Kind(kind), await self._answers.readexactly(size))
            answered = True
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):
            # RuntimeError: what uvloop says of a pipe to a process that has ended.
            status = await self._process.wait()
            raise EngineDown(f"the speech worker ended with status {status}") from None
        finally:
            if not answered:  # what it sends later would be taken for the answer to the next question
                self.kill()
        return answer

    def kill(self) -> None:
        """End it now, whatever it is doing."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """`kill` it and wait until it and its pipes are gone. Nobody may be waiting for an answer."""
        self.kill()
        await self._process.wait()
        self._questions.close()
        await self._answers.read()
        await self._logging
        with contextlib.suppress(ConnectionError):
            await self._questions.wait_closed()

    async def _log_errors(self, pipe: asyncio.StreamReader) -> None:
        while not pipe.at_eof():
            try:
                line = await pipe.readline()
            except ValueError:  # longer than the pipe's limit; what comes after it is still read
                line = b"(a line too long for the log)"
            if line:
                _log.warning("speech worker %d: %s", self.pid, line.decode(errors="replace").rstrip())
