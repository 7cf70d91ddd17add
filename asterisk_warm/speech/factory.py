"""A speaker from what the configuration says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asterisk_warm.speech.engine import Engine
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.frames import Frame, Kind
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.renderer import Renderer
from asterisk_warm.speech.speaker import CachedSpeaker
from asterisk_warm.speech.voices import Voices

_NO_VOICES: Mapping[str, str] = {}


def speaker_from(
    directory: Path,
    asterisk_directory: str,
    engines: Sequence[str],
    budget_seconds: float,
    keys: Mapping[str, str] | None,
    own_prompts: Path | None,
    voices: Mapping[str, str] = _NO_VOICES,
    languages: Sequence[str] = (),
) -> CachedSpeaker:
    """A speaker that keeps its sounds in `directory`, which Asterisk sees as `asterisk_directory`.

    `engines` are tried in order, each for `budget_seconds` a line. `keys` (action → digit) are those the
    prompt "instructions" names, None if teams differ in them; `own_prompts` is the folder of the admin's own
    recordings. `voices`: language → engine, or engine and voice (`espeak:es`), tried before the `engines`; a
    language without one is spoken by espeak-ng, if that has it. `languages` are those in which there are to
    be prompts, beside English. Nothing is started or written before the first call. Raises ValueError: see
    SoundFolder, or an engine of that name does not exist.
    """
    made = _Engines(budget_seconds)
    return CachedSpeaker(
        SoundFolder(directory, asterisk_directory),
        [made.engine(name) for name in engines],
        voices=Voices(made.engine, voices),
        languages=languages,
        keys=keys,
        own_prompts=own_prompts,
    )


class _Engines:
    """One of each name; all voices of espeak-ng share what finishes their sound."""

    def __init__(self, budget_seconds: float) -> None:
        self._budget_seconds = budget_seconds
        self._made: dict[str, Engine] = {}
        self._finisher = Renderer(Frame(Kind.LOAD))

    def engine(self, name: str) -> Engine:
        """Of such a name: `hibari`, `espeak:es`. Raises ValueError."""
        if name not in self._made:
            self._made[name] = self._new(name)
        return self._made[name]

    def _new(self, name: str) -> Engine:
        kind, _, voice = name.partition(":")
        match kind:
            case "hibari":
                return HibariEngine(voice, time_limit=self._budget_seconds)
            case "espeak":
                return EspeakEngine(voice, time_limit=self._budget_seconds, finisher=self._finisher)
            case _:
                raise ValueError(f"there is no speech engine {name!r}, only hibari and espeak")
