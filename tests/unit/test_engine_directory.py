"""Whom a lead can be handed to: teams, single agents, outside numbers that are allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from property.handoffs import AGENTS, policy

from asterisk_warm.core.handoff.model import Agent
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.engine.directory import Destination, Directory, Outside, Team
from asterisk_warm.engine.errors import Refused

SALES = Team("sales", "Sales", AGENTS, policy(), number="700")
CARE = Team("care", "Care", AGENTS[:1], policy())
ANA, BEN, CY = AGENTS
OUTSIDE = Outside(("+1555*", "112"), "PJSIP/{number}@trunk")
TEAMS = {"sales": SALES, "care": CARE}


def told(directory: Directory, agents: Sequence[AgentRecord]) -> Directory:
    """A directory that knows what the store has."""
    directory.update(agents, [TeamRecord(team.id, team.name, team.number) for team in TEAMS.values()])
    return directory


def record(agent: Agent, *teams: str, **more: Any) -> AgentRecord:
    members = tuple((team, 1) for team in teams)
    return AgentRecord(agent.id, agent.name, agent.endpoint, agent.number, members, **more)


TWO = [record(replace(ANA, number="201"), "care", "sales"), record(BEN, "sales")]
ALL = told(Directory(TEAMS, CARE, OUTSIDE), TWO)
TEAMS_ONLY = told(Directory(TEAMS), [record(agent, "sales") for agent in AGENTS])


def refused(directory: Directory, **wanted: str) -> Refused:
    with pytest.raises(Refused) as caught:
        directory.find(Destination(**wanted))
    return caught.value


def test_given_a_team_then_it_is_found_or_the_known_ones_are_told():
    sales = ALL.find(Destination(team="sales"))
    assert (sales.id, sales.name, sales.number, sales.policy) == ("sales", "Sales", "700", SALES.policy)
    assert [agent.id for agent in sales.agents] == ["ana", "ben"]
    assert [team.id for team in ALL.teams] == ["sales", "care"]
    error = refused(ALL, team="x" * 100)
    assert (error.kind, error.message) == ("not_found", f'no team "{"x" * 40}"')
    assert error.remedy == "configured teams: care, sales"
    assert refused(Directory({}), team="sales").remedy == "configured teams: none"


@pytest.mark.parametrize("name", ["ana", "Ana", "ANA"])
def test_given_an_agent_by_id_or_name_then_a_team_of_one_like_the_default(name):
    team = ALL.find(Destination(agent=name))
    assert (team.id, team.name, [agent.endpoint for agent in team.agents]) == ("ana", "Ana", ["PJSIP/ana"])
    assert team.policy == CARE.policy


def test_given_a_default_that_asks_for_skills_then_who_is_named_is_rung_all_the_same():
    asks = replace(CARE.policy, routing=Routing(Strategy.SKILLS, skills=(("spanish", 5),), wait_seconds=9.0))
    directory = told(Directory(TEAMS, replace(CARE, policy=asks)), TWO)
    assert directory.find(Destination(agent="ben")).policy.routing == Routing(Strategy.ALL, wait_seconds=9.0)
    assert directory.find(Destination(team="care")).policy == CARE.policy


def test_given_what_the_store_has_then_members_come_in_the_configured_order_and_then_the_others():
    zoe = Agent("zoe", "Zoe", "PJSIP/zoe")
    abe = Agent("abe", "Abe", "PJSIP/abe")
    skilled = record(zoe, "sales", skills=(("spanish", 7),))
    found = told(Directory(TEAMS), [record(abe, "sales"), skilled, *(record(a, "sales") for a in AGENTS)])
    sales = found.team("sales")
    assert [agent.id for agent in sales.agents] == ["ana", "ben", "cy", "abe", "zoe"]
    assert sales.agents[-1].skills == (("spanish", 7),)


def test_given_a_team_that_only_the_store_has_then_it_is_like_the_default():
    directory = Directory({"sales": SALES}, replace(CARE, id=""))
    directory.update([record(BEN, "night")], [TeamRecord("night", "Night shift", "710")])
    night = directory.team("night")
    assert (night.name, night.number, night.policy) == ("Night shift", "710", CARE.policy)
    assert directory.dialled("710") == night


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
