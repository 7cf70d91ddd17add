"""Text as it may be spoken: one pure function between what people typed and what a speech engine reads."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SPOKEN_LIMIT = 600
"""Characters of one line that are spoken; about forty seconds, more than any agent listens to."""

_RAW_LIMIT = 10_000  # what is looked at: more than SPOKEN_LIMIT, because markup is taken out, yet bounded

_TAG = re.compile(r"</?[A-Za-z!?][^<>]*>")
_PRONUNCIATION = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")  # hibari reads [word](/phonemes/) as phonemes
_EXPRESSION = re.compile(r"\$(?:\{[^{}]*\}?|\[[^\[\]]*\]?)")  # ${VARIABLE}, ${FUNCTION(...)}, $[expression]
_NO_AMOUNT = re.compile(r"\$(?!\d)")
# A phone or policy number is read digit by digit, not as billions; a sum of money is not, if it can be one.
_LONG_NUMBER = re.compile(r"(?<![$€£¥\d])\d{7,}|\d{13,}")
_REPEATED_MARK = re.compile(r"([^\w\s])(?:\s*\1)+")
_SPACES = re.compile(r"\s+")

_AS_WORD = {"&": " and ", "@": " at "}
_ALIKE = {"’": "'", "‘": "'", "–": "-", "—": "-", "…": "."}
_MARKS = frozenset(".,;:!?'-()/%+$")
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Sc"})  # letters, their accents, currency signs


@lru_cache(1024)
def speakable(text: str) -> str:
    """The part of `text` a speech engine may be given: one line of at most `SPOKEN_LIMIT` characters.

    Letters of every script, digits, currency signs and plain punctuation stay. Control characters, direction
    marks, emoji, double quotes, tags, `${...}`, backslashes and pronunciation markup go; "&" becomes "and";
    long numbers are spaced so that they are read digit by digit. Text without a letter or a digit becomes "".
    """
    # Compatibility forms first: a full-width "＄｛" must not turn into "${" after that was looked for.
    text = unicodedata.normalize("NFKC", _visible(text[:_RAW_LIMIT]))
    text = _until_stable(_TAG, " ", text)
    text = _until_stable(_PRONUNCIATION, r"\1", text)
    text = _until_stable(_EXPRESSION, " ", text)
    text = "".join(_spoken(char) for char in text)
    text = _NO_AMOUNT.sub(" ", text)
    text = _LONG_NUMBER.sub(lambda number: " ".join(number[0]), text)
    text = _REPEATED_MARK.sub(r"\1", text)
    text = _shortened(_SPACES.sub(" ", text).strip())
    return text if any(char.isalnum() for char in text) else ""


def _visible(text: str) -> str:
    """Without format characters (direction marks, joiners): they could come between the parts of `${`."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _until_stable(pattern: re.Pattern[str], replacement: str, text: str) -> str:
    """Nested markup comes apart from the inside out. Deeper levels only lose their marks, in `_spoken`."""
    for _ in range(8):
        stripped = pattern.sub(replacement, text)
        if stripped == text:
            break
        text = stripped
    return text


def _spoken(char: str) -> str:
    """`char`, or what is said for it, or a space."""
    if char in _AS_WORD:
        return _AS_WORD[char]
    char = _ALIKE.get(char, char)
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return char if char in _MARKS or category in _KEPT else " "


def _shortened(text: str) -> str:
    if len(text) <= SPOKEN_LIMIT:
        return text
    head = text[:SPOKEN_LIMIT]
    if text[SPOKEN_LIMIT] != " " and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip()
