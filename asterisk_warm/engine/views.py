"""What the API and the CLI show of a handoff. Times are seconds since the epoch, durations milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asterisk_warm.core.handoff.model import Handoff, Offer, QualifierIs
from asterisk_warm.engine.agents.views import Available
from asterisk_warm.engine.directory import Team
from asterisk_warm.engine.leads.views import OutcomeView


@dataclass(frozen=True, slots=True)
class LeadView:
    name: str
    number: str
    summary: str
    channel: str
    details: dict[str, str]
    language: str
    score: float | None
    """Of their qualification; None: there is none."""
    verdict: str
    qualification: str
    """Its id; empty: none."""
    more: str
    """What their qualification and their earlier calls add."""


@dataclass(frozen=True, slots=True)
class SaidView:
    """What was said of the lead for this handoff alone."""

    what: str
    """qualified or consent."""
    holds: bool
    by: str
    """Who has asked for the handoff, or the channel variable that says so."""


@dataclass(frozen=True, slots=True)
class AgentView:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class QualifierView:
    name: str
    number: str
    channel: str
    place: str
    """Where they are: with_lead, aside, with_agent, leaving, left, gone."""


@dataclass(frozen=True, slots=True)
class TeamAgentView:
    id: str
    name: str
    free: bool
    why: str
    """Why they cannot be rung now; empty when they can."""
    tier: int


@dataclass(frozen=True, slots=True)
class TeamView:
    id: str
    name: str
    ring: str
    """The strategy by which its leads are offered."""
    free: int
    """How many can be rung now."""
    waiting: int
    """Leads who wait for somebody."""
    expected_wait: float | None
    """Seconds until the next lead would be offered to somebody; None: nobody is expected."""
    agents: tuple[TeamAgentView, ...]


@dataclass(frozen=True, slots=True)
class OfferView:
    number: int
    agent_id: str
    agent_name: str
    state: str
    cause: str
    rung_at: float
    ringing_at: float | None
    answered_at: float | None
    decided_at: float | None


@dataclass(frozen=True, slots=True)
class HandoffView:
    id: str
    team: str
    team_name: str
    mode: str
    state: str
    status: str | None
    reason: str
    lead: LeadView
    said: tuple[SaidView, ...]
    qualifier: QualifierView | None
    agent: AgentView | None
    offers: tuple[OfferView, ...]
    not_free: dict[str, str]
    """Agent id → why they were not rung."""
    requested_at: float
    joined_at: float | None
    ended_at: float | None
    ring_ms: int | None
    """Of the agent who took it: from ringing to answering."""
    briefing_ms: int | None
    """Of the agent who took it: from answering to accepting."""
    gap_ms: int | None
    """The handoff gap: for how long no human was with the lead."""
    lead_is: str
    """Where the lead is: held, at_phone, with_qualifier, with_agent, left, gone."""
    requested_by: str
    settled: bool
    outcomes: tuple[OutcomeView, ...] | None
    """What was written down of it, oldest first; None: it was not read."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    at: float
    offset: float
    """Seconds since the request."""
    who: str
    """lead, an agent's name, or the handoff itself."""
    text: str


@dataclass(frozen=True, slots=True)
class JournalLine:
    seq: int
    at: float
    event: str
    detail: dict[str, Any]
    state: str
    commands: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Health:
    version: str
    asterisk: str
    """Asterisk's version, or "" when unknown."""
    ari_connected: bool
    ami_connected: bool
    open_handoffs: int
    findings: tuple[str, ...]
    """What is wrong, each with its remedy."""
    starting: str = ""
    """What a daemon that takes no leads yet is doing; empty: it has started."""


def view(handoff: Handoff, outcomes: Sequence[OutcomeView] | None = None) -> HandoffView:
    winner = handoff.winner
    return HandoffView(
        id=handoff.id,
        team=handoff.team,
        team_name=handoff.team_name,
        mode=handoff.policy.mode.value,
        state=handoff.state.value,
        status=handoff.status.value if handoff.status else None,
        reason=handoff.reason,
        lead=LeadView(
            handoff.lead.name,
            handoff.lead.number,
            handoff.lead.summary,
            handoff.lead.channel,
            dict(handoff.lead.details),
            handoff.lead.language,
            handoff.lead.score,
            handoff.lead.verdict,
            handoff.lead.qualification,
            handoff.lead.more,
        ),
        said=tuple(
            SaidView(one.what, one.holds, one.variable or handoff.requested_by) for one in handoff.said
        ),
        qualifier=_qualifier(handoff),
        agent=AgentView(winner.agent.id, winner.agent.name) if winner else None,
        offers=tuple(map(_offer, handoff.offers)),
        not_free=dict(handoff.not_free),
        requested_at=handoff.requested_at,
        joined_at=handoff.joined_at,
        ended_at=handoff.ended_at,
        ring_ms=_ms(winner.ringing_at or winner.rung_at, winner.answered_at) if winner else None,
        briefing_ms=_ms(winner.answered_at, winner.decided_at) if winner else None,
        gap_ms=handoff.gap_ms,
        lead_is=handoff.lead_is.value,
        requested_by=handoff.requested_by,
        settled=handoff.settled,
        outcomes=None if outcomes is None else tuple(outcomes),
    )


def team_view(team: Team, why_not: Mapping[str, str], available: Available) -> TeamView:
    agents = tuple(
        TeamAgentView(agent.id, agent.name, not why_not[agent.id], why_not[agent.id], agent.tier)
        for agent in team.agents
    )
    ring = team.policy.routing.strategy.value
    return TeamView(
        team.id, team.name, ring, len(available.free), available.waiting, available.expected_wait, agents
    )


def _qualifier(handoff: Handoff) -> QualifierView | None:
    who = handoff.qualifier
    if who is None:
        return None
    place = handoff.qualifier_is
    if place is QualifierIs.WITH_AGENT and not handoff.consulted:
        place = QualifierIs.ASIDE  # On the way.
    return QualifierView(who.name, who.number, who.channel, place.value)


def _offer(offer: Offer) -> OfferView:
    return OfferView(
        offer.number,
        offer.agent.id,
        offer.agent.name,
        offer.state.value,
        offer.cause,
        offer.rung_at,
        offer.ringing_at,
        offer.answered_at,
        offer.decided_at,
    )


def _ms(start: float | None, end: float | None) -> int | None:
    return None if start is None or end is None else round((end - start) * 1000)
