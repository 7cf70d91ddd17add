"""The hibari-tts model itself. Loading it takes most of a second and 150 MB, so only a worker imports it."""

from __future__ import annotations

import importlib
import zlib
from typing import Any

from asterisk_warm.speech.audio import Samples
from asterisk_warm.speech.engine import CannotSay, EngineDown


def load(voice: str) -> Any:
    """The model with that voice, ready to speak. Raises EngineDown; never downloads a voice."""
    try:
        hibari = importlib.import_module("hibari")
        voices = importlib.import_module("hibari.voices")
        model = hibari.Hibari(voice=voice, model=voices.voice_path(voice, download_missing=False), threads=1)
        model("Warm up.")  # loads the lexicon: 0.4 s that no briefing should wait for
    except FileNotFoundError as error:
        raise EngineDown(f"the voice {voice!r} is not on this machine: expected at {error}") from error
    except Exception as error:  # a border: whatever keeps it from working, another engine is to speak
        raise EngineDown(f"{type(error).__name__}: {error}") from error
    return model


def synthesise(model: Any, text: str) -> tuple[Samples, int]:
    """The spoken text and its rate in Hz. Raises CannotSay."""
    # The seed makes a text sound the same each time, so that a re-rendered file equals the one it replaces.
    try:
        return model(text, seed=zlib.crc32(text.encode())), int(model.sample_rate)
    except Exception as error:  # a border: its text rules fail on odd input (IndexError on "1" × 500)
        raise CannotSay(f"{type(error).__name__} in hibari") from error
