"""Handoffs and teams as tables for people. What came over the phone is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from asterisk_warm.cli.output import plain
from asterisk_warm.cli.times import age, clock, duration, offset
from asterisk_warm.cli.words import how_many, wait, where_lead_is, where_qualifier_is

_STYLES = {
    "CONNECTED": "green",
    "COMPLETED": "green",
    "ACCEPTED": "green",
    "RETURNED": "yellow",
    "ABANDONED": "yellow",
    "FAILED": "red",
}

Json = dict[str, Any]


def handoffs(found: Sequence[Json], now: float) -> Table:
    """One line a handoff."""
    shown = table()
    shown.expand = True  # what is known of a lead may be long, and must not push the other columns out
    shown.add_column("id", no_wrap=True, min_width=19)
    shown.add_column("state", no_wrap=True, min_width=11)
    for title, ratio in (("team", 3), ("lead", 5), ("agent", 4)):
        shown.add_column(title, no_wrap=True, overflow="ellipsis", ratio=ratio)
    shown.add_column("age", no_wrap=True, justify="right", min_width=6)
    for handoff in found:
        lead, agent = handoff["lead"], handoff["agent"]
        shown.add_row(
            handoff["id"],
            _state(handoff["state"]),
            plain(handoff["team"]),
            plain(lead["name"] or lead["number"] or "-"),
            plain(agent["name"]) if agent else "-",
            age(now - handoff["requested_at"]),
        )
    return shown


def facts(handoff: Json) -> Table:
    """One handoff, one fact a line."""
    lead, agent = handoff["lead"], handoff["agent"]
    rows = [
        ("id", handoff["id"]),
        ("state", handoff["state"] if handoff["settled"] else f"{handoff['state']} (open)"),
        ("status", handoff["status"]),
        ("reason", handoff["reason"]),
        ("team", f"{handoff['team_name']} ({handoff['team']}), mode {handoff['mode']}"),
        ("lead", _person(lead)),
        ("lead is", where_lead_is(handoff)),
        ("summary", lead["summary"]),
        *((f"  {name}", text) for name, text in lead["details"].items()),
        ("language", lead["language"]),
        ("qualified", _qualified(lead)),
        *(("said", _said(one)) for one in handoff["said"]),
        ("channel", lead["channel"]),
        *_qualifier(handoff["qualifier"]),
        ("agent", f"{agent['name']} ({agent['id']})" if agent else None),
        *(("not free", f"{name}: {why}") for name, why in handoff["not_free"].items()),
        ("requested", f"{clock(handoff['requested_at'])} by {handoff['requested_by']}"),
        ("joined", clock(handoff["joined_at"]) if handoff["joined_at"] else None),
        ("ended", clock(handoff["ended_at"]) if handoff["ended_at"] else None),
        ("ringing", duration(handoff["ring_ms"]) if agent else None),
        ("briefing", duration(handoff["briefing_ms"]) if agent else None),
        ("handoff gap", duration(handoff["gap_ms"]) if handoff["gap_ms"] is not None else None),
        *_outcomes(handoff["outcomes"]),
    ]
    return grid((name, _state(text) if name == "state" and text else text) for name, text in rows)


def grid(rows: Iterable[tuple[str, str | Text | None]]) -> Table:
    """Facts, one a line: (what, how it is); those that are empty are left out."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(no_wrap=True, overflow="ellipsis", min_width=12, max_width=20)
    shown.add_column(overflow="fold")
    for name, text in rows:
        if text:
            shown.add_row(plain(name), text if isinstance(text, Text) else plain(text))
    return shown


def _person(who: Json) -> str:
    return ", ".join(part for part in (who["name"], who["number"]) if part)


def _qualified(lead: Json) -> str:
    score = "" if lead["score"] is None else f"score {lead['score']:g}"
    return ", ".join(part for part in (lead["verdict"], score, lead["qualification"]) if part)


def _said(said: Json) -> str:
    """`consent: yes, by api (root)`."""
    return f"{said['what']}: {'yes' if said['holds'] else 'no'}, by {said['by']}"


def _outcomes(written: Sequence[Json] | None) -> Sequence[tuple[str, str]]:
    if written is None:
        return (("came to", "what was written down cannot be read now"),)
    return [("came to", _came_to(one)) for one in written]


