"""Hostile texts that others have written, in an admin's terminal: plain lines of 80 columns, whatever they hold."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_leads_stage import SCRIPT
from api_stage import Stage, open_stage
from cli_runs import run
from hostile_texts import TEXTS

WORDS = [
    *("terminal commands", "right to left", "emoji", "a flood of marks", "lines of Unicode", "a script"),
    *("nothing that is seen", "what is no character", "a template", "percent signs"),
]
ASKING = SCRIPT.replace("{owner}", "{words}") + '  words: {ask: text, say: "Why?", rules: [{points: 10}]}\n'


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        await fill(opened)
        yield opened


async def fill(stage: Stage) -> None:
    """Leads, qualifications, tokens and a handoff of hostile words."""
    await stage.ask("POST", "/v1/scripts", {"source": ASKING, "note": TEXTS["right to left"]})
    for n, kind in enumerate(WORDS):
        text, number = TEXTS[kind][:80], f"+120255501{n:02}"
        lead = {"name": text, "source": text, "attributes": {"plan": text}}
        consent = {"purpose": "call", "granted": True, "basis": "web", "shown": TEXTS[kind][:2000]}
        await stage.ask("PUT", f"/v1/leads/{number}", lead)
        await stage.ask("POST", f"/v1/leads/{number}/consents", consent)
        _, view = await stage.ask("POST", "/v1/qualifications", {"script": "solar", "lead": number})
        for answer in ({"answer": TEXTS[kind][:2000], "question": "words"}, {"answer": "yes"}):
            await stage.ask("POST", f"/v1/qualifications/{view['id']}/answer", answer)
        await stage.ask("POST", "/v1/tokens", {"note": text})
    await stage.lead_is_offered(name=TEXTS["terminal commands"], summary=TEXTS["right to left"])


async def test_given_hostile_words_when_shown_then_the_terminal_obeys_none(stage: Stage) -> None:
    _, listed = await stage.ask("GET", "/v1/qualifications?limit=1000")
    newest = (await stage.ask("GET", "/v1/handoffs"))[1]["handoffs"][0]["id"]
    commands: list[tuple[str, ...]] = [
        *(
            ("lead", "list"),
            ("qualify", "list"),
            ("token", "list"),
            ("script", "list"),
            ("script", "show", "solar"),
        ),
        *(("handoff", "list"), ("handoff", "show", newest), ("handoff", "story", newest)),
        *(("qualify", "show", one["id"]) for one in listed["qualifications"][:4]),
        *(("lead", "show", f"+120255501{n:02}") for n in range(4)),
    ]
    assert len(listed["qualifications"]) == len(WORDS)
    for words in commands:
        shown = await run(*words, "--socket", stage.socket)
        assert shown.lines, words


@pytest.mark.parametrize(
    "kind", ["terminal commands", "right to left", "a header of SIP", "a zero", "a formula"]
)
async def test_given_hostile_files_when_imported_or_linted_then_the_terminal_obeys_nothing(
    stage: Stage, tmp_path: Path, kind: str
) -> None:
    leads, script = tmp_path / "leads.csv", tmp_path / "evil.yaml"
    text = TEXTS[kind]
    leads.write_text(f'number,name\n+12025550177,Ben\n+12025550178,"{text}"\n"{text}",Cleo\n', newline="")
    script.write_text(SCRIPT.replace("name: Solar", f"name: {json.dumps(text)}"), newline="")
    for words in (("lead", "import", leads), ("script", "lint", script), ("script", "publish", script)):
        shown = await run(*words, "--socket", stage.socket)
        assert "Traceback" not in shown.err
        assert all(line.isprintable() for line in (shown.out + shown.err).splitlines()), (words, shown)
    status, _ = await stage.ask("GET", "/v1/leads/+12025550177")
    assert status == (404 if "\0" in text else 200), "the good row is kept"
