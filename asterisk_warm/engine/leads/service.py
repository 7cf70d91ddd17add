"""What can be asked about leads, and for them, by people, the API and the dialplan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.options import DETAIL_LIMIT, LANGUAGE, LIMITS, clean
from asterisk_warm.core.leads import Consent, Disposition, LeadOutcome, LeadRecord, disposition_of
from asterisk_warm.core.numbers import e164
from asterisk_warm.core.presence import By
from asterisk_warm.engine import codec
from asterisk_warm.engine.errors import Refused, or_refused
from asterisk_warm.engine.finding import of_lead, resolve
from asterisk_warm.engine.leads.ports import LeadStore
from asterisk_warm.engine.leads.views import (
    LeadRecordView,
    OutcomeView,
    PastHandoffView,
    lead_view,
    outcome_view,
    past_handoff_view,
)
from asterisk_warm.engine.ports.journal import HandoffRow, Journal
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.engine.qualifying.views import by_words

log = structlog.get_logger(__name__)

HISTORY = 20
"""How many handoffs and qualifications of a lead are shown."""
ATTRIBUTES_AT_MOST = 50
ATTRIBUTE_LIMIT = 40
"""Longest name of an attribute, in characters."""
SOURCE_LIMIT = 200
BASIS_LIMIT = 200
SHOWN_LIMIT = 4000
"""Longest text that consent was asked with: it is kept exactly, so that a longer one is refused."""
NOTE_LIMIT = 1000
"""Longest note on a handoff; what is longer is cut."""
LIST = "see `asterisk-warm lead list`"

Told = Callable[[OutcomeView, str], Awaitable[None]]
"""Told of each outcome that was written down, and of the lead's number. Never raises."""


async def nobody(_: OutcomeView, __: str) -> None:
    """Nobody wants to know."""


