"""Agents as tables for people: 80 columns, and readable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from asterisk_warm.cli.agent_words import (
    called,
    declared_by,
    free_again,
    listed,
    now_words,
    remedy,
    sentence,
)
from asterisk_warm.cli.output import plain
from asterisk_warm.cli.tables import grid, table
from asterisk_warm.cli.times import age, clock, short_clock, until

Json = dict[str, Any]

_STYLES = {"offline": "dim", "shift": "dim", "unreachable": "red", "stale": "red"}
"""By the code of the first reason; any other is yellow, and none of them green."""


def agents(found: Sequence[Json], now: float) -> Table:
    """A line an agent: free, or every reason why not."""
    shown = table()
    shown.add_column("agent", overflow="fold", max_width=16)
    shown.add_column("name", no_wrap=True, overflow="ellipsis", max_width=20)
    shown.add_column("now", overflow="fold")
    shown.add_column("idle", no_wrap=True, justify="right")
    for agent in found:
        idle = age(now - agent["idle_since"]) if agent["free"] and agent["idle_since"] else "-"
        shown.add_row(plain(agent["id"]), plain(agent["name"]), _now(agent, now), idle)
    return shown


def headline(found: Sequence[Json], now: float, lost: float = 0.0) -> Text:
    """`3 of 12 free, 14:02:15`; `lost` is since when the daemon does not answer."""
    free = sum(agent["free"] for agent in found)
    told = f"{free} of {len(found)} free, {clock(now).split()[1]}"
    if not lost:
        return Text(told)
    return Text(f"The daemon has not answered since {clock(lost).split()[1]}; this is older.", "bold red")


def _now(agent: Json, now: float) -> Text:
    return Text("\n".join(map(plain, now_words(agent, now))), _style(agent))


def _style(agent: Json) -> str:
    codes = [why["code"] for why in agent["why"]]
    return _STYLES.get(codes[0], "yellow") if codes else "green"


def facts(agent: Json, now: float) -> Table:
    """One agent, one fact a line."""
    at_once = f"{agent['at_once']} handoffs" if agent["at_once"] != 1 else ""
    shifts = ", ".join(agent["shifts"])
    return grid(
        [
            ("id", agent["id"]),
            ("name", agent["name"]),
            ("now", _now(agent, now)),
            ("declared", _declared(agent, now)),
            ("wrap-up", until(agent["wrapup_until"], now) if agent["wrapup_until"] else ""),
            ("offered", agent["offered"]),
            ("talks in", ", ".join(agent["talks"])),
            ("missed", f"the last {agent['missed']} offers" if agent["missed"] > 1 else ""),
            ("idle since", clock(agent["idle_since"]) if agent["free"] and agent["idle_since"] else ""),
            ("phone", f"{agent['endpoint']}, {agent['device']}"),
            ("number", agent["number"]),
            ("teams", listed(agent["teams"], "{} (tier {})") or "none"),
            ("skills", listed(agent["skills"], "{} {}")),
            ("language", agent["language"]),
            ("at once", at_once),
            (
                "shifts",
                f"{shifts}, {agent['timezone'] or 'in the time zone of the daemon'}" if shifts else "",
            ),
            ("time zone", agent["timezone"] if not shifts else ""),
            ("calendar", _calendar(agent["calendar"], now)),
        ]
    )


def _declared(agent: Json, now: float) -> str:
    because = f": {agent['reason']}" if agent["reason"] else ""
    since = f"since {clock(agent['since'])}" if agent["since"] else ""
    end = until(agent["until"], now) if agent["until"] is not None else ""
    return ", ".join(filter(None, (f"{agent['declared']}{because}", since, declared_by(agent), end)))


def _calendar(calendar: Json | None, now: float) -> str:
    if calendar is None:
        return ""
    read = "never read" if calendar["read_at"] is None else f"read {age(now - calendar['read_at'])} ago"
    busy, coming = calendar["busy_until"], calendar["next_busy"]
    told = (
        calendar["name"],
        f"{read}, too long ago to count" if calendar["stale"] and calendar["read_at"] else read,
        calendar["error"],
        f"busy {until(busy, now)}" if busy else "",
        f"next busy at {short_clock(coming, now)}" if coming else "",
    )
    return ", ".join(filter(None, told))


def why(agent: Json, now: float) -> Iterable[Table | str]:
    """Every reason in a sentence, and what ends it."""
    if agent["free"]:
        yield plain(f"{called(agent)} can be offered a lead now.")
        return
    number = len(agent["why"])
    yield plain(f"{called(agent)} cannot be offered a lead now, for {number} reason{'s'[: number > 1]}:")
    yield ""
    told = Table.grid(padding=(0, 2))
    told.add_column(no_wrap=True, justify="right")
    told.add_column(overflow="fold")
    for place, reason in enumerate(agent["why"], 1):
        told.add_row(f"{place}.", Text(plain(sentence(agent, reason, now))))
        if ends := remedy(agent, reason):
            told.add_row("", Text(plain(ends), "bold"))
    yield told
    if over := free_again(agent, now):
        yield ""
        yield over


def history(changes: Sequence[Json]) -> Table:
    """One line a change, newest first."""
    shown = table()
    shown.add_column("at", no_wrap=True)
    shown.add_column("became", overflow="fold")
    shown.add_column("by", overflow="fold", max_width=24)
    for change in changes:
        because = f": {change['reason']}" if change["reason"] else ""
        end = f", until {short_clock(change['until'], change['at'])}" if change["until"] is not None else ""
        by = f"{change['by']} ({change['source']})" if change["by"] else "-"
        shown.add_row(clock(change["at"]), plain(f"{change['what']}{because}{end}"), plain(by))
    return shown
