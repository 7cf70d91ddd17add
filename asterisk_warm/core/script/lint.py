"""What is wrong with a script: all of it at once, each with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from asterisk_warm.core.script.dates import ORDERS
from asterisk_warm.core.script.findings import Finding, Severity, error, warning
from asterisk_warm.core.script.lint_questions import questions
from asterisk_warm.core.script.lint_rules import conditions, rules
from asterisk_warm.core.script.lint_ways import all_ways
from asterisk_warm.core.script.model import Script
from asterisk_warm.core.script.speaking import NAME, SCORE
from asterisk_warm.core.wording import TemplateError, placeholders

__all__ = ["Finding", "Severity", "lint"]


def lint(script: Script) -> Sequence[Finding]:
    """Everything that is wrong, in the order in which it is written. Which ways lead where is looked at
    only if there is no error beside: what follows from one would be a riddle. Takes a fraction of a second
    at most."""
    found = [*_whole(script), *questions(script), *conditions(script), *rules(script), *_templates(script)]
    if not any(finding.severity is Severity.ERROR for finding in found):
        found += all_ways(script)
    places = {f"questions.{question.id}": place for place, question in enumerate(script.questions)}
    return sorted(found, key=lambda finding: places.get(".".join(finding.path.split(".")[:2]), -1))


def _whole(script: Script) -> Iterator[Finding]:
    if not script.questions:
        yield error("questions", "there are no questions", "ask at least one")
    if script.date_order not in ORDERS:
        yield error("date_order", f"{script.date_order!r} is no order of dates", f"write {', '.join(ORDERS)}")
    if not script.valid_days >= 0:
        yield error("valid_days", "this is no number of days", "write e.g. 30")
    if not (isfinite(script.ready) and isfinite(script.nurture)):
        yield error("verdicts", "these are no scores", "write e.g. ready: 50 and nurture: 20")
    elif script.nurture > script.ready:
        yield error(
            "verdicts.nurture",
            f"nurture ({script.nurture:g}) is more than ready ({script.ready:g})",
            "a lead is kept for later with less than one who is handed off",
        )


def _templates(script: Script) -> Iterator[Finding]:
    if not script.summary.strip():
        yield error("summary", "there is no summary", "say in a line why the lead is worth a call")
    known = {NAME, SCORE, *(question.id for question in script.questions)}
    for path, template in (("summary", script.summary), ("details", script.details)):
        try:
            named = {placeholder.name for placeholder in placeholders(template)}
        except TemplateError as fault:
            yield error(path, f"the template has {fault.problem}", "braces hold the id of a question")
            continue
        for name in sorted(named - known):
            yield error(path, f"there is no question {name}", f"known are {', '.join(sorted(known))}")
    if script.summary.strip() and not _says_answers(script):
        yield warning("summary", "the summary holds no answer", "name a question in braces, such as {owner}")


def _says_answers(script: Script) -> bool:
    return any(f"{{{question.id}}}" in script.summary for question in script.questions)
