"""What is known of a lead at the door: from their record, their qualifications, their earlier calls."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from lead_memory import HOME, MemoryLeads, MemoryQualifications, MemoryScripts, lead_of, script_of, written
from property.history import History, connected, offering
from property.model_engine import MemoryJournal

from asterisk_warm.core.handoff.model import Lead
from asterisk_warm.core.handoff.options import DETAILS_AT_MOST
from asterisk_warm.core.leads import Consent, Disposition, LeadOutcome, LeadRecord, Purpose
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.model import Channel
from asterisk_warm.engine.leads import known as module
from asterisk_warm.engine.leads.known import NOTHING, Known, KnownLeads, merge
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.service import QualificationService

DANA = By("dana", "cli")
NUMBER = "+12025550123"
LEAD = replace(lead_of("202 555 0123", NUMBER), name="WIRELESS CALLER", named=False)
NOW = 1_800_000_000.0
DAY = 86400.0


class Desk:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        monkeypatch.setattr(time, "time", lambda: self.now)
        self.leads, self.kept, self.versions = MemoryLeads(), MemoryQualifications(), MemoryScripts()
        self.journal = MemoryJournal()
        self.scripts = ScriptService(self.versions, script_of)
        self.asking = QualificationService(self.kept, self.scripts, self.leads, region="US", zone=UTC)
        dispositions = (Disposition("callback", "callback"),)
        self.known = KnownLeads(self.leads, self.kept, self.scripts, self.journal, dispositions, "US")

    async def of(self, lead: Lead = LEAD) -> Known:
        return await self.known.of(lead)

    async def asked(self, *answers: str, lead: str = NUMBER) -> str:
        """A lead has answered so; returns the qualification's id."""
        how: dict[str, Any] = {"by": DANA, "channel": Channel.VOICE}
        view = await self.asking.begin("home", lead, fresh=True, **how)
        for text in answers:
            recorded = text.startswith("recording:")
            said = ("", text.removeprefix("recording:")) if recorded else (text, "")
            view = await self.asking.answer(view.id, said[0], recording=said[1], **how)
        return view.id

    async def noted(self, handoff: str, disposition: str, note: str, at: float) -> None:
        await self.leads.add_outcome(LeadOutcome(handoff, NUMBER, disposition, note, at, "dana", "cli"))

    async def talked(self, handoff: str, at: float, *, key: str = NUMBER) -> None:
        history: History = connected(handoff=handoff, at=at, lead=lead_of("202 555 0123", key))
        await written(self.journal, history)


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(monkeypatch)
    await desk.scripts.publish(HOME, DANA)
    return desk


async def test_given_nothing_is_known_then_the_lead_is_as_they_were_told(desk):
    known = await desk.of()
    assert merge(LEAD, known) == LEAD
    assert known.standing("", {}).qualified is None and known.standing("", {}).unread == ""
    withheld = Lead("ch", "", "", "", named=False)
    assert await desk.of(withheld) == replace(NOTHING, at=NOW)


async def test_given_a_record_then_it_stands_where_nothing_was_told(desk):
    attributes = (("city", "Bonn"), ("plan", "gold"))
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, "Grant Weatherly", "es", attributes)
    known = await desk.of()
    lead = merge(LEAD, known)
    assert (lead.name, lead.named, lead.language) == ("Grant Weatherly", True, "es")
    assert lead.details == (("city", "Bonn"), ("plan", "gold"))
    told = replace(LEAD, name="Zoe", named=True, language="de", details=(("plan", "silver"),))
    lead = merge(told, known)
    assert (lead.name, lead.language) == ("Zoe", "de")
    assert lead.details == (("city", "Bonn"), ("plan", "silver"))


async def test_given_a_record_with_very_much_in_it_then_what_was_told_stays(desk):
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, attributes=tuple((f"a{n:02}", "x") for n in range(50)))
    told = replace(LEAD, details=(("zip", "12345"),))
    details = merge(told, await desk.of()).details
    assert len(details) == DETAILS_AT_MOST and details[-1] == ("zip", "12345")


