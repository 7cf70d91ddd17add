"""How a command fails: an exit code, what is wrong in one line, and what to do in another."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

DEBUG = "ASTERISK_WARM_DEBUG"
"""Environment variable (set by `--debug`): show tracebacks."""


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    """It was tried and did not work, or something is wrong with the daemon."""
    USAGE = 2
    """The command line, the config file or a value in it cannot be used."""
    NOT_FOUND = 3
    """No such handoff, agent, team, channel, lead, script or version of it, …"""
    UNREACHABLE = 4
    """The daemon or Asterisk does not answer."""
    CONFLICT = 5
    """Not in this state: ended already, accepted already, in another handoff, there already."""


class Failure(Exception):
    """`problem` is what `--json` prints instead of the two lines."""

    def __init__(
        self, exit_code: int, message: str, remedy: str = "", problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.remedy = remedy
        self.problem = problem or {"detail": message, "remedy": remedy}
