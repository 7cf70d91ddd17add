"""What Asterisk says of a call before the first command: the `agi_*` lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r"(agi_[a-z0-9_]+): ?(.*)", re.DOTALL)
_ARGUMENT = "agi_arg_"
_LAST = "agi_threadid"
"""The last line before the arguments, in every Asterisk."""
_ENDPOINT = re.compile(r"([^/]+/.+)-[0-9a-fA-F]+(?:;[12])?")


class NotAgi(Exception):
    """What came is no request of Asterisk's; the message says why. `spoke`: it may be one all the same, and
    whoever asked waits for an answer."""

    def __init__(self, message: str, spoke: bool) -> None:
        super().__init__(message)
        self.spoke = spoke


@dataclass(frozen=True, slots=True)
class Environment:
    script: str
    """What the address names behind the slash."""
    channel: str
    """`PJSIP/ana-0000001f`."""
    context: str
    caller_id: str
    """The number that the caller claims to have; empty: none."""
    arguments: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        """`PJSIP/ana`: whose phone this is, which no caller can choose. Empty when the channel has none."""
        match = _ENDPOINT.fullmatch(self.channel)
        return match[1] if match else ""


async def read_environment(reader: asyncio.StreamReader, at_most: int) -> Environment:
    """Up to the empty line, of at most so many bytes. Raises NotAgi."""
    lines: dict[str, str] = {}
    size = 0
    try:
        while (line := await reader.readline()) != b"\n":
            size += len(line)
            if not line.endswith(b"\n"):
                raise NotAgi("the connection ended in the middle of the request", spoke=False)
            if size > at_most:
                raise NotAgi(f"the request is longer than {at_most} bytes", spoke=bool(lines))
            _take(lines, line[:-1].decode(errors="replace"))
    except ValueError as error:
        raise NotAgi("a line of the request is too long", spoke=bool(lines)) from error
    return _environment(lines)


def _take(lines: dict[str, str], line: str) -> None:
    """A caller ID with a line end in it could bring lines of its own: each name comes once, and the arguments
    come last."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotAgi("a line of the request is not agi_NAME: VALUE", spoke=bool(lines))
    name, value = match.groups()
    if name in lines:
        raise NotAgi(f"the request says {name} twice", spoke=True)
    if name.startswith(_ARGUMENT) != (_LAST in lines):
        raise NotAgi(f"the request says {name} where it cannot be", spoke=True)
    lines[name] = value


def _environment(lines: Mapping[str, str]) -> Environment:
    if _LAST not in lines:
        raise NotAgi("the request ends too early", spoke=bool(lines))
    arguments = [value.strip() for name, value in lines.items() if name.startswith(_ARGUMENT)]
    # A context that hands on ${ARG1} to ${ARG4} gives empty ones at the end.
    while arguments and not arguments[-1]:
        arguments.pop()
    caller_id = lines.get("agi_callerid", "")
    return Environment(
        script=lines.get("agi_network_script", ""),
        channel=lines.get("agi_channel", ""),
        context=lines.get("agi_context", ""),
        caller_id="" if caller_id == "unknown" else caller_id,
        arguments=tuple(arguments),
    )
