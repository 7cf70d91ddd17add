"""The kinds of value that say in what language, and by what voice."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from asterisk_warm.config.values import Expects, nearest, refuse

ENGINES = ("hibari", "espeak")
"""What `speech` can speak with."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")
_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,39}")


def _language(value: str) -> str:
    if _LANGUAGE.fullmatch(value):
        return value
    likely = value.lower().replace("_", "-")
    raise refuse("is not a language", likely if _LANGUAGE.fullmatch(likely) else None)


def _voice(value: str) -> str:
    """An engine, and which of its voices: a word that no command takes for an option or a path."""
    engine, colon, name = value.partition(":")
    if engine not in ENGINES:
        likely = nearest(engine, ENGINES)
        raise refuse("names no engine of ours", f"{likely}{colon}{name}" if likely else None)
    if colon and not _VOICE.fullmatch(name):
        raise refuse("does not name a voice after the engine")
    return value


LANGUAGE = Expects("a language, such as es or es-mx")
VOICE = Expects("hibari or espeak, with a voice or without, such as espeak:es")

Language = Annotated[str, AfterValidator(_language), LANGUAGE]
Voice = Annotated[str, AfterValidator(_voice), VOICE]
