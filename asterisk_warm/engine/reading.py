"""The journal read back for people: the story in words, with what was written down afterwards, and the raw
lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.happened import HANDOFF
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.story import Chapter, Told, tell
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.core.presence import By
from asterisk_warm.engine import codec
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.ports.journal import StoredEvent
from asterisk_warm.engine.qualifying.views import by_words
from asterisk_warm.engine.views import JournalLine, StoryLine


def story(stored: Sequence[StoredEvent], outcomes: Sequence[OutcomeView] = ()) -> list[StoryLine]:
    """What happened, replayed: the core is deterministic, so the events alone tell every state in between.
    And what was written down of it, at its time."""
    told = tell(_chapters(stored))
    if not told:
        return []
    start = told[0].at
    for outcome in outcomes:
        told = _with(told, Told(outcome.at, HANDOFF, _came_to(outcome)))
    return [StoryLine(line.at, round(line.at - start, 3), line.who, line.text) for line in told]


def _with(told: list[Told], new: Told) -> list[Told]:
    """The others keep their order, which is the journal's."""
    place = next((place for place, line in enumerate(told) if line.at > new.at), len(told))
    return [*told[:place], new, *told[place:]]


def _came_to(outcome: OutcomeView) -> str:
    what = ": ".join(part for part in (outcome.disposition_name, outcome.note) if part)
    verb = "came to" if outcome.disposition else "noted:"
    return f"{verb} {what} (by {by_words(By(outcome.by, outcome.source))})"


def _chapters(stored: Sequence[StoredEvent]) -> list[Chapter]:
    chapters: list[Chapter] = []
    handoff: Handoff | None = None
    for entry in stored:
        event = codec.decode_event(entry.event, entry.event_json)
        if isinstance(event, HandoffRequested):
            decision = begin(event)
        elif handoff is not None:
            decision = transition(handoff, event)
        else:
            continue
        orders = tuple(codec.decode_command(kind, data) for kind, data, _ in entry.commands)
        chapters.append(Chapter(event, handoff, decision.handoff, orders))
        handoff = decision.handoff
    return chapters


def lines(stored: Sequence[StoredEvent]) -> list[JournalLine]:
    return [
        JournalLine(
            entry.seq,
            entry.at,
            entry.event,
            msgspec.json.decode(entry.event_json),
            entry.state,
            [
                {"command": kind, "detail": msgspec.json.decode(data), "done_at": done_at}
                for kind, data, done_at in entry.commands
            ],
        )
        for entry in stored
    ]
