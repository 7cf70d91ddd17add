"""Who speaks which language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from asterisk_warm.speech.engine import Engine

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")
"""`es`, `es-mx`: nothing that a command could take for an option."""

ENGLISH = "en"
"""What the engines that are tried first speak."""


def names_of(language: str) -> tuple[str, ...]:
    """A language as it is written, then without its region: `es-mx`, `es`. Empty for what is none."""
    if not _LANGUAGE.fullmatch(language):
        return ()
    base = language.partition("-")[0]
    return (language,) if base == language else (language, base)


class Voices:
    """The engines of each language, made when it is first spoken: the chosen one, else espeak-ng, which has a
    voice for most. Where it has none, it is down, and the next engine speaks."""

    def __init__(self, make: Callable[[str], Engine], chosen: Mapping[str, str]) -> None:
        """`chosen`: language → engine and voice, `espeak:es`. `make` makes the engine of such a name, the
        same one each time. Raises ValueError as `make` does."""
        self._make = make
        self._chosen = {language: make(engine) for language, engine in chosen.items()}
        self._made: dict[str, tuple[Engine, ...]] = {}

    def of(self, language: str) -> tuple[Engine, ...]:
        """In order, before those that speak English; none where English is spoken and nothing was chosen."""
        if language not in self._made:
            self._made[language] = tuple(dict.fromkeys(self._engines(language)))
        return self._made[language]

    def _engines(self, language: str) -> list[Engine]:
        names = names_of(language)
        chosen = [self._chosen[name] for name in names if name in self._chosen][:1]
        spoken = [] if ENGLISH in names else [self._make(f"espeak:{name}") for name in names]
        return [*chosen, *spoken]

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All that were made."""
        made = (engine for engines in self._made.values() for engine in engines)
        return tuple(dict.fromkeys([*self._chosen.values(), *made]))
