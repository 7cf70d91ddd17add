"""What a handler returns: the handoff as it is now, and the orders that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.model import Handoff


class Step(NamedTuple):
    handoff: Handoff
    commands: tuple[Command, ...] = ()

    def then(self, move: Callable[..., Step], *args: Any) -> Step:
        """Go on with another move from where this one ended."""
        handoff, commands = move(self.handoff, *args)
        return Step(handoff, self.commands + commands)
