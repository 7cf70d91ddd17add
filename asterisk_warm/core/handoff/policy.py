"""The settings one handoff runs under, fixed when it is requested: a changed config never alters a handoff in
flight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    AUTO = "auto"
    """Nobody talks to the lead meanwhile; the briefing is automated."""
    BLIND = "blind"
    """No briefing: who answers first is joined."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What an agent presses during an offer."""

    accept: str = "1"
    decline: str = "2"
    repeat: str = "3"


@dataclass(frozen=True, slots=True)
class Templates:
    """Wording with `{placeholders}`, filled by `core.wording`."""

    briefing: str
    instructions: str
    introduction: str
    taken: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations are in seconds."""

    mode: Mode
    ring_seconds: float
    """How long one agent's phone may ring."""
    decision_seconds: float
    """How long an agent may think after answering."""
    hold_seconds: float
    """How long the lead may be held altogether."""
    comfort_seconds: float
    """Between comfort announcements to the lead; 0: none."""
    music: str
    """Music-on-hold class for the lead."""
    introduction: bool
    """Whether the lead hears one line as the agent joins."""
    keys: Keys
    templates: Templates
