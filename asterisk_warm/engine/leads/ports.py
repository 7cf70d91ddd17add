"""What the engine needs from outside about leads, as Protocols; the daemon chooses who provides it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from asterisk_warm.core.leads import Consent, LeadOutcome, LeadRecord


class LeadStore(Protocol):
    """Leads, their consents, and what came of their calls. Every method may raise JournalError."""

    async def lead(self, number: str) -> LeadRecord | None: ...

    async def leads(self, after: str, limit: int) -> Sequence[LeadRecord]:
        """By number, those behind `after`."""

    async def stored(self, numbers: Collection[str]) -> Collection[str]:
        """Those of these numbers that are a lead's. Of any many numbers, in few reads."""

    async def save_leads(self, leads: Sequence[LeadRecord], by: str, now: float) -> None:
        """Add leads, or replace what is known of them, all or nothing. Their consents are only ever added
        to: those of a record that are stored already are not stored twice."""

    async def remove_lead(self, number: str) -> bool:
        """With consents; False when there is none. Handoffs and qualifications stay."""

    async def add_consent(self, number: str, consent: Consent, now: float) -> None:
        """The lead is added when they are not known yet."""

    async def add_outcome(self, outcome: LeadOutcome) -> None: ...

    async def outcomes_of_handoff(self, handoff: str) -> Sequence[LeadOutcome]:
        """Oldest first."""

    async def outcomes_of_lead(self, number: str, limit: int) -> Sequence[LeadOutcome]:
        """Newest first."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a CRM says of a lead."""

    name: str = ""
    summary: str = ""
    language: str = ""
    details: tuple[tuple[str, str], ...] = ()


class LookUpFailed(Exception):
    """The CRM did not answer, or not in a way that can be used; the message says why, in words."""


class Crm(Protocol):
    async def look_up(self, number: str) -> LookedUp | None:
        """By E.164 number; from a cache where that is fresh. None: it knows nobody of that number. Has a
        time-out of its own. Raises LookUpFailed."""
