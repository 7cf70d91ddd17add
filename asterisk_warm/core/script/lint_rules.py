"""What is wrong with what follows from answers, and with what is asked for by `when`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.findings import Finding, error, warning
from asterisk_warm.core.script.lint_questions import limits
from asterisk_warm.core.script.matching import limited
from asterisk_warm.core.script.model import END, Kind, Match, Question, Rule, Script
from asterisk_warm.core.script.reading import BadAnswer, read
from asterisk_warm.core.script.samples import ON, samples


def conditions(script: Script) -> Iterator[Finding]:
    earlier: dict[str, Question] = {}
    for question in script.questions:
        for id, match in question.when.items():
            path = f"questions.{question.id}.when.{id}"
            if id in earlier:
                yield from _match(script, path, earlier[id], match)
            elif script.question(id) is None:
                yield error(path, f"there is no question {id}", f"known before it: {_names(earlier)}")
            else:
                yield error(path, f"{id} is not asked before it", f"known before it: {_names(earlier)}")
        earlier[question.id] = question


def _names(known: Iterable[str]) -> str:
    return ", ".join(known) or "none"


def rules(script: Script) -> Iterator[Finding]:
    for place, question in enumerate(script.questions):
        later = {END, *(other.id for other in script.questions[place + 1 :])}
        for number, rule in enumerate(question.rules):
            path = f"questions.{question.id}.rules[{number}]"
            yield from _match(script, path, question, rule.match)
            yield from _follows(script, path, rule, later)
        yield from _shadowed(script, question)


def _follows(script: Script, path: str, rule: Rule, later: set[str]) -> Iterator[Finding]:
    if not isfinite(rule.points):
        yield error(f"{path}.points", "this is no number of points", "write e.g. 10")
    if rule.goto and rule.goto not in later:
        known = script.question(rule.goto) is not None
        why = "leads back, so that nobody would come to the end" if known else "there is no such question"
        yield error(f"{path}.goto", f"{rule.goto}: {why}", f"name a later question, or {END}")
    if rule.goto and rule.knockout:
        yield warning(f"{path}.goto", "a lead who is knocked out is asked nothing more", "leave goto out")
    if not rule.points and not rule.goto and not rule.knockout:
        yield warning(
            path, "nothing follows from it", "give it points, a knockout or a goto, or leave it out"
        )


def _match(script: Script, path: str, question: Question, match: Match) -> Iterator[Finding]:
    """What is wrong with a match that is about the answers to `question`."""
    for place, value in enumerate(match.values):
        yield from _value(script, f"{path}.is[{place}]", question, value)
    if not limited(match):
        return
    if question.kind not in (Kind.NUMBER, Kind.DATE):
        yield error(path, f"from and to mean nothing for a {question.kind}", "write is: and the answer")
    else:
        yield from limits(path, question.kind, match.least, match.most)


def _value(script: Script, path: str, question: Question, value: str) -> Iterator[Finding]:
    if question.kind is Kind.DATE:
        yield error(path, "a date is not told by its name", "write from and to, in days from today")
        return
    if question.kind in (Kind.CHOICE, Kind.YESNO):
        values = [choice.value for choice in offered(question)]
        if value not in values:
            yield error(
                path, f"{value} is no answer to {question.id}", f"the answers are {', '.join(values)}"
            )
        return
    try:
        as_kept = read(script, question, value, on=ON.isoformat())
    except BadAnswer as fault:
        yield error(path, f"no answer is like that: {fault.message}", fault.remedy)
        return
    if as_kept != value:
        yield error(path, f"the answer is kept as {as_kept}", f"write {as_kept}")


def _shadowed(script: Script, question: Question) -> Iterator[Finding]:
    """Rules that no answer meets, or whose goto or knockout never counts because of an earlier rule."""
    answers = samples(script, question, [])
    for number, rule in enumerate(question.rules):
        path = f"questions.{question.id}.rules[{number}]"
        met = [answer.rules for answer in answers if answer.rules[number]]
        if not met:
            yield warning(path, "no answer is like that", "change it, or leave it out")
            continue
        for what, earlier in _earlier(question.rules[:number], rule):
            if all(any(matched[place] for place in earlier) for matched in met):
                yield warning(
                    f"{path}.{what}", f"an earlier {what} always comes first", "put this rule before"
                )


def _earlier(before: Sequence[Rule], rule: Rule) -> Iterator[tuple[str, list[int]]]:
    """(`goto` or `knockout`, places of the earlier rules that have one too)."""
    if rule.knockout:
        yield "knockout", [place for place, one in enumerate(before) if one.knockout]
    if rule.goto and not rule.knockout:
        yield "goto", [place for place, one in enumerate(before) if one.goto or one.knockout]
