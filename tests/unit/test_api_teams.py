"""Teams over HTTP: who can be offered a lead now, why not, and how long the next lead would wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_stage import Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def test_given_the_teams_when_asked_for_then_it_is_told_who_is_free_and_why_not(stage: Stage) -> None:
    stage.devices.set("PJSIP/ben", "INUSE")
    ana = {"id": "ana", "name": "Ana", "free": True, "why": "", "tier": 1}
    sales = {
        "id": "sales",
        "name": "Sales",
        "ring": "all",
        "free": 2,
        "waiting": 0,
        "expected_wait": 0.0,
        "agents": [
            ana,
            {"id": "ben", "name": "Ben", "free": False, "why": "in a call", "tier": 1},
            {"id": "cy", "name": "Cy", "free": True, "why": "", "tier": 1},
        ],
    }
    vip = {**sales, "id": "vip", "name": "Very Important", "free": 1, "agents": [ana]}
    assert await stage.ask("GET", "/v1/teams") == (200, {"teams": [sales, vip]})
    assert await stage.ask("GET", "/v1/teams/sales") == (200, sales)


async def test_given_nobody_of_a_team_when_asked_for_then_no_end_of_the_wait_is_promised(
    stage: Stage,
) -> None:
    await stage.ask("POST", "/v1/agents/ana/offline")
    _, vip = await stage.ask("GET", "/v1/teams/vip")
    assert (vip["free"], vip["expected_wait"]) == (0, None)
    await stage.ask("POST", "/v1/agents/ana/pause", {"minutes": 5})
    _, vip = await stage.ask("GET", "/v1/teams/vip")
    assert vip["agents"][0]["why"] == "paused"
    assert 290 < vip["expected_wait"] <= 300


async def test_given_an_agent_of_a_second_tier_when_added_then_the_team_has_them(stage: Stage) -> None:
    body = {"name": "Dee Young", "endpoint": "PJSIP/dee", "teams": {"sales": 2}}
    assert (await stage.ask("PUT", "/v1/agents/dee", body))[0] == 201
    _, sales = await stage.ask("GET", "/v1/teams/sales")
    assert sales["agents"][-1] == {"id": "dee", "name": "Dee Young", "free": True, "why": "", "tier": 2}
    _, vip = await stage.ask("GET", "/v1/teams/vip")
    assert len(vip["agents"]) == 1


async def test_given_no_such_team_when_asked_for_then_404(stage: Stage) -> None:
    status, problem = await stage.ask("GET", "/v1/teams/sails")
    assert (status, problem["detail"]) == (404, 'no team "sails"')
    assert problem["remedy"] == "configured teams: sales, vip"
