"""Which handoff or qualification is meant, and which handoffs a lead has had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asterisk_warm.core.handoff.options import clean
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import HandoffRow, Journal

RECENT = 500
"""Among how many of the latest an abbreviated id is looked up."""
LEAST = 4
"""How much of an id must be given."""


async def resolve(journal: Journal, handoff: str) -> str:
    """The id of the handoff that is meant by its id, or by the beginning or end of one that is unique among
    the latest. Raises Refused (not_found, conflict), JournalError."""
    if await journal.get(handoff) is not None:
        return handoff
    rows = await journal.list(False, RECENT)
    return the_one(handoff, [row.id for row in rows], "handoff", "see `asterisk-warm handoff list --all`")


def the_one(piece: str, ids: Iterable[str], what: str, remedy: str) -> str:
    """The id that is meant by its beginning or end, where that is unique; `what` says of what it is the id.
    Raises Refused (not_found, conflict)."""
    found = [id for id in ids if id.startswith(piece) or id.endswith(piece)]
    if len(found) == 1 and len(piece) >= LEAST:
        return found[0]
    shown = clean(piece, 60)
    if found:
        raise Refused("conflict", f'"{shown}" fits {len(found)} {what}s', "give more of the id")
    raise Refused("not_found", f'no {what} "{shown}"', remedy)


async def of_lead(journal: Journal, numbers: Iterable[str], limit: int) -> Sequence[HandoffRow]:
    """The handoffs of a lead, newest first. They are found by E.164; older ones, and those of a lead without
    such a number, by what was shown. Raises JournalError."""
    rows: dict[str, HandoffRow] = {}
    for number in dict.fromkeys(number for number in numbers if number):
        rows |= {row.id: row for row in await journal.of_lead(number, limit)}
    return sorted(rows.values(), key=lambda row: (row.created_at, row.id), reverse=True)[:limit]
