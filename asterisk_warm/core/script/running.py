"""A script at work: what is asked next, and what becomes of an answer. A qualification is nothing but its
answers; everything else follows from them."""

from __future__ import annotations

from collections.abc import Sequence

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.model import Channel, Kind, Question, Script
from asterisk_warm.core.script.path import walked
from asterisk_warm.core.script.reading import BadAnswer, read, valid
from asterisk_warm.core.script.scoring import outcome
from asterisk_warm.core.script.speaking import say, wording, words

__all__ = [
    "BadAnswer",
    "back",
    "carry",
    "next_question",
    "offered",
    "outcome",
    "read",
    "say",
    "since",
    "skip",
    "take",
    "wording",
    "words",
]

_RECORDABLE = (Kind.TEXT, Kind.EMAIL)
_DAY = 86400.0


def next_question(script: Script, answers: Sequence[Answer]) -> Question | None:
    """What is to be asked now; None: nothing is left, or the lead is knocked out."""
    return walked(script, answers).next


def take(
    script: Script,
    answers: Sequence[Answer],
    question: Question,
    text: str,
    *,
    at: float,
    on: str,
    by: str,
    channel: Channel,
    asked: str,
    recording: str = "",
    region: str = "",
) -> tuple[Answer, ...]:
    """The answers with one more, to any question of the script: what was answered before it was asked counts
    once the path comes there. With a `recording`, free text and e-mail addresses may be empty. `on`,
    `region`: as of `reading.read`.

    Raises BadAnswer."""
    recorded = bool(recording) and question.kind in _RECORDABLE and not text.strip()
    value = "" if recorded else read(script, question, text, on=on, region=region)
    answer = Answer(question.id, value, at, on, by, channel, asked, recording=recording)
    return (*answers, answer)


def skip(
    script: Script,
    answers: Sequence[Answer],
    question: Question,
    *,
    at: float,
    on: str,
    by: str,
    channel: Channel,
    asked: str,
    no_answer: bool = False,
) -> tuple[Answer, ...]:
    """The answers with that question skipped; `no_answer`: not on purpose. Raises BadAnswer where it may not
    be."""
    if not question.optional:
        raise BadAnswer("this question cannot be skipped", "answer it")
    skipped = Answer(question.id, "", at, on, by, channel, asked, skipped=True, no_answer=no_answer)
    return (*answers, skipped)


def back(script: Script, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers without the one given last of those that count, whose question is thereby asked again; as
    they were when there is none."""
    counting = {id(step.answer): step.question.id for step in walked(script, answers).steps}
    last = next((counting[id(answer)] for answer in reversed(answers) if id(answer) in counting), None)
    return tuple(answer for answer in answers if answer.question != last)


def since(script: Script, answers: Sequence[Answer]) -> float | None:
    """When the oldest of the answers that count was given: what they amount to is no younger. None: none
    does."""
    return min((step.answer.at for step in walked(script, answers).steps), default=None)


def carry(
    script: Script, earlier: Sequence[Answer], at: float, *, skipped: bool = False
) -> tuple[Answer, ...]:
    """What of an earlier qualification need not be asked again: each question's latest answer, if there is
    still such a question, the answer will do for it, and it is young enough at `at`. A skipped question is
    asked, unless what was `skipped` stays so."""
    latest = {answer.question: answer for answer in earlier}
    return tuple(answer for answer in latest.values() if _still(script, answer, at, skipped=skipped))


def _still(script: Script, answer: Answer, at: float, *, skipped: bool) -> bool:
    question = script.question(answer.question)
    if question is None or at - answer.at > script.valid_days * _DAY:
        return False
    if answer.skipped:
        return skipped and question.optional
    if not answer.value:
        return bool(answer.recording) and question.kind in _RECORDABLE
    return valid(script, question, answer.value, answer.on)
