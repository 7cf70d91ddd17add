"""What the API does where a qualifier is on the line: the ways in, and everything they can ask for."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_stage import LEAD, QUALIFIER, SECONDS, Stage, open_stage

from asterisk_warm.api.reading import Start
from asterisk_warm.core.handoff.gate import TOLD
from asterisk_warm.core.handoff.policy import Action

ME = pwd.getpwuid(os.getuid()).pw_name
ACTIONS = [action.value for action in Action]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def started(stage: Stage, **body: Any) -> Any:
    status, view = await stage.ask("POST", "/v1/handoffs", body)
    assert status == 201, view
    return view


async def refused(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    """(status, end of the type, detail)"""
    status, problem = await stage.ask(method, path, body)
    assert problem["status"] == status
    return status, problem["type"].rpartition(":")[2], problem["detail"]


async def asked(stage: Stage, handoff: str, action: str) -> Any:
    status, view = await stage.ask("POST", f"/v1/handoffs/{handoff}/{action}")
    assert status == 200, view
    assert view["id"] == handoff
    return view


async def shown(stage: Stage, handoff: str) -> Any:
    return (await stage.ask("GET", f"/v1/handoffs/{handoff}"))[1]


# -- the ways in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [{"channel": LEAD}, {"qualifier": QUALIFIER}], ids=["lead", "qualifier"])
async def test_given_a_call_of_two_when_either_is_named_then_the_lead_stays_with_the_qualifier(
    stage: Stage, call: dict[str, str]
) -> None:
    stage.world.lead_talks_to_qualifier()
    view = await started(stage, **call, team="sales")
    assert view["mode"] == "stay"
    assert view["lead"]["channel"] == LEAD
    assert view["qualifier"] == {
        "name": "Quinn",
        "number": "200",
        "channel": QUALIFIER,
        "place": "with_lead",
    }
    assert view["lead_is"] == "with_qualifier"
    assert view["requested_by"] == f"api ({ME})"
    await stage.pbx.ordered("ring")
    assert (await shown(stage, view["id"]))["state"] == "OFFERING"


@pytest.mark.parametrize("mode", ["stay", "consult", "auto", "blind"])
async def test_given_a_call_of_two_when_a_mode_is_asked_for_then_it_is_that(stage: Stage, mode: str) -> None:
    stage.world.lead_talks_to_qualifier()
    assert (await started(stage, channel=LEAD, team="sales", mode=mode))["mode"] == mode


@pytest.mark.parametrize("mode", ["stay", "consult"])
async def test_given_a_lead_alone_when_a_qualifier_is_needed_then_422(stage: Stage, mode: str) -> None:
    stage.lead_waits()
    body = {"channel": LEAD, "team": "sales", "mode": mode}
    status, kind, detail = await refused(stage, "POST", "/v1/handoffs", body)
    assert (status, kind) == (422, "invalid")
    assert f"mode={mode} needs a qualifier" in detail
    assert stage.world.legs[LEAD].in_app is False


async def test_given_no_such_qualifier_or_one_alone_then_404_and_409(stage: Stage) -> None:
    body = {"qualifier": QUALIFIER, "team": "sales"}
    assert await refused(stage, "POST", "/v1/handoffs", body) == (
        404,
        "not_found",
        f'no channel "{QUALIFIER}" in Asterisk',
    )
    stage.lead_waits(QUALIFIER)
    assert await refused(stage, "POST", "/v1/handoffs", body) == (
        409,
        "conflict",
        f'channel "{QUALIFIER}" is not talking to a lead',
    )


@pytest.mark.parametrize("call", [{"channel": LEAD}, {"qualifier": QUALIFIER}], ids=["lead", "qualifier"])
async def test_given_a_call_in_a_handoff_when_started_again_then_409(
    stage: Stage, call: dict[str, str]
) -> None:
    handoff = await stage.qualifier_offers()
    before = await shown(stage, handoff)
    assert await refused(stage, "POST", "/v1/handoffs", {**call, "team": "sales"}) == (
        409,
        "conflict",
        f"this call is in handoff {handoff} already",
    )
    assert await shown(stage, handoff) == before


@pytest.mark.parametrize(
    ("to", "team", "name", "endpoints"),
    [
        ({"agent": "ben"}, "ben", "Ben", ["PJSIP/ben"]),
        ({"agent": " BEN "}, "ben", "Ben", ["PJSIP/ben"]),
        ({"outside": "+15550199"}, "+15550199", "+15550199", ["PJSIP/+15550199@trunk"]),
    ],
    ids=["id", "name", "number"],
)
async def test_given_one_agent_or_number_when_asked_for_then_only_they_are_rung(
    stage: Stage, to: dict[str, str], team: str, name: str, endpoints: list[str]
) -> None:
    stage.world.lead_talks_to_qualifier()
    view = await started(stage, channel=LEAD, **to)
    assert (view["team"], view["team_name"]) == (team, name)
    await stage.pbx.ordered("ring")
    assert [offer["agent_name"] for offer in (await shown(stage, view["id"]))["offers"]] == [name]
    assert stage.pbx.rung == endpoints


@pytest.mark.parametrize(
    ("to", "detail"),
    [
        ({"agent": "dora"}, 'no agent "dora"'),
        ({"outside": "+4930123"}, "+4930123 is not on the list of outside numbers"),
    ],
)
async def test_given_nobody_of_that_name_or_number_then_404(
    stage: Stage, to: dict[str, str], detail: str
) -> None:
    stage.world.lead_talks_to_qualifier()
    assert await refused(stage, "POST", "/v1/handoffs", {"channel": LEAD, **to}) == (404, "not_found", detail)


# -- what must hold ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status", "detail"),
    [
        ({}, "NOTQUALIFIED", "the lead was never asked and no consent to be called is recorded"),
        ({"qualified": True}, "NOCONSENT", "no consent to be called is recorded"),
        ({"consent": True, "qualified": False}, "NOTQUALIFIED", "the lead is not qualified"),
    ],
)
async def test_given_a_condition_that_does_not_hold_then_409_says_which(
    stage: Stage, said: dict[str, bool], status: str, detail: str
) -> None:
    stage.world.lead_talks_to_qualifier()
    _, problem = await stage.ask("POST", "/v1/handoffs", {"channel": LEAD, "team": "vip", **said})
    assert problem["type"] == "urn:asterisk-warm:problem:conflict"
    assert (problem["status"], problem["warm_status"], problem["detail"]) == (409, status, detail)
    assert stage.world.legs[LEAD].talks_to == QUALIFIER
    assert not any(name.startswith("take over") for name in stage.pbx.done)
    _, view = await stage.ask("GET", f"/v1/handoffs/{problem['handoff']}")
    assert (view["state"], view["status"], view["reason"]) == ("RETURNED", status, detail)
    assert {(one["what"], one["holds"]) for one in view["said"]} == set(said.items())


async def test_given_all_conditions_when_said_then_it_starts(stage: Stage) -> None:
    stage.world.lead_talks_to_qualifier()
    view = await started(stage, channel=LEAD, team="vip", qualified=True, consent=True)
    by = {"holds": True, "by": f"api ({ME})"}
    assert view["said"] == [{"what": "qualified", **by}, {"what": "consent", **by}]


async def test_given_what_the_channel_says_when_denied_then_the_request_counts(stage: Stage) -> None:
    stage.world.lead_talks_to_qualifier()
    stage.world.legs[LEAD].variables |= {"WARM_LEAD_QUALIFIED": "yes", "WARM_LEAD_CONSENT": "yes"}
    body = {"channel": LEAD, "team": "vip", "consent": False}
    assert (await stage.ask("POST", "/v1/handoffs", body))[1]["warm_status"] == "NOCONSENT"
    view = await started(stage, **body | {"consent": None})
    assert [one["by"] for one in view["said"]] == ["WARM_LEAD_QUALIFIED", "WARM_LEAD_CONSENT"]


def test_given_what_can_be_told_of_a_lead_when_looked_up_then_a_request_can_say_each() -> None:
    assert set(TOLD) <= set(Start.__dataclass_fields__)


# -- what can be asked for -----------------------------------------------------------------------------------


async def consulting(stage: Stage) -> str:
    handoff = await stage.qualifier_offers(mode="consult")
    assert (await shown(stage, handoff))["lead_is"] == "held"
    await stage.agent_accepts()
    await stage.pbx.ordered("consult")
    view = await shown(stage, handoff)
    assert (view["state"], view["qualifier"]["place"]) == ("CONSULTING", "with_agent")
    return handoff


async def test_given_a_consult_when_completed_then_lead_and_agent_talk(stage: Stage) -> None:
    handoff = await consulting(stage)
    await asked(stage, handoff, "complete")
    await stage.pbx.ordered("let go")
    view = await shown(stage, handoff)
    assert (view["state"], view["lead_is"]) == ("CONNECTED", "with_agent")


async def test_given_a_consult_when_swapped_then_the_qualifier_has_the_lead_and_back(stage: Stage) -> None:
    handoff = await consulting(stage)
    view = await asked(stage, handoff, "swap")
    assert view["qualifier"]["place"] == "with_lead"
    await stage.pbx.ordered(f"join {QUALIFIER}")
    view = await asked(stage, handoff, "swap")
    assert view["lead_is"] == "held"
    async with asyncio.timeout(SECONDS):
        # The answer may come before Asterisk has followed.
        while (view := await shown(stage, handoff))["qualifier"]["place"] != "with_agent":
            assert view["qualifier"]["place"] == "aside"
    assert view["lead_is"] == "held"


async def test_given_a_consult_when_three_way_then_all_are_together(stage: Stage) -> None:
    handoff = await consulting(stage)
    view = await asked(stage, handoff, "three-way")
    assert view["state"] == "INTRODUCING"
    await stage.pbx.ordered(f"join {QUALIFIER}")
    assert (await shown(stage, handoff))["qualifier"]["place"] == "with_lead"


async def test_given_a_consult_when_taken_back_then_the_lead_is_with_the_qualifier(stage: Stage) -> None:
    handoff = await consulting(stage)
    view = await asked(stage, handoff, "take-back")
    assert view["status"] == "TAKENBACK"
    await stage.pbx.ordered("let go")
    assert (await shown(stage, handoff))["state"] == "RETURNED"
    assert stage.world.legs[LEAD].talks_to == QUALIFIER


async def test_given_an_action_when_asked_for_then_the_journal_has_who(stage: Stage) -> None:
    handoff = await stage.qualifier_offers()
    await asked(stage, handoff, "take-back")
    _, answer = await stage.ask("GET", f"/v1/handoffs/{handoff}/journal")
    asking = [line["detail"] for line in answer["journal"] if line["event"] == "QualifierAsked"]
    assert [(one["action"], one["by"]) for one in asking] == [("take-back", f"api ({ME})")]


async def test_given_a_qualifier_when_cancelled_then_the_lead_is_with_them_again(stage: Stage) -> None:
    handoff = await stage.qualifier_offers()
    status, view = await stage.ask("DELETE", f"/v1/handoffs/{handoff}")
    assert (status, view["status"], view["lead_is"]) == (200, "CANCELLED", "with_qualifier")


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b" {} "])
async def test_given_nothing_in_the_body_when_asked_then_it_is_done(stage: Stage, body: bytes) -> None:
    handoff = await stage.qualifier_offers()
    status, view, _ = await stage.ask_raw("POST", f"/v1/handoffs/{handoff}/take-back", data=body)
    assert (status, view["status"]) == (200, "TAKENBACK")


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b'{"by": "me", "a/b": 1}', 422, ["#/by", "#/a~1b"]),
        (b"[]", 422, ["#"]),
        (b"null", 422, ["#"]),
        (b"{", 400, []),
        (b"\xff", 400, []),
        (b"[" * 60_000, 400, []),
    ],
    ids=lambda given: repr(given)[:20],
)
@pytest.mark.parametrize("action", ACTIONS)
async def test_given_something_in_the_body_when_asked_then_nothing_is_done(
    stage: Stage, action: str, body: bytes, status: int, pointers: list[str]
) -> None:
    handoff = await stage.qualifier_offers()
    told, problem, _ = await stage.ask_raw("POST", f"/v1/handoffs/{handoff}/{action}", data=body)
    assert told == status
    assert [error["pointer"] for error in problem.get("errors", [])] == pointers
    assert (await shown(stage, handoff))["state"] == "OFFERING"


@pytest.mark.parametrize("action", ACTIONS)
async def test_given_no_such_handoff_when_asked_then_404(stage: Stage, action: str) -> None:
    for id, words in (
        ("warm-1", 'no handoff "warm-1"'),
        ("..%2f..", "that is not the id of a handoff"),
        ("%00", "that is not the id of a handoff"),
    ):
        told = await refused(stage, "POST", f"/v1/handoffs/{id}/{action}")
        assert told == (404, "not_found", words)


@pytest.mark.parametrize("action", ACTIONS)
async def test_given_no_qualifier_when_asked_then_409(stage: Stage, action: str) -> None:
    handoff = await stage.lead_is_offered()
    status, kind, detail = await refused(stage, "POST", f"/v1/handoffs/{handoff}/{action}")
    assert (status, kind) == (409, "conflict")
    assert "there is no qualifier in this handoff" in detail


@pytest.mark.parametrize("action", ACTIONS)
async def test_given_an_ended_handoff_when_asked_then_409(stage: Stage, action: str) -> None:
    handoff = await stage.qualifier_offers()
    await asked(stage, handoff, "take-back")
    assert await refused(stage, "POST", f"/v1/handoffs/{handoff}/{action}") == (
        409,
        "conflict",
        f"{handoff} has ended already",
    )


@pytest.mark.parametrize("action", ["swap", "three-way"])
async def test_given_nobody_accepted_when_asked_for_what_needs_an_agent_then_409(
    stage: Stage, action: str
) -> None:
    handoff = await stage.qualifier_offers()
    status, kind, detail = await refused(stage, "POST", f"/v1/handoffs/{handoff}/{action}")
    assert (status, kind) == (409, "conflict")
    assert f"{action} is not possible" in detail
    assert (await shown(stage, handoff))["state"] == "OFFERING"
