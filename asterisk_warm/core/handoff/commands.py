"""Orders. Each is idempotent by the ids it derives from the handoff; the engine journals it before it is
carried out."""

from __future__ import annotations

from dataclasses import dataclass

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
class FindAgents(Command):
    """Ask who of the roster is free. → AgentsFound"""

    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class PrepareSpeech(Command):
    """Render every line. → SpeechReady"""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RingAgent(Command):
    """Ring one agent. → AgentRinging, AgentAnswered or AgentHungUp"""

    offer: int
    agent: Agent
    name: str
    """The lead's name, as the agent's phone is to show it."""
    number: str
    seconds: float


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
    """Hand the talking pair to Asterisk's own bridge. → LeadLeft, AgentLeft"""

    offer: int
    variables: tuple[tuple[str, str], ...]


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


@dataclass(frozen=True, slots=True)
class CheckLegs(Command):
    """Compare with what Asterisk really has. → Reconciled"""
