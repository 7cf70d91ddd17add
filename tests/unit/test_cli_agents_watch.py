"""`agent watch`: on a terminal, into a pipe, and as JSON."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from api_stage import SECONDS, Stage, open_stage
from cli_runs import FROM_HERE, run

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
"""What a terminal does with its cursor."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


class Screen:
    """What a command writes to a terminal of 80 columns, or to a pipe."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader) -> None:
        self.process = process
        self._reader = reader
        self.text = ""
        self.all = ""

    async def shows(self, words: str) -> None:
        """Wait until something new is written that has these words; forget what was before them."""
        async with asyncio.timeout(SECONDS):
            while words not in self.text:
                piece = await self._reader.read(65536)
                assert piece, f"it ended without {words!r}: {self.text!r}"
                self.text += piece.decode()
                self.all += piece.decode()
        self.text = self.text.partition(words)[2]

    async def line(self) -> Any:
        """The next line, of JSON."""
        return json.loads(await asyncio.wait_for(self._reader.readline(), SECONDS))

    async def ends(self) -> int:
        """Interrupt it as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    async def rest(self) -> str:
        """What a pipe still has."""
        return (await asyncio.wait_for(self._reader.read(), SECONDS)).decode()


@asynccontextmanager
async def watching(stage: Stage, *arguments: str, terminal: bool) -> AsyncIterator[Screen]:
    ours, theirs = pty.openpty() if terminal else os.pipe()
    if terminal:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asterisk_warm", "agent", "watch", *arguments, "--socket", str(stage.socket)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**kept, "PYTHONPATH": str(FROM_HERE), "TERM": "xterm-256color"},
    )
    if not terminal:
        os.close(theirs)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        yield Screen(process, reader)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        transport.close()
        if terminal:
            # Open until now: what is written to a terminal is lost when nobody has it open any more.
            os.close(theirs)


async def test_given_a_terminal_when_agents_change_then_it_is_redrawn_and_ctrl_c_ends_it_cleanly(
    stage: Stage,
) -> None:
    async with watching(stage, terminal=True) as screen:
        await screen.shows(HIDE)
        await screen.shows("3 of 3 free, ")
        stage.devices.set("PJSIP/ben", "INUSE")
        await screen.shows("2 of 3 free, ")
        await screen.shows("in a call")
        await stage.ask("POST", "/v1/agents/ana/pause", {"reason": "lunch"})
        await screen.shows("paused: lunch")
        assert await screen.ends() == 0
        await screen.shows(SHOW)
        assert "Traceback" not in screen.all and "Aborted" not in screen.all


async def test_given_nothing_that_changes_when_watched_then_the_clock_goes_on_all_the_same(
    stage: Stage,
) -> None:
    async with watching(stage, terminal=True) as screen:
        for _ in range(3):
            await screen.shows("3 of 3 free, ")
        assert await screen.ends() == 0


async def test_given_a_daemon_that_restarts_when_watched_then_it_is_said_and_waited_for(stage: Stage) -> None:
    async with watching(stage, terminal=True) as screen:
        await screen.shows("3 of 3 free, ")
        await stage.api.stop()
        await screen.shows("The daemon has not answered since ")
        await screen.shows("cy")
        await screen.shows("The daemon has not answered since ")
        assert await screen.ends() == 0


async def test_given_a_team_when_watched_then_only_its_agents_are_there(stage: Stage) -> None:
    async with watching(stage, "--team", "vip", terminal=True) as screen:
        await screen.shows("1 of 1 free, ")
        assert await screen.ends() == 0
        await screen.shows(SHOW)
        assert "Ana" in screen.all and "Ben" not in screen.all


async def test_given_json_when_watched_then_each_change_is_a_line(stage: Stage) -> None:
    async with watching(stage, "--json", "--team", "vip", terminal=False) as screen:
        first = await screen.line()
        assert [(agent["id"], agent["free"]) for agent in first["agents"]] == [("ana", True)]
        stage.devices.set("PJSIP/ana", "RINGING")
        second = await screen.line()
        assert second["agents"][0]["why"][0]["words"] == "being rung"
        assert second["version"] > first["version"]
        assert await screen.ends() == 0
        assert await screen.rest() == ""


async def test_given_json_when_the_daemon_goes_then_4(stage: Stage) -> None:
    async with watching(stage, "--json", terminal=False) as screen:
        await screen.line()
        await stage.api.stop()
        await screen.shows('"remedy"')
        async with asyncio.timeout(SECONDS):
            assert await screen.process.wait() == 4


async def test_given_no_terminal_when_watched_then_it_prints_once(stage: Stage) -> None:
    head, empty, *table = (await run("agent", "watch", "--socket", stage.socket)).lines
    assert head.startswith("3 of 3 free, ") and empty == ""
    assert table[0].split() == ["agent", "name", "now", "idle"]
    assert [line.split()[0] for line in table[1:]] == ["ana", "ben", "cy"]


async def test_given_no_daemon_when_watched_then_4(tmp_path: Path) -> None:
    done = await run("agent", "watch", "--socket", tmp_path / "none.sock")
    assert done.told(4)[0] == f"asterisk-warm: no daemon listens on {tmp_path / 'none.sock'}"
