"""What the people on the phones say, and the phones that say it at the right moment."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from baresip import AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.tones import RATE, Samples, chord, ulaw_to_linear
from asterisk_warm.speech import SoundFolder, SpeechUnavailable, prompt_names, speaker_from
from asterisk_warm.speech.audio import resampled
from asterisk_warm.speech.folder import SUFFIX
from asterisk_warm.speech.prompts import KEYS

PITCH = {"lead": 0.86, "qualifier": 1.14, "ana": 1.06, "ben": 0.92, "cleo": 1.0}
"""There is one voice on the machine; played slower or faster it is somebody else's."""

_PATIENCE = 20.0
_AHEAD = 0.24
_EVERY = 0.06
_NOISE_RMS = 60.0
_STAND_IN_HZ = {"lead": 300, "qualifier": 500, "ana": 700, "ben": 800, "cleo": 900}


@dataclass(frozen=True)
class Sounds:
    """What is said in the scenes: `lines` by name as samples, introductions by agent in seconds."""

    lines: Mapping[str, Samples]
    introductions: Mapping[str, float]


async def render(
    folder: Path,
    lines: Mapping[str, tuple[str, str]],
    introductions: Mapping[str, str],
    announced: Sequence[str],
) -> Sounds:
    """Make the people's lines (name → who, text), and all that the daemon will say: it keeps its sounds in
    the same `folder` (a full path) and finds them made. Where no speech engine works, tones stand in."""
    speaker = speaker_from(folder, str(folder), ("hibari", "espeak"), _PATIENCE, KEYS, None)
    try:
        if not all(SoundFolder(folder, str(folder)).sub("prompts").holds(name) for name in prompt_names()):
            await speaker.ensure_prompts()
        await speaker.prepare(announced)
        said = await speaker.prepare([text for _, text in lines.values()])
        introduced = await speaker.prepare(list(introductions.values()))
    except SpeechUnavailable:
        stand_ins = {name: chord((_STAND_IN_HZ[who],), 2.0) for name, (who, _) in lines.items()}
        return Sounds(stand_ins, {})
    finally:
        await speaker.close()
    spoken = zip(lines.items(), said, strict=True)
    return Sounds(
        {name: _pitched(_coded(uri), PITCH[who]) for (name, (who, _)), uri in spoken},
        {agent: len(_coded(uri)) / RATE for agent, uri in zip(introductions, introduced, strict=True)},
    )


def _coded(uri: str) -> bytes:
    return Path(uri.removeprefix("sound:") + SUFFIX).read_bytes()


def _pitched(coded: bytes, pitch: float) -> Samples:
    spoken = ulaw_to_linear(np.frombuffer(coded, dtype=np.uint8)).astype(np.float32)
    return np.asarray(resampled(spoken, round(RATE * pitch / 100) * 100), dtype=np.int16)


class Voice:
    """Speaks into one call: a room's quiet noise all along, and whatever it is given to say.

    As an async context manager. The noise is each phone's own, so that a capture can tell who is heard.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._audio = CallAudio(call.handle)
        self._room = np.random.default_rng(zlib.crc32(call.phone.encode()))
        self._words: deque[Samples] = deque()
        self._feeder: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._feeder = asyncio.create_task(self._feed(), name=f"voice of {self._call.phone}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.gather(self._feeder, return_exceptions=True)

    async def say(self, words: Samples, *, answered: bool = False) -> None:
        """Say this next, and wait until it has been said; when it is `answered`, until somebody else may
        begin: their first words are as long on the way as the last of these."""
        self._words.append(words)
        await asyncio.sleep(len(words) / RATE + (0.0 if answered else _AHEAD))

    async def _feed(self) -> None:
        while not self._call.is_over:
            try:
                ready = self._audio.info()
                missing = _AHEAD - ready.tx_buffered / (2 * RATE)
                if ready.tx_ready and missing > 0:
                    self._audio.write(self._next(round(missing * RATE)).tobytes())
            except (AudioNotActive, AudioRestarted):
                pass  # Not answered yet, or just renegotiated.
            await asyncio.sleep(_EVERY)

    def _next(self, count: int) -> Samples:
        sound = self._room.normal(0.0, _NOISE_RMS, count)
        filled = 0
        while self._words and filled < count:
            words = self._words.popleft()
            taken, rest = words[: count - filled], words[count - filled :]
            sound[filled : filled + len(taken)] += taken
            filled += len(taken)
            if len(rest):
                self._words.appendleft(rest)
        return np.asarray(np.clip(sound, -32768, 32767), dtype=np.int16)
