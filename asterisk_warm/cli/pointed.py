"""Where the daemon has found a fault, as a word of the command line instead of a JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

_OTHERWISE: Mapping[str, str] = {"seconds": "extend", "source": "file"}
"""Members of a request that are called otherwise on the command line."""

_running: list[Any] = []
"""What the command that is being run takes."""


def note(context: typer.Context, socket: Path) -> Path:
    """Callback of `--socket`, which all commands have that ask the daemon."""
    _running[:] = context.command.params
    return socket


def said(fault: Mapping[str, Any]) -> str:
    """`--note: must have …`; what has no word of its own on the command line is told without a place."""
    place, detail = word(str(fault.get("pointer")), _running), str(fault.get("detail"))
    return f"{place}: {detail}" if place else detail


def word(pointer: str, parameters: Sequence[Any]) -> str:
    """`--attribute plan` of `#/attributes/plan`, `NUMBER` of `#/number`, `--state` of `?state`; else ""."""
    member, *rest = pointer.removeprefix("#/").removeprefix("?").split("/")
    found = next(_meant(member, parameters), None)
    if found is None:
        return ""
    # The place in a list says nothing to whoever has repeated an option.
    return " ".join([_written(found), *(one for one in rest if not one.isdigit())])


def _meant(member: str, parameters: Sequence[Any]) -> Iterator[Any]:
    """By their name, of one or of several; or by what an argument is called in the help."""
    for name in (member, member.removesuffix("s"), _OTHERWISE.get(member, "")):
        yield from (one for one in parameters if one.name == name)
    yield from (one for one in parameters if _is_argument(one) and _written(one).lower() == member)


def _written(parameter: Any) -> str:
    if _is_argument(parameter):
        return str(parameter.metavar or parameter.name.upper()).replace("...", "").strip("[]")
    return str(max(parameter.opts, key=len))


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")
