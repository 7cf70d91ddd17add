"""Texts that others have chosen, and what a database keeps of them."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from operator import is_
from typing import Any, TypeVar, cast

T = TypeVar("T")

KEY_LENGTH = 200
"""Characters by which a row can be looked up: PostgreSQL indexes no text of more than 2.7 kB."""


def storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text, and no database half a character (a lone surrogate)."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def key(text: str) -> str:
    """What is stored, and looked for, of a text that is looked up."""
    return storable(text[:KEY_LENGTH])


def kept(value: T) -> T:
    """A record with what can be kept of each of its texts, however deep."""
    return cast(T, _kept(value))


def _kept(value: Any) -> Any:
    """The value itself, if all of it can be kept: most can."""
    if type(value) is str:
        return value if value.isascii() and "\0" not in value else storable(value)
    if isinstance(value, tuple):
        several = tuple(map(_kept, value))
        return value if all(map(is_, several, value)) else several
    if is_dataclass(value) and not isinstance(value, type):
        parts = [(name, getattr(value, name)) for name in value.__dataclass_fields__]
        changed = {name: new for name, part in parts if (new := _kept(part)) is not part}
        return replace(value, **changed) if changed else value
    return value
