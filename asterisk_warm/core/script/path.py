"""The way through a script that the answers so far have led."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.matching import Effect, effect, matches
from asterisk_warm.core.script.model import END, Question, Script


@dataclass(frozen=True, slots=True)
class Step:
    question: Question
    answer: Answer
    effect: Effect


@dataclass(frozen=True, slots=True)
class Path:
    """An answer that is not on it does not count."""

    steps: tuple[Step, ...]
    next: Question | None
    """What is to be asked now; None: nothing is left."""
    knockout: str = ""
    """Why the lead is disqualified, whatever else they would answer; empty: they are not."""


def walked(script: Script, answers: Sequence[Answer]) -> Path:
    """Where the answers have led. It ends: from each question it goes on to a later one."""
    latest = {answer.question: answer for answer in answers}
    steps: dict[str, Step] = {}
    place = 0
    while place < len(script.questions):
        question = script.questions[place]
        if not asked(question, steps):
            place += 1
            continue
        answer = latest.get(question.id)
        if answer is None:
            return Path(tuple(steps.values()), question)
        step = steps[question.id] = Step(question, answer, effect(question, answer))
        if step.effect.knockout:
            return Path(tuple(steps.values()), None, step.effect.knockout)
        place = following(script, place, step.effect.goto)
    return Path(tuple(steps.values()), None)


def asked(question: Question, steps: Mapping[str, Step]) -> bool:
    """Does its `when` hold after these steps?"""
    return all(
        (step := steps.get(id)) is not None and matches(step.question, match, step.answer)
        for id, match in question.when.items()
    )


def following(script: Script, place: int, goto: str) -> int:
    """The place of what comes after the question in `place`, from 0; a `goto` that does not lead forward
    leads to the next one."""
    if goto == END:
        return len(script.questions)
    later = (there for there in range(place + 1, len(script.questions)) if script.questions[there].id == goto)
    return next(later, place + 1)
