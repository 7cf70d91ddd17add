"""The commands for scripts: files alone, and in front of a real API on a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from api_leads_stage import SCRIPT
from api_stage import Stage, open_stage
from cli_runs import Run, fit, run

SAMPLE = Path(__file__).parents[2] / "config" / "scripts" / "insurance.yaml"
HOSTILE = "\u202e\U0001f600 [bold]${SHELL(x)} 陳 " + "w" * 150


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


@pytest.fixture
def solar(tmp_path: Path) -> Path:
    file = tmp_path / "solar.yaml"
    file.write_text(SCRIPT)
    return file


async def script(stage: Stage, *arguments: str | bytes | Path) -> Run:
    return await run("script", *arguments, "--socket", stage.socket)


def text(file: Path) -> str:
    return file.read_bytes().decode()


def differing(file: Path, *changes: tuple[str, str]) -> Path:
    """The file, with some of its words replaced."""
    words = text(file)
    for old, new in changes:
        assert old in words
        words = words.replace(old, new)
    file.write_bytes(words.encode())
    return file


# -- lint ----------------------------------------------------------------------------------------------------


async def test_given_the_sample_when_linted_then_there_is_nothing_to_say() -> None:
    assert (await run("script", "lint", SAMPLE)).lines == [f"{SAMPLE}: nothing to say against it."]
    assert (await run("script", "lint", SAMPLE, "--json")).json == {"findings": []}


async def test_given_errors_and_warnings_when_linted_then_each_has_its_place_and_2(
    stage: Stage, solar: Path
) -> None:
    differing(
        solar,
        ("points: 10}\n", "points: 10, goto: owner}\n"),
        ("    say: What", "    say: \n      text: x\n      console: What"),
    )
    shown = await run("script", "lint", solar)
    assert (shown.code, shown.err) == (2, "")
    lines = shown.out.splitlines()
    assert any(
        line.startswith(f"{solar}:10:") and ": error: questions.owner.rules[0].goto: " in line
        for line in lines
    ), lines
    assert any(": warning: " in line for line in lines), lines
    assert "" not in lines
    answer = (await run("script", "lint", solar, "--json")).json
    assert answer == (await stage.ask("POST", "/v1/scripts/check", {"source": text(solar)}))[1]


async def test_given_warnings_alone_when_linted_then_0(solar: Path) -> None:
    differing(solar, ("    say: What", "    say:\n      text: x\n      console: What"))
    shown = await run("script", "lint", solar)
    assert (shown.code, shown.err) == (0, "")
    assert all(": warning: " in line for line in shown.out.splitlines()) and shown.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id: x\nname: [", ":2:8: error: a bracket is never closed"),
        (b"", ": error: "),
        (b"just words", ": error: "),
        (b"id: solar\nnam: Solar\n", ":2:1: error: unknown setting nam (expected id, name, language"),
        (b"id: solar\nnam: Solar\n", 'did you mean "name"?)'),
        (b"a: \x1b[31m", ": error: "),
        (b"id: no\nname: Solar\n", ':1:5: error: id: "no" without quotes is true or false in YAML, not text'),
        (b"id: no\nname: Solar\n", 'did you mean "no"?)'),
        (
            SCRIPT.replace("points: 10}", "from: 2, to: 1}").encode(),
            ": error: questions.owner.rules[0].from (2) is more than to (1) (expected ",
        ),
    ],
)
async def test_given_yaml_that_is_no_script_when_linted_then_the_place_is_told(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    shown = await run("script", "lint", file)
    assert shown.code == 2 and said in shown.out, shown
    assert shown.out.startswith(f"{file}:") and "\x1b" not in shown.out


@pytest.mark.parametrize("command", ["lint", "try", "publish", "graph"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        ("folder", "this is a folder (expected a YAML file, such as "),
        (b"\x7fELF\0", "this is a binary file, or text in UTF-16"),
    ],
)
async def test_given_no_text_then_2_and_the_remedy(
    tmp_path: Path, command: str, content: bytes | str | None, said: str
) -> None:
    file = tmp_path / "x.yaml"
    if content == "folder":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    what, remedy = (await run("script", command, file)).told(2)
    assert what.startswith(f"asterisk-warm: {file}:1:1: {said}")
    assert remedy == "give the script's YAML file"


# -- try -----------------------------------------------------------------------------------------------------


async def test_given_the_sample_when_tried_then_it_is_played_to_its_end() -> None:
    typed = "\n".join(
        [*("maybe", "?", "-", "<", "1", "<", "yes", "house", "1", "2001-01-01"), "", "-", "."]
    ).encode()
    stopped = await run("script", "try", SAMPLE, "--name", "Grant", typed=typed)
    assert stopped.code == 1
    assert stopped.err.splitlines()[:6] == [
        "“maybe” is neither yes nor no",
        "answer yes or no",
        "this question cannot be skipped",
        "answer it",
        "there is no answer to take back",
        "“2001-01-01” is out of range",
    ]
    lines = fit(stopped.out)
    assert lines[:5] == [
        "? helps, < goes back to the question before, - skips, . stops.",
        "Does the lead own the home?",
        "  1  Yes",
        "  2  No",
        "> maybe",
    ]
    assert "We insure homes that their owners live in or let." in lines
    assert "  = a house" not in lines[: lines.index("> house")]
    assert lines[lines.index("> house") + 1] == "  = a house"
    assert lines[-3:] == ["Score 35, no verdict yet.", "In one line: Owns a house.", "Details: Insured: yes."]


async def test_given_all_answers_when_tried_then_the_outcome_is_told_and_0() -> None:
    typed = b"1\nhouse\n2\n0\nlower price\n202 555 0100\n"
    lines = (await run("script", "try", SAMPLE, "--region", "us", typed=typed)).lines
    assert lines[-6:] == [
        "> 202 555 0100",
        "  = +12025550100",
        "Score 75, verdict ready: 75 points, ready from 50.",
        "In one line: Owns a house.",
        "Details: Insured: no. Claims in five years: 0. What matters: lower price. Call",
        "back on +12025550100.",
    ]


async def test_given_json_when_tried_then_the_talk_is_beside_it() -> None:
    done = await run("script", "try", SAMPLE, "--json", typed=b"2\n")
    assert done.code == 0
    assert done.json == {
        **{"complete": True, "score": 0.0, "verdict": "disqualified", "reason": "does not own the home"},
        **{"summary": "", "details": ""},
    }
    assert "Does the lead own the home?" in fit(done.err)


async def test_given_no_input_or_none_that_is_text_when_tried_then_1_and_no_fault() -> None:
    for typed in (None, b""):
        ended = await run("script", "try", SAMPLE, typed=typed)
        assert (ended.code, ended.err) == (1, "")
        assert fit(ended.out)[-3] == "Score 0, no verdict yet."
    typed = b"\xff\n\x1b[31m\x00\n" + b"x" * 70_000 + b"\n"
    odd = await run("script", "try", SAMPLE, typed=typed, LC_ALL="C.UTF-8")
    assert odd.code == 1 and "fault of" not in odd.err
    assert odd.err.startswith("the answer is not text in this terminal's encoding\nuse UTF-8\n")
    assert fit(odd.out) and all(line.isprintable() for line in odd.err.splitlines())


@pytest.mark.parametrize("command", ["try", "publish", "graph"])
async def test_given_a_script_with_errors_when_used_then_2_the_first_and_where_all_are(
    stage: Stage, solar: Path, command: str
) -> None:
    differing(solar, ("id: solar\n", "ide: solar\n"), ("ask: choice", "ask: choices"))
    more: list[str | Path] = ["--socket", stage.socket] if command != "try" else []
    what, remedy = (await run("script", command, solar, *more)).told(2)
    assert what.startswith(f"asterisk-warm: {solar}:1:1: error: ") and what.endswith(" more)")
    assert remedy == f"see all: asterisk-warm script lint {solar}"
    if command != "graph":
        (line,) = (await run("script", command, solar, "--json", *more)).told(2)
        assert len(json.loads(line)["findings"]) > 1
    assert (await stage.ask("GET", "/v1/scripts"))[1] == {"scripts": []}


# -- publishing ----------------------------------------------------------------------------------------------


async def test_given_scripts_when_published_then_they_are_listed_compared_and_taken_back(
    stage: Stage, solar: Path
) -> None:
    assert (await script(stage, "list")).lines == [
        "No scripts yet; see `asterisk-warm script publish --help`."
    ]
    assert (await script(stage, "publish", solar, "--note", HOSTILE)).lines == [
        "solar is published as version 1."
    ]
    assert (await script(stage, "diff", "solar")).told(5) == [
        "asterisk-warm: there is no version before 1",
        "give --old, or compare it with a --file",
    ]
    differing(solar, ("points: 10}", "points: 20}"), ("metal: Metal", "metal: Metal sheets"))
    from_file = (await script(stage, "diff", "solar", "--file", solar)).lines
    assert from_file == [
        "owner: rule gone: yes: 10 points",
        "owner: rule new: yes: 20 points",
        "roof: answer gone: 2 metal “Metal”",
        "roof: answer new: 2 metal “Metal sheets”",
    ]
    await script(stage, "publish", solar)
    assert (await script(stage, "publish", solar)).told(5) == [
        "asterisk-warm: version 2 of solar, the current one, is just this",
        "there is nothing to publish",
    ]
    assert (await script(stage, "diff", "solar")).lines == from_file
    assert (await script(stage, "diff", "solar", "--file", solar)).lines == ["Nothing has changed."]
    assert (await script(stage, "diff", "solar", "--old", "2")).lines == ["Nothing has changed."]

    assert (await script(stage, "rollback", "solar", "1")).lines == [
        "solar is as version 1 was; that is version 3 now."
    ]
    head, *rows = (await script(stage, "versions", "solar")).lines
    assert head.split() == ["script", "version", "questions", "published", "by", "note"]
    assert [row.split()[1] for row in rows if row.startswith("solar")] == ["3", "2", "1"]
    assert rows[0].endswith("rollback to version 1") or "rollback" in rows[0]
    assert [line.split()[:3] for line in (await script(stage, "list")).lines[1:2]] == [["solar", "3", "2"]]


async def test_given_warnings_when_published_then_they_are_told_beside_it(stage: Stage, solar: Path) -> None:
    differing(solar, ("    say: What", "    say:\n      text: x\n      console: What"))
    expected = (await run("script", "lint", solar)).out
    published = await script(stage, "publish", solar)
    assert (published.code, published.out) == (0, "solar is published as version 1.\n")
    assert published.err == expected and ": warning: " in expected
    differing(solar, ("name: Solar\n", "name: Solar power\n"))
    published = await script(stage, "publish", solar, "--json")
    assert published.json["version"] == 2 and ": warning: " in published.err


async def test_given_a_published_script_when_shown_into_a_file_then_it_can_be_published_again(
    stage: Stage, solar: Path
) -> None:
    differing(solar, ("name: Solar\n", "name: Solár # \u202e\t\U0001f469\u200d\U0001f4bb\r\n"))
    await script(stage, "publish", solar)
    assert (await script(stage, "show", "solar")).out == text(solar)
    differing(solar, ("points: 10}", "points: 30}"))
    await script(stage, "publish", solar)
    assert "points: 10}" in (await script(stage, "show", "solar", "--version", "1")).out


async def test_given_json_when_asked_for_then_it_is_what_the_api_answers(stage: Stage, solar: Path) -> None:
    published: Any = (await script(stage, "publish", solar, "--note", "first", "--json")).json
    assert published == {**(await stage.ask("GET", "/v1/scripts/solar"))[1], "source": published["source"]}
    await stage.ask("POST", "/v1/scripts", {"source": SCRIPT.replace("points: 10}", "points: 15}")})
    for arguments, path in (
        (("list",), "/v1/scripts"),
        (("show", "solar", "--version", "1"), "/v1/scripts/solar?version=1"),
        (("versions", "solar"), "/v1/scripts/solar/versions"),
        (("diff", "solar"), "/v1/scripts/solar/diff?old=1&new=2"),
    ):
        assert (await script(stage, *arguments, "--json")).json == (await stage.ask("GET", path))[1]
    assert (await script(stage, "rollback", "solar", "1", "--json")).json["version"] == 3


async def test_given_a_script_when_drawn_then_there_is_a_picture(
    stage: Stage, solar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await script(stage, "publish", solar)
    assert (await script(stage, "graph", "solar")).lines == ["solar.svg shows it; any browser opens it."]
    there = (tmp_path / "solar.svg").read_text()
    assert ElementTree.fromstring(there).tag.endswith("svg")
    away = tmp_path / "away.svg"
    assert (await run("script", "graph", solar, "--output", away)).code == 0
    assert away.read_text() == there
    nowhere = tmp_path / "no" / "such.svg"
    assert (await run("script", "graph", solar, "--output", nowhere)).told(1) == [
        f"asterisk-warm: {nowhere} cannot be written: No such file or directory",
        "give another --output",
    ]
    assert (
        (await run("script", "graph", solar, "--version", "2")).told(2)[0].endswith("a file has no --version")
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "solr"), 3, 'no script "solr"'),
        (("show", "../x"), 3, "that is not the id of a script"),
        (("show", "solar", "--version", "9"), 3, 'script "solar" has no version 9'),
        (("show", "solar", "--version", "0"), 2, "Invalid value for '--version': "),
        (("show", "solar", "--version", "9" * 30), 2, "--version: "),
        (("versions", "solr"), 3, 'no script "solr"'),
        (("graph", "solar", "--version", "9"), 3, 'script "solar" has no version 9'),
        (("graph", "solr"), 3, 'no script "solr"'),
        (("diff", "solar", "--new", "9"), 3, 'script "solar" has no version '),
        (("diff", "solar", "--new", "1", "--file", "x"), 2, "--new and --file cannot go together"),
        (("rollback", "solar", "9"), 3, 'script "solar" has no version 9'),
        (("rollback", "solar", "1"), 5, "version 1 of solar is the current one"),
        (("rollback", "solar", "one"), 2, "Invalid value for 'VERSION': "),
    ],
)
async def test_given_what_cannot_be_done_then_it_says_why(
    stage: Stage, arguments: tuple[str, ...], code: int, said: str
) -> None:
    await stage.ask("POST", "/v1/scripts", {"source": SCRIPT})
    what = (await script(stage, *arguments)).told(code)[0]
    assert what.startswith(f"asterisk-warm: {said}")


async def test_given_no_daemon_then_4(tmp_path: Path, solar: Path) -> None:
    path = tmp_path / "api.sock"
    for arguments in (("list",), ("publish", solar), ("graph", "solar")):
        what, _ = (await run("script", *arguments, "--socket", path)).told(4)
        assert what == f"asterisk-warm: no daemon listens on {path}"