def _came_to(outcome: Json) -> str:
    """`Call back: wants a quote (2026-11-28 07:38:28, cli (root))`."""
    what = ": ".join(part for part in (outcome["disposition_name"], outcome["note"]) if part)
    by = f"{outcome['source']} ({outcome['by']})" if outcome["by"] else outcome["source"]
    return f"{what} ({clock(outcome['at'])}, {by})"


def _qualifier(who: Json | None) -> Sequence[tuple[str, str]]:
    if who is None:
        return ()
    return (
        ("qualifier", f"{_person(who) or 'of unknown name'} (on {who['channel']})"),
        ("qualifier is", where_qualifier_is(who)),
    )


def teams(found: Sequence[Json]) -> Table:
    """One line a team."""
    shown = table()
    shown.add_column("team", no_wrap=True, overflow="ellipsis", max_width=16)
    shown.add_column("name", no_wrap=True, overflow="ellipsis", max_width=18)
    shown.add_column("free", no_wrap=True)
    shown.add_column("waiting", no_wrap=True, justify="right")
    shown.add_column("wait", no_wrap=True)
    shown.add_column("who is free", overflow="fold")
    for team in found:
        free = [agent["name"] for agent in team["agents"] if agent["free"]]
        count = Text(how_many(team), "green" if free else "yellow")
        names = plain(", ".join(free)) or "-"
        shown.add_row(
            plain(team["id"]),
            plain(team["name"]),
            count,
            str(team["waiting"]),
            wait(team["expected_wait"]),
            names,
        )
    return shown


def agents(team: Json) -> Table:
    """One line an agent of a team: free, or why not."""
    shown = table()
    shown.add_column("agent", overflow="fold", max_width=16)
    shown.add_column("name", no_wrap=True, overflow="ellipsis", max_width=20)
    shown.add_column("tier", no_wrap=True, justify="right")
    shown.add_column("now", overflow="fold")
    for agent in team["agents"]:
        now = Text("free", "green") if agent["free"] else Text(plain(agent["why"]), "yellow")
        shown.add_row(plain(agent["id"]), plain(agent["name"]), str(agent["tier"]), now)
    return shown


def offers(made: Sequence[Json]) -> Table:
    """One line an offer; times count from when the agent's phone was rung."""
    shown = table()
    shown.add_column("offer", justify="right")
    shown.add_column("agent", no_wrap=True, overflow="ellipsis", max_width=20)
    shown.add_column("state", no_wrap=True, min_width=11)
    shown.add_column("answered", no_wrap=True, justify="right")
    shown.add_column("decided", no_wrap=True, justify="right")
    shown.add_column("cause", overflow="fold")
    for offer in made:
        shown.add_row(
            str(offer["number"]),
            plain(offer["agent_name"]),
            _state(offer["state"]),
            _since(offer["rung_at"], offer["answered_at"]),
            _since(offer["rung_at"], offer["decided_at"]),
            plain(offer["cause"]),
        )
    return shown


def told(story: Sequence[Json]) -> Table:
    """`+12.34 s  who  text`, one line a happening."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=20)
    grid.add_column(overflow="fold")
    for line in story:
        grid.add_row(offset(line["offset"]), plain(line["who"]), plain(line["text"]))
    return grid


def table(*titles: str) -> Table:
    """An empty table in the one look that all of them have."""
    return Table(*titles, box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")


SHORT: Mapping[str, Any] = {"no_wrap": True, "overflow": "ellipsis", "max_width": 20}
LONG: Mapping[str, Any] = {"overflow": "fold"}
WHOLE: Mapping[str, Any] = {"no_wrap": True}
NUMBER: Mapping[str, Any] = {"no_wrap": True, "justify": "right"}


def columns(**looks: Mapping[str, Any]) -> Table:
    """An empty table with those columns; `_` of a title is a space."""
    shown = table()
    for title, look in looks.items():
        shown.add_column(title.replace("_", " "), **look)
    return shown


def _state(state: str) -> Text:
    return Text(plain(state), _STYLES.get(state.split(" ")[0], ""))


def _since(start: float, end: float | None) -> str:
    return "-" if end is None else f"+{duration((end - start) * 1000)}"
