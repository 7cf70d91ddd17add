"""A scene's timeline as a picture: one lane per leg, what that ear heard below it, keys, and the gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from asterisk_warm.core.handoff.model import LEAD, QUALIFIER
from asterisk_warm.lab.demo.lanes import Chart, Key, Kind, Lane, Span
from asterisk_warm.lab.demo.measured import Gap
from asterisk_warm.lab.demo.summary import gap_words

WIDTH = 1600
_SCALE = 2
"""Drawn this much larger, then reduced: smooth edges."""

PAPER, INK, SOFT, LINE = "#fbfaf6", "#23262b", "#767c86", "#e2e0d8"
ALARM = "#c22f2f"
COLOUR = {
    Kind.LIVE: "#c3d98a",
    Kind.TONE: "#f09a4e",
    Kind.THREE: "#46ad8d",
    Kind.MUSIC: "#9fd6de",
    Kind.COMFORT: "#4fb0bf",
    Kind.RING: "#f4cf65",
    Kind.BRIEFING: "#b690e0",
    Kind.FAREWELL: "#bfc3ca",
    Kind.INTRODUCTION: "#7ea6ec",
    Kind.TALK: "#74c48a",
    Kind.DIALPLAN: "#ef9a8d",
}
_LEFT, _RIGHT, _TOP = 250, 1560, 176
_LANE, _BAR, _WAVE = 124, 44, 46
_LOUD = 20000.0


@dataclass(frozen=True)
class Envelope:
    """How loud an ear's sound was: `level` (of 32767) at each of `times` (epoch seconds)."""

    times: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """What one picture shows. `heard` by lane; `gap` as measured, if it was."""

    title: str
    plot: str
    chart: Chart
    heard: Mapping[str, Envelope]
    gap: Gap | None


def save(sheet: Sheet, path: Path) -> Path:
    """Draw it as a PNG, `WIDTH` pixels wide."""
    _Drawing(sheet).image().save(path)
    return path


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SCALE)


