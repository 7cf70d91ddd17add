"""What is known of a lead when they are at the door, found out within a budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from asterisk_warm.core.handoff.gate import Qualified, Standing
from asterisk_warm.core.handoff.model import Handoff, Lead
from asterisk_warm.core.handoff.options import DETAILS_AT_MOST, LIMITS, clean, described
from asterisk_warm.core.leads import Disposition, LeadOutcome, LeadRecord, came_to, latest_words
from asterisk_warm.core.numbers import e164
from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.engine import codec
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.finding import of_lead
from asterisk_warm.engine.leads.ports import LeadStore
from asterisk_warm.engine.ports.journal import Journal, JournalError
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.engine.qualifying.results import Result, result
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 0.3
"""How long a lead waits at the door until it is known who they are."""
NEEDED_SECONDS = 1.0
"""The same, for one who would be refused otherwise."""
AT_ONCE = 2
"""How many leads are looked up at the same time. Measured with 50 who come at once, SQLite, and two busy
processors: the last is known after 0.14 s; when all of them share, each after 0.33 s, which is too late."""
EARLIER = 10
"""How many of a lead's earlier qualifications, handoffs and outcomes are looked at."""
ASKED_LIMIT = 700
LAST_TIME_LIMIT = 300
"""Longest of what the qualification and the last call add for who asks for more, in characters."""

_LAST_TIME: Mapping[str, tuple[str, str]] = {"en": ("Last time", "with"), "es": ("La última vez", "con")}
"""How the last call is told, by language."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a lead. All empty: nothing."""

    record: LeadRecord | None = None
    qualifications: tuple[Result, ...] = ()
    """The one that was named, then the latest first."""
    outcomes: tuple[LeadOutcome, ...] = ()
    """Newest first."""
    handoffs: tuple[Handoff, ...] = ()
    """Earlier ones, newest first."""
    at: float = 0.0
    unread: str = ""
    """Why nothing is known, in words; empty: it was looked up."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of dispositions."""

    def counts(self, script: str = "") -> Result | None:
        """The finished qualification (by that script) that is not too old."""
        found = (one for one in self.qualifications if script in ("", one.qualification.script))
        return next((one for one in found if _qualified(one, self.at).counts), None)

    def standing(self, script: str, said: Mapping[str, bool]) -> Standing:
        """What the gate goes by; `script`: whose qualification counts."""
        of_script = [one for one in self.qualifications if script in ("", one.qualification.script)]
        found = self.counts(script) or next(iter(of_script), None)
        return Standing(
            said=said,
            qualified=_qualified(found, self.at) if found is not None else None,
            consents=_consents(self.record),
            unread=self.unread,
        )


NOTHING = Known()


class KnownLeads:
    def __init__(
        self,
        leads: LeadStore,
        qualifications: QualificationStore,
        scripts: ScriptService,
        journal: Journal,
        dispositions: Iterable[Disposition],
        region: str,
    ) -> None:
        self._leads = leads
        self._qualifications = qualifications
        self._scripts = scripts
        self._journal = journal
        self._names = {disposition.id: disposition.name for disposition in dispositions}
        self._region = region
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.key("")  # The first number would wait until the library is there.

    def key(self, number: str) -> str:
        """By which a lead of that number is found; empty: by none."""
        return e164(number, self._region)

    async def of(self, lead: Lead, *, needed: bool = False) -> Known:
        """Takes no longer than its budget, and does not fail when the store does: what was told of the lead
        counts alone then. `needed`: they may be handed off only if something is known."""
        seconds = NEEDED_SECONDS if needed else KNOWN_SECONDS
        if not (lead.number or lead.qualification):
            return replace(NOTHING, at=time.time())
        try:
            return await within(self._in_turn(lead), seconds)
        except TimeoutError:
            why = f"what is known of the lead could not be read within {seconds:g} s"
        except JournalError as error:
            why = "what is known of the lead could not be read"
            log.warning("the store has failed", why=str(error))
        log.warning("a lead is handed off as told", channel=lead.channel, why=why)
        return Known(at=time.time(), unread=why)

    async def _in_turn(self, lead: Lead) -> Known:
        async with self._turns:
            return await self._read(lead)

    async def _read(self, lead: Lead) -> Known:
        record, qualifications, outcomes, handoffs = await asyncio.gather(
            self._record(lead), self._asked(lead), self._outcomes(lead), self._handoffs(lead)
        )
        name = lead.name if lead.named else record.name if record is not None else ""
        results = [one for found in qualifications if (one := await self._result(found, name)) is not None]
        return Known(record, tuple(results), outcomes, handoffs, time.time(), names=self._names)

    async def _record(self, lead: Lead) -> LeadRecord | None:
        return await self._leads.lead(lead.key) if lead.key else None

    async def _asked(self, lead: Lead) -> Sequence[Qualification]:
        number = lead.key or lead.number
        found = await self._qualifications.of_lead(number, EARLIER) if number else ()
        named = await self._qualifications.get(lead.qualification) if lead.qualification else None
        if named is None:
            return found
        return [named, *(one for one in found if one.id != named.id)]

    async def _result(self, found: Qualification, name: str) -> Result | None:
        with suppress(Refused):  # Its version cannot be read any more.
            return await result(self._scripts, found, name)
        return None

    async def _outcomes(self, lead: Lead) -> tuple[LeadOutcome, ...]:
        number = lead.key or lead.number
        return tuple(await self._leads.outcomes_of_lead(number, EARLIER)) if number else ()

    async def _handoffs(self, lead: Lead) -> tuple[Handoff, ...]:
        rows = await of_lead(self._journal, (lead.key, lead.number), EARLIER)
        return tuple(codec.decode_handoff(row.snapshot_json) for row in rows)


