"""Leads: who they are, what they consent to, what came of their calls."""

from __future__ import annotations

import pytest
from lead_memory import MemoryLeads, MemoryQualifications, lead_of, written
from property.history import History, connected, offering
from property.model_engine import MemoryJournal

from asterisk_warm.core.leads import Consent, Disposition, LeadRecord, Purpose
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.leads.service import ATTRIBUTES_AT_MOST, NOTE_LIMIT, SHOWN_LIMIT, LeadService
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.ports.journal import JournalError

DANA = By("dana", "cli")
NUMBER = "+12025550123"
DISPOSITIONS = (Disposition("sold", "Sold", "1"), Disposition("callback", "Call back", "2"))
YES = Consent(Purpose.CALL, True, "web form", "May we call you?\nYes.", 100.0, "https://example.org/form")


class Desk:
    def __init__(self) -> None:
        self.store, self.journal, self.asked = MemoryLeads(), MemoryJournal(), MemoryQualifications()
        self.told: list[tuple[OutcomeView, str]] = []
        self.service = LeadService(
            self.store, self.journal, self.asked, dispositions=DISPOSITIONS, region="US", told=self._told
        )

    async def _told(self, view: OutcomeView, lead: str) -> None:
        self.told.append((view, lead))

    async def had(self, history: History) -> str:
        """A handoff is in the journal; returns its id."""
        return await written(self.journal, history)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def refused(work) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


def failing(message: str = "disk full"):
    async def fail(_: str) -> None:
        raise JournalError(message)

    return fail


# -- who they are --------------------------------------------------------------------------------------------


async def test_given_a_lead_is_saved_then_they_are_found_by_any_way_to_write_the_number(desk):
    record = LeadRecord(
        "(202) 555-0123", " Grant\r\nX ", "ES", (("plan", "gold"), ("zip", "")), consents=(YES,)
    )
    view = await desk.service.save(record, DANA)
    assert (view.number, view.name, view.language, view.source) == (NUMBER, "Grant X", "es", "cli (dana)")
    assert view.attributes == {"plan": "gold"}
    assert view.consents[0].shown == "May we call you?\nYes.", "exactly as shown"
    assert await desk.service.show("202.555.0123") == view == await desk.service.show("tel:+1-202-555-0123")
    assert desk.service.key("2025550123") == NUMBER
    assert [one.number for one in await desk.service.list()] == [NUMBER]
    assert await desk.service.list("202 555 0123") == []


async def test_given_a_lead_is_saved_again_then_consents_are_only_added_to(desk):
    await desk.service.save(LeadRecord(NUMBER, consents=(YES,)), DANA)
    view = await desk.service.save(LeadRecord(NUMBER, "Grant"), DANA)
    assert (view.name, len(view.consents)) == ("Grant", 1)


async def test_given_many_leads_then_those_that_were_there_already_are_told(desk):
    await desk.service.save(LeadRecord(NUMBER), DANA)
    others = [LeadRecord("202-555-0199", "A"), LeadRecord(NUMBER, "B"), LeadRecord("+12025550199", "C")]
    assert await desk.service.save_all(others, DANA) == (["+12025550199"], [NUMBER])
    assert desk.store.records["+12025550199"].name == "C"


async def test_given_a_dry_run_then_it_says_the_same_and_nothing_is_saved(desk):
    await desk.service.save(LeadRecord(NUMBER, "Grant"), DANA)
    others = [LeadRecord("202-555-0199", "A"), LeadRecord(NUMBER, "B"), LeadRecord("+12025550199", "C")]
    assert await desk.service.save_all(others, DANA, dry_run=True) == (["+12025550199"], [NUMBER])
    assert {number: one.name for number, one in desk.store.records.items()} == {NUMBER: "Grant"}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_given_many_leads_then_the_store_is_not_asked_once_for_each(desk, dry_run):
    asked: list[str] = []

    async def note(method: str) -> None:
        asked.append(method)

    desk.store.meanwhile = note
    many = [LeadRecord(f"+1202555{number:04}") for number in range(300)]
    added, replaced = await desk.service.save_all(many, DANA, dry_run=dry_run)
    assert (len(added), len(replaced)) == (300, 0)
    assert asked == (["stored"] if dry_run else ["stored", "save_leads"])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (LeadRecord("ask for Ana\r\n"), '"ask for Ana" is not a telephone number'),
        (LeadRecord("100"), '"100" is not a telephone number'),
        (LeadRecord(NUMBER, language="${L}"), '"${L}" is no language'),
        (
            LeadRecord(NUMBER, attributes=tuple((f"k{n}", "x") for n in range(ATTRIBUTES_AT_MOST + 1))),
            "a lead has at most 50 attributes",
        ),
        (
            LeadRecord(NUMBER, consents=(Consent(Purpose.CALL, True, "", "x" * (SHOWN_LIMIT + 1), 1.0, ""),)),
            "the text that was shown is longer than 4000 characters",
        ),
    ],
)
async def test_given_a_record_that_will_not_do_then_nothing_of_it_is_kept(desk, record, words):
    error = await refused(desk.service.save_all([LeadRecord("+12025550199"), record], DANA))
    assert (error.kind, error.message) == ("invalid", words)
    assert error.remedy and not desk.store.records


async def test_given_consent_then_it_is_added_also_to_who_was_not_known(desk):
    view = await desk.service.consent("202 555 0123", YES, DANA)
    assert [one.purpose for one in view.consents] == ["call"]
    withdrawn = Consent(Purpose.CALL, False, "oral", "", 200.0, "")
    view = await desk.service.consent(NUMBER, withdrawn, DANA)
    assert [(one.granted, one.source) for one in view.consents] == [
        (True, "https://example.org/form"),
        (False, "cli (dana)"),
    ]
    assert not desk.store.records[NUMBER].consented(Purpose.CALL)