class _Drawing:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.chart = sheet, sheet.chart
        self.height = _TOP + _LANE * len(self.chart.lanes) + 96
        self._image = Image.new("RGB", (WIDTH * _SCALE, self.height * _SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._seconds = max(self.chart.end - self.chart.start, 0.1)

    def image(self) -> Image.Image:
        self._text(40, 30, self.sheet.title, 34)
        self._text(40, 78, self.sheet.plot, 19, SOFT)
        handoff = self.chart.handoff
        if handoff.state.final and handoff.joined_at is None:
            self._text(40, 108, handoff.reason, 16, ALARM)
        self._axis()
        for row, lane in enumerate(self.chart.lanes):
            self._lane(lane, _TOP + row * _LANE)
        self._handoff_gap()
        self._key_to_voice()
        self._keys()
        self._legend(self.height - 38)
        return self._image.reduce(_SCALE)

    # -- parts ---------------------------------------------------------------------------------------

    def _axis(self) -> None:
        bottom = _TOP + _LANE * len(self.chart.lanes) - 12
        every = next(s for s in (1, 2, 5, 10, 30, 60, 600, 3600) if self._seconds / s <= 16)
        first = -int((self.chart.zero - self.chart.start) / every) * every
        for tick in range(first, int(self.chart.end - self.chart.zero) + 1, every):
            x = self._x(self.chart.zero + tick)
            self._line([(x, _TOP - 14), (x, bottom)], LINE, 1)
            self._text(x, bottom + 6, f"{tick} s", 16, SOFT, anchor="ma")

    def _lane(self, lane: Lane, top: float) -> None:
        self._text(40, top + 8, lane.name, 22)
        for line, words in enumerate(self._role(lane).split(": ")):
            self._text(40, top + 38 + 20 * line, words, 16, SOFT)
        heard = self.sheet.heard.get(lane.id)
        if heard is not None:
            self._wave(heard, top + _BAR + 6 + _WAVE / 2)
        for span in lane.spans:
            self._span(lane, span, top)
        if lane.id != LEAD and not lane.spans and lane.note:
            self._text(_LEFT + 10, top + _BAR / 2, lane.note, 18, SOFT, anchor="lm")

    def _keys(self) -> None:
        for row, lane in enumerate(self.chart.lanes):
            for key in lane.keys:
                self._key(key, self._x(key.at), _TOP + row * _LANE + _BAR / 2)

    def _key(self, key: Key, x: float, y: float) -> None:
        wider = max(0.0, self._width(key.digits, 18) - 12) / 2
        corners = (x - 15 - wider, y - 15, x + 15 + wider, y + 15)
        self._box(corners, INK, radius=15, outline=PAPER)
        self._text(x, y, key.digits, 18, "white", anchor="mm")

    def _role(self, lane: Lane) -> str:
        if lane.id == LEAD:
            status = self.chart.handoff.status
            return f"the lead · {status.value if status else 'open'}"
        if lane.id == QUALIFIER:
            return f"the qualifier: {lane.note}" if lane.note else "the qualifier"
        return lane.note if lane.spans else "agent"

    def _span(self, lane: Lane, span: Span, top: float) -> None:
        x0, x1 = self._x(span.start), self._x(self._end(span))
        self._box((x0 + 1, top, max(x1 - 1, x0 + 3), top + _BAR), COLOUR[span.kind], radius=7)
        x0, x1 = self._free(lane, x0, x1)
        words, middle = lane.words(span.kind), ((x0 + x1) / 2, top + _BAR / 2)
        for size in (18, 15, 12):
            if self._width(words, size) < x1 - x0 - 12:
                return self._text(*middle, words, size, INK, anchor="mm")
        if x1 - x0 > 14 and self._width(words, 13) < _BAR - 4:
            self._upright(*middle, words, 13)
        return None

    def _free(self, lane: Lane, x0: float, x1: float) -> tuple[float, float]:
        """The widest part of a span that no key covers."""
        inside = [x for key in lane.keys if x0 + 20 < (x := self._x(key.at)) < x1 - 20]
        edges = [x0, *inside, x1]
        return max(pairwise(edges), key=lambda part: part[1] - part[0])

    def _wave(self, heard: Envelope, middle: float) -> None:
        self._line([(_LEFT, middle), (_RIGHT, middle)], LINE, 1)
        inside = (heard.times >= self.chart.start) & (heard.times <= self.chart.end)
        for at, level in zip(heard.times[inside], heard.level[inside], strict=True):
            half = _WAVE / 2 * min(1.0, (float(level) / _LOUD) ** 0.7)
            x = self._x(float(at))
            if half > 0.5:
                self._line([(x, middle - half), (x, middle + half)], "#9aa3ad", 1)

    def _handoff_gap(self) -> None:
        """A bracket over the lead's lane: from the request until the agent is there."""
        handoff = self.chart.handoff
        joined, gap_ms, winner = handoff.joined_at, handoff.gap_ms, handoff.winner
        if joined is None or gap_ms is None or winner is None:
            return
        x0, x1, y = self._x(self.chart.zero), self._x(joined), _TOP - 22
        self._line([(x0, y + 8), (x0, y), (x1, y), (x1, y + 8)], INK, 2)
        words = f"handoff gap {gap_ms / 1000:.2f} s"
        if handoff.qualifier is not None:
            words = f"{winner.agent.name.split()[0]} is there after {joined - self.chart.zero:.2f} s, {words}"
        self._label((x0 + x1) / 2, y, words, INK)

    def _key_to_voice(self) -> None:
        """From the winner's key to their first frame in the lead's ear: told in words, it is so short."""
        gap = self.sheet.gap
        winner = self.chart.handoff.winner
        if gap is None or winner is None:
            return
        row = next(i for i, lane in enumerate(self.chart.lanes) if lane.id == winner.agent.id)
        x0, x1 = self._x(gap.key_released_at), self._x(gap.voice_at)
        lead_bottom = _TOP + _BAR + 6 + _WAVE
        self._line([(x0, lead_bottom), (x0, _TOP + row * _LANE - 3)], ALARM, 2)
        self._line([(x1, _TOP - 3), (x1, lead_bottom)], ALARM, 2)
        self._line([(x0, lead_bottom), (x1, lead_bottom)], ALARM, 2)
        words = f"from the key to {winner.agent.name.split()[0]}'s voice {gap_words(gap)}"
        left = x0 + 14 + self._width(words, 16) < _RIGHT
        self._text(
            x0 + 12 if left else x0 - 12,
            lead_bottom + 11,
            words,
            16,
            ALARM,
            anchor="lm" if left else "rm",
            back=True,
        )

    def _legend(self, y: float) -> None:
        x = float(_LEFT)
        used = {span.kind for lane in self.chart.lanes for span in lane.spans}
        for kind in (kind for kind in Kind if kind in used):
            self._box((x, y - 9, x + 18, y + 9), COLOUR[kind], radius=4)
            self._text(x + 26, y, _LEGEND[kind], 16, SOFT, anchor="lm")
            x += 26 + self._width(_LEGEND[kind], 16) + 26

    # -- pen -----------------------------------------------------------------------------------------

    def _x(self, at: float) -> float:
        return _LEFT + (at - self.chart.start) / self._seconds * (_RIGHT - _LEFT)

    def _end(self, span: Span) -> float:
        return self.chart.end if span.end is None else span.end

    def _label(self, x: float, y: float, words: str, colour: str) -> None:
        self._text(x, y, words, 17, colour, anchor="mm", back=True)

    def _width(self, words: str, size: int) -> float:
        return self._draw.textlength(words, font=_font(size)) / _SCALE

    def _text(
        self,
        x: float,
        y: float,
        words: str,
        size: int,
        colour: str = INK,
        *,
        anchor: str = "la",
        back: bool = False,
    ) -> None:
        at = (x * _SCALE, y * _SCALE)
        if back:
            x0, y0, x1, y1 = self._draw.textbbox(at, words, font=_font(size), anchor=anchor)
            margin = 7 * _SCALE
            self._draw.rectangle((x0 - margin, y0 - 2, x1 + margin, y1 + 2), fill=PAPER)
        self._draw.text(at, words, font=_font(size), fill=colour, anchor=anchor)

    def _upright(self, x: float, y: float, words: str, size: int) -> None:
        """Read from below."""
        width, height = round(self._width(words, size) * _SCALE), round(size * 1.4 * _SCALE)
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).text((width / 2, height / 2), words, fill=255, font=_font(size), anchor="mm")
        mask = mask.rotate(90, expand=True)
        corner = (round(x * _SCALE - height / 2), round(y * _SCALE - width / 2))
        self._image.paste(Image.new("RGB", mask.size, INK), corner, mask)

    def _line(self, points: list[tuple[float, float]], colour: str, width: int) -> None:
        self._draw.line([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour, width=width * _SCALE)

    def _box(
        self, corners: tuple[float, float, float, float], colour: str, *, radius: int, outline: str = ""
    ) -> None:
        scaled = tuple(c * _SCALE for c in corners)
        self._draw.rounded_rectangle(
            scaled, radius * _SCALE, fill=colour, outline=outline or None, width=2 * _SCALE if outline else 0
        )


_LEGEND = {
    Kind.LIVE: "lead and qualifier talk",
    Kind.TONE: "tone, heard alone",
    Kind.THREE: "three talk",
    Kind.MUSIC: "music on hold",
    Kind.COMFORT: "comfort announcement",
    Kind.RING: "the phone rings",
    Kind.BRIEFING: "briefing, heard alone",
    Kind.FAREWELL: "is told why, then hung up",
    Kind.INTRODUCTION: "introduction",
    Kind.TALK: "lead and agent talk",
    Kind.DIALPLAN: "back in the dialplan",
}
