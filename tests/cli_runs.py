"""`asterisk-warm` as its user runs it: a process, its output and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

SECONDS = 30.0
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


async def run(*arguments: str | bytes | Path, **environment: str) -> Run:
    """Run one command to its end."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("ASTERISK_WARM", "NO_COLOR", "FORCE_COLOR"))
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "asterisk_warm",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, "PYTHONPATH": str(FROM_HERE), **environment},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Run(process.returncode, out.decode(), err.decode())
