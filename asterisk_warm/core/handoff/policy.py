"""The settings one handoff runs under, fixed when it is requested: a changed config never alters a handoff in
flight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from asterisk_warm.core.presence import Rules
from asterisk_warm.core.routing import Routing

EVERYBODY = Routing()
NO_RULES = Rules()


class Mode(StrEnum):
    STAY = "stay"
    """The qualifier talks on with the lead meanwhile, introduces the agent in a talk of three, and leaves."""
    CONSULT = "consult"
    """The lead is on hold while the qualifier talks privately to the agent."""
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


class Action(StrEnum):
    """What a qualifier can ask for during a handoff, by keys on the phone, the API or the command line."""

    COMPLETE = "complete"
    """Leave the lead to the agent; while agents are still being sought, to whoever will accept."""
    THREE_WAY = "three-way"
    """Lead, qualifier and agent together."""
    SWAP = "swap"
    """From the agent to the lead, and back."""
    TAKE_BACK = "take-back"
    """Have the lead again; the agents are dismissed."""


@dataclass(frozen=True, slots=True)
class QualifierKeys:
    """What a qualifier presses during a handoff: sequences of keys."""

    complete: str = "*2"
    three_way: str = "*3"
    swap: str = "*4"
    take_back: str = "*1"

    def action(self, pressed: str) -> Action | None:
        """What the last keys of `pressed` ask for."""
        meant = {
            self.complete: Action.COMPLETE,
            self.three_way: Action.THREE_WAY,
            self.swap: Action.SWAP,
            self.take_back: Action.TAKE_BACK,
        }
        return next((action for keys, action in meant.items() if keys and pressed.endswith(keys)), None)

    @property
    def longest(self) -> int:
        return max(map(len, (self.complete, self.three_way, self.swap, self.take_back)))


@dataclass(frozen=True, slots=True)
class Templates:
    """Wording with `{placeholders}`, filled by `core.wording`."""

    briefing: str
    instructions: str
    introduction: str
    taken: str
    returned: str = "{name} is back with you. {reason}."
    """What the qualifier alone hears when the lead comes back to them."""
    recall: str = "{name} is waiting for you. {reason}. Press {accept} to talk to them."
    """What a qualifier who had hung up hears when rung because nobody took the lead."""


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
    qualifier_mode: Mode = Mode.STAY
    """The mode where a qualifier is on the call and none was asked for."""
    qualifier_keys: QualifierKeys = QualifierKeys()
    linger_seconds: float = 300.0
    """How long a qualifier may stay with lead and agent."""
    warn_seconds: float = 15.0
    """How long before the end of the hold budget a qualifier is warned; 0: never."""
    recall_seconds: float = 20.0
    """How long the phone of a qualifier who has hung up rings when nobody took the lead; 0: it does not."""
    take_back_seconds: float = 120.0
    """How long after the qualifier left the lead to the agent they may be taken back; 0: never."""
    require: tuple[str, ...] = ()
    """What must hold of the lead before anyone is rung: names of `gate.CONDITIONS`."""
    queue_log: bool = False
    """Whether Asterisk's queue_log is told."""
    routing: Routing = EVERYBODY
    """Whom of the team to offer the lead to, and when."""
    priority: int = 0
    """Among leads who wait, the higher comes first."""
    agents: Rules = NO_RULES
    """What follows for agents from offers and talks."""
    recording: str = ""
    """Folder in which a lead who is taken over from a talk is recorded; empty: not by us."""
