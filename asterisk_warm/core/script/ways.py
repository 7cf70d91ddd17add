"""All the ways through a script at once: which questions they come to, and with how many points they end.

A question's answers are told apart only as far as something follows from them, and the ways that have come
to the same question are told apart only by what a later `when` asks about. That keeps the number of them
small; where it does not, what was answered is forgotten, and each `when` may hold or not: then there may
seem to be more ways than there are, never fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.model import END, Match, Question, Script
from asterisk_warm.core.script.path import following
from asterisk_warm.core.script.samples import Sample, samples
from asterisk_warm.core.script.scoring import rounded

LIMIT = 20_000
"""Steps that are looked at before what was answered is forgotten: a fraction of a second."""

Condition = tuple[str, Match]
"""What a `when` asks for: a question, and which answers to it."""


@dataclass(frozen=True, slots=True)
class Way:
    """Ways that have come to the same place."""

    least: float
    most: float
    """Points."""
    answers: tuple[Answer, ...]
    """Of one that has the most points."""

    def on(self, sample: Sample) -> Way:
        points = sample.effect.points
        return Way(self.least + points, self.most + points, (*self.answers, sample.answer))

    def beside(self, other: Way | None) -> Way:
        if other is None:
            return self
        better = self if self.most > other.most else other
        return Way(min(self.least, other.least), better.most, better.answers)


@dataclass(slots=True)
class Ways:
    exact: bool
    """False: there may be fewer."""
    asked: dict[str, Way] = field(default_factory=dict)
    """By question: those on which it is asked, with the points before it."""
    cut: dict[str, Way] = field(default_factory=dict)
    """By question: those that a `goto: end` of it has ended."""
    knocked: Way | None = None
    finished: Way | None = None
    """Those that end otherwise."""


class _TooMany(Exception):
    pass


def ways(script: Script, limit: int = LIMIT) -> Ways:
    conditions = _conditions(script)
    about: dict[str, list[Condition]] = {}
    for condition in conditions:
        about.setdefault(condition[0], []).append(condition)
    legs = [_legs(script, place, about.get(one.id, [])) for place, one in enumerate(script.questions)]
    try:
        return _Walk(script, conditions, legs, limit).all()
    except _TooMany:
        return _Walk(script, conditions, legs, None).all()


def bounds(script: Script) -> tuple[float, float]:
    """The least and the highest score that a complete qualification can have."""
    found = ways(script)
    ends = [end for end in (found.knocked, found.finished) if end is not None]
    least, most = min((end.least for end in ends), default=0.0), max((end.most for end in ends), default=0.0)
    return rounded(least), rounded(most)


@dataclass(frozen=True, slots=True)
class _Leg:
    """From a question on, by some of its answers."""

    sample: Sample
    made: frozenset[Condition]
    """What they make true."""
    to: int
    """The place that follows."""


def _legs(script: Script, place: int, conditions: Sequence[Condition]) -> tuple[_Leg, ...]:
    """`conditions`: about the question in that place."""
    return tuple(
        _Leg(
            sample,
            frozenset(condition for condition, holds in zip(conditions, sample.about, strict=True) if holds),
            following(script, place, sample.effect.goto),
        )
        for sample in samples(script, script.questions[place], [match for _, match in conditions])
    )


def _conditions(script: Script) -> Mapping[Condition, int]:
    """What is asked for by a `when`, and in which place last."""
    return {
        condition: place
        for place, question in enumerate(script.questions)
        for condition in question.when.items()
    }


Here = dict[frozenset[Condition], Way]
"""The ways that have come to one place, by what they have made true."""


class _Walk:
    def __init__(
        self,
        script: Script,
        conditions: Mapping[Condition, int],
        legs: Sequence[Sequence[_Leg]],
        limit: int | None,
    ) -> None:
        """`legs`: from each question; `limit`: of steps; None: not exact, so that there are few."""
        self.script = script
        self.conditions = conditions
        self.legs = legs
        self.found = Ways(limit is not None)
        self.left = limit or 0
        self.places: list[Here] = [{} for _ in range(len(script.questions) + 1)]
        self.places[0][frozenset()] = Way(0.0, 0.0, ())

    def all(self) -> Ways:
        for place, question in enumerate(self.script.questions):
            for true, way in self.places[place].items():
                self._at(place, question, true, way)
            self.places[place] = {}
        for way in self.places[-1].values():
            self.found.finished = way.beside(self.found.finished)
        return self.found

    def _at(self, place: int, question: Question, true: frozenset[Condition], way: Way) -> None:
        """Where nobody knows any more whether its `when` holds, both are possible."""
        holds = true.issuperset(question.when.items())
        if not holds or (question.when and not self.found.exact):
            self._come(place + 1, true, way)
        if holds or not self.found.exact:
            self.found.asked[question.id] = way.beside(self.found.asked.get(question.id))
            for leg in self.legs[place]:
                self._answered(question, leg, true, way.on(leg.sample))

    def _answered(self, question: Question, leg: _Leg, true: frozenset[Condition], way: Way) -> None:
        if leg.sample.effect.knockout:
            self.found.knocked = way.beside(self.found.knocked)
            return
        if leg.sample.effect.goto == END:
            self.found.cut[question.id] = way.beside(self.found.cut.get(question.id))
        self._come(leg.to, true | leg.made, way)

    def _come(self, place: int, true: frozenset[Condition], way: Way) -> None:
        self.left -= 1
        if self.found.exact and self.left < 0:
            raise _TooMany
        matter = frozenset(one for one in true if self.found.exact and self.conditions[one] >= place)
        here = self.places[place]
        here[matter] = way.beside(here.get(matter))
