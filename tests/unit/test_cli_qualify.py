"""The commands for qualifications, in front of a real API on a real socket, with somebody who types."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_leads_stage import SCRIPT
from api_stage import Stage, open_stage
from cli_runs import Run, at_terminal, fit, run, talk

from asterisk_warm.core.script.answers import Answer, Given, Qualification
from asterisk_warm.core.script.model import Channel, Verdict
from asterisk_warm.store import SqlQualifications

HOSTILE = "\x1b[31m陳\r\n \u202e\U0001f600 [bold]${SHELL(x)} " + "w" * 300
NUMBER = "+12025550123"
HINT = "? helps, < goes back to the question before, - skips, . stops."
OWNER = ["Does the lead own the home?", "  1  Yes", "  2  No"]
ROOF = ["What is the roof made of? (may be skipped)", "  1  Tiles", "  2  Metal"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        assert (await opened.ask("POST", "/v1/scripts", {"source": SCRIPT}))[0] == 201
        yield opened


async def qualify(stage: Stage, *arguments: str | bytes, typed: bytes | None = None) -> Run:
    return await run("qualify", *arguments, "--socket", stage.socket, typed=typed)


async def latest(stage: Stage) -> Any:
    return (await stage.ask("GET", "/v1/qualifications"))[1]["qualifications"][0]


# -- run -----------------------------------------------------------------------------------------------------


async def test_given_answers_when_run_then_they_are_asked_to_the_end_and_kept(stage: Stage) -> None:
    done = await qualify(stage, "run", "solar", "--lead", "202-555-0123", typed=b"1\nmetal\n")
    found = await latest(stage)
    assert done.lines == [
        f"{found['id']}: solar version 1 for {NUMBER}",
        HINT,
        *OWNER,
        "> 1",
        "  = yes",
        *ROOF,
        "> metal",
        "  = Metal",
        f"{found['id']}: score 10, verdict ready: 10 points, ready from 10.",
        "yes",
    ]
    assert (found["lead"], found["verdict"]) == (NUMBER, "ready")
    by = [(a["question"], a["value"], a["channel"], a["by"]) for a in found["answers"]]
    user = found["answers"][0]["by"]
    assert by == [("owner", "yes", "console", user), ("roof", "metal", "console", user)]


async def test_given_wrong_answers_help_back_and_skip_when_run_then_each_does_what_it_should(
    stage: Stage,
) -> None:
    typed = b"<\nperhaps\n-\n?\n\n1\n<\n1\n-\n"
    done = await qualify(stage, "run", "solar", typed=typed)
    assert done.code == 0
    assert done.err.splitlines() == [
        "there is no answer to take back",
        "“perhaps” is neither yes nor no",
        "answer yes or no",
        "this question cannot be skipped",
        "answer it",
    ]
    lines = fit(done.out)
    assert lines[lines.index("> ?") + 1] == "There is no help for this question."
    assert lines[lines.index("> <", lines.index("> 1")) + 1] == OWNER[0]
    skipped = (await latest(stage))["answers"][1]
    assert (skipped["question"], skipped["skipped"], skipped["channel"]) == ("roof", True, "console")


async def test_given_the_end_of_input_when_run_then_1_and_the_next_one_goes_on_from_there(
    stage: Stage,
) -> None:
    for typed, ending in ((b"1", "Go on with: "), (b".\n", "Go on with: ")):
        ended = await qualify(stage, "run", "solar", "--lead", NUMBER, typed=typed)
        assert (ended.code, ended.err) == (1, "")
        assert fit(ended.out)[-1] == f"{ending}asterisk-warm qualify run solar --lead {NUMBER}"
    assert (await latest(stage))["answers"][0]["value"] == "yes"
    lines = (await qualify(stage, "run", "solar", "--lead", NUMBER, typed=b"-\n")).lines
    assert lines[1:4] == ["answered already: 1", HINT, ROOF[0]]
    nobody = await qualify(stage, "run", "solar")
    assert fit(nobody.out)[-1].startswith("Go on with: asterisk-warm qualify answer qual-")


async def test_given_all_known_when_run_again_then_nothing_is_asked_unless_fresh(stage: Stage) -> None:
    await qualify(stage, "run", "solar", "--lead", NUMBER, typed=b"1\n1\n")
    finished = await latest(stage)
    again = (await qualify(stage, "run", "solar", "--lead", NUMBER)).lines
    assert again[1] == "answered already: 2" and "verdict ready" in again[2]
    assert await latest(stage) == finished
    fresh = await qualify(stage, "run", "solar", "--lead", NUMBER, "--fresh", typed=b"2\n")
    assert fresh.lines[-2].endswith("verdict disqualified: does not own the home.")


async def test_given_json_when_run_then_it_is_what_the_api_answers_and_the_talk_is_beside_it(
    stage: Stage,
) -> None:
    done = await qualify(stage, "run", "solar", "--json", typed=b"1\n2\n")
    assert done.code == 0 and ROOF[0] in fit(done.err)
    assert done.json == (await stage.ask("GET", f"/v1/qualifications/{done.json['id']}"))[1]


async def test_given_somebody_who_answers_meanwhile_when_run_then_the_wrong_question_gets_no_answer(
    stage: Stage,
) -> None:
    async with talk("qualify", "run", "solar", "--lead", NUMBER, "--socket", stage.socket) as talking:
        await talking.asked(OWNER[-1])
        path = f"/v1/qualifications/{(await latest(stage))['id']}"
        assert (await stage.ask("POST", f"{path}/answer", {"answer": "yes"}))[0] == 200
        talking.type("2")
        await talking.asked(ROOF[-1])
        assert [a["question"] for a in (await latest(stage))["answers"]] == ["owner"]
        assert (await stage.ask("POST", f"{path}/answer", {"answer": "metal"}))[0] == 200
        talking.type("-")
        done = await talking.ended()
    assert done.code == 0
    assert "verdict ready" in done.out
    said = ["somebody else has answered meanwhile", "this is how it stands now:"]
    assert done.err.splitlines() == said * 2
    assert (await latest(stage))["answers"][1]["value"] == "metal"


async def test_given_a_daemon_that_stops_when_run_then_it_is_told_and_the_answers_are_kept(
    stage: Stage,
) -> None:
    async with talk("qualify", "run", "solar", "--lead", NUMBER, "--socket", stage.socket) as talking:
        await talking.asked(OWNER[-1])
        talking.type("1")
        await talking.asked(ROOF[-1])
        await stage.api.stop()
        talking.type("2")
        await talking.asked(ROOF[-1])
        await stage.api.start()
        talking.type("2")
        done = await talking.ended()
    assert (done.code, "verdict ready" in done.out) == (0, True)
    assert done.err.startswith(f"no daemon listens on {stage.socket}\n")


async def test_given_hostile_input_when_run_then_it_is_refused_or_kept_and_never_obeyed(stage: Stage) -> None:
    typed = b"\xff\xfe\n\x1b[31m\x00\n" + b"y" * 70_000 + b"\n${SHELL(x)}\n2\n"
    done = await qualify(stage, "run", "solar", typed=typed)
    assert done.code == 0 and "fault of" not in done.err
    assert "the answer is not text in this terminal's encoding" in done.err.splitlines()
    assert fit(done.out) and all(line.isprintable() for line in done.err.splitlines())


async def test_given_a_terminal_when_run_then_it_prompts_and_ends_at_the_end_of_input(stage: Stage) -> None:
    async with at_terminal("qualify", "run", "solar", "--socket", stage.socket) as terminal:
        assert HINT in await terminal.shown("2  No\r\n> ")
        terminal.type("1\n")
        assert "> 1" not in (await terminal.shown("2  Metal\r\n> "))
        terminal.type("\x04")
        await terminal.shown("Go on with: ")
        assert await terminal.ended() == 1


# -- one at a time -------------------------------------------------------------------------------------------


async def test_given_single_commands_when_used_then_each_tells_what_is_next(stage: Stage) -> None:
    begun = (await qualify(stage, "start", "solar", "--lead", NUMBER)).lines
    id = (await latest(stage))["id"]
    assert begun == [f"{id} asks owner:", *OWNER]
    assert (await qualify(stage, "answer", id, "yes")).lines == [f"{id} asks roof:", *ROOF]
    assert (await qualify(stage, "back", id)).lines == begun
    assert (await qualify(stage, "back", id)).told(5) == ["asterisk-warm: there is no answer to take back"]
    assert (await qualify(stage, "skip", id)).told(2) == [
        "asterisk-warm: this question cannot be skipped",
        "answer it",
    ]
    assert (await qualify(stage, "answer", id, "1")).lines[0] == f"{id} asks roof:"
    end = [f"{id}: score 10, verdict ready: 10 points, ready from 10.", "yes"]
    assert (await qualify(stage, "skip", id)).lines == end
    assert (await qualify(stage, "answer", id, "1")).told(5) == [
        f"asterisk-warm: {id} is finished",
        "name the question whose answer is to be changed, or begin anew",
    ]
    changed = (await qualify(stage, "answer", id, "no", "--question", "owner")).lines
    assert changed[0] == f"{id}: score 0, verdict disqualified: does not own the home."


async def test_given_a_piece_of_an_id_then_it_is_the_one_that_it_fits(stage: Stage) -> None:
    ids = []
    for _ in range(2):
        await qualify(stage, "start", "solar", "--lead", NUMBER, "--fresh")
        ids.append((await latest(stage))["id"])
    first, second = ids
    assert (await qualify(stage, "answer", second[-6:], "yes")).lines == [f"{second} asks roof:", *ROOF]
    assert (await qualify(stage, "back", second[-6:])).lines[0] == f"{second} asks owner:"
    assert (await qualify(stage, "show", first[-6:], "--json")).json["id"] == first
    assert (await qualify(stage, "show", "qual")).told(5) == [
        'asterisk-warm: "qual" fits 2 qualifications',
        "give more of the id",
    ]
    assert (await qualify(stage, "show", "zzzz")).told(3)[0] == 'asterisk-warm: no qualification "zzzz"'


async def test_given_answers_when_their_wording_is_wanted_then_what_exactly_was_asked_is_told(
    stage: Stage,
) -> None:
    await qualify(stage, "start", "solar", "--lead", NUMBER)
    id = (await latest(stage))["id"]
    await qualify(stage, "answer", id, "yes")
    shown = (await qualify(stage, "show", id, "--wording")).lines
    head, row = shown[shown.index("") + 1 :]
    assert head.split() == ["question", "asked", "answer"]
    assert " ".join(row.split()) == "owner Does the lead own the home? yes"
    usual = (await qualify(stage, "show", id)).lines
    assert usual[usual.index("") + 1].split() == ["question", "answer", "by", "on", "at"]


async def test_given_json_when_asked_for_then_it_is_what_the_api_answers(stage: Stage) -> None:
    view = (await qualify(stage, "start", "solar", "--language", "es", "--json")).json
    assert view["language"] == "es" and view["question"]["id"] == "owner"
    id = view["id"]
    steps: tuple[tuple[str, ...], ...] = (
        ("answer", id, "1"),
        ("back", id),
        ("answer", id, "1"),
        ("skip", id),
    )
    for arguments in steps:
        answered = (await qualify(stage, *arguments, "--json")).json
        assert answered == (await stage.ask("GET", f"/v1/qualifications/{id}"))[1]
    assert (await qualify(stage, "show", id, "--json")).json == answered
    seen: tuple[tuple[tuple[str, ...], str], ...] = (
        (("list",), "/v1/qualifications"),
        (("list", "--open"), "/v1/qualifications?state=open"),
        (("list", "--lead", NUMBER, "--limit", "1"), f"/v1/qualifications?lead=%2B{NUMBER[1:]}&limit=1"),
    )
    for arguments, path in seen:
        assert (await qualify(stage, *arguments, "--json")).json == (await stage.ask("GET", path))[1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "solr"), 3, 'no script "solr"'),
        (("run", "solar", "--language", "s p"), 2, '--language: "s p" is not a language'),
        (("run", "solar", "--lead", "abc"), 2, '--lead: "abc" is no telephone number'),
        (("start", "solar", "--lead", "+1202555012"), 2, '--lead: "+1202555012" is no telephone number'),
        (("run", "solar", "--lead", b"\xff"), 2, "an option is not text in this terminal's encoding"),
        (("show", "qual-0"), 3, 'no qualification "qual-0"'),
        (("show", "../leads"), 3, "that is not the id of a qualification"),
        (("answer", "qual-0", "x"), 3, 'no qualification "qual-0"'),
        (("answer", "qual-0"), 2, "Missing argument 'ANSWER'."),
        (("answer", "qual-0", "x" * 20_000), 2, "ANSWER: must have from 0 to 16000 characters"),
        (("list", "--limit", "0"), 2, "Invalid value for '--limit'"),
    ],
)
async def test_given_what_cannot_be_done_then_it_says_why(
    stage: Stage, arguments: tuple[str | bytes, ...], code: int, said: str
) -> None:
    assert (await qualify(stage, *arguments)).told(code)[0].startswith(f"asterisk-warm: {said}")


async def test_given_a_question_that_is_not_there_then_3_and_those_that_are(stage: Stage) -> None:
    await qualify(stage, "start", "solar")
    refused = await qualify(stage, "answer", (await latest(stage))["id"], "1", "--question", "ruf")
    assert refused.told(3) == ['asterisk-warm: solar has no question "ruf"', "one of owner, roof"]


async def test_given_no_daemon_then_4(tmp_path: Path) -> None:
    for arguments in (("run", "solar"), ("list",)):
        what, _ = (await run("qualify", *arguments, "--socket", tmp_path / "x")).told(4)
        assert what == f"asterisk-warm: no daemon listens on {tmp_path / 'x'}"


# -- seeing --------------------------------------------------------------------------------------------------


async def test_given_none_when_listed_then_it_says_so(stage: Stage) -> None:
    assert (await qualify(stage, "list")).lines == ["None yet; see `asterisk-warm qualify run --help`."]
    assert (await qualify(stage, "list", "--open")).lines == ["None."]


async def test_given_qualifications_when_seen_then_all_that_is_known_is_told(stage: Stage) -> None:
    await stage.ask("PUT", f"/v1/leads/{NUMBER}", {"name": "Grant Weatherly"})
    await qualify(stage, "run", "solar", "--lead", NUMBER, typed=b"1\n-\n")
    await qualify(stage, "start", "solar")
    head, *rows = (await qualify(stage, "list")).lines
    assert head.split() == ["id", "lead", "script", "score", "verdict", "age"]
    assert [row.split()[1:-2] for row in rows] == [
        ["-", "solar", "1", "0", "open"],
        ["Grant", "Weatherly", "solar", "1", "10", "ready"],
    ]
    assert [row.split()[0] for row in (await qualify(stage, "list", "--open")).lines[1:]] == [
        rows[0].split()[0]
    ]
    shown = (await qualify(stage, "show", rows[1].split()[0])).lines
    facts = [" ".join(line.split()) for line in shown[: shown.index("") - 2]]
    assert facts == [
        f"id {rows[1].split()[0]}",
        f"lead Grant Weatherly, {NUMBER}",
        "script Solar (solar), version 1",
        "verdict ready",
        "reason 10 points, ready from 10",
        "score 10",
        "summary Grant Weatherly owns the home: yes",
        "details Does the lead own the home? Yes.",
    ]
    answers = [line.split()[:4] for line in shown[shown.index("") + 1 :]]
    assert answers[0] == ["question", "answer", "by", "on"]
    assert [(line[0], line[1], line[3]) for line in answers[1:]] == [
        ("owner", "yes", "console"),
        ("roof", "skipped", "console"),
    ]


async def test_given_recorded_answers_when_shown_then_each_says_where_it_is_or_that_it_was_deleted(
    stage: Stage,
) -> None:
    now = time.time()
    roof = Answer("roof", "", now, "2026-11-28", "lead", Channel.VOICE, "Why?", recording_gone=True)
    owner = replace(roof, question="owner", recording="qual-1-owner-1", recording_gone=False)
    silent = replace(roof, question="size", recording_gone=False, skipped=True, no_answer=True)
    asked = Qualification("qual-1", "solar", 1, NUMBER, "en", now, now, (owner, roof, silent))
    await SqlQualifications(stage.database).save(asked)
    shown = " ".join(" ".join((await qualify(stage, "show", "qual-1")).lines).split())
    assert "owner recorded: qual-1-owner-1 lead" in shown
    assert "roof recorded; the recording was deleted lead" in shown
    assert "size no answer lead" in shown
    told = [(a["recording"], a["recording_gone"], a["no_answer"]) for a in (await latest(stage))["answers"]]
    assert told == [("qual-1-owner-1", False, False), ("", True, False), ("", False, True)]


async def test_given_hostile_answers_when_seen_then_nothing_reaches_the_terminal(stage: Stage) -> None:
    store, now = SqlQualifications(stage.database), time.time()
    said = [
        Answer(question, HOSTILE, now, "2026-11-28", HOSTILE, Channel.VOICE, HOSTILE, recording=recording)
        for question, recording in (("owner", ""), ("roof", "x"))
    ]
    asked = Qualification("qual-1", "solar", 1, HOSTILE, HOSTILE, now, now, tuple(said))
    given = Given(-1e9, Verdict.NURTURE, HOSTILE, HOSTILE, HOSTILE)
    await store.save(asked)
    await store.save(
        replace(asked, id="qual-2", script=HOSTILE, version=0, answers=(), given=given, ended_at=now)
    )
    assert len((await qualify(stage, "list")).lines) == 3
    for id in ("qual-1", "qual-2"):
        lines = (await qualify(stage, "show", id)).lines
        assert any("[31m" in line for line in lines), lines
