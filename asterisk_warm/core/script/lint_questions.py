"""What is wrong with questions, each by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.findings import Finding, error, warning
from asterisk_warm.core.script.matching import limited
from asterisk_warm.core.script.model import END, Kind, Question, Script
from asterisk_warm.core.script.reading import clean
from asterisk_warm.core.script.speaking import NAME, SCORE

_ID = re.compile(r"[a-z][a-z0-9_]*")
_SIZED = (Kind.NUMBER, Kind.DATE)
FARTHEST = 73_000
"""Days from today: two centuries."""


def questions(script: Script) -> Iterator[Finding]:
    ids = Counter(question.id for question in script.questions)
    texted = any(question.wording.text for question in script.questions)
    for question in script.questions:
        path = f"questions.{question.id}"
        if ids[question.id] > 1:
            yield error(path, "there are two questions of that id", "give each its own")
        yield from _id(path, question)
        yield from _wordings(path, question, texted=texted)
        yield from _limits(path, question)
        yield from _choices(path, question)
        if question.tries < 1 or not question.seconds > 0:
            yield error(path, "nobody could answer it", "tries must be at least 1, and seconds more than 0")


def _id(path: str, question: Question) -> Iterator[Finding]:
    if question.id in (END, NAME, SCORE):
        yield error(path, f"the id {question.id} means something else", f"call it e.g. the_{question.id}")
    elif not _ID.fullmatch(question.id):
        yield error(path, "this is not the id of a question", "write a-z, 0-9 and _, a letter first")


def _wordings(path: str, question: Question, *, texted: bool) -> Iterator[Finding]:
    """One text is for everybody: it is spoken and texted as it stands."""
    wording = question.wording
    if not wording.console.strip():
        yield error(f"{path}.say", "it has no words", "write how it is asked")
    if wording.by_channel and not wording.voice:
        yield warning(
            f"{path}.say",
            "it has no voice wording: on the phone the lead is asked what a qualifier reads",
            "write say.voice, or one text for everybody",
        )
    if texted and wording.by_channel and not wording.text:
        yield warning(f"{path}.say", "it has no text wording, as others have", "write say.text")


def _limits(path: str, question: Question) -> Iterator[Finding]:
    if question.kind not in _SIZED:
        if limited(question):
            yield warning(path, f"from and to mean nothing for a {question.kind}", "leave them out")
        return
    yield from limits(path, question.kind, question.least, question.most)


def limits(path: str, kind: Kind, least: float | None, most: float | None) -> Iterator[Finding]:
    """Of a question, or of a match that is about one of that kind."""
    if least is not None and most is not None and least > most:
        yield error(f"{path}.from", f"{least:g} is more than {most:g}: no answer will do", "exchange them")
    for name, limit in (("from", least), ("to", most)):
        if limit is not None and kind is Kind.DATE and not abs(limit) <= FARTHEST:
            yield error(f"{path}.{name}", f"{limit:g} days are too many", f"write at most {FARTHEST}")


def _choices(path: str, question: Question) -> Iterator[Finding]:
    if question.kind is not Kind.CHOICE:
        if question.choices:
            yield warning(
                f"{path}.choices", f"a {question.kind} has no choices", "ask: choice, or leave them out"
            )
        return
    if not question.choices:
        yield error(f"{path}.choices", "there is nothing to choose from", "write the answers there are")
    choices = offered(question)
    yield from _twice(path, "value", [clean(choice.value).casefold() for choice in choices])
    yield from _twice(path, "label", [clean(choice.label).casefold() for choice in choices])
    yield from _keys(path, question)
    for place, choice in enumerate(choices):
        if not choice.value or clean(choice.value) != choice.value or not clean(choice.label):
            yield error(
                f"{path}.choices[{place}]", "an answer needs a value and a label", "write both in one line"
            )
        if any(choice.value == other.key for other in choices if other is not choice):
            remedy = "give it that key, or name it otherwise"
            yield warning(
                f"{path}.choices[{place}].value", f"{choice.value} is the key of another answer", remedy
            )


def _twice(path: str, what: str, texts: list[str]) -> Iterator[Finding]:
    for place, text in enumerate(texts):
        if text in texts[:place]:
            yield error(
                f"{path}.choices[{place}].{what}", f"another answer has that {what}", f"change the {what}"
            )


def _keys(path: str, question: Question) -> Iterator[Finding]:
    keys = [choice.key for choice in offered(question)]
    for place, key in enumerate(keys):
        where = f"{path}.choices[{place}].key"
        if key in keys[:place]:
            yield error(where, f"another answer has the key {key}", "give each a digit of its own")
        if len(key) == 1 and key in "0123456789":
            continue
        if question.choices[place].key:
            yield error(where, f"{key!r} is no key of a telephone", "write one digit")
        else:
            yield warning(
                where,
                "it cannot be chosen on the phone: the keys are used up",
                "give at most 9 answers, or keys",
            )
