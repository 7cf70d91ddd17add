"""Faults that the daemon has found, told by the words of the command line."""

from __future__ import annotations

import pytest
import typer

from asterisk_warm.cli.app import app
from asterisk_warm.cli.pointed import word


def parameters(*path: str) -> list[object]:
    command: object = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    return list(command.params)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "pointer", "said"),
    [
        (("handoff", "outcome"), "#/disposition", "DISPOSITION"),
        (("handoff", "start"), "#/return_to/priority", "--return-to priority"),
        (("handoff", "start"), "#/details/plan", "--detail plan"),
        (("handoff", "start"), "#/number", "--number"),
        (("lead", "save"), "#/number", "NUMBER"),
        (("lead", "save"), "#/attributes/plan", "--attribute plan"),
        (("agent", "add"), "#/id", "ID"),
        (("agent", "add"), "#/shifts/0", "--shift"),
        (("agent", "wrapup"), "#/seconds", "--extend"),
        (("qualify", "answer"), "#/answer", "ANSWER"),
        (("qualify", "run"), "#/answer", ""),
        (("script", "publish"), "#/source", "FILE"),
        (("script", "rollback"), "#/version", "VERSION"),
        (("webhook", "replay"), "#/ids/0", "ID"),
        (("webhook", "list"), "?state", "--state"),
        (("webhook", "list"), "?colour", ""),
        (("webhook", "list"), "", ""),
    ],
)
def test_given_a_pointer_then_it_is_the_option_or_argument_of_the_command(
    path: tuple[str, ...], pointer: str, said: str
) -> None:
    assert word(pointer, parameters(*path)) == said


def test_given_commands_that_ask_the_daemon_then_each_has_the_socket_by_which_they_are_known() -> None:
    """All but those that only read files, or are the daemon."""
    without = []
    for name, group in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner, command in getattr(group, "commands", {"": group}).items():
            if not any(one.name == "socket" and one.callback for one in command.params):
                without.append(" ".join(filter(None, (name, inner))))
    assert sorted(without) == ["check", "demo", "script lint", "script try", "serve"]
