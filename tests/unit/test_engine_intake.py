"""A lead at the door: made into a request, or refused with what would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import AGENTS, policy
from staff_memory import store_of

from asterisk_warm.core.handoff.model import LOST, Qualifier, Refusal, ReturnPlace, Status
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.ports import LeadAtDoor

SALES = Team("sales", "Sales", AGENTS, policy())
LEAD = LeadAtDoor("ch-1", "Grant", "+15550100", {"WARM_LEAD_SUMMARY": "home insurance"})


def told(*teams: Team) -> Directory:
    """A directory whose store has these teams and their agents."""
    directory = Directory({team.id: team for team in teams})
    store = store_of(teams)
    directory.update(tuple(store.records.values()), tuple(store.team_records.values()))
    return directory


INTAKE = Intake(told(SALES))


def refused(team: Team, *options: str) -> Refused:
    with pytest.raises(Refused) as caught:
        INTAKE.request(LEAD, team, options, "dialplan")
    return caught.value


def test_given_a_team_and_options_then_the_request_has_all_that_the_handoff_needs():
    place = ReturnPlace("incoming", "s", 3)
    request = INTAKE.request(LEAD, SALES, ["ring=5"], "api", place)
    assert (request.team, request.team_name, request.agents) == ("sales", "Sales", AGENTS)
    assert (request.requested_by, request.return_to) == ("api", place)
    assert (request.lead.channel, request.lead.summary) == ("ch-1", "home insurance")
    assert request.policy.ring_seconds == 5.0
    assert request.handoff.startswith("warm-")


def test_given_a_teams_place_to_return_to_then_it_is_for_who_loses_their_own():
    place = ReturnPlace("sales-after", "s", 1)
    request = INTAKE.request(LEAD, replace(SALES, return_to=place), [], "dialplan")
    assert (request.return_to, request.lost_to) == (None, place)
    assert INTAKE.request(LEAD, SALES, [], "dialplan").lost_to == LOST


def test_given_two_requests_then_they_are_two_handoffs():
    one, two = (INTAKE.request(LEAD, SALES, [], "dialplan") for _ in range(2))
    assert one.handoff != two.handoff and one.event_id != two.event_id


def test_given_bad_options_then_invalid_with_every_problem():
    error = refused(SALES, "ring=soon", "loud")
    assert error.kind == "invalid"
    assert error.message == (
        'option "loud" is not of the form key=value; option ring=soon: must be a number of seconds'
    )
    assert "docs/dialplan.md" in error.remedy


def test_given_the_teams_then_what_is_said_to_every_lead_alike_is_known_beforehand():
    said = INTAKE.standing_lines()
    assert "Press 1 to accept, 2 to decline, 3 to repeat." in said
    assert "I am connecting you to Ana now." in said


def test_given_a_qualifier_then_the_mode_is_the_one_for_a_call_with_one():
    who = Qualifier("ch-2", "Quinn")
    request = INTAKE.request(LEAD, SALES, [], "api", None, who)
    assert (request.qualifier, request.policy.mode) == (who, Mode.STAY)
    assert INTAKE.request(LEAD, SALES, ["mode=consult"], "api", None, who).policy.mode is Mode.CONSULT


@pytest.mark.parametrize("mode", ["stay", "consult"])
def test_given_no_qualifier_then_no_mode_that_needs_one(mode):
    assert "needs a qualifier" in refused(SALES, f"mode={mode}").message


STRICT = replace(SALES, policy=policy(require=("consent", "qualified")))


@pytest.mark.parametrize(
    ("variables", "status", "why"),
    [
        ({}, "NOTQUALIFIED", "the lead is not qualified and the lead has not consented"),
        (
            {"WARM_LEAD_QUALIFIED": "no", "WARM_LEAD_CONSENT": "yes"},
            "NOTQUALIFIED",
            "the lead is not qualified",
        ),
        ({"WARM_LEAD_QUALIFIED": "1", "WARM_LEAD_CONSENT": "?"}, "NOCONSENT", "the lead has not consented"),
    ],
)
def test_given_what_must_hold_does_not_then_the_request_says_which_of_it(variables, status, why):
    request = INTAKE.request(replace(LEAD, variables=variables), STRICT, [], "api")
    assert request.refusal == Refusal(Status(status), why)


def test_given_what_must_hold_does_then_it_is_a_request():
    lead = replace(LEAD, variables={"WARM_LEAD_QUALIFIED": "Yes", "WARM_LEAD_CONSENT": "no"})
    request = INTAKE.request(lead, STRICT, ["consent=yes"], "api")
    assert (request.refusal, request.lead.details) == (None, ())


def test_given_a_team_that_requires_something_then_what_it_says_is_known_beforehand_all_the_same():
    assert Intake(told(STRICT)).standing_lines()
