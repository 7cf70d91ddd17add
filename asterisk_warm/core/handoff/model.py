"""The handoff as data: the lead, the offers, and where each of them is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from asterisk_warm.core.handoff.ids import agent_leg, bridge_id
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
    number: str = ""
    """As others' phones show it, and as it may be dialled; empty: none."""
    tier: int = 1
    """In the team of this handoff: tier 1 is offered leads first."""
    skills: tuple[tuple[str, int], ...] = ()
    """(skill, level)."""
    outside: bool = False
    """A number outside, of whose presence nothing is known: several leads may ring it at once."""
    language: str = ""
    """What they are briefed in (`es`); empty: that of the policy."""


@dataclass(frozen=True, slots=True)
class ReturnPlace:
    """Where in the dialplan the lead goes on."""

    context: str
    extension: str
    priority: int


LOST = ReturnPlace("warm-lost", "s", 1)
"""For a lead who has no other place in the dialplan."""


@dataclass(frozen=True, slots=True)
class Qualifier:
    """Who hands the lead off, while on the call."""

    channel: str
    """Asterisk's id of the channel on which they talk to us."""
    name: str = ""
    number: str = ""
    endpoint: str = ""
    """The device where they can be rung again (`PJSIP/quinn`); empty: unknown."""
    held_channel: str = ""
    """Id of the other call of their phone, in which the lead is on hold; empty: the lead is in their one
    call."""
    refer: bool = False
    """They pressed their phone's Transfer key: it waits to be told how it went (SIP REFER)."""
    return_to: ReturnPlace | None = None
    """Where in the dialplan they go on when released; None: they are hung up, or go on after
    their Stasis()."""


@dataclass(frozen=True, slots=True)
class Lead:
    channel: str
    """Asterisk's id of the lead's channel."""
    name: str
    number: str
    summary: str
    """Why they call, in a sentence."""
    details: tuple[tuple[str, str], ...] = ()
    key: str = ""
    """Their number in E.164: what they are found by. Empty: without one."""
    named: bool = True
    """False: the name is only what the caller ID says."""
    language: str = ""
    """What they are spoken to in; empty: that of the policy."""
    score: float | None = None
    """Of their qualification; None: there is none."""
    verdict: str = ""
    """`core.script.model.Verdict`; empty: none."""
    qualification: str = ""
    """Its id; empty: none."""
    more: str = ""
    """What their qualification and their earlier calls add for who asks for details."""
    recording: str = ""
    """Name of Asterisk's stored recording of their own words: who they are and what they need."""


class LeadIs(StrEnum):
    """Where the lead is: the first invariant, as a value."""

    HELD = "held"
    """With us, no human on the line: a deadline is always live."""
    AT_PHONE = "at_phone"
    """On hold at the qualifier's own phone, in a call that is not ours (yet)."""
    WITH_QUALIFIER = "with_qualifier"
    """With the qualifier, and no agent."""
    WITH_AGENT = "with_agent"
    """In the bridge with the agent who accepted (and perhaps the qualifier too), or let go with them."""
    LEFT = "left"
    """Back in the dialplan, or taken away by somebody: no longer ours."""
    GONE = "gone"
    """Hung up."""


class QualifierIs(StrEnum):
    """Where the qualifier is."""

    NOBODY = "nobody"
    """Nobody hands this lead off."""
    WITH_LEAD = "with_lead"
    """In the bridge with the lead."""
    ASIDE = "aside"
    """On the line with us, alone: agents are being sought."""
    WITH_AGENT = "with_agent"
    """In a bridge of their own with the agent who accepted."""
    LEAVING = "leaving"
    """Told to go on, and not seen leaving yet."""
    LEFT = "left"
    """Sent on, or taken away by somebody: no longer ours."""
    GONE = "gone"
    """Hung up."""


LEAD, QUALIFIER = "lead", "qualifier"
"""Names of legs; those of agents are made by `agent_name`."""


def agent_name(offer: int) -> str:
    return f"agent-{offer}"


