"""A speaker from what the configuration says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asterisk_warm.speech.engine import Engine
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.speaker import CachedSpeaker


def speaker_from(
    directory: Path,
    asterisk_directory: str,
    engines: Sequence[str],
    budget_seconds: float,
    keys: Mapping[str, str] | None,
    own_prompts: Path | None,
) -> CachedSpeaker:
    """A speaker that keeps its sounds in `directory`, which Asterisk sees as `asterisk_directory`.

    `engines` are tried in order, each for `budget_seconds` a line. `keys` (action → digit) are those the
    prompt "instructions" names, None if teams differ in them; `own_prompts` is the folder of the admin's own
    recordings. Nothing is started or written before the first call. Raises ValueError: see SoundFolder, or an
    engine of that name does not exist.
    """
    return CachedSpeaker(
        SoundFolder(directory, asterisk_directory),
        [_engine(name, budget_seconds) for name in engines],
        keys=keys,
        own_prompts=own_prompts,
    )


def _engine(name: str, budget_seconds: float) -> Engine:
    match name:
        case "hibari":
            return HibariEngine(time_limit=budget_seconds)
        case "espeak":
            return EspeakEngine(time_limit=budget_seconds)
        case _:
            raise ValueError(f"there is no speech engine {name!r}, only hibari and espeak")
