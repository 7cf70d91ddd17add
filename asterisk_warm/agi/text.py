"""Text on its way into a channel: as a quoted word of an AGI command, and as words a dialplan may handle."""

from __future__ import annotations

from collections.abc import Iterable

WORDS_AT_MOST = 240
"""Characters of words that came from outside."""
VALUE_AT_MOST = 1600
"""Bytes of one value, quoted. Asterisk 16 reads a command into 2048 bytes, and what is longer is cut off
(measured)."""

_ACTS = frozenset('"\\<>{}[]$`;|&%')
"""Characters that may end a string or start a substitution, wherever a dialplan puts the words."""


def clean(text: str, at_most: int = WORDS_AT_MOST) -> str:
    """One line of printable words: whatever was written, nothing in it acts in a dialplan or a shell."""
    kept = "".join(c if c.isprintable() and c not in _ACTS else " " for c in text[: at_most * 4])
    return " ".join(kept.split())[:at_most].strip()


def quoted(value: str) -> str:
    """One word of a command, as Asterisk's parser reads it: between double quotes, with backslashes. Control
    characters become spaces; what is longer than VALUE_AT_MOST is cut off."""
    word = ""
    size = 0
    for char in value:
        safe = _escaped(char)
        size += len(safe.encode())
        if size > VALUE_AT_MOST:
            break
        word += safe
    return f'"{word}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    # Line ends of every kind, and halves of characters, which have no bytes.
    return char if char.isprintable() else " "


def listed(items: Iterable[str], parted_by: str = ",", at_most: int = 1000) -> str:
    """As many of the items as go into that many bytes, never a part of one."""
    line = ""
    for item in items:
        longer = f"{line}{parted_by}{item}" if line else item
        if len(longer.encode()) > at_most:
            break
        line = longer
    return line
