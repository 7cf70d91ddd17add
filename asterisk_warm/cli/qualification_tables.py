"""Scripts and qualifications as tables for people. What callers said is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from asterisk_warm.cli.output import plain
from asterisk_warm.cli.tables import LONG, NUMBER, SHORT, WHOLE, columns, grid
from asterisk_warm.cli.times import age, clock

Json = dict[str, Any]

_VERDICTS = {"ready": "green", "nurture": "yellow", "disqualified": "red"}


def scripts(found: Sequence[Json]) -> Table:
    """One line a script, or a version of one."""
    shown = columns(script=SHORT, version=NUMBER, questions=NUMBER, published=WHOLE, by=LONG, note=LONG)
    for one in found:
        version = Text(str(one["version"]), "bold" if one["current"] else "")
        shown.add_row(
            plain(one["id"]),
            version,
            str(one["questions"]),
            clock(one["at"]),
            plain(one["by"]),
            plain(one["note"]),
        )
    return shown


def qualifications(found: Sequence[Json], now: float) -> Table:
    """One line a qualification; its age counts from its beginning."""
    cut = {**SHORT, "max_width": None}
    shown = columns(
        id={**WHOLE, "min_width": 19},
        lead={**cut, "ratio": 4},
        script={**cut, "ratio": 3},
        score=NUMBER,
        verdict={**WHOLE, "min_width": 12},
        age={**NUMBER, "min_width": 6},
    )
    shown.expand = True  # what is known of a lead may be long, and must not push the other columns out
    for one in found:
        shown.add_row(
            one["id"],
            plain(one["lead_name"] or one["lead"] or "-"),
            plain(f"{one['script']} {one['version'] or ''}"),
            f"{one['score']:g}",
            verdict_of(one),
            age(now - one["started_at"]),
        )
    return shown


def verdict_of(found: Json, unfinished: str = "open") -> Text:
    """In its colour."""
    verdict = found["verdict"] or ("complete" if found["complete"] else unfinished)
    return Text(plain(verdict), _VERDICTS.get(verdict, ""))


def facts(found: Json) -> Table:
    """One qualification, one fact a line."""
    question = found["question"]
    return grid(
        [
            ("id", found["id"]),
            ("lead", ", ".join(part for part in (found["lead_name"], found["lead"]) if part)),
            ("script", _script(found)),
            ("language", found["language"]),
            ("from", found["source"]),
            ("verdict", verdict_of(found)),
            ("reason", found["reason"]),
            ("score", f"{found['score']:g}"),
            ("summary", found["summary"]),
            ("details", found["details"]),
            ("next question", f"{question['id']}: {question['console']}" if question else ""),
            ("started", clock(found["started_at"])),
            ("ended", clock(found["ended_at"]) if found["ended_at"] else ""),
        ]
    )


def _script(found: Json) -> str:
    """Of another system it is only a name."""
    if not found["version"]:
        return str(found["script_name"])
    return f"{found['script_name']} ({found['script']}), version {found['version']}"


def answers(given: Sequence[Json]) -> Table:
    """One line an answer."""
    shown = columns(
        question={**SHORT, "max_width": 16},
        answer=LONG,
        by={**SHORT, "max_width": 12},
        on=WHOLE,
        at=WHOLE,
    )
    for answer in given:
        shown.add_row(
            plain(answer["question"]),
            plain(_answered(answer)),
            plain(answer["by"]),
            plain(answer["channel"]),
            clock(answer["at"]),
        )
    return shown


def wordings(given: Sequence[Json]) -> Table:
    """One line an answer: what exactly was asked, and what was answered."""
    shown = columns(question={**SHORT, "max_width": 16}, asked=LONG, answer=LONG)
    for answer in given:
        shown.add_row(plain(answer["question"]), plain(answer["asked"]) or "-", plain(_answered(answer)))
    return shown


def _answered(answer: Json) -> str:
    if answer["skipped"]:
        return "no answer" if answer["no_answer"] else "skipped"
    if answer["recording_gone"] and not answer["words"]:
        return "recorded; the recording was deleted"
    return str(answer["words"] or f"recorded: {answer['recording']}")
