"""Scripts for tests, in few words."""

from __future__ import annotations

from typing import Any

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.model import (
    Channel,
    Choice,
    Kind,
    Match,
    Question,
    Rule,
    Script,
    Wording,
)
from asterisk_warm.core.script.running import skip, take

ON = "2026-11-28"
AT = 1_795_000_000.0
ANY = Match()


def ask(id: str, kind: Kind, *rules: Rule, **more: Any) -> Question:
    return Question(id, kind, more.pop("wording", Wording(f"What about {id}?")), rules=rules, **more)


def yesno(id: str, *rules: Rule, **more: Any) -> Question:
    return ask(id, Kind.YESNO, *rules, **more)


def choice(id: str, labels: dict[str, str], *rules: Rule, **more: Any) -> Question:
    choices = tuple(Choice(value, label) for value, label in labels.items())
    return ask(id, Kind.CHOICE, *rules, choices=choices, **more)


def number(id: str, *rules: Rule, **more: Any) -> Question:
    return ask(id, Kind.NUMBER, *rules, **more)


def on(*values: str, least: float | None = None, most: float | None = None, **follows: Any) -> Rule:
    return Rule(Match(values, least, most), **follows)


def script(*questions: Question, **more: Any) -> Script:
    told = {"id": "insurance", "name": "Insurance", "ready": 0.0, "nurture": 0.0, "summary": "{name}"} | more
    return Script(questions=questions, **told)


def answered(script: Script, **given: str | None) -> tuple[Answer, ...]:
    """One after the other; None: skipped."""
    answers: tuple[Answer, ...] = ()
    for id, text in given.items():
        answers = one_more(script, answers, id, text)
    return answers


def one_more(
    script: Script, answers: tuple[Answer, ...], id: str, text: str | None, **more: Any
) -> tuple[Answer, ...]:
    question = script.question(id)
    assert question is not None
    told: dict[str, Any] = {"at": AT, "on": ON, "by": "lead", "channel": Channel.VOICE, "asked": "…?"} | more
    if text is None:
        return skip(script, answers, question, **told)
    return take(script, answers, question, text, **told)
