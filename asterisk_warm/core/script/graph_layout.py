"""Where everything stands in the picture of a script.

Questions stand below one another in their order, so that every way leads down: to the next one straight, to a
later one by a lane on the left. Knock-outs stand on the right of their question, verdicts at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from asterisk_warm.core.script.graph_boxes import (
    BOX,
    LABEL,
    LINE,
    PAD,
    SIDE,
    Branch,
    Look,
    Text,
    goes_on,
    height,
    jumps,
    knockouts,
    lines,
    question_lines,
    verdict_lines,
)
from asterisk_warm.core.script.model import END, Script

GAP = 36.0
"""Between two questions."""
PORT = 40.0
"""Between two arrows on the same side of a box; room for a label of two lines."""
LANE = 16.0
MARGIN = 20.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    look: Look
    x: float
    y: float
    width: float
    height: float
    lines: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    points: tuple[Point, ...]
    label: tuple[str, ...] = ()
    at: Point = (0.0, 0.0)
    """Where the last line of the label begins."""


@dataclass(slots=True)
class Picture:
    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def laid_out(script: Script) -> Picture:
    layout = _Layout(script)
    for place in range(len(script.questions)):
        layout.question(place)
    layout.end()
    layout.lanes()
    layout.frame()
    return layout.picture


class _Layout:
    """From the top to the bottom; `y` is where the next box begins."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.picture = Picture()
        self.x, self.y = 0.0, 0.0
        self.tops: dict[str, float] = {}
        self.leaving: list[tuple[float, Branch]] = []

    def question(self, place: int) -> None:
        question = self.script.questions[place]
        texts = question_lines(self.script, question)
        to_left, to_right = jumps(self.script, place), knockouts(question)
        ends = [lines(branch.to, SIDE, 4) for branch in to_right]
        stacked = sum(_end_height(end) + PAD for end in ends) - PAD
        tall = max(height(texts), PORT * len(to_left) + LINE * 2, stacked)
        look = Look.SOMETIMES if question.when else Look.QUESTION
        self.picture.boxes.append(Box(look, self.x, self.y, BOX, tall, texts))
        self.tops[question.id] = self.y
        self.leaving += [(self.y + PORT * number + LINE, branch) for number, branch in enumerate(to_left, 1)]
        self._knockouts(to_right, ends)
        bottom, middle = self.y + tall, self.x + BOX / 2
        self.y = bottom + GAP
        if goes_on(self.script, place):
            label = ("otherwise",) if to_left or to_right else ()
            at = (middle + PAD, bottom + GAP / 2)
            self.picture.arrows.append(Arrow(((middle, bottom), (middle, self.y)), label, at))

    def _knockouts(self, branches: Sequence[Branch], ends: Sequence[tuple[Text, ...]]) -> None:
        left, right, y = self.x + BOX, self.x + BOX + LABEL, self.y
        for branch, texts in zip(branches, ends, strict=True):
            tall = _end_height(texts)
            self.picture.boxes.append(Box(Look.DISQUALIFIED, right, y, SIDE, tall, texts))
            middle = y + tall / 2
            arrow = Arrow(((left, middle), (right, middle)), branch.label, (left + PAD / 2, middle - PAD / 2))
            self.picture.arrows.append(arrow)
            y += tall + PAD

    def end(self) -> None:
        """Below the questions the score, and below that the verdicts from left to right."""
        texts = lines("The score decides", BOX, 1, bold=True)
        bottom = self.y + height(texts)
        self.picture.boxes.append(Box(Look.END, self.x, self.y, BOX, height(texts), texts))
        self.tops[END] = self.y
        start, half = self.x + BOX / 2, bottom + GAP / 2
        verdicts = verdict_lines(self.script)
        tall = max(map(height, verdicts.values()))
        for number, (look, texts) in enumerate(verdicts.items()):
            x = self.x + (SIDE + PAD) * number
            middle = x + SIDE / 2
            self.picture.boxes.append(Box(look, x, bottom + GAP, SIDE, tall, texts))
            self.picture.arrows.append(
                Arrow(((start, bottom), (start, half), (middle, half), (middle, bottom + GAP)))
            )

    def lanes(self) -> None:
        """The shortest way is nearest to the questions, and no two share a lane side by side."""
        taken: list[list[Point]] = []
        for start, branch in sorted(self.leaving, key=lambda one: self.tops[one[1].to] - one[0]):
            end = self.tops[branch.to] + LINE
            lane = next((n for n, spans in enumerate(taken) if _free(spans, start, end)), len(taken))
            if lane == len(taken):
                taken.append([])
            taken[lane].append((start, end))
            x = self.x - LABEL - LANE * (lane + 1)
            way = ((self.x, start), (x, start), (x, end), (self.x, end))
            self.picture.arrows.append(Arrow(way, branch.label, (self.x - LABEL + PAD, start - PAD / 2)))

    def frame(self) -> None:
        """Push everything to where it begins at the margin."""
        boxes, arrows = self.picture.boxes, self.picture.arrows
        least = min(x for arrow in arrows for x, _ in arrow.points)
        right, down = MARGIN - min(least, self.x), MARGIN
        self.picture.boxes = [replace(box, x=box.x + right, y=box.y + down) for box in boxes]
        self.picture.arrows = [_moved(arrow, right, down) for arrow in arrows]
        self.picture.width = max(box.x + box.width for box in self.picture.boxes) + MARGIN
        self.picture.height = max(box.y + box.height for box in self.picture.boxes) + MARGIN


def _end_height(texts: tuple[Text, ...]) -> float:
    return max(height(texts), PORT)


def _free(spans: Sequence[Point], start: float, end: float) -> bool:
    return all(end + LINE < first or last + LINE < start for first, last in spans)


def _moved(arrow: Arrow, right: float, down: float) -> Arrow:
    points = tuple((x + right, y + down) for x, y in arrow.points)
    return Arrow(points, arrow.label, (arrow.at[0] + right, arrow.at[1] + down))
