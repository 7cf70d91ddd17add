"""`asterisk-warm` as its user runs it: a process, its output and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def told(self, code: int) -> list[str]:
        """What a command that failed says: what is wrong, then what to do, and nothing else."""
        assert self.code == code, self
        assert self.out == "", self
        assert "Traceback" not in self.err
        return self.err.splitlines()


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
