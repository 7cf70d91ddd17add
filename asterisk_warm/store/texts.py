"""Texts that others have chosen, and what a database keeps of them."""

from __future__ import annotations


def storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text, and no database half a character (a lone surrogate)."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
