"""The scene as it plays, on the terminal: one lane per leg, and the latest events. Plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from asterisk_warm.core.handoff.story import Told, tell
from asterisk_warm.lab.demo.lanes import Chart, Kind, Lane, Span, chart
from asterisk_warm.lab.demo.watch import Watch

STYLE = {
    Kind.MUSIC: "black on bright_cyan",
    Kind.COMFORT: "black on cyan",
    Kind.RING: "black on yellow",
    Kind.BRIEFING: "white on magenta",
    Kind.FAREWELL: "white on bright_black",
    Kind.INTRODUCTION: "white on blue",
    Kind.TALK: "black on green",
    Kind.DIALPLAN: "white on red",
}
# Where there is no colour the filling tells them apart, after the word.
FILL = {
    Kind.MUSIC: "~",
    Kind.COMFORT: "=",
    Kind.RING: ".",
    Kind.BRIEFING: ":",
    Kind.FAREWELL: "-",
    Kind.INTRODUCTION: "+",
    Kind.TALK: "#",
    Kind.DIALPLAN: "<",
}
SHORT = {
    Kind.MUSIC: "mus",
    Kind.COMFORT: "comf",
    Kind.RING: "ring",
    Kind.BRIEFING: "brief",
    Kind.FAREWELL: "bye",
    Kind.INTRODUCTION: "intro",
    Kind.TALK: "talk",
    Kind.DIALPLAN: "back",
}
_NAME_WIDTH = 16
_CAPTIONS = 6
_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds per column, the finest first."""


class Stagehand:
    """Shows one scene. A context manager; `look` is for `Watch`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def look(self, watch: Watch) -> None:
        """Show what the watch has seen by now."""
        if not watch.chapters:
            return
        self.show(chart(watch.chapters, time.time()), tell(watch.chapters))

    def show(self, now: Chart, told: Sequence[Told]) -> None:
        if self._live:
            self._live.update(picture(now, told, self._console.width), refresh=True)
        else:
            for line in told[self._printed :]:
                self._console.print(caption(now, line), highlight=False, soft_wrap=True)
            self._printed = len(told)


def picture(now: Chart, told: Sequence[Told], width: int) -> RenderableType:
    """The lanes over the latest captions, at most `width` columns wide."""
    columns = max(20, min(width, 120) - _NAME_WIDTH - 1)
    step = _scale(now, columns)
    rows = [_lane(lane, now, step, columns) for lane in now.lanes]
    captions = [caption(now, line) for line in told[-_CAPTIONS:]]
    for text in (*rows, *captions):
        text.truncate(width, overflow="ellipsis")
    return Group(*rows, _axis(step, columns), *captions)


def _scale(now: Chart, columns: int) -> float:
    """The finest step at which everything fits, with what is written behind the lanes."""
    for step in _STEPS:
        widths = [_free_after(lane, now, step) + len(lane.note) for lane in now.lanes]
        if max((_column(now.end, now, step), *widths)) <= columns:
            return step
    return max(_STEPS[-1], (now.end - now.start) / columns)


def caption(now: Chart, line: Told) -> Text:
    """`+ 3.21 s  Ben Okafor      answered`"""
    text = Text(f"+{line.at - now.start:6.2f} s  ", style="dim", no_wrap=True)
    return text.append(f"{line.who:<{_NAME_WIDTH}}", style="bold").append(line.text, style="not dim")


def _lane(lane: Lane, now: Chart, step: float, columns: int) -> Text:
    # Drawn onto cells, so that a later span or key may cover the end of an earlier one's word.
    cells, styles = [" "] * columns, [""] * columns
    for span in lane.spans:
        first, last = _column(span.start, now, step), _column(_end(span, now), now, step)
        last = min(max(last, first + 1), columns)
        label = _label(span.kind, last - first)
        cells[first:last] = label.ljust(last - first, FILL[span.kind])
        styles[first:last] = [STYLE[span.kind]] * (last - first)
    for key in lane.keys:
        at = min(_column(key.at, now, step), columns - 1)
        cells[at], styles[at] = key.digit, "bold reverse"
    if lane.note:
        _write(cells, styles, lane.note, _free_after(lane, now, step))
    text = Text(f"{lane.name[: _NAME_WIDTH - 1]:<{_NAME_WIDTH}}", style="bold", no_wrap=True)
    for cell, style in zip(cells, styles, strict=True):
        text.append(cell, style=style or "not bold")
    return text


def _label(kind: Kind, room: int) -> str:
    """As much of what it is as there is room for, behind a bar that parts it from what was before."""
    return next((f"|{word} " for word in (kind, SHORT[kind]) if len(word) + 2 <= room), "|")


def _write(cells: list[str], styles: list[str], words: str, at: int) -> None:
    for i, letter in enumerate(words, start=at):
        if i >= len(cells):
            return
        cells[i], styles[i] = letter, "italic"


def _free_after(lane: Lane, now: Chart, step: float) -> int:
    ends = [_column(_end(span, now), now, step) for span in lane.spans]
    keys = [_column(key.at, now, step) for key in lane.keys]
    return max((*ends, *keys), default=-2) + 2


def _axis(step: float, columns: int) -> Text:
    every = next(s for s in (1, 2, 5, 10, 30, 60, 600) if s / step >= 8)
    line = [" "] * columns
    for tick in range(0, int(columns * step) + 1, every):
        for i, letter in enumerate(f"|{tick} s", start=round(tick / step)):
            if i < columns:
                line[i] = letter
    return Text(" " * _NAME_WIDTH + "".join(line), style="dim", no_wrap=True)


def _end(span: Span, now: Chart) -> float:
    return now.end if span.end is None else span.end


def _column(at: float, now: Chart, step: float) -> int:
    return round((at - now.start) / step)
