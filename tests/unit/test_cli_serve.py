"""`asterisk-warm serve` without an Asterisk: it starts, says so, and ends as it should."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cli_runs import FROM_HERE, SECONDS, run

CONFIG = """
asterisk:
  ari: {{url: "http://127.0.0.1:{nobody}", user: warm, password: hunter2hunter2}}
  ami: {{host: 127.0.0.1, port: {nobody}, user: warm, password: hunter3hunter3}}
database: sqlite:///{folder}/{database}
api: {{socket: {folder}/api.sock}}
agi: {{port: {agi}}}
sounds: {{directory: {folder}/sounds}}
speech: {{engines: [espeak]}}
agents: {{ana: {{name: Ana, endpoint: PJSIP/ana}}}}
teams: {{sales: {{name: Sales, agents: [ana]}}}}
"""


def config(folder: Path, database: str = "warm.db", agi: int = 0) -> Path:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = unused.getsockname()[1]
    path = folder / f"{database}.yaml"
    path.write_text(CONFIG.format(folder=folder, database=database, nobody=nobody, agi=agi))
    path.chmod(0o600)
    return path


@asynccontextmanager
async def serving(path: Path, **environment: str) -> AsyncIterator[Process]:
    """The daemon as a process that listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asterisk_warm", "serve", str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(FROM_HERE), **environment},
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS):
            while "api listens" not in (line := (await process.stderr.readline()).decode()):
                assert line, "it ended"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_given_a_daemon_when_stopped_then_0_and_its_socket_is_gone(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = config(tmp_path)
    async with serving(path) as daemon:
        async with asyncio.timeout(SECONDS):
            while "starting" in (health := await run("--config", path, "health")).out:
                pass
        assert health.code == 4, "there is no Asterisk"
        assert "ARI            NOT connected" in health.out
        assert (await run("--config", path, "handoff", "list")).code == 0
        daemon.send_signal(number)
        _, log = await asyncio.wait_for(daemon.communicate(), SECONDS)
        assert daemon.returncode == 0, log.decode()
        assert b"Traceback" not in log and b"hunter" not in log
    assert not (tmp_path / "api.sock").exists()
    assert (await run("--config", path, "health")).code == 4


@pytest.mark.parametrize("database", ["warm.db", "another.db"])
async def test_given_a_daemon_when_another_is_started_then_1_and_the_first_goes_on(
    tmp_path: Path, database: str
) -> None:
    first = config(tmp_path)
    second = config(tmp_path, database)
    async with serving(first):
        done = await run("serve", second)
        assert done.code == 1
        what, remedy = done.err.splitlines()[-2:]
        assert what.startswith("asterisk-warm: ") and remedy
        assert "Traceback" not in done.err
        assert (await run("--config", first, "handoff", "list")).code == 0


async def test_given_that_agi_cannot_be_listened_for_then_health_says_so_and_leads_are_handed_off_without_it(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = config(tmp_path, agi=port)
        async with serving(path):
            async with asyncio.timeout(SECONDS):
                while "AGI" not in (told := (await run("--config", path, "health")).out):
                    pass
            shown = " ".join(told.split())
            assert f"cannot listen for AGI on 127.0.0.1:{port}" in shown and "agi.port" in shown


async def test_given_a_first_start_then_the_log_says_how_far_the_prompts_are(tmp_path: Path) -> None:
    async with serving(config(tmp_path)) as daemon:
        assert daemon.stderr is not None
        lines = [(await daemon.stderr.readline()).decode()]
        async with asyncio.timeout(SECONDS):
            while "done=" not in lines[-1] or "total=" not in lines[-1]:
                lines.append((await daemon.stderr.readline()).decode())
                assert lines[-1], "it ended"
        assert "rendering prompts; no lead is taken before" in "".join(lines)


def with_espeak(folder: Path, does: str) -> str:
    """The PATH on which espeak-ng is a shell script."""
    programs = folder / "programs"
    programs.mkdir()
    program = programs / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


async def test_given_a_speech_engine_that_fails_then_health_says_when_it_is_tried_again(
    tmp_path: Path,
) -> None:
    path = config(tmp_path)
    async with serving(path, PATH=with_espeak(tmp_path, "exit 3")), asyncio.timeout(SECONDS):
        while "to mend" not in (told := (await run("--config", path, "health")).out):
            pass
    assert "the speech engine espeak failed at " in told and "it is tried again from " in told


async def test_given_a_first_start_that_takes_long_then_health_says_that_it_is_starting(
    tmp_path: Path,
) -> None:
    path = config(tmp_path)
    path.write_text(path.read_text().replace("engines: [espeak]", "engines: [espeak], budget_seconds: 60"))
    async with serving(path, PATH=with_espeak(tmp_path, "exec sleep 600")) as daemon:
        health = await run("--config", path, "health")
        assert health.code == 4
        assert "(starting: rendering prompts" in health.out and "ARI            not yet" in health.out
        daemon.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(daemon.wait(), SECONDS) == 0


async def test_given_no_place_for_the_database_then_1_in_words(tmp_path: Path) -> None:
    path = config(tmp_path)
    path.write_text(path.read_text().replace(f"{tmp_path}/warm.db", "/proc/nowhere/warm.db"))
    done = await run("serve", path)
    assert done.code == 1
    what, remedy = done.err.splitlines()[-2:]
    assert what.startswith("asterisk-warm: ") and "/proc/nowhere" in what and remedy
    assert "Traceback" not in done.err
