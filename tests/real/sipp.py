"""A thin runner for SIPp, the SIP load generator: one scenario, many calls, what came of them."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).with_name("sipp_scenarios")


@dataclass(frozen=True)
class Load:
    """SIPp's own count at the end."""

    successful: int
    failed: int
    errors: str
    """What it wrote into its error file, at most 2000 characters."""


async def run(
    scenario: str, asterisk: str, extensions: Sequence[str], *, per_second: int = 20, seconds: float = 60.0
) -> Load:
    """Play one of our scenarios once for each extension, `per_second` new calls a second.

    Raises TimeoutError when not all calls are over within `seconds`, FileNotFoundError where `sipp` is missing.
    """
    with tempfile.TemporaryDirectory(prefix="sipp-") as folder:
        lines = Path(folder) / "lines.csv"
        lines.write_text("SEQUENTIAL\n" + "".join(f"{extension};\n" for extension in extensions))
        host, port = asterisk.split(":")
        command = ["sipp", f"{host}:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-inf", str(lines)]
        command += ["-m", str(len(extensions)), "-r", str(per_second), "-l", str(len(extensions))]
        command += ["-i", "127.0.0.1", "-nostdin", "-trace_err", "-error_file", f"{folder}/errors"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            screen, _ = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        errors = Path(folder) / "errors"
        said = errors.read_text(errors="replace")[:2000] if errors.exists() else ""
        text = screen.decode(errors="replace")
        return Load(_last(text, "Successful call"), _last(text, "Failed call"), said)


def _last(screen: str, counter: str) -> int:
    """The cumulative value of a counter on the last of SIPp's screens."""
    found = re.findall(rf"{counter}\s*\|\s*\d+\s*\|\s*(\d+)", screen)
    return int(found[-1]) if found else -1
