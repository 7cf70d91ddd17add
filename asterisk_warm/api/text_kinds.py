"""Readers of what people write: one line, several, a language, a word out of a list.

What is not seen, but belongs to a script or an emoji (joiners, marks of direction) is let through: texts that
are kept exactly need it, and what is spoken and shown the engine makes printable."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import category

from asterisk_warm.api.faults import Faults, shown
from asterisk_warm.api.kinds import Read, text
from asterisk_warm.core.handoff.options import LANGUAGE

LONGEST_LINE = 200
"""Characters of a name, a note, a reason."""


def line(longest: int = LONGEST_LINE, least: int = 0) -> Read:
    """One line, without spaces around it."""

    def read(given: object, pointer: str, faults: Faults) -> str | None:
        found = text(given, pointer, faults)
        if found is None:
            return None
        found = found.strip()
        if not least <= len(found) <= longest:
            faults.add(pointer, f"must have from {least} to {longest} characters, not {len(found)}")
        elif _has(("Cc", "Zl", "Zp"), found):
            faults.add(pointer, "must have no line ends and no control characters")
        else:
            return found
        return None

    return read


def prose(longest: int, least: int = 0) -> Read:
    """Text that may have several lines."""

    def read(given: object, pointer: str, faults: Faults) -> str | None:
        found = text(given, pointer, faults)
        if found is None:
            return None
        if not least <= len(found) <= longest:
            faults.add(pointer, f"must have from {least} to {longest} characters, not {len(found)}")
        elif _has(("Cc",), found, but="\n\r\t"):
            faults.add(pointer, "must have no control characters but line ends and tabs")
        else:
            return found
        return None

    return read


def _has(categories: tuple[str, ...], found: str, but: str = "") -> bool:
    """Unicode's: Cc are the control characters, Zl and Zp its own ends of lines and paragraphs."""
    return any(category(c) in categories and c not in but for c in found)


def word(what: str, known: Iterable[str]) -> Read:
    """One of a list; `what` says of what."""
    words = tuple(known)

    def read(given: object, pointer: str, faults: Faults) -> str | None:
        found = text(given, pointer, faults)
        if found is not None and found not in words:
            faults.unknown(what, pointer, found, words)
            return None
        return found

    return read


def language(given: object, pointer: str, faults: Faults) -> str | None:
    """Empty: unknown."""
    found = text(given, pointer, faults)
    if found and (len(found) > 35 or not LANGUAGE.fullmatch(found)):
        faults.add(pointer, f"{shown(found)} is not a language", "such as es or es-mx")
        return None
    return found
