"""Every variable, context, option and status of the dialplan is in docs/dialplan.md, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from asterisk_warm.core.handoff.model import Status
from asterisk_warm.core.handoff.options import _POLICY, LIMITS

ROOT = Path(__file__).parents[2]
DIALPLAN = (ROOT / "dialplan" / "asterisk_warm.conf").read_text()
PAGE = (ROOT / "docs" / "dialplan.md").read_text()
AGI = (ROOT / "docs" / "agi.md").read_text()
DOCUMENTED = PAGE + AGI + (ROOT / "docs" / "qualification.md").read_text()
CODE = [path.read_text() for path in (ROOT / "asterisk_warm").rglob("*.py") if "lab" not in path.parts]
VARIABLE = re.compile(r"\bWARM_[A-Z_]*[A-Z]\b")


def test_given_a_variable_of_the_dialplan_or_the_code_then_it_is_documented() -> None:
    used = {name for text in (DIALPLAN, *CODE) for name in VARIABLE.findall(text)}
    used -= {"WARM_LEAD"}
    in_config = {
        name for name in used if f"env:{name}" in (ROOT / "config" / "asterisk_warm.yaml").read_text()
    }
    assert used - in_config <= set(VARIABLE.findall(DOCUMENTED)), "document it in docs/dialplan.md"


def test_given_a_documented_variable_then_it_exists() -> None:
    used = {name for text in (DIALPLAN, *CODE) for name in VARIABLE.findall(text)}
    assert set(VARIABLE.findall(DOCUMENTED)) <= used


def test_given_a_context_then_it_is_documented() -> None:
    for context in re.findall(r"^\[([\w-]+)\]", DIALPLAN, re.MULTILINE):
        assert f"`{context}`" in PAGE + AGI or f"Gosub({context}," in PAGE + AGI


def test_given_a_context_that_comes_back_then_who_hangs_up_in_it_leaves_by_the_h_of_where_they_came_from() -> (
    None
):
    """But for `warm-arm`, which no channel is in: it runs before a phone is dialled."""
    for context, lines in re.findall(r"^\[([\w-]+)\]\n((?:(?!\[).*\n?)*)", DIALPLAN, re.MULTILINE):
        comes_back = "Return()" in lines and context != "warm-arm"
        assert comes_back == bool(re.search(r"^include => warm-(hungup|left)$", lines, re.MULTILINE)), context


def test_given_an_option_then_it_is_documented() -> None:
    for option in (*_POLICY, *LIMITS):
        assert f"`{option}`" in PAGE


def test_given_a_status_then_it_is_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z]+)` \|", PAGE, re.MULTILINE))
    assert documented == {status.value for status in Status} | {"OFFLINE"}