def offer_of(leg: str) -> int | None:
    """The offer's number in the name of an agent's leg; None for others."""
    start, _, number = leg.rpartition("-")
    return int(number) if start == "agent" and number.isdigit() else None


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
    ASIDE = "aside"
    """A word to the qualifier alone."""
    QUESTION = "question"
    """To the lead, or to the qualifier alone: what an agent asks back."""
    REPLY = "reply"
    """To the agent who has asked, alone."""
    QUIET = "quiet"
    """To a lead whose reply is awaited: no music."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something to be heard: the text if it has been spoken, else the shipped prompt of that name."""

    prompt: str
    text: str = ""
    language: str = ""
    """Of the text and the prompt; empty: the default one."""
    recording: str = ""
    """Name of a stored recording of Asterisk's, which is played instead if it is there."""


class Status(StrEnum):
    """`WARM_STATUS`: what the dialplan is told."""

    CONNECTED = "CONNECTED"
    NOAGENT = "NOAGENT"
    DECLINED = "DECLINED"
    TIMEOUT = "TIMEOUT"
    ABANDONED = "ABANDONED"
    CANCELLED = "CANCELLED"
    TAKENBACK = "TAKENBACK"
    NOTQUALIFIED = "NOTQUALIFIED"
    NOCONSENT = "NOCONSENT"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a lead is not offered to anybody."""

    status: Status
    reason: str
    """In words."""
    untouched: bool = False
    """The call stays as it is: lead and qualifier talk on, or the lead waits where they do."""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody's word on what a team may require of a lead; it counts for this handoff alone."""

    what: str
    """`qualified` or `consent` (see `gate.TOLD`)."""
    holds: bool
    variable: str = ""
    """The channel variable that says so; empty: whoever has asked for the handoff does."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One agent being rung and briefed for this handoff."""

    number: int
    agent: Agent
    state: OfferState
    leg_open: bool
    """Whether a channel of this offer may still exist in Asterisk."""
    deadline: float | None
    """When this offer must move on: ring, decision, farewell or hangup time-out. None also while its agent's
    question is under way, which has its own (`Asking.deadline`)."""
    rung_at: float
    ringing_at: float | None = None
    answered_at: float | None = None
    decided_at: float | None = None
    cause: str = ""
    """Why it ended, in words."""
    briefings: int = 0
    """How often the briefing was started."""
    recall: bool = False
    """Made to the qualifier, who has hung up: to take the lead back."""
    channel: str = ""
    """Id of the channel that took the place of the offer's own, by a pickup or a transfer."""
    asks: int = 0
    """How many questions this agent has asked back."""
    pressed: bool = False
    """Whether this agent has pressed any key since they answered."""

    @property
    def briefing_number(self) -> int | None:
        """Number of the latest briefing's playback; None before the first."""
        return self.number * BRIEFINGS_PER_OFFER + self.briefings if self.briefings else None

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


class Asked(StrEnum):
    """How far an agent's question to the lead has come."""

    RECORDING = "recording"
    """The agent speaks it."""
    ASKING = "asking"
    """It is played to the lead, or to the qualifier alone."""
    REPLYING = "replying"
    """The reply is recorded."""
    TELLING = "telling"
    """The reply is played to the agent."""

    @property
    def put(self) -> bool:
        """Whether somebody else than the agent has to do with it just now."""
        return self in (Asked.ASKING, Asked.REPLYING)


