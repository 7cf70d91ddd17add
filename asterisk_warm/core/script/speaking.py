"""What is asked and what was answered, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.languages import date_words, yes_no
from asterisk_warm.core.script.model import Channel, Kind, Question, Script
from asterisk_warm.core.script.path import Step
from asterisk_warm.core.script.reading import clean
from asterisk_warm.core.wording import fill

LONGEST = 200
"""Characters of one answer in a summary; it is to be spoken."""
NAME, SCORE = "name", "score"
"""What templates know beside the questions."""


def wording(question: Question, channel: Channel) -> str:
    """How it is asked there; texts have a wording of their own, everything else in writing shares one."""
    own = {Channel.VOICE: question.wording.voice, Channel.TEXT: question.wording.text}
    return own.get(channel) or question.wording.console


def words(question: Question, answer: Answer, language: str = "") -> str:
    """The answer as it is shown and spoken; empty when it was skipped, or is only recorded."""
    return say(question, answer.value, language)


def say(question: Question, value: str, language: str = "") -> str:
    """A canonical answer as it is shown and spoken: `12 March 2026`. What this version of the script does not
    know stays as it is."""
    if question.kind is Kind.YESNO:
        return dict(zip(("yes", "no"), yes_no(language), strict=True)).get(value, value).lower()
    if question.kind is Kind.CHOICE:
        return next((choice.label for choice in offered(question) if choice.value == value), value)
    if question.kind is Kind.DATE and value:
        return date_words(date.fromisoformat(value), language)
    return value


def templated(script: Script, steps: Iterable[Step], name: str, score: float) -> tuple[str, str]:
    """The one-line why, and the details; both may be empty."""
    steps = tuple(steps)
    values = {step.question.id: _short(words(step.question, step.answer, script.language)) for step in steps}
    values |= {NAME: name, SCORE: f"{score:g}"}
    details = fill(script.details, values) if script.details else _each(steps, values)
    return fill(script.summary, values), details


def _each(steps: Iterable[Step], values: Mapping[str, str]) -> str:
    said = ((clean(step.question.wording.console), values[step.question.id]) for step in steps)
    return " ".join(f"{asked} {_sentence(answer)}" for asked, answer in said if answer)


def _sentence(text: str) -> str:
    first = text[0].upper() + text[1:]
    return first if first[-1] in ".!?…" else f"{first}."


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