async def test_given_a_finished_qualification_then_its_summary_score_and_verdict(desk):
    id = await desk.asked("yes", "house", "3", "recording:qual/words-1")
    lead = merge(LEAD, await desk.of())
    assert (lead.summary, lead.score, lead.verdict) == ("a house, 3 claims", 30, "ready")
    assert (lead.qualification, lead.language, lead.recording) == (id, "en", "qual/words-1")
    assert "claims" in lead.more.casefold() and lead.more.endswith(".")
    told = replace(LEAD, summary="a loan", recording="mine")
    assert (merge(told, await desk.of()).summary, merge(told, await desk.of()).recording) == (
        "a loan",
        "mine",
    )


async def test_given_one_that_is_unfinished_or_too_old_then_it_is_not_told_and_the_gate_says_why(desk):
    await desk.asked("yes")
    known = await desk.of()
    assert merge(LEAD, known) == LEAD
    assert known.standing("", {}).qualified.verdict == ""
    await desk.asked("yes", "house", "0", "words")
    desk.now += 40 * DAY
    known = await desk.of()
    assert (known.counts(), merge(LEAD, known)) == (None, LEAD)
    assert known.standing("", {}).qualified.days == 40


async def test_given_answers_that_were_carried_over_then_a_qualification_is_as_old_as_they_are(desk):
    how: dict[str, Any] = {"by": DANA, "channel": Channel.VOICE}
    await desk.asked("yes", "house")
    desk.now += 28 * DAY
    view = await desk.asking.begin("home", NUMBER, **how)
    for text in ("0", "words"):
        view = await desk.asking.answer(view.id, text, **how)
    assert view.complete and (await desk.of()).standing("", {}).qualified.counts
    desk.now += 3 * DAY
    qualified = (await desk.of()).standing("", {}).qualified
    assert (qualified.days, qualified.counts, qualified.verdict) == (31, False, "ready")


async def test_given_a_newer_one_that_is_unfinished_then_the_finished_one_counts(desk):
    id = await desk.asked("yes", "house", "0", "words")
    desk.now += 60
    await desk.asked("yes")
    assert merge(LEAD, await desk.of()).qualification == id


async def test_given_the_teams_script_then_no_other_one_counts(desk):
    await desk.asked("yes", "house", "0", "words")
    desk.now += 60
    await desk.asking.give(NUMBER, "loans", 99, "ready", "", "wants a loan", DANA)
    known = await desk.of()
    assert merge(LEAD, known).summary == "wants a loan"
    assert merge(LEAD, known, "home").summary == "a house, 0 claims"
    assert merge(LEAD, known, "cars") == LEAD
    assert known.standing("cars", {}).qualified is None
    assert known.standing("home", {}).qualified.score == 30


async def test_given_a_named_qualification_then_it_counts_first_also_for_a_caller_without_a_number(desk):
    named = await desk.asked("yes", "flat", "0", "words", lead="")
    desk.now += 60
    await desk.asked("yes", "house", "0", "words")
    lead = merge(LEAD, await desk.of(replace(LEAD, qualification=named)))
    assert (lead.qualification, lead.verdict) == (named, "nurture")
    withheld = Lead("ch", "", "", "", qualification=named)
    assert merge(withheld, await desk.of(withheld)).score == 20
    nobody = Lead("ch", "", "", "", qualification="qual-none")
    assert merge(nobody, await desk.of(nobody)).qualification == ""


async def test_given_a_version_that_cannot_be_read_any_more_then_the_lead_does_without(desk):
    await desk.asked("yes", "house", "0", "words")
    (version,) = desk.versions.published["home"]
    desk.versions.published["home"] = [replace(version, source="no: script")]
    desk.scripts._published.clear()
    assert merge(LEAD, await desk.of()) == LEAD


async def test_given_consents_then_the_latest_of_each_purpose_counts(desk):
    consents = tuple(
        Consent(purpose, granted, "", "", at, "")
        for purpose, granted, at in (
            (Purpose.CALL, True, 1.0),
            (Purpose.TEXT, True, 2.0),
            (Purpose.CALL, False, 3.0),
        )
    )
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, consents=consents)
    said = (await desk.of()).standing("", {"ready": True})
    assert said.consents == {"consent.call": False, "consent.text": True}
    assert said.said == {"ready": True}


