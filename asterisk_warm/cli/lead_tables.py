"""Leads as tables for people. What is known of them is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from asterisk_warm.cli.output import plain
from asterisk_warm.cli.qualification_tables import verdict_of
from asterisk_warm.cli.tables import LONG, SHORT, WHOLE, columns, grid
from asterisk_warm.cli.times import clock, day, zoned

Json = dict[str, Any]


def leads(found: Sequence[Json]) -> Table:
    """One line a lead."""
    shown = columns(number=WHOLE, name=SHORT, consents_to=LONG, source=SHORT)
    for lead in found:
        shown.add_row(
            lead["number"], plain(lead["name"]) or "-", _consents(lead) or "-", plain(lead["source"]) or "-"
        )
    return shown


def _consents(lead: Json) -> str:
    latest = {consent["purpose"]: consent["granted"] for consent in lead["consents"]}
    return ", ".join(purpose for purpose, granted in latest.items() if granted)


def facts(lead: Json) -> Table:
    """One lead, one fact a line."""
    return grid(
        [
            ("number", lead["number"]),
            ("name", lead["name"]),
            ("language", lead["language"]),
            ("source", lead["source"]),
            *((f"  {name}", text) for name, text in lead["attributes"].items()),
            *_said(lead["consents"]),
        ]
    )


def _said(consents: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """Of each purpose what counts, and below it what was said before."""
    for purpose in dict.fromkeys(one["purpose"] for one in consents):
        counts, *earlier = [one for one in reversed(consents) if one["purpose"] == purpose]
        yield f"consent, {purpose}", _consent(counts, "which counts" if earlier else "")
        yield from (("  before", _consent(one)) for one in earlier)


def _consent(consent: Json, standing: str = "") -> str:
    word = " ".join(filter(None, ("yes" if consent["granted"] else "no", standing and f"({standing})")))
    told = [word, zoned(consent["at"]), consent["basis"], consent["source"]]
    return ", ".join(filter(None, told)) + (f": {consent['shown']}" if consent["shown"] else "")


def asked(qualifications: Sequence[Json]) -> Table:
    """One line a qualification, and what it came to."""
    shown = columns(
        qualification=WHOLE, script={**SHORT, "max_width": 14}, verdict=WHOLE, reason=LONG, on=WHOLE
    )
    for one in qualifications:
        shown.add_row(
            one["id"],
            plain(one["script_name"]),
            verdict_of(one, "not finished"),
            plain(one["reason"]) or "-",
            day(one["updated_at"]),
        )
    return shown


def past(handoffs: Sequence[Json]) -> Table:
    """One line an earlier handoff, and what came of it."""
    shown = columns(handoff=WHOLE, at=WHOLE, agent={**SHORT, "max_width": 16}, came_to=LONG)
    for one in handoffs:
        said = [": ".join(filter(None, (o["disposition_name"], o["note"]))) for o in one["outcomes"]]
        shown.add_row(
            one["id"],
            clock(one["at"]),
            plain(one["agent_name"]) or "-",
            plain("; ".join(said) or one["reason"] or one["state"]),
        )
    return shown
