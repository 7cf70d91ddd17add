"""docs/configuration.md has a row for every setting, just as the settings describe themselves, and for none
else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asterisk_warm.config import Setting, describe_settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([a-zA-Z_.]+)` \| .* \| .* \| .* \|$", re.MULTILINE)


def row(setting: Setting) -> str:
    cells = (f"`{setting.path}`", setting.type, setting.default or "must be given", setting.description)
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("setting", describe_settings(), ids=lambda setting: setting.path)
def test_given_a_setting_when_looked_up_then_the_reference_says_what_it_is(setting: Setting) -> None:
    assert row(setting) in PAGE.read_text(encoding="utf-8").splitlines()


def test_given_the_reference_when_read_then_it_names_no_setting_that_is_not_there() -> None:
    reference = PAGE.read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    assert ROW.findall(reference) == [setting.path for setting in describe_settings()]


def test_given_the_settings_when_described_then_each_says_what_it_does() -> None:
    assert [setting.path for setting in describe_settings() if not setting.description.endswith(".")] == []