@dataclass(frozen=True, slots=True)
class Asking:
    """An agent's question, on its way there and back."""

    number: int
    """Counts the questions of this handoff: of the recordings and playbacks."""
    offer: int
    step: Asked
    of_qualifier: bool
    """Whether the qualifier is asked, not the lead."""
    deadline: float
    """When this step is given up."""


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
    lost_to: ReturnPlace = LOST
    """Where a lead goes on who has lost their own place."""
    lead_is: LeadIs = LeadIs.HELD
    qualifier: Qualifier | None = None
    qualifier_is: QualifierIs = QualifierIs.NOBODY
    refusal: Refusal | None = None
    """Why nobody is to be rung; None when it may go on."""
    said: tuple[Said, ...] = ()
    """What was said of the lead for this handoff."""
    phone_waits: bool = False
    """The qualifier's phone has not been told yet how its transfer went."""
    fetching: bool = False
    """The lead is ordered into our bridge, from the qualifier's own phone, from the talk with the agent, or
    from wherever the qualifier left them when they were being taken over, and has not been seen there."""
    pressed: str = ""
    """The qualifier's latest keys."""
    pressed_at: float = 0.0
    asides: int = 0
    """How often something was said to the qualifier alone."""
    warned: bool = False
    """The qualifier knows that the hold budget is nearly used up."""
    consulted: bool = False
    """Qualifier and agent were heard to be together."""
    held_since: float | None = None
    """Since when no human has been with the lead; None while one is."""
    held_seconds: float = 0.0
    """How long no human was with the lead, before that."""
    bridge_open: bool = True
    """Whether the handoff's bridge may exist in Asterisk."""
    bridges: int = 1
    """How often a bridge was made for the lead: the number of the present one."""
    reserved: tuple[str, ...] = ()
    """Ids of agents who are kept for this lead and have not been rung yet."""
    not_free: tuple[tuple[str, str], ...] = ()
    """(agent id, why they are not offered the lead, in words), as last told."""
    hope: bool = True
    """Whether somebody (else) may still become free in time, as last told."""
    wait_until: float = 0.0
    """Until when it is waited for somebody to become free, within the hold budget."""
    speech_ready: bool = False
    """Whether all that may have to be said has been rendered, or given up on."""
    offers: tuple[Offer, ...] = ()
    lead_known: bool = True
    """Whether all that can be found out about the lead has been, or was given up on."""
    asks: int = 0
    """How many questions agents have asked back."""
    asking: Asking | None = None
    """The one that is under way."""
    comforts: int = 0
    comfort_at: float | None = None
    """When the lead hears the next comfort announcement; None while one plays, or when there are none."""
    comfort_playing: bool = False
    state_deadline: float | None = None
    """The present state's own time limit."""
    joined_at: float | None = None
    """When lead and agent were together, introduced."""
    left_at: float | None = None
    """When the lead was left to the agent: the window for taking them back begins."""
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

    def offer(self, number: int | None) -> Offer | None:
        return next((o for o in self.offers if o.number == number), None)

    def with_offer(self, offer: Offer) -> Self:
        return replace(self, offers=tuple(offer if o.number == offer.number else o for o in self.offers))

    @property
    def open_offers(self) -> tuple[Offer, ...]:
        """Offers that may still be accepted."""
        return tuple(o for o in self.offers if o.state.open)

    @property
    def winner(self) -> Offer | None:
        """The offer whose agent is joined, or being joined, to the lead (or first to the qualifier)."""
        return next((o for o in self.offers if o.state is OfferState.ACCEPTED and not o.recall), None)

    @property
    def recalled(self) -> Offer | None:
        """The latest offer of the lead to the qualifier who had hung up."""
        return next((o for o in reversed(self.offers) if o.recall), None)

    @property
    def qualifier_here(self) -> bool:
        """Is the qualifier on the line with us?"""
        return self.qualifier_is in (QualifierIs.WITH_LEAD, QualifierIs.ASIDE, QualifierIs.WITH_AGENT)

    def asks_back(self, offer: int) -> bool:
        """Has that offer's agent a question under way?"""
        return self.asking is not None and self.asking.offer == offer

    @property
    def lead_asked(self) -> bool:
        """Does the lead hear an agent's question now, or reply to it: without music?"""
        asking = self.asking
        return asking is not None and not asking.of_qualifier and asking.step.put

    @property
    def bridge(self) -> str:
        """Id of the bridge that the lead is in, or is to be in."""
        return bridge_id(self.id, self.bridges)

    def channel_of(self, leg: str) -> str:
        """Asterisk's id of a leg's channel. Raises KeyError for a leg that there never was."""
        if leg == LEAD:
            return self.lead.channel
        if leg == QUALIFIER and self.qualifier is not None:
            return self.qualifier.channel
        for offer in self.offers:
            if agent_name(offer.number) == leg:
                return offer.channel or agent_leg(self.id, offer.number)
        raise KeyError(leg)

    @property
    def settled(self) -> bool:
        """Ended, and nothing of ours is left in Asterisk."""
        return (
            self.state.final
            and not self.bridge_open
            and self.lead_is in (LeadIs.LEFT, LeadIs.GONE)
            and not self.qualifier_here
            and self.qualifier_is is not QualifierIs.LEAVING
            and not any(o.leg_open for o in self.offers)
        )

    @property
    def gap_ms(self) -> int | None:
        """The handoff gap: for how many milliseconds no human was with the lead, from the request until one
        was for good; None as long as nobody is."""
        if self.held_since is not None:
            return None
        return round(self.held_seconds * 1000)
