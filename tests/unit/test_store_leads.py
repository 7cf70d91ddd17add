"""Leads, consents and outcomes, on each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace

import pytest

from asterisk_warm.core.leads import Consent, LeadOutcome, LeadRecord, Purpose
from asterisk_warm.engine.leads.ports import LeadStore
from asterisk_warm.store import Database, SqlLeads, StoreError
from asterisk_warm.store.leads import ASKED_AT_ONCE

CALL = Consent(Purpose.CALL, True, "web form", "May we call you? ☎", 10.25, "https://example.org/form")
REVOKED = Consent(Purpose.CALL, False, "oral", "", 20.5, "api (crm)")
TEXT = Consent(Purpose.TEXT, True, "keypress", "Press 1 to be texted.", 15.0, "script insurance v3")
ANA = LeadRecord(
    number="+15551234567",
    name="Ana María \U0001f600",
    language="es",
    attributes=(("city", "Sevilla"), ("policy", "A-1")),
    source="import leads.csv",
    consents=(CALL, TEXT, REVOKED),
)
BEN = LeadRecord("+15557654321")
SOLD = LeadOutcome("warm-1", "+15551234567", "sold", "Signs tomorrow.", 30.5, "ana", "code")

HOSTILE = "a\0b'\";--%s${SHELL(id)}\r\n\u202e\U0001f600\ud800"
KEPT = "a\ufffdb'\";--%s${SHELL(id)}\r\n\u202e\U0001f600?"


@pytest.fixture
def store(database: Database) -> LeadStore:
    return SqlLeads(database)


async def test_given_a_new_database_then_nobody_is_known(store: LeadStore) -> None:
    assert await store.lead("+15551234567") is None
    assert await store.leads("", 9) == []
    assert await store.outcomes_of_handoff("warm-1") == []
    assert await store.outcomes_of_lead("+15551234567", 9) == []
    assert await store.remove_lead("+15551234567") is False


async def test_given_many_numbers_when_asked_then_those_of_leads_are_told(store: LeadStore) -> None:
    leads = {f"+1555{number:07}" for number in range(ASKED_AT_ONCE + 100)}
    others = {f"+1666{number:07}" for number in range(ASKED_AT_ONCE + 100)}
    hostile = {"", "x' OR 'a'='a", "%", "a\0b", "\ud800", "9" * 70_000}
    await store.save_leads([LeadRecord(number) for number in leads], "eva", 1.0)
    assert set(await store.stored(leads | others | hostile)) == leads
    assert set(await store.stored(others)) == set(await store.stored([])) == set()
    await store.save_leads([LeadRecord(number) for number in hostile], "eva", 1.0)
    assert set(await store.stored(hostile | others)) == hostile


async def test_given_a_lead_when_read_back_then_everything_is_there(store: LeadStore) -> None:
    assert all(getattr(ANA, one.name) for one in fields(ANA)), "a field is not tried"
    await store.save_leads([BEN, ANA], "eva", 1.0)
    # Oldest first, in whatever order they were given.
    stored = replace(ANA, consents=(CALL, TEXT, REVOKED))
    assert await store.lead("+15551234567") == stored
    assert await store.lead("+15557654321") == BEN
    assert await store.leads("", 9) == [stored, BEN]
    assert await store.leads("", 1) == [stored]
    assert await store.leads(stored.number, 9) == [BEN]
    assert await store.leads(BEN.number, 9) == []


async def test_given_a_lead_when_saved_again_then_they_are_replaced_and_consents_only_added_to(
    store: LeadStore,
) -> None:
    await store.save_leads([ANA], "eva", 1.0)
    await store.save_leads([ANA], "eva", 2.0)
    assert await store.lead(ANA.number) == ANA
    renewed = replace(REVOKED, granted=True, at=40.0)
    await store.save_leads([LeadRecord(ANA.number, "Ana", consents=(renewed, CALL))], "eva", 3.0)
    found = await store.lead(ANA.number)
    assert found == LeadRecord(ANA.number, "Ana", consents=(CALL, TEXT, REVOKED, renewed))
    assert found.consented(Purpose.CALL)


async def test_given_the_same_lead_twice_in_one_save_then_the_later_one_counts(store: LeadStore) -> None:
    both = [replace(ANA, name="First", consents=(CALL,)), replace(ANA, name="Second", consents=(TEXT,))]
    await store.save_leads(both, "eva", 1.0)
    assert await store.lead(ANA.number) == replace(ANA, name="Second", consents=(CALL, TEXT))


async def test_given_consents_then_the_latest_counts_by_when_it_was_given_not_stored(
    store: LeadStore,
) -> None:
    await store.add_consent(BEN.number, REVOKED, 50.0)
    await store.add_consent(BEN.number, CALL, 60.0)
    await store.add_consent(BEN.number, CALL, 70.0)
    found = await store.lead(BEN.number)
    assert found == LeadRecord(BEN.number, source=REVOKED.source, consents=(CALL, REVOKED))
    assert not found.consented(Purpose.CALL)
    await store.save_leads([replace(BEN, name="Ben")], "eva", 80.0)
    assert await store.lead(BEN.number) == replace(BEN, name="Ben", consents=(CALL, REVOKED))


async def test_given_a_lead_when_removed_then_with_their_consents_and_what_came_of_calls_stays(
    store: LeadStore,
) -> None:
    await store.save_leads([ANA, BEN], "eva", 1.0)
    await store.add_outcome(SOLD)
    assert await store.remove_lead(ANA.number) is True
    assert await store.remove_lead(ANA.number) is False
    assert await store.leads("", 9) == [BEN]
    assert await store.outcomes_of_lead(ANA.number, 9) == [SOLD]
    await store.save_leads([replace(ANA, consents=())], "eva", 2.0)
    assert await store.lead(ANA.number) == replace(ANA, consents=()), "a consent of before has come back"


async def test_given_outcomes_then_oldest_first_of_a_handoff_and_newest_first_of_a_lead(
    store: LeadStore,
) -> None:
    told = [
        replace(SOLD, handoff=f"warm-{at % 2}", disposition="" if at % 3 else "lost", at=float(at))
        for at in range(6)
    ]
    for outcome in told:
        await store.add_outcome(outcome)
    nobody = replace(SOLD, lead="", handoff="warm-9")
    await store.add_outcome(nobody)
    assert await store.outcomes_of_handoff("warm-0") == told[::2]
    assert await store.outcomes_of_lead(SOLD.lead, 3) == told[:2:-1]
    assert await store.outcomes_of_lead("", 9) == (), "all who withhold their number are not one lead"
    assert await store.outcomes_of_handoff("warm-9") == [nobody]
    await store.add_outcome(nobody)
    assert len(await store.outcomes_of_handoff("warm-9")) == 2


# -- others' texts -----------------------------------------------------------------------------------------------


async def test_given_every_sort_of_character_then_they_are_kept_as_far_as_can_be(store: LeadStore) -> None:
    consent = Consent(Purpose.TEXT, True, HOSTILE, HOSTILE, 1.5, HOSTILE)
    await store.save_leads(
        [LeadRecord("+1", HOSTILE, "es", ((HOSTILE, HOSTILE),), HOSTILE, (consent,))], HOSTILE, 2.0
    )
    await store.add_consent("+1", consent, 3.0)
    stored = Consent(Purpose.TEXT, True, KEPT, KEPT, 1.5, KEPT)
    assert await store.lead("+1") == LeadRecord("+1", KEPT, "es", ((KEPT, KEPT),), KEPT, (stored,))
    await store.add_outcome(LeadOutcome(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, HOSTILE, HOSTILE))
    outcome = LeadOutcome(KEPT, KEPT, KEPT, KEPT, 1.0, KEPT, KEPT)
    assert await store.outcomes_of_handoff(HOSTILE) == [outcome] == await store.outcomes_of_lead(HOSTILE, 9)


async def test_given_64_kilobytes_then_they_are_kept_and_numbers_cut(store: LeadStore) -> None:
    long = "ß" * 65536
    consent = Consent(Purpose.CALL, True, long, long, 1.5, long)
    await store.save_leads([LeadRecord(long, long, "", ((long, long),), long, (consent,))], long, 1.0)
    found = await store.lead(long)
    assert found == LeadRecord(long[:200], long, "", ((long, long),), long, (consent,))
    await store.add_consent(long, replace(consent, at=2.0), 2.0)
    found = await store.lead(long[:200])
    assert found is not None and len(found.consents) == 2
    await store.add_outcome(LeadOutcome("warm-1", long, "sold", long, 1.0, long, "api"))
    (outcome,) = await store.outcomes_of_lead(long, 9)
    assert (outcome.lead, outcome.note) == (long[:200], long)
    assert await store.remove_lead(long) is True


# -- several at once, and what fails ------------------------------------------------------------------------------


async def test_given_several_daemons_that_save_the_same_leads_then_each_consent_is_there_once(
    url: str,
) -> None:
    records = [LeadRecord(f"+1{number:03}", consents=(CALL, TEXT)) for number in range(40)]
    async with await Database.open(url, "east") as east, await Database.open(url, "west") as west:
        stores = [SqlLeads(east), SqlLeads(west)]
        await asyncio.gather(
            *(store.save_leads(records[::step], "eva", 1.0) for store in stores for step in (1, -1, 2, -3)),
            *(store.add_consent(record.number, REVOKED, 2.0) for store in stores for record in records),
        )
        found = await stores[0].leads("", 99)
    assert found == [
        replace(record, source=one.source, consents=(CALL, TEXT, REVOKED))
        for record, one in zip(records, found, strict=True)
    ]


async def test_given_one_that_cannot_be_written_then_none_is(store: LeadStore, database: Database) -> None:
    await database.write(lambda driver: driver.execute("DROP TABLE lead_consents", ()))
    with pytest.raises(StoreError, match="lead_consents"):
        await store.save_leads([BEN, ANA], "eva", 1.0)
    rows = await database.read(lambda connection: connection.exec_driver_sql("SELECT * FROM leads").all())
    assert rows == []
    await store.save_leads([BEN], "eva", 1.0)
    with pytest.raises(StoreError, match="lead_consents"):
        await store.lead(BEN.number)
