"""What somebody answers, in its canonical form; or what is wrong with it, and what would do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from asterisk_warm.core.numbers import e164
from asterisk_warm.core.script.amounts import read_number
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.dates import later, read_date
from asterisk_warm.core.script.languages import NO, YES, date_words
from asterisk_warm.core.script.matching import measure, within
from asterisk_warm.core.script.model import Kind, Question, Script

TEXT_LIMIT = 2000
"""Characters of a free text."""
LIMIT = 300
"""Characters of any other answer as it is given."""


class BadAnswer(Exception):
    """An answer that cannot be taken."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.message = message
        """What is wrong."""
        self.remedy = remedy
        """What would do."""


@dataclass(frozen=True, slots=True)
class _Asked:
    script: Script
    question: Question
    on: str
    region: str

    @property
    def today(self) -> date:
        return date.fromisoformat(self.on)

    def allows(self, value: str) -> bool:
        size = measure(self.question, value, self.on)
        return size is None or within(self.question, size)


def read(script: Script, question: Question, text: str, *, on: str, region: str = "") -> str:
    """The answer in its canonical form. `on`: the local date now, ISO; `region`: as of `core.numbers.e164`.

    Raises BadAnswer."""
    text = clean(text)
    limit = TEXT_LIMIT if question.kind is Kind.TEXT else LIMIT
    if not text:
        raise BadAnswer("nothing was answered", "skip the question" if question.optional else "answer it")
    if len(text) > limit:
        raise BadAnswer(f"the answer has {len(text)} characters", f"at most {limit} will do")
    asked = _Asked(script, question, on, region)
    value = _KINDS[question.kind](asked, text)
    if not asked.allows(value):
        raise BadAnswer(f"{_quoted(text)} is out of range", f"it must be {_range(asked)}")
    return value


def valid(script: Script, question: Question, value: str, on: str) -> bool:
    """Is that an answer in its canonical form, within the limits?"""
    try:
        return read(script, question, value, on=on) == value
    except BadAnswer:
        return False


def clean(text: str) -> str:
    """In one line, without what controls a terminal, the direction of writing or half a character."""
    return " ".join("".join(map(_harmless, text)).split())


def _harmless(character: str) -> str:
    if character in _DIRECTIONS:
        return ""
    return " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character


_DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _choice(asked: _Asked, text: str) -> str:
    choices = offered(asked.question, asked.script.language)
    wanted = text.casefold()
    for names in (
        {clean(choice.value).casefold(): choice.value for choice in choices},
        {clean(choice.label).casefold(): choice.value for choice in choices},
        {choice.key: choice.value for choice in choices},
    ):
        if wanted in names:
            return names[wanted]
    labels = [clean(choice.label) for choice in choices]
    raise BadAnswer(f"{_quoted(text)} is none of the answers", f"they are {', '.join(labels)}")


def _yes_no(asked: _Asked, text: str) -> str:
    word = text.casefold().rstrip(".!")
    if word in YES or word == "1":
        return "yes"
    if word in NO or word == "2":
        return "no"
    raise BadAnswer(f"{_quoted(text)} is neither yes nor no", "answer yes or no")


def _number(asked: _Asked, text: str) -> str:
    try:
        return read_number(text, asked.script.language)
    except ValueError as error:
        raise BadAnswer(f"{_quoted(text)} {error}", "write it in digits, e.g. 12, 1200 or 12.50") from None


def _date(asked: _Asked, text: str) -> str:
    day = read_date(text, asked.script.date_order, asked.today, lambda day: asked.allows(day.isoformat()))
    if day is None:
        raise BadAnswer(f"{_quoted(text)} is no date", f"write it as {_AS_WRITTEN[asked.script.date_order]}")
    return day.isoformat()


_AS_WRITTEN = {
    "dmy": "25/12/2026 or 2026-12-25",
    "mdy": "12/25/2026 or 2026-12-25",
    "ymd": "2026-12-25",
}


def _text(asked: _Asked, text: str) -> str:
    return text


def _phone(asked: _Asked, text: str) -> str:
    number = e164(text, asked.region)
    if not number:
        raise BadAnswer(
            f"{_quoted(text)} is no telephone number", "write it with + and the code of its country"
        )
    return number


_ATOM = r"[^\s@\"<>()\[\],:;.\\]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+[^\W\d_]{{2,63}})")


def _email(asked: _Asked, text: str) -> str:
    found = _EMAIL.fullmatch(text)
    if found is None or len(found[1]) > 64 or len(text) > 254 or not text.isprintable():
        raise BadAnswer(f"{_quoted(text)} is no e-mail address", "write one like ana@example.com")
    return f"{found[1]}@{found[2].lower() if found[2].isascii() else found[2]}"


_KINDS: Mapping[Kind, Callable[[_Asked, str], str]] = {
    Kind.CHOICE: _choice,
    Kind.YESNO: _yes_no,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.TEXT: _text,
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
}


def _range(asked: _Asked) -> str:
    """The limits in words; those of a date as dates."""
    limits = (asked.question.least, asked.question.most)
    least, most = (None if limit is None else _limit(asked, limit) for limit in limits)
    if least and most:
        return f"from {least} to {most}"
    return f"{least} or more" if least else f"{most} or less"


def _limit(asked: _Asked, limit: float) -> str:
    if asked.question.kind is Kind.DATE:
        return date_words(later(asked.today, limit), asked.script.language)
    return f"{limit:.15g}"


def _quoted(text: str) -> str:
    """Short enough for a message."""
    return f"“{text if len(text) <= 40 else text[:39] + '…'}”"