def merge(lead: Lead, known: Known, script: str = "", language: str = "") -> Lead:
    """The lead as told, and what is known where nothing was told. `script`: whose qualification counts;
    `language`: in which the last call is told."""
    record = known.record or LeadRecord("")
    found = known.counts(script)
    asked = found.qualification if found is not None else None
    outcome = found.outcome if found is not None else None
    said = clean(outcome.details, ASKED_LIMIT) if outcome is not None else ""
    more = (clean(_last_time(known, language), LAST_TIME_LIMIT), said)
    return replace(
        lead,
        name=lead.name if lead.named or not record.name else clean(record.name, LIMITS["name"]),
        named=lead.named or bool(record.name),
        summary=lead.summary or (clean(outcome.summary, LIMITS["summary"]) if outcome is not None else ""),
        details=_details(lead, record),
        language=lead.language or record.language or (asked.language if asked is not None else ""),
        score=outcome.score if outcome is not None else None,
        verdict=outcome.verdict.value if outcome is not None and outcome.verdict is not None else "",
        qualification=asked.id if asked is not None else lead.qualification if known.unread else "",
        more=" ".join(_sentence(part) for part in more if part),
        recording=lead.recording or (found.own_words if found is not None else ""),
    )


def _details(lead: Lead, record: LeadRecord) -> tuple[tuple[str, str], ...]:
    """All that was told, and what else there is room for."""
    told = dict(lead.details)
    others = [(key, value) for key, value in record.attributes if key not in told]
    return described(told | dict(others[: max(0, DETAILS_AT_MOST - len(told))]))


def _qualified(found: Result, now: float) -> Qualified:
    asked, outcome = found.qualification, found.outcome
    return Qualified(
        script=asked.script,
        version=asked.version,
        score=outcome.score,
        verdict=outcome.verdict.value if outcome.verdict is not None else "",
        reason=outcome.reason,
        days=found.days(now),
        valid_days=found.valid_days,
    )


def _consents(record: LeadRecord | None) -> Mapping[str, bool]:
    """The latest word on each purpose, by the gate's condition."""
    given = record.consents if record is not None else ()
    return {f"consent.{purpose}": granted for purpose, granted in latest_words(given).items()}


def _last_time(known: Known, language: str) -> str:
    """`Last time: callback, wants a quote by Friday, with Ana Lopez`; empty when there was none."""
    begins, with_ = _LAST_TIME.get(language[:2], _LAST_TIME["en"])
    talked = next((handoff for handoff in known.handoffs if handoff.joined_at is not None), None)
    said = next(iter(known.outcomes), None)
    of = next((h for h in known.handoffs if said is not None and h.id == said.handoff), talked)
    if said is not None and talked is not None and talked.requested_at > said.at:
        # They have talked to somebody since, who has noted nothing.
        said, of = None, talked
    agent = of.winner.agent.name if of is not None and of.winner is not None else ""
    disposition, note = came_to([one for one in known.outcomes if said and one.handoff == said.handoff])
    noted = (known.names.get(disposition, disposition), note)
    parts = [part for part in (*noted, f"{with_} {agent}" if agent else "") if part]
    return f"{begins}: {', '.join(parts)}" if parts else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
