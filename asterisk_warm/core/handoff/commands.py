"""Orders. Each is idempotent by the ids it derives from the handoff; the engine journals it before it is
carried out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from asterisk_warm.core.handoff.model import Agent, Line, Playing, ReturnPlace


@dataclass(frozen=True, slots=True)
class Command:
    pass


@dataclass(frozen=True, slots=True)
class SecureLead(Command):
    """Answer, music, bridge. → LeadSecured"""

    music: str
    variables: tuple[tuple[str, str], ...]
    """Set at once, so that a lead who hangs up leaves them to the `h` extension."""


@dataclass(frozen=True, slots=True)
class TakeOver(Command):
    """Bring the lead, and who talks to them, from their own call into the handoff's bridge, unnoticed.
    → LeadSecured"""

    other: str
    """The leg that talks to them: the qualifier's, or the agent's from whom the lead is taken back; "": the
    other call of the qualifier's phone, which ends thereby."""
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SetAside(Command):
    """The qualifier leaves the lead's (or the agent's) bridge, and hears ringing."""


@dataclass(frozen=True, slots=True)
class JoinQualifier(Command):
    """The qualifier into the lead's bridge; the music ends. → QualifierJoined"""

    stop_comfort: int | None = None
    """Number of the comfort announcement that the lead may still be hearing."""


@dataclass(frozen=True, slots=True)
class StartConsult(Command):
    """Qualifier and agent into a bridge of their own. → ConsultStarted"""

    offer: int
    stop_briefing: int | None
    """Number of the briefing that may still be playing to this agent."""
    agent_waits: bool = False
    """Whether the agent hears music, waiting for the qualifier."""
    stop_question: int | None = None
    """Number of the question that may still be under way: what is played and recorded for it ends."""


@dataclass(frozen=True, slots=True)
class HoldAgent(Command):
    """Music for the agent who waits while the qualifier talks to the lead."""

    offer: int
    music: str


@dataclass(frozen=True, slots=True)
class TellQualifier(Command):
    """A word to the qualifier alone; whoever they talk to hears nothing of it, and talks on.
    → PlaybackEnded"""

    number: int
    """For the playback's id."""
    media: tuple[Line, ...]
    talking: bool
    """Whether somebody is on the line with them, whom they must go on hearing."""


@dataclass(frozen=True, slots=True)
class ReleaseQualifier(Command):
    """The qualifier goes on where their own call stood in the dialplan, or is hung up. → QualifierLeft"""


class Progress(StrEnum):
    """What a phone's Transfer key is told."""

    TRYING = "trying"
    ANSWERED = "answered"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class TellPhone(Command):
    """How the transfer goes that the qualifier's phone asked for (SIP NOTIFY)."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class ShowParty(Command):
    """What a leg's phone shows as the other end."""

    leg: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class LogQueue(Command):
    """A line in Asterisk's queue_log."""

    queue: str
    event: str
    """As app_queue names it: ENTERQUEUE, CONNECT, …"""
    agent: str
    message: str
    """Further fields, parted by |."""


@dataclass(frozen=True, slots=True)
class PrepareSpeech(Command):
    """Render every line. → SpeechReady"""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class LookUpLead(Command):
    """Ask who may know more of the lead. → LeadFound"""

    number: str


class News(StrEnum):
    """What screens and other systems are told."""

    MADE = "offer.made"
    """Before the phone rings; the ring waits for it, within a budget."""
    ANSWERED = "offer.answered"
    """The agent has picked up, and is being briefed."""
    ACCEPTED = "offer.accepted"
    """The agent has accepted, and is on the way to the lead."""
    CLOSED = "offer.closed"
    """It can no longer be accepted, or the talk is over; with the reason."""
    ENDED = "handoff.ended"
    """Told for the handoff, not for an offer."""


@dataclass(frozen=True, slots=True)
class Tell(Command):
    """Tell an agent's screen, and other systems."""

    news: News
    offer: int | None = None
    """None: it is about the handoff."""


