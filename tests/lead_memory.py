"""Leads, scripts and qualifications without a disk: the stores' contracts in memory, for clocks that stand still and
for stores that fail or hang when a test says so. The real ones have tests of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from property.history import History

from asterisk_warm.core.handoff.model import Lead
from asterisk_warm.core.handoff.transition import Decision
from asterisk_warm.core.leads import Consent, LeadOutcome, LeadRecord
from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.daemon.adapters import script_of
from asterisk_warm.engine.mailbox import _entry
from asterisk_warm.engine.ports.journal import Journal
from asterisk_warm.engine.qualifying.ports import ScriptVersion
from asterisk_warm.engine.screens.service import Screens


async def nothing(_: str) -> None:
    """What takes place meanwhile, as a rule."""


class MemoryLeads:
    """Satisfies `engine.leads.ports.LeadStore`. `meanwhile` is awaited with the name of each method, before anything
    is done: it may let others go on, or fail."""

    def __init__(self) -> None:
        self.records: dict[str, LeadRecord] = {}
        self.written: list[LeadOutcome] = []
        self.meanwhile: Callable[[str], Awaitable[None]] = nothing

    async def lead(self, number: str) -> LeadRecord | None:
        await self.meanwhile("lead")
        return self.records.get(number)

    async def leads(self, after: str, limit: int) -> Sequence[LeadRecord]:
        await self.meanwhile("leads")
        return [record for number, record in sorted(self.records.items()) if number > after][:limit]

    async def stored(self, numbers: Collection[str]) -> Collection[str]:
        await self.meanwhile("stored")
        return [number for number in numbers if number in self.records]

    async def save_leads(self, leads: Sequence[LeadRecord], by: str, now: float) -> None:
        await self.meanwhile("save_leads")
        for lead in leads:
            there = self.records.get(lead.number, LeadRecord(lead.number)).consents
            new = tuple(consent for consent in lead.consents if consent not in there)
            self.records[lead.number] = replace(lead, consents=(*there, *new))

    async def remove_lead(self, number: str) -> bool:
        await self.meanwhile("remove_lead")
        return self.records.pop(number, None) is not None

    async def add_consent(self, number: str, consent: Consent, now: float) -> None:
        await self.meanwhile("add_consent")
        record = self.records.get(number, LeadRecord(number))
        self.records[number] = replace(record, consents=(*record.consents, consent))

    async def add_outcome(self, outcome: LeadOutcome) -> None:
        await self.meanwhile("add_outcome")
        self.written.append(outcome)

    async def outcomes_of_handoff(self, handoff: str) -> Sequence[LeadOutcome]:
        await self.meanwhile("outcomes_of_handoff")
        return [outcome for outcome in self.written if outcome.handoff == handoff]

    async def outcomes_of_lead(self, number: str, limit: int) -> Sequence[LeadOutcome]:
        await self.meanwhile("outcomes_of_lead")
        return [outcome for outcome in reversed(self.written) if outcome.lead == number][:limit]


class MemoryScripts:
    """Satisfies `engine.qualifying.ports.ScriptStore`."""

    def __init__(self) -> None:
        self.published: dict[str, list[ScriptVersion]] = {}
        self.meanwhile: Callable[[str], Awaitable[None]] = nothing

    async def publish(self, script: str, source: str, by: str, now: float, note: str = "") -> ScriptVersion:
        await self.meanwhile("publish")
        versions = self.published.setdefault(script, [])
        versions.append(ScriptVersion(script, len(versions) + 1, source, now, by, note))
        return versions[-1]

    async def current(self, script: str) -> ScriptVersion | None:
        await self.meanwhile("current")
        return next(reversed(self.published.get(script, ())), None)

    async def version(self, script: str, version: int) -> ScriptVersion | None:
        await self.meanwhile("version")
        return next((one for one in self.published.get(script, ()) if one.version == version), None)

    async def versions(self, script: str) -> Sequence[ScriptVersion]:
        await self.meanwhile("versions")
        return list(reversed(self.published.get(script, ())))

    async def scripts(self) -> Sequence[ScriptVersion]:
        await self.meanwhile("scripts")
        return [versions[-1] for _, versions in sorted(self.published.items())]


class MemoryQualifications:
    """Satisfies `engine.qualifying.ports.QualificationStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, Qualification] = {}
        self.meanwhile: Callable[[str], Awaitable[None]] = nothing

    async def save(self, qualification: Qualification) -> Qualification | None:
        await self.meanwhile("save")
        there = self.kept.get(qualification.id)
        if qualification.revision != (there.revision if there is not None else 0):
            return None
        stored = replace(qualification, revision=qualification.revision + 1)
        self.kept[stored.id] = stored
        return stored

    async def get(self, id: str) -> Qualification | None:
        await self.meanwhile("get")
        return self.kept.get(id)

    async def of_lead(self, number: str, limit: int) -> Sequence[Qualification]:
        await self.meanwhile("of_lead")
        found = [one for one in self._latest() if one.lead == number]
        return found[:limit]

    async def list(self, limit: int, *, open_only: bool) -> Sequence[Qualification]:
        await self.meanwhile("list")
        found = [one for one in self._latest() if not (open_only and one.ended_at is not None)]
        return found[:limit]

    def _latest(self) -> Sequence[Qualification]:
        return sorted(self.kept.values(), key=lambda one: (one.updated_at, one.id), reverse=True)


def stores() -> tuple[MemoryLeads, MemoryScripts, MemoryQualifications]:
    """Empty ones, as an engine needs them."""
    return MemoryLeads(), MemoryScripts(), MemoryQualifications()


def unknown_leads() -> dict[str, Any]:
    """What an engine needs beside agents, where nothing is known of leads and nobody has a screen."""
    leads, scripts, qualifications = stores()
    return {
        "leads": leads,
        "scripts": scripts,
        "qualifications": qualifications,
        "read_script": script_of,
        "screens": Screens({}, 0.0),
    }


HOME = """\
id: home
name: Home insurance
language: en
valid_days: 30
summary: "{kind}, {claims} claims"
verdicts: {ready: 30, nurture: 10}
questions:
  owner:
    ask: yesno
    say: Do you own the home?
    rules:
      - {is: yes, points: 20}
      - {is: no, knockout: does not own a home}
  kind:
    ask: choice
    say: What is it?
    choices: {house: a house, flat: a flat}
    rules:
      - {is: house, points: 10}
  claims:
    ask: number
    say: How many claims?
    optional: true
    from: 0
    to: 20
  words:
    ask: text
    say: In your own words, what do you need?
    optional: true
"""
"""A house is ready, a flat is to be nurtured, who owns none is disqualified."""


def lead_of(number: str, key: str = "", **more: Any) -> Lead:
    return Lead("lead-1", "Grant", number, "", key=key, **more)


async def written(journal: Journal, history: History) -> str:
    """Write a handoff into the journal, as its mailbox does; returns its id."""
    for chapter in history.chapters:
        decision = Decision(chapter.after, chapter.commands, None)
        await journal.commit(_entry(chapter.event, decision, ()))
    return history.handoff.id
