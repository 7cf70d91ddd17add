"""What is written where in the picture of a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from asterisk_warm.core.script.graph_text import wrapped
from asterisk_warm.core.script.model import END, Kind, Question, Rule, Script
from asterisk_warm.core.script.samples import samples
from asterisk_warm.core.script.telling import match_words, points_words

SIZE = 12.0
"""Of the text, in pixels, as everything here."""
LINE = 16.0
PAD = 10.0
BOX, SIDE, LABEL = 360.0, 220.0, 150.0
"""Widths of a question, of an end, and of what is written beside an arrow."""
_MOST = 10
"""Rules with points that are listed."""


class Look(StrEnum):
    QUESTION = "question"
    SOMETIMES = "sometimes"
    """A question that is asked only of some."""
    END = "end"
    READY = "ready"
    NURTURE = "nurture"
    DISQUALIFIED = "disqualified"


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """Where some answers lead."""

    to: str
    """A later question, END, or why they knock out."""
    label: tuple[str, ...]
    """Those answers."""


def lines(text: str, room: float, most: int, *, bold: bool = False) -> tuple[Text, ...]:
    """In a box of that width."""
    return tuple(Text(line, bold) for line in wrapped(text, SIZE, room - 2 * PAD, most, bold=bold))


def height(texts: tuple[Text, ...]) -> float:
    return LINE * len(texts) + 2 * PAD


def question_lines(script: Script, question: Question) -> tuple[Text, ...]:
    kind = "yes or no" if question.kind is Kind.YESNO else str(question.kind)
    optional = ", may be skipped" if question.optional else ""
    scored = [rule for rule in question.rules if rule.points]
    texts = [
        *_conditions(script, question),
        *(f"{match_words(question, rule.match)}: {points_words(rule.points)}" for rule in scored[:_MOST]),
        *([f"and {len(scored) - _MOST} more with points"] if len(scored) > _MOST else []),
    ]
    return (
        *lines(f"{question.id} ({kind}{optional})", BOX, 2, bold=True),
        *lines(question.wording.console, BOX, 4),
        *(line for text in texts for line in lines(text, BOX, 1)),
    )


def _conditions(script: Script, question: Question) -> Iterator[str]:
    for id, match in question.when.items():
        yield f"only if {id} is {match_words(script.question(id), match)}"


def verdict_lines(script: Script) -> Mapping[Look, tuple[Text, ...]]:
    """Of the verdicts that the score can give."""
    texts = {Look.READY: ("ready", f"from {script.ready:g} points")}
    if script.nurture < script.ready:
        texts[Look.NURTURE] = ("nurture", f"from {script.nurture:g} points")
    texts[Look.DISQUALIFIED] = ("disqualified", script.below)
    return {
        look: (*lines(name, SIDE, 1, bold=True), *lines(why, SIDE, 3)) for look, (name, why) in texts.items()
    }


def knockouts(question: Question) -> list[Branch]:
    return _branches(question, ((rule.knockout, rule) for rule in question.rules))


def jumps(script: Script, place: int) -> list[Branch]:
    """Where the question in that place leads to, beside the next one."""
    question, later = script.questions[place], {END, *(other.id for other in script.questions[place + 1 :])}
    return _branches(
        question,
        ((rule.goto, rule) for rule in question.rules if rule.goto in later and not rule.knockout),
    )


def _branches(question: Question, rules: Iterable[tuple[str, Rule]]) -> list[Branch]:
    answers: dict[str, list[str]] = {}
    for to, rule in rules:
        if to:
            answers.setdefault(to, []).append(match_words(question, rule.match))
    return [Branch(to, tuple(wrapped(", ".join(some), SIZE, LABEL - PAD, 2))) for to, some in answers.items()]


def goes_on(script: Script, place: int) -> bool:
    """Is the next question asked after some answer, or when this one is not asked?"""
    question = script.questions[place]
    leading = {branch.to for branch in jumps(script, place)}
    effects = [sample.effect for sample in samples(script, question, [])]
    return bool(question.when) or any(
        not effect.knockout and effect.goto not in leading for effect in effects
    )
