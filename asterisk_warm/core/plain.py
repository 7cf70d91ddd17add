"""Words that may be somebody else's, made harmless for where they go."""

from __future__ import annotations

from unicodedata import combining

MARKS_AT_MOST = 4
"""On one letter; no script has more."""
_IN_QUOTES = str.maketrans({'"': "'", "\\": " ", "$": " ", "`": " "})


def quotable(text: str) -> str:
    """As it can stand between double quotes in a dialplan's expression or a shell's command."""
    return text.translate(_IN_QUOTES)


def few_marks(text: str) -> str:
    """Without floods of accents on one letter: they cover the lines around it, and to put thousands of them
    in order takes a third of a second."""
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if combining(char) else 0
        if marks <= MARKS_AT_MOST:
            kept.append(char)
    return "".join(kept)
