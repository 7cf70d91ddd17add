"""The scripts that one begins from are good: the sample, and the example of docs/qualification.md."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from asterisk_warm.config.script_file import read_script
from asterisk_warm.core.script.lint import lint

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "qualification.md"
SAMPLE = TOP / "config" / "scripts" / "insurance.yaml"


def example() -> str:
    section = PAGE.read_text(encoding="utf-8").partition("## A script\n")[2]
    found = re.search(r"(?:^    .*\n)+", section, re.M)
    assert found is not None
    return dedent(found[0])


@pytest.mark.parametrize("source", [example(), SAMPLE.read_text(encoding="utf-8")], ids=["page", "sample"])
def test_given_a_script_to_begin_from_when_linted_then_there_is_nothing_to_say_against_it(
    source: str,
) -> None:
    script = read_script(source, "script")
    assert script.questions
    assert list(lint(script)) == []
