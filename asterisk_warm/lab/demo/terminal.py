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
    Kind.LIVE: "black on dark_olive_green1",
    Kind.TONE: "black on dark_orange",
    Kind.THREE: "white on dark_green",
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
    Kind.LIVE: "%",
    Kind.TONE: "!",
    Kind.THREE: "&",
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
    Kind.LIVE: "live",
    Kind.TONE: "tone",
    Kind.THREE: "three",
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
        told = watch.prelude.told() if watch.prelude else []
        now = None
        if watch.chapters:
            now = chart(watch.chapters, time.time(), watch.prelude)
            told += tell(watch.chapters)
        self.show(now, told)

    def show(self, now: Chart | None, told: Sequence[Told]) -> None:
        """`now` is None before there is a handoff."""
        if self._live:
            self._live.update(picture(now, told, self._console.width), refresh=True)
        else:
            for line in told[self._printed :]:
                self._console.print(caption(now, line), highlight=False, soft_wrap=True)
            self._printed = len(told)


def picture(now: Chart | None, told: Sequence[Told], width: int) -> RenderableType:
    """The lanes over the latest captions, at most `width` columns wide."""
    captions = [caption(now, line) for line in told[-_CAPTIONS:]]
    rows: list[Text] = []
    if now is not None:
        columns = max(20, min(width, 120) - _NAME_WIDTH - 1)
        step = _scale(now, columns)
        rows = [*(_lane(lane, now, step, columns) for lane in now.lanes), _axis(now, step, columns)]
    for text in (*rows, *captions):
        text.truncate(width, overflow="ellipsis")
    return Group(*rows, *captions)


def _scale(now: Chart, columns: int) -> float:
    """The finest step at which everything fits, with the gist of what is written behind the lanes."""
    for step in _STEPS:
        widths = [_free_after(lane, now, step) + len(_gist(lane.note)) for lane in now.lanes]
        if max((_column(now.end, now, step), *widths)) <= columns:
            return step
    return max(_STEPS[-1], (now.end - now.start) / columns)


def caption(now: Chart | None, line: Told) -> Text:
    """`+  3.21 s  Ben Okafor      answered`; what was before the request has no offset."""
    known = now is not None and line.at >= now.zero
    offset = f"+{line.at - now.zero:6.2f} s  " if now is not None and known else " " * 11
    text = Text(offset, style="dim", no_wrap=True)
    return text.append(f"{line.who:<{_NAME_WIDTH}}", style="bold").append(line.text, style="not dim")


def _lane(lane: Lane, now: Chart, step: float, columns: int) -> Text:
    # Drawn onto cells, so that a later span or key may cover the end of an earlier one's word.
    cells, styles = [" "] * columns, [""] * columns
    for span in lane.spans:
        first, last = _column(span.start, now, step), _column(_end(span, now), now, step)
        last = min(max(last, first + 1), columns)
        cells[first:last] = "|" + FILL[span.kind] * (last - first - 1)
        begin, room = _free(lane, now, step, first, last)
        label = _label(lane, span.kind, room)
        cells[begin + 1 : begin + 1 + len(label)] = label
        styles[first:last] = [STYLE[span.kind]] * (last - first)
    for key in lane.keys:
        at = min(_column(key.at, now, step), columns - len(key.digits))
        cells[at : at + len(key.digits)] = key.digits
        styles[at : at + len(key.digits)] = ["bold reverse"] * len(key.digits)
    if lane.note:
        at = _free_after(lane, now, step)
        _write(cells, styles, lane.note if at + len(lane.note) <= columns else _gist(lane.note), at)
    text = Text(f"{lane.name[: _NAME_WIDTH - 1]:<{_NAME_WIDTH}}", style="bold", no_wrap=True)
    for cell, style in zip(cells, styles, strict=True):
        text.append(cell, style=style or "not bold")
    return text


def _free(lane: Lane, now: Chart, step: float, first: int, last: int) -> tuple[int, int]:
    """Where the widest part of a span begins that no key covers, and how wide it is."""
    inside = [(at, len(key.digits)) for key in lane.keys if first < (at := _column(key.at, now, step)) < last]
    begins = [first, *(at + wide for at, wide in inside)]
    ends = [*(at for at, _ in inside), last]
    return max(((b, end - b) for b, end in zip(begins, ends, strict=True)), key=lambda part: part[1])


def _label(lane: Lane, kind: Kind, room: int) -> str:
    """As much of what it is as there is room for, behind the bar that parts it from what was before."""
    words = (lane.words(kind), kind, SHORT[kind])
    return next((f"{word} " for word in words if len(word) + 2 <= room), "")


def _gist(note: str) -> str:
    return note.partition(": ")[0]


def _write(cells: list[str], styles: list[str], words: str, at: int) -> None:
    for i, letter in enumerate(words, start=at):
        if i >= len(cells):
            return
        cells[i], styles[i] = letter, "italic"


def _free_after(lane: Lane, now: Chart, step: float) -> int:
    ends = [_column(_end(span, now), now, step) for span in lane.spans]
    keys = [_column(key.at, now, step) + len(key.digits) - 1 for key in lane.keys]
    return max((*ends, *keys), default=-2) + 2


def _axis(now: Chart, step: float, columns: int) -> Text:
    every = next(s for s in (1, 2, 5, 10, 30, 60, 600) if s / step >= 8)
    line = [" "] * columns
    first = -int((now.zero - now.start) / every) * every
    for tick in range(first, int(now.start + columns * step - now.zero) + 1, every):
        for i, letter in enumerate(f"|{tick} s", start=_column(now.zero + tick, now, step)):
            if i < columns:
                line[i] = letter
    return Text(" " * _NAME_WIDTH + "".join(line), style="dim", no_wrap=True)


def _end(span: Span, now: Chart) -> float:
    return now.end if span.end is None else span.end


def _column(at: float, now: Chart, step: float) -> int:
    return round((at - now.start) / step)
