"""The digits of a telephone, as an answer in writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from asterisk_warm.core.script.amounts import DECIMALS
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.model import Kind, Question
from asterisk_warm.core.script.reading import BadAnswer

POINT = "*"
"""The key for the decimal point."""
_PARTS = {"d": "two for the day", "m": "two for the month", "y": "four for the year"}


@dataclass(frozen=True, slots=True)
class _Keyed:
    question: Question
    digits: str
    date_order: str


def keyed(question: Question, digits: str, date_order: str) -> str:
    """What to `take` for these digits (a `#` at their end is left out): a choice or yes or no by its key, a
    number with `*` as the decimal point, a date in that order (dmy, mdy, ymd), a telephone number (`*` for
    `+`).

    Raises BadAnswer: also for what is spoken, not keyed."""
    digits = digits.strip().removesuffix("#")
    if not digits:
        raise BadAnswer("no key was pressed", "press the keys of the answer")
    if not all(key in "0123456789*" for key in digits):
        raise BadAnswer("those are no keys of an answer", "press digits")
    return _KINDS[question.kind](_Keyed(question, digits, date_order))


def _choice(keyed: _Keyed) -> str:
    choices = {choice.key: choice.value for choice in offered(keyed.question)}
    if keyed.digits not in choices:
        raise BadAnswer(f"key {keyed.digits[:10]} is none of the answers", f"press {', '.join(choices)}")
    return choices[keyed.digits]


def _number(keyed: _Keyed) -> str:
    whole, point, decimals = keyed.digits.partition(POINT)
    if POINT in decimals or (point and not 1 <= len(decimals) <= DECIMALS):
        raise BadAnswer(
            "that is no number", f"press * once, for the point, and then at most {DECIMALS} more digits"
        )
    return f"{whole or '0'}.{decimals}" if point else whole


def _date(keyed: _Keyed) -> str:
    lengths = {"d": 2, "m": 2, "y": len(keyed.digits) - 4}
    parts, place = {}, 0
    for part in keyed.date_order:
        parts[part] = keyed.digits[place : place + lengths[part]]
        place += lengths[part]
    if not keyed.digits.isdigit() or len(keyed.digits) not in (6, 8):
        raise _bad_date(keyed)
    if len(keyed.digits) == 6:
        return "/".join(parts[part] for part in keyed.date_order)
    try:
        return date(int(parts["y"]), int(parts["m"]), int(parts["d"])).isoformat()
    except ValueError:
        raise _bad_date(keyed) from None


def _bad_date(keyed: _Keyed) -> BadAnswer:
    return BadAnswer("that is no date", "press " + ", ".join(_PARTS[part] for part in keyed.date_order))


def _phone(keyed: _Keyed) -> str:
    plus, number = ("+", keyed.digits[1:]) if keyed.digits.startswith("*") else ("", keyed.digits)
    if not number.isdigit():
        raise BadAnswer("that is no telephone number", "press its digits")
    return plus + number


def _spoken(keyed: _Keyed) -> str:
    raise BadAnswer("this answer is spoken", "say it after the tone")


_KINDS: Mapping[Kind, Callable[[_Keyed], str]] = {
    Kind.CHOICE: _choice,
    Kind.YESNO: _choice,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.PHONE: _phone,
    Kind.TEXT: _spoken,
    Kind.EMAIL: _spoken,
}
