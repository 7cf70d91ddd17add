"""Facts, in the past tense. Each carries when it happened (`at`, seconds since the epoch) and its own id."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_warm.core.handoff.model import (
    LOST,
    Agent,
    Lead,
    Outcome,
    Playing,
    Qualifier,
    Refusal,
    ReturnPlace,
    Said,
)
from asterisk_warm.core.handoff.policy import Action, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: float
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequested(Event):
    """Somebody asked for the lead to be handed to a team."""

    handoff: str
    team: str
    team_name: str
    lead: Lead
    agents: tuple[Agent, ...]
    """The team's roster, in order."""
    policy: Policy
    requested_by: str
    """"dialplan", "api", …: shown in the story."""
    return_to: ReturnPlace | None = None
    """Where the lead goes on when not connected; None: after its Stasis()."""
    lost_to: ReturnPlace = LOST
    """The same, once another channel is in the place of the one that had a Stasis() to go on after."""
    qualifier: Qualifier | None = None
    """Who is on the call with the lead, and hands them off."""
    refusal: Refusal | None = None
    """Why nobody may be rung: the lead goes back with it, or stays where they are."""
    said: tuple[Said, ...] = ()
    """What was said of the lead, beside what is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSecured(Event):
    """The lead is answered and sits in the handoff's bridge: with music, or with whom they talked to (the
    qualifier; the agent from whom they are taken back)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHungUp(Event):
    cause: str
    """In words, from the hangup cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLeft(Event):
    """The lead's channel lives but has left our application: let go, returned, or taken away by somebody
    else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifierJoined(Event):
    """The qualifier is in the bridge with the lead (again)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifierHungUp(Event):
    cause: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifierLeft(Event):
    """The qualifier's channel lives but has left our application: sent on, or taken away by somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifierPressed(Event):
    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifierAsked(Event):
    action: Action
    by: str
    """Who asked for it, and from where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultStarted(Event):
    """Qualifier and agent are in a bridge of their own."""

    offer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReplaced(Event):
    """Another channel took the place of a leg's, by a pickup or a transfer: the same person elsewhere, or
    another person in their place."""

    leg: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn(Event):
    """Who talk to each other because of this handoff are another one's now."""

    to: str
    """That handoff's id."""
    leg: str
    """Of this handoff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsFound(Event):
    """Agents have been reserved for this lead, or there is nobody now."""

    free: tuple[str, ...]
    """Ids of those who are kept for this lead and are to be rung, in the order of routing."""
    not_free: tuple[tuple[str, str], ...]
    """(agent id, why not in words)."""
    hope: bool = False
    """Whether somebody (else) may be offered the lead later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechReady(Event):
    """All that was asked for has been rendered and cached."""

    fallback: str = ""
    """Why the text could not be spoken (then shipped prompts serve); empty when it could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFound(Event):
    """What others know of the lead; all empty: nothing, or not in time."""

    name: str = ""
    summary: str = ""
    language: str = ""
    details: tuple[tuple[str, str], ...] = ()
    why: str = ""
    """Why nothing was found, in words; empty when something was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Event):
    """A question or a reply was recorded to its end."""

    number: int
    reply: bool
    """Whether it is the reply."""
    failed: bool = False
    """Nothing was recorded that can be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRinging(Event):
    offer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered(Event):
    offer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHungUp(Event):
    """The agent's leg is gone. Before the answer `outcome` tells why (busy, no answer, unreachable,
    failed)."""

    offer: int
    outcome: Outcome
    cause: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLeft(Event):
    """The agent's channel lives but has left our application: let go, or taken away by somebody else."""

    offer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed(Event):
    """A key on that agent's phone."""

    offer: int
    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJoined(Event):
    """The agent is in the bridge with the lead."""

    offer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackEnded(Event):
    what: Playing
    number: int
    """As in the playback's id."""
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeClosed(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed(Event):
    """Time is an event: a deadline that the last decision named has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed(Event):
    """An order could not be carried out."""

    command: str
    """Kind of the command (class name)."""
    offer: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Event):
    """What Asterisk really has of this handoff, as read after a restart or a reconnect, or by a routine
    check."""

    after_outage: bool
    """True when facts may have been missed (keys, ended playbacks); False for a routine check."""

    lead_present: bool
    lead_in_stasis: bool
    lead_in_bridge: bool
    agents_up: tuple[int, ...]
    """Offers whose leg exists and is answered."""
    agents_ringing: tuple[int, ...]
    """Offers whose leg exists and is not answered yet."""
    agents_joined: tuple[int, ...]
    """Offers whose leg is in the handoff's bridge."""
    agents_out_of_stasis: tuple[int, ...]
    """Offers whose leg exists but is not in our application."""
    agents_consulted: tuple[int, ...] = ()
    """Offers whose leg is in the bridge for qualifier and agent."""
    qualifier_present: bool = False
    qualifier_in_stasis: bool = False
    qualifier_with_lead: bool = False
    """In the handoff's bridge."""
    qualifier_with_agent: bool = False
    """In the bridge for qualifier and agent."""
