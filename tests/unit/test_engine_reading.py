"""The journal read back: the story is replayed from the events alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from property.handoffs import kinds, requests, stamp
from property.history import History, connected

from asterisk_warm.core.handoff.story import Chapter, tell
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec, reading
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.ports.journal import StoredEvent


def stored(chapters: list[Chapter]) -> list[StoredEvent]:
    return [
        StoredEvent(
            seq,
            chapter.event.at,
            type(chapter.event).__name__,
            codec.encode(chapter.event),
            chapter.after.state.value,
            [(type(order).__name__, codec.encode(order), None) for order in chapter.commands],
        )
        for seq, chapter in enumerate(chapters, 1)
    ]


def test_given_a_handoff_then_its_story_is_told_with_the_seconds_since_the_request():
    told = reading.story(stored(connected().chapters))
    assert (told[0].offset, told[0].who) == (0.0, "lead")
    assert (told[-1].offset, told[-1].text) == (8.5, "CONNECTED, handoff gap 8.5 s")


def outcome(at: float, disposition: str = "", name: str = "", note: str = "") -> OutcomeView:
    return OutcomeView("warm-1", disposition, name, note, at, "ana", "code")


def test_given_what_was_written_down_then_it_stands_in_the_story_at_its_time():
    chapters = stored(connected().chapters)
    start, end = chapters[0].at, chapters[-1].at
    written = [
        outcome(start - 5.0, note="calls often"),
        outcome(end, "callback", "Call back", "wants a quote"),
        outcome(end + 9.0, "sold", "Sold"),
    ]
    plain, told = reading.story(chapters), reading.story(chapters, written)
    assert [line for line in told if line in plain] == plain, "the journal's lines keep their order"
    assert (told[0].offset, told[0].text) == (-5.0, "noted: calls often (by code (ana))")
    assert [(line.offset, line.who, line.text) for line in told[-2:]] == [
        (8.5, "handoff", "came to Call back: wants a quote (by code (ana))"),
        (17.5, "handoff", "came to Sold (by code (ana))"),
    ]


def test_given_an_empty_journal_then_no_story():
    assert reading.story([]) == reading.story([], [outcome(1.0, "sold", "Sold")]) == []


def test_given_a_journal_whose_beginning_is_missing_then_what_is_told_before_it_is_left_out():
    chapters = stored(connected().chapters)
    assert reading.story(chapters[1:]) == []


@given(requests, st.lists(kinds, max_size=20))
@settings(max_examples=100, deadline=None)
def test_given_any_history_then_the_replayed_story_is_the_one_that_happened(first, rest):
    decision = begin(first)
    chapters = [Chapter(first, None, decision.handoff, decision.commands)]
    for number, (kind, fields) in enumerate(rest):
        event, before = kind(**stamp(1000.0 + number), **fields), decision.handoff
        decision = transition(before, event)
        chapters.append(Chapter(event, before, decision.handoff, decision.commands))
    replayed = [(line.at, line.who, line.text) for line in reading.story(stored(chapters))]
    assert replayed == [tuple(line) for line in tell(chapters)]


def test_given_a_handoff_then_its_raw_lines_show_event_state_and_orders():
    line = reading.lines(stored(History().chapters))[0]
    assert (line.seq, line.event, line.state) == (1, "HandoffRequested", "REQUESTED")
    assert line.detail["team"] == "sales"
    assert [order["command"] for order in line.commands] == ["SecureLead", "PrepareSpeech"]
    assert line.commands[0]["done_at"] is None
