"""A lead at the door: made into a request, or refused with what would do."""

from __future__ import annotations

import pytest
from property.handoffs import AGENTS, policy

from asterisk_warm.core.handoff.model import ReturnPlace
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.intake import Intake, Team
from asterisk_warm.engine.ports import LeadAtDoor

SALES = Team("sales", "Sales", AGENTS, policy())
LEAD = LeadAtDoor("ch-1", "Grant", "+15550100", {"WARM_LEAD_SUMMARY": "home insurance"})


def refused(intake: Intake, team: str, *options: str) -> Refused:
    with pytest.raises(Refused) as caught:
        intake.request(LEAD, team, options, "dialplan")
    return caught.value


def test_given_a_team_and_options_then_the_request_has_all_that_the_handoff_needs():
    place = ReturnPlace("incoming", "s", 3)
    request, ticket = Intake({"sales": SALES}).request(LEAD, "sales", ["ring=5", "ticket=t"], "api", place)
    assert ticket == "t"
    assert (request.team, request.team_name, request.agents) == ("sales", "Sales", AGENTS)
    assert (request.requested_by, request.return_to) == ("api", place)
    assert (request.lead.channel, request.lead.summary) == ("ch-1", "home insurance")
    assert request.policy.ring_seconds == 5.0
    assert request.handoff.startswith("warm-")


def test_given_two_requests_then_they_are_two_handoffs():
    intake = Intake({"sales": SALES})
    (one, _), (two, _) = (intake.request(LEAD, "sales", [], "dialplan") for _ in range(2))
    assert one.handoff != two.handoff and one.event_id != two.event_id


def test_given_an_unknown_team_then_the_known_ones_are_told_and_a_long_name_is_cut():
    error = refused(Intake({"sales": SALES, "care": SALES}), "x" * 100)
    assert (error.kind, error.message) == ("not_found", f'no team "{"x" * 40}"')
    assert error.remedy == "configured teams: care, sales"
    assert refused(Intake({}), "sales").remedy == "configured teams: none"


def test_given_bad_options_then_invalid_with_every_problem():
    error = refused(Intake({"sales": SALES}), "sales", "ring=soon", "loud")
    assert error.kind == "invalid"
    assert error.message == (
        'option "loud" is not of the form key=value; option ring=soon: must be a number of seconds'
    )
    assert "docs/dialplan.md" in error.remedy


def test_given_the_teams_then_what_is_said_to_every_lead_alike_is_known_beforehand():
    said = Intake({"sales": SALES}).standing_lines()
    assert "Press 1 to accept, 2 to decline, 3 to repeat." in said
    assert "I am connecting you to Ana now." in said
