"""`docs/handoff.md`, written from the code: what is documented is what runs.

`python tests/docs/handoff_page.py` rewrites the page; `test_handoff_page.py` fails when it differs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from asterisk_warm.core.handoff import moves, states
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.model import Status
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.table import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "handoff.md"

STATUSES = {
    Status.CONNECTED: "An agent took the lead and they talked. State COMPLETED once the talk is over.",
    Status.NOAGENT: "No agent could be rung, or all who were rung were busy or unreachable.",
    Status.DECLINED: "Nobody took the lead, and at least one agent said no.",
    Status.TIMEOUT: "The hold budget was used up; or nobody took the lead, and at least one phone rang out, "
    "one agent answered without deciding, or one hung up.",
    Status.ABANDONED: "The lead hung up, or was moved to another call, before anyone was connected.",
    Status.CANCELLED: "Somebody called the handoff off.",
    Status.ERROR: "The lead could not be taken in hand, who is free could not be found out, or no agent "
    "could be rung, for technical reasons only.",
}
"""How each `WARM_STATUS` comes about."""

DEADLINES = [
    (
        "taking the lead in hand",
        f"{moves.SECURE_SECONDS:g} s",
        "FAILED, the lead goes on in the dialplan",
    ),
    (
        "the hold budget",
        "`hold` of the team",
        "RETURNED with TIMEOUT, from whatever is going on before an accept",
    ),
    ("an agent's phone ringing", "`ring` of the team", "the offer ends: NO_ANSWER"),
    ("an agent deciding", "`decision` of the team", "the offer ends: NO_DECISION, with a word to the agent"),
    ("between comfort announcements", "`comfort` of the team", "the lead hears the next one"),
    ("music that could not be started", f"{moves.RETRY_SECONDS:g} s", "an announcement, then music again"),
    (
        "joining, with the introduction",
        f"{moves.JOIN_SECONDS:g} s",
        "joined: CONNECTED; not joined: the agent is dismissed, those who had lost are asked again",
    ),
    ("a farewell to an agent", f"{moves.FAREWELL_SECONDS:g} s", "the leg is hung up whatever plays"),
    ("a hangup", f"{moves.HANGUP_SECONDS:g} s", "it is ordered again"),
    ("a talk", f"every {moves.CHECK_SECONDS:g} s", "compared with what Asterisk has"),
    (
        "clearing up after the end",
        f"{moves.SETTLE_SECONDS:g} s, then ever longer, up to {moves.CHECK_SECONDS:g} s",
        "what is not confirmed is ordered again, and Asterisk is read",
    ),
]
"""(what, how long, what happens then)."""

RECOVERY = [
    ("REQUESTED", "whatever", "the lead is taken in hand again, which tells whether they are there"),
    ("SEEKING, OFFERING, INTRODUCING", "the lead is gone", "ABANDONED: every agent is told and dismissed"),
    ("SEEKING, OFFERING, INTRODUCING", "the lead is out of our application", "ABANDONED, the same way"),
    ("SEEKING, OFFERING", "the lead is in the bridge", "music again"),
    ("SEEKING, OFFERING", "the lead is not in the bridge", "the lead is taken in hand again"),
    ("OFFERING", "a phone rings, or its ringing is still to be ordered", "it rings on"),
    ("OFFERING", "an agent answered meanwhile", "they are briefed, or in blind mode joined"),
    ("OFFERING", "an agent was being briefed", "the briefing again, with the full time to decide"),
    ("OFFERING", "an agent's leg is gone", "that offer ends; the last one returns the lead"),
    ("OFFERING", "an agent's leg is out of our application", "that offer ends: moved to another call"),
    ("INTRODUCING", "the agent is with the lead", "CONNECTED: the introduction counts as heard"),
    ("INTRODUCING", "the agent is up, but not with the lead", "they are joined, without introduction"),
    (
        "INTRODUCING",
        "the agent is gone, or out of our application",
        "the lead is held again, those who had lost are asked again",
    ),
    ("CONNECTED", "both are in our application", "they are let go (again)"),
    ("CONNECTED", "both are out of our application", "they talk in Asterisk's own bridge: ours is removed"),
    ("CONNECTED", "the lead is gone", "COMPLETED: the agent is hung up"),
    ("CONNECTED", "the lead is out of our application, the agent is not", "COMPLETED: the agent is hung up"),
    (
        "CONNECTED",
        "the agent is gone, or alone out of our application",
        "COMPLETED: the lead goes on in the dialplan",
    ),
    ("ended", "the lead is gone, or out of our application", "the bridge is removed"),
    ("ended", "an agent's leg is up or rings", "it is hung up"),
    ("ended", "an agent's leg is gone", "nothing more is awaited of it"),
    ("any", "an agent's leg or a bridge of ours that no open handoff owns", "it is cleared away"),
]
"""(state, what Asterisk has, what is done)."""


def page() -> str:
    return f"""\
