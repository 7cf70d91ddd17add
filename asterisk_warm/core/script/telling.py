"""Rules and matches in words, for findings, differences and pictures."""

from __future__ import annotations

from asterisk_warm.core.script.matching import limited
from asterisk_warm.core.script.model import END, Kind, Match, Question, Rule
from asterisk_warm.core.script.speaking import say


def match_words(question: Question | None, match: Match) -> str:
    """`Owner or Tenant`, `from 1 to 5`, `any answer`; of dates `from today to 30 days ahead`."""
    named = [say(question, value) if question else value for value in match.values]
    if limited(match):
        named.append(limits_words(question, match))
    return " or ".join(named) or "any answer"


def limits_words(question: Question | None, what: Match | Question) -> str:
    """`from 1 to 5`, `1 or more`; empty: without limits."""
    dated = question is not None and question.kind is Kind.DATE
    least, most = (
        "" if limit is None else days_words(limit) if dated else f"{limit:.15g}"
        for limit in (what.least, what.most)
    )
    if least and most:
        return f"from {least} to {most}"
    more, less = (" or later", " or earlier") if dated else (" or more", " or less")
    return least + more if least else most + less if most else ""


def days_words(days: float) -> str:
    if not days:
        return "today"
    return f"{days:g} days ahead" if days > 0 else f"{-days:g} days ago"


def rule_words(question: Question, rule: Rule) -> str:
    """`Owner: 10 points, on to budget`"""
    return f"{match_words(question, rule.match)}: {', '.join(_consequences(rule)) or 'nothing'}"


def _consequences(rule: Rule) -> list[str]:
    goto = "the end" if rule.goto == END else rule.goto
    return [
        *([points_words(rule.points)] if rule.points else []),
        *([f"disqualified, {rule.knockout}"] if rule.knockout else []),
        *([f"on to {goto}"] if goto else []),
    ]


def points_words(points: float) -> str:
    return f"{points:g} {'point' if abs(points) == 1 else 'points'}"
