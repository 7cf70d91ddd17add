"""What is known of a lead, whoever called or was called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Protocol


class Purpose(StrEnum):
    """What a lead consents to."""

    CALL = "call"
    """To be called and handed to an agent."""
    TEXT = "text"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Consent:
    """That a lead has (or has not) consented, as it was recorded; 16 CFR 310.5(a)(8) says what is kept."""

    purpose: Purpose
    granted: bool
    basis: str
    """On what ground, in words: `web form`, `keypress`, `oral`."""
    shown: str
    """The request exactly as shown or spoken."""
    at: float
    """When it was given, in seconds since the epoch."""
    source: str
    """From where we know it: `api (crm)`, `script insurance v3`, a URL."""


class Word(Protocol):
    """What a lead has said of one purpose, as it is kept or as it is shown."""

    @property
    def purpose(self) -> str: ...
    @property
    def granted(self) -> bool: ...


def latest_words(consents: Iterable[Word]) -> dict[str, bool]:
    """By purpose, of those given oldest first: of one purpose the latest counts."""
    return {consent.purpose: consent.granted for consent in consents}


@dataclass(frozen=True, slots=True)
class LeadRecord:
    number: str
    """E.164: what a lead is found by."""
    name: str = ""
    language: str = ""
    """`en`, `es`; empty: unknown."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Whatever else is known, by name, sorted."""
    source: str = ""
    """From where they came: `web form`, `import leads.csv`, …"""
    consents: tuple[Consent, ...] = ()
    """Oldest first; of one purpose the latest counts."""

    def consented(self, purpose: Purpose) -> bool:
        """Does their latest word on that purpose say yes?"""
        return latest_words(self.consents).get(purpose, False)


@dataclass(frozen=True, slots=True)
class Disposition:
    """What can come of a handoff for the business, as configured."""

    id: str
    name: str
    """As it is shown and spoken."""
    key: str = ""
    """The digit on the phone; empty: none."""


def disposition_of(dispositions: Iterable[Disposition], word: str) -> Disposition | None:
    """The one that is meant by its id, by its digit, or by its name in whatever letters."""
    said = " ".join(word.split()).casefold()
    known = tuple(dispositions)
    by_id = (one for one in known if one.id == word)
    by_key = (one for one in known if one.key and one.key == word)
    by_name = (one for one in known if said and one.name.casefold() == said)
    return next(chain(by_id, by_key, by_name), None)


@dataclass(frozen=True, slots=True)
class LeadOutcome:
    """What came of a handoff for the business, as somebody wrote it down."""

    handoff: str
    lead: str
    """The lead's number; empty: none."""
    disposition: str
    """Id of a configured disposition; empty: only a note."""
    note: str
    at: float
    by: str
    source: str
    """`code`, `agi`, `cli`, `api`."""


class WrittenDown(Protocol):
    """An outcome, as it is kept or as it is shown."""

    @property
    def disposition(self) -> str: ...
    @property
    def note(self) -> str: ...


def came_to(outcomes: Sequence[WrittenDown]) -> tuple[str, str]:
    """Of one handoff, newest first: its latest disposition, and its latest note, which may have been written
    down apart."""
    disposition = next((outcome.disposition for outcome in outcomes if outcome.disposition), "")
    return disposition, next((outcome.note for outcome in outcomes if outcome.note), "")
