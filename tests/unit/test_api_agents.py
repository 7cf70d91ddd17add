"""Agents over HTTP: who can be offered a lead, what is declared for them, and who they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_stage import SECONDS, Stage, open_stage

from asterisk_warm.core.presence import Busy, Calendar
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.service import PAUSE_AT_MOST

DEE: dict[str, Any] = {
    "name": "Dee Young",
    "endpoint": "PJSIP/dee",
    "number": "204",
    "teams": {"vip": 1, "sales": 2},
    "skills": {"spanish": 7},
    "at_once": 2,
    "hints": ["Custom:desk", "204@from-internal"],
    "dnd": "Custom:DND204",
    "timezone": "Europe/Berlin",
    "shifts": ["daily 00:00-24:00"],
    "calendar": "work",
    "language": "es",
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def got(stage: Stage, agent: str = "ana") -> Any:
    status, view = await stage.ask("GET", f"/v1/agents/{agent}")
    assert status == 200, view
    return view


async def done(stage: Stage, what: str, body: object = None) -> Any:
    status, view = await stage.ask("POST", f"/v1/agents/{what}", body)
    assert status == 200, view
    return view


async def refused(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    status, problem = await stage.ask(method, path, body)
    assert problem["status"] == status
    return status, problem["detail"], problem["remedy"]


def codes(view: Any) -> list[str]:
    return [why["code"] for why in view["why"]]


# -- seeing --------------------------------------------------------------------------------------------------


async def test_given_agents_when_listed_then_each_is_told_with_every_reason(stage: Stage) -> None:
    stage.devices.set("PJSIP/ben", "UNAVAILABLE")
    await done(stage, "ben/pause", {"reason": "lunch"})
    status, answer = await stage.ask("GET", "/v1/agents")
    assert status == 200
    assert [agent["id"] for agent in answer["agents"]] == ["ana", "ben", "cy"]
    ana, ben, _ = answer["agents"]
    assert (ana["free"], ana["why"], ana["teams"]) == (True, [], {"sales": 1, "vip": 1})
    assert (ben["free"], ben["device"]) == (False, "UNAVAILABLE")
    assert ben["why"] == [
        {"code": "paused", "words": "paused: lunch", "until": None},
        {"code": "unreachable", "words": "phone not registered", "until": None},
    ]


@pytest.mark.parametrize("name", ["ana", "Ana", "ANA"])
async def test_given_an_agent_when_asked_for_by_id_or_name_then_it_is_them(stage: Stage, name: str) -> None:
    assert (await got(stage, name))["id"] == "ana"


async def test_given_a_name_with_marks_when_asked_for_then_it_is_them(stage: Stage) -> None:
    body = {"name": "Dee O'Neil-Müller 50% (night/day)", "endpoint": "PJSIP/dee"}
    assert (await stage.ask("PUT", "/v1/agents/dee", body))[0] == 201
    path = "Dee%20O'Neil-M%C3%BCller%2050%25%20(night%2Fday)"
    assert (await got(stage, path))["id"] == "dee"
    assert codes(await done(stage, f"{path}/pause")) == ["paused"]


async def test_given_a_calendar_and_do_not_disturb_when_shown_then_both_are_told(stage: Stage) -> None:
    await stage.ask("PUT", "/v1/agents/dee", DEE)
    now = time.time()
    stage.calendars.set("dee", Calendar((Busy(now - 60, now + 600, "review"),), now - 30, 900))
    stage.devices.set("Custom:DND204", "INUSE")
    view = await got(stage, "dee")
    assert codes(view) == ["dnd", "calendar"]
    calendar = view["calendar"]
    assert (calendar["name"], calendar["stale"], calendar["busy_until"]) == ("work", False, now + 600)


async def test_given_a_version_when_waited_for_then_the_answer_comes_with_the_change(stage: Stage) -> None:
    _, first = await stage.ask("GET", "/v1/agents")
    path = f"/v1/agents?after={first['version']}&wait=30"
    waiting = asyncio.create_task(stage.ask("GET", path))
    done_, _ = await asyncio.wait((waiting,), timeout=0.2)
    assert not done_, "nothing has changed yet"
    stage.devices.set("PJSIP/cy", "RINGING")
    status, second = await asyncio.wait_for(waiting, SECONDS)
    assert (status, second["agents"][2]["why"][0]["words"]) == (200, "being rung")
    assert second["version"] > first["version"]


async def test_given_nothing_new_when_waited_for_then_the_same_comes_when_the_time_is_over(
    stage: Stage,
) -> None:
    _, first = await stage.ask("GET", "/v1/agents")
    began = time.monotonic()
    _, second = await stage.ask("GET", f"/v1/agents?after={first['version']}&wait=0.3")
    assert time.monotonic() - began >= 0.29
    assert second["version"] == first["version"]


async def test_given_somebody_who_waits_when_the_daemon_stops_then_they_are_answered_at_once(
    stage: Stage,
) -> None:
    _, first = await stage.ask("GET", "/v1/agents")
    waiting = asyncio.create_task(stage.ask("GET", f"/v1/agents?after={first['version']}&wait=60"))
    await asyncio.wait((waiting,), timeout=0.2)
    began = time.monotonic()
    await stage.api.stop()
    status, answer = await asyncio.wait_for(waiting, SECONDS)
    assert (status, answer["version"]) == (200, first["version"])
    assert time.monotonic() - began < 1.5


async def test_given_no_such_agent_when_asked_for_then_404_tells_where_to_look(stage: Stage) -> None:
    for method, path in (
        ("GET", "/v1/agents/anna"),
        ("DELETE", "/v1/agents/anna"),
        ("GET", "/v1/agents/anna/history"),
        ("POST", "/v1/agents/anna/ready"),
        ("POST", "/v1/agents/anna/pause"),
        ("POST", "/v1/agents/anna/offline"),
    ):
        told = await refused(stage, method, path)
        assert told == (404, 'no agent "anna"', "see `asterisk-warm agent list`"), path
    assert (await refused(stage, "POST", "/v1/agents/anna/wrapup", {"seconds": 0}))[0] == 404


# -- declaring -----------------------------------------------------------------------------------------------


async def test_given_a_pause_with_an_end_when_declared_then_it_is_told_until_when(stage: Stage) -> None:
    until = time.time() + 1800
    view = await done(stage, "ana/pause", {"reason": "lunch", "until": until})
    assert (view["declared"], view["reason"], view["until"]) == ("paused", "lunch", until)
    assert view["why"] == [{"code": "paused", "words": "paused: lunch", "until": until}]
    view = await done(stage, "ana/pause", {"minutes": 10})
    assert 590 < view["until"] - time.time() <= 600
    assert view["reason"] == ""


async def test_given_a_hostile_reason_when_paused_then_it_is_one_line_and_cut(stage: Stage) -> None:
    view = await done(stage, "ana/pause", {"reason": "a\r\nb\x1b[31m " + "x" * 5000})
    assert view["reason"].startswith("a b [31m xxx")
    assert view["reason"].isprintable() and len(view["reason"]) == 80


async def test_given_a_pause_when_it_ends_then_the_agent_is_free_again_and_whoever_waits_is_told(
    stage: Stage,
) -> None:
    await done(stage, "ana/pause", {"until": time.time() + 0.4})
    _, first = await stage.ask("GET", "/v1/agents")
    assert not first["agents"][0]["free"]
    version = first["version"]
    async with asyncio.timeout(SECONDS):
        while True:
            _, answer = await stage.ask("GET", f"/v1/agents?after={version}&wait=10")
            version = answer["version"]
            if answer["agents"][0]["free"]:
                break


async def test_given_offline_and_ready_when_declared_then_the_history_tells_who_and_from_where(
    stage: Stage,
) -> None:
    assert codes(await done(stage, "ana/offline", {"reason": "gone home"})) == ["offline"]
    status, view, _ = await stage.ask_raw("POST", "/v1/agents/ana/ready", headers={"Warm-Source": "cli"})
    assert (status, view["free"]) == (200, True)
    status, answer = await stage.ask("GET", "/v1/agents/ana/history")
    assert status == 200
    lines = [(line["what"], line["reason"], line["source"]) for line in answer["history"]]
    assert lines == [("ready", "", "cli"), ("offline", "gone home", "api"), ("added", "", "daemon")]
    assert {line["by"] for line in answer["history"][:2]} == {view["by"]}
    assert view["by"] and "(" not in view["by"]
    assert len((await stage.ask("GET", "/v1/agents/ana/history?limit=1"))[1]["history"]) == 1


async def test_given_a_wrap_up_when_extended_and_ended_then_it_is(stage: Stage) -> None:
    view = await done(stage, "ana/wrapup", {"seconds": 120})
    assert codes(view) == ["wrapup"]
    assert 115 < view["wrapup_until"] - time.time() <= 120
    view = await done(stage, "ana/wrapup", {"seconds": 0})
    assert (view["free"], view["wrapup_until"]) == (True, None)


# -- who they are --------------------------------------------------------------------------------------------


async def test_given_a_new_agent_when_put_then_everything_is_kept(stage: Stage) -> None:
    status, view, response = await stage.ask_raw("PUT", "/v1/agents/dee", json=DEE)
    assert (status, response.headers["Location"]) == (201, "/v1/agents/dee")
    assert view["free"] and view["teams"] == {"sales": 2, "vip": 1}
    assert (await stage.records())["dee"] == AgentRecord(
        "dee",
        "Dee Young",
        "PJSIP/dee",
        "204",
        (("sales", 2), ("vip", 1)),
        (("spanish", 7),),
        2,
        ("Custom:desk", "204@from-internal"),
        "Custom:DND204",
        "Europe/Berlin",
        ("daily 00:00-24:00",),
        "work",
        "es",
    )
    assert set(stage.devices.watched) >= {"PJSIP/dee", "Custom:desk", "204@from-internal", "Custom:DND204"}
    assert stage.calendars.watched == {"dee": ("work", "Europe/Berlin")}


async def test_given_an_agent_when_put_again_then_they_are_replaced_and_stay_as_they_were_declared(
    stage: Stage,
) -> None:
    await stage.ask("PUT", "/v1/agents/dee", DEE)
    await done(stage, "dee/pause", {"reason": "lunch"})
    short = {"id": "dee", "name": "Dee", "endpoint": "PJSIP/dee", "number": None, "dnd": ""}
    status, view = await stage.ask("PUT", "/v1/agents/dee", short)
    assert (status, view["name"], view["teams"], view["reason"]) == (200, "Dee", {}, "lunch")
    assert (await stage.records())["dee"] == AgentRecord("dee", "Dee", "PJSIP/dee")


async def test_given_an_agent_when_put_only_as_a_new_one_then_409_and_nothing_is_changed(
    stage: Stage,
) -> None:
    before = (await stage.records())["ana"]
    body = {"name": "Other", "endpoint": "PJSIP/other"}
    status, problem, _ = await stage.ask_raw(
        "PUT", "/v1/agents/ana", json=body, headers={"If-None-Match": "*"}
    )
    assert (status, problem["detail"]) == (409, "there is an agent ana already")
    assert (await stage.records())["ana"] == before


@pytest.mark.parametrize(
    ("changes", "pointer", "remedy"),
    [
        ({"teams": {"slaes": 1}}, "#/teams/slaes", 'did you mean "sales"?'),
        ({"endpoint": "PJSIP/ana"}, "#/endpoint", "give each agent a phone of their own"),
        ({"endpoint": "pjsip/ANA"}, "#/endpoint", 'did you mean "PJSIP/ANA"?'),
        ({"endpoint": "PJSIP/ANA"}, "#/endpoint", "give each agent a phone of their own"),
        ({"number": "201"}, "#/number", "give a number that is free"),
        ({"id": "other"}, "#/id", "leave it out"),
    ],
)
async def test_given_what_does_not_go_together_when_put_then_it_is_pointed_at(
    stage: Stage, changes: dict[str, Any], pointer: str, remedy: str
) -> None:
    taken = {"name": "Eve", "endpoint": "PJSIP/eve", "number": "201"}
    assert (await stage.ask("PUT", "/v1/agents/eve", taken))[0] == 201
    status, problem = await stage.ask("PUT", "/v1/agents/dee", {**DEE, **changes})
    assert status == 422
    assert [(error["pointer"], error["remedy"]) for error in problem["errors"]] == [(pointer, remedy)]
    assert "dee" not in await stage.records()


async def test_given_an_agent_when_removed_then_they_are_gone_and_the_answer_tells_who_it_was(
    stage: Stage,
) -> None:
    status, view = await stage.ask("DELETE", "/v1/agents/Cy")
    assert (status, view["id"]) == (200, "cy")
    assert (await stage.ask("GET", "/v1/agents/cy"))[0] == 404
    _, answer = await stage.ask("GET", "/v1/agents")
    assert [agent["id"] for agent in answer["agents"]] == ["ana", "ben"]


async def test_given_an_agent_who_is_offered_a_lead_when_removed_then_409_and_they_stay(stage: Stage) -> None:
    id = await stage.lead_is_offered()
    async with asyncio.timeout(SECONDS):
        while (view := await got(stage))["offered"] != id:
            await stage.ask("GET", "/v1/agents?wait=1")
    assert view["why"][0]["words"] == f"being offered {id}"
    told = await refused(stage, "DELETE", "/v1/agents/ana")
    assert told == (409, "ana is in a handoff", "pause them, and wait for its end")
    assert (await got(stage))["id"] == "ana"


# -- import --------------------------------------------------------------------------------------------------


async def test_given_a_list_when_imported_then_the_good_are_kept_and_every_fault_is_told(
    stage: Stage,
) -> None:
    agents = [
        {"id": "ana", "name": "Ana Lopez", "endpoint": "PJSIP/ana2"},
        {"id": "dee", **DEE},
        {"id": "Eve", "name": "Eve", "endpoint": "PJSIP/eve"},
        {"id": "fay", "name": "Fay", "endpoint": "PJSIP/ben", "teams": {"nowhere": 1}},
        {"id": "dee", "name": "Another", "endpoint": "PJSIP/another"},
        "gus",
        {"id": "hal", "name": "Hal", "endpoint": "PJSIP/ana"},
    ]
    for dry_run in (True, False):
        status, answer = await stage.ask("POST", "/v1/agents/import", {"agents": agents, "dry_run": dry_run})
        assert status == 200
        assert (answer["added"], answer["replaced"], answer["dry_run"]) == (["dee", "hal"], ["ana"], dry_run)
        assert [fault["pointer"] for fault in answer["faults"]] == [
            "#/agents/2/id",
            "#/agents/4/id",
            "#/agents/5",
            "#/agents/3/teams/nowhere",
            "#/agents/3/endpoint",
        ]
        assert ("dee" in await stage.records()) is not dry_run
    assert (await got(stage))["name"] == "Ana Lopez"
    assert (await got(stage, "hal"))["endpoint"] == "PJSIP/ana"


async def test_given_somebody_left_out_who_keeps_the_phone_when_imported_then_it_is_given_to_nobody_else(
    stage: Stage,
) -> None:
    agents = [
        {"id": "ana", "name": "Ana", "endpoint": "PJSIP/new", "teams": {"nowhere": 1}},
        {"id": "hal", "name": "Hal", "endpoint": "PJSIP/ana"},
    ]
    status, answer = await stage.ask("POST", "/v1/agents/import", {"agents": agents})
    assert (status, answer["added"], answer["replaced"]) == (200, [], [])
    assert [fault["pointer"] for fault in answer["faults"]] == [
        "#/agents/0/teams/nowhere",
        "#/agents/1/endpoint",
    ]
    assert "hal" not in await stage.records()


async def test_given_many_agents_when_imported_then_all_are_there(stage: Stage) -> None:
    agents = [{"id": f"a{n}", "name": f"Agent {n}", "endpoint": f"PJSIP/a{n}"} for n in range(2000)]
    status, answer = await stage.ask("POST", "/v1/agents/import", {"agents": agents})
    assert (status, len(answer["added"]), answer["faults"]) == (200, 2000, [])
    assert len((await stage.ask("GET", "/v1/agents"))[1]["agents"]) == 2003


async def test_given_no_end_within_reason_when_paused_then_it_is_refused(stage: Stage) -> None:
    for until in (0, time.time() - 1, time.time() + PAUSE_AT_MOST + 60):
        status, detail, _ = await refused(stage, "POST", "/v1/agents/ana/pause", {"until": until})
        assert (status, "within 31 days" in detail) == (422, True)
    assert (await got(stage))["free"]
