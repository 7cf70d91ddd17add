"""The lead's name and number as phones are to show them: whatever a caller sends, nothing in it acts."""

from __future__ import annotations

from asterisk_warm.core.plain import few_marks
from asterisk_warm.engine.ports.calls import Shown

NAME_LIMIT, NUMBER_LIMIT = 60, 32
_UNSAFE = frozenset('"\\<>{}$`;|%')
"""Characters that could end a quoted string, start a substitution or look like an address."""


def shown_name(name: str) -> str:
    """Printable, one line, at most 60 characters, without quotes, brackets, substitution marks and floods of
    accents."""
    kept = "".join(c if c.isprintable() and c not in _UNSAFE else " " for c in name[: NAME_LIMIT * 4])
    return " ".join(few_marks(kept).split())[:NAME_LIMIT].strip()


def shown_number(number: str) -> str:
    """Only what can stand in a number: letters, digits, + * # - . _"""
    kept = "".join(c for c in number if c.isascii() and (c.isalnum() or c in "+*#-._"))
    return kept[:NUMBER_LIMIT]


def party(shown: Shown) -> str:
    """Both, as CALLERID(all) and CONNECTEDLINE(all) read them."""
    return f'"{shown_name(shown.name)}" <{shown_number(shown.number)}>'


def literal(value: str) -> str:
    """A value for the dialplan function ARRAY, in which some characters would part or group values."""
    return "".join(f"\\{c}" if c in _PARTING else c for c in value)


_PARTING = frozenset('\\",()[]')
