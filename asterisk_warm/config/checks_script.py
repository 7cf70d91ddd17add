"""What is wrong between settings of a script that are each well formed.

Answers that are written in `is` and `when` become what is kept of such an answer, so that they can be
compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from asterisk_warm.config.errors import KeyPath, dotted, shown
from asterisk_warm.config.values import nearest
from asterisk_warm.config.written import Written
from asterisk_warm.core.script.languages import NO, YES

_MEASURED = ("number", "date")
_QUESTIONS: KeyPath = ("questions",)


def check(written: Written) -> None:
    """Report to the source of ``written``, a script that is written out."""
    for id in written.mapping(_QUESTIONS):
        path = (*_QUESTIONS, id)
        kind = written.value((*path, "ask"))
        _limits(written, path)
        if isinstance(kind, str) and written.sound(path, (*path, "ask")):
            _of_kind(written, path, kind)
        _twice(written, path)
        for match, of, its_kind in _matches(written, path):
            _limits(written, match)
            _answers(written, match, of, its_kind)


def _matches(written: Written, path: KeyPath) -> Iterator[tuple[KeyPath, KeyPath, str]]:
    """Where answers are meant: the place, the question that they answer, and its kind."""
    rules = written.value((*path, "rules"))
    places = [
        ((*path, "rules", index), path) for index in range(len(rules) if isinstance(rules, list) else 0)
    ]
    places += [((*path, "when", id), (*_QUESTIONS, id)) for id in written.mapping((*path, "when"))]
    for place, of in places:
        kind = written.value((*of, "ask"))
        if isinstance(kind, str) and written.sound(place, of, (*of, "ask")):
            yield place, of, kind


def _limits(written: Written, path: KeyPath) -> None:
    least, most = (written.value((*path, name)) for name in ("from", "to"))
    if not written.sound(path, (*path, "from"), (*path, "to")):
        return
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        first: KeyPath = (*path, "from")
        message = f"{dotted(first)} ({least:g}) is more than to ({most:g})"
        written.report(first, message, expected="from of at most to")


def _of_kind(written: Written, path: KeyPath, kind: str) -> None:
    """Nobody writes what his kind of question has no use for."""
    choices: KeyPath = (*path, "choices")
    if kind == "choice" and not written.value(choices) and written.sound(choices):
        message = f"{dotted(path)}: there is nothing to choose from"
        written.report_name(path, message, expected="choices, each a value with a label")
    elif kind != "choice" and written.value(choices):
        message = f"{dotted(choices)} mean nothing where {kind} is asked for"
        written.report_name(choices, message, expected="ask: choice")
    _unmeasured(written, path, kind)


def _unmeasured(written: Written, path: KeyPath, kind: str) -> None:
    for name in ("from", "to"):
        limit: KeyPath = (*path, name)
        if kind not in _MEASURED and written.value(limit) is not None:
            message = f"{dotted(limit)} means nothing for {kind}"
            written.report_name(limit, message, expected="a question whose ask is number or date")


def _twice(written: Written, path: KeyPath) -> None:
    """A value, and a key that is written, stand for one choice."""
    for name in ("value", "key"):
        seen: dict[str, int] = {}
        for index, choice in _choices(written, path):
            place: KeyPath = (*path, "choices", index, name)
            said = choice.get(name)
            if said is None or not written.sound(place):
                continue
            if str(said) in seen:
                message = f"{dotted(place)}: {shown(str(said))} is that of choices[{seen[str(said)]}] already"
                written.report(place, message, expected=f"a {name} of its own for each")
            seen.setdefault(str(said), index)


def _choices(written: Written, path: KeyPath) -> Iterator[tuple[int, dict[str, object]]]:
    choices = written.value((*path, "choices"))
    for index, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            yield index, choice


def _answers(written: Written, match: KeyPath, of: KeyPath, kind: str) -> None:
    _unmeasured(written, match, kind)
    if not written.sound((*match, "is"), (*of, "choices")):
        return
    answers = written.value((*match, "is"))
    choices = _choices(written, of) if kind == "choice" else ()
    known = [str(choice.get("value")) for _, choice in choices]
    for index, answer in enumerate(answers if isinstance(answers, list) else ()):
        path: KeyPath = (*match, "is", index)
        if not isinstance(answer, str) or not written.sound(path):
            continue
        if kind == "choice" and known and answer not in known:
            _none_of(written, path, answer, known)
        elif kind in _KEPT and _KEPT[kind](answer) is None:
            message = f"{dotted(path)}: {shown(answer)} is no answer to {kind}"
            written.report(path, message, expected=_EXPECTED[kind])


def _none_of(written: Written, path: KeyPath, answer: str, known: Sequence[str]) -> None:
    likely = None if written.source.is_full else nearest(answer, known)
    message = f"{dotted(path)}: {shown(answer)} is none of the choices"
    written.report(path, message, expected=", ".join(known[:10]), suggestion=likely)


def kept(kind: str, answer: str) -> str:
    """Return an answer, which is none that `check` has reported, as it is kept."""
    return (_KEPT[kind](answer) if kind in _KEPT else None) or answer


def _yes_no(answer: str) -> str | None:
    word = answer.casefold()
    if word in YES or word == "on":
        return "yes"
    return "no" if word in NO or word == "off" else None


def _number(answer: str) -> str | None:
    try:
        number = Decimal(answer.replace("_", ""))
    except InvalidOperation:
        return None
    return f"{number.normalize() + 0:f}" if number.is_finite() and abs(number.adjusted()) < 16 else None


def _date(answer: str) -> str | None:
    try:
        return date.fromisoformat(answer).isoformat()
    except ValueError:
        return None


_KEPT: Mapping[str, Callable[[str], str | None]] = {"yesno": _yes_no, "number": _number, "date": _date}
_EXPECTED = {
    "yesno": "yes or no",
    "number": "a plain decimal number, or from and to",
    "date": 'a date in quotes, such as "2026-01-31", or from and to in days from today',
}
