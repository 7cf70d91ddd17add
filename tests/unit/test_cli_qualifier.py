"""The commands for a handoff with a qualifier on the line, and for seeing who is free."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_stage import LEAD, QUALIFIER, Stage, open_stage
from cli_runs import Run, run
from rich.cells import cell_len

ME = f"api ({pwd.getpwuid(os.getuid()).pw_name})"
ACTIONS = ("complete", "three-way", "swap", "take-back")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def warm(stage: Stage, *arguments: str | bytes) -> Run:
    return await run(*arguments, "--socket", stage.socket)


def fits(shown: Run) -> list[str]:
    """The lines of a command that went well: 80 columns, and nothing that a terminal obeys."""
    assert (shown.code, shown.err) == (0, ""), shown
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert all(cell_len(line) <= 80 for line in lines), shown.out
    assert all(line.isprintable() for line in lines), shown.out
    return lines


# -- the qualifier -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [("--channel", LEAD), ("--qualifier", QUALIFIER)], ids=lambda c: c[0])
async def test_given_a_call_of_two_when_started_then_it_is_shown_where_everybody_is(
    stage: Stage, call: tuple[str, str]
) -> None:
    stage.world.lead_talks_to_qualifier()
    what, _ = fits(await warm(stage, "handoff", "start", *call, "--team", "sales"))
    id = what.split()[0]
    await stage.pbx.ordered("ring")
    shown = fits(await warm(stage, "handoff", "show", id))
    for fact in (
        "team          Sales (sales), mode stay",
        "lead          Grant, +15550100",
        "lead is       with the qualifier",
        "qualifier     Quinn, 200 (on qualifier-1)",
        "qualifier is  with the lead",
    ):
        assert fact in shown
    _, row = fits(await warm(stage, "handoff", "list"))
    assert row.split()[:5] == [id, "OFFERING", "sales", "Grant", "-"]


async def test_given_a_consult_when_steered_then_each_step_is_told(stage: Stage) -> None:
    id = await stage.qualifier_offers(mode="consult")
    await stage.agent_accepts()
    await stage.pbx.ordered("consult")
    shown = fits(await warm(stage, "handoff", "show", id))
    assert "lead is       on hold" in shown and "qualifier is  with the agent" in shown
    (told,) = fits(await warm(stage, "handoff", "swap", id))
    assert told.startswith(f"{id} is CONSULTING; the lead is ")
    await stage.pbx.ordered(f"join {QUALIFIER}")
    (told,) = fits(await warm(stage, "handoff", "three-way", id))
    assert told.startswith(f"{id} is INTRODUCING; the lead is ")
    await stage.pbx.ordered("join warm-")
    (told,) = fits(await warm(stage, "handoff", "complete", id))
    assert told == f"{id} is CONNECTED; the lead is with the agent."


async def test_given_json_when_taken_back_then_it_is_what_the_api_answers(stage: Stage) -> None:
    id = await stage.qualifier_offers()
    answer = (await warm(stage, "handoff", "take-back", id[-6:], "--json")).json
    assert (answer["id"], answer["status"]) == (id, "TAKENBACK")


@pytest.mark.parametrize("action", ACTIONS)
async def test_given_what_is_not_possible_when_asked_for_then_5_and_nothing_is_done(
    stage: Stage, action: str
) -> None:
    id = await stage.lead_is_offered()
    before = (await stage.ask("GET", f"/v1/handoffs/{id}"))[1]
    what, *_ = (await warm(stage, "handoff", action, id)).told(5)
    assert what == f"asterisk-warm: {id}: there is no qualifier in this handoff"
    assert (await stage.ask("GET", f"/v1/handoffs/{id}"))[1] == before


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("id", ["warm-nobody", "../../health", "%", "ü\n", "w" * 9000])
async def test_given_no_such_handoff_when_asked_then_3(stage: Stage, action: str, id: str) -> None:
    _, remedy = (await warm(stage, "handoff", action, id)).told(3)
    assert remedy == "see `asterisk-warm handoff list --all`"


async def test_given_a_condition_that_does_not_hold_when_started_then_5_says_which(stage: Stage) -> None:
    stage.world.lead_talks_to_qualifier()
    start = ("handoff", "start", "--qualifier", QUALIFIER, "--team", "vip")
    said = (await warm(stage, *start)).told(5)
    assert said == [
        "asterisk-warm: the lead was never asked and no consent to be called is recorded",
        "qualify the lead first, or see `require` of the team",
    ]
    (line,) = (await warm(stage, *start, "--qualified", "--json")).told(5)
    problem = json.loads(line)
    assert problem["warm_status"] == "NOCONSENT"
    shown = fits(await warm(stage, "handoff", "show", problem["handoff"]))
    assert {
        "reason        no consent to be called is recorded",
        f"said          qualified: yes, by {ME}",
    } <= set(shown)
    assert fits(await warm(stage, "handoff", "list")) == [
        "No open handoffs; --all lists those that have ended."
    ]


async def test_given_a_lead_who_is_vouched_for_when_shown_then_by_whom(stage: Stage) -> None:
    stage.world.lead_talks_to_qualifier()
    start = ("handoff", "start", "--qualifier", QUALIFIER, "--team", "vip", "--qualified", "--consent")
    id = fits(await warm(stage, *start))[0].split()[0]
    shown = fits(await warm(stage, "handoff", "show", id))
    at = shown.index(f"said          qualified: yes, by {ME}")
    assert shown[at + 1] == f"said          consent: yes, by {ME}"
    told = " ".join(" ".join(fits(await warm(stage, "handoff", "story", id))).split())
    assert f"lead is qualified and consenting, says {ME}" in told


@pytest.mark.parametrize(
    ("to", "team"),
    [
        (("--agent", "Cy"), "Cy (cy), mode stay"),
        (("--outside", "+15550199"), "+15550199 (+15550199), mode stay"),
    ],
    ids=["agent", "outside"],
)
async def test_given_one_agent_or_number_when_started_then_they_are_rung(
    stage: Stage, to: tuple[str, str], team: str
) -> None:
    stage.world.lead_talks_to_qualifier()
    what, _ = fits(await warm(stage, "handoff", "start", "--channel", LEAD, *to))
    assert f"team          {team}" in fits(await warm(stage, "handoff", "show", what.split()[0]))


async def test_given_nobody_of_that_name_or_number_when_started_then_3(stage: Stage) -> None:
    stage.world.lead_talks_to_qualifier()
    start = ("handoff", "start", "--channel", LEAD)
    assert (await warm(stage, *start, "--agent", "dora")).told(3) == [
        'asterisk-warm: no agent "dora"',
        "configured agents: ana, ben, cy",
    ]
    assert (await warm(stage, *start, "--outside", "+4930123")).told(3)[0] == (
        "asterisk-warm: +4930123 is not on the list of outside numbers"
    )


async def test_given_a_mode_that_needs_a_qualifier_when_there_is_none_then_2(stage: Stage) -> None:
    stage.lead_waits()
    start = ("handoff", "start", "--channel", LEAD, "--team", "sales")
    what, _ = (await warm(stage, *start, "--mode", "consult")).told(2)
    assert "mode=consult needs a qualifier" in what
