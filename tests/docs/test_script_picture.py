"""docs/script.svg is the picture of the sample script, as `script graph` draws it."""

from __future__ import annotations

from pathlib import Path

from asterisk_warm.config.script_file import read_script
from asterisk_warm.core.script.graph import svg

TOP = Path(__file__).parents[2]
SAMPLE = TOP / "config" / "scripts" / "insurance.yaml"


def test_given_the_sample_script_when_drawn_then_the_page_has_that_picture() -> None:
    drawn = svg(read_script(SAMPLE.read_text(encoding="utf-8"), SAMPLE.name))
    assert (TOP / "docs" / "script.svg").read_text(encoding="utf-8") == drawn
