"""Every script, state, variable, result and feature code is in docs/agi.md, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from asterisk_warm.agi.answer import FAILURES, Result
from asterisk_warm.agi.presence import _STATES, PAUSE_AT_MOST, REASON_AT_MOST, WRAPUP_AT_MOST
from asterisk_warm.agi.scripts import SCRIPTS
from asterisk_warm.agi.server import HOST, PORT, Limits
from asterisk_warm.core.presence import Declared, Why

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agi.md").read_text()
DIALPLAN = (ROOT / "dialplan" / "asterisk_warm.conf").read_text()
AGENTS = DIALPLAN[DIALPLAN.index("[warm-agents]") :]


def _section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_given_the_scripts_then_each_is_documented_and_no_other() -> None:
    scripts, states = _section("Scripts").split("`presence` takes these states:")
    assert re.findall(r"^\| `(\w+)` \|", scripts, re.MULTILINE) == list(SCRIPTS)
    assert re.findall(r"^\| `(\w+)` \|", states, re.MULTILINE) == [state for state in _STATES if state]


def test_given_a_variable_of_a_script_then_it_is_documented_with_that_script() -> None:
    headings = {"presence": "`presence` and `agent`:", "agent": "`presence` and `agent`:"}
    for name, script in SCRIPTS.items():
        table = _section("Variables").split(headings.get(name, f"\n`{name}`:"))[1].split("\n\n")[1]
        rows = re.findall(r"^\| (`WARM_[^|]*) \|", table, re.MULTILINE)
        assert tuple(re.findall(r"WARM_[A-Z_]+", " ".join(rows))) == script.variables


def test_given_the_results_then_each_is_documented_with_its_agistatus() -> None:
    rows = re.findall(r"^\| `([A-Z]+)` \| `([A-Z]+)` \|", _section("WARM_RESULT and AGISTATUS"), re.MULTILINE)
    assert dict(rows) == {result: "FAILURE" if result in FAILURES else "SUCCESS" for result in Result}


def test_given_the_feature_codes_then_each_is_documented() -> None:
    codes = re.findall(r"^exten => _?\$\{IF\(.*\?\*28:\$\{WARM_CODES\}\)\}(\d)\.?,1,", AGENTS, re.MULTILINE)
    assert re.findall(r"^\| `\*28(\d)\w*` \|", _section("Feature codes"), re.MULTILINE) == codes


def test_given_a_variable_or_global_of_the_feature_codes_then_it_is_documented() -> None:
    assert set(re.findall(r"WARM_[A-Z_]+", AGENTS)) <= set(re.findall(r"WARM_[A-Z_]+", PAGE))


def test_given_words_and_numbers_of_the_code_then_the_page_has_the_same() -> None:
    assert all(f"`{word}`" in PAGE for word in (*Why, *Declared))
    assert f"agi://{HOST}:{PORT}/" in PAGE
    limits = Limits()
    assert f"{limits.sessions} calls may ask at once" in PAGE
    assert f"a script {limits.script_seconds:g} seconds" in PAGE
    assert f"{limits.request_bytes // 1024} kB and take {limits.request_seconds:g} seconds" in PAGE
    assert f"1–{PAUSE_AT_MOST} minutes" in PAGE and f"0–{WRAPUP_AT_MOST} minutes" in PAGE
    assert f"up to {REASON_AT_MOST} characters" in PAGE
