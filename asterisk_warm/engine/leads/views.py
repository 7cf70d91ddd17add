"""What the API, the CLI and the dialplan are shown of leads. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.leads import Consent, Disposition, LeadOutcome, LeadRecord


@dataclass(frozen=True, slots=True)
class ConsentView:
    purpose: str
    """call, text or recording."""
    granted: bool
    basis: str
    shown: str
    at: float
    source: str


@dataclass(frozen=True, slots=True)
class OutcomeView:
    handoff: str
    disposition: str
    disposition_name: str
    note: str
    at: float
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class PastHandoffView:
    id: str
    team: str
    state: str
    status: str | None
    reason: str
    agent_name: str
    at: float
    outcomes: tuple[OutcomeView, ...]


@dataclass(frozen=True, slots=True)
class LeadRecordView:
    number: str
    """E.164."""
    name: str
    language: str
    attributes: dict[str, str]
    source: str
    consents: tuple[ConsentView, ...]
    """Oldest first; of one purpose the latest counts."""
    handoffs: tuple[PastHandoffView, ...]
    """Newest first; empty in a list."""
    qualifications: tuple[str, ...]
    """Ids, newest first; empty in a list."""


def lead_view(
    record: LeadRecord, handoffs: Sequence[PastHandoffView] = (), qualifications: Sequence[str] = ()
) -> LeadRecordView:
    return LeadRecordView(
        number=record.number,
        name=record.name,
        language=record.language,
        attributes=dict(record.attributes),
        source=record.source,
        consents=tuple(map(_consent, record.consents)),
        handoffs=tuple(handoffs),
        qualifications=tuple(qualifications),
    )


def _consent(consent: Consent) -> ConsentView:
    return ConsentView(
        consent.purpose.value, consent.granted, consent.basis, consent.shown, consent.at, consent.source
    )


def outcome_view(outcome: LeadOutcome, dispositions: Mapping[str, Disposition]) -> OutcomeView:
    known = dispositions.get(outcome.disposition)
    return OutcomeView(
        handoff=outcome.handoff,
        disposition=outcome.disposition,
        disposition_name=known.name if known else outcome.disposition,
        note=outcome.note,
        at=outcome.at,
        by=outcome.by,
        source=outcome.source,
    )


def past_handoff_view(handoff: Handoff, outcomes: Sequence[OutcomeView]) -> PastHandoffView:
    winner = handoff.winner
    return PastHandoffView(
        id=handoff.id,
        team=handoff.team,
        state=handoff.state.value,
        status=handoff.status.value if handoff.status else None,
        reason=handoff.reason,
        agent_name=winner.agent.name if winner else "",
        at=handoff.requested_at,
        outcomes=tuple(outcomes),
    )
