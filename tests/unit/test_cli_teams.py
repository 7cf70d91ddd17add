"""The commands for teams: who can be offered a lead, who waits, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_stage import Stage, open_stage
from cli_runs import Run, run


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def team(stage: Stage, *arguments: str | bytes) -> Run:
    return await run("team", *arguments, "--socket", stage.socket)


async def test_given_teams_when_listed_then_it_is_shown_who_is_free_and_how_long_leads_wait(
    stage: Stage,
) -> None:
    await stage.ask("POST", "/v1/agents/ana/pause", {"minutes": 5})
    assert (await team(stage, "list")).lines == [
        "team   name            free    waiting  wait   who is free",
        "sales  Sales           2 of 3        0  none   Ben, Cy",
        "vip    Very Important  0 of 1        0  4 min  -",
    ]
    await stage.ask("POST", "/v1/agents/ana/offline")
    assert (await team(stage, "list")).lines[2] == "vip    Very Important  0 of 1        0  unknown  -"


async def test_given_a_team_when_shown_then_it_is_told_who_is_free_and_why_not(stage: Stage) -> None:
    stage.devices.set("PJSIP/ana", "INUSE")
    await stage.ask("PUT", "/v1/agents/dee", {"name": "Dee", "endpoint": "PJSIP/dee", "teams": {"sales": 2}})
    assert (await team(stage, "show", "sales")).lines == [
        "Sales (sales): 3 of 4 free, no leads wait",
        "Leads are offered by `ring: all`; the next would wait: none",
        "",
        "agent  name  tier  now",
        "ana    Ana      1  in a call",
        "ben    Ben      1  free",
        "cy     Cy       1  free",
        "dee    Dee      2  free",
    ]


async def test_given_json_when_asked_for_teams_then_it_is_what_the_api_answers(stage: Stage) -> None:
    for arguments, path in ((("list",), "/v1/teams"), (("show", "vip"), "/v1/teams/vip")):
        assert (await team(stage, *arguments, "--json")).json == (await stage.ask("GET", path))[1]


@pytest.mark.parametrize("id", ["sails", "../../health", "%", "ü\n", "\x1b[31m", "w" * 9000, b"\xff"])
async def test_given_no_such_team_when_shown_then_3(stage: Stage, id: str | bytes) -> None:
    what, remedy = (await team(stage, "show", id)).told(3)
    assert what in (
        'asterisk-warm: no team "sails"',
        "asterisk-warm: that is not the id of a team",
    )
    assert remedy in ("configured teams: sales, vip", "see `asterisk-warm team list`")


async def test_given_no_id_when_a_team_is_shown_then_2(stage: Stage) -> None:
    assert (await team(stage, "show")).told(2)[0] == "asterisk-warm: Missing argument 'ID'."
