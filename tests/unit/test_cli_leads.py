"""The commands for leads, in front of a real API on a real socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from api_leads_stage import SCRIPT
from api_stage import Stage, open_stage
from cli_runs import Run, run

from asterisk_warm.core.leads import Consent, LeadRecord, Purpose
from asterisk_warm.store import SqlLeads

HOSTILE = "\x1b[31m陳\r\n \u202e\U0001f600 [bold]${SHELL(x)} " + "w" * 300
NUMBER = "+12025550123"
CSV = """\
number,name,plan,consent_call,consent_basis,consent_shown,consent_at
202-555-0150,Ana,gold,yes,web form,May we call?,2026-01-01T00:00Z
not a number,Ben,,,,,
202-555-0151,=cmd(),,,,,
202-555-0152,Cy,,maybe,,,
(202) 555-0150,Ana again,,,,,
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def lead(stage: Stage, *arguments: str | bytes | Path) -> Run:
    return await run("lead", *arguments, "--socket", stage.socket)


async def numbers(stage: Stage) -> Sequence[str]:
    return [one["number"] for one in (await stage.ask("GET", "/v1/leads?limit=1000"))[1]["leads"]]


# -- one lead ------------------------------------------------------------------------------------------------


async def test_given_a_lead_when_kept_and_asked_about_then_all_that_is_known_is_told(stage: Stage) -> None:
    assert (await lead(stage, "list")).lines == ["No leads yet; see `asterisk-warm lead import --help`."]
    kept = await lead(
        stage,
        *("save", "(202) 555-0123", "--name", "Grant Weatherly", "--language", "es", "--source", "fair"),
        *("--attribute", "plan=gold=1", "--attribute", "number=two"),
    )
    assert kept.lines == [f"{NUMBER} is kept as Grant Weatherly."]
    for refused, said in ((False, "consents"), (True, "does not consent")):
        consent = await lead(
            stage,
            *(
                "consent",
                NUMBER,
                "call",
                "--basis",
                "oral",
                "--shown",
                "May we call you?",
                "--source",
                "Quinn",
            ),
            *(["--refused"] if refused else []),
        )
        assert consent.lines == [f"{NUMBER} {said} to call; it is recorded."]
    await stage.ask("POST", "/v1/scripts", {"source": SCRIPT})
    _, asked = await stage.ask("POST", "/v1/qualifications", {"script": "solar", "lead": NUMBER})
    handoff = await stage.lead_is_offered(number=NUMBER)
    await stage.agent_takes_it()
    await stage.ask(
        "POST", f"/v1/handoffs/{handoff}/outcome", {"disposition": "callback", "note": "on Friday"}
    )

    shown = (await lead(stage, "show", "2025550123")).lines
    facts = [" ".join(line.split()) for line in shown[: shown.index("")]]
    consents = next(place for place, line in enumerate(facts) if line.startswith("consent,"))
    assert facts[:consents] == [
        f"number {NUMBER}",
        "name Grant Weatherly",
        "language es",
        "source fair",
        "number two",
        "plan gold=1",
    ]
    zone = time.strftime("%Z", time.localtime(time.time()))
    counts, before = " ".join(facts[consents:]).removeprefix("consent, call ").split(" before ")
    assert counts.startswith("no (which counts), 20") and before.startswith("yes, 20")
    for consent_line in (counts, before):
        assert f" {zone}, oral, Quinn: May we call you?" in consent_line
    head, row, _, *past = shown[shown.index("") + 1 :]
    assert head.split() == ["qualification", "script", "verdict", "reason", "on"]
    assert " ".join(row.split()[:-1]) == f"{asked['id']} Solar not finished -"
    head, row = past
    assert head.split() == ["handoff", "at", "agent", "came", "to"]
    assert row.split()[0] == handoff and row.endswith("Ana    Call back: on Friday")

    assert [line.split()[:3] for line in (await lead(stage, "list")).lines] == [
        ["number", "name", "consents"],
        [NUMBER, "Grant", "Weatherly"],
    ]
    assert (await lead(stage, "remove", NUMBER)).lines == [f"{NUMBER} is removed."]
    assert (await lead(stage, "remove", NUMBER)).told(3) == [
        f"asterisk-warm: no lead {NUMBER}",
        "see `asterisk-warm lead list`",
    ]


