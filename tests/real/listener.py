"""Ears that understand: speech to text on this machine, and how far it is from what was meant."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import moonshine_voice
import numpy as np
from moonshine_voice.transcriber import Transcriber

from asterisk_warm.lab.tones import Samples

_NUMBERS = dict(
    zip(
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        strict=True,
    )
)

_one_at_a_time = threading.Lock()
"""The transcriber's answer lies in memory that it writes the next one to."""


@cache
def _transcriber() -> Any:
    model = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
    return Transcriber(model_path=str(model), model_arch=moonshine_voice.ModelArch.TINY)


def transcribe(heard: Samples) -> str:
    """What is said in 8 kHz samples, in words."""
    sound = heard.astype(np.float64) / 32768
    double = np.fft.irfft(np.fft.rfft(sound), 2 * len(sound)) * 2
    with _one_at_a_time:
        told = _transcriber().transcribe_without_streaming(
            double.astype(np.float32).tolist(), sample_rate=16000
        )
        return " ".join(line.text for line in told.lines)


def words(text: str) -> list[str]:
    """As they are compared: small letters, no punctuation, figures as words."""
    return [_NUMBERS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower())]


def errors(meant: Sequence[str], heard: Sequence[str]) -> int:
    """How many words must be put in, taken out or replaced (Levenshtein); what was heard after the last word
    that was meant does not count."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(meant, start=1):
        before, row = row, [i]
        for j, other in enumerate(heard, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return min(row)


SOFT = 1600
"""Samples before the first loud one that may be of a soft sound."""


def starts(heard: Samples) -> int:
    """The sample at which somebody begins to speak, at the latest."""
    frames = heard[: len(heard) // 160 * 160].reshape(-1, 160).astype(np.float64)
    loud = np.sqrt((frames**2).mean(axis=1)) > 200
    return max(0, int(np.argmax(loud)) * 160 - SOFT) if loud.any() else len(heard)
