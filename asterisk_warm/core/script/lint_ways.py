"""What is wrong with the ways through a script that has no other error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.findings import Finding, error, warning
from asterisk_warm.core.script.model import Kind, Question, Script
from asterisk_warm.core.script.samples import ON
from asterisk_warm.core.script.scoring import rounded
from asterisk_warm.core.script.speaking import words
from asterisk_warm.core.script.telling import days_words, points_words
from asterisk_warm.core.script.ways import Way, Ways, ways


def all_ways(script: Script) -> Iterator[Finding]:
    found = ways(script)
    for question in script.questions:
        if question.id not in found.asked:
            yield error(
                f"questions.{question.id}", "no lead ever comes to it", "see the goto before it, and its when"
            )
    yield from _verdicts(script, found)
    yield from _cut(script, found)


def _verdicts(script: Script, found: Ways) -> Iterator[Finding]:
    if found.finished is None:
        yield error("questions", "every lead is knocked out", "leave one way to the end")
        return
    least, most = rounded(found.finished.least), rounded(found.finished.most)
    if most < script.ready:
        yield error(
            "verdicts.ready",
            f"no lead can be ready: the most is {points_words(most)}, needed are {script.ready:g}",
            f"{_way(script, found.finished)}: give more points, or lower it",
        )
    elif least >= script.ready and found.knocked is None:
        yield warning(
            "verdicts.ready",
            f"every lead is ready: the least is {points_words(least)}, needed are {script.ready:g}",
            "raise it, or give a knockout",
        )
    elif script.nurture <= least and script.nurture < script.ready and found.knocked is None:
        yield warning(
            "verdicts.nurture",
            f"no lead can be disqualified: the least is {points_words(least)}",
            "raise it, or give a knockout",
        )


def _cut(script: Script, found: Ways) -> Iterator[Finding]:
    """Ways on which a lead becomes ready by a `goto: end`, and something needed was not asked."""
    for place, question in enumerate(script.questions):
        way = found.cut.get(question.id)
        if way is None or rounded(way.most) < script.ready:
            continue
        left = [other.id for other in script.questions[place + 1 :] if not other.optional and not other.when]
        if left:
            yield warning(
                f"questions.{question.id}",
                f"a lead can be ready without having been asked {', '.join(left)}",
                f"{_way(script, way)}: lead on to them, or make them optional",
            )


def _way(script: Script, way: Way) -> str:
    """`owner yes, budget 1000, moving 30 days ahead`: the answers that lead there."""
    questions: dict[str, Question] = {question.id: question for question in script.questions}
    return ", ".join(
        f"{answer.question} {_said(questions[answer.question], answer) or 'skipped'}"
        for answer in way.answers
    )


def _said(question: Question, answer: Answer) -> str:
    """A date by its distance from the day of the answer: that is what counts, and which day it is nobody
    knows here."""
    if question.kind is Kind.DATE and answer.value:
        return days_words((date.fromisoformat(answer.value) - ON).days)
    return words(question, answer)
