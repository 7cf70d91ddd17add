"""The worker process: whatever becomes of it, the daemon goes on, and nothing is left of it."""

from __future__ import annotations

import asyncio
import io
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk_warm.speech import frames
from asterisk_warm.speech import renderer as renderer_module
from asterisk_warm.speech.audio import RATE
from asterisk_warm.speech.engine import CannotSay, EngineDown
from asterisk_warm.speech.frames import Frame, Kind, convert
from asterisk_warm.speech.process import WorkerProcess
from asterisk_warm.speech.renderer import Renderer

PLENTY = 60.0
HELLO = Frame(Kind.LOAD)


def tone(seconds: float) -> Frame:
    """A question whose answer is as long."""
    return convert(RATE, b"\x00\x40\x00\xc0" * int(seconds * RATE / 2))


def seconds(sound: bytes) -> float:
    return len(sound) / RATE


def ended(pidfd: int, within: float = 10.0) -> bool:
    """Whether the process is dead, which is waited for."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(within * 1000))


async def asked(worker: WorkerProcess) -> None:
    """Wait until a stopped worker's pipe is full of a long question."""
    async with asyncio.timeout(10):
        while not worker._questions.transport.get_write_buffer_size():  # noqa: ASYNC110, there is no event
            await asyncio.sleep(0)


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    renderer = Renderer(HELLO)
    yield renderer
    await renderer.close()


async def test_given_many_questions_at_once_then_one_worker_gives_each_its_answer(renderer: Renderer) -> None:
    lengths = [number / 10 for number in range(1, 9)]
    worker = await renderer.start()
    sounds = await asyncio.gather(*(renderer.sound(tone(length), PLENTY) for length in lengths))
    assert [seconds(sound) for sound in sounds] == pytest.approx(lengths, abs=0.06)
    assert await renderer.start() is worker


async def test_given_no_sound_then_the_reason_comes_back_and_the_worker_stays(renderer: Renderer) -> None:
    worker = await renderer.start()
    with pytest.raises(CannotSay, match="silent"):
        await renderer.sound(convert(RATE, bytes(1000)), PLENTY)
    assert await renderer.start() is worker


async def test_given_a_worker_that_hangs_then_it_is_killed_and_another_answers(renderer: Renderer) -> None:
    worker = await renderer.start()
    pidfd = os.pidfd_open(worker.pid)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(EngineDown, match=r"took longer than 0\.2 s"):
        await renderer.sound(tone(1), 0.2)
    assert await asyncio.to_thread(ended, pidfd)
    os.close(pidfd)
    assert seconds(await renderer.sound(tone(1), PLENTY)) == pytest.approx(1, abs=0.06)


async def test_given_a_worker_that_dies_while_it_renders_then_that_is_said(renderer: Renderer) -> None:
    worker = await renderer.start()
    os.kill(worker.pid, signal.SIGSTOP)
    asking = asyncio.create_task(renderer.sound(tone(60), PLENTY))
    await asked(worker)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(EngineDown, match="ended with status -9"):
        await asking
    assert await renderer.sound(tone(1), PLENTY)


async def test_given_a_worker_that_died_idle_then_no_line_is_lost(renderer: Renderer) -> None:
    worker = await renderer.start()
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await worker._process.wait()
    assert await renderer.sound(tone(1), PLENTY)


async def test_given_one_who_stops_waiting_then_the_next_does_not_get_its_answer(renderer: Renderer) -> None:
    worker = await renderer.start()
    os.kill(worker.pid, signal.SIGSTOP)
    impatient = asyncio.create_task(renderer.sound(tone(60), PLENTY))
    await asked(worker)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    assert seconds(await renderer.sound(tone(1), PLENTY)) == pytest.approx(1, abs=0.06)


async def test_given_a_worker_that_starts_slowly_then_a_line_gives_up_but_the_start_goes_on(
    renderer: Renderer,
) -> None:
    with pytest.raises(EngineDown, match="took longer"):
        await renderer.sound(tone(1), 0.001)
    starting = renderer._starting
    assert await renderer.sound(tone(1), PLENTY)
    assert renderer._starting is starting


async def test_given_a_worker_that_never_gets_ready_then_it_is_down(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer_module, "START_LIMIT", 0.001)
    with pytest.raises(EngineDown, match="was not ready"):
        await renderer.start()


async def test_given_a_worker_that_has_grown_then_another_takes_its_place() -> None:
    renderer = Renderer(HELLO, memory_limit=1024, look_every=2)
    workers = []
    for _ in range(4):
        workers.append((await renderer.start()).pid)
        assert await renderer.sound(tone(1), PLENTY)
    await renderer.close()
    assert workers[0] == workers[1] != workers[2] == workers[3]


