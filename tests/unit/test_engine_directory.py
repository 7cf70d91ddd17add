"""Whom a lead can be handed to: teams, single agents, outside numbers that are allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import AGENTS, policy

from asterisk_warm.engine.directory import Destination, Directory, Outside, Team
from asterisk_warm.engine.errors import Refused

SALES = Team("sales", "Sales", AGENTS, policy(), number="700")
CARE = Team("care", "Care", AGENTS[:1], policy())
ANA, BEN, CY = AGENTS
OUTSIDE = Outside(("+1555*", "112"), "PJSIP/{number}@trunk")
ALL = Directory({"sales": SALES, "care": CARE}, (replace(ANA, number="201"), BEN), CARE, OUTSIDE)
TEAMS_ONLY = Directory({"sales": SALES, "care": CARE}, AGENTS)


def refused(directory: Directory, **wanted: str) -> Refused:
    with pytest.raises(Refused) as caught:
        directory.find(Destination(**wanted))
    return caught.value


def test_given_a_team_then_it_is_found_or_the_known_ones_are_told():
    assert ALL.find(Destination(team="sales")) is SALES
    assert ALL.teams == (SALES, CARE)
    error = refused(ALL, team="x" * 100)
    assert (error.kind, error.message) == ("not_found", f'no team "{"x" * 40}"')
    assert error.remedy == "configured teams: care, sales"
    assert refused(Directory({}), team="sales").remedy == "configured teams: none"


@pytest.mark.parametrize("name", ["ana", "Ana", "ANA"])
def test_given_an_agent_by_id_or_name_then_a_team_of_one_like_the_default(name):
    team = ALL.find(Destination(agent=name))
    assert (team.id, team.name, [agent.endpoint for agent in team.agents]) == ("ana", "Ana", ["PJSIP/ana"])
    assert team.policy is CARE.policy


def test_given_an_unknown_agent_then_the_known_ones_are_told():
    assert refused(ALL, agent="zed").remedy == "configured agents: ana, ben"
    assert refused(Directory({}), agent="zed").remedy == "configured agents: none"


def test_given_no_default_then_only_teams():
    assert refused(TEAMS_ONLY, agent="ana").message == "only teams can be handed a lead here"


@pytest.mark.parametrize("number", ["+15550123", "112"])
def test_given_a_number_that_is_allowed_then_it_is_dialled_as_configured(number):
    (agent,) = ALL.find(Destination(number=number)).agents
    assert (agent.endpoint, agent.number) == (f"PJSIP/{number}@trunk", number)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+16660123", "not_found"),
        ("1123", "not_found"),
        ("1", "invalid"),
        ("+", "invalid"),
        ("5" * 21, "invalid"),
        ("+1555&PJSIP/x", "invalid"),
        ("+1555${X}", "invalid"),
        ("+1555٣", "invalid"),
    ],
)
def test_given_a_number_that_is_not_allowed_or_none_at_all_then_refused(number, kind):
    assert refused(ALL, number=number).kind == kind
    assert ALL.dialled(number) is None


def test_given_no_outside_numbers_then_none_is_allowed():
    assert refused(TEAMS_ONLY, number="+15550123").kind == "not_found"


@pytest.mark.parametrize("wanted", [{}, {"team": "sales", "agent": "ana"}, {"agent": "ana", "number": "112"}])
def test_given_none_or_more_than_one_then_invalid(wanted):
    assert refused(ALL, **wanted).kind == "invalid"


@pytest.mark.parametrize(
    ("number", "found"),
    [("700", "sales"), ("sales", "sales"), ("care", "care"), ("201", "ana"), ("ben", "ben"), ("112", "112")],
)
def test_given_what_a_phone_dialled_then_whom_it_stands_for(number, found):
    team = ALL.dialled(number)
    assert team is not None and team.id == found


@pytest.mark.parametrize("number", ["", "701", "999"])
def test_given_what_stands_for_nobody_then_a_team_of_nobody_can_be_made_of_it(number):
    assert ALL.dialled(number) is None
    nobody = ALL.nobody(number)
    assert (nobody.id, nobody.agents) == (number, ())
