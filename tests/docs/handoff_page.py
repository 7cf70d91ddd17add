"""`docs/handoff.md`, written from the code: what is documented is what runs.

`python tests/docs/handoff_page.py` rewrites the page; `test_handoff_page.py` fails when it differs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from asterisk_warm.ari.talking import SILENCE_SECONDS
from asterisk_warm.core.handoff import commands, model, policy, states
from asterisk_warm.core.handoff.commands import News
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.handlers.qualifier import ACTS
from asterisk_warm.core.handoff.model import Asked, LeadIs, QualifierIs, Status
from asterisk_warm.core.handoff.moves import limits
from asterisk_warm.core.handoff.moves.ending import NOBODY
from asterisk_warm.core.handoff.policy import Action, Keys, Mode, QualifierKeys
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.table import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "handoff.md"

STATUSES = {
    Status.CONNECTED: "An agent took the lead and they talked. State COMPLETED once the talk is over.",
    Status.NOAGENT: "No agent could be rung, and none was to be expected in time; or all who were rung were busy or "
    "unreachable.",
    Status.DECLINED: "Nobody took the lead, and at least one agent said no.",
    Status.TIMEOUT: "The hold budget was used up; or nobody took the lead, and at least one phone rang out, "
    "one agent answered without deciding, or one hung up.",
    Status.ABANDONED: "The lead hung up, or was moved to another call, before anyone was connected.",
    Status.CANCELLED: "Somebody called the handoff off; or the qualifier hung up, who has the lead on hold at their "
    "own phone.",
    Status.TAKENBACK: "The qualifier took the lead back, before or after completion.",
    Status.NOTQUALIFIED: "The team requires that the lead is qualified, and they are not.",
    Status.NOCONSENT: "The team requires the lead's consent, and there is none.",
    Status.ERROR: "The lead could not be taken in hand, or their call not be taken over; qualifier and agent "
    "could not be brought together; or no agent could be rung, for technical reasons only.",
}
"""How each `WARM_STATUS` comes about."""

REFUSALS = [
    ("the dialplan", "the lead goes on there at once, not even answered"),
    (
        "a phone's Transfer key, blind",
        "the call is taken over, the phone is told that it was declined, the qualifier alone hears why, and both are "
        "let go",
    ),
    (
        "a feature code, the API, the command line, or a Transfer key in a second call",
        "nothing is ordered of Asterisk: qualifier and lead talk on, or the lead waits on where they do; whoever has "
        "asked is told why",
    ),
]
"""(who asks, what happens) when a lead may not be handed off."""

DEADLINES = [
    (
        "taking the lead in hand, or their call over",
        f"{limits.SECURE_SECONDS:g} s",
        "FAILED: the lead goes on in the dialplan, or talks on with the qualifier",
    ),
    (
        "learning more of the lead from somebody else",
        f"their own limit; {limits.LOOK_UP_SECONDS:g} s at most",
        "it goes on with what is known",
    ),
    (
        "the hold budget: of a lead who is held, and of seeking and consulting even while the qualifier talks to "
        "them",
        "`hold_seconds`; anew whenever the lead loses the human they were with",
        "the lead goes back with TIMEOUT, from whatever is going on before an accept, and out of a consult",
    ),
    (
        "before the end of the hold budget",
        "`warn_seconds`",
        "a qualifier on the line who has the lead on hold is warned, once",
    ),
    (
        "waiting for an agent who may become free",
        "`wait_seconds`, within the hold budget",
        "who rings, rings on; without anybody the lead goes back (told by `AgentsFound`)",
    ),
    ("an agent's phone ringing", "`ring_seconds`", "the offer ends: NO_ANSWER"),
    (
        "an agent deciding",
        "`decision_seconds` from their answer, and anew from the end of whatever else they hear: what they asked "
        "for, the reply to their question; never longer than the hold budget",
        "the offer ends: NO_DECISION, with a word to the agent",
    ),
    (
        "what an agent hears whose end is never told",
        "as long as the slowest voice would take to say it",
        "their time to decide counts from there",
    ),
    (
        "each step of a question that is asked back",
        f"`question_seconds` + {limits.QUESTION_MARGIN_SECONDS:g} s",
        "the agent hears that there is no reply, and has the full time to decide after it",
    ),
    ("between comfort announcements", "`comfort_seconds`", "the lead hears the next one"),
    ("music that could not be started", f"{limits.RETRY_SECONDS:g} s", "an announcement, then music again"),
    (
        "joining, with a spoken introduction",
        f"{limits.JOIN_SECONDS:g} s",
        "joined: CONNECTED; not joined: the agent is dismissed, agents are sought again",
    ),
    (
        "bringing qualifier and agent together, or the qualifier back to the lead",
        f"{limits.JOIN_SECONDS:g} s",
        "the lead goes back to the qualifier; from there, on in the dialplan",
    ),
    ("a talk of three", "`linger_seconds`", "the qualifier leaves: CONNECTED"),
    (
        "a qualifier who has hung up being rung",
        "`recall_seconds`; with their decision, that is the lead's hold budget",
        "RETURNED: the lead goes on in the dialplan",
    ),
    (
        "taking the lead back after completion",
        "`take_back_seconds`, from when the lead was left to the agent",
        "it is refused",
    ),
    (
        "fetching the lead from the talk with the agent",
        f"{limits.SECURE_SECONDS:g} s",
        "they talk on, the qualifier is let down",
    ),
    ("two keys of one sequence", f"{limits.KEY_SECONDS:g} s", "the later one begins a new sequence"),
    (
        "a farewell to an agent, or a last word to a qualifier",
        f"{limits.FAREWELL_SECONDS:g} s",
        "the leg is hung up, or goes on, whatever plays",
    ),
    ("a hangup", f"{limits.HANGUP_SECONDS:g} s", "it is ordered again"),
    ("a talk", f"every {limits.CHECK_SECONDS:g} s", "compared with what Asterisk has"),
    (
        "clearing up after the end",
        f"{limits.SETTLE_SECONDS:g} s, then ever longer, up to {limits.CHECK_SECONDS:g} s",
        "what is not confirmed is ordered again, and Asterisk is read",
    ),
]
"""(what, how long, what happens then)."""

AGENT_KEYS = {
    "accept": (
        "they win the lead, and everybody else is dismissed",
        "also while their question is under way",
    ),
    "decline": ("their offer ends", "also while their question is under way"),
    "repeat": ("the briefing again", ""),
    "details": ("what else is known of the lead, and nothing but that", "not of a qualifier who is rung"),
    "ask": ("they ask something back", "not of a qualifier who is rung; `asks` times at most"),
}
"""Name of a key → (what follows, when)."""

QUESTION_ENDS = [
    ("the agent who asks accepts", "they are joined; playing and recording ends in the same moment"),
    ("another agent accepts", "the same; who has asked is dismissed like everybody else"),
    ("the agent who asks declines, hangs up, or is moved away", "their offer ends; the lead has music again"),
    ("the lead hangs up or is taken away", "the handoff ends"),
    ("the hold budget is used up", "the lead goes back, as without a question"),
    ("the qualifier takes the lead back", "as without a question"),
    (
        "the qualifier, who is being asked, leaves or hangs up",
        "the lead is held; the agent hears that there is no reply",
    ),
    (
        "who is being asked goes on at another phone (a pickup, a transfer)",
        "the agent hears that there is no reply",
    ),
    (
        "nothing was said; something cannot be played or recorded; a step takes too long",
        "the agent hears that there is no reply",
    ),
]
"""(what happens, what follows)."""

_ALONE = "the lead is held for whoever accepts"
_OVER = "ABANDONED; the qualifier goes on in the dialplan, or is hung up"
_TOLD = "ABANDONED; the qualifier is told, then goes on"
_ASKED = "agents are sought again, those who had lost among them"

HANGUPS = [
    ("REQUESTED, the call being taken over", "ABANDONED", _ALONE, ""),
    ("SEEKING, OFFERING, in `stay`", _OVER, _ALONE, "their offer ends; the last one brings the reason"),
    ("SEEKING, OFFERING, in `consult`", _TOLD, _ALONE, "their offer ends; the last one brings the lead back"),
    (
        "SEEKING, OFFERING, in `auto`, `blind`",
        "ABANDONED",
        "(has left)",
        "their offer ends; the last one: the qualifier's phone is rung",
    ),
    (
        "SEEKING, OFFERING, the lead on hold at the qualifier's phone",
        _TOLD,
        "RETURNED: the lead stays on hold there, where they can be picked up",
        "their offer ends; the last one: the qualifier is told, the lead stays where they are",
    ),
    (
        "CONSULTING, qualifier and agent together",
        "ABANDONED: qualifier and agent are told, and talk on",
        "completes: the agent goes to the lead",
        "the lead comes back to the qualifier",
    ),
    (
        "CONSULTING, swapped",
        _OVER,
        "completes: the agent goes to the lead",
        "RETURNED: lead and qualifier talk on, who is told",
    ),
    (
        "CONSULTING, the lead on hold at the qualifier's phone",
        "ABANDONED: qualifier and agent are told, and talk on",
        "RETURNED: the lead stays on hold there; the agent is hung up",
        "RETURNED: the qualifier is told, the lead stays where they are",
    ),
    (
        "INTRODUCING, the agent on the way to lead and qualifier",
        _OVER,
        "the agent's coming connects them",
        f"{_ASKED} while lead and qualifier talk on",
    ),
    (
        "INTRODUCING, the agent on the way to the lead alone",
        "ABANDONED",
        "(has left)",
        f"the lead is held again, {_ASKED}",
    ),
    (
        "INTRODUCING, a talk of three",
        "COMPLETED: qualifier and agent are told, and talk on",
        "CONNECTED: lead and agent talk on",
        "RETURNED: lead and qualifier talk on, who is told",
    ),
    (
        "CONNECTED",
        "COMPLETED: the agent is hung up",
        "(has left)",
        "COMPLETED: the lead goes on in the dialplan",
    ),
    (
        "CONNECTED, the qualifier being rung to take the lead back",
        "COMPLETED: both are hung up",
        "lead and agent talk on",
        "COMPLETED: the lead goes on in the dialplan, the qualifier is let down",
    ),
    (
        "RETURNING, the qualifier being joined",
        _OVER,
        "their phone is rung, the lead is held for them",
        "(is hung up)",
    ),
    (
        "RETURNING, the qualifier being rung",
        "ABANDONED",
        "RETURNED: the lead goes on in the dialplan",
        "(is hung up)",
    ),
    (
        "RETURNED, lead and qualifier being let go",
        "the qualifier goes on too",
        "the lead goes on in the dialplan",
        "",
    ),
]
"""(when, what follows when the lead, the qualifier, the agent hangs up). `test_core_hangups.py` has them all."""

RECOVERY = [
    ("REQUESTED", "whatever", "the lead is taken in hand again, which tells whether they are there"),
    ("REQUESTED", "a qualifier is on the call", "the call is taken over again"),
    (
        "REQUESTED, SEEKING",
        "the lead was being looked up elsewhere",
        "it goes on with what is known as soon as the time for it is over",
    ),
    ("REQUESTED", "the qualifier is gone", "the lead is taken in hand alone"),
    (
        "SEEKING, OFFERING, CONSULTING, INTRODUCING, RETURNING",
        "the lead is gone",
        "as if told: see the table above",
    ),
    (
        "SEEKING, OFFERING, CONSULTING, INTRODUCING, RETURNING",
        "the lead is out of our application",
        "as if they had hung up; but one who is being fetched from the qualifier's phone is fetched again, and one "
        "who is on hold there is where they are thought to be",
    ),
    ("SEEKING, OFFERING, CONSULTING, RETURNING", "a lead on hold is in the bridge", "music again"),
    (
        "SEEKING, OFFERING, CONSULTING, RETURNING",
        "a lead on hold is not in the bridge",
        "the lead is taken in hand again",
    ),
    (
        "SEEKING, OFFERING, CONSULTING, INTRODUCING, RETURNING",
        "the qualifier is gone, or out of our application",
        "as if told: see the table above",
    ),
    (
        "SEEKING, OFFERING, CONSULTING, INTRODUCING, RETURNING",
        "the qualifier is not where they are thought to be",
        "they are joined to the lead, or to the agent, or set aside again",
    ),
    ("any", "a qualifier who was let go is still with us", "they are let go again"),
    ("OFFERING", "a phone rings, or its ringing is still to be ordered", "it rings on"),
    ("OFFERING", "an agent answered meanwhile", "they are briefed, or in blind mode joined"),
    ("OFFERING", "an agent was being briefed", "the briefing again, with the full time to decide"),
    (
        "OFFERING",
        "an agent was asking something",
        "the question is forgotten: a lead who heard it has music again, the agent is briefed again and may ask anew",
    ),
    ("OFFERING", "an agent's leg is gone", "that offer ends; the last one returns the lead"),
    ("OFFERING", "an agent's leg is out of our application", "that offer ends: moved to another call"),
    ("CONSULTING", "qualifier and agent are together", "the consult goes on"),
    ("CONSULTING", "qualifier and agent are not together", "they are brought together again"),
    ("CONSULTING", "the agent is gone, or out of our application", "the lead comes back to the qualifier"),
    (
        "CONSULTING",
        "qualifier and agent are gone",
        "the lead is held again, agents are sought again",
    ),
    ("INTRODUCING", "the agent is with the lead", "CONNECTED: the introduction counts as heard"),
    ("INTRODUCING", "the agent is with lead and qualifier", "the talk of three goes on"),
    ("INTRODUCING", "the agent is up, but not with the lead", "they are joined, without introduction"),
    (
        "INTRODUCING",
        "the agent is gone, or out of our application",
        "the lead is held again, agents are sought again; after a talk of three the qualifier is told",
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
    (
        "CONNECTED",
        "the lead was being fetched for the qualifier",
        "fetched again; or, if they came, the qualifier is joined to them",
    ),
    ("RETURNING", "lead and qualifier are together", "RETURNED: they are let go"),
    ("RETURNING", "the qualifier is being rung, briefed, or joined", "as an agent would be"),
    ("ended", "the lead is gone, or out of our application", "the bridge is removed"),
    ("ended", "an agent's leg is up or rings", "it is hung up"),
    ("ended", "an agent's leg is gone", "nothing more is awaited of it"),
    ("ended", "one of two who were being let go is gone", "the other one is not left alone"),
    ("any", "agents are reserved whom no open handoff needs", "they are let go"),
    ("any", "a leg or a bridge of ours that no open handoff owns", "it is cleared away"),
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

The way from request to talk is REQUESTED, SEEKING, OFFERING, in a consult CONSULTING, INTRODUCING, CONNECTED,
COMPLETED; the way back to a qualifier is RETURNING, RETURNED. The other ends are ABANDONED and FAILED. An ended
handoff is *settled* when nothing of it is left in Asterisk either: until then what is left is ordered away again
and again.

## What each event may lead to

`·`: the state stays, but something may be done. Empty: recorded only.

{_table(("event", *_COLUMNS), _events())}

## Where lead and qualifier are

Beside the state, a handoff knows where the two are. `lead`:

{_table(("lead", "what it means"), _named(LeadIs))}

`qualifier`:

{_table(("qualifier", "what it means"), _named(QualifierIs))}

## Modes

{_table(("mode", "what it means"), _named(Mode))}

## What a qualifier can ask for

By keys on the phone (all of them can be configured), by the API and by the command line. What is not possible is
refused, with the reason.

{_table(("action", "keys", "what it means", "in the states"), _actions())}

Complete, in a consult, brings the agent to the lead, and the qualifier leaves; in a talk of three, the qualifier
leaves the two others; while agents are still being sought, the lead waits alone for whoever accepts. Take back, once
lead and agent have been left alone, rings the qualifier's phone first.

## What happens when somebody hangs up

{_table(("state, mode", "the lead", "the qualifier", "the agent (who accepted, or is being rung)"), HANGUPS)}

Of two who hang up in the same moment, the one whose hangup is told first decides; the other one's then follows from the
row where that led. Whoever is left is never left alone: held with a time limit, joined to somebody, or sent on.

## Offers

One agent being rung and briefed for one handoff. Whoever accepts first wins; only then are the others
withdrawn.

{_table(("offer", "what it means"), meanings(OfferState).items())}

Who rings when is told in [agents.md](agents.md). When the agent who accepted is gone before the talk began, agents
are sought again, as long as the hold budget lasts: those who have not been asked, and those whose offer was LOST.

### What an agent can press

As soon as they are on the line, during the briefing too. All keys can be configured.

{_table(("key", "by default", "what follows", "when"), _agent_keys())}

Somebody else's question, or a question too many, is answered with a word. Their time to decide begins anew when they
have heard what they asked for to its end, as often as they ask: the hold budget is what ends that. Of one who then does
not decide it is told that they did not decide, and of one who pressed nothing at all, that they pressed no key. A
qualifier who is rung has one time to decide.

### A question that is asked back

{_table(("step", "what it means"), _named(Asked))}

Whoever is with us is asked: the qualifier where there is one, whom the lead hears nothing of; else the lead, who hears
the question instead of the music, and is not comforted until they have replied. The reply is for the agent alone who
has asked. One question at a time; the hold budget goes on; the agent's time to decide begins anew after it.

The agent ends the question with any key that does not decide, or with a pause of {SILENCE_SECONDS:g} s. Who replies
need press nothing: such a pause ends the reply. Neither lasts longer than `question_seconds`. It all ends early when

{_table(("this happens", "then"), QUESTION_ENDS)}

Its recordings are deleted with the handoff's bridge.

### What screens are told

{_table(("news", "when"), _named(News))}

Each once, in this order; of a qualifier who is rung to have the lead back, none.

## What the dialplan is told

`WARM_STATUS` is set when the lead goes on, beside `WARM_ID`, `WARM_AGENT` (who took the lead), `WARM_CAUSE`
(why, in words) and `WARM_GAP_MS` (milliseconds without a human on the line; empty while there is none). A lead
who hangs up while held leaves `ABANDONED` to the `h` extension.

{_table(("`WARM_STATUS`", "how it comes about"), STATUSES.items())}

When nobody takes the lead, the first row that any offer's outcome is in decides, because a person's answer
tells more than a network's:

{_table(("among the outcomes", "`WARM_STATUS`"), _nobody())}

## When a lead may not be handed off

What a team requires of a lead is looked at before anyone is rung ([the gate](qualification.md#the-gate)). What was said
of them for this handoff alone (`qualified`, `consent`: by an option, a channel variable, the API or the command line)
is in `HandoffRequested`, and the story tells who says so: "is qualified and consenting, says api (root)".

A refusal is in the journal like any other end: RETURNED with NOTQUALIFIED or NOCONSENT, and why.

{_table(("asked for by", "what happens"), REFUSALS)}

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
    for outcomes, status in NOBODY:
        yield ", ".join(state.value for state in OfferState if state in outcomes), status
    yield "nobody was rung", Status.NOAGENT


def _named(kind: type[StrEnum]) -> Iterable[tuple[str, str]]:
    meant = meanings(kind)
    return [(f"`{member.value}`", meant[member.name]) for member in kind]


def _actions() -> Iterable[tuple[str, ...]]:
    keys = QualifierKeys()
    pressed = {
        keys.action(given): given for given in (keys.complete, keys.three_way, keys.swap, keys.take_back)
    }
    for action, means in zip(Action, meanings(Action).values(), strict=True):
        where = ", ".join(state.value for state, asked in ACTS if asked is action)
        yield f"`{action.value}`", f"`{pressed[action]}`", means, where


def _agent_keys() -> Iterable[tuple[str, ...]]:
    keys = Keys()
    for name, (follows, when) in AGENT_KEYS.items():
        yield name, f"`{getattr(keys, name)}`", follows, when


_MODULES = {
    **{LeadIs: model, QualifierIs: model, Asked: model},
    **{Mode: policy, Action: policy, News: commands},
}


def meanings(kind: type[StrEnum]) -> dict[str, str]:
    """Each member's meaning: the docstring under its definition."""
    tree = ast.parse(inspect.getsource(_MODULES.get(kind, states)))
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
