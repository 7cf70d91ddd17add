"""The demo's telling of a handoff: lanes from the journal, on the terminal, as a picture, on the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import demo_journal
import numpy as np
import pytest
from demo_journal import START, both, journal, nobody, stays, warm
from PIL import Image
from rich.console import Console

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.policy import Action, Templates
from asterisk_warm.core.handoff.story import tell
from asterisk_warm.core.handoff.transition import begin
from asterisk_warm.lab.demo import main, page, scenes
from asterisk_warm.lab.demo.lanes import Chart, Key, Kind, Lane, Prelude, chapters, chart
from asterisk_warm.lab.demo.measured import Gap, first_frame_from
from asterisk_warm.lab.demo.picture import WIDTH, Envelope, Sheet, save
from asterisk_warm.lab.demo.summary import summary, table
from asterisk_warm.lab.demo.terminal import Stagehand, picture
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, Hearing

STORIES = {"stays": stays, "warm": warm, "nobody": nobody, "both": both}
PRELUDE = Prelude("Grant Weatherly", "Quinn Harper", START - 2.4, START - 2.0, Key(START - 0.1, "*5"))
HOSTILE = '<script>alert("x")</script> ${SHELL(id)} [red]\u202e'


def charted(events: list[Event], end: float, prelude: Prelude | None = None) -> Chart:
    return chart(chapters(journal(events)), START + end, prelude)


def seen(lane: Lane) -> list[tuple[Kind, float, float | None]]:
    def offset(at: float | None) -> float | None:
        return None if at is None else round(at - START, 3)

    return [(span.kind, offset(span.start) or 0.0, offset(span.end)) for span in lane.spans]


# -- lanes -------------------------------------------------------------------------------------------


def test_given_a_warm_handoff_when_charted_then_every_leg_tells_what_it_heard() -> None:
    lead, ana, ben, cleo = charted(warm(), 10.2).lanes
    assert seen(lead) == [
        (Kind.MUSIC, 0.1, 1.1),
        (Kind.COMFORT, 1.1, 4.6),
        (Kind.MUSIC, 4.6, 5.0),
        (Kind.INTRODUCTION, 5.0, 7.0),
        (Kind.TALK, 7.0, 10.0),
    ]
    assert seen(ana) == [(Kind.RING, 0.2, 1.0), (Kind.BRIEFING, 1.0, 2.5), (Kind.FAREWELL, 2.5, 3.8)]
    assert [kind for kind, *_ in seen(ben)] == [Kind.RING, Kind.BRIEFING, Kind.INTRODUCTION, Kind.TALK]
    assert seen(cleo) == [(Kind.RING, 0.2, 5.0)]
    assert [[key.digits for key in lane.keys] for lane in (lead, ana, ben, cleo)] == [[], ["2"], ["1"], []]
    assert (ana.note, ben.note) == ("declined", "took the lead")
    assert cleo.note == "did not answer: Ben Okafor took the lead"


def test_given_a_qualifier_who_stays_when_charted_then_a_human_is_with_the_lead_all_along() -> None:
    lead, quinn, ana, ben, cleo = charted(stays(), 9.2, PRELUDE).lanes
    alone = [(Kind.RING, -2.4, -2.0), (Kind.LIVE, -2.0, 4.01)]
    assert seen(lead) == [*alone, (Kind.THREE, 4.01, 7.3), (Kind.TALK, 7.3, 9.0)]
    assert seen(quinn) == [
        (Kind.RING, -2.4, -2.0),
        (Kind.LIVE, -2.0, 4.0),
        (Kind.TONE, 4.0, 4.3),
        (Kind.THREE, 4.3, 7.3),
    ]
    assert seen(ben)[-2:] == [(Kind.THREE, 4.01, 7.3), (Kind.TALK, 7.3, 9.0)]
    assert [[key.digits for key in lane.keys] for lane in (quinn, ana, ben, cleo)] == [
        ["*5", "*2"],
        ["2"],
        ["1"],
        [],
    ]
    assert (lead.words(Kind.LIVE), lead.words(Kind.TALK)) == ("with Quinn", "with Ben")
    assert (quinn.words(Kind.LIVE), ben.words(Kind.TALK)) == ("with Grant", "with Grant")
    assert (quinn.note, ben.note) == ("left Grant to Ben", "took the lead")


def test_given_a_qualifier_who_takes_back_when_charted_then_they_talk_on() -> None:
    taken = [*stays()[:7], demo_journal.asked(1.0, Action.TAKE_BACK)]
    lead, quinn, *_ = charted(taken, 3.0).lanes
    assert (seen(lead), seen(quinn)) == ([(Kind.LIVE, 0.0, None)], [(Kind.LIVE, 0.0, None)])
    assert quinn.note == ""


def test_given_nobody_is_free_when_charted_then_it_says_why_and_the_lead_is_back_to_the_end() -> None:
    lead, ana, ben, cleo = charted(nobody(), 4.0).lanes
    assert seen(lead) == [(Kind.MUSIC, 0.1, 2.1), (Kind.DIALPLAN, 2.1, None)]
    assert (ana.spans, ana.note) == ((), "not rung: in a call")
    assert (seen(ben), ben.note) == ([(Kind.RING, 0.2, 2.0)], "was busy")
    assert (cleo.spans, cleo.note) == ((), "not rung: phone not registered")


def test_given_two_accepts_when_charted_then_the_second_is_told_by_whom() -> None:
    _, ana, ben, _ = charted(both(), 7.0).lanes
    assert (ana.note, ben.note) == ("took the lead", "too late: Ana Lopez took the lead")
    assert seen(ben)[-1] == (Kind.FAREWELL, 3.0, 5.3)
    assert [key.digits for key in (*ana.keys, *ben.keys)] == ["1", "1"]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_given_any_part_of_a_journal_when_charted_then_spans_follow_one_another(
    story: Callable[[], list[Event]],
) -> None:
    prelude = PRELUDE if story is stays else None
    for length in range(1, len(story()) + 1):
        for lane in charted(story()[:length], 20.0, prelude).lanes:
            ends = [span.end for span in lane.spans]
            assert None not in ends[:-1]
            assert all(end <= after.start for end, after in zip(ends, lane.spans[1:], strict=False) if end)


# -- on the terminal ---------------------------------------------------------------------------------


def printed(width: int, story: list[Event], end: float, prelude: Prelude | None = None) -> list[str]:
    told = chapters(journal(story))
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(
        picture(chart(told, START + end, prelude), tell(told), width)
    )
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("end", [10.5, 300.0])
def test_given_any_width_when_shown_then_it_fits(
    width: int, story: Callable[[], list[Event]], end: float
) -> None:
    lines = printed(width, story(), end, PRELUDE if story is stays else None)
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if line.startswith("+")]) <= 6


def test_given_80_columns_and_no_colour_when_shown_then_the_words_tell_it() -> None:
    lead, ana, ben, cleo = printed(80, warm(), 10.2)[:4]
    assert re.fullmatch(r"Grant Weatherly +\|~+\|comfort =+\|~+\|intro \++\|with Ben #+ *", lead)
    assert re.fullmatch(r"Ana Lopez +\|\.+\|:+2bye +declined *", ana)
    assert re.fullmatch(r"Ben Okafor +\|\.+\|briefing :+1intro \++\|with Grant #* +took the lead *", ben)
    assert re.fullmatch(r"Cleo Martin +\|rings \.+ +did not answer: Ben Okafor took the lead *", cleo)


def test_given_a_qualifier_when_shown_then_no_key_covers_a_word() -> None:
    lead, quinn, ana, *_ = printed(80, stays(), 9.2, PRELUDE)
    assert re.fullmatch(r"Grant Weatherly +\|\.*\|with Quinn %+\|three talk &+\|talk # *", lead)
    assert re.fullmatch(
        r"Quinn Harper +\|\.*\|%+\*5%with Grant %+\|\|three talk &*\*2 +left Grant to Ben *", quinn
    )
    assert ana.index("|") > quinn.index("*5")


def test_given_a_call_before_it_is_handed_off_when_shown_then_it_is_told_as_it_comes() -> None:
    told = chapters(journal(stays()))
    out = io.StringIO()
    with Stagehand(Console(file=out, width=80)) as stagehand:
        for known in (1, 2, 3):
            stagehand.show(None, PRELUDE.told()[:known])
        stagehand.show(chart(told, START + 9.2, PRELUDE), [*PRELUDE.told(), *tell(told)])
    lines = out.getvalue().splitlines()
    assert lines[2] == "           Quinn Harper    presses *5"
    assert lines[3].startswith("+  0.00 s  ")
    assert len(lines) == 3 + len(tell(told))


def test_given_no_terminal_when_shown_twice_then_each_line_is_printed_once() -> None:
    told = chapters(journal(warm()))
    out = io.StringIO()
    with Stagehand(Console(file=out, width=80)) as stagehand:
        for part in (told[:8], told, told):
            stagehand.show(chart(part, START + 11.0), tell(part))
    lines = out.getvalue().splitlines()
    assert "+  1.60 s  Ben Okafor      answered" in lines
    assert len(lines) == len(tell(told))


def test_given_markup_in_a_name_when_shown_then_it_is_text() -> None:
    assert any("[red]" in line for line in printed(200, warm(HOSTILE)[:2], 1.0))


def test_given_a_winner_when_summed_up_then_the_times_are_those_of_the_journal() -> None:
    told = summary(chapters(journal(warm()))[-1].after, Gap(START + 5.0, START + 7.0192, introduction=2.0))
    rows = {row.name: (row.outcome, row.rang, row.briefed) for row in told.agents}
    assert rows["Ben Okafor"] == ("took the lead", pytest.approx(1.3), pytest.approx(3.4))
    assert rows["Cleo Martin"][2] is None
    out = io.StringIO()
    Console(file=out, width=80).print(table(told))
    assert "7.00 s from the request until a human was there" in out.getvalue()
    assert "19.2 ms, beside the introduction's 2.00 s (from RTP)" in out.getvalue()


def test_given_a_qualifier_when_summed_up_then_the_gap_is_apart_from_the_agents_coming() -> None:
    told = summary(chapters(journal(stays()))[-1].after, None, silence_seconds=0.02)
    figures = dict(told.figures())
    assert figures["handoff gap"] == "0.00 s without a human: there was one all along"
    assert figures["agent there"] == "4.01 s after the request: Ben Okafor"
    assert figures["qualifier"] == "Quinn Harper, who left 7.30 s after the request"
    assert figures["silence"] == "at most 20 ms in the lead's ear from the request on (from RTP)"


# -- measured ----------------------------------------------------------------------------------------


def hearing(samples: np.ndarray, start: float) -> Hearing:
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.int16)
    return Hearing(start + np.arange(len(frames)) * FRAME_SECONDS, frames)


@pytest.mark.parametrize("shift", [0, 37])
def test_given_music_then_silence_then_the_agent_when_searched_then_the_agents_first_frame_is_found(
    shift: int,
) -> None:
    dice = np.random.default_rng(1)
    voice, music = dice.normal(0, 60, 100 * FRAME), dice.normal(0, 3000, 20 * FRAME)
    ear = np.concatenate([music, np.zeros(5 * FRAME), voice[25 * FRAME - shift :]])
    found = first_frame_from(hearing(voice, 10.0), hearing(ear, 10.003))
    assert found == pytest.approx(10.003 + 25 * FRAME_SECONDS)


def test_given_another_voice_in_the_ear_when_searched_then_the_agents_first_frame_is_found() -> None:
    dice = np.random.default_rng(3)
    voice, other = dice.normal(0, 60, (2, 100 * FRAME))
    ear = np.concatenate([other[: 30 * FRAME], (other + voice)[30 * FRAME :]])
    heard, said, besides = hearing(ear, 10.03), hearing(voice, 10.0), hearing(other, 10.0)
    assert first_frame_from(said, heard, [besides]) == pytest.approx(10.03 + 30 * FRAME_SECONDS)


def test_given_somebody_else_when_searched_then_nothing_is_found() -> None:
    dice = np.random.default_rng(2)
    voice, other = dice.normal(0, 60, (2, 100 * FRAME))
    assert first_frame_from(hearing(voice, 10.0), hearing(other, 10.0)) is None


# -- kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Grant Weatherly", HOSTILE, ""])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_given_a_scene_when_drawn_then_it_is_a_picture_of_its_width(
    story: Callable[..., list[Event]], name: str, tmp_path: Path
) -> None:
    events = story(name) if story in (warm, stays) else story()
    prelude = PRELUDE if story is stays else None
    ear = Envelope(START + np.arange(0, 5, 0.02), np.linspace(0, 16000, 250))
    gap = Gap(START + 5.0, START + 7.02, introduction=2.0) if story in (warm, stays) else None
    drawn = save(
        Sheet("1. A scene", "What happens.", charted(events, 10.0, prelude), {"lead": ear}, gap),
        tmp_path / "t.png",
    )
    with Image.open(drawn) as image:
        assert image.width == WIDTH
        colours = image.getcolors(maxcolors=1 << 24)
    assert colours is not None and len(colours) > 100


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for key, value in attributes if key in ("src", "href") and value]


def test_given_hostile_words_when_the_page_is_written_then_they_are_text_and_nothing_is_from_elsewhere(
    tmp_path: Path,
) -> None:
    told = summary(chapters(journal(warm(HOSTILE)))[-1].after, None)
    chapter = page.Chapter(
        "scene-1", "1. x", "y", told, ((HOSTILE, "lead.wav"),), (("1 s", HOSTILE, HOSTILE),)
    )
    written = page.write([chapter], "22.1", "today", tmp_path).read_text(encoding="utf-8")
    links = Links()
    links.feed(written)
    assert "script" not in links.tags
    files = ("timeline.png", "lead.wav", "journal.json", "story.txt")
    assert sorted(links.links) == sorted(f"scene-1/{name}" for name in files)


# -- the command -------------------------------------------------------------------------------------


def test_given_the_demos_team_then_all_that_the_daemon_will_say_is_made_beforehand() -> None:
    templates = scenes.TEMPLATES
    request = demo_journal.requested(
        scenes.LEAD_NAME,
        summary=scenes.SUMMARY,
        templates=Templates(
            templates.briefing, templates.instructions, templates.introduction, templates.taken
        ),
    )
    assert {line.text for line in wording.lines(begin(request).handoff)} == set(scenes.announced())


def test_given_no_such_choice_when_called_then_it_says_which_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(asterisk="13") == 2
    assert capsys.readouterr().out == "--asterisk 13: expected auto, 22, 16, installed\n"
    assert main(scene="5") == 2


def test_given_no_asterisk_when_called_then_one_line_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(asterisk="installed") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "failed: no Asterisk of 16 or later is installed on this machine; install Asterisk"
    )
    assert list(tmp_path.iterdir()) == []