# -- the last call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("", "Last time: callback, wants a quote by Friday, with Ana."),
        ("es-mx", "La última vez: callback, wants a quote by Friday, con Ana."),
    ],
)
async def test_given_an_earlier_talk_and_what_came_of_it_then_the_next_agent_starts_from_it(
    desk, language, words
):
    await desk.talked("warm-old", 1000.0)
    await desk.noted("warm-old", "callback", "wants a quote by Friday", 1100.0)
    assert merge(LEAD, await desk.of(), language=language).more == words


async def test_given_a_talk_of_which_nothing_was_noted_then_with_whom_it_was(desk):
    await desk.talked("warm-old", 1000.0, key="")
    assert merge(LEAD, await desk.of()).more == "Last time: with Ana."
    await desk.noted("warm-older", "sold", "", 10.0)
    assert merge(LEAD, await desk.of()).more == "Last time: with Ana.", "it was noted before that talk"


async def test_given_a_note_on_a_handoff_that_nobody_took_then_it_is_told_alone(desk):
    await written(desk.journal, offering(handoff="warm-1", at=1000.0, lead=lead_of("1", NUMBER)))
    assert merge(LEAD, await desk.of()).more == ""
    await desk.noted("warm-1", "", "call after six!", 1100.0)
    assert merge(LEAD, await desk.of()).more == "Last time: call after six!"


async def test_given_a_disposition_and_a_note_that_were_written_down_apart_then_both_are_told(desk):
    await desk.talked("warm-old", 1000.0)
    await desk.noted("warm-old", "callback", "", 1100.0)
    await desk.noted("warm-old", "", "wants a new roof", 1200.0)
    assert merge(LEAD, await desk.of()).more == "Last time: callback, wants a new roof, with Ana."


async def test_given_a_qualification_and_a_talk_then_both_are_told_and_no_more_than_can_be(desk):
    await desk.asked("yes", "house", "0", "words " * 300)
    await desk.talked("warm-old", 1000.0)
    await desk.noted("warm-old", "x" * 20, "y" * 900, 1100.0)
    more = merge(LEAD, await desk.of()).more
    assert len(more) < 1010 and more.isprintable()
    assert "words words" in more and more.startswith("Last time: xxxxx")


# -- stores that are slow, or fail ---------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["leads", "kept", "versions"])
async def test_given_a_store_that_hangs_then_what_was_told_counts_alone(desk, which, monkeypatch):
    await desk.asked("yes", "house", "0", "words")
    desk.scripts._published.clear()
    monkeypatch.setattr(module, "KNOWN_SECONDS", 0.02)

    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    getattr(desk, which).meanwhile = hang
    told = replace(LEAD, qualification="qual-told")
    known = await desk.known.of(told)
    assert merge(told, known) == told
    words = "what is known of the lead could not be read within 0.02 s"
    assert (known.unread, known.standing("", {}).unread) == (words, words)


async def test_given_a_store_that_is_slow_then_who_would_be_refused_waits_longer_for_it(desk, monkeypatch):
    await desk.asked("yes", "house", "0", "words")
    monkeypatch.setattr(module, "KNOWN_SECONDS", 0.02)
    monkeypatch.setattr(module, "NEEDED_SECONDS", 60.0)

    async def slow(_: str) -> None:
        await asyncio.sleep(0.1)

    desk.kept.meanwhile = slow
    assert (await desk.known.of(LEAD)).unread
    assert (await desk.known.of(LEAD, needed=True)).counts() is not None


async def test_given_many_leads_at_once_then_they_are_looked_up_one_after_the_other(desk):
    at_once = most = 0

    async def count(_: str) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    desk.leads.meanwhile = count
    found = await asyncio.gather(*(desk.known.of(LEAD, needed=True) for _ in range(20)))
    # Of each lead the record and the outcomes are read side by side.
    assert most <= 2 * module.AT_ONCE
    assert not any(known.unread for known in found)


async def test_given_a_store_that_fails_then_what_was_told_counts_alone(desk):
    async def fail(_: str) -> None:
        raise JournalError("gone")

    desk.leads.meanwhile = desk.kept.meanwhile = fail
    known = await desk.of()
    assert (merge(LEAD, known), known.unread) == (LEAD, "what is known of the lead could not be read")
