"""Who is audible in an ear: known tones, found frame by frame.

Every known tone is a multiple of 50 Hz. In a frame of 20 ms (160 samples) each is then a bin of its own, and
two of them never leak into one another.
"""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE = 8000
FRAME = 160
FRAME_SECONDS = FRAME / RATE
BIN_HZ = RATE // FRAME

MUSIC_HZ = (400, 500, 600)
BRIEFING_MARKER_HZ = 3300
RETURNED_HZ = 3600
# For phones, away from the above: ten agents and ten leads with a voice of their own.
AGENT_HZ = tuple(range(700, 1700, 100))
LEAD_HZ = tuple(range(1750, 2750, 100))

# A phone's own sine is some 20 dB above this; µ-law's noise on a full-scale neighbour is 10 dB below.
_AUDIBLE = 300.0
_SILENT_RMS = 40.0


def chord(frequencies: tuple[int, ...], seconds: float, amplitude: int = 8000) -> Samples:
    """A steady mix of sines, `amplitude` (of 32767) in all. Whole seconds loop without a click."""
    t = np.arange(round(seconds * RATE)) / RATE
    mix = np.sum([np.sin(2 * np.pi * hz * t) for hz in frequencies], axis=0)
    return np.asarray(mix * amplitude / len(frequencies), dtype=np.int16)


def repeat(samples: Samples, seconds: float) -> Samples:
    """The same over and over, for at least that long."""
    return np.tile(samples, max(1, -(-round(seconds * RATE) // len(samples))))


def write_wav(path: Path, samples: Samples) -> Path:
    """Write samples as an 8 kHz mono WAV of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> Samples:
    """The samples of an 8 kHz mono WAV of 16 bits. Raises ValueError for another kind."""
    with wave.open(str(path), "rb") as file:
        kind = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if kind != (RATE, 1, 2):
            raise ValueError(f"{path}: expected {RATE} Hz, mono, 16 bits; this is {kind}")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def _ulaw_table() -> Samples:
    """G.711 µ-law: each byte's 16-bit sample."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


_ULAW = _ulaw_table()


def ulaw_to_linear(coded: npt.NDArray[np.uint8]) -> Samples:
    """µ-law bytes as samples, in the same shape."""
    return _ULAW[coded]


def linear_to_ulaw(samples: Samples) -> npt.NDArray[np.uint8]:
    """Samples as µ-law bytes, each the nearest there is."""
    order = np.argsort(_ULAW, kind="stable")
    levels = _ULAW[order].astype(np.int32)
    upper = np.clip(np.searchsorted(levels, samples), 1, len(levels) - 1)
    nearer_below = samples - levels[upper - 1] < levels[upper] - samples
    return order[np.where(nearer_below, upper - 1, upper)].astype(np.uint8)


@dataclass(frozen=True)
class Hearing:
    """What one ear got, as whole frames of 20 ms. `times` are epoch seconds, one per frame."""

    times: npt.NDArray[np.float64]
    frames: Samples

    def __post_init__(self) -> None:
        assert self.frames.shape == (len(self.times), FRAME), self.frames.shape

    def between(self, start: float, end: float) -> Hearing:
        """The part that arrived at `start` or later and before `end` (epoch seconds)."""
        first, last = np.searchsorted(self.times, [start, end])
        return Hearing(self.times[first:last], self.frames[first:last])

    def level(self, hz: int) -> npt.NDArray[np.float64]:
        """Amplitude of one known tone in each frame (a full-scale sine is 32767)."""
        assert hz % BIN_HZ == 0, f"{hz} Hz is not a multiple of {BIN_HZ}"
        phase = 2 * np.pi * hz * np.arange(FRAME) / RATE
        waves = np.stack((np.cos(phase), np.sin(phase)), axis=1).astype(np.float32)
        return np.asarray(np.hypot(*(self.frames.astype(np.float32) @ waves).T) * 2.0 / FRAME, np.float64)

    def has(self, hz: int) -> npt.NDArray[np.bool_]:
        """For each frame: is the tone audible in it?"""
        return np.asarray(self.level(hz) > _AUDIBLE)

    def hears(self, *tones: int, frames: int = 2) -> bool:
        """Is each of `tones` audible in at least that many frames (one may be a key click)?"""
        return all(int(self.has(hz).sum()) >= frames for hz in tones)

    def first_frame_with(self, hz: int, after: float = 0.0) -> float | None:
        """When the first frame with that tone arrived at or after `after`, or None."""
        heard = self.times[self.has(hz) & (self.times >= after)]
        return float(heard[0]) if len(heard) else None

    def last_frame_with(self, hz: int, before: float = float("inf")) -> float | None:
        """When the last frame with that tone arrived before `before`, or None."""
        heard = self.times[self.has(hz) & (self.times < before)]
        return float(heard[-1]) if len(heard) else None

    def silent(self) -> npt.NDArray[np.bool_]:
        """For each frame: was nothing audible in it?"""
        rms = np.sqrt(np.mean(self.frames.astype(np.float64) ** 2, axis=1))
        return np.asarray(rms < _SILENT_RMS)

    def longest_silence(self, start: float, end: float) -> float:
        """The longest stretch in seconds, between two moments, in which this ear got no sound.

        A missing packet is silence as much as a packet of zeros; so are the stretches before the first
        and after the last sound.
        """
        part = self.between(start, end)
        sound = part.times[~part.silent()]
        if not len(sound):
            return end - start
        edges = np.concatenate(([start], sound, [end]))
        gaps = np.diff(edges)
        # A frame sounds for its own length after it arrived: only what goes beyond is silence.
        gaps[1:] -= FRAME_SECONDS
        return float(max(gaps.max(), 0.0))

    def who_was_audible(self, names: Mapping[int, str]) -> list[tuple[float, str]]:
        """The story of this ear: (moment, names joined by "+", or "silence"), one entry for each change."""
        present = {name: self.has(hz) for hz, name in names.items()}
        silent = self.silent()
        story: list[tuple[float, str]] = []
        for i, moment in enumerate(self.times):
            heard = "+".join(name for name, has in present.items() if has[i])
            now = heard or ("silence" if silent[i] else "other")
            if not story or story[-1][1] != now:
                story.append((float(moment), now))
        return story
