"""The journal read back for people: the story in words, and the raw lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.story import Chapter, tell
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec
from asterisk_warm.engine.ports import StoredEvent
from asterisk_warm.engine.views import JournalLine, StoryLine


def story(stored: Sequence[StoredEvent]) -> list[StoryLine]:
    """What happened, replayed: the core is deterministic, so the events alone tell every state in between."""
    told = tell(_chapters(stored))
    start = told[0].at if told else 0.0
    return [StoryLine(line.at, round(line.at - start, 3), line.who, line.text) for line in told]


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