async def test_given_a_lead_is_removed_then_they_are_not_found_any_more(desk):
    await desk.service.save(LeadRecord(NUMBER), DANA)
    await desk.service.remove("2025550123", DANA)
    for work in (desk.service.show(NUMBER), desk.service.remove(NUMBER, DANA)):
        error = await refused(work)
        assert (error.kind, error.message) == ("not_found", f"no lead {NUMBER}")


async def test_given_a_lead_who_was_never_written_down_but_has_called_then_they_are_shown(desk):
    id = await desk.had(connected(lead=lead_of("2025550123", NUMBER)))
    view = await desk.service.show("202 555 0123")
    assert (view.number, view.name, view.source) == (NUMBER, "", "")
    assert [one.id for one in view.handoffs] == [id]


async def test_given_the_store_fails_then_unreachable(desk):
    desk.store.meanwhile = failing()
    service = desk.service
    for work in (
        service.show(NUMBER),
        service.list(),
        service.save(LeadRecord(NUMBER), DANA),
        service.remove(NUMBER, DANA),
        service.consent(NUMBER, YES, DANA),
    ):
        error = await refused(work)
        assert (error.kind, "disk full" in error.message) == ("unreachable", True)


# -- what came of their calls --------------------------------------------------------------------------------


async def test_given_handoffs_then_they_are_shown_by_e164_and_by_the_number_as_it_was_shown(desk):
    await desk.service.save(LeadRecord(NUMBER), DANA)
    desk.asked.kept["qual-1"] = Qualification("qual-1", "home", 1, NUMBER, "", 1.0, 1.0)
    old = await desk.had(connected(handoff="warm-old", at=1000.0, lead=lead_of("2025550123")))
    new = await desk.had(offering(handoff="warm-new", at=2000.0, lead=lead_of("2025550123", NUMBER)))
    await desk.service.outcome(old, "sold", "", DANA)
    view = await desk.service.show("2025550123")
    assert [one.id for one in view.handoffs] == [new, old] and view.qualifications == ("qual-1",)
    assert [one.agent_name for one in view.handoffs] == ["", "Ana"]
    assert [outcome.disposition_name for outcome in view.handoffs[1].outcomes] == ["Sold"]


async def test_given_an_outcome_then_it_is_written_down_and_others_hear_of_it(desk):
    id = await desk.had(connected(handoff="warm-abcdef", lead=lead_of("2025550123", NUMBER)))
    view = await desk.service.outcome("cdef", "callback", " wants a quote\r\nby Friday " + "x" * 9000, DANA)
    assert (view.handoff, view.disposition, view.disposition_name) == (id, "callback", "Call back")
    assert view.note.startswith("wants a quote by Friday") and len(view.note) == NOTE_LIMIT
    assert (view.by, view.source) == ("dana", "cli")
    assert desk.told == [(view, NUMBER)]
    only_note = await desk.service.outcome(id, "", "they called again", DANA)
    assert (only_note.disposition, only_note.disposition_name) == ("", "")
    assert [one.lead for one in desk.store.written] == [NUMBER, NUMBER]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("warm-abcdef", "won", ""), "invalid", 'no disposition "won"'),
        (("warm-abcdef", "", " \r\n"), "invalid", "neither a disposition nor a note was given"),
        (("warm-x\r\n", "sold", ""), "not_found", 'no handoff "warm-x"'),
        (("abc", "sold", ""), "not_found", 'no handoff "abc"'),
        (("warm", "sold", ""), "conflict", '"warm" fits 2 handoffs'),
    ],
)
async def test_given_an_outcome_that_will_not_do_then_refused_with_words(desk, arguments, kind, words):
    for id in ("warm-abcdef", "warm-abcxyz"):
        await desk.had(connected(handoff=id))
    error = await refused(desk.service.outcome(*arguments, DANA))
    assert (error.kind, error.message) == (kind, words)
    assert error.remedy and not desk.store.written


async def test_given_an_agents_digit_then_it_is_about_their_latest_talk(desk):
    await desk.had(connected(handoff="warm-first", at=1000.0))
    latest = await desk.had(connected(handoff="warm-second", at=3000.0))
    await desk.had(offering(handoff="warm-third", at=5000.0))
    view = await desk.service.outcome_of_agent("ana", "1", DANA)
    assert (view.handoff, view.disposition) == (latest, "sold")
    error = await refused(desk.service.outcome_of_agent("ana", "7\r\n", DANA))
    assert error.message == 'no disposition "7"'
    assert error.remedy == "configured dispositions: sold (1), callback (2)"
    error = await refused(desk.service.outcome_of_agent("ben", "1", DANA))
    assert (error.kind, error.message) == ("not_found", "ben has not talked to a lead yet")


async def test_given_no_dispositions_then_no_digit_does():
    service = LeadService(MemoryLeads(), MemoryJournal(), MemoryQualifications(), dispositions=(), region="")
    for asked in (
        service.outcome_of_agent("ana", "1", DANA),
        service.outcome_of_agent("ana", "", DANA),
        service.outcome("warm-1", "sold", "", DANA),
    ):
        assert (await refused(asked)).remedy == "configured dispositions: none"


async def test_given_a_disposition_by_its_digit_or_name_then_its_id_is_kept(desk):
    id = await desk.had(connected(handoff="warm-abcdef"))
    for word in ("2", "callback", " call BACK "):
        assert (await desk.service.outcome(id, word, "", DANA)).disposition == "callback"