@dataclass(frozen=True, slots=True)
class RecordQuestion(Command):
    """Let an agent speak a question, alone, until a key or a silence. → Recorded"""

    offer: int
    number: int
    media: tuple[Line, ...]
    """Said before."""
    seconds: float
    stop_briefing: int | None


@dataclass(frozen=True, slots=True)
class PutQuestion(Command):
    """Play an agent's question to the lead instead of the music, or to the qualifier alone.
    → PlaybackEnded"""

    number: int
    media: tuple[Line, ...]
    of_qualifier: bool
    talking: bool
    """Whether the qualifier talks to somebody, whom they must go on hearing."""
    stop_comfort: int | None


@dataclass(frozen=True, slots=True)
class RecordReply(Command):
    """Record what the lead says now (or the qualifier and who is with them), until a silence. → Recorded"""

    number: int
    of_qualifier: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class DropQuestion(Command):
    """Nobody asks any more: recording and playback end; the lead has music again by another order."""

    number: int
    """Of the question, the reply, and what is played for them."""
    offer: int
    of_qualifier: bool


@dataclass(frozen=True, slots=True)
class RingAgent(Command):
    """Ring one agent. → AgentRinging, AgentAnswered or AgentHungUp"""

    offer: int
    agent: Agent
    name: str
    """The lead, as the agent's phone is to show them."""
    number: str
    seconds: float
    page: str = ""
    """URL that a softphone may open."""
    alert: str = ""
    """`Alert-Info`."""
    auto_answer: bool = False


@dataclass(frozen=True, slots=True)
class PlayToAgent(Command):
    """Say something to one agent alone. → PlaybackEnded"""

    offer: int
    what: Playing
    number: int
    """For the playback's id."""
    media: tuple[Line, ...]
    stop: int | None = None
    """Number of the briefing that may still be playing, to be silenced first."""


@dataclass(frozen=True, slots=True)
class JoinAgent(Command):
    """Put the agent with the lead; with media, introduce them. → AgentJoined, then PlaybackEnded when
    there is an introduction"""

    offer: int
    introduction: tuple[Line, ...]
    number: int
    """Counts introductions, for the playback's id."""
    stop_briefing: int | None
    """Number of the briefing that may still be playing to this agent."""
    stop_comfort: int | None
    """Number of the comfort announcement that the lead may still be hearing."""
    agent_waits: bool = False
    """Whether the agent hears music, waiting for the qualifier."""
    stop_question: int | None = None
    """Number of the question that may still be under way: what is played and recorded for it ends."""


@dataclass(frozen=True, slots=True)
class HangUpAgent(Command):
    """→ AgentHungUp, from Asterisk"""

    offer: int


@dataclass(frozen=True, slots=True)
class PlayComfort(Command):
    """→ PlaybackEnded"""

    number: int
    media: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class HoldLead(Command):
    """Give the lead its music (again)."""

    music: str
    stop_introduction: int | None = None
    """Number of the introduction that may still be playing."""


@dataclass(frozen=True, slots=True)
class LetGo(Command):
    """Hand a talking pair to Asterisk's own bridge. → LeadLeft, QualifierLeft, AgentLeft"""

    first: str
    second: str
    """Their legs; the first one goes on in its dialplan when the second one hangs up."""
    variables: tuple[tuple[str, str], ...]
    """For the first one's channel."""


@dataclass(frozen=True, slots=True)
class ReturnLead(Command):
    """Send the lead on in the dialplan. → LeadLeft"""

    variables: tuple[tuple[str, str], ...]
    to: ReturnPlace | None
    stop_comfort: int | None = None
    """Number of the comfort announcement that the lead may still be hearing: they would leave only after
    it."""


@dataclass(frozen=True, slots=True)
class CloseBridge(Command):
    """→ BridgeClosed"""

    asks: int = 0
    """How many questions were asked back: their recordings, and those of the replies, are deleted."""


@dataclass(frozen=True, slots=True)
class CheckLegs(Command):
    """Compare with what Asterisk really has. → Reconciled"""