# A handoff, state by state

<!-- Written by `python tests/docs/handoff_page.py` from the code. Do not edit: the tests compare. -->

A handoff is one lead's transfer, from the request to the end. It is decided by one pure function,
`transition(handoff, event)`, over a table (`asterisk_warm/core/handoff/table.py`) from which this page is
drawn. The words are those of the [glossary](glossary.md).

```mermaid
{mermaid()}
```

Not drawn: what keeps the state. What a state does not list is recorded in the journal and changes nothing.

## States

{_table(("state", "what it means"), meanings(State).items())}

The way from request to talk is REQUESTED, SEEKING, OFFERING, INTRODUCING, CONNECTED, COMPLETED. The other
ends are RETURNED, ABANDONED and FAILED. An ended handoff is *settled* when nothing of it is left in Asterisk
either: until then what is left is ordered away again and again.

## What each event may lead to

`·`: the state stays, but something may be done. Empty: recorded only.

{_table(("event", *_COLUMNS), _events())}

## Offers

One agent being rung and briefed for one handoff. Whoever accepts first wins; only then are the others
withdrawn.

{_table(("offer", "what it means"), meanings(OfferState).items())}

When the agent who accepted is gone before the talk began, those whose offer was LOST are asked again, with
new offers, as long as the hold budget lasts.

## What the dialplan is told

`WARM_STATUS` is set when the lead goes on, beside `WARM_ID`, `WARM_AGENT` (who took the lead), `WARM_CAUSE`
(why, in words) and `WARM_GAP_MS` (milliseconds without a human on the line; empty when nobody came). A lead
who hangs up while held leaves `ABANDONED` to the `h` extension.

{_table(("`WARM_STATUS`", "how it comes about"), STATUSES.items())}

When nobody takes the lead, the first row that any offer's outcome is in decides, because a person's answer
tells more than a network's:

{_table(("among the outcomes", "`WARM_STATUS`"), _nobody())}

## Deadlines

No state waits without one. The core names the earliest, and the engine's timer makes it an event
(`DeadlinePassed`).

{_table(("of", "length", "what happens then"), DEADLINES)}

## After a restart, a lost connection, an outage

Asterisk keeps every leg and bridge while the daemon is away. When it is back, each open handoff is compared
with what Asterisk really has (the event `Reconciled`), and unfinished orders that are still wanted are
carried out. The same comparison is made routinely during a talk, so that its end is noticed even if it was
never told.

{_table(("state", "what is found", "what is done"), RECOVERY)}

Keys that agents press while the daemon is away are lost: that is why they are briefed again.
"""


def mermaid() -> str:
    """A Mermaid state diagram; arrows are labelled with the events that cause them."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, rows in TABLE.items():
        for event, row in rows.items():
            for to in sorted(row.to):
                arrows.setdefault((state, to), []).append(event.__name__)
    lines = ["stateDiagram-v2", f"    [*] --> {State.REQUESTED}: HandoffRequested"]
    for (start, to), events in arrows.items():
        lines.append(f"    {start} --> {to}: {', '.join(sorted(events))}")
    lines += [f"    {state} --> [*]" for state in State if state.final]
    return "\n".join(lines)


_COLUMNS = [*(state.value for state in State if not state.final), "ended"]


def _events() -> Iterable[tuple[str, ...]]:
    kinds: list[type[Event]] = []
    for rows in TABLE.values():
        kinds += [kind for kind in rows if kind not in kinds]
    ended = [state for state in State if state.final]
    for kind in sorted(kinds, key=lambda k: k.__name__):
        opened = [_cell(state, kind) for state in State if not state.final]
        yield (f"`{kind.__name__}`", *opened, _cell(ended[0], kind))


def _cell(state: State, kind: type[Event]) -> str:
    row = TABLE[state].get(kind)
    return "" if row is None else ", ".join(sorted(row.to)) or "·"


def _nobody() -> Iterable[tuple[str, str]]:
    for outcomes, status in moves.NOBODY:
        yield ", ".join(state.value for state in OfferState if state in outcomes), status
    yield "nobody was rung", Status.NOAGENT


def meanings(kind: type[StrEnum]) -> dict[str, str]:
    """Each state's meaning: the docstring under its definition."""
    tree = ast.parse(inspect.getsource(states))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind.__name__).body
    found: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = _words(after)
    return found


def _words(node: ast.stmt | None) -> str:
    documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return " ".join(str(node.value.value).split()) if documented else ""  # type: ignore[union-attr]


def _table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(map(str, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
