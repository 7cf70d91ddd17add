"""`asterisk-warm` as its user runs it: a process, its output and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

SECONDS = 120.0
"""Longest wait for what comes within moments on a machine that is not busy."""
FROM_HERE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What a command that went well shows: 80 columns at most, and nothing that a terminal obeys."""
        assert (self.code, self.err) == (0, ""), self
        return fit(self.out)

    def told(self, code: int) -> list[str]:
        """What a command that failed says: what is wrong, then what to do, and nothing else."""
        assert self.code == code, self
        assert self.out == "", self
        assert "Traceback" not in self.err
        return self.err.splitlines()


def fit(out: str) -> list[str]:
    """The lines, without the spaces at their ends."""
    lines = out.splitlines()
    assert all(cell_len(line) <= 80 for line in lines), out
    assert all(line.isprintable() for line in lines), out
    return [line.rstrip() for line in lines]


async def run(*arguments: str | bytes | Path, typed: bytes | None = None, **environment: str) -> Run:
    """Run one command to its end. `typed`: what comes from a file as its input; None: nothing at all."""
    process = await _begun(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL if typed is None else asyncio.subprocess.PIPE,
        environment=environment,
    )
    return await _ended(process, typed)


class Talk:
    """A command that asks, and is answered."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._seen = ""

    async def asked(self, words: str) -> None:
        """Wait until it has said that, since it was last waited for."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while words not in self._seen:
                more = await self._process.stdout.read(4096)
                assert more, f"it has ended, and not said {words!r}: {self._seen!r}"
                self._seen += more.decode()
        self._seen = self._seen.partition(words)[2]

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def ended(self) -> Run:
        """No more is typed. `out` is what it has said since."""
        done = await _ended(self._process, b"")
        return Run(done.code, self._seen + done.out, done.err)


@asynccontextmanager
async def talk(*arguments: str | bytes | Path) -> AsyncIterator[Talk]:
    process = await _begun(*arguments, stdin=asyncio.subprocess.PIPE, environment={})
    try:
        yield Talk(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def at_terminal(*arguments: str | bytes | Path) -> AsyncIterator[Terminal]:
    ours, theirs = pty.openpty()
    process = await _begun(*arguments, stdin=theirs, stdout=theirs, environment={"TERM": "xterm"})
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        os.close(ours)


class Terminal:
    """A command whose input and output are a terminal."""

    def __init__(self, process: asyncio.subprocess.Process, ours: int) -> None:
        self._process = process
        self._ours = ours

    async def shown(self, words: str) -> str:
        """Wait until it shows that; all that it has shown until then, since it was last waited for."""
        seen = b""
        async with asyncio.timeout(SECONDS):
            while words.encode() not in seen:
                seen += await asyncio.to_thread(self._read)
        return seen.decode()

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._ours], [], [], SECONDS)
        return os.read(self._ours, 4096) if ready else b""

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(SECONDS):
            return await self._process.wait()


async def _begun(
    *arguments: str | bytes | Path,
    stdin: int,
    stdout: int = asyncio.subprocess.PIPE,
    environment: dict[str, str],
) -> asyncio.subprocess.Process:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("ASTERISK_WARM", "NO_COLOR", "FORCE_COLOR"))
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "asterisk_warm",
        *arguments,
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, "PYTHONPATH": str(FROM_HERE), **environment},
    )


async def _ended(process: asyncio.subprocess.Process, typed: bytes | None) -> Run:
    try:
        out, err = await asyncio.wait_for(process.communicate(typed), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Run(process.returncode, out.decode(), err.decode())
