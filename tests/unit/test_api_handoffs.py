"""What the API does, over a real socket."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_stage import LEAD, Stage, open_stage

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def listed(stage: Stage, query: str = "") -> list[Any]:
    status, answer = await stage.ask("GET", f"/v1/handoffs{query}")
    assert status == 200
    assert list(answer) == ["handoffs"]
    return list(answer["handoffs"])


async def test_given_a_daemon_when_asked_how_it_is_then_all_is_told(stage: Stage) -> None:
    stage.health = replace(stage.health, findings=("AMI is not connected: check host",))
    assert await stage.ask("GET", "/v1/health") == (
        200,
        {
            "version": "1.2.3",
            "asterisk": "22.10.1",
            "ari_connected": True,
            "ami_connected": True,
            "open_handoffs": 0,
            "findings": ["AMI is not connected: check host"],
            "starting": "",
        },
    )


async def test_given_a_lead_in_the_dialplan_when_started_then_it_is_a_handoff(stage: Stage) -> None:
    stage.lead_waits()
    body = {
        "channel": LEAD,
        "team": "sales",
        "mode": "blind",
        "name": "Grant Weatherly",
        "number": "+15550100",
        "summary": "home insurance",
        "details": {"plan": "Gold", "Renews": "in 3 weeks"},
        "return_to": {"context": "menu", "extension": "s", "priority": 7},
    }
    status, view, response = await stage.ask_raw("POST", "/v1/handoffs", json=body)
    assert status == 201
    assert response.headers["Location"] == f"/v1/handoffs/{view['id']}"
    assert (view["team"], view["team_name"], view["mode"]) == ("sales", "Sales", "blind")
    assert view["lead"] == {
        "name": "Grant Weatherly",
        "number": "+15550100",
        "summary": "home insurance",
        "channel": LEAD,
        "details": {"plan": "Gold", "renews": "in 3 weeks"},
        "language": "",
        "score": None,
        "verdict": "",
        "qualification": "",
        "more": "",
    }
    assert view["requested_by"] == f"api ({ME})"
    assert view["agent"] is None and view["settled"] is False

    await stage.pbx.ordered("ring")
    await stage.ask("DELETE", f"/v1/handoffs/{view['id']}")
    await stage.pbx.ordered("return")
    assert [(to.context, to.extension, to.priority) for to in stage.world.sent_on if to] == [("menu", "s", 7)]


async def test_given_only_what_must_be_when_started_then_nulls_are_as_if_left_out(stage: Stage) -> None:
    stage.lead_waits()
    body = {"channel": LEAD, "team": "sales", **dict.fromkeys(["mode", "name", "details", "return_to"])}
    status, view = await stage.ask("POST", "/v1/handoffs", body)
    assert (status, view["mode"], view["lead"]["details"]) == (201, "auto", {})


async def test_given_how_the_lead_waits_when_started_then_routing_heeds_it(stage: Stage) -> None:
    stage.lead_waits()
    asked = {"wait": 30, "priority": 7, "skills": {"spanish": 5}}
    status, view = await stage.ask("POST", "/v1/handoffs", {"channel": LEAD, "team": "sales", **asked})
    assert status == 201
    mailbox = stage.service._open.find(view["id"])
    assert mailbox is not None and mailbox.handoff is not None
    policy = mailbox.handoff.policy
    assert (policy.routing.wait_seconds, policy.priority) == (30.0, 7)
    assert policy.routing.skills == (("spanish", 5),)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"wait": -1}, "#/wait"),
        ({"wait": "soon"}, "#/wait"),
        ({"priority": 10}, "#/priority"),
        ({"skills": ["spanish"]}, "#/skills"),
        ({"skills": {"spanish": 11}}, "#/skills/spanish"),
        ({"skills": {"Sp an": 1}}, "#/skills/Sp an"),
    ],
)
async def test_given_a_wish_that_cannot_be_heeded_then_the_place_is_named(
    stage: Stage, asked: dict[str, object], pointer: str
) -> None:
    status, problem = await stage.ask("POST", "/v1/handoffs", {"channel": LEAD, "team": "sales", **asked})
    assert status == 422
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_given_an_open_handoff_then_it_is_listed_shown_and_told(stage: Stage) -> None:
    handoff = await stage.lead_is_offered(name="Grant")
    assert [h["id"] for h in await listed(stage)] == [handoff]
    status, view = await stage.ask("GET", f"/v1/handoffs/{handoff}")
    assert (status, view["state"], len(view["offers"])) == (200, "OFFERING", 3)
    assert await stage.ask("GET", f"/v1/handoffs/{handoff[-6:]}") == (200, view)

    status, answer = await stage.ask("GET", f"/v1/handoffs/{handoff}/story")
    assert status == 200
    first = answer["story"][0]
    assert set(first) == {"at", "offset", "who", "text"}
    assert first["offset"] == 0.0

    status, answer = await stage.ask("GET", f"/v1/handoffs/{handoff}/journal")
    assert status == 200
    assert set(answer["journal"][0]) == {"seq", "at", "event", "detail", "state", "commands"}
    assert [line["event"] for line in answer["journal"]][:2] == ["HandoffRequested", "LeadSecured"]


async def test_given_an_open_handoff_when_cancelled_then_it_is_and_the_journal_has_who(stage: Stage) -> None:
    handoff = await stage.lead_is_offered()
    status, view = await stage.ask("DELETE", f"/v1/handoffs/{handoff}")
    assert (status, view["id"], view["status"]) == (200, handoff, "CANCELLED")
    _, answer = await stage.ask("GET", f"/v1/handoffs/{handoff}/story")
    assert f"cancelled by api ({ME})" in [line["text"] for line in answer["story"]]
    await stage.pbx.ordered("close")
    assert [h["id"] for h in await listed(stage, "?state=all&limit=1000")] == [handoff]


async def test_given_two_handoffs_when_listed_then_the_newest_is_first_up_to_the_limit(stage: Stage) -> None:
    first = await stage.lead_is_offered()
    await stage.ask("DELETE", f"/v1/handoffs/{first}")
    await stage.pbx.ordered("close")
    second = await stage.lead_is_offered()
    assert [h["id"] for h in await listed(stage, "?state=all")] == [second, first]
    assert [h["id"] for h in await listed(stage, "?state=all&limit=1")] == [second]


# -- refusals ------------------------------------------------------------------------------------------------


async def refused(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    """(status, detail, remedy) of a problem that is as it should be."""
    status, problem = await stage.ask(method, path, body)
    assert list(problem)[:5] == ["type", "title", "status", "detail", "remedy"]
    assert problem["status"] == status
    assert re.fullmatch(r"urn:asterisk-warm:problem:[a-z_]+", problem["type"])
    assert problem["title"] and problem["detail"] and problem["remedy"]
    return status, problem["detail"], problem["remedy"]


START = {"channel": LEAD, "team": "sales"}


async def test_given_no_such_handoff_when_asked_for_then_404(stage: Stage) -> None:
    for method, path in (
        ("GET", "/v1/handoffs/warm-1"),
        ("DELETE", "/v1/handoffs/warm-1"),
        ("GET", "/v1/handoffs/warm-1/story"),
        ("GET", "/v1/handoffs/warm-1/journal"),
    ):
        status, detail, _ = await refused(stage, method, path)
        assert (status, detail) == (404, 'no handoff "warm-1"')


async def test_given_no_such_team_or_channel_when_started_then_404(stage: Stage) -> None:
    assert await refused(stage, "POST", "/v1/handoffs", {**START, "team": "sails"}) == (
        404,
        'no team "sails"',
        "configured teams: sales, vip",
    )
    status, detail, _ = await refused(stage, "POST", "/v1/handoffs", START)
    assert (status, detail) == (404, f'no channel "{LEAD}" in Asterisk')


async def test_given_a_lead_in_a_handoff_when_started_again_then_409(stage: Stage) -> None:
    handoff = await stage.lead_is_offered()
    status, detail, _ = await refused(stage, "POST", "/v1/handoffs", START)
    assert (status, detail) == (409, f"this call is in handoff {handoff} already")


async def test_given_a_lead_who_talks_when_started_then_409(stage: Stage) -> None:
    stage.lead_waits()
    stage.world.legs[LEAD].talks_to = "somebody"
    assert (await refused(stage, "POST", "/v1/handoffs", START))[0] == 409


async def test_given_an_agent_who_accepted_when_cancelled_then_409(stage: Stage) -> None:
    handoff = await stage.lead_is_offered()
    await stage.agent_takes_it()
    status, detail, _ = await refused(stage, "DELETE", f"/v1/handoffs/{handoff}")
    assert (status, detail) == (409, f"in {handoff} an agent has accepted already")


async def test_given_a_handoff_that_ended_when_cancelled_then_409(stage: Stage) -> None:
    handoff = await stage.lead_is_offered()
    await stage.ask("DELETE", f"/v1/handoffs/{handoff}")
    assert (await refused(stage, "DELETE", f"/v1/handoffs/{handoff}"))[0] == 409


async def test_given_no_connection_to_asterisk_when_started_then_503(stage: Stage) -> None:
    stage.lead_waits()
    stage.pbx.connected = False
    status, problem = await stage.ask("POST", "/v1/handoffs", START)
    assert (status, problem["type"]) == (503, "urn:asterisk-warm:problem:unreachable")
    assert "no connection" in problem["detail"]
