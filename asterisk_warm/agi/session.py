"""One call's AGI session: commands out, replies in, in step whatever comes between."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import unquote

from asterisk_warm.agi.environment import Environment
from asterisk_warm.agi.text import quoted

USAGE_LINES_AT_MOST = 200
"""Of a 520, which explains the command."""
_REPLY = re.compile(
    r"200 result=(?P<result>\S*)(?: \((?P<value>.*)\))?(?: endpos=(?P<endpos>\d{1,18}))?.*", re.DOTALL
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class AgiError(Exception):
    """The session cannot go on; the message says why."""


class Gone(AgiError):
    """The other side has closed the connection."""


class CommandRefused(AgiError):
    """Asterisk did not carry out a command. `code` is 510 (unknown), 511 (not on a channel that has hung up)
    or 520 (wrong words)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """Of a 200. `value` is what stood in brackets; None: nothing did."""

    result: str
    value: str | None
    endpos: int | None = None
    """How far a sound or recording went, in samples."""


def set_variable(name: str, value: str) -> str:
    """The command. Raises ValueError for what is no plain name: Asterisk would take it for a function."""
    return f"SET VARIABLE {_plain(name)} {quoted(value)}"


class Session:
    """After the environment. Every method may raise AgiError; one after the other, never two at once."""

    def __init__(
        self, environment: Environment, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.environment = environment
        self.hung_up = False
        """The caller has; commands about variables work all the same."""
        self._reader, self._writer = reader, writer
        self._awaited = False

    async def set(self, name: str, value: str) -> None:
        await self.command(set_variable(name, value))

    async def get(self, name: str) -> str:
        """A channel variable; empty when it is not set."""
        # As it is, a value with a line end in it would pass for the next command's reply.
        reply = await self.command(f'GET FULL VARIABLE "${{URIENCODE(${{{_plain(name)}}})}}"')
        return unquote(reply.value or "", errors="replace")

    async def verbose(self, message: str, level: int = 3) -> None:
        await self.command(f"VERBOSE {quoted(message)} {level}")

    async def command(self, line: str) -> Reply:
        """Raises CommandRefused."""
        if self._awaited:
            raise AgiError("the reply to an earlier command was not waited for")
        self._awaited = True
        await self.send(line)
        reply = await self._line()
        while reply == "HANGUP":
            self.hung_up = True
            reply = await self._line()
        refused = await self._refused(reply)
        self._awaited = False
        if refused is not None:
            raise refused
        match = _REPLY.fullmatch(reply)
        if match is None:
            raise AgiError(f"no reply of AGI: {reply[:80]!r}")
        endpos = match["endpos"]
        return Reply(match["result"], match["value"], None if endpos is None else int(endpos))

    async def _refused(self, reply: str) -> CommandRefused | None:
        if reply.startswith("520-"):
            return CommandRefused(520, await self._usage(reply))
        if reply[:4] in ("510 ", "511 ", "520 "):
            return CommandRefused(int(reply[:3]), reply[4:])
        return None

    async def send(self, line: str) -> None:
        try:
            self._writer.write(f"{line}\n".encode())
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone("the connection was closed") from error

    async def _usage(self, first: str) -> str:
        lines = [first[4:]]
        while not (line := await self._line()).startswith("520 "):
            lines.append(line)
            if len(lines) > USAGE_LINES_AT_MOST:
                raise AgiError("a reply 520 does not end")
        return " ".join(lines)

    async def _line(self) -> str:
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise AgiError("a reply is too long") from error
        except ConnectionError as error:
            raise Gone("the connection was lost") from error
        if not line.endswith(b"\n"):
            raise Gone("the connection was closed")
        return line[:-1].decode(errors="replace")


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no plain name of a variable")
    return name