class LeadService:
    def __init__(
        self,
        store: LeadStore,
        journal: Journal,
        qualifications: QualificationStore,
        *,
        dispositions: Sequence[Disposition],
        region: str,
        told: Told = nobody,
    ) -> None:
        """`region`: where numbers without a country code are from."""
        self._store = store
        self._journal = journal
        self._qualifications = qualifications
        self.region = region
        self._told = told
        self.dispositions: Mapping[str, Disposition] = {one.id: one for one in dispositions}

    # -- seeing ----------------------------------------------------------------------------------------------

    def key(self, number: str) -> str:
        """E.164, by which a lead is found. Raises Refused (invalid)."""
        found = e164(number, self.region)
        if not found:
            remedy = "write it with + and the country code"
            raise Refused("invalid", f'"{clean(number, 40)}" is not a telephone number', remedy)
        return found

    async def show(self, number: str) -> LeadRecordView:
        """With their handoffs and qualifications; who has only called, and was never written down, has an
        empty source. Raises Refused (invalid, not_found, unreachable)."""
        key = self.key(number)
        record = await or_refused(self._store.lead(key))
        asked = await or_refused(self._qualifications.of_lead(key, HISTORY))
        rows = await or_refused(of_lead(self._journal, (key, clean(number, LIMITS["number"])), HISTORY))
        if record is None and not (asked or rows):
            raise _unknown(key)
        handoffs = await asyncio.gather(*map(self._past, rows))
        return lead_view(record or LeadRecord(key), handoffs, [one.id for one in asked])

    async def _past(self, row: HandoffRow) -> PastHandoffView:
        outcomes = await or_refused(self._store.outcomes_of_handoff(row.id))
        handoff = codec.decode_handoff(row.snapshot_json)
        return past_handoff_view(handoff, [outcome_view(one, self.dispositions) for one in outcomes])

    async def list(self, after: str = "", limit: int = 100) -> Sequence[LeadRecordView]:
        """By number, those behind `after`. Raises Refused (unreachable)."""
        records = await or_refused(self._store.leads(e164(after, self.region) or after, limit))
        return [lead_view(record) for record in records]

    # -- who they are ----------------------------------------------------------------------------------------

    async def save(self, record: LeadRecord, by: By) -> LeadRecordView:
        """Add a lead, or replace what is known of them; consents are only added to. Raises Refused (invalid,
        unreachable)."""
        good = self._good(record, by)
        await or_refused(self._store.save_leads([good], by_words(by), time.time()))
        return await self.show(good.number)

    async def save_all(
        self, records: Sequence[LeadRecord], by: By, *, dry_run: bool = False
    ) -> tuple[Sequence[str], Sequence[str]]:
        """All or none; of one number the last counts. Returns the numbers that were added, and those that
        were there already; `dry_run`: that would be, and nothing is saved. Raises Refused (invalid,
        unreachable)."""
        good = await asyncio.to_thread(self._all_good, records, by)  # Calls go on meanwhile.
        there = await or_refused(self._store.stored(good))
        if not dry_run:
            await or_refused(self._store.save_leads(list(good.values()), by_words(by), time.time()))
        return [number for number in good if number not in there], [n for n in good if n in there]

    def _all_good(self, records: Sequence[LeadRecord], by: By) -> Mapping[str, LeadRecord]:
        """By number. Raises Refused (invalid)."""
        return {record.number: record for record in (self._good(record, by) for record in records)}

    def _good(self, record: LeadRecord, by: By) -> LeadRecord:
        """As it is kept. Raises Refused (invalid)."""
        language = record.language.strip().lower()
        if language and not LANGUAGE.fullmatch(language):
            raise Refused("invalid", f'"{clean(record.language, 40)}" is no language', "write en, es, …")
        cleaned = [(clean(k, ATTRIBUTE_LIMIT), clean(v, DETAIL_LIMIT)) for k, v in record.attributes]
        attributes = {key: value for key, value in cleaned if key and value}
        if len(attributes) > ATTRIBUTES_AT_MOST:
            raise Refused("invalid", f"a lead has at most {ATTRIBUTES_AT_MOST} attributes", "leave some out")
        return LeadRecord(
            number=self.key(record.number),
            name=clean(record.name, LIMITS["name"]),
            language=language,
            attributes=tuple(sorted(attributes.items())),
            source=clean(record.source, SOURCE_LIMIT) or by_words(by),
            consents=tuple(_good_consent(consent, by) for consent in record.consents),
        )

    async def remove(self, number: str, by: By) -> None:
        """With their consents; handoffs and qualifications stay. Raises Refused (invalid, not_found,
        unreachable)."""
        key = self.key(number)
        if not await or_refused(self._store.remove_lead(key)):
            raise _unknown(key)
        log.info("lead removed", by=by_words(by))

    async def consent(self, number: str, consent: Consent, by: By) -> LeadRecordView:
        """Add what a lead has said to being called, texted or recorded; who is not known yet is added. Raises
        Refused (invalid, unreachable)."""
        key = self.key(number)
        await or_refused(self._store.add_consent(key, _good_consent(consent, by), time.time()))
        return await self.show(key)

    # -- what came of it -------------------------------------------------------------------------------------

    async def outcomes(self, handoff: str) -> Sequence[OutcomeView]:
        """What came of a handoff (its id, or a piece of it), oldest first. Raises Refused (not_found,
        conflict, unreachable)."""
        id = await or_refused(resolve(self._journal, handoff))
        return [
            outcome_view(one, self.dispositions)
            for one in await or_refused(self._store.outcomes_of_handoff(id))
        ]

    async def outcome(self, handoff: str, disposition: str, note: str, by: By) -> OutcomeView:
        """Write down what came of a handoff (its id, or a piece of it); `disposition` is its id, its digit or
        its name. Raises Refused (not_found, conflict, invalid, unreachable)."""
        disposition = self._meant(disposition).id if disposition else ""
        note = clean(note, NOTE_LIMIT)
        if not (disposition or note):
            raise Refused("invalid", "neither a disposition nor a note was given", "give one of them")
        row = await or_refused(self._journal.get(await or_refused(resolve(self._journal, handoff))))
        assert row is not None, "resolved from the journal"
        return await self._write(codec.decode_handoff(row.snapshot_json), disposition, note, by)

    async def outcome_of_agent(self, agent: str, disposition: str, by: By, note: str = "") -> OutcomeView:
        """Of the latest talk of an agent (by id); `disposition` as above. Raises Refused (not_found, invalid,
        unreachable)."""
        found = self._meant(disposition)
        rows = await or_refused(self._journal.of_agent(agent, 1))
        if not rows:
            raise Refused("not_found", f"{clean(agent, 40)} has not talked to a lead yet")
        handoff = codec.decode_handoff(rows[0].snapshot_json)
        return await self._write(handoff, found.id, clean(note, NOTE_LIMIT), by)

    def _meant(self, word: str) -> Disposition:
        """Raises Refused (invalid)."""
        found = disposition_of(self.dispositions.values(), word)
        if found is None:
            known = [f"{one.id} ({one.key})" if one.key else one.id for one in self.dispositions.values()]
            raise Refused(
                "invalid",
                f'no disposition "{clean(word, 40)}"',
                f"configured dispositions: {', '.join(known) or 'none'}",
            )
        return found

    async def _write(self, handoff: Handoff, disposition: str, note: str, by: By) -> OutcomeView:
        lead = handoff.lead.key or handoff.lead.number
        written = LeadOutcome(handoff.id, lead, disposition, note, time.time(), by.who, by.source)
        await or_refused(self._store.add_outcome(written))
        view = outcome_view(written, self.dispositions)
        log.info("outcome", id=handoff.id, disposition=disposition, by=by_words(by))
        await self._told(view, lead)
        return view


def _good_consent(consent: Consent, by: By) -> Consent:
    """As it is kept. Raises Refused (invalid)."""
    if len(consent.shown) > SHOWN_LIMIT:
        raise Refused(
            "invalid", f"the text that was shown is longer than {SHOWN_LIMIT} characters", "give its address"
        )
    return replace(
        consent,
        basis=clean(consent.basis, BASIS_LIMIT),
        source=clean(consent.source, SOURCE_LIMIT) or by_words(by),
    )


def _unknown(key: str) -> Refused:
    return Refused("not_found", f"no lead {key}", LIST)
