"""A lead at the door: made into a request, or refused with what would do."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from lead_memory import HOME, lead_of, script_of, stores, written
from property.handoffs import AGENTS, TEMPLATES, policy
from property.history import connected
from property.model_engine import MemoryJournal
from staff_memory import store_of

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.model import LOST, Qualifier, Refusal, ReturnPlace, Said, Status
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.leads import Consent, LeadRecord, Purpose
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.answers import Given, Qualification
from asterisk_warm.core.script.model import Channel, Verdict
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.leads.known import KnownLeads
from asterisk_warm.engine.ports.calls import LeadAtDoor
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.service import QualificationService

SALES = Team("sales", "Sales", AGENTS, policy())
LEAD = LeadAtDoor("ch-1", "Grant", "+15550100", {"WARM_LEAD_SUMMARY": "home insurance"})


def told(*teams: Team) -> Directory:
    """A directory whose store has these teams and their agents."""
    directory = Directory({team.id: team for team in teams})
    store = store_of(teams)
    directory.update(tuple(store.records.values()), tuple(store.team_records.values()))
    return directory


class Desk:
    """An intake, and what it knows of leads."""

    def __init__(self, *teams: Team) -> None:
        self.leads, self.versions, self.kept = stores()
        self.journal = MemoryJournal()
        self.scripts = ScriptService(self.versions, script_of)
        known = KnownLeads(self.leads, self.kept, self.scripts, self.journal, (), "US")
        self.intake = Intake(told(*teams), known)

    async def request(self, team: Team = SALES, *options: str, **lead: Any) -> HandoffRequested:
        return await self.intake.request(replace(LEAD, **lead), team, options, "dialplan")


INTAKE = Desk(SALES).intake


def refused(team: Team, *options: str) -> Refused:
    with pytest.raises(Refused) as caught:
        INTAKE.read(LEAD, team, options, "dialplan")
    return caught.value


async def test_given_a_team_and_options_then_the_request_has_all_that_the_handoff_needs():
    place = ReturnPlace("incoming", "s", 3)
    request = await INTAKE.request(LEAD, SALES, ["ring=5"], "api", place)
    assert (request.team, request.team_name, request.agents) == ("sales", "Sales", AGENTS)
    assert (request.requested_by, request.return_to) == ("api", place)
    assert (request.lead.channel, request.lead.summary) == ("ch-1", "home insurance")
    assert request.policy.ring_seconds == 5.0
    assert request.handoff.startswith("warm-")


async def test_given_a_teams_place_to_return_to_then_it_is_for_who_loses_their_own():
    place = ReturnPlace("sales-after", "s", 1)
    request = await INTAKE.request(LEAD, replace(SALES, return_to=place), [], "dialplan")
    assert (request.return_to, request.lost_to) == (None, place)
    assert (await INTAKE.request(LEAD, SALES, [], "dialplan")).lost_to == LOST


async def test_given_two_requests_then_they_are_two_handoffs():
    one, two = [await INTAKE.request(LEAD, SALES, [], "dialplan") for _ in range(2)]
    assert one.handoff != two.handoff and one.event_id != two.event_id


def test_given_bad_options_then_invalid_with_every_problem():
    error = refused(SALES, "ring=soon", "loud")
    assert error.kind == "invalid"
    assert error.message == (
        'option "loud" is not of the form key=value; option ring=soon: must be a number of seconds'
    )
    assert "docs/dialplan.md" in error.remedy


def test_given_the_teams_then_what_is_said_to_every_lead_alike_is_known_beforehand():
    said = [line.text for line in INTAKE.standing_lines()]
    assert "Press 1 to accept, 2 to decline, 3 to repeat." in said
    assert "I am connecting you to Ana now." in said


def test_given_a_team_with_translations_then_what_is_said_in_them_is_known_beforehand_too():
    spanish = replace(TEMPLATES, introduction="Le comunico con {agent}.")
    team = replace(SALES, policy=policy(translations=(("es", spanish),)))
    said = {(line.text, line.language) for line in Desk(team).intake.standing_lines()}
    assert {("Le comunico con Ana.", "es"), ("I am connecting you to Ana now.", "")} <= said


async def test_given_a_qualifier_then_the_mode_is_the_one_for_a_call_with_one():
    who = Qualifier("ch-2", "Quinn")
    request = await INTAKE.request(LEAD, SALES, [], "api", None, who)
    assert (request.qualifier, request.policy.mode) == (who, Mode.STAY)
    request = await INTAKE.request(LEAD, SALES, ["mode=consult"], "api", None, who)
    assert request.policy.mode is Mode.CONSULT


@pytest.mark.parametrize("mode", ["stay", "consult"])
def test_given_no_qualifier_then_no_mode_that_needs_one(mode):
    assert "needs a qualifier" in refused(SALES, f"mode={mode}").message


STRICT = replace(SALES, policy=policy(require=("consent.call", "ready")))
NEITHER = "the lead was never asked and no consent to be called is recorded"


@pytest.mark.parametrize(
    ("variables", "status", "why"),
    [
        ({}, "NOTQUALIFIED", NEITHER),
        (
            {"WARM_LEAD_QUALIFIED": "no", "WARM_LEAD_CONSENT": "yes"},
            "NOTQUALIFIED",
            "the lead is not qualified",
        ),
        (
            {"WARM_LEAD_QUALIFIED": "1", "WARM_LEAD_CONSENT": "?"},
            "NOCONSENT",
            "the lead does not consent to be called",
        ),
    ],
)
async def test_given_what_must_hold_does_not_then_the_request_says_which_of_it(variables, status, why):
    request = await Desk(STRICT).request(STRICT, variables=variables)
    assert request.refusal == Refusal(Status(status), why)


async def test_given_what_must_hold_is_said_to_then_it_is_a_request():
    variables = {"WARM_LEAD_QUALIFIED": "Yes", "WARM_LEAD_CONSENT": "no"}
    request = await Desk(STRICT).request(STRICT, "consent=yes", variables=variables)
    assert (request.refusal, request.lead.details) == (None, ())
    assert request.said == (Said("qualified", True, "WARM_LEAD_QUALIFIED"), Said("consent", True))


def test_given_a_team_that_requires_something_then_what_it_says_is_known_beforehand_all_the_same():
    assert Desk(STRICT).intake.standing_lines()


# -- what is known of the lead -------------------------------------------------------------------------------

NUMBER = "+12025550123"
CONSENT = Consent(Purpose.CALL, True, "web form", "", 1.0, "")


async def test_given_a_lead_who_is_known_then_the_request_carries_them_as_known():
    desk = Desk(STRICT)
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, "Grant Weatherly", "es", consents=(CONSENT,))
    given = Given(80.0, Verdict.READY, "hot", "wants a loan", "api (crm)")
    now = time.time()
    desk.kept.kept["qual-1"] = Qualification(
        "qual-1", "dialler", 0, NUMBER, "", now, now, ended_at=now, given=given
    )
    request = await desk.request(STRICT, shown_number="(202) 555-0123", variables={})
    lead = request.lead
    assert (lead.key, lead.number, lead.name, lead.named) == (
        NUMBER,
        "(202) 555-0123",
        "Grant Weatherly",
        True,
    )
    assert (lead.language, lead.summary, lead.score, lead.verdict) == ("es", "wants a loan", 80.0, "ready")
    assert (lead.qualification, request.refusal) == ("qual-1", None)
    high = replace(STRICT, policy=policy(least_score=90.0))
    told = (await desk.request(high, shown_number=NUMBER, variables={})).refusal
    assert told == Refusal(Status.NOTQUALIFIED, "the lead's score is 80, and 90 is the least (dialler)")
    told = (await desk.request(STRICT, "qualified=no", shown_number=NUMBER)).refusal
    assert told == Refusal(Status.NOTQUALIFIED, "the lead is not qualified")


async def test_given_a_slow_store_then_only_who_would_be_refused_waits_longer(monkeypatch):
    monkeypatch.setattr("asterisk_warm.engine.leads.known.KNOWN_SECONDS", 0.02)
    monkeypatch.setattr("asterisk_warm.engine.leads.known.NEEDED_SECONDS", 60.0)
    desk = Desk(STRICT)
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, "Grant Weatherly", consents=(CONSENT,))

    async def slow(_: str) -> None:
        await asyncio.sleep(0.1)

    desk.leads.meanwhile = slow
    known = await desk.request(STRICT, "qualified=yes", shown_number=NUMBER)
    assert (known.lead.name, known.refusal) == ("Grant Weatherly", None)
    told = await desk.request(STRICT, "qualified=yes", "consent=yes", shown_number=NUMBER)
    assert (told.lead.name, told.refusal) == ("Grant", None), "all that must hold was told"


async def test_given_a_team_with_a_script_then_the_reason_of_its_verdict_is_told():
    desk = Desk(SALES)
    by = By("dana", "cli")
    await desk.scripts.publish(HOME, by)
    asking = QualificationService(desk.kept, desk.scripts, desk.leads, region="US", zone=UTC)
    view = await asking.begin("home", NUMBER, by=by, channel=Channel.VOICE)
    await asking.answer(view.id, "no", channel=Channel.VOICE, by=by)
    team = replace(SALES, policy=policy(require=("ready",), script="home"))
    request = await desk.request(team, shown_number=NUMBER)
    assert request.refusal == Refusal(
        Status.NOTQUALIFIED, "the lead is not qualified: does not own a home (home, version 1)"
    )
    assert request.lead.verdict == "disqualified"
    other = await desk.request(replace(team, policy=replace(team.policy, script="cars")), shown_number=NUMBER)
    assert other.refusal == Refusal(Status.NOTQUALIFIED, "the lead was never asked (cars)")


async def test_given_something_stored_that_cannot_be_read_any_more_then_the_lead_is_taken_as_told():
    desk = Desk(STRICT)
    id = await written(desk.journal, connected(handoff="warm-old", lead=lead_of(NUMBER, NUMBER)))
    (*_, last) = entries = desk.journal.kept[id].entries
    entries[-1] = replace(last, snapshot_json=b'{"id": 7}')
    request = await desk.request(SALES, shown_number=NUMBER)
    assert (request.lead.name, request.refusal) == ("Grant", None)
    strict = await desk.request(STRICT, shown_number=NUMBER)
    assert strict.refusal == Refusal(Status.NOTQUALIFIED, "what is known of the lead could not be read")
