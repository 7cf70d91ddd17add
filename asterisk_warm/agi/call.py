"""What a script knows of the call that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from asterisk_warm.agi.environment import Environment
from asterisk_warm.agi.ports import Agents

SPEAKING = "warm-presence"
"""The dialplan's context that plays WARM_SAY: what comes from there was dialled."""


class Variables(Protocol):
    async def get(self, name: str) -> str:
        """A channel variable; empty when it is not set."""


class Call:
    """One call, and whom it asks. `now` gives seconds since the epoch."""

    def __init__(
        self, environment: Environment, variables: Variables, agents: Agents, now: Callable[[], float]
    ) -> None:
        self.environment = environment
        self.variables = variables
        self.agents = agents
        self.now = now

    @property
    def source(self) -> str:
        """As in `By`: from where presence is changed."""
        return "code" if self.environment.context == SPEAKING else "agi"
