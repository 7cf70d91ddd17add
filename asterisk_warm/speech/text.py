"""Text as it may be spoken: one pure function between what people typed and what a speech engine reads."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from asterisk_warm.core.plain import few_marks

SPOKEN_LIMIT = 600
"""Characters of one line that are spoken; about forty seconds, more than any agent listens to."""
_DIGIT = 5  # characters that a digit counts for

_RAW_LIMIT = 10_000  # what is looked at: more than SPOKEN_LIMIT, because markup is taken out, yet bounded

_TAG = re.compile(r"</?[A-Za-z!?][^<>]*>")
_PRONUNCIATION = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")  # hibari reads [word](/phonemes/) as phonemes
_EXPRESSION = re.compile(r"\$(?:\{[^{}]*\}?|\[[^\[\]]*\]?)")  # ${VARIABLE}, ${FUNCTION(...)}, $[expression]
_NO_AMOUNT = re.compile(r"\$(?!\d)")
# A phone or policy number is read digit by digit, not as billions; a sum of money is not, if it can be one.
_LONG_NUMBER = re.compile(r"(?<![$€£¥\d])\d{7,}|\d{13,}")
_REPEATED_MARK = re.compile(r"([^\w\s])(?:\s*\1)+")
_SPACES = re.compile(r"\s+")

_AS_WORD = {"en": {"&": " and ", "@": " at "}, "es": {"&": " y ", "@": " arroba "}}
_UNSPOKEN = {"&": " ", "@": " "}
"""In other languages."""
_ALIKE = {"’": "'", "‘": "'", "–": "-", "—": "-", "…": "."}
_MARKS = frozenset(".,;:!?'-()/%+$")
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Sc"})  # letters, their accents, currency signs


@lru_cache(1024)
def speakable(text: str, language: str = "") -> str:
    """The part of `text` a speech engine may be given: one line of at most `SPOKEN_LIMIT` characters.

    Letters of every script, digits, currency signs and plain punctuation stay. Control characters, direction
    marks, emoji, double quotes, tags, `${...}`, backslashes and pronunciation markup go; "&" becomes "and",
    in the `language` (empty: English); long numbers are spaced so that they are read digit by digit. Text
    without a letter or a digit becomes "".
    """
    as_word = _AS_WORD.get(language.partition("-")[0] or "en", _UNSPOKEN)
    # Compatibility forms first: a full-width "＄｛" must not turn into "${" after that was looked for.
    text = unicodedata.normalize("NFKC", _visible(text[:_RAW_LIMIT]))[:_RAW_LIMIT]
    text = _until_stable(_TAG, " ", text)
    text = _until_stable(_PRONUNCIATION, r"\1", text)
    text = _until_stable(_EXPRESSION, " ", text)
    text = "".join(as_word.get(char) or _spoken(char) for char in text)
    text = _NO_AMOUNT.sub(" ", text)
    text = _LONG_NUMBER.sub(lambda number: " ".join(number[0]), text)
    text = _REPEATED_MARK.sub(r"\1", text)
    text = _shortened(_SPACES.sub(" ", text).strip())
    return text if any(char.isalnum() for char in text) else ""


def _visible(text: str) -> str:
    """Without format characters (direction marks, joiners): they could come between the parts of `${`; and
    with no more accents on a letter than any script has."""
    return few_marks("".join(char for char in text if unicodedata.category(char) != "Cf"))


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
    char = _ALIKE.get(char, char)
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return char if char in _MARKS or category in _KEPT else " "


def _shortened(text: str) -> str:
    fits = bisect_right([*accumulate(map(_length, text))], SPOKEN_LIMIT)
    if fits == len(text):
        return text
    head = text[:fits]
    if text[fits] != " " and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip()


def _length(char: str) -> int:
    """A digit is a word: a line of nothing else would be spoken for minutes."""
    return _DIGIT if char.isdigit() else 1
