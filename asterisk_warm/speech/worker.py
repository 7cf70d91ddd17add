"""The speech worker: `python -m asterisk_warm.speech.worker`, a process that turns text into telephone sound.

It exists so that the daemon, which keeps live calls together, holds no speech model, is never stopped by one
(Python runs one thread at a time), and can kill a rendering that hangs. Questions come in on standard input
and answers go out on standard output, one at a time (frames.py). It ends when the daemon does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

import numpy as np

from asterisk_warm.speech import frames, hibari_model
from asterisk_warm.speech.audio import Samples, telephone
from asterisk_warm.speech.engine import CannotSay, EngineDown
from asterisk_warm.speech.frames import Frame, Kind

NICENESS = 10
"""Live calls come first: nobody hears that a rendering took longer, but everybody hears late audio."""

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Worker:
    """Answers questions, and keeps the loaded voice between them."""

    def __init__(self) -> None:
        self._model: Any = None

    def answer(self, question: Frame) -> Frame:
        """The answer, which may be that there is no sound and why."""
        try:
            return Frame(Kind.SOUND, self._sound(question))
        except CannotSay as error:
            return Frame(Kind.CANNOT_SAY, str(error).encode())
        except EngineDown as error:
            return Frame(Kind.DOWN, str(error).encode())

    def _sound(self, question: Frame) -> bytes:
        if question.kind is Kind.CONVERT:
            rate, pcm = frames.waveform(question)
            return _audible(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), rate)
        text = question.body.decode()
        if question.kind is Kind.SAY:
            return _audible(*hibari_model.synthesise(self._model, text))
        if text:
            self._model = hibari_model.load(text)
        return b""


def _audible(samples: Samples, rate: int) -> bytes:
    sound = telephone(samples, rate)
    if not sound:
        raise CannotSay("it came back silent")
    return sound


def main() -> None:
    """Be a worker: answer until nobody can ask any more."""
    _end_with_the_daemon()
    os.nice(NICENESS)
    # The answers get the pipe for themselves: what a library prints goes to the log, not between them.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker()
    while question := frames.read(sys.stdin.buffer):
        answers.write(worker.answer(question).packed())
        answers.flush()


def _end_with_the_daemon() -> None:
    """Whatever the daemon dies of, even in the middle of a rendering; but not before it, while it may still
    have calls to finish: signals that stop a service are sent to each of its processes."""
    if sys.platform == "linux":  # strictly, with the thread that started it: the one of the event loop
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)


if __name__ == "__main__":
    main()