async def test_given_json_when_asked_for_then_it_is_what_the_api_answers(stage: Stage) -> None:
    saved = (await lead(stage, "save", NUMBER, "--json")).json
    consent = ("consent", "+12025550177", "text", "--basis", "form", "--shown", "ok?", "--json")
    assert (await lead(stage, *consent)).json["consents"][0]["purpose"] == "text"
    for arguments, path in (
        (("list",), "/v1/leads"),
        (("list", "--after", NUMBER, "--limit", "5"), f"/v1/leads?after=%2B{NUMBER[1:]}"),
        (("show", NUMBER), f"/v1/leads/{NUMBER}"),
    ):
        assert (await lead(stage, *arguments, "--json")).json == (await stage.ask("GET", path))[1]
    assert (await lead(stage, "remove", NUMBER, "--json")).json == saved


async def test_given_hostile_leads_when_seen_then_nothing_reaches_the_terminal(stage: Stage) -> None:
    consent = Consent(Purpose.CALL, True, HOSTILE, HOSTILE, time.time(), HOSTILE)
    record = LeadRecord(NUMBER, HOSTILE, "en", ((HOSTILE, HOSTILE),), HOSTILE, (consent,))
    await SqlLeads(stage.database).save_leads([record], HOSTILE, time.time())
    handoff = await stage.lead_is_offered(number=NUMBER)
    await stage.ask("POST", f"/v1/handoffs/{handoff}/outcome", {"note": "\u202e" + "w" * 900})
    for arguments in (("list",), ("show", NUMBER)):
        assert any("[31m" in line for line in (await lead(stage, *arguments)).lines)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", NUMBER), 3, f"no lead {NUMBER}"),
        (("show", "zz"), 2, '"zz" is not a telephone number'),
        (("show", "\x1b[31m"), 3, "that is no telephone number"),
        (("save", "12"), 2, 'NUMBER: "12" is no telephone number'),
        (("save", NUMBER, "--language", "e s"), 2, '--language: "e s" is not a language'),
        (("save", NUMBER, "--attribute", "gold"), 2, '--attribute "gold" is not NAME=TEXT'),
        (("save", NUMBER, "--name", b"\xff"), 2, "an option is not text in this terminal's encoding"),
        (("save", NUMBER, "--name", "\x1b[31m"), 2, "--name: must have no line ends"),
        (("consent", NUMBER, "call"), 2, "Missing option '--basis'."),
        (
            ("consent", NUMBER, "cal", "--basis", "x", "--shown", "y"),
            2,
            'PURPOSE: there is no purpose "cal"',
        ),
        (("list", "--limit", "1001"), 2, "Invalid value for '--limit'"),
        (("import",), 2, "Missing argument 'FILE'."),
        (("import", "x.csv", "--region", "Mars"), 2, '--region "Mars" is no country'),
    ],
)
async def test_given_what_cannot_be_done_then_it_says_why(
    stage: Stage, arguments: tuple[str | bytes, ...], code: int, said: str
) -> None:
    assert (await lead(stage, *arguments)).told(code)[0].startswith(f"asterisk-warm: {said}")
    assert await numbers(stage) == []


# -- files of them -------------------------------------------------------------------------------------------


