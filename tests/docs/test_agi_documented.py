"""Every script, state, variable, result and feature code is in docs/agi.md, and nothing else is."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from asterisk_warm.agi.answer import FAILURES, Result
from asterisk_warm.agi.asking import PAUSE, RECORDING_TIMES, WISHES
from asterisk_warm.agi.phone import SILENCE
from asterisk_warm.agi.phrases import PHRASES, phrase
from asterisk_warm.agi.presence import _STATES, PAUSE_AT_MOST, REASON_AT_MOST, WRAPUP_AT_MOST
from asterisk_warm.agi.scripts import INTERVIEW_SECONDS, SCRIPTS
from asterisk_warm.agi.server import HOST, PORT, Limits
from asterisk_warm.config.script_file import read_script
from asterisk_warm.core.handoff.gate import CONDITIONS
from asterisk_warm.core.presence import Declared, Why
from asterisk_warm.core.script.lint import lint
from asterisk_warm.core.script.model import Kind, Question, Verdict, Wording

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agi.md").read_text()
QUALIFICATION = (ROOT / "docs" / "qualification.md").read_text()
DIALPLAN = (ROOT / "dialplan" / "asterisk_warm.conf").read_text()
AGENTS = DIALPLAN[DIALPLAN.index("[warm-agents]") :]
QUALIFIED = "`qualify`, `score` and `answer`:"
HEADINGS = {
    **dict.fromkeys(("presence", "agent"), ("`presence` and `agent`:",)),
    **dict.fromkeys(("qualify", "score"), (QUALIFIED,)),
    "answer": (QUALIFIED, "`answer` sets one more:"),
}
"""Where the variables of a script are told, if not under its own name."""


def _section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_given_the_scripts_then_each_is_documented_and_no_other() -> None:
    scripts, states = _section("Scripts").split("`presence` takes these states:")
    assert re.findall(r"^\| `(\w+)` \|", scripts, re.MULTILINE) == list(SCRIPTS)
    assert re.findall(r"^\| `(\w+)` \|", states, re.MULTILINE) == [state for state in _STATES if state]


def test_given_a_variable_of_a_script_then_it_is_documented_with_that_script() -> None:
    for name, script in SCRIPTS.items():
        documented = [
            variable for heading in HEADINGS.get(name, (f"\n`{name}`:",)) for variable in _table(heading)
        ]
        assert tuple(documented) == script.variables


def _table(heading: str) -> list[str]:
    table = _section("Variables").split(heading)[1].split("\n\n")[1]
    rows = re.findall(r"^\| (`WARM_[^|]*) \|", table, re.MULTILINE)
    return re.findall(r"WARM_[A-Z_]+", " ".join(rows))


def test_given_the_results_then_each_is_documented_with_its_agistatus() -> None:
    rows = re.findall(r"^\| `([A-Z]+)` \| `([A-Z]+)` \|", _section("WARM_RESULT and AGISTATUS"), re.MULTILINE)
    assert dict(rows) == {result: "FAILURE" if result in FAILURES else "SUCCESS" for result in Result}


def test_given_the_feature_codes_then_each_is_documented() -> None:
    codes = re.findall(r"^exten => _?\$\{IF\(.*\?\*28:\$\{WARM_CODES\}\)\}(\d)[.X]?,1,", AGENTS, re.MULTILINE)
    assert re.findall(r"^\| `\*28(\d)\w*` \|", _section("Feature codes"), re.MULTILINE) == codes


def test_given_a_variable_or_global_of_the_feature_codes_then_it_is_documented() -> None:
    assert set(re.findall(r"WARM_[A-Z_]+", AGENTS)) <= set(re.findall(r"WARM_[A-Z_]+", PAGE))


def test_given_words_and_numbers_of_the_code_then_the_page_has_the_same() -> None:
    assert all(f"`{word}`" in PAGE for word in (*Why, *Declared))
    assert f"agi://{HOST}:{PORT}/" in PAGE
    limits = Limits()
    assert f"{limits.sessions} calls may ask at once" in PAGE
    assert (
        f"a script {limits.script_seconds:g} seconds (an interview {INTERVIEW_SECONDS / 60:g} minutes" in PAGE
    )
    assert f"{limits.request_bytes // 1024} kB and take {limits.request_seconds:g} seconds" in PAGE
    assert f"1–{PAUSE_AT_MOST} minutes" in PAGE and f"0–{WRAPUP_AT_MOST} minutes" in PAGE
    assert f"up to {REASON_AT_MOST} characters" in PAGE


# -- docs/qualification.md -----------------------------------------------------------------------------------


def test_given_the_script_of_the_page_then_it_is_one_without_faults() -> None:
    example = QUALIFICATION.split("## A script\n\n")[1].split("\n\n`config")[0]
    script = read_script(textwrap.dedent(example), "page")
    assert [finding for finding in lint(script) if finding.severity == "error"] == []


def test_given_the_kinds_verdicts_and_keys_then_each_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", QUALIFICATION, re.MULTILINE)
    assert rows == [*Kind, *Verdict, *WISHES]


def test_given_the_conditions_of_the_gate_then_each_is_documented() -> None:
    assert all(f"`{condition}`" in QUALIFICATION for condition in CONDITIONS)


def test_given_numbers_and_words_of_the_code_then_the_page_of_qualification_has_the_same() -> None:
    numbers = {3.0: "three", 4: "four"}
    assert f"`#` or {numbers[PAUSE]} seconds of nothing" in QUALIFICATION
    assert f"{numbers[SILENCE]} seconds of silence, or {numbers[RECORDING_TIMES]} times" in QUALIFICATION
    assert f"after {INTERVIEW_SECONDS / 60:g} minutes" in QUALIFICATION
    tries = Question("q", Kind.TEXT, Wording("?")).tries
    assert f"After `tries` ({tries})" in QUALIFICATION
    assert phrase("welcome-back", "en") in QUALIFICATION
    assert all(f"(`{language}`)" in QUALIFICATION for language in PHRASES)
