"""What the people on the phones say, and the phones that say it at the right moment."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from baresip import AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.tones import RATE, Samples, chord, ulaw_to_linear
from asterisk_warm.speech import CachedSpeaker, EspeakEngine, HibariEngine, SoundFolder, SpeechUnavailable
from asterisk_warm.speech.audio import resampled
from asterisk_warm.speech.folder import SUFFIX

PITCH = {"lead": 0.86, "ana": 1.06, "ben": 0.92, "cleo": 1.0}
"""There is one voice on the machine; played slower or faster it is somebody else's."""

_AHEAD = 0.24
_EVERY = 0.06
_NOISE_RMS = 60.0
_STAND_IN_HZ = {"lead": 300, "ana": 700, "ben": 800, "cleo": 900}


async def render(lines: Mapping[str, tuple[str, str]], sounds: Path) -> dict[str, Samples]:
    """Each line's sound by its name; a line is (who says it, text). Made by the product's own engine and kept
    in `sounds` (a full path); where no engine works, a tone stands in."""
    folder = SoundFolder(sounds, str(sounds))
    speaker = CachedSpeaker(folder, [HibariEngine(time_limit=20.0), EspeakEngine()])
    try:
        uris = await speaker.prepare([text for _, text in lines.values()])
    except SpeechUnavailable:
        return {name: chord((_STAND_IN_HZ[who],), 2.0) for name, (who, _) in lines.items()}
    finally:
        await speaker.close()
    paths = [Path(uri.removeprefix("sound:") + SUFFIX) for uri in uris]
    return {
        name: _pitched(path, PITCH[who]) for (name, (who, _)), path in zip(lines.items(), paths, strict=True)
    }


def _pitched(path: Path, pitch: float) -> Samples:
    spoken = ulaw_to_linear(np.frombuffer(path.read_bytes(), dtype=np.uint8))
    return np.asarray(resampled(spoken.astype(np.float32), round(RATE * pitch / 100) * 100), dtype=np.int16)


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

    async def say(self, words: Samples) -> None:
        """Say this next, and wait until it has been said."""
        self._words.append(words)
        await asyncio.sleep(len(words) / RATE)

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
