"""The answers to a question from which different things follow: one of each kind stands for all the
others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import isfinite

from asterisk_warm.core.script.amounts import DECIMALS
from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.matching import Effect, effect_of, matches
from asterisk_warm.core.script.model import Channel, Kind, Match, Question, Script
from asterisk_warm.core.script.reading import valid

ON = date(2000, 1, 1)
"""The day on which samples are given; dates are matched by their distance from it."""
_ANYTHING = {
    Kind.TEXT: ("anything", "something"),
    Kind.PHONE: ("+12025550123", "+12025550124"),
    Kind.EMAIL: ("ana@example.com", "ben@example.com"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    answer: Answer
    effect: Effect
    rules: tuple[bool, ...]
    """Which of the question's rules it matches."""
    about: tuple[bool, ...]
    """Which of the matches that were asked about mean it."""


def samples(script: Script, question: Question, about: Sequence[Match]) -> tuple[Sample, ...]:
    """One answer for each combination of `about` and the question's rules that an answer can match."""
    found: dict[tuple[bool, ...], Sample] = {}
    everything = [*(rule.match for rule in question.rules), *about]
    count = len(question.rules)
    for answer in _answers(script, question, everything):
        matched = tuple([matches(question, match, answer) for match in everything])
        if matched not in found:
            followed = [rule for rule, holds in zip(question.rules, matched, strict=False) if holds]
            found[matched] = Sample(answer, effect_of(followed), matched[:count], matched[count:])
    return tuple(found.values())


def _answers(script: Script, question: Question, about: Sequence[Match]) -> Iterator[Answer]:
    named = [value for match in about for value in match.values if _kept(script, question, value)]
    for value in dict.fromkeys(_values(question, named, about)):
        if _kept(script, question, value):
            yield _answer(question, value)
    if question.optional:
        yield _answer(question, "", skipped=True)


def _kept(script: Script, question: Question, value: str) -> bool:
    return valid(script, question, value, ON.isoformat())


def _answer(question: Question, value: str, *, skipped: bool = False) -> Answer:
    asked = question.wording.console
    return Answer(question.id, value, 0.0, ON.isoformat(), "lead", Channel.API, asked, skipped=skipped)


def _values(question: Question, named: Sequence[str], about: Sequence[Match]) -> Iterable[str]:
    if question.kind in _WRITTEN:
        return map(_WRITTEN[question.kind], _edges(question, named, about))
    if question.kind in _ANYTHING:
        return [*named, *_ANYTHING[question.kind]]
    return [choice.value for choice in offered(question)]


def _amount(hundredths: int) -> str:
    return format(Decimal(hundredths).scaleb(-DECIMALS).normalize(), "f")


def _day(days: int) -> str:
    return (ON + timedelta(days=max(-(10**5), min(days, 10**6)))).isoformat()


_WRITTEN: Mapping[Kind, Callable[[int], str]] = {Kind.NUMBER: _amount, Kind.DATE: _day}


def _edges(question: Question, named: Iterable[str], about: Iterable[Match]) -> Iterator[int]:
    """Beside, at and beyond each limit, in the smallest steps that an answer can have: between two limits
    nothing changes."""
    scale = 10**DECIMALS if question.kind is Kind.NUMBER else 1
    limited: list[Question | Match] = [question, *about]
    limits = [limit for what in limited for limit in (what.least, what.most)]
    if question.kind is Kind.NUMBER:
        limits += [float(value) for value in named]
    for limit in (0.0, *limits):
        if limit is not None and isfinite(limit):
            step = round(limit * scale)
            yield from (step, step - 1, step + 1)