async def test_given_a_worker_that_fails_then_the_log_has_its_last_words(
    renderer: Renderer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EngineDown, match="ended with status 1"):
        await renderer.sound(Frame(Kind.CONVERT), PLENTY)  # without even a rate
    await renderer.close()
    assert "struct.error" in caplog.text


async def test_given_a_worker_that_floods_the_log_then_it_still_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flooding = tmp_path / "python"
    flooding.write_text(f"#!/bin/sh\nhead -c 500000 /dev/zero | tr '\\0' x >&2\nexec {sys.executable} $*\n")
    flooding.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(flooding))
    renderer = Renderer(HELLO)
    assert await renderer.sound(tone(1), PLENTY)
    await renderer.close()
    assert "too long" in caplog.text


async def test_given_no_python_then_the_worker_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/absent/python")
    with pytest.raises(EngineDown, match="cannot start"):
        await WorkerProcess.spawn()


async def test_given_a_service_that_is_being_stopped_then_its_worker_works_on_with_low_priority(
    renderer: Renderer,
) -> None:
    worker = await renderer.start()
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(worker.pid, stop)
    assert await renderer.sound(tone(1), PLENTY)
    assert await renderer.start() is worker
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, worker.pid) == min(19, own + 10)


async def test_given_a_close_then_the_worker_is_gone() -> None:
    renderer = Renderer(HELLO)
    pidfd = os.pidfd_open((await renderer.start()).pid)
    await renderer.close()
    assert ended(pidfd, 0)
    os.close(pidfd)


DAEMON = """
import asyncio, sys
from asterisk_warm.speech.frames import Frame, Kind
from asterisk_warm.speech.renderer import Renderer

async def main():
    print((await Renderer(Frame(Kind.LOAD)).start()).pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def python(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("hangs", [False, True])
def test_given_a_daemon_that_dies_then_so_does_its_worker(hangs: bool) -> None:
    with python("-c", DAEMON) as daemon:
        assert daemon.stdout
        worker = int(daemon.stdout.readline())
        pidfd = os.pidfd_open(worker)
        if hangs:
            os.kill(worker, signal.SIGSTOP)
        daemon.kill()
        assert ended(pidfd)
        os.close(pidfd)


def test_given_nobody_who_can_ask_any_more_then_the_worker_ends() -> None:
    with python("-m", "asterisk_warm.speech.worker") as worker:
        assert worker.communicate(timeout=30) == (b"", b"")
    assert worker.returncode == 0


def test_given_a_library_that_prints_then_the_answers_stay_legible() -> None:
    noisy = "from asterisk_warm.speech import hibari_model, worker; hibari_model.load = print; worker.main()"
    with python("-c", noisy) as worker:
        answers, log = worker.communicate(Frame(Kind.LOAD, b"noise").packed(), timeout=30)
    assert answers == Frame(Kind.SOUND).packed()
    assert log == b"noise\n"


def test_given_half_a_frame_then_it_is_none() -> None:
    packed = Frame(Kind.SAY, b"Hello.").packed()
    assert frames.read(io.BytesIO(packed)) == Frame(Kind.SAY, b"Hello.")
    assert [frames.read(io.BytesIO(packed[:size])) for size in (0, 3, len(packed) - 1)] == [None] * 3


SPEAKS = """
import sys
from pathlib import Path
import asterisk_warm.speech
at_import = set(sys.modules)
import uvloop

async def main():
    for engine in ("hibari", "espeak"):
        speaker = asterisk_warm.speech.speaker_from(Path(sys.argv[1]), "/x", [engine], 60.0, None, None)
        await speaker.ensure_prompts()
        await speaker.prepare(["Grant Weatherly, home insurance."])
        await speaker.close()

uvloop.run(main())
for heavy in ("numpy", "onnxruntime", "hibari", "ctypes.util"):
    assert heavy not in sys.modules, heavy
for later in ("asterisk_warm.speech.worker", "asterisk_warm.speech.audio"):
    assert later not in at_import, later
"""


def test_given_a_daemon_that_speaks_then_it_never_loads_what_the_workers_do(tmp_path: Path) -> None:
    with python("-c", SPEAKS, str(tmp_path)) as daemon:
        _, complaints = daemon.communicate(timeout=90)
    assert (daemon.returncode, complaints) == (0, b"")
    assert len(list((tmp_path / "cache").glob("??/*.ulaw"))) > 20
