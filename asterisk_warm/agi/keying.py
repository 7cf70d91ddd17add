"""What was keyed, as an answer and in words to be read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from asterisk_warm.agi.phrases import phrase
from asterisk_warm.core.script.keyed import keyed
from asterisk_warm.core.script.languages import date_words
from asterisk_warm.core.script.model import Kind, Question, Script
from asterisk_warm.core.script.reading import BadAnswer, read

_WRONG = {
    Kind.CHOICE: "not-a-choice",
    Kind.YESNO: "not-a-choice",
    Kind.NUMBER: "not-a-number",
    Kind.DATE: "not-a-date",
    Kind.PHONE: "not-a-phone",
}
_MOST = {Kind.YESNO: 1, Kind.NUMBER: 16, Kind.DATE: 8, Kind.PHONE: 18}


@dataclass(frozen=True, slots=True)
class Read:
    text: str
    """The answer."""
    words: str = ""
    """To be read back; empty: that is not needed."""


class BadKeys(Exception):
    """No answer to that question."""

    def __init__(self, why: tuple[str, ...]) -> None:
        super().__init__(" ".join(why))
        self.why = why
        """What to tell the lead, a line each."""


def most_keys(question: Question) -> int:
    """With how many keys the answer is complete."""
    if question.kind is not Kind.CHOICE:
        return _MOST[question.kind]
    places = (str(place) for place in range(1, len(question.choices) + 1))
    return max(len(one.key or place) for one, place in zip(question.choices, places, strict=True))


def read_keys(script: Script, question: Question, keys: str, language: str, today: date) -> Read:
    """`language` is that of the words. Raises BadKeys."""
    try:
        text = keyed(question, keys, script.date_order)
        # A number of whichever country: what becomes of it, the engine says, which knows the region.
        if question.kind is Kind.PHONE:
            return Read(text, " ".join(keys))
        value = read(script, question, text, on=today.isoformat())
    except BadAnswer as bad:
        raise BadKeys(wrong(question, language)) from bad
    if question.kind is Kind.DATE:
        return Read(value, date_words(date.fromisoformat(value), language))
    return Read(value, value if question.kind is Kind.NUMBER else "")


def wrong(question: Question, language: str) -> tuple[str, ...]:
    """What is wrong with an answer that cannot be, and what would do."""
    lines = [phrase(_WRONG.get(question.kind, "not-taken"), language)]
    if question.kind is Kind.NUMBER:
        lines += _limits(question, language)
    return tuple(lines)


def _limits(question: Question, language: str) -> list[str]:
    least, most = (None if limit is None else f"{limit:g}" for limit in (question.least, question.most))
    if least is not None and most is not None:
        return [phrase("between", language, least=least, most=most)]
    if least is not None:
        return [phrase("at-least", language, least=least)]
    return [phrase("at-most", language, most=most)] if most is not None else []
