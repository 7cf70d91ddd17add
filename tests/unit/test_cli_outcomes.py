"""`asterisk-warm handoff outcome`, and what a handoff knows of its lead, in front of a real API on a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from api_leads_stage import SCRIPT
from api_stage import LEAD, Stage, open_stage
from cli_runs import Run, fit, run

from asterisk_warm.engine.errors import Refused

NUMBER = "+12025550123"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def handoff(stage: Stage, *arguments: str | bytes) -> Run:
    return await run("handoff", *arguments, "--socket", stage.socket)


async def talk_of(stage: Stage) -> str:
    id = await stage.lead_is_offered(number=NUMBER, name="Grant")
    await stage.agent_takes_it()
    return id


async def test_given_a_talk_when_its_outcomes_are_written_down_then_each_is_told_and_kept(
    stage: Stage,
) -> None:
    id = await talk_of(stage)
    for arguments, said in (
        (("callback", "--note", "wants a quote"), f"{id} came to Call back: wants a quote"),
        (("sold",), f"{id} came to Sold"),
        (("2",), f"{id} came to Call back"),
        (("Call back",), f"{id} came to Call back"),
        (("--note", "calls\tagain"), f"Noted for {id}: calls again"),
    ):
        assert (await handoff(stage, "outcome", id[-6:], *arguments)).lines == [said]
    await stage.ask("PUT", f"/v1/leads/{NUMBER}", {})
    (past,) = (await stage.ask("GET", f"/v1/leads/{NUMBER}"))[1]["handoffs"]
    kept = [(one["disposition"], one["note"], one["source"]) for one in past["outcomes"]]
    assert sorted(kept) == [
        ("", "calls again", "cli"),
        *[("callback", "", "cli")] * 2,
        ("callback", "wants a quote", "cli"),
        ("sold", "", "cli"),
    ]


async def test_given_outcomes_when_a_handoff_is_shown_or_told_then_each_by_whom_and_when(
    stage: Stage,
) -> None:
    id = await talk_of(stage)
    nothing = (await handoff(stage, "show", id)).lines
    await handoff(stage, "outcome", id, "callback", "--note", "wants a quote by Friday")
    await handoff(stage, "outcome", id, "--note", "calls again")
    assert "came to" not in " ".join(nothing)
    view = (await stage.ask("GET", f"/v1/handoffs/{id}"))[1]
    one, two = view["outcomes"]
    assert (await stage.ask("GET", f"/v1/handoffs/{id}/outcomes"))[1] == {"outcomes": [one, two]}
    assert (await stage.ask("GET", "/v1/handoffs?state=all"))[1]["handoffs"][0]["outcomes"] is None

    by = f"cli ({one['by']})"
    shown = " ".join(" ".join((await handoff(stage, "show", id)).lines).split())
    for outcome, words in ((one, "Call back: wants a quote by Friday"), (two, "calls again")):
        at = datetime.fromtimestamp(outcome["at"]).strftime("%Y-%m-%d %H:%M:%S")
        assert f"came to {words} ({at}, {by})" in shown
    told = [" ".join(line.split()[2:]) for line in (await handoff(stage, "story", id)).lines[-4:]]
    assert (
        f"handoff came to Call back: wants a quote by Friday (by {by}) handoff noted: calls again (by {by})"
        in (" ".join(told))
    )


async def test_given_outcomes_that_cannot_be_read_when_a_handoff_is_shown_then_it_is_without_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await talk_of(stage)

    async def fail(_: str) -> None:
        raise Refused("unreachable", "the store did not do it")

    monkeypatch.setattr(stage.service, "_outcomes", fail)
    shown = (await handoff(stage, "show", id)).lines
    assert "agent         Ana (ana)" in shown
    assert "came to       what was written down cannot be read now" in shown


async def test_given_an_end_without_a_talk_when_its_outcome_is_written_down_then_it_is(stage: Stage) -> None:
    id = await stage.lead_is_offered(number=NUMBER)
    await handoff(stage, "cancel", id)
    assert (await handoff(stage, "outcome", id, "callback")).lines == [f"{id} came to Call back"]


async def test_given_json_when_an_outcome_is_written_down_then_it_is_what_the_api_answers(
    stage: Stage,
) -> None:
    id = await talk_of(stage)
    answer = (await handoff(stage, "outcome", id, "sold", "--json")).json
    _, same = await stage.ask("POST", f"/v1/handoffs/{id}/outcome", {"disposition": "sold"})
    assert answer.keys() == same.keys()
    assert (answer["handoff"], answer["disposition_name"], answer["source"]) == (id, "Sold", "cli")


async def test_given_a_long_note_when_written_down_then_it_is_folded_and_not_obeyed(stage: Stage) -> None:
    id = await talk_of(stage)
    shown = (
        await handoff(stage, "outcome", id, "--note", "\u202e[bold]${SHELL(x)} \U0001f600" + "w" * 400)
    ).lines
    assert len(shown) > 5 and "[bold]${SHELL(x)}" in "".join(shown)


@pytest.mark.parametrize(
    ("arguments", "code", "said", "remedy"),
    [
        ((), 2, "a disposition or --note must be given", 'such as --note "wants a quote"'),
        (("solt",), 2, 'DISPOSITION: there is no disposition "solt"', 'did you mean "sold"?'),
        (("",), 2, 'DISPOSITION: there is no disposition ""', None),
        (("--note", "x" * 1001), 2, "--note: must have from 0 to 1000 characters, not 1001", ""),
        (("--note", "\x1b[31m"), 2, "--note: must have no control characters but line ends and tabs", ""),
        (("--note", b"\xff"), 2, "an option is not text in this terminal's encoding", "use UTF-8"),
    ],
)
async def test_given_an_outcome_that_is_none_then_2(
    stage: Stage, arguments: tuple[str | bytes, ...], code: int, said: str, remedy: str | None
) -> None:
    what, *more = (await handoff(stage, "outcome", await talk_of(stage), *arguments)).told(code)
    assert what == f"asterisk-warm: {said}"
    assert remedy is None or more == ([remedy] if remedy else [])


async def test_given_no_such_handoff_or_several_when_an_outcome_is_written_down_then_3_or_5(
    stage: Stage, tmp_path: Path
) -> None:
    await talk_of(stage)
    assert (await handoff(stage, "outcome", "warm-nobody", "sold")).told(3)[0].endswith('"warm-nobody"')
    (line,) = (await handoff(stage, "outcome", "warm-nobody", "sold", "--json")).told(3)
    assert json.loads(line)["status"] == 404
    what, _ = (await run("handoff", "outcome", "x", "sold", "--socket", tmp_path / "x")).told(4)
    assert what == f"asterisk-warm: no daemon listens on {tmp_path / 'x'}"


# -- what is known of the lead -------------------------------------------------------------------------------


async def test_given_a_qualified_lead_when_handed_off_then_the_handoff_shows_it(stage: Stage) -> None:
    await stage.ask("POST", "/v1/scripts", {"source": SCRIPT})
    asked = await run("qualify", "run", "solar", "--json", "--socket", stage.socket, typed=b"1\n1\n")
    stage.lead_waits()
    started = await handoff(
        stage,
        *("start", "--channel", LEAD, "--team", "sales", "--language", "es", "--name", "Grant"),
        *("--qualification", asked.json["id"]),
    )
    assert started.code == 0, started
    id = started.out.split()[0]
    await stage.pbx.ordered("ring")
    shown = fit((await handoff(stage, "show", id)).out)
    assert "language      es" in shown
    assert f"qualified     ready, score 10, {asked.json['id']}" in shown


async def test_given_what_is_no_language_when_handed_off_then_nobody_is_rung(
    stage: Stage,
) -> None:
    stage.lead_waits()
    start = ("start", "--channel", LEAD, "--team", "sales")
    refused = await handoff(stage, *start, "--language", "e s")
    assert refused.told(2)[0].startswith("asterisk-warm: --language: ")
    assert stage.pbx.rung == []


async def test_given_an_agent_with_a_language_when_added_then_it_is_kept(stage: Stage) -> None:
    agent = ("agent", "add", "dee", "--name", "Dee", "--endpoint", "PJSIP/dee", "--socket", stage.socket)
    assert (await run(*agent, "--language", "es")).code == 0
    assert (await stage.ask("GET", "/v1/agents/dee"))[1]["language"] == "es"
    assert any(
        line.split() == ["language", "es"]
        for line in (await run("agent", "show", "dee", "--socket", stage.socket)).lines
    )
    assert (
        (await run(*agent, "--language", "s p", "--replace"))
        .told(2)[0]
        .startswith("asterisk-warm: --language: ")
    )
