"""A qualification script as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

END = "end"
"""Where a rule's `goto` leads when nothing more is to be asked."""


class Kind(StrEnum):
    CHOICE = "choice"
    YESNO = "yesno"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    """Free text; on the phone it is recorded."""
    PHONE = "phone"
    EMAIL = "email"
    """On the phone it is recorded."""


class Channel(StrEnum):
    """By which way a question is asked and answered."""

    VOICE = "voice"
    """On the phone: heard, and keyed or spoken."""
    CONSOLE = "console"
    """By a qualifier, on a screen or in a terminal."""
    TEXT = "text"
    DIALPLAN = "dialplan"
    API = "api"


class Verdict(StrEnum):
    READY = "ready"
    """To be handed off now."""
    NURTURE = "nurture"
    """Not now."""
    DISQUALIFIED = "disqualified"


@dataclass(frozen=True, slots=True)
class Wording:
    """How a question is asked. What a channel has no wording of its own for is asked as on the console."""

    console: str
    voice: str = ""
    text: str = ""
    by_channel: bool = field(default=False, compare=False)
    """It is written channel by channel, so that `console` is meant for qualifiers; False: for everybody."""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    """As it is shown, spoken and put into summaries."""
    key: str = ""
    """The digit on the phone; empty: its place in the list, from 1."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which answers are meant: one of `values`, or within the limits, both inclusive. All empty: any answer,
    but not a skipped question."""

    values: tuple[str, ...] = ()
    least: float | None = None
    """Of a number; of a date, in days from the day of the answer."""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an answer."""

    match: Match
    points: float = 0.0
    knockout: str = ""
    """Why the lead is disqualified, in words; empty: they are not."""
    goto: str = ""
    """A later question, or END; empty: the next one."""


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    kind: Kind
    wording: Wording
    help: str = ""
    optional: bool = False
    """It may be skipped."""
    when: Mapping[str, Match] = field(default_factory=dict)
    """Asked only if each of these earlier questions has such an answer. Empty: always."""
    rules: tuple[Rule, ...] = ()
    """The first `goto`, and the first `knockout`, whose rule matches counts; points of all that match are
    added."""
    choices: tuple[Choice, ...] = ()
    least: float | None = None
    """Of a number; of a date, in days from the day of the answer."""
    most: float | None = None
    tries: int = 3
    """How many wrong or silent answers in a row there may be on the phone."""
    seconds: float = 8.0
    """How long an answer on the phone may take to begin; a recording may last four times as long."""


@dataclass(frozen=True, slots=True)
class Script:
    id: str
    name: str
    questions: tuple[Question, ...]
    """In the order in which they are asked, unless a rule leads elsewhere (always forward)."""
    ready: float
    """Least score of the verdict READY."""
    nurture: float
    """Least score of NURTURE; below it, DISQUALIFIED."""
    summary: str
    """Template of the one-line why: `{question id}` is its answer as it is spoken, `{name}` the lead's."""
    details: str = ""
    """Template of what an agent hears beside it; empty: each answer in turn."""
    language: str = ""
    """Of its wordings (`en`, `es`); empty: the configuration's."""
    date_order: str = "dmy"
    """How a date is keyed on the phone: dmy, mdy or ymd."""
    valid_days: float = 30.0
    """How long a finished qualification counts, and how long an answer is not asked for again."""
    below: str = "the score is too low"
    """Why a lead below READY is not ready, in words."""

    def question(self, id: str) -> Question | None:
        return next((question for question in self.questions if question.id == id), None)