async def test_given_a_file_with_faults_when_imported_then_the_good_are_kept_and_each_fault_named(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(CSV)
    for would, there in (("would be ", []), ("", ["+12025550150"])):
        done = await lead(stage, "import", file, "--region", "us", *(["--dry-run"] if would else []))
        assert (done.code, done.out.splitlines()) == (
            1,
            [
                f"{would}added: 1",
                *(["attributes: plan"] if would else []),
                "faults: 4; whoever has one is left out",
            ],
        )
        faults = done.err.splitlines()
        assert [fault.partition(" ")[0] for fault in faults] == [
            f"{file}:{place}:" for place in ("3:1", "4:14", "5:18", "6:1")
        ]
        assert '"not a number" is no telephone number' in faults[0]
        assert "leads.202-555-0151.name" in faults[1]
        assert await numbers(stage) == there
    answer = (await stage.ask("GET", "/v1/leads/+12025550150"))[1]
    assert (answer["name"], answer["attributes"]) == ("Ana", {"plan": "gold"})
    assert [(one["purpose"], one["granted"], one["basis"]) for one in answer["consents"]] == [
        ("call", True, "web form")
    ]


async def test_given_leads_that_are_there_when_imported_then_what_is_lost_is_said_before(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.ask("PUT", f"/v1/leads/{NUMBER}", {"name": "Grant", "language": "es"})
    file = tmp_path / "leads.csv"
    file.write_text(f"number,name\n{NUMBER},Grant W\n")
    for dry in (["--dry-run"], ["--json"]):
        done = await lead(stage, "import", file, *dry)
        assert done.code == 0
        assert done.err.splitlines() == [
            "warning: the file has no language or attributes; of those who are replaced, that is now empty"
        ]
    assert done.json == {"added": [], "replaced": [NUMBER], "faults": [], "dry_run": False}
    assert (await stage.ask("GET", f"/v1/leads/{NUMBER}"))[1]["name"] == "Grant W"


async def test_given_5000_rows_when_imported_then_it_shows_how_far_it_is_and_each_bad_row(
    stage: Stage, tmp_path: Path
) -> None:
    bad = {17: "1", 2500: "x", 4999: "+1 202 555"}
    rows = [f"{bad.get(n, f'+1202{5_000_000 + n}')},Lead {n},en" for n in range(5000)]
    file = tmp_path / "leads.csv"
    file.write_text("\n".join(["number,name,language", *rows, ""]))
    done = await lead(stage, "import", file)
    assert done.code == 1
    assert done.out.splitlines() == [
        *(f"{sent} of 4997 leads" for sent in (1000, 2000, 3000, 4000, 4997)),
        "added: 4997",
        "faults: 3; whoever has one is left out",
    ]
    assert [fault.split(":")[1] for fault in done.err.splitlines()] == ["19", "2502", "5001"]
    assert (await numbers(stage))[0] == "+12025000000"
    again = (await lead(stage, "import", file, "--json")).json
    assert (len(again["added"]), len(again["replaced"]), len(again["faults"])) == (0, 4997, 3)


async def test_given_leads_with_much_in_them_when_imported_then_no_piece_is_too_large(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    names = [f"a{n}" for n in range(20)]
    filled = ",".join(["陳" * 190] * len(names))
    rows = [f"+1202{5_000_000 + n},{filled}" for n in range(300)]
    file.write_text("\n".join([",".join(["number", *names]), *rows, ""]))
    done = await lead(stage, "import", file)
    assert (done.code, done.out, done.err) == (0, "added: 300\n", "")


async def test_given_a_fault_that_only_the_daemon_finds_when_imported_then_the_lead_is_named(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    late = "2999-01-01,yes,form"
    file.write_text(
        "number,a/b~c,source,consent_at,consent_text,consent_basis\n"
        f"{NUMBER},x,,,,\n+1 (202) 555-0124,{'x' * 1500},,,,\n202-555-0125,,,{late}\n"
        f"202-555-0127,,,2026-01-01,yes,{'b' * 500}\n"
    )
    done = await lead(stage, "import", file)
    assert (done.code, done.out) == (1, "added: 1\nfaults: 3; whoever has one is left out\n")
    for fault, place in zip(
        done.err.splitlines(),
        (
            "3:1: leads.+1 (202) 555-0124.a/b~c: must have from 0 to ",
            "4:1: leads.202-555-0125.consent_at: is in the future (say when it was given)",
            "5:1: leads.202-555-0127.consent_basis: must have from 1 to ",
        ),
        strict=True,
    ):
        assert fault.startswith(f"{file}:{place}"), fault


async def test_given_a_misspelt_column_when_imported_then_it_is_said_before(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(f"number,nmae,consent_cal,plan\n{NUMBER},Ana,yes,gold\n")
    warnings = [
        f'warning: {file}:1:8: the column "nmae" is none of ours, and is taken for an attribute '
        '(did you mean "name"?)',
        f'warning: {file}:1:13: the column "consent_cal" is none of ours, and is taken for an attribute '
        '(did you mean "consent_call"?)',
    ]
    done = await lead(stage, "import", file, "--dry-run")
    assert (done.code, done.err.splitlines()) == (0, warnings)
    assert done.out == "would be added: 1\nattributes: nmae, consent_cal, plan\n"
    done = await lead(stage, "import", file)
    assert (done.out, done.err.splitlines()) == ("added: 1\n", warnings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file (expected a CSV file of leads)"),
        ("folder", "this is a folder (expected a CSV file, such as "),
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", 'the column "number" is missing: the first line has "a", "b" (expected '),
        (b"number\n", "there are no leads in the file"),
        (b"\x7fELF\0", "this is a binary file, or text in UTF-16"),
        (b"number\n\xff\n", "the byte 0xff is not UTF-8"),
    ],
)
async def test_given_no_usable_file_when_imported_then_1_and_why(
    stage: Stage, tmp_path: Path, content: Any, said: str
) -> None:
    file = tmp_path / "leads.csv"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    done = await lead(stage, "import", file)
    assert (done.code, done.out.splitlines()[0]) == (1, "added or replaced: nobody")
    assert done.err.startswith(f"{file}:") and said in done.err, done.err


async def test_given_no_daemon_when_imported_then_4_and_how_far_it_came(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(CSV)
    done = await run("lead", "import", file, "--region", "US", "--socket", tmp_path / "x")
    lines = done.told(4)
    assert lines[-3:-1] == [
        "0 of 1 leads were sent before this",
        f"asterisk-warm: no daemon listens on {tmp_path / 'x'}",
    ]
    assert len(lines) == 4 + 3
