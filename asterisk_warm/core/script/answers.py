"""One lead's answers to a script, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_warm.core.script.model import Channel, Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """Kept as it was given."""

    question: str
    value: str
    """In its canonical form: a choice's value, `yes` or `no`, a plain decimal number, an ISO date, E.164;
    empty when skipped, or when there is only a recording."""
    at: float
    """Seconds since the epoch."""
    on: str
    """The local date then, ISO: what the days of a date are counted from."""
    by: str
    """Who answered or took it down: `lead`, a qualifier's name, …"""
    channel: Channel
    asked: str
    """The exact wording that was asked."""
    skipped: bool = False
    no_answer: bool = False
    """It was skipped because nothing came that would do, as often as the lead was asked; not on purpose."""
    recording: str = ""
    """Name of Asterisk's stored recording of the spoken answer; empty: none."""
    recording_gone: bool = False
    """There was one, which has been deleted because its time was over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answers so far amount to."""

    complete: bool
    """Nothing is left to ask."""
    score: float
    verdict: Verdict | None
    """None until it is complete or the lead is knocked out."""
    reason: str
    """Why that verdict, in words; empty as long as there is none."""
    summary: str
    """The one-line why."""
    details: str


@dataclass(frozen=True, slots=True)
class Given:
    """A finished qualification handed over by another system."""

    score: float
    verdict: Verdict
    reason: str
    summary: str
    source: str


@dataclass(frozen=True, slots=True)
class Qualification:
    """One lead's answers to one version of a script; immutable, `revision` counts its changes."""

    id: str
    script: str
    """Id of the script; of a `given` one, whatever the other system calls it."""
    version: int
    lead: str
    """The lead's number (E.164, or as it was dialled); empty: a caller without one."""
    language: str
    started_at: float
    updated_at: float
    answers: tuple[Answer, ...] = ()
    """In the order in which they were given; of one question the last one counts."""
    ended_at: float | None = None
    """When nothing more was left to ask."""
    given: Given | None = None
    revision: int = 0
