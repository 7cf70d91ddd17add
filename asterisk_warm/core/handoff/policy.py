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
    details: str = "4"
    ask: str = "5"


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
    """Who and why, in few words."""
    instructions: str
    introduction: str
    taken: str
    details: str = "{details}"
    """What an agent hears who asks for more."""
    display: str = "{name}, {score}: {summary}"
    """The lead, as an agent's phone shows them."""
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
    """How long an agent may think after answering, and after what they have asked to hear."""
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
    language: str = ""
    """Of `templates`; empty: the speech engine's first one."""
    translations: tuple[tuple[str, Templates], ...] = ()
    """(language, templates) for agents and leads who speak another one."""
    look_up: bool = False
    """Whether somebody else may know more of the lead (a CRM)."""
    own_words: bool = False
    """Whether an agent hears the lead's own recorded words, where there are some."""
    asks: int = 2
    """How often one agent may ask back; 0: never."""
    question_seconds: float = 12.0
    """Longest question, and longest reply, of one that is asked back."""
    least_score: float | None = None
    """Least score of the lead's qualification before anyone is rung; None: any."""
    script: str = ""
    """Whose qualification counts; empty: any."""
    page: str = ""
    """URL that a softphone or screen may open, with `{id}`, `{number}`, `{agent}`; empty: none."""
    alert: str = ""
    """`Alert-Info` of the agents' phones; empty: none."""
    auto_answer: bool = False
    """Whether the agents' phones are told to answer by themselves."""

    def templates_in(self, language: str) -> Templates:
        """Those of a language, or else the policy's own."""
        return dict(self.translations).get(language, self.templates)

    def speaks(self, language: str) -> str:
        """The language in which that is said: the one asked for, if there are templates in it."""
        return language if language in dict(self.translations) else self.language
