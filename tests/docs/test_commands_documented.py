"""docs/cli.md has every command with every option of it, every exit code, and nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from asterisk_warm.cli.app import app
from asterisk_warm.cli.failures import Exit

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### `(asterisk-warm[^`]*)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"^\| (`-[^|]*) \|", re.MULTILINE)
CODE = re.compile(r"^\| (\d+) \|", re.MULTILINE)


def commands(command: Any, name: str) -> Iterator[tuple[str, set[str]]]:
    """(usage, options) of every command; a group counts only where it has options of its own."""
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    options = {o for p in command.params if p.param_type_name == "option" for o in p.opts} - {"--help", "-h"}
    inner = getattr(command, "commands", {})
    if options or not inner:
        yield " ".join([name, *arguments]), options
    for word, one in inner.items():
        yield from commands(one, f"{name} {word}")


def documented() -> dict[str, set[str]]:
    told = {}
    for usage, text in SECTION.findall(PAGE):
        names = re.findall(r"(?<=`)--?[a-z][a-z-]*", " ".join(OPTION.findall(text)))
        told[usage] = set(names) - {"--help", "-h"}
    return told


def test_given_the_commands_when_looked_up_then_the_page_has_them_with_all_options_and_no_others() -> None:
    assert documented() == dict(commands(get_command(app), "asterisk-warm"))


def test_given_the_exit_codes_when_looked_up_then_the_page_has_them_and_no_others() -> None:
    table = PAGE.partition("\n## Exit codes\n")[2].partition("\n## ")[0]
    assert [int(code) for code in CODE.findall(table)] == list(Exit)


def test_given_the_commands_when_asked_for_help_then_each_says_what_it_and_its_options_do() -> None:
    def silent(command: Any, name: str) -> Iterator[str]:
        if not command.help:
            yield name
        for parameter in command.params:
            if not getattr(parameter, "help", ""):
                yield f"{name} {parameter.name}"
        for word, one in getattr(command, "commands", {}).items():
            yield from silent(one, f"{name} {word}")

    assert list(silent(get_command(app), "asterisk-warm")) == []
