"""Which answers a match means, and what follows from an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.model import Kind, Match, Question, Rule


def matches(question: Question, match: Match, answer: Answer) -> bool:
    """Is this answer to `question` one of those that are meant?"""
    if answer.skipped:
        return False
    if match.values and _named(match, answer):
        return True
    if not limited(match):
        return not match.values
    size = measure(question, answer.value, answer.on)
    return size is not None and within(match, size)


def _named(match: Match, answer: Answer) -> bool:
    value = answer.value.casefold()
    return bool(value) and any(value == named.casefold() for named in match.values)


def limited(what: Match | Question) -> bool:
    return what.least is not None or what.most is not None


def within(what: Match | Question, size: float) -> bool:
    """Is it within the limits, both inclusive?"""
    return (what.least is None or what.least <= size) and (what.most is None or size <= what.most)


def measure(question: Question, value: str, on: str) -> float | None:
    """What limits are about: a number, or of a date the days since the day of the answer; None: of nothing
    else. `value`: in its canonical form."""
    if question.kind is Kind.NUMBER:
        return float(value)
    if question.kind is Kind.DATE:
        return (date.fromisoformat(value) - date.fromisoformat(on)).days
    return None


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from one answer."""

    points: float
    knockout: str
    goto: str


def effect(question: Question, answer: Answer) -> Effect:
    return effect_of([rule for rule in question.rules if matches(question, rule.match, answer)])


def effect_of(rules: Sequence[Rule]) -> Effect:
    """Of those rules of a question that match."""
    return Effect(
        sum(rule.points for rule in rules),
        next((rule.knockout for rule in rules if rule.knockout), ""),
        next((rule.goto for rule in rules if rule.goto), ""),
    )
