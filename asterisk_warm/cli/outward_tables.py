"""What was sent to other systems, and who may come in, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from asterisk_warm.cli.output import plain
from asterisk_warm.cli.tables import LONG, NUMBER, SHORT, WHOLE, columns
from asterisk_warm.cli.times import clock

Json = dict[str, Any]


def deliveries(found: Sequence[Json]) -> Table:
    """One line a delivery."""
    shown = columns(id=NUMBER, webhook={**SHORT, "max_width": 14}, what=WHOLE, tried=NUMBER, came_to=LONG)
    for one in found:
        shown.add_row(
            str(one["id"]), plain(one["webhook"]), plain(one["kind"]), str(one["attempts"]), _came_to(one)
        )
    return shown


def _came_to(delivery: Json) -> Text:
    error = plain(delivery["error"])
    if delivery["delivered_at"] is not None:
        return Text(f"delivered {clock(delivery['delivered_at'])}", "green")
    if delivery["next_at"] is None:
        return Text(f"given up: {error}", "red")
    return Text(f"{error or 'not tried yet'}; next {clock(delivery['next_at'])}", "yellow")


def tokens(found: Sequence[Json]) -> Table:
    """One line a token."""
    shown = columns(id=WHOLE, opens=SHORT, note=LONG, made=WHOLE, now=WHOLE)
    for token in found:
        shown.add_row(
            token["id"],
            plain(token["agent"]) or "everything",
            plain(token["note"]) or "-",
            clock(token["created_at"]),
            Text("revoked", "red") if token["revoked_at"] else Text("valid", "green"),
        )
    return shown
