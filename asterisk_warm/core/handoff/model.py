"""The handoff as data: the lead, the offers, and where each of them is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from asterisk_warm.core.handoff.policy import Policy
from asterisk_warm.core.handoff.states import OfferState, State

BRIEFINGS_PER_OFFER = 1000
"""Playback numbers of briefings: offer × this + repetition."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who may receive leads, and at which device (`PJSIP/ana`)."""

    id: str
    name: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Lead:
    channel: str
    """Asterisk's id of the lead's channel."""
    name: str
    number: str
    summary: str
    """Why they call, in a sentence."""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnPlace:
    """Where in the dialplan the lead goes on."""

    context: str
    extension: str
    priority: int


class LeadIs(StrEnum):
    """Where the lead is: the first invariant, as a value."""

    HELD = "held"
    """With us, no human on the line: a deadline is always live."""
    WITH_AGENT = "with_agent"
    """In the bridge with the agent who accepted, or let go with them."""
    LEFT = "left"
    """Back in the dialplan, or taken away by somebody: no longer ours."""
    GONE = "gone"
    """Hung up."""


class Outcome(StrEnum):
    """How an agent's leg ended, as far as Asterisk says."""

    HUNG_UP = "hung_up"
    """After it had been answered."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    """Refused on the phone (SIP 603)."""
    UNREACHABLE = "unreachable"
    """Not registered, or the network says no."""
    FAILED = "failed"


class Playing(StrEnum):
    """What a playback of ours says, and to whom."""

    BRIEFING = "briefing"
    FAREWELL = "farewell"
    COMFORT = "comfort"
    INTRODUCTION = "introduction"


@dataclass(frozen=True, slots=True)
class Line:
    """Something to be heard: the text if it has been spoken, else the shipped prompt of that name."""

    prompt: str
    text: str = ""


class Status(StrEnum):
    """`WARM_STATUS`: what the dialplan is told."""

    CONNECTED = "CONNECTED"
    NOAGENT = "NOAGENT"
    DECLINED = "DECLINED"
    TIMEOUT = "TIMEOUT"
    ABANDONED = "ABANDONED"
    CANCELLED = "CANCELLED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Offer:
    """One agent being rung and briefed for this handoff."""

    number: int
    agent: Agent
    state: OfferState
    leg_open: bool
    """Whether a channel of this offer may still exist in Asterisk."""
    deadline: float | None
    """When this offer must move on: ring, decision, farewell or hangup time-out."""
    rung_at: float
    ringing_at: float | None = None
    answered_at: float | None = None
    decided_at: float | None = None
    cause: str = ""
    """Why it ended, in words."""
    briefings: int = 0
    """How often the briefing was started."""

    @property
    def briefing_number(self) -> int | None:
        """Number of the latest briefing's playback; None before the first."""
        return self.number * BRIEFINGS_PER_OFFER + self.briefings if self.briefings else None

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Handoff:
    id: str
    team: str
    team_name: str
    lead: Lead
    agents: tuple[Agent, ...]
    policy: Policy
    requested_by: str
    return_to: ReturnPlace | None
    state: State
    requested_at: float
    hold_until: float
    lead_is: LeadIs = LeadIs.HELD
    bridge_open: bool = True
    """Whether the handoff's bridge may exist in Asterisk."""
    free: tuple[str, ...] | None = None
    """Agent ids that can be rung; None until found."""
    not_free: tuple[tuple[str, str], ...] = ()
    speech_ready: bool = False
    """Whether all that may have to be said has been rendered, or given up on."""
    offers: tuple[Offer, ...] = ()
    comforts: int = 0
    comfort_at: float | None = None
    """When the lead hears the next comfort announcement; None while one plays, or when there are none."""
    comfort_playing: bool = False
    state_deadline: float | None = None
    """The present state's own time limit."""
    joined_at: float | None = None
    """When a human was audible to the lead: the end of the handoff gap."""
    introductions: int = 0
    introduced: bool = False
    """Whether the introduction has been heard to its end (or there was none)."""
    let_go: bool = False
    """The pair was ordered into a bridge of Asterisk's own."""
    lead_out: bool = False
    """The lead was seen leaving our application after that: whatever ends the talk now, they go on by
    themselves."""
    ended_at: float | None = None
    status: Status | None = None
    reason: str = ""
    """Why it ended, in words."""
    settle_tries: int = 0

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def offer(self, number: int) -> Offer | None:
        return next((o for o in self.offers if o.number == number), None)

    def with_offer(self, offer: Offer) -> Self:
        return replace(self, offers=tuple(offer if o.number == offer.number else o for o in self.offers))

    @property
    def open_offers(self) -> tuple[Offer, ...]:
        """Offers that may still be accepted."""
        return tuple(o for o in self.offers if o.state.open)

    @property
    def winner(self) -> Offer | None:
        """The offer whose agent is joined, or being joined, to the lead."""
        return next((o for o in self.offers if o.state is OfferState.ACCEPTED), None)

    @property
    def settled(self) -> bool:
        """Ended, and nothing of ours is left in Asterisk."""
        return (
            self.state.final
            and not self.bridge_open
            and self.lead_is in (LeadIs.LEFT, LeadIs.GONE)
            and not any(o.leg_open for o in self.offers)
        )

    @property
    def gap_ms(self) -> int | None:
        """The handoff gap: milliseconds from the request until a human was with the lead; None when
        nobody ever was."""
        return None if self.joined_at is None else round((self.joined_at - self.requested_at) * 1000)
