"""How the daemon does not come to run."""

from __future__ import annotations


class CannotStart(Exception):
    """The daemon cannot run; `remedy` says what to do, `exit_code` what the shell is told."""

    def __init__(self, message: str, remedy: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message, self.remedy, self.exit_code = message, remedy, exit_code
